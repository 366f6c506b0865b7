import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { makeColumns, type Atlas } from '@kawal/core/atlas/edition.ts'
import { cellOfKey, keyAt, makeRuns } from '@kawal/core/geo/cells.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import { storeEdition } from '../atlas/editions.ts'
import { encodeRuns } from '../atlas/runs-codec.ts'
import { atlasAction, exportAtlas } from './atlas.ts'
import { CommandFailure } from './exits.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-atlas-'))
const here = keyAt(0.55, 122.9, 8)
const cells = Float64Array.of(here, keyAt(0.65, 122.9, 8)).sort()

/** One layer of two cells: `usable` here, and nothing known there. */
function atlas(usable: number): Atlas {
  const columns = makeColumns(2)
  columns.usable[cells.indexOf(here)] = usable
  return { national: { resolution: 8, cells }, fine: { resolution: 9, cells: new Float64Array(0) }, layers: [{ operator: 'telkomsel', technology: 'lte', national: columns, fine: makeColumns(0) }] }
}

let kit: TestDatabase
let ids: string[]
before(async () => {
  kit = await withDatabase()
  ids = await kit.database.transaction(system, async (client) => {
    const kept: string[] = []
    for (const [i, usable] of [40, 160].entries()) kept.push((await storeEdition(client, atlas(usable), { name: `edition ${i}`, validOn: `2028-0${i + 5}-01`, publishedAt: 0, facts: { licences: ['CC BY-SA 4.0'] } })).id)
    return kept
  })
  await inDatabase(`INSERT INTO village_area (code, valid_from, runs, cells, latitude, longitude, south, west, north, east, source) VALUES ('7501011001', '2024-01-01', $1, 7, 0, 0, 0, 0, 0, 0, 'drawn')`, [encodeRuns(makeRuns([[here * 8, here * 8 + 8]]))])
})
after(async () => {
  await kit.close()
  rmSync(folder, { recursive: true, force: true })
})

async function inDatabase(text: string, values: unknown[] = []): Promise<void> {
  const owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
  await owner.query(text, values)
  await owner.end()
}

async function kawal(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kawal.ts'), ...args], { cwd: folder, env: { ...process.env, DATABASE_URL: kit.ownerUrl } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

test('editions are listed, shown, compared and verified', async () => {
  const [list, show, diff, fits] = await Promise.all([kawal('atlas', 'list'), kawal('atlas', 'show', '--json'), kawal('atlas', 'diff', ids[0] ?? '', ids[1] ?? ''), kawal('atlas', 'verify')])
  assert.deepEqual(list.out.trim().split('\n').map((line) => line.split(/ {2}/)[0]), [ids[1], ids[0]], list.err)
  const shown = JSON.parse(show.out) as { id: string; header: { columns: object[] } }
  assert.deepEqual([shown.id, shown.header.columns.length], [ids[1], 16])
  assert.equal(diff.out, `operator,technology,cell,kind,before,after\ntelkomsel,lte,${cellOfKey(here, 8)},gained,0.2,0.8\n`)
  assert.match(diff.err, /telkomsel lte: .*gained 1.*same 1/)
  assert.deepEqual([fits.code, fits.out.startsWith(`${ids[1]}: 16 columns fit`)], [0, true], fits.err)
})

test('an edition goes into each kind of file, and says in it which it is', async (t) => {
  // in this process: a program for each file would take a second
  process.env['DATABASE_URL'] = kit.ownerUrl
  t.after(() => delete process.env['DATABASE_URL'])
  const failure = (exit: number, sentence: RegExp) => (error: unknown): boolean => error instanceof CommandFailure && error.exit === exit && sentence.test(error.message)
  await assert.rejects(exportAtlas({ format: 'gpkg', out: 'x.gpkg' }), failure(2, /--province/))
  await assert.rejects(exportAtlas({ format: 'csv' }), failure(2, /--out FILE/))
  await assert.rejects(exportAtlas({ format: 'shp', out: 'x.shp' }), failure(2, /csv, geojson, gpkg, pmtiles/))
  await assert.rejects(exportAtlas({ format: 'csv', out: 'x.csv', operator: 'indosat' }), failure(3, /no such layer/))
  await assert.rejects(atlasAction('show', ['000000000000'], {}), failure(3, /There is no edition 000000000000/))
  await assert.rejects(atlasAction('diff', ['a'], {}), failure(2, /two editions/))
  const saved = async (format: string, more: Record<string, string> = {}): Promise<Buffer> => {
    const out = join(folder, `atlas.${format}`)
    await exportAtlas({ format, out, operator: 'telkomsel', technology: 'lte', ...more })
    return readFileSync(out)
  }
  const csv = (await saved('csv')).toString().trimEnd().split('\n')
  assert.deepEqual([csv[0], csv.length], [`# edition: ${ids[1]}`, 6 + 2])
  assert.ok(csv.some((line) => line.startsWith(`${cellOfKey(here, 8)},telkomsel,lte,0.8,,,,0,,none,,`)), csv.join('\n'))
  assert.equal((JSON.parse((await saved('geojson', { province: '7501' })).toString()) as { features: object[] }).features.length, 1)
  assert.equal((await saved('pmtiles')).subarray(0, 8).toString('latin1'), 'PMTiles\u0003')
  const geopackage = await saved('gpkg', { province: '75', edition: ids[0] ?? '' })
  assert.equal(geopackage.subarray(0, 15).toString('latin1'), 'SQLite format 3')
  const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite')
  const opened = new DatabaseSync(join(folder, 'atlas.gpkg'), { readOnly: true })
  assert.deepEqual(opened.prepare('SELECT cell, operator, usable, claimed, samples FROM cells').all().map((row) => ({ ...row })), [{ cell: cellOfKey(here, 8), operator: 'telkomsel', usable: 0.2, claimed: null, samples: 0 }])
  assert.match(String(opened.prepare("SELECT description FROM gpkg_contents WHERE table_name = 'cells'").get()?.['description']), new RegExp(`edition ${ids[0]}; SHA-256 ${ids[0]}[0-9a-f]{52}; of 2028-05-01; CC BY-SA 4.0`))
  assert.equal(opened.prepare('PRAGMA application_id').get()?.['application_id'], 0x47504b47, 'GPKG')
  opened.close()
})

test('verification ends with 4 when a byte has flipped, and says where', async () => {
  await inDatabase('ALTER TABLE edition_column NO FORCE ROW LEVEL SECURITY')
  await inDatabase("UPDATE edition_column SET bytes = set_byte(bytes, length(bytes) - 1, get_byte(bytes, length(bytes) - 1) # 1) WHERE edition_id = $1 AND name = 'national.telkomsel.lte.day'", [ids[1]])
  const found = await kawal('atlas', 'verify')
  assert.deepEqual([found.code, /^national\.telkomsel\.lte\.day: it cannot be unpacked/.test(found.out)], [4, true], found.out)
})
