import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { seeded } from '@kawal/core/kernel/random.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import type { Sample } from '@kawal/contract/report.ts'
import { connect, system, type Database } from '../adapters/postgres/database.ts'
import { openIngest, type Ingest } from '../measurement/ingest.ts'
import { makeBatch } from '../measurement/measured.ts'
import { sort } from '../measurement/sort.ts'
import type { limits } from './keeper.ts'
import { letGo, listHours, StillNeeded } from './policy.ts'
import { readReports, readSegments } from './read.ts'

const start = Date.UTC(2029, 1, 14, 2)
interface Running { readonly ingest: Ingest; readonly database: Database }
let kit: TestDatabase
let owner: pg.Client
let now = start
const open: Running[] = []
const kept: string[] = []
const failures: unknown[] = []

before(async () => {
  kit = await withDatabase()
})
beforeEach(async () => {
  await stopAll()
  await owner?.end()
  await kit.close()
  kit = await withDatabase()
  owner = new pg.Client({ connectionString: kit.ownerUrl })
  await owner.connect()
  now = start
  kept.length = 0
  failures.length = 0
})
after(async () => {
  await stopAll()
  await owner.end()
  await kit.close()
})

async function stopAll(): Promise<void> {
  for (const { ingest, database } of open.splice(0)) {
    await ingest.stop()
    await database.end()
  }
}

/** A server's intake with connections of its own. */
async function begin(change: Partial<typeof limits> = {}, spoil: (database: Database) => Database = (database) => database): Promise<Ingest> {
  const database = connect(kit.ownerUrl, 'test')
  const ingest = await openIngest({
    database: spoil(database), clock: () => now, interval_s: () => 300, operatorOfSim: (plmn) => ({ '51010': 'telkomsel', '51001': 'indosat' })[plmn] ?? null, limits: change,
    failed: (error) => open.some((each) => each.database === database) && failures.push(error),
    kept: ({ count, device, sequence }) => kept.push(...Array.from({ length: count }, (_, i) => `${device[i]}.${sequence[i]}`)),
  }).catch(async (error: unknown) => {
    await database.end()
    throw error
  })
  open.push({ ingest, database })
  return ingest
}

const sample = (sequence: number, change: Partial<Sample> = {}): Sample => ({
  sequence, eventAt: new Date(now - 1_000).toISOString(), sim: '51010', access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: [50], timeouts: 0, downKbps: null, upKbps: null,
  reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: null, ...change,
})

/** @returns what was new and what was there, or rejects with what went wrong */
function send(ingest: Ingest, device: number, samples: readonly Sample[], station = '7501011001001'): Promise<[number, number]> {
  const batch = makeBatch()
  const arrival = { receivedAt: now, sentAt: null }
  const quarantined = sort(samples, arrival, batch)
  return new Promise((resolve, reject) => {
    ingest.submit({ device: { id: 'x', key: device, station }, batch, quarantined, arrival, networkOperator: null }, (receipt, error) => (receipt === null ? reject(error as Error) : resolve([receipt.accepted, receipt.duplicates])))
  })
}
const holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5120 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
/** As kill -9 ends it: nothing more is written, and the database sees the connection go. */
async function crash(): Promise<void> {
  for (const { database } of open.splice(0)) void database.end()
  await owner.query(holder)
}
const numbers = async (): Promise<string[]> => (await storedReports(kit.database)).map((report) => `${report.device}.${report.sequence}`)
const rows = <Row extends pg.QueryResultRow>(query: string): Promise<Row[]> => kit.database.transaction(system, async (client) => (await client.query<Row>(query)).rows)

test('what is kept comes back as it was sent, with what was added, and is handed on once', async () => {
  const ingest = await begin()
  const samples = [sample(3, { radio: { source: 'modem', ageMs: 5, rsrpDbm: -97.5, rsrqDb: -11, sinrDb: null, rssiDbm: null }, nextDueAt: new Date(now + 300_000).toISOString(), rttMs: [48.2, 60_000] }), sample(1, { sim: null, access: 'wifi', accessPoint: 'ai-7 é' })]
  assert.deepEqual(await send(ingest, 7, samples), [2, 0])
  const stored = await storedReports(kit.database)
  assert.deepEqual(stored.map((report) => report.sample), samples)
  assert.deepEqual(stored.map(({ device, station, receivedAt, eventAt, operator, sim, offset_ms }) => [device, station, receivedAt, eventAt, operator, sim, offset_ms]), [[7, '7501011001001', now, now - 1_000, 'telkomsel', 'telkomsel', 0], [7, '7501011001001', now, now - 1_000, null, null, 0]])
  assert.deepEqual(kept, ['7.3', '7.1'])
})

