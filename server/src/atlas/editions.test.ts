import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import pg from 'pg'
import { columnNames, makeColumns, type Atlas, type Layer, type Technology } from '@kawal/core/atlas/edition.ts'
import { keyAt } from '@kawal/core/geo/cells.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { listEditions, readEdition, storeEdition, verifyEdition } from './editions.ts'

const published = Date.UTC(2028, 5, 1)
const about = { name: 'June', validOn: '2028-06-01', publishedAt: published, facts: { sources: [{ sha256: 'é'.repeat(3), rows: 12.5 }], b: null, a: 1e21, operators: {} } }

function grid(resolution: number, side: number, step_deg: number): { resolution: number; cells: Float64Array } {
  const keys = new Set<number>()
  for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) keys.add(keyAt(-10 + i * step_deg, 123 + j * step_deg, resolution))
  return { resolution, cells: Float64Array.from(keys).sort() }
}

function made(seed: number, networks: readonly (readonly [string, Technology])[]): Atlas {
  const random = seeded(seed)
  const [national, fine] = [grid(8, 12, 0.01), grid(9, 5, 0.004)]
  const layers = networks.map(([operator, technology]): Layer => {
    const [all, some] = [makeColumns(national.cells.length), makeColumns(fine.cells.length)]
    for (const columns of [all, some]) for (const name of columnNames) for (let i = 0; i < columns[name].length; i++) columns[name][i] = Math.floor(random() * (name === 'samples' ? 65_535 : 201))
    return { operator, technology, national: all, fine: some }
  })
  return { national, fine, layers }
}
const atlas = made(1, [['telkomsel', 'lte'], ['indosat', 'nr'], ['indosat', 'gsm']])

let kit: TestDatabase
let id = ''
before(async () => {
  kit = await withDatabase()
  const kept = await kit.database.transaction(system, (client) => storeEdition(client, atlas, about))
  assert.equal(kept.stored, true)
  id = kept.id
})
after(() => kit.close())
const as = <T>(caller: Caller, work: (client: pg.ClientBase) => Promise<T>): Promise<T> => kit.database.transaction(caller, work)

test('what was stored is read again, layers by operator and technology; the same content is one edition', async () => {
  const read = await as(system, (client) => readEdition(client, 'latest'))
  assert.equal(read?.id, id)
  assert.deepEqual(read?.header.facts, about.facts)
  assert.deepEqual(read?.atlas.layers.map((layer) => `${layer.operator} ${layer.technology}`), ['indosat gsm', 'indosat nr', 'telkomsel lte'])
  assert.deepEqual(read?.atlas, { ...atlas, layers: [atlas.layers[2], atlas.layers[1], atlas.layers[0]] })
  const shuffled = { ...atlas, layers: [...atlas.layers].reverse() }
  const again = await as(system, (client) => storeEdition(client, shuffled, { ...about, publishedAt: published + 1 }))
  assert.deepEqual([again.id, again.stored], [id, false])
  const other = await as(system, (client) => storeEdition(client, made(2, [['telkomsel', 'lte']]), { ...about, validOn: '2028-05-01' }))
  assert.notEqual(other.id, id)
  const listed = await as(system, listEditions)
  assert.deepEqual(listed.map((entry) => [entry.id, entry.validOn, entry.publishedAt, entry.layers.length, entry.cells.national]), [[id, '2028-06-01', published, 3, atlas.national.cells.length], [other.id, '2028-05-01', published, 1, atlas.national.cells.length]])
  assert.equal(await as(system, (client) => readEdition(client, '000000000000')), null)
})

test('an auditor recomputes the hash with other tools, as spec/edition.md says', async () => {
  const { rows: [edition] } = await as(system, (client) => client.query<{ sha256: string; header: { columns: { name: string; sha256: string }[] } }>('SELECT sha256, header FROM edition WHERE id = $1', [id]))
  const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.map(sorted) : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)])) : value)
  const hash = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  assert.equal(hash(JSON.stringify(sorted(edition?.header))), edition?.sha256)
  assert.equal(edition?.sha256.slice(0, 12), id)
  const { rows } = await as(system, (client) => client.query<{ name: string; bytes: Buffer }>('SELECT name, bytes FROM edition_column WHERE edition_id = $1', [id]))
  assert.deepEqual(new Map(rows.map((row) => [row.name, hash(zstdDecompressSync(row.bytes))])), new Map(edition?.header.columns.map((column) => [column.name, column.sha256])))
  assert.equal(rows.length, 2 + 3 * 2 * columnNames.length)
})

