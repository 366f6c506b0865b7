import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import type { Enrolled, ReportReceipt, Sample } from '@kawal/contract/report.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { system } from '../adapters/postgres/database.ts'
import { answerProblems } from '../problem.ts'
import { loadOperatorCodes, stationReader } from '../register/lookup.ts'
import { loadSynthetic } from '../register/synthetic.ts'
import { deploymentSecret, readDeviceToken, stationCode } from './enrolment.ts'
import { enrolmentRoutes } from './enrolment-routes.ts'
import { openIngest, type Ingest } from './ingest.ts'
import { makeBatch } from './measured.ts'
import { measurementRoutes } from './routes.ts'

const now = Date.UTC(2029, 1, 14, 2)
let kit: TestDatabase
let app: FastifyInstance
let secret: Buffer
let ingest: Ingest
let station = ''
let stations: string[] = []
let clock = now
/** Event time and promise of what was handed on. */
const kept: [number, number][] = []

before(async () => {
  kit = await withDatabase()
  const owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  await loadSynthetic(owner, '75', 1)
  stations = (await owner.query<{ code: string }>('SELECT code FROM station_now ORDER BY code LIMIT 20')).rows.map((row) => row.code)
  await owner.end()
  secret = await deploymentSecret(kit.database)
  ingest = await openIngest({
    database: kit.database, clock: () => clock, interval_s: () => 300, operatorOfSim: await loadOperatorCodes(kit.database), failed: (error) => assert.fail(String(error)),
    kept: ({ count, eventAt, dueAt }) => kept.push(...Array.from({ length: count }, (_, i): [number, number] => [eventAt[i] ?? 0, dueAt[i] ?? 0])),
  })
  app = fastify()
  answerProblems(app)
  enrolmentRoutes(app, { database: kit.database, secret, clock: () => clock, stationOf: stationReader(kit.database) })
  measurementRoutes(app, { secret, clock: () => clock, ingest, networkOperator: () => null })
})
after(async () => {
  await app.close()
  await ingest.stop()
  await kit.close()
})

function sample(sequence: number, change: Partial<Sample> = {}): Sample {
  return {
    sequence, eventAt: new Date(now - 60_000 + sequence).toISOString(), sim: '51010', access: 'cellular', accessPoint: null, technology: 'lte',
    radio: null, rttMs: [50], timeouts: 0, downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' },
    charging: null, nextDueAt: null, ...change,
  }
}

const enrol = (code: string, at = station) => app.inject({ method: 'POST', url: '/v1/devices', payload: { station: at, code } })
/** Each at a station of its own: a station takes no end of devices. */
const newToken = async (): Promise<string> => {
  station = stations[(stations.indexOf(station) + 2) % stations.length] ?? ''
  return (await enrol(stationCode(secret, station))).json<Enrolled>().token
}
const report = (token: string, samples: readonly unknown[], at = station) =>
  app.inject({ method: 'POST', url: '/v1/reports', headers: { authorization: `Bearer ${token}` }, payload: { station: at, samples } })

async function send(token: string, samples: readonly unknown[]): Promise<ReportReceipt> {
  const answer = await report(token, samples)
  assert.equal(answer.statusCode, 202, answer.body)
  return answer.json<ReportReceipt>()
}

const codes = (receipt: ReportReceipt) => receipt.quarantined.map((each) => [each.index, each.code])
const keyOf = (token: string): number => readDeviceToken(secret, token)?.key ?? -1
const stored = (token: string) => storedReports(kit.database, { device: keyOf(token) })
const quarantined = (token: string) =>
  kit.database.transaction(system, async (client) => (await client.query<{ code: string }>('SELECT * FROM quarantine WHERE device_key = $1 ORDER BY id', [keyOf(token)])).rows)

test('a bad sample goes to quarantine with its code, the good ones beside it are kept', async () => {
  const token = await newToken()
  const radio = { source: 'android', ageMs: 100, rsrpDbm: 7 }
  const receipt = await send(token, [sample(1), { nonsense: true }, sample(2, { radio }), sample(3), sample(4, { eventAt: new Date(now + 11 * 60_000).toISOString() })])
  assert.equal(receipt.accepted, 2)
  assert.deepEqual(codes(receipt), [[1, 'sample_invalid'], [2, 'radio_out_of_range'], [4, 'clock_ahead']])
  assert.deepEqual((await stored(token)).map((row) => row.sequence), [1, 3])
  assert.deepEqual((await quarantined(token)).map((row) => row.code), ['sample_invalid', 'radio_out_of_range', 'clock_ahead'])
})