test('reports wait where they come faster than their counts are written, and none is refused as a fault', async () => {
  const ingest = await begin({ cells_max: 4_096 })
  const sendAll = (from: number, to: number): Promise<[number, number][]> => Promise.all(Array.from({ length: to - from }, (_, i) => send(ingest, from + i, [sample(1)], String(7_501_011_000_000 + from + i))))
  await sendAll(0, 100)
  await owner.query('BEGIN')
  await owner.query('LOCK TABLE rollup IN ACCESS EXCLUSIVE MODE')
  await sendAll(100, 3_300)
  await sendAll(3_300, 7_500)
  let settled = 0
  const last = sendAll(7_500, 10_500).then(() => settled++, () => settled++)
  for (let turn = 0; turn < 20; turn++) await kit.database.pool.query('SELECT 1')
  await owner.query('ROLLBACK')
  const before = settled
  await last
  assert.equal(before, 0)
  assert.equal((await numbers()).length, 10_500)
  assert.deepEqual(failures, [])
  await stopAll()
  assert.deepEqual(await rows('SELECT sum(cells)::int AS cells FROM (SELECT cardinality(station) AS cells FROM rollup) AS _'), [{ cells: 10_500 }])
})

test('where the counts that reports wait for cannot be written, what waits fails, and none of it is taken for kept', async () => {
  const ingest = await begin({ cells_max: 4_096, chunk_ms: 60_000 })
  const sendAll = (from: number, to: number): Promise<[number, number][]> => Promise.all(Array.from({ length: to - from }, (_, i) => send(ingest, from + i, [sample(1)], String(7_501_011_000_000 + from + i))))
  await sendAll(0, 100)
  await owner.query('BEGIN')
  await owner.query('LOCK TABLE rollup IN ACCESS EXCLUSIVE MODE')
  await sendAll(100, 3_300)
  await sendAll(3_300, 7_500)
  const last = sendAll(7_500, 10_500).then(() => null, (error: unknown) => error)
  now += 60_000 // all that is known of sequences is to go to disk with the next commit
  let ended = 0
  for (let tries = 0; tries < 2_000 && ended === 0; tries++) ended = (await owner.query('SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted')).rowCount ?? 0
  const error = ended > 0 ? await last : null
  await owner.query('ROLLBACK')
  assert.deepEqual([ended, error instanceof Error], [1, true])
  assert.ok(failures.length > 0)
  let answers: [number, number][] | null = null
  for (let tries = 0; tries < 2_000 && answers === null; tries++) answers = await kit.database.pool.query('SELECT pg_sleep(.01)').then(() => sendAll(7_500, 10_500)).catch(() => null)
  assert.equal(answers?.filter(([accepted, duplicates]) => accepted === 1 && duplicates === 0).length, 3_000)
  const stored = await numbers()
  assert.deepEqual([stored.length, new Set(stored).size], [10_500, 10_500])
})

test('a second server on the same database is refused, and let in when the first has stopped', async () => {
  const first = await begin()
  await assert.rejects(begin(), { code: 'state_conflict', message: /Another server takes reports into this database already/ })
  assert.deepEqual(await send(first, 1, [sample(1)]), [1, 0])
  await stopAll()
  assert.deepEqual(await send(await begin(), 1, [sample(1), sample(2)]), [1, 1])
})

for (const [name, change] of [['from the segments alone', { chunk_reports: 1_000_000 }], ['from what was written of memory, and the segments since', { chunk_reports: 5 }]] as const)
  test(`after a crash everything that was kept is known again: ${name}`, async () => {
    const random = seeded(3)
    const all = new Map<string, Sample>()
    let ingest = await begin(change)
    for (let round = 0; round < 4; round++) {
      for (let turn = 0; turn < 12; turn++) {
        const device = 1 + Math.floor(random() * 3) * 70_000
        const samples = Array.from({ length: 1 + Math.floor(random() * 4) }, () => 1 + Math.floor(random() * 150)).map((number) => all.get(`${device}.${number}`) ?? sample(number))
        const fresh = new Set(samples.map(({ sequence }) => `${device}.${sequence}`).filter((key) => !all.has(key)))
        assert.deepEqual(await send(ingest, device, samples), [fresh.size, samples.length - fresh.size])
        for (const each of samples) all.set(`${device}.${each.sequence}`, each)
      }
      await crash()
      ingest = await begin(change)
    }
    const [mark] = await rows<{ sequences: number }>('SELECT sequences FROM journal_mark')
    assert.equal((mark?.sequences ?? 0) > 0, change.chunk_reports === 5, `mark ${mark?.sequences}`)
    const stored = await numbers()
    assert.deepEqual([stored.length, new Set(stored).size, stored.toSorted()], [all.size, all.size, [...all.keys()].toSorted()])
    assert.deepEqual(kept.toSorted(), stored.toSorted())
  })

