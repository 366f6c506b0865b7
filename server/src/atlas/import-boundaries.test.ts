import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import pg from 'pg'
import { inRuns, keyAt } from '@kawal/core/geo/cells.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { importBoundaries, type BoundaryOutcome } from './import-boundaries.ts'
import { readVillageAreas } from './read-claim.ts'

let scratch: TestDatabase
let owner: pg.Pool
let folder = ''

/** Synthetic villages of two districts: code, name, latitude, longitude. */
const villages: readonly (readonly [string, string, number | null, number | null])[] = [
  ['5301012001', 'UIASA', -10.17, 123.48], ['5301012002', 'HANSISI', -10.17, 123.53], ['5301012003', 'BOKO NUSAN', null, null],
  ['5301022001', 'SATU', -10.27, 123.48], ['5301022002', 'DUA', -10.27, 123.53], ['5302012001', 'LAIN', -10.37, 123.48],
]

before(async () => {
  scratch = await withDatabase()
  owner = new pg.Pool({ connectionString: scratch.ownerUrl, max: 3 })
  owner.on('error', () => undefined) // the database may stop before an idle connection has closed
  folder = mkdtempSync(join(tmpdir(), 'kawal-boundaries-'))
})
after(async () => {
  await owner.end()
  await scratch.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  await owner.query('TRUNCATE village_area, region')
  for (const [code, name, latitude, longitude] of villages)
    await owner.query("INSERT INTO region (code, level, name, parent, latitude, longitude, valid_from) VALUES ($1, 'village', $2, left($1, 6), $3, $4, '2024-01-01')", [code, name, latitude, longitude])
})

const square = (latitude: number, longitude: number, half = 0.02): number[][][][] =>
  [[[[longitude - half, latitude - half], [longitude + half, latitude - half], [longitude + half, latitude + half], [longitude - half, latitude + half], [longitude - half, latitude - half]]]]
const line = (code: string, name: string, mp: unknown): string => JSON.stringify({ code, name, mp })
const three = [line('53.01.01.2001', 'Uiasa', square(-10.17, 123.48)), line('5301012002', 'Hansisi', square(-10.17, 123.53)), line('53.01.02.2001', 'Satu', square(-10.27, 123.48))]

function run(lines: readonly string[], date = '2024-02-14', options: object = {}): Promise<BoundaryOutcome> {
  const path = join(folder, 'villages.ndjson.gz')
  writeFileSync(path, gzipSync(lines.join('\n')))
  return importBoundaries(owner, { path, date, issuesFile: join(folder, 'boundary-issues.csv'), now: () => 0, ...options })
}
const issues = (): string[] => readFileSync(join(folder, 'boundary-issues.csv'), 'utf8').trim().split('\n').slice(1).map((text) => text.split(',').slice(1, 6).join(' '))
const stored = async (): Promise<string[]> => (await owner.query<{ row: string }>("SELECT code || ' ' || valid_from || ' ' || coalesce(valid_to::text, '') AS row FROM village_area ORDER BY 1")).rows.map(({ row }) => row)

test('villages get their cells, frame and centroid; who has none is counted', async () => {
  const outcome = await run(three)
  assert.deepEqual([outcome.features, outcome.villages, outcome.villages_without, outcome.changes, outcome.rejects], [3, 3, 3, 3, 0])
  const areas = await readVillageAreas(owner)
  assert.deepEqual(areas.map(({ code }) => code), ['5301012001', '5301012002', '5301022001'])
  const [uiasa] = areas
  assert.ok(uiasa !== undefined && inRuns(uiasa.runs, keyAt(-10.17, 123.48, 9)) && !inRuns(uiasa.runs, keyAt(-10.17, 123.53, 9)))
  const { rows } = await owner.query<Record<string, number>>("SELECT cells, latitude, longitude, south, west, north, east FROM village_area WHERE code = '5301012001'")
  assert.deepEqual(['latitude', 'longitude', 'south', 'west', 'north', 'east'].map((name) => rows[0]?.[name]?.toFixed(6)), ['-10.170000', '123.480000', '-10.190000', '123.460000', '-10.150000', '123.500000'])
  // 0.04 degrees each way is 19.5 km2
  assert.ok(Math.abs((rows[0]?.['cells'] ?? 0) - 185) < 15)
})