test('a batch sent again is all duplicates, and nobody is told twice', async () => {
  const token = await newToken()
  const batch = [sample(1), sample(2), { bad: 1 }]
  assert.equal((await send(token, batch)).accepted, 2)
  const told = kept.length
  const again = await send(token, batch)
  assert.deepEqual([again.accepted, again.duplicates, codes(again)], [0, 2, [[2, 'sample_invalid']]])
  assert.equal(kept.length, told)
  assert.deepEqual([(await stored(token)).length, (await quarantined(token)).length], [2, 1])
  const twins = await send(token, [sample(3), sample(3)])
  assert.deepEqual([twins.accepted, twins.duplicates], [1, 1])
})

test('a sequence with another event time does not vanish as a duplicate', async () => {
  const token = await newToken()
  await send(token, [sample(1)])
  const receipt = await send(token, [sample(1, { eventAt: new Date(now - 5_000).toISOString() })])
  assert.deepEqual([receipt.accepted, receipt.duplicates, codes(receipt)], [0, 0, [[0, 'sequence_reused']]])
})

test('a block of 10,000 that the page sets aside: its own number behind it comes first, then the shell\'s, late, out of order and again; none is taken for old or reused', async () => {
  const token = await newToken()
  const late = (sequence: number, ago_ms: number): Sample => sample(sequence, { eventAt: new Date(now - ago_ms).toISOString() })
  assert.equal((await send(token, [late(10_001, 10_000)])).accepted, 1)
  for (const sequences of [[5, 4, 3], [1, 2], [6]]) {
    const batch = sequences.map((sequence) => late(sequence, 3_600_000 - sequence * 1_000))
    assert.deepEqual([await send(token, batch), await send(token, batch)].map(({ accepted, duplicates, quarantined: bad }) => [accepted, duplicates, bad]), [[sequences.length, 0, []], [0, sequences.length, []]])
  }
  // The next duty has the next block; the rest of the first is a gap for good.
  for (const [sequence, ago_ms] of [[20_002, 4_000], [10_002, 3_000], [10_003, 2_000]] as const) assert.equal((await send(token, [late(sequence, ago_ms)])).accepted, 1)
  assert.deepEqual((await stored(token)).map((row) => row.sequence).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 10_001, 10_002, 10_003, 20_002])
  assert.deepEqual(await quarantined(token), [])
})

test('an unknown operator is kept under its code, and a known one under its name of that day', async () => {
  const token = await newToken()
  await send(token, [sample(1, { sim: '51099' }), sample(2, { sim: '51011' }), sample(3, { sim: '51011', eventAt: '2025-04-15T00:00:00Z' }), sample(4, { sim: null })])
  assert.deepEqual((await stored(token)).map((row) => row.operator), ['plmn-51099', 'xlsmart', 'xl', null])
})

for (const [name, poison] of [
  ['U+0000 in text', sample(1, { accessPoint: 'a\u0000b' })],
  ['half a surrogate pair in text', sample(1, { accessPoint: 'a\ud800b' })],
  ['a leap second', sample(1, { eventAt: '2016-12-31T23:59:60Z' })],
  ['a promise at a leap second', sample(1, { nextDueAt: '2016-12-31T23:59:60Z' })],
  ['the year 0', sample(1, { eventAt: '0000-01-01T00:00:00Z' })],
  ['U+0000 in a bad sample', { text: 'a\u0000b' }],
  ['half a surrogate pair in a bad sample', { 'a\udfff': 'a\ud800b' }],
  ['a bad sample nested 20,000 deep', JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as unknown],
] as const)
  test(`one poisonous sample does not hold up the others: ${name}`, async () => {
    const token = await newToken()
    const text = name.includes('nested') ? '['.repeat(20_000) + ']'.repeat(20_000) : JSON.stringify(poison)
    const answer = await app.inject({
      method: 'POST', url: '/v1/reports', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: `{"station":"${station}","samples":[${text},${JSON.stringify(sample(2))}]}`,
    })
    assert.equal(answer.statusCode, 202, answer.body)
    const receipt = answer.json<ReportReceipt>()
    assert.deepEqual([receipt.accepted, codes(receipt)], [1, [[0, 'sample_invalid']]])
    assert.deepEqual([(await stored(token)).length, (await quarantined(token)).length], [1, 1])
  })