test('a commit that fails fails for all that waited, and what is on disk decides when they come again', async () => {
  const ingest = await begin()
  assert.deepEqual(await send(ingest, 1, [sample(1)]), [1, 0])
  await owner.query('ALTER TABLE segment ADD CONSTRAINT planted CHECK (id < 2) NOT VALID')
  const both = await Promise.allSettled([send(ingest, 1, [sample(2)]), send(ingest, 2, [sample(1)])])
  assert.deepEqual(both.map(({ status }) => status), ['rejected', 'rejected'])
  await owner.query('ALTER TABLE segment DROP CONSTRAINT planted')
  await ingest.idle()
  assert.deepEqual([await send(ingest, 1, [sample(1), sample(2)]), await send(ingest, 2, [sample(1)])], [[1, 1], [1, 0]])
  assert.deepEqual([await numbers(), kept], [['1.1', '1.2', '2.1'], ['1.1', '1.2', '2.1']])
})

test('a commit that is on disk though its answer was lost is handed on all the same, once, and is a duplicate when it is sent again', async () => {
  let planted = true
  const ingest = await begin({}, (database) => ({
    ...database, pool: new Proxy(database.pool, { get: (pool, name) => (name !== 'connect' ? Reflect.get(pool, name) as unknown : async () => {
      const client = await pool.connect()
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
      Object.assign(client, { query: async (...args: unknown[]) => {
        const done = await query(...args)
        if (planted && args[0] === 'COMMIT') {
          planted = false
          throw new Error('the line broke')
        }
        return done
      } })
      return client
    }) }),
  }))
  await assert.rejects(send(ingest, 1, [sample(1), sample(2)]), /the line broke/)
  await ingest.idle()
  assert.deepEqual([await send(ingest, 1, [sample(1), sample(2), sample(3)]), await numbers(), kept], [[1, 2], ['1.1', '1.2', '1.3'], ['1.1', '1.2', '1.3']])
})

test('a connection that breaks is opened anew, and nothing is doubled', async () => {
  const ingest = await begin()
  await send(ingest, 1, [sample(1)])
  await owner.query(holder)
  let accepted = 0
  for (let tries = 0; tries < 50 && accepted === 0; tries++) accepted = await send(ingest, 1, [sample(1), sample(2)]).then(([fresh]) => fresh, () => ingest.idle().then(() => 0))
  assert.equal(accepted, 1)
  assert.deepEqual(await numbers(), ['1.1', '1.2'])
})

test('reports that were kept as rows before there was a journal are there already', async () => {
  await owner.query("INSERT INTO report (device_key, sequence, station_code, event_at, received_at, sample) VALUES (5, 9, '7501011001001', $1, now(), '{}')", [new Date(now - 1_000)])
  assert.deepEqual(await send(await begin(), 5, [sample(9), sample(10)]), [1, 1])
})

