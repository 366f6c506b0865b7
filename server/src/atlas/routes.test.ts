import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cellToParent } from 'h3-js'
import pg from 'pg'
import pino from 'pino'
import type { CellViews, Challenge, Edition, EditionEntry } from '@kawal/contract/atlas.ts'
import { flag, makeColumns, rowOf, type Atlas, type Columns, type Layer, type Technology } from '@kawal/core/atlas/edition.ts'
import { cellOfKey, keyAt, makeRuns, type Key } from '@kawal/core/geo/cells.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import { startApp, type App } from '../app.ts'
import { addApiKey } from '../organisation/sessions.ts'
import { acceptedChallenges } from './challenge.ts'
import { storeEdition } from './editions.ts'
import { encodeRuns } from './runs-codec.ts'
import { tileAt } from './tile.ts'

const now = Date.UTC(2028, 5, 10, 5)
const station = '7501011001001'
const place = { latitude: 0.55, longitude: 122.9 }
const keysAround = (resolution: number, side: number, step_deg: number): Float64Array => {
  const keys = new Set<Key>()
  for (let i = -side; i <= side; i++) for (let j = -side; j <= side; j++) keys.add(keyAt(place.latitude + i * step_deg, place.longitude + j * step_deg, resolution))
  return Float64Array.from(keys).sort()
}
const national = { resolution: 8, cells: keysAround(8, 8, 0.01) }
const fine = { resolution: 9, cells: keysAround(9, 1, 0.003) }
const [here, there] = [keyAt(place.latitude, place.longitude, 8), keyAt(place.latitude + 0.05, place.longitude, 8)]
const hereFine = keyAt(place.latitude, place.longitude, 9)

function layer(operator: string, technology: Technology, usable: number, change: (national: Columns, fine: Columns) => void = () => undefined): Layer {
  const [all, some] = [makeColumns(national.cells.length), makeColumns(fine.cells.length)]
  all.usable.fill(usable)
  some.usable.fill(usable)
  change(all, some)
  return { operator, technology, national: all, fine: some }
}
const facts = { layers: [{ operator: 'telkomsel', overclaim: 0.2 }, { operator: 'indosat', overclaim: 0.3 }], licences: ['CC BY-SA 4.0'], counts: { cells: 1 } }
const atlases: [Atlas, Atlas] = [
  { national, fine, layers: [layer('telkomsel', 'lte', 60), layer('indosat', 'lte', 180), layer('telkomsel', 'gsm', 100)] },
  {
    national, fine, layers: [layer('telkomsel', 'lte', 60, (columns) => {
      const row = rowOf(national.cells, here)
      columns.usable[row] = 150
      columns.claimed[row] = 200
      columns.measured[row] = 140
      columns.samples[row] = 12
      columns.day[row] = 21_000
      columns.flags[row] = flag.contradicted
      columns.usable[rowOf(national.cells, there)] = 255
    }), layer('indosat', 'lte', 180)],
  },
]

let kit: TestDatabase
let app: App
let ids: [string, string]
const keys: Record<string, string> = {}
before(async () => {
  kit = await withDatabase()
  const owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
  await owner.query(`INSERT INTO station (code, village_code, number, special, latitude, longitude, position_grade, zone, valid_from) VALUES ($1, '7501011001', 1, false, $2, $3, 'fix', 'Asia/Makassar', '2024-01-01')`, [station, place.latitude, place.longitude])
  const runs = makeRuns([[here * 8, here * 8 + 8]])
  await owner.query(`INSERT INTO village_area (code, valid_from, runs, cells, latitude, longitude, south, west, north, east, source) VALUES ('7501011001', '2024-01-01', $1, 7, 0, 0, 0, 0, 0, 0, 'drawn')`, [encodeRuns(runs)])
  await owner.end()
  app = await startApp({ ownerUrl: kit.ownerUrl, appPassword: 'test', clock: () => now, host: '127.0.0.1', port: 0, rehearsal: false, log: pino({ level: 'error' }, pino.destination(2)) })
  ids = await kit.database.transaction(system, async (client) => {
    const kept: string[] = []
    for (const [i, atlas] of atlases.entries()) kept.push((await storeEdition(client, atlas, { name: `edition ${i}`, validOn: `2028-0${i + 5}-01`, publishedAt: now, facts })).id)
    return kept as [string, string]
  })
  for (const organisation of ['komdigi', 'kpu', 'bawaslu', 'apjii', 'telkomsel', 'indosat', 'bakti']) keys[organisation] = await addApiKey(app.database, organisation, now)
})
after(async () => {
  await app.stop()
  await kit.close()
})