test('an operator reads its own layers; the others are absent. Layers can be asked for alone', async () => {
  const read = (caller: Caller): Promise<string[] | undefined> => as(caller, async (client) => (await readEdition(client, id))?.atlas.layers.map((layer) => layer.operator))
  assert.deepEqual(await read({ organisation: 'telkomsel', role: 'noc' }), ['telkomsel'])
  assert.deepEqual(await read({ organisation: 'indosat', role: 'noc' }), ['indosat', 'indosat'])
  assert.deepEqual(await read({ organisation: 'apjii', role: 'association' }), [])
  const some = await as(system, (client) => readEdition(client, id, { layers: (_, technology) => technology === 'gsm' }))
  assert.deepEqual(some?.atlas.layers.map((layer) => layer.technology), ['gsm'])
  await assert.rejects(as({ organisation: 'telkomsel', role: 'noc' }, (client) => storeEdition(client, made(3, [['telkomsel', 'lte']]), about)), /row-level security/)
})

test('verification finds a flipped byte, an exchanged column, a missing one, one too many, and a changed header', async (t) => {
  const owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
  t.after(() => owner.end())
  // in a transaction that is never committed, as the owner who could do all this
  const after = async (...changes: string[]): Promise<string[]> => {
    await owner.query("BEGIN; SELECT set_config('kawal.role', 'system', true)")
    for (const change of changes) await owner.query(change)
    const found = await verifyEdition(owner, id)
    await owner.query('ROLLBACK')
    return found?.faults ?? []
  }
  const usable = "edition_id = '" + id + "' AND name = 'national.telkomsel.lte.usable'"
  assert.deepEqual(await after(), [])
  await owner.query('ALTER TABLE edition_column NO FORCE ROW LEVEL SECURITY')
  const flipped = await after(`UPDATE edition_column SET bytes = set_byte(bytes, 60, get_byte(bytes, 60) # 1) WHERE ${usable}`)
  assert.equal(flipped.length, 1)
  assert.match(flipped[0] ?? '', /^national\.telkomsel\.lte\.usable: (it cannot be unpacked|its SHA-256 is)/)
  const exchanged = await after(`UPDATE edition_column SET bytes = (SELECT bytes FROM edition_column other WHERE other.edition_id = '${id}' AND other.name = 'national.telkomsel.lte.measured') WHERE ${usable}`)
  assert.match(exchanged.join('\n'), /^national\.telkomsel\.lte\.usable: its SHA-256 is [0-9a-f]{64}, beside it stands/)
  assert.deepEqual(await after(`DELETE FROM edition_column WHERE ${usable}`), ['national.telkomsel.lte.usable: it is missing'])
  assert.deepEqual(await after(`INSERT INTO edition_column VALUES ('${id}', 'extra', NULL, '', '')`), ['extra: the header does not know it'])
  assert.match((await after(`UPDATE edition SET header = jsonb_set(header, '{name}', '"July"') WHERE id = '${id}'`)).join('\n'), /^header: its SHA-256 is/)
  assert.deepEqual(await after(`UPDATE edition_column SET organisation_id = 'indosat' WHERE ${usable}`), ['national.telkomsel.lte.usable: it belongs to indosat, not to telkomsel'])
  await owner.query('BEGIN')
  await owner.query("SELECT set_config('kawal.role', 'system', true)")
  await owner.query(`UPDATE edition_column SET bytes = set_byte(bytes, 60, get_byte(bytes, 60) # 1) WHERE ${usable}`)
  await assert.rejects(readEdition(owner, id), 'who reads a damaged column is not given it')
  await owner.query('ROLLBACK')
  assert.equal(await verifyEdition(owner, '000000000000'), null)
})