test('counts by station, operator and five minutes are those of a slow recount, whatever was drained when, and after crashes', async () => {
  const random = seeded(8)
  // a table so small that it is drained again and again
  let ingest = await begin({ cells_max: 4_096, chunk_reports: 50 })
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T
  const next = new Map<number, number>()
  for (let turn = 0; turn < 300; turn++) {
    const device = 1 + Math.floor(random() * 40)
    const first = next.get(device) ?? 1
    const samples = Array.from({ length: 1 + Math.floor(random() * 30) }, (_, i) => sample(first + i, {
      eventAt: new Date(now - Math.floor(random() * 900_000)).toISOString(), sim: pick('51010', '51001', '51099', null), access: pick('cellular', 'unknown'), charging: pick(true, false, null), rttMs: pick<number[]>([], [20 + random() * 900], [1_500], [30, 40, 2_000]), timeouts: pick(0, 3),
      reach: { internet: pick('ok', 'timeout', 'untested'), election: 'untested', platform: pick('ok', 'untested') },
    }))
    next.set(device, first + samples.length)
    await send(ingest, device, samples, `75010${Math.floor(device / 10)}1001001`)
    now += 4_000
    if (turn % 70 === 69) {
      await crash()
      ingest = await begin({ cells_max: 4_096, chunk_reports: 50 })
    }
  }
  await stopAll()
  const recount = new Map<string, number[]>()
  for await (const segment of readSegments(kit.database))
    for (let i = 0; i < segment.count; i++) {
      const key = `${new Date(Math.floor((segment.eventAt[i] ?? 0) / 300_000) * 300_000).toISOString()} ${segment.ways[segment.way[i] ?? 0]?.operator} ${String(segment.station[i])}`
      const counts = recount.get(key) ?? [0, 0, 0, 0, 0]
      recount.set(key, counts)
      const bits = segment.bits[i] ?? 0
      const found = [true, (bits & 3) === 1, (bits & 3) === 2, ((bits >> 6) & 3) === 2, ((bits >> 6) & 3) === 1]
      found.forEach((yes, at) => (counts[at] = (counts[at] ?? 0) + Number(yes)))
    }
  const counted = await rows<{ five_minutes: Date; operator_id: string | null; station_code: string; sums: string }>(
    `SELECT five_minutes, operator_id, station_code, concat_ws(',', sum(reports), sum(good), sum(bad), sum(charging), sum(on_battery)) AS sums FROM station_rollup GROUP BY 1, 2, 3`)
  assert.ok(recount.size > 80, `${recount.size} cells`)
  assert.deepEqual(counted.map((row) => `${row.five_minutes.toISOString()} ${row.operator_id} ${row.station_code} ${row.sums}`).sort(), [...recount].map(([key, counts]) => `${key} ${counts.join()}`).sort())
  assert.deepEqual(failures, [])
})

test('medians and percentiles of up to eight reports are exact', async () => {
  const ingest = await begin()
  await send(ingest, 1, [90, 10, 50, 70, 30].map((rtt, at) => sample(at + 1, { rttMs: [rtt] })))
  await send(ingest, 2, [sample(1, { rttMs: [], timeouts: 5 })], '7501011001002')
  await stopAll()
  assert.deepEqual(await rows('SELECT station_code, reports, rtt_ms_median, rtt_ms_p90 FROM station_rollup ORDER BY 1'), [{ station_code: '7501011001001', reports: 5, rtt_ms_median: 50, rtt_ms_p90: 90 }, { station_code: '7501011001002', reports: 1, rtt_ms_median: null, rtt_ms_p90: null }])
})

test('hours that a start would read stay; those that nobody needs go as a whole, archived or dropped, and it is written down', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-archive-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let ingest = await begin({ chunk_ms: 1e12 })
  for (let hour = 0; hour < 3; hour++) {
    await send(ingest, 1, [sample(2 * hour + 1, { accessPoint: 'with, comma "and" quote' }), sample(2 * hour + 2)])
    now += 3_600_000
  }
  assert.deepEqual((await listHours(kit.database)).map(({ from, reports }) => [from, reports]), [[start, 2], [start + 3_600_000, 2], [start + 7_200_000, 2]])
  await crash()
  const before = start + 7_200_000
  const archive = letGo(kit.database, { before, folder, now })
  await assert.rejects(archive.next(), StillNeeded)
  assert.equal((await listHours(kit.database)).length, 3)
  ingest = await begin()
  await stopAll()
  const gone = []
  for await (const hour of letGo(kit.database, { before: start + 3_600_000, folder, now })) gone.push(hour)
  for await (const hour of letGo(kit.database, { before, folder: null, now })) gone.push(hour)
  const file = 'reports-20290214T02Z-1.csv.gz'
  assert.deepEqual(gone, [{ from: start, reports: 2, file }, { from: start + 3_600_000, reports: 2, file: null }])
  const bytes = readFileSync(join(folder, file))
  const lines = gunzipSync(bytes).toString().trimEnd().split('\n')
  assert.deepEqual([lines.length, lines[1]?.startsWith('7501011001001,1,1,2029-02-14T02:00:00.000Z,2029-02-14T01:59:59.000Z,0,telkomsel,telkomsel,,51010,cellular,"with, comma ""and"" quote",lte,')], [3, true])
  assert.deepEqual(await rows('SELECT first_id, last_id, reports, file, sha256 FROM segment_gone ORDER BY first_id'), [{ first_id: 1, last_id: 1, reports: 2, file, sha256: createHash('sha256').update(bytes).digest('hex') }, { first_id: 2, last_id: 2, reports: 2, file: null, sha256: null }])
  // what went is still known, and numbers go on
  ingest = await begin()
  assert.deepEqual(await send(ingest, 1, [1, 2, 3, 4, 5, 6, 7].map((number) => sample(number, { eventAt: new Date(start).toISOString() }))), [1, 6])
  assert.deepEqual((await rows<{ id: number }>('SELECT id FROM segment ORDER BY id')).map(({ id }) => id), [3, 4])
})

