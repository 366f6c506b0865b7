import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import pg from 'pg'
import { countCells } from '@kawal/core/atlas/cover.ts'
import { inRuns, keyAt, type Runs } from '@kawal/core/geo/cells.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { makeZip } from '@kawal/testkit/zip.ts'
import { ImportRefused } from '../register/merge.ts'
import { openGdal } from './gdal.ts'
import { importCoverage, type CoverageOutcome } from './import-coverage.ts'
import { readClaims, readSites } from './read-claim.ts'
import { AskedWrong } from './read-sites.ts'

/** Synthetic areas on Flores: a square with a hole, two islands of one feature, a triangle. */
const box = (x: number, y: number, w: number): number[][] => [[x, y], [x + w, y], [x + w, y + w], [x, y + w], [x, y]]
const areas = [
  { type: 'Polygon', coordinates: [box(121.2, -8.75, 0.06), box(121.22, -8.73, 0.02)] },
  { type: 'MultiPolygon', coordinates: [[box(121.3, -8.7, 0.03)], [box(121.4, -8.7, 0.04)]] },
  { type: 'Polygon', coordinates: [[[121.1, -8.8], [121.16, -8.8], [121.13, -8.72], [121.1, -8.8]]] },
]
const collection = (geometries: readonly unknown[], more: object = {}): string =>
  JSON.stringify({ type: 'FeatureCollection', ...more, features: geometries.map((geometry, i) => ({ type: 'Feature', properties: { name: `synthetic ${i + 1}` }, geometry })) })

let scratch: TestDatabase
let owner: pg.Pool
let folder = ''
let made = ''