test('more than can be kept safely is answered 429 with a pause, of one station sooner than of all, and works again afterwards', { timeout: 30_000 }, async () => {
  const token = await newToken()
  const device = readDeviceToken(secret, token)
  assert.ok(device)
  const lock = new pg.Client({ connectionString: kit.ownerUrl })
  await lock.connect()
  await lock.query('BEGIN; LOCK TABLE quarantine IN ACCESS EXCLUSIVE MODE')
  const nothing = Array.from({ length: 500 }, (_, index) => ({ index, code: 'sample_invalid', detail: '', raw: {} }))
  const submit = (at: string): Promise<ReportReceipt> => new Promise((resolve, reject) => {
    ingest.submit({ device: { ...device, station: at }, batch: makeBatch(), quarantined: [...nothing], arrival: { receivedAt: now, sentAt: null }, networkOperator: null }, (receipt, error) => (receipt === null ? reject(error as Error) : resolve(receipt)))
  })
  const waiting = Array.from({ length: 10 }, () => submit(station))
  const full = await report(token, [sample(1)])
  assert.deepEqual([ingest.waiting(), full.statusCode, full.json<{ code: string }>().code, full.headers['retry-after']], [5_000, 429, 'overloaded', '30'])
  for (let other = 0; other < 80; other++) waiting.push(submit(String(other)))
  await assert.rejects(submit(station), { code: 'overloaded' })
  for (let other = 1; other < 10; other++) waiting.push(submit('0'))
  await assert.rejects(submit('0'), { code: 'overloaded' })
  waiting.push(submit('1'))
  await assert.rejects(submit('90'), { code: 'overloaded' })
  const unread = await app.inject({ method: 'POST', url: '/v1/reports', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, payload: 'no JSON' })
  assert.deepEqual([unread.statusCode, unread.headers['retry-after']], [429, '30'])
  await lock.query('ROLLBACK')
  await lock.end()
  await Promise.all(waiting)
  await ingest.idle()
  assert.equal(ingest.waiting(), 0)
  assert.equal((await send(token, [sample(1)])).accepted, 1)
})

test('a token that was tampered with, or belongs to another station, brings nothing in', async () => {
  const token = await newToken()
  const [id, key, at, mark] = token.split('.') as [string, string, string, string]
  for (const forged of ['', 'x', `${id}.${Number(key) + 1}.${at}.${mark}`, `${id}.${key}.9999999999999.${mark}`, `${id}.${key}.${at}.${mark.slice(0, -4)}AAAA`, `${id}.${key}.${at}.`])
    assert.deepEqual([(await report(forged, [sample(1)])).statusCode, forged], [401, forged])
  assert.equal((await report(token, [sample(1)], '9999999999999')).statusCode, 403)
  assert.deepEqual(await stored(token), [])
})

test('a phone whose clock is wrong is heard all the same: its times are moved by what it is off', async () => {
  const token = await newToken()
  const ahead_ms = 3 * 3_600_000
  const byPhone = (at: number): string => new Date(at + ahead_ms).toISOString()
  const told = kept.length
  const batch = { station, sentAt: byPhone(now), samples: [sample(1, { eventAt: byPhone(now - 60_000), nextDueAt: byPhone(now + 240_000) })] }
  const answer = await app.inject({ method: 'POST', url: '/v1/reports', headers: { authorization: `Bearer ${token}` }, payload: batch })
  assert.deepEqual([answer.statusCode, answer.json<ReportReceipt>().accepted], [202, 1])
  assert.deepEqual(kept.slice(told), [[now - 60_000, now + 240_000]])
  const [row] = await stored(token)
  assert.deepEqual([row?.sample.eventAt, row?.eventAt, row?.offset_ms], [byPhone(now - 60_000), now - 60_000, -ahead_ms])
  // The same sample in a later batch is the same report, whatever the offset is by then.
  const again = await app.inject({ method: 'POST', url: '/v1/reports', headers: { authorization: `Bearer ${token}` }, payload: { ...batch, sentAt: byPhone(now - 90_000) } })
  assert.equal(again.json<ReportReceipt>().duplicates, 1)
})

test('a promise before its own sample, or days ahead, is quarantined', async () => {
  const token = await newToken()
  const receipt = await send(token, [sample(1, { nextDueAt: new Date(now - 3_600_000).toISOString() }), sample(2, { nextDueAt: '9999-12-31T00:00:00Z' }), sample(3, { nextDueAt: new Date(now).toISOString() })])
  assert.deepEqual([receipt.accepted, codes(receipt)], [1, [[0, 'promise_invalid'], [1, 'promise_invalid']]])
})