test('only the system lets hours go or makes partitions', async () => {
  for (const query of ["SELECT kawal_drop_segments(now(), now(), NULL, NULL)", 'SELECT kawal_journal_partitions(now())'])
    await assert.rejects(kit.database.transaction({ organisation: 'komdigi', role: 'duty_officer' }, (client) => client.query(query)), { code: '42501' })
  await assert.rejects(kit.database.transaction(system, (client) => client.query("SELECT kawal_make_partition('segment', 'x', now(), now())")), { code: '42501' })
})

test('reports are read by time of arrival, station and device', async () => {
  const ingest = await begin()
  for (let turn = 0; turn < 150; turn++) {
    await send(ingest, 1 + (turn % 3), [sample(turn + 1)], `750101100100${1 + (turn % 3)}`)
    now += 60_000
  }
  const read = async (wanted: Parameters<typeof readReports>[1]): Promise<number[]> => {
    const found: number[] = []
    for await (const report of readReports(kit.database, wanted)) found.push(report.sequence)
    return found
  }
  const expected = (wanted: (turn: number) => boolean): number[] => Array.from({ length: 150 }, (_, turn) => turn).filter(wanted).map((turn) => turn + 1)
  assert.deepEqual(await read({}), expected(() => true))
  assert.deepEqual(await read({ from: start + 50 * 60_000, to: start + 120 * 60_000 }), expected((turn) => turn >= 50 && turn < 120))
  assert.deepEqual(await read({ station: '7501011001002', from: start + 50 * 60_000 }), expected((turn) => turn % 3 === 1 && turn >= 50))
  assert.deepEqual(await read({ device: 3, to: start + 10 * 60_000 }), expected((turn) => turn % 3 === 2 && turn < 10))
  assert.deepEqual(await read({ after: 148 }), [149, 150])
})

test('of a device planning gets a row where something changed: the hour, the quality, radio values', async () => {
  const ingest = await begin()
  const radio = { source: 'modem', ageMs: 5, rsrpDbm: -97, rsrqDb: null, sinrDb: null, rssiDbm: null }
  const nothing = { rttMs: [], reach: { internet: 'untested', election: 'untested', platform: 'untested' } } as const
  const changes: Partial<Sample>[] = [{}, {}, { timeouts: 5 }, { timeouts: 5 }, {}, { radio }, { radio }, {}, { ...nothing, rttMs: [] }]
  for (const [at, change] of changes.entries()) await send(ingest, 1, [sample(at + 1, change)])
  now += 3_600_000
  await send(ingest, 1, [sample(20), sample(21)])
  await stopAll()
  assert.deepEqual((await rows<{ sequence: number }>('SELECT sequence FROM report ORDER BY sequence')).map(({ sequence }) => sequence), [1, 3, 5, 6, 20])
  assert.deepEqual((await rows<{ sample: Sample; station_code: string }>('SELECT sample, station_code FROM report WHERE sequence = 6')).map((row) => [row.station_code, row.sample.radio]), [['7501011001001', radio]])
  assert.equal((await numbers()).length, 11)
})

test('the number of rows for planning is bounded in a second, the journal is not', async () => {
  const ingest = await begin({ planning_rows_max: 3 })
  for (let device = 1; device <= 10; device++) await send(ingest, device, [sample(1)])
  now += 1_000
  for (let device = 1; device <= 10; device++) await send(ingest, device, [sample(2)])
  await stopAll()
  assert.deepEqual([(await rows('SELECT FROM report')).length, (await numbers()).length], [6, 20])
})