interface Answer<T> { readonly status: number; readonly body: T & { code?: string; detail?: string }; readonly bytes: Uint8Array; readonly headers: Headers }
async function call<T = unknown>(as: string | null, path: string, options: { method?: string; body?: object; headers?: Record<string, string> } = {}): Promise<Answer<T>> {
  const answer = await fetch(`${app.url}/v1/atlas/${path}`, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'), headers: { ...(as === null ? {} : { authorization: `Bearer ${keys[as]}` }), ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const bytes = new Uint8Array(await answer.arrayBuffer())
  const type = answer.headers.get('content-type') ?? ''
  return { status: answer.status, bytes, headers: answer.headers, body: (/json/.test(type) && !/geo/.test(type) ? JSON.parse(new TextDecoder().decode(bytes)) : {}) as Answer<T>['body'] }
}
const refused = async (as: string | null, path: string, code: string, options: Parameters<typeof call>[2] = {}): Promise<void> => {
  const { status, body } = await call(as, path, options)
  assert.equal(body.code, code, `${as} ${path}: ${status} ${body.detail}`)
}

test('editions newest first; an operator sees of each its own layers, columns and facts alone', async () => {
  const { body } = await call<EditionEntry[]>('komdigi', 'editions')
  assert.deepEqual(body.map((edition) => [edition.id, edition.layers.length]), [[ids[1], 2], [ids[0], 3]])
  const latest = await call<Edition>('bawaslu', 'editions/latest')
  assert.deepEqual([latest.body.id, latest.body.whole, latest.body.header.facts], [ids[1], true, facts])
  assert.equal(latest.headers.get('cache-control'), 'private, no-cache')
  const own = await call<Edition>('telkomsel', `editions/${ids[0]}`)
  assert.deepEqual(own.body.layers.map((each) => each.operator), ['telkomsel', 'telkomsel'])
  assert.deepEqual([own.body.whole, own.body.header.facts], [false, { ...facts, layers: [{ operator: 'telkomsel', overclaim: 0.2 }] }])
  assert.deepEqual([...new Set(own.body.header.columns.map((column) => column.operator))], [null, 'telkomsel'])
  assert.match(own.headers.get('cache-control') ?? '', /^private, .*immutable$/)
  assert.deepEqual((await call<EditionEntry[]>('telkomsel', 'editions')).body.map((edition) => edition.layers.length), [1, 2])
  await refused('apjii', 'editions', 'not_allowed')
  await refused('apjii', `editions/${ids[0]}`, 'not_allowed')
  await refused(null, 'editions', 'session_missing')
  await refused('komdigi', 'editions/000000000000', 'not_found')
})

const tile = (z: number): string => {
  const { x, y } = tileAt(z, place.latitude, place.longitude)
  return `${z}/${x}/${y}.mvt`
}

test('tiles: packed, kept by their tag, behind the wall; the best of all operators for who may see all', async () => {
  const path = `editions/${ids[1]}/tiles/telkomsel/lte/${tile(12)}`
  const first = await call('komdigi', path, { headers: { 'accept-encoding': 'gzip' } })
  assert.deepEqual([first.status, first.headers.get('content-type'), first.headers.get('content-encoding')], [200, 'application/vnd.mapbox-vector-tile', 'gzip'])
  assert.match(first.headers.get('cache-control') ?? '', /^private, .*immutable$/)
  const plain = await call('telkomsel', path, { headers: { 'accept-encoding': 'identity' } })
  assert.deepEqual(plain.bytes, first.bytes)
  assert.ok(new TextDecoder('latin1').decode(plain.bytes).includes('contradicted'))
  const again = await call('komdigi', path, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
  assert.deepEqual([again.status, again.bytes.length], [304, 0])
  assert.equal((await call('komdigi', `editions/${ids[1]}/tiles/telkomsel/lte/12/0/0.mvt`)).bytes.length, 0)
  const [indosat, best] = await Promise.all(['indosat/lte', 'any/lte'].map((name) => call('kpu', `editions/${ids[1]}/tiles/${name}/${tile(11)}`)))
  assert.deepEqual(best?.bytes, indosat?.bytes, 'Indosat is the better one in every cell')
  assert.notDeepEqual((await call('kpu', `editions/${ids[1]}/tiles/telkomsel/lte/${tile(11)}`)).bytes, best?.bytes)
  await refused('indosat', path, 'not_found')
  await refused('indosat', `editions/${ids[1]}/tiles/any/lte/${tile(11)}`, 'not_allowed')
  await refused('apjii', path, 'not_allowed')
  await refused(null, path, 'session_missing')
  await refused('komdigi', `editions/${ids[1]}/tiles/telkomsel/nr/${tile(11)}`, 'not_found')
  await refused('komdigi', `editions/${ids[1]}/tiles/telkomsel/5g/${tile(11)}`, 'body_invalid')
  for (const wrong of ['15/0/0', '3/8/0', 'a/0/0', '3/-1/0']) await refused('komdigi', `editions/${ids[1]}/tiles/telkomsel/lte/${wrong}.mvt`, 'body_invalid')
})

test('one cell in every layer that one may see; a fine cell where there is one, else its national one', async () => {
  const cell = cellOfKey(here, 8)
  const { body } = await call<CellViews>('komdigi', `editions/latest/cell/${cell}`)
  assert.deepEqual(body.layers.map((each) => each.operator), ['indosat', 'telkomsel'])
  const { operator, technology, ...view } = body.layers[1] ?? { operator: '', technology: '' }
  assert.deepEqual([operator, technology], ['telkomsel', 'lte'])
  assert.deepEqual(view, { usable: 0.75, claimed: 1, predicted: null, measured: 0.7, samples: 12, date: '2027-07-01', source: 'measured', contradicted: true, challenged: false })
  assert.deepEqual((await call<CellViews>('indosat', `editions/${ids[1]}/cell/${cell}`)).body.layers.map((each) => each.operator), ['indosat'])
  const close = await call<CellViews>('komdigi', `editions/${ids[1]}/cell/${cellOfKey(hereFine, 9)}`)
  assert.deepEqual([close.body.resolution, close.body.cell], [9, cellOfKey(hereFine, 9)])
  const far = cellOfKey(keyAt(place.latitude + 0.05, place.longitude, 9), 9)
  const parent = await call<CellViews>('komdigi', `editions/${ids[1]}/cell/${far}`)
  assert.deepEqual([parent.body.resolution, parent.body.cell], [8, cellToParent(far, 8)])
  assert.equal(parent.body.layers.find((each) => each.operator === 'telkomsel')?.usable, null)
  await refused('komdigi', `editions/${ids[1]}/cell/${cellOfKey(keyAt(-8, 110, 8), 8)}`, 'not_found')
  await refused('komdigi', `editions/${ids[1]}/cell/88ffffffffffffff`, 'body_invalid')
})

test('what became of a layer from one edition to the next, as JSON and as CSV', async () => {
  const path = `editions/${ids[0]}/difference/${ids[1]}?operator=telkomsel&technology=lte`
  const { body } = await call<{ counts: Record<string, number>; cells: { cell: string; kind: string }[]; truncated: boolean }>('komdigi', path)
  assert.deepEqual(body.counts, { became_known: 0, became_unknown: 1, gained: 1, lost: 0, moved: 0, same: national.cells.length + fine.cells.length - 2 })
  const rows = [{ cell: cellOfKey(here, 8), kind: 'gained', before: 0.3, after: 0.75 }, { cell: cellOfKey(there, 8), kind: 'became_unknown', before: 0.3, after: null }]
  assert.deepEqual(body.cells, rows.sort((a, b) => (a.cell < b.cell ? -1 : 1)))
  assert.equal(body.truncated, false)
  const csv = await call('telkomsel', path, { headers: { accept: 'text/csv' } })
  assert.equal(new TextDecoder().decode(csv.bytes), `cell,kind,before,after\n${rows.map((row) => `${row.cell},${row.kind},${row.before},${row.after ?? ''}\n`).join('')}`)
  await refused('indosat', path, 'not_found')
  await refused('komdigi', `editions/${ids[0]}/difference/${ids[1]}?operator=telkomsel`, 'body_invalid')
  await refused('komdigi', `editions/${ids[0]}/difference/${ids[1]}?operator=telkomsel&technology=gsm`, 'not_found')
})

test('a region of a layer as CSV and GeoJSON, each saying where it comes from', async () => {
  const query = '?operator=telkomsel&technology=lte&region=75'
  const csv = new TextDecoder().decode((await call('komdigi', `editions/${ids[1]}/export.csv${query}`)).bytes).trimEnd().split('\n')
  assert.deepEqual(csv.slice(0, 1).concat(csv.slice(2, 6)), [`# edition: ${ids[1]}`, '# name: edition 1', '# valid_on: 2028-06-01', '# licence: CC BY-SA 4.0', 'cell,operator,technology,usable,claimed,predicted,measured,samples,date,source,flags,latitude,longitude'])
  const inside = [...fine.cells].filter((key) => Math.floor(key / 8) === here).length
  assert.equal(csv.length, 6 + 1 + inside)
  assert.match(csv[6] ?? '', new RegExp(`^${cellOfKey(here, 8)},telkomsel,lte,0\\.75,1,,0\\.7,12,2027-07-01,measured,contradicted,0\\.5\\d+,122\\.[89]\\d+$`))
  const answer = await call('komdigi', `editions/${ids[1]}/export.geojson${query}`)
  const geojson = JSON.parse(new TextDecoder().decode(answer.bytes)) as { edition: { edition: string; sha256: string }; features: { geometry: { coordinates: number[][][] }; properties: Record<string, unknown> }[] }
  assert.deepEqual([geojson.edition.edition, geojson.edition.sha256.slice(0, 12), geojson.features.length], [ids[1], ids[1], 1 + inside])
  const ring = geojson.features[0]?.geometry.coordinates[0] ?? []
  assert.deepEqual([ring.length, ring[0]], [7, ring[6]])
  assert.equal(geojson.features[0]?.properties['predicted'], null)
  await refused('indosat', `editions/${ids[1]}/export.csv${query}`, 'not_found')
  await refused('komdigi', `editions/${ids[1]}/export.csv?operator=telkomsel&technology=lte&region=11`, 'not_found')
  await refused('komdigi', `editions/${ids[1]}/export.csv?operator=telkomsel&technology=lte&region=7`, 'body_invalid')
  await refused('komdigi', `editions/${ids[1]}/export.csv?operator=telkomsel&technology=lte`, 'body_invalid')
})

const evidence = 'walked there with two phones, no signal'
const challenge = (change: object = {}): { body: object } => ({ body: { edition: ids[1], cell: cellOfKey(here, 8), operator: 'telkomsel', technology: 'lte', says: 'not_covered', evidence, ...change } })

test('a challenge is seen by who made it, whom it concerns and who decides; decided once, by another; then it is evidence', async () => {
  const made = await call<Challenge>('bakti', 'challenges', challenge())
  assert.equal(made.status, 201, made.body.detail)
  const { id } = made.body
  assert.equal(made.headers.get('location'), `/v1/atlas/challenges/${id}`)
  assert.deepEqual([made.body.organisation, made.body.status, made.body.openedAt, made.body.decidedAt], ['bakti', 'open', new Date(now).toISOString(), null])
  for (const sees of ['bakti', 'telkomsel', 'komdigi', 'kpu', 'bawaslu']) assert.equal((await call<Challenge>(sees, `challenges/${id}`)).body.id, id, sees)
  await refused('indosat', `challenges/${id}`, 'not_found')
  assert.deepEqual((await call<Challenge[]>('indosat', 'challenges')).body, [])
  await refused(null, `challenges/${id}`, 'session_missing')
  const accept = { body: { status: 'accepted', answer: 'measured again on 9 June' } }
  for (const may_not of ['bakti', 'telkomsel', 'bawaslu']) await refused(may_not, `challenges/${id}/decision`, 'not_allowed', accept)
  await refused('indosat', `challenges/${id}/decision`, 'not_found', accept)
  await refused('komdigi', `challenges/${id}/decision`, 'body_invalid', { body: { status: 'open', answer: 'x' } })
  const both = await Promise.all(['komdigi', 'kpu'].map((decides) => call<Challenge>(decides, `challenges/${id}/decision`, accept)))
  assert.deepEqual(both.map((answer) => answer.status).sort(), [200, 409], 'of two who decide at once, one does')
  for (const sees of ['bakti', 'telkomsel']) {
    const { body } = await call<Challenge>(sees, `challenges/${id}`)
    assert.deepEqual([body.status, body.answer, body.decidedAt], ['accepted', 'measured again on 9 June', new Date(now).toISOString()])
  }
  const own = await call<Challenge>('komdigi', 'challenges', challenge({ cell: undefined, station, says: 'covered' }))
  await refused('komdigi', `challenges/${own.body.id}/decision`, 'not_allowed', accept)
  assert.equal((await call('kpu', `challenges/${own.body.id}/decision`, accept)).status, 200)
  const turned = await call<Challenge>('apjii', 'challenges', challenge({ operator: 'indosat' }))
  assert.equal((await call('kpu', `challenges/${turned.body.id}/decision`, { body: { status: 'refused', answer: 'no dates given' } })).status, 200)
  const accepted = await kit.database.transaction(system, (client) => acceptedChallenges(client))
  assert.deepEqual(accepted.sort((a, b) => a.resolution - b.resolution), [
    { operator: 'telkomsel', technology: 'lte', key: here, resolution: 8, says: 'not_covered', decidedOn: '2028-06-10' },
    { operator: 'telkomsel', technology: 'lte', key: hereFine, resolution: 9, says: 'covered', decidedOn: '2028-06-10' }])
  assert.deepEqual(await kit.database.transaction(system, (client) => acceptedChallenges(client, now + 1)), [])
})

test('the list of challenges: filters, pages with the total; what is wrong is said', async () => {
  for (let i = 0; i < 3; i++) assert.equal((await call('indosat', 'challenges', challenge({ operator: 'indosat', technology: 'nr', evidence: `${evidence} ${i}` }))).status, 201)
  const page = await call<Challenge[]>('indosat', 'challenges?technology=nr&status=open&limit=2&offset=1')
  assert.deepEqual([page.headers.get('x-total-count'), page.headers.get('x-result-count'), page.body.length], ['3', '2', 2])
  assert.equal((await call<Challenge[]>('kpu', `challenges?edition=${ids[0]}`)).body.length, 0)
  assert.ok((await call<Challenge[]>('kpu', `challenges?cell=${cellOfKey(here, 8)}&operator=indosat`)).body.length >= 3)
  await refused('kpu', 'challenges?colour=red', 'body_invalid')
  await refused('kpu', 'challenges?limit=-1', 'body_invalid')
  await refused('kpu', 'challenges/x', 'not_found')
  const wrong: [object, string][] = [
    [{ evidence: 'short' }, 'body_invalid'], [{ cell: undefined }, 'body_invalid'], [{ station }, 'body_invalid'], [{ technology: '5g' }, 'body_invalid'], [{ says: 'maybe' }, 'body_invalid'], [{ more: 1 }, 'body_invalid'],
    [{ cell: '88ffffffffffffff' }, 'body_invalid'], [{ cell: cellOfKey(keyAt(-8, 110, 8), 8) }, 'body_invalid'], [{ operator: 'nobody' }, 'body_invalid'], [{ operator: 'kpu' }, 'body_invalid'],
    [{ edition: '000000000000' }, 'not_found'], [{ cell: undefined, station: '1101012001001' }, 'station_unknown'],
  ]
  for (const [change, code] of wrong) await refused('kpu', 'challenges', code, challenge(change))
})
