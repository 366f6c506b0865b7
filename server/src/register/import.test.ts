import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { importRegister, type ImportOutcome } from './import.ts'
import { ImportRefused } from './merge.ts'
import { loadMonitorStations, loadOperatorCodes, type WatchedStation } from './lookup.ts'
import { loadSynthetic } from './synthetic.ts'

const regions = `code,level,name,parent
53,province,NTT,
5301,regency,KUPANG,53
530101,district,SEMAU,5301
5301012001,village,UIASA,530101
5301012002,village,HANSISI,530101
5301012003,village,BOKONUSAN,530101
`
const villages = `code,lat,lon,position,area_km2,landmass_id,tps_regular,tps_special_from,tps_special_to
5301012001,-10.17,123.48,inside,3,5,3,,
5301012002,-10.16,123.47,inside,3,5,2,901,902
5301012003,,,unknown,,,1,,
`

let test_database: TestDatabase
let owner: pg.Pool
let folder = ''

before(async () => {
  test_database = await withDatabase()
  owner = new pg.Pool({ connectionString: test_database.ownerUrl, max: 3 })
})
after(async () => {
  await owner.end()
  await test_database.close()
})
beforeEach(async () => {
  await owner.query('TRUNCATE region, station, venue, access_point, network, import_issue, import_file, import_run')
  if (folder !== '') rmSync(folder, { recursive: true })
  folder = mkdtempSync(join(tmpdir(), 'kawal-import-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function write(files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
}

function run(date = '2024-02-14', reached?: (phase: string) => void): Promise<ImportOutcome> {
  return importRegister(owner, { directory: folder, date, issuesFile: join(folder, 'register-issues.csv'), now: () => 0, ...(reached === undefined ? {} : { reached }) })
}

const issues = (): string[] => readFileSync(join(folder, 'register-issues.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',').slice(1, 5).join(' '))

const stationsNow = (): Promise<WatchedStation[]> => loadMonitorStations(test_database.database)

async function versions(): Promise<string[]> {
  const result = await owner.query<{ row: string }>("SELECT code || ' ' || valid_from || ' ' || coalesce(valid_to::text, '') AS row FROM station ORDER BY 1")
  return result.rows.map((row) => row.row)
}

describe('import register', () => {
  test('makes stations of villages, and lists each oddity', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages })
    const outcome = await run()
    assert.deepEqual([outcome.provinces, outcome.regencies, outcome.districts, outcome.villages, outcome.stations], [1, 1, 1, 3, 8])
    assert.deepEqual(issues(), ['3 5301012002 warning special_stations', '4 5301012003 warning position_unknown'])
    const stations = await loadMonitorStations(test_database.database, '53')
    assert.deepEqual(stations.map((station) => station.code.slice(6)), ['2001001', '2001002', '2001003', '2002001', '2002002', '2002901', '2002902', '2003001'])
    assert.deepEqual(stations[0], { code: '5301012001001', village: '5301012001', latitude: -10.17, longitude: 123.48, positionGrade: 'village', zone: 'Asia/Makassar', voters: null })
  })

  test('the same files again change nothing; a newer one makes a version; an older day is refused', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages })
    await run()
    assert.equal((await run('2024-06-01')).changes, 0)
    write({ 'villages.csv': villages.replace('inside,3,5,3', 'inside,3,5,2').replace('-10.16,123.47', '-10.26,123.47') })
    const newer = await run('2024-11-27')
    assert.equal(newer.changes_by_set['stations'], 5, 'four stations moved and one ended')
    assert.deepEqual((await versions()).filter((row) => /2001003|2002901/.test(row)), [
      '5301012001003 2024-02-14 2024-11-27', '5301012002901 2024-02-14 2024-11-27', '5301012002901 2024-11-27 ',
    ])
    assert.ok(issues().includes('3 5301012002 warning village_moved'))
    assert.equal((await run('2024-11-27')).changes, 0)
    write({ 'villages.csv': villages })
    await assert.rejects(run('2024-03-01'), ImportRefused)
    assert.equal((await stationsNow()).length, 7)
  })

  test('bad rows are listed with their reason and stop nothing; what they speak of stays as it was', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages })
    await run()
    write({
      'regions.csv': regions + '5301012001,village,AGAIN,530101\n5402,regency,ORPHAN,54\n530199,village,SHORT,5301\n5301012009,village,"OPEN,530101\n5301012010,village,LAST,530101\n',
      'villages.csv': villages.replace('inside,3,5,3,,', 'inside,3,5,many,,') + '5301019999,-10,123.5,inside,1,1,1,,\n5301012010,123.5,-10.1,inside,1,1,4,,\n',
    })
    const outcome = await run('2024-11-27')
    assert.deepEqual(issues().filter((line) => line.includes('reject')), [
      '8 5301012001 reject duplicate_code', '9 5402 reject unknown_parent', '10 530199 reject bad_level', '11  reject unreadable_row',
      '2 5301012001 reject bad_number', '5 5301019999 reject unknown_village',
    ])
    assert.ok(issues().includes('6 5301012010 warning position_out_of_range'))
    assert.equal(outcome.stations, 12, 'the three of the unreadable village are still there, and four are new')
  })

  test('an import cut off at any point goes on without doubles', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages, 'access-bts.csv': 'site id,lat,long,village\nA1,-10.1,123.4,5301012001\nA1,-10.2,123.4,5301012002\nA1,-10.2,123.4,5301012002\n' })
    const phases: string[] = []
    const whole = await run('2024-02-14', (phase) => phases.push(phase))
    assert.deepEqual(phases, ['staged access-bts.csv', 'staged regions.csv', 'staged villages.csv', 'checked', 'merged'])
    const expected = { rows: await versions(), listed: readFileSync(join(folder, 'register-issues.csv'), 'utf8') }
    assert.equal(whole.access_points, 2)
    for (const cut of phases) {
      await owner.query('TRUNCATE region, station, access_point, import_issue, import_file, import_run')
      await assert.rejects(run('2024-02-14', (phase) => {
        if (phase === cut) throw new Error('cut')
      }), /cut/)
      const seen: string[] = []
      const rest = await run('2024-02-14', (phase) => seen.push(phase))
      assert.deepEqual(seen, cut === 'merged' ? phases : phases.slice(phases.indexOf(cut) + 1), `goes on after ${cut}`)
      assert.equal(rest.changes, cut === 'merged' ? 0 : whole.changes)
      assert.deepEqual(await versions(), expected.rows)
      assert.equal(readFileSync(join(folder, 'register-issues.csv'), 'utf8'), expected.listed)
    }
  })

  test('a killed process leaves a run that goes on', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages })
    const script = `
      import pg from 'pg'
      const { importRegister } = await import(${JSON.stringify(join(import.meta.dirname, 'import.ts'))})
      const pool = new pg.Pool({ connectionString: process.argv[1] })
      await importRegister(pool, { directory: ${JSON.stringify(folder)}, date: '2024-02-14', issuesFile: ${JSON.stringify(join(folder, 'x-issues.csv'))}, now: () => 0,
        reached: (phase) => phase === 'staged regions.csv' && process.kill(process.pid, 'SIGKILL') })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, test_database.ownerUrl], { stdio: 'inherit', cwd: import.meta.dirname })
    assert.equal(await new Promise((resolve) => child.once('close', (_, signal) => resolve(signal))), 'SIGKILL')
    const outcome = await run()
    assert.equal(outcome.resumed, true)
    assert.equal(outcome.stations, 8)
  })

  test('a stage that a crash of the database emptied is read again', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages })
    await assert.rejects(run('2024-02-14', (phase) => {
      if (phase === 'checked') throw new Error('cut')
    }))
    await owner.query('TRUNCATE stage_region, stage_village')
    const outcome = await run()
    assert.deepEqual([outcome.resumed, outcome.stations], [false, 8])
  })

  test('address blocks and organisations meet by their AS number, whatever file they stand in', async () => {
  write({
    'isps.csv': 'organisation,name,asn\nmajunet,PT Maju Net,64500\nlautnet,PT Laut Net,AS64501\n',
    'networks.csv': 'prefix,asn\n203.0.113.0/24,64500\n2001:db8::/32,64500\n198.51.100.0/24,64999\n,64502\n',
  })
  const outcome = await run()
  const { rows } = await owner.query<{ row: string }>("SELECT prefix || ' ' || organisation_id AS row FROM network ORDER BY prefix")
  assert.deepEqual(rows.map((each) => each.row), ['203.0.113.0/24 majunet', '2001:db8::/32 majunet'])
  assert.deepEqual(issues().sort(), ['3 lautnet warning network_without_block', '4 198.51.100.0/24 warning network_unowned', '5  reject missing_name'])
  assert.equal(outcome.organisations >= 2, true)
  write({ 'isps.csv': 'organisation,name,asn\nmajunet,PT Maju Net,64500\n', 'networks.csv': 'prefix,asn\n203.0.113.0/24,64500\n2001:db8::/32,64500\n' })
  assert.equal((await run()).changes, 0)
})

test('stations, venues, operators, ISPs and GeoJSON access points', async () => {
    write({
      'regions.csv': regions, 'villages.csv': villages,
      'stations.csv': 'code,lat,lon,position_grade,voters\n5301012001001,-10.171,123.481,fix,287\n5301012003001,,,,250\n5301012003009,-10.2,123.4,,\n9999999999001,,,,\n',
      'venues.csv': 'npsn,name,form,status,lat,lng,village_code\n50305,SD UIASA,SD,N,-10.17,123.48,53.01.01.2001\n',
      'operators.csv': 'plmn,organisation,name,valid_from,valid_to\n51088,baru,Operator Baru,2024-03-01,\nx,y,z,,\n',
      'isps.csv': 'organisation,name,prefix,asn\nmajunet,PT Maju Net,203.0.113.0/24,64500\nmajunet,PT Maju Net,203.0.113.1/24,64500\n',
      'access.geojson': JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: { id: 'S1', kind: 'SATRIA-1', name: 'Puskesmas', village: '5301012003' }, geometry: { type: 'Point', coordinates: [123.4, -10.2] } }] }),
    })
    const outcome = await run()
    const stations = new Map((await stationsNow()).map((station) => [station.code, station]))
    assert.equal(stations.get('5301012001001')?.latitude, -10.171)
    assert.equal(stations.get('5301012003001')?.voters, 250)
    assert.ok(stations.has('5301012003009'))
    assert.deepEqual([outcome.stations, outcome.venues, outcome.access_points, outcome.rejects], [9, 1, 1, 3])
    assert.equal((await loadOperatorCodes(test_database.database))('51088', Date.parse('2024-03-01')), 'baru')
    assert.equal((await run()).changes, 0)
    rmSync(join(folder, 'stations.csv'))
    await run('2024-06-01')
    assert.equal((await stationsNow()).find((station) => station.code === '5301012001001')?.latitude, -10.171, 'what was known better stays')
    const see = (organisation: string, role: string): Promise<number> => test_database.database.transaction({ organisation, role }, async (client) => (await client.query('SELECT FROM access_point')).rowCount ?? 0)
    assert.deepEqual([await see('bakti', 'access_operator'), await see('telkomsel', 'noc'), await see('kpu', 'planner')], [1, 0, 1])
  })

  test('XL and Smartfren are one since 16 April 2025', async () => {
    const operator = await loadOperatorCodes(test_database.database)
    const eve = Date.parse('2025-04-15T12:00:00Z')
    const day = Date.parse('2025-04-16T12:00:00Z')
    assert.deepEqual(['51011', '51009', '51010'].map((plmn) => [operator(plmn, eve), operator(plmn, day)]), [['xl', 'xlsmart'], ['smartfren', 'xlsmart'], ['telkomsel', 'telkomsel']])
  })

  test('a village under a new code is pointed out, and a dry run changes nothing', async () => {
    write({ 'regions.csv': regions, 'villages.csv': villages })
    await run()
    write({ 'regions.csv': regions.replace('5301012001', '5301012007'), 'villages.csv': villages.replace('5301012001', '5301012007') })
    const before = await versions()
    const options = { directory: folder, date: '2024-11-27', issuesFile: join(folder, 'register-issues.csv'), now: () => 0 }
    assert.equal((await importRegister(owner, { ...options, dryRun: true })).changes_by_set['stations'], 6)
    assert.deepEqual(await versions(), before)
    assert.ok(issues().includes('5 5301012007 warning code_changed'), issues().join('; '))
    const outcome = await importRegister(owner, options)
    assert.deepEqual([outcome.resumed, outcome.stations, outcome.villages], [true, 8, 3])
  })

  test('a damaged file or an empty folder is refused in a sentence', async () => {
    await assert.rejects(run(), ImportRefused)
    write({ 'regions.csv.gz': 'no gzip' })
    await assert.rejects(run(), ImportRefused)
  })

  test('a made-up province gives way to the real one', async () => {
    const made = await loadSynthetic(owner, '75', 1)
    assert.ok(made.stations > 500 && made.regions > 500)
    assert.deepEqual(await loadSynthetic(owner, '75', 1), { regions: 0, stations: 0 })
    write({ 'regions.csv': regions, 'villages.csv': villages })
    assert.equal((await run()).stations, made.stations + 8)
    const gorontalo = (text: string): string => text.replaceAll(/^53/gm, '75').replaceAll(/,53(\d\d)?(\d\d)?$/gm, ',75$1$2').replaceAll(/-10\.1\d,123\.4\d/g, '0.6,122.9')
    write({ 'regions.csv': gorontalo(regions), 'villages.csv': gorontalo(villages) })
    assert.equal((await run()).stations, 16)
  })
})

const national = join(import.meta.dirname, '../../../../shared/data/register')
test('the national register: stations, villages and zones add up', { skip: existsSync(national) ? false : `${national} is not there` }, async () => {
  const outcome = await importRegister(owner, { directory: national, date: '2024-02-14', issuesFile: join(folder, 'national-issues.csv'), now: () => 0 })
  assert.deepEqual([outcome.provinces, outcome.regencies, outcome.districts, outcome.villages, outcome.stations], [38, 514, 7277, 83731, 820161])
  assert.equal(outcome.rejects, 0)
  assert.equal(outcome.issues_by_reason['position_unknown'], 348)
  const zones = await owner.query<{ zone: string; stations: number }>('SELECT zone, count(*) AS stations FROM station GROUP BY zone ORDER BY zone')
  assert.deepEqual(zones.rows, [{ zone: 'Asia/Jakarta', stations: 657966 }, { zone: 'Asia/Jayapura', stations: 29106 }, { zone: 'Asia/Makassar', stations: 133089 }])
  const special = await owner.query<{ stations: number }>('SELECT count(*) AS stations FROM station WHERE special')
  assert.equal(special.rows[0]?.stations, 1822)
})