test('an unknown code finds its village by name and district, or by position; what fits none or two is listed', async () => {
  const outcome = await run([
    line('53.01.01.2099', 'Bokonusan', square(-10.2, 123.6)), line('53.99.01.0001', 'Renamed', square(-10.27, 123.53)), line('53.99.01.0002', 'Nowhere', square(-9.5, 124)),
    line('53.99.01.0003', 'Both', square(-10.22, 123.48, 0.1)), line('', 'No code', square(-9.5, 124)),
  ])
  assert.deepEqual(issues(), [
    '1 53.01.01.2099 warning matched_by_name 5301012003 BOKO NUSAN', '2 53.99.01.0001 warning matched_by_position 5301022002 DUA', '3 53.99.01.0002 reject unknown_village Nowhere',
    '4 53.99.01.0003 reject unknown_village Both', '5  reject unknown_village No code',
  ].map((text) => text.replace('matched_by_name 5301012003 BOKO NUSAN', 'matched_by_name "5301012003 BOKO NUSAN').replace('matched_by_position 5301022002 DUA', 'matched_by_position "5301022002 DUA')))
  assert.deepEqual((await stored()).map((row) => row.slice(0, 10)), ['5301012003', '5301022002'])
  assert.equal(outcome.villages, 2)
})

test('two features that would be the same village are given to none', async () => {
  await run([line('53.01.01.2098', 'Bokonusan', square(-10.2, 123.6)), line('53.01.01.2099', 'Boko Nusan', square(-10.2, 123.7))])
  assert.deepEqual(issues().map((text) => text.split(' ').slice(2, 4).join(' ')), ['reject unknown_village', 'reject unknown_village'])
  assert.deepEqual(await stored(), [])
})

test('a village that has its area by its own code is not given another by its name', async () => {
  await run([three[0] ?? '', line('53.01.01.2099', 'Uiasa', square(-10.2, 123.7))])
  assert.deepEqual(issues(), ['2 53.01.01.2099 reject unknown_village Uiasa'])
})

test('other levels are left out, parts are put together, a tiny one gets a cell, a position outside is told', async () => {
  const outcome = await run([
    line('53.01', 'Kupang', square(-10.2, 123.5, 0.1)), ...three, line('5301012001', 'Uiasa', square(-10.3, 123.7)), line('5301022002', 'Dua', square(-10.2701, 123.5301, 0.0002)),
    line('5302012001', 'Lain', square(-10.5, 123.48)), line('5301012003', 'Boko', []), '{"code":"5301012003",',
  ])
  assert.deepEqual(issues().map((text) => text.split(' ').slice(0, 4).join(' ')), [
    '1 53.01 reject other_level', '5 5301012001 warning more_parts', '6 5301022002 warning smaller_than_cell', '7 5302012001 warning position_outside', '8 5301012003 reject no_geometry', '9  reject unreadable_feature',
  ])
  assert.equal(outcome.villages, 5)
  const areas = new Map((await readVillageAreas(owner)).map(({ code, runs }) => [code, runs]))
  const uiasa = areas.get('5301012001') ?? new Float64Array()
  assert.ok(inRuns(uiasa, keyAt(-10.17, 123.48, 9)) && inRuns(uiasa, keyAt(-10.3, 123.7, 9)))
  const key = keyAt(-10.27, 123.53, 9)
  assert.deepEqual(areas.get('5301022002'), Float64Array.of(key, key + 1))
})

test('the same areas again change nothing; a newer day makes versions, within the regencies of the file; an older one is refused', async () => {
  await run([...three, line('5302012001', 'Lain', square(-10.37, 123.48))])
  assert.equal((await run([...three, line('5302012001', 'Lain', square(-10.37, 123.48))], '2024-06-01')).changes, 0)
  const moved = [three[0] ?? '', line('5301012002', 'Hansisi', square(-10.18, 123.53))]
  assert.equal((await run(moved, '2024-06-01', { dryRun: true })).changes, 2)
  assert.equal((await run(moved, '2024-06-01')).changes, 2)
  assert.deepEqual(await stored(), ['5301012001 2024-02-14 ', '5301012002 2024-02-14 2024-06-01', '5301012002 2024-06-01 ', '5301022001 2024-02-14 2024-06-01', '5302012001 2024-02-14 '])
  assert.deepEqual((await readVillageAreas(owner, '2024-05-31')).length, 4)
  assert.deepEqual((await readVillageAreas(owner, '2024-06-01')).length, 3)
  await assert.rejects(run(three, '2024-05-01'), /later day/)
})

test('GeoJSON with another heading for the code is read too; an empty register is told', async () => {
  const path = join(folder, 'desa.geojson')
  const mp = square(-10.17, 123.48)
  writeFileSync(path, JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: { KODE_DESA: 5301012001, WADMKD: 'Uiasa' }, geometry: { type: 'MultiPolygon', coordinates: mp } }] }))
  const options = { path, date: '2024-02-14', issuesFile: join(folder, 'boundary-issues.csv'), now: (): number => 0 }
  assert.equal((await importBoundaries(owner, options)).villages, 1)
  await owner.query('TRUNCATE region')
  await assert.rejects(importBoundaries(owner, options), /import register/)
})