before(async () => {
  scratch = await withDatabase()
  owner = new pg.Pool({ connectionString: scratch.ownerUrl, max: 3 })
  owner.on('error', () => undefined) // the database may stop before an idle connection has closed
  folder = mkdtempSync(join(tmpdir(), 'kawal-coverage-'))
  made = join(folder, 'made')
  await makeFormats()
})
after(async () => {
  await owner.end()
  await scratch.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => owner.query('TRUNCATE claim CASCADE'))

interface Maker {
  open(path: string): Promise<{ datasets: object[] }>
  close(dataset: object): Promise<void>
  getFileBytes(path: string): Promise<Uint8Array>
  ogr2ogr(dataset: object, options: string[], name: string): Promise<{ local: string; all: { local: string }[] }>
  gdal_rasterize(dataset: object, options: string[], name: string): Promise<{ local: string; all: { local: string }[] }>
}

/** The areas in every format, written by the same GDAL. */
async function makeFormats(): Promise<void> {
  mkdirSync(made)
  const source = join(folder, 'areas.geojson')
  writeFileSync(source, collection(areas))
  const opened = await openGdal(source) // starts it with its parts found
  if ('vector' in opened) await opened.vector.close()
  const gdal = await (createRequire(import.meta.url)('gdal3.js/node.js') as () => Promise<Maker>)()
  const [dataset] = (await gdal.open(source)).datasets
  assert.ok(dataset)
  const keep = async (written: Promise<{ all: { local: string }[] }>): Promise<void> => {
    for (const { local } of (await written).all) writeFileSync(join(made, basename(local)), await gdal.getFileBytes(local))
  }
  await keep(gdal.ogr2ogr(dataset, ['-f', 'KML'], 'areas'))
  await keep(gdal.ogr2ogr(dataset, ['-f', 'ESRI Shapefile'], 'areas'))
  await keep(gdal.ogr2ogr(dataset, ['-f', 'MapInfo File'], 'areas'))
  await keep(gdal.ogr2ogr(dataset, ['-f', 'MapInfo File', '-dsco', 'FORMAT=MIF'], 'areas'))
  await keep(gdal.ogr2ogr(dataset, ['-f', 'GPKG'], 'areas'))
  await keep(gdal.ogr2ogr(dataset, ['-f', 'GPKG', '-t_srs', 'EPSG:32751'], 'utm'))
  await keep(gdal.ogr2ogr(dataset, ['-f', 'ESRI Shapefile', '-t_srs', 'EPSG:32751'], 'metres'))
  // Batavia (Genuk): Indonesia's old datum, some hundred metres off
  await keep(gdal.ogr2ogr(dataset, ['-f', 'GPKG', '-t_srs', 'EPSG:4211'], 'batavia'))
  await keep(gdal.gdal_rasterize(dataset, ['-of', 'GTiff', '-burn', '7', '-te', '121', '-8.9', '121.5', '-8.6', '-tr', '0.0005', '0.0005', '-ot', 'Byte', '-a_nodata', '0'], 'areas'))
  await gdal.close(dataset)
  const part = (name: string): Buffer => readFileSync(join(made, name))
  const zipOf = (...names: string[]): Buffer => makeZip(Object.fromEntries(names.map((name) => [`peta/${name}`, part(name)])))
  writeFileSync(join(made, 'areas.kmz'), makeZip({ 'doc.kml': part('areas.kml') }))
  writeFileSync(join(made, 'shapes.zip'), zipOf('areas.shp', 'areas.shx', 'areas.dbf', 'areas.prj'))
  writeFileSync(join(made, 'tab.zip'), zipOf('areas.tab', 'areas.map', 'areas.dat', 'areas.id'))
  writeFileSync(join(made, 'bare.zip'), zipOf('metres.shp', 'metres.shx', 'metres.dbf'))
  writeFileSync(join(made, 'areas.ndjson.gz'), gzipSync(areas.map((geometry) => JSON.stringify({ type: 'Feature', properties: {}, geometry })).join('\n')))
}

type Options = Partial<Parameters<typeof importCoverage>[1]>
const importFile = (path: string, options: Options = {}): Promise<CoverageOutcome> =>
  importCoverage(owner, { path, operator: 'telkomsel', technology: 'lte', date: '2024-02-14', issuesFile: join(folder, 'coverage-issues.csv'), now: () => 0, ...options })
const write = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const issues = (): string[] => readFileSync(join(folder, 'coverage-issues.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',').slice(1, 6).join(' '))
const runsOf = async (date = '2024-02-14'): Promise<Runs> => (await readClaims(owner, date))[0]?.runs ?? new Float64Array()

/** Cells that one of two sets has and the other has not. */
function difference(a: Runs, b: Runs): number {
  const keys = new Set<number>()
  for (const runs of [a, b]) for (let i = 0; i < runs.length; i += 2) for (let key = runs[i] as number; key < (runs[i + 1] as number); key++) if (inRuns(a, key) !== inRuns(b, key)) keys.add(key)
  return keys.size
}

describe('one map in every format', () => {
  let wanted: Runs
  before(async () => {
    await importFile(join(folder, 'areas.geojson'))
    wanted = await runsOf()
  })

  test('GeoJSON: the square without its hole, both islands, the triangle', () => {
    const covered = (latitude: number, longitude: number): boolean => inRuns(wanted, keyAt(latitude, longitude, 9))
    assert.deepEqual([covered(-8.745, 121.21), covered(-8.72, 121.23), covered(-8.69, 121.31), covered(-8.68, 121.42), covered(-8.78, 121.13), covered(-8.68, 121.36)], [true, false, true, true, true, false])
    // 92.6 km2 by hand, at 0.105 km2 a cell
    assert.ok(Math.abs(countCells(wanted) - 988) < 60, String(countCells(wanted)))
  })

  for (const [name, format] of [
    ['areas.ndjson.gz', 'GeoJSON'], ['areas.kml', 'Keyhole Markup Language (KML)'], ['areas.kmz', 'Keyhole Markup Language (KML)'], ['shapes.zip', 'ESRI Shapefile'], ['tab.zip', 'MapInfo File'],
    ['areas.mif', 'MapInfo File'], ['areas.gpkg', 'GeoPackage'],
  ] as const)
    test(`${name} covers the same cells`, async () => {
      const outcome = await importFile(join(made, name))
      assert.deepEqual([outcome.format, outcome.features, outcome.accepted, outcome.changes], [format, 3, 3, 1])
      assert.deepEqual(await runsOf(), wanted)
      assert.deepEqual(issues(), name === 'areas.mif' ? ['0  warning assumed_wgs84 give --crs when it is another'] : [])
    })

  test('a folder of a shapefile in another projection covers the same cells, and says that it was transformed', async () => {
    const only = join(folder, 'only')
    mkdirSync(only)
    for (const name of readdirSync(made).filter((each) => each.startsWith('metres.'))) writeFileSync(join(only, name), readFileSync(join(made, name)))
    await importFile(only)
    assert.ok(difference(await runsOf(), wanted) <= 2)
    assert.deepEqual(issues(), ['0  warning transformed WGS 84 / UTM zone 51S'])
  })

  test('another datum is brought to WGS 84: within a few cells at the borders', async () => {
    await importFile(join(made, 'batavia.gpkg'))
    assert.ok(difference(await runsOf(), wanted) <= 2)
    assert.match(issues()[0] ?? '', /^0 {2}warning transformed Batavia/)
  })

  test('a raster of 55 m covers the same cells but for those at its pixels\' borders; a threshold is held', async () => {
    const outcome = await importFile(join(made, 'areas.tif'))
    assert.deepEqual([outcome.format, outcome.claims[0]?.kind], ['raster', 'raster'])
    assert.ok(difference(await runsOf(), wanted) < countCells(wanted) / 10)
    await owner.query('TRUNCATE claim CASCADE')
    await importFile(join(made, 'areas.tif'), { threshold: 7 })
    assert.ok(countCells(await runsOf()) > 800)
    await assert.rejects(importFile(join(made, 'areas.tif'), { threshold: 8 }), /could be taken/)
  })

  test('a projection without its .prj is seen by its metres, and taken when --crs says which it is', async () => {
    await assert.rejects(importFile(join(made, 'bare.zip')), (error) => error instanceof ImportRefused && /could be taken/.test(error.message))
    assert.deepEqual(issues().map((line) => line.split(' ').slice(0, 4).join(' ')), ['0  warning assumed_wgs84', '1  reject not_degrees', '2  reject not_degrees', '3  reject not_degrees'])
    await importFile(join(made, 'bare.zip'), { crs: 'EPSG:32751' })
    assert.ok(difference(await runsOf(), wanted) <= 2)
  })

  test('the old crs member of GeoJSON is believed', async () => {
    const path = write('old.geojson', collection([{ type: 'Polygon', coordinates: [box(13491000, -975000, 5000)] }], { crs: { type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::3857' } } }))
    assert.equal((await importFile(path)).accepted, 1)
    assert.ok(inRuns(await runsOf(), keyAt(-8.706, 121.213, 9)))
  })
})

describe('what is wrong with a map', () => {
  test('each bad feature is listed by its number, and the good ones beside it are taken', async () => {
    const [good = {}] = areas
    const swapped = { type: 'Polygon', coordinates: [box(121.2, -8.75, 0.06).map(([x, y]) => [y, x])] }
    const path = write('bad.geojson', collection([
      good, null, { type: 'Point', coordinates: [121.2, -8.7] }, swapped, { type: 'Polygon', coordinates: [box(113, -5.2, 0.05)] }, { type: 'Polygon', coordinates: [box(102, 3.2, 0.1)] },
      good, { type: 'Polygon', coordinates: [box(121.3, -8.7, 0.0001)] }, { type: 'Polygon', coordinates: [[[121.2, -8.75], [121.26, -8.69], [121.26, -8.75], [121.2, -8.69]]] },
    ]))
    const outcome = await importFile(path)
    assert.deepEqual([outcome.features, outcome.accepted, outcome.rejects], [9, 4, 5])
    assert.deepEqual(issues().map((line) => line.split(' ').slice(0, 4).join(' ')), [
      '2  reject no_geometry', '3  reject not_an_area', '4  reject swapped_axes', '5  reject in_sea', '6  reject abroad', '7  warning duplicate_feature', '8  warning no_cell', '9  warning unclosed_ring', '9  warning self_crossing',
    ])
    assert.equal((await owner.query('SELECT FROM claim_issue')).rowCount, 9)
    assert.equal((await importFile(path, { swap_axes: true })).accepted, 5)
  })

  test('who, what and which layer must be known; a file that is none is refused', async () => {
    const path = join(folder, 'areas.geojson')
    await assert.rejects(importFile(path, { operator: 'telkom' }), (error) => error instanceof AskedWrong && /Known are bakti, indosat, smartfren, telkomsel, xl, xlsmart/.test(error.message))
    await assert.rejects(importFile(path, { operator: null }), AskedWrong)
    await assert.rejects(importFile(path, { technology: null }), AskedWrong)
    await assert.rejects(importFile(join(folder, 'nowhere.kml')), /is not there/)
    await assert.rejects(importFile(write('a.kml', 'this is no KML')), /a\.kml cannot be read/)
    await assert.rejects(importFile(write('a.zip', makeZip({ 'readme.txt': Buffer.from('x') }))), /holds none of \.gpkg/)
    await assert.rejects(importFile(write('two.zip', makeZip({ 'a.geojson': Buffer.from(collection(areas)), 'b.geojson': Buffer.from(collection(areas)) }))), /holds several: a\.geojson, b\.geojson\. Choose one with --layer/)
    assert.equal((await importFile(join(folder, 'two.zip'), { layer: 'b' })).accepted, 3)
    assert.equal((await owner.query('SELECT FROM claim')).rowCount, 1)
  })
})

describe('versions', () => {
  test('the same file changes nothing, another takes its place, a newer day makes a version, a dry run leaves all', async () => {
    const path = join(folder, 'areas.geojson')
    const other = write('other.geojson', collection(areas.slice(0, 1)))
    assert.equal((await importFile(path, { dryRun: true })).changes, 1)
    assert.equal((await owner.query('SELECT FROM claim')).rowCount, 0)
    assert.deepEqual([(await importFile(path)).changes, (await importFile(path)).changes, (await importFile(other)).changes], [1, 0, 1])
    assert.equal((await importFile(path, { date: '2024-11-01' })).changes, 1)
    const cells = async (date: string): Promise<number[]> => (await readClaims(owner, date)).map(({ runs }) => countCells(runs ?? new Float64Array()))
    const [before] = await cells('2024-10-31')
    const [after] = await cells('2024-11-01')
    assert.ok(before !== undefined && after !== undefined && before > 200 && after > 2 * before)
    assert.deepEqual(await cells('2024-02-13'), [])
  })

  test('an import that breaks in its last step leaves nothing behind', async () => {
    await owner.query("CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$; CREATE TRIGGER break BEFORE INSERT ON cell_site FOR EACH ROW EXECUTE FUNCTION break()")
    await assert.rejects(importFile(write('s.csv', 'radio,mcc,net,cell,lat,lon\nLTE,510,10,1,-8.7,121.2\n'), { operator: null, technology: null }), /broken/)
    await owner.query('DROP TRIGGER break ON cell_site; DROP FUNCTION break')
    assert.equal((await owner.query('SELECT FROM claim')).rowCount, 0)
  })
})

describe('lists of sites', () => {
  const rows = [
    'GSM,510,10,499,1,0,121.21,-8.74,2095,22,1,1239101333,1737785281,0', 'LTE,510,10,499,2,0,121.22,-8.74,2095,22,1,1239101333,1737785281,0',
    'LTE,510,1,499,3,0,121.23,-8.74,2095,22,1,1239101333,1737785281,0', 'LTE,510,100,499,4,0,121.24,-8.74,2095,22,1,1239101333,1737785281,0',
    'LTE,510,11,499,5,0,121.25,-8.74,2095,22,1,1239101333,1737785281,0', 'LTE,510,10,499,2,0,121.22,-8.74,2095,22,1,1239101333,1737785281,0', 'CDMA,510,10,499,6,0,121.22,-8.74,1,1,1,1,1,0', 'LTE,510,10',
  ]
  const header = 'radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal'
  const named = async (date: string): Promise<string[]> => (await readClaims(owner, date)).map(({ organisation, technology, kind, complete }) => `${organisation} ${technology} ${kind} ${complete}`)

  test("OpenCelliD's rows go to the operators of their codes on the day, with and without a header, and unknown codes to none", async () => {
    const outcome = await importFile(write('cells.csv.gz', gzipSync([header, ...rows].join('\n'))), { operator: null, technology: null })
    assert.deepEqual([outcome.features, outcome.accepted, outcome.rejects], [8, 5, 3])
    assert.deepEqual(issues().map((line) => line.split(' ').slice(0, 4).join(' ')), ['1  warning unused_columns', '5 4 warning unknown_operator', '7 2 reject duplicate_row', '8 6 reject unknown_technology', '9  reject unreadable_feature'])
    assert.deepEqual(await named('2024-02-14'), ['indosat lte sites false', 'telkomsel gsm sites false', 'telkomsel lte sites false', 'xl lte sites false', 'null lte sites false'])
    await importFile(write('bare.csv', rows.join('\n')), { operator: null, technology: null, date: '2025-05-01' })
    assert.ok((await named('2025-05-01')).includes('xlsmart lte sites false'))
    const lte = (await readClaims(owner, '2025-05-01')).find((claim) => claim.organisation === 'telkomsel' && claim.technology === 'lte')
    const sites = await readSites(owner, lte?.id ?? 0)
    assert.deepEqual([sites.count, sites.plmn[0], sites.cell[0], sites.longitude[0], sites.updated_on[0], Number.isNaN(sites.height_m[0])], [1, '51010', 2, 121.22, '2025-01-25', true])
  })

  test('an operator\'s own list may hold antennas, and may be complete: then it stands before a newer list that is not', async () => {
    const own = write('own.csv', 'technology;latitude;longitude;height_m;azimuth;eirp_dbm;frequency_mhz\n4G;-8,74;121,21;42;120;61;1800\n4G;-8,74;121,21;42;240;61;1800\n4G;-8,74;121,21;42;240;61;1800\n')
    const outcome = await importFile(own, { complete: true })
    assert.deepEqual([outcome.accepted, outcome.issues_by_reason], [2, { duplicate_row: 1 }])
    await importFile(write('cells.csv', [header, ...rows].join('\n')), { operator: 'telkomsel', technology: 'lte', date: '2024-06-01' })
    assert.deepEqual(issues().filter((line) => /other_/.test(line)).map((line) => line.split(' ').slice(2).join(' ')), ['reject other_technology GSM', 'reject other_operator indosat', 'reject other_operator xl'])
    const [claim, ...others] = (await readClaims(owner, '2024-07-01')).filter(({ organisation }) => organisation === 'telkomsel')
    assert.deepEqual([claim?.complete, claim?.validFrom, others.length], [true, '2024-02-14', 0])
    const sites = await readSites(owner, claim?.id ?? 0)
    assert.deepEqual([[...sites.azimuth_deg], sites.height_m[0], sites.eirp_dbm[0], sites.frequency_mhz[0]], [[120, 240], 42, 61, 1800])
  })

  test('a list without codes or technologies asks for them', async () => {
    const bare = write('none.csv', 'lat,lon\n-8.7,121.2\n')
    await assert.rejects(importFile(bare, { operator: null }), (error) => error instanceof AskedWrong && /--operator/.test(error.message))
    await assert.rejects(importFile(bare, { technology: null }), (error) => error instanceof AskedWrong && /--technology/.test(error.message))
    await assert.rejects(importFile(write('x.csv', 'a,b\n1,2\n')), /no columns of positions/)
  })
})

test('fixed access comes as points with a radius of their own or a default, or as areas', async () => {
  await owner.query("INSERT INTO organisation VALUES ('isp-a', 'isp', 'A') ON CONFLICT DO NOTHING")
  const fixed = { operator: 'isp-a', technology: 'fixed' } as const
  const points = write('odp.csv', 'odp,lat,lon,radius_m\na,-8.74,121.21,1000\nb,-8.70,121.31,\nc,-8.74,,\nd,-8.70,121.41,1\n')
  const outcome = await importFile(points, fixed)
  assert.deepEqual([outcome.accepted, outcome.claims[0]?.kind, outcome.issues_by_reason], [3, 'points', { bad_position: 1, unused_columns: 1 }])
  const [claim] = await readClaims(owner, '2024-02-14')
  // a circle of 1 km is 3.14 km2, one of 300 m 0.28, one of 1 m the cell it lies in
  const cells = countCells(claim?.runs ?? new Float64Array())
  assert.ok(cells >= 28 && cells <= 38, String(cells))
  await owner.query('TRUNCATE claim CASCADE')
  const path = write('odp.geojson', JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: { radius_m: 1000 }, geometry: { type: 'Point', coordinates: [121.21, -8.74] } }] }))
  assert.equal((await importFile(path, fixed)).claims[0]?.kind, 'points')
  assert.equal((await importFile(join(folder, 'areas.geojson'), fixed)).claims[0]?.kind, 'polygon')
})
