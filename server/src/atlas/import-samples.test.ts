import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import pg from 'pg'
import { system } from '../adapters/postgres/database.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { importSamples, type SampleOutcome } from './import-samples.ts'
import { readSamples, type SampleColumns } from './read-claim.ts'

let scratch: TestDatabase
let owner: pg.Pool
let folder = ''

before(async () => {
  scratch = await withDatabase()
  owner = new pg.Pool({ connectionString: scratch.ownerUrl, max: 3 })
  owner.on('error', () => undefined) // the database may stop before an idle connection has closed
  folder = mkdtempSync(join(tmpdir(), 'kawal-samples-'))
})
after(async () => {
  await owner.end()
  await scratch.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => owner.query('TRUNCATE radio_sample, sample_file'))

const header = 'plmn,radio,latitude,longitude,timestamp,imei,rsrp,rssi,upload_ok,bars'
/** Synthetic. */
const rows = [
  '51010,LTE,-8.74,121.21,2024-02-14T13:00:00+08:00,device-1,-101,,1,4', 'telkomsel,4g,-8.75,121.21,2024-02-14T05:01:00Z,device-2,-120.5,,0,1', '51010,LTE,-8.76,121.21,2024-02-14 05:02:00Z,device-1,,,1,',
  '51011,LTE,-8.74,121.22,2025-03-01T00:00:00Z,,-90,,,', '51011,LTE,-8.74,121.22,2025-05-01T00:00:00Z,,-90,,,', '51099,LTE,-8.74,121.22,2025-05-01T00:00:00Z,,-90,,,',
  '51010,LTE,-8.74,121.21,2024-02-14T05:03:00Z,device-1,-200,,1,', 'nobody,LTE,-8.74,121.21,2024-02-14T05:03:00Z,device-1,-100,,1,', '51010,LTE,121.21,-8.74,2024-02-14T05:03:00Z,device-1,-100,,1,',
  '51010,LTE,-8.74,121.21,yesterday,device-1,-100,,1,', '51010,LTE,-8.74',
]
const run = (lines: readonly string[], options: object = {}): Promise<SampleOutcome> => {
  const path = join(folder, 'drive.csv.gz')
  writeFileSync(path, gzipSync([header, ...lines].join('\n')))
  return importSamples(owner, { path, issuesFile: join(folder, 'sample-issues.csv'), now: () => 0, ...options })
}
const issues = (): string[] => readFileSync(join(folder, 'sample-issues.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',').slice(1, 5).join(' '))
const read = (organisation: string, since = 0): Promise<SampleColumns> => scratch.database.transaction(system, (client) => readSamples(client, organisation, 'lte', since))

test('good rows are kept by operator and time, bad ones are listed, and nothing is clamped', async () => {
  const outcome = await run(rows)
  assert.deepEqual([outcome.rows, outcome.accepted, outcome.rejects, outcome.known], [11, 6, 5, false])
  assert.deepEqual(issues(), ['1  warning unused_columns', '7  warning unknown_operator', '8  reject bad_radio', '9  reject unknown_operator', '10  reject swapped_axes', '11  reject bad_date', '12  reject unreadable_feature'])
  const telkomsel = await read('telkomsel')
  assert.deepEqual([telkomsel.count, [...telkomsel.at], [...telkomsel.rsrp_dbm].map(String), [...telkomsel.usable], [...telkomsel.device]], [3, [0, 60_000, 120_000].map((ms) => Date.parse('2024-02-14T05:00:00Z') + ms), ['-101', '-120.5', 'NaN'], [1, 0, 1], [0, 1, 0]])
  assert.deepEqual([(await read('telkomsel', Date.parse('2024-02-14T05:01:00Z'))).count, (await read('xl')).count, (await read('xlsmart')).count], [2, 1, 1])
  assert.deepEqual([...(await read('xl')).device, ...(await read('xl')).usable], [-1, -1])
})

test('a file is taken once, and no device can be read from what is kept', async () => {
  await run(rows)
  const again = await run(rows)
  assert.deepEqual([again.known, again.accepted, (await read('telkomsel')).count], [true, 6, 3])
  const { rows: kept } = await owner.query<{ device: Buffer }>('SELECT DISTINCT device FROM radio_sample WHERE device IS NOT NULL')
  assert.deepEqual(kept.map(({ device }) => device.length), [16, 16])
  assert.ok(!kept.some(({ device }) => device.toString('latin1').includes('device')))
})

test('an operator reads its own samples and no other', async () => {
  await run(rows)
  const seen = await scratch.database.transaction({ organisation: 'xl', role: 'noc' }, async (client) => (await client.query<{ organisation_id: string }>('SELECT organisation_id FROM radio_sample')).rows)
  assert.deepEqual(seen, [{ organisation_id: 'xl' }])
})

test('a dry run and a file of nothing good leave nothing; missing columns are named', async () => {
  assert.equal((await run(rows, { dryRun: true })).accepted, 6)
  await assert.rejects(run(rows.slice(6)), /No row of drive/)
  assert.equal((await owner.query('SELECT FROM radio_sample')).rowCount, 0)
  assert.equal((await owner.query('SELECT FROM sample_file')).rowCount, 0)
  const path = join(folder, 'bare.csv')
  writeFileSync(path, 'lat,lon\n1,2\n')
  await assert.rejects(importSamples(owner, { path, issuesFile: join(folder, 'x.csv'), now: () => 0 }), /lacks the columns operator, technology, at/)
})
