import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import type { ReportReceipt } from '@kawal/contract/report.ts'
import { hour_ms, minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'
import { dutyDay, dutyDefaults, type DutyBatch, type DutyDay } from '@kawal/core/rehearsal/duty.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { deviceToken, enrol } from '../measurement/enrolment.ts'

const startAt = Date.parse('2027-02-13T22:00:00Z')
/** Villages in two regencies, three stations each, in a grid of about 1 km. */
const villages = Array.from({ length: 50 }, (_, index) => ({ code: `750${1 + (index % 2)}01${1000 + index}`, latitude: 0.5 + 0.01 * Math.floor(index / 10), longitude: 122 + 0.01 * (index % 10) }))
const stations = villages.flatMap(({ code, latitude, longitude }) => [1, 2, 3].map((number) => ({ code: `${code}00${number}`, village: code, latitude: latitude + 0.001 * number, longitude })))

async function seedStations(ownerUrl: string): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
  await owner.query(`INSERT INTO region (code, level, name, valid_from) VALUES ('75', 'province', 'Gorontalo', '2024-01-01'), ('7501', 'regency', 'Boalemo', '2024-01-01'), ('7502', 'regency', 'Bone', '2024-01-01')`)
  await owner.query(
    `INSERT INTO station (code, village_code, number, special, latitude, longitude, position_grade, zone, voters, valid_from)
     SELECT code, left(code, 10), right(code, 3)::smallint, false, latitude, longitude, 'fix', 'Asia/Makassar', 250, '2024-01-01' FROM unnest($1::text[], $2::float8[], $3::float8[]) AS _ (code, latitude, longitude)`,
    [stations.map((each) => each.code), stations.map((each) => each.latitude), stations.map((each) => each.longitude)])
  await owner.end()
}

interface Phone { readonly station: string; readonly token: string; readonly day: DutyDay }

/** Enrols phones one after the other, so that the same seed gives the same numbers. */
async function phonesOf(server: TestServer, at: readonly string[], dayOf: (station: string, index: number) => DutyDay): Promise<Phone[]> {
  const phones: Phone[] = []
  for (const [index, station] of at.entries()) {
    const device = await enrol(server.app.database, station, startAt)
    assert.ok(device !== null)
    phones.push({ station, token: deviceToken(server.app.secret, device), day: dayOf(station, index) })
  }
  return phones
}

async function post(server: TestServer, phone: Phone, batch: DutyBatch): Promise<void> {
  const { status, text, body } = await server.call<ReportReceipt>({ token: phone.token }, 'POST', '/v1/reports', { station: phone.station, sentAt: batch.sentAt, samples: batch.samples })
  assert.deepEqual([status, body.quarantined], [202, []], text)
}

const inOrder = (phones: readonly Phone[]): { phone: Phone; batch: DutyBatch }[] => phones.flatMap((phone) => phone.day.batches.map((batch) => ({ phone, batch }))).sort((a, b) => a.batch.at - b.batch.at)

/** Whole days of a few phones, offline ones among them, sent as they would be; gives what the tables hold. */
async function wholeDays(seed: number): Promise<{ reports: string[]; held: number; repeated: number }> {
  let now = startAt
  const server = await withServer(() => now, (kit) => seedStations(kit.ownerUrl))
  try {
    const at = stations.slice(0, 6).map((station) => station.code)
    const phones = await phonesOf(server, at, (station, index) => dutyDay({
      ...dutyDefaults, seed: hash32(`${seed} ${station}`), startAt: startAt + index * minute_ms, queue_max: 60, clockAhead_ms: [0, 47 * minute_ms, 0, -3 * hour_ms, 0, 20_000][index] ?? 0,
      outages: [[], [{ from: startAt + hour_ms, to: startAt + 4 * hour_ms }], [{ from: startAt, to: startAt + 14 * hour_ms }]][index % 3] ?? [],
    }))
    const batches = inOrder(phones)
    for (const { phone, batch } of batches) {
      now = batch.at
      await post(server, phone, batch)
    }
    const rows = (await storedReports(server.app.database)).sort((a, b) => (a.station < b.station ? -1 : a.station > b.station ? 1 : a.sequence - b.sequence))
    const bad = await server.app.database.transaction({ organisation: 'kawal', role: 'system' }, (client) => client.query('SELECT FROM quarantine'))
    assert.equal(bad.rowCount, 0)
    for (const phone of phones) assert.deepEqual(rows.filter((row) => row.station === phone.station).map((row) => row.sequence), phone.day.held, `what ${phone.station} sent is held, each once`)
    return { reports: rows.map((row) => JSON.stringify(row)), held: rows.length, repeated: batches.reduce((sum, { batch }) => sum + batch.samples.length, 0) - rows.length }
  } finally {
    await server.close()
  }
}

test('duties of 12 hours, offline days among them, leave the same rows whenever they are replayed from their seed', async () => {
  const first = await wholeDays(11)
  assert.ok(first.held > 500 && first.repeated > 20, `${first.held} held, ${first.repeated} sent again`)
  const second = await wholeDays(11)
  assert.deepEqual(second.reports, first.reports)
})

test('300 phones whose apps come and go: no disturbance in a quiet hour and a half, then a real outage is found', async (t) => {
  let now = startAt
  const server = await withServer(() => now, (kit) => seedStations(kit.ownerUrl))
  t.after(() => server.close())
  const [outageAt, endAt] = [startAt + 90 * minute_ms, startAt + 105 * minute_ms]
  const hit = new Set(stations.filter((station) => station.latitude < 0.52).map((station) => station.code))
  const random = seeded(5)
  const phones = await phonesOf(server, stations.flatMap((station) => [station.code, station.code]), (station, index) => {
    const operator = index % 2 === 0 ? '51010' : '51001'
    return dutyDay({
      ...dutyDefaults, seed: hash32(`5 ${station} ${index}`), startAt: startAt + Math.round(random() * 2 * minute_ms), hours: 3, sim: operator, front_ms_max: 45 * minute_ms,
      outages: operator === '51010' && hit.has(station) ? [{ from: outageAt, to: endAt + hour_ms }] : [],
    })
  })
  const batches = inOrder(phones)
  let next = 0
  for (let sweep: Instant = startAt; sweep <= endAt; sweep += 30_000) {
    const due: typeof batches = []
    for (let each = batches[next]; each !== undefined && each.batch.at <= sweep; each = batches[++next]) due.push(each)
    now = sweep
    await Promise.all(due.map(({ phone, batch }) => post(server, phone, batch)))
    await server.app.monitor.sweep(now)
    if (now < outageAt) assert.deepEqual(server.app.monitor.found().filter((row) => row.foundAt !== null), [], `minute ${(now - startAt) / minute_ms}`)
  }
  const found = server.app.monitor.found().filter((row) => row.foundAt !== null)
  assert.deepEqual(found.map((row) => [row.operator, row.severity, row.stage]), [['telkomsel', 'down', 'confirmed']])
  assert.match(found[0]?.cause ?? '', /^(access|backhaul)$/)
  assert.ok((found[0]?.stations.filter((code) => hit.has(code)).length ?? 0) > 0.6 * hit.size, JSON.stringify(found[0]?.stations))
})
