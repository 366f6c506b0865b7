import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { PositionFix, PositionFixes, PositionReceipt } from '@kawal/contract/readiness.ts'
import { deviceToken, enrol } from '../measurement/enrolment.ts'
import { north, planned, seedPlan } from '@kawal/testkit/plan.ts'
import { withServer, type Answer, type TestServer } from '@kawal/testkit/server.ts'

let server: TestServer
let owner: pg.Client
let today = ''
const [good = '', blank = '', perhaps = '', blank2 = '', blank3 = ''] = planned.stations
const stranger = planned.stations.at(-1) ?? ''

before(async () => {
  server = await withServer(Date.now, async (kit) => {
    owner = new pg.Client({ connectionString: kit.ownerUrl })
    await owner.connect()
    await owner.query("INSERT INTO organisation (id, kind, name) VALUES ('dinas', 'helpdesk', 'Dinas')")
    await seedPlan(kit.ownerUrl)
    today = (await owner.query<{ today: string }>('SELECT current_date::text AS today')).rows[0]?.today ?? ''
  })
})
after(async () => {
  await owner.end()
  await server.close()
})

const give = (station: string, fields: object): Promise<Answer<PositionReceipt & { code: string; detail: string }>> => server.call('kpu', 'POST', `/v1/stations/${station}/position`, { validFrom: '2028-05-01', ...fields })
async function phone(station: string): Promise<{ token: string; measure(fields: object): Promise<Answer<PositionReceipt & { code: string }>> }> {
  const device = await enrol(server.app.database, station, Date.now())
  assert.ok(device !== null)
  const token = deviceToken(server.app.secret, device)
  return { token, measure: (fields) => server.call({ token }, 'POST', '/v1/position', { accuracyM: 20, givenAt: new Date().toISOString(), ...fields }) }
}
async function versions(station: string): Promise<string[]> {
  const { rows } = await owner.query<{ said: string }>(
    `SELECT concat_ws(' ', valid_from, coalesce(valid_to::text, 'open'), position_grade, round(((latitude - 0.6) * 111.195)::numeric, 1), voters, zone) AS said FROM station WHERE code = $1 ORDER BY valid_from`, [station])
  return rows.map((row) => row.said)
}
const waiting = async (query = '?status=open'): Promise<PositionFixes> => (await server.call<PositionFixes>('dinas', 'GET', `/v1/positions${query}`)).body

test('KPU\'s position makes the next version, with all else as it was; the same day is corrected in place', async () => {
  const first = await give(blank, north(1))
  assert.deepEqual([first.status, first.body.status, first.body.warnings, Math.round((first.body.distanceKm ?? 0) * 10) / 10], [201, 'accepted', [], 1])
  assert.deepEqual(await versions(blank), ['2024-01-01 2028-05-01 village 0.0 250 Asia/Makassar', '2028-05-01 open fix 1.0 250 Asia/Makassar'])
  await give(blank, north(1.2))
  assert.deepEqual((await versions(blank)).slice(1), ['2028-05-01 open fix 1.2 250 Asia/Makassar'])
  const before = await give(blank, { ...north(1), validFrom: '2028-04-01' })
  assert.deepEqual([before.status, before.body.code], [409, 'state_conflict'])
  assert.match(before.body.detail, /later day/)
})

test('far from its village is said, and a slip is refused unless they are sure', async () => {
  assert.deepEqual((await give(perhaps, north(8))).body.warnings, ['outside_village', 'far_from_village'])
  const slip = await give(perhaps, north(60))
  assert.deepEqual([slip.status, slip.body.code], [409, 'state_conflict'])
  assert.match(slip.body.detail, /60 km/)
  assert.equal((await give(perhaps, { ...north(60), sure: true })).status, 201)
  assert.deepEqual((await give(stranger, north(1))).body.warnings, ['village_unplaced'])
  for (const fields of [{ latitude: 51.5, longitude: 0 }, { latitude: 122.9, longitude: 0.6 }, { latitude: null, longitude: 122.9 }, { latitude: '0.6', longitude: 122.9 }, { ...north(1), validFrom: '1 May' }, { ...north(1), more: true }])
    assert.deepEqual([(await give(perhaps, fields)).body.code], ['body_invalid'], JSON.stringify(fields))
  assert.deepEqual((await give('7501012001777', north(1))).body.code, 'station_unknown')
})

test('an exact position in the village is taken by itself; one that is not waits for KPU', async () => {
  const exact = await (await phone(blank2)).measure(north(10.5))
  assert.deepEqual([exact.status, exact.body.status, exact.body.warnings], [201, 'accepted', []])
  assert.deepEqual((await versions(blank2)).at(-1), `${today} open fix 10.5 300 Asia/Makassar`)
  const again = await (await phone(blank2)).measure(north(10.55))
  assert.deepEqual([again.body.status, (await versions(blank2)).length], ['accepted', 2], 'the same place is no news')
  const elsewhere = await (await phone(blank2)).measure(north(11.5))
  assert.deepEqual([elsewhere.body.status, elsewhere.body.warnings], ['open', ['placed_already']])
  const vague = await (await phone(blank3)).measure({ ...north(10.2), accuracyM: 101 })
  assert.deepEqual([vague.body.status, vague.body.warnings], ['open', ['inaccurate']])
  const outside = await (await phone(blank3)).measure(north(20))
  assert.deepEqual([outside.body.status, outside.body.warnings], ['open', ['outside_village']])
  const unplaced = await (await phone('7501022001001')).measure(north(43))
  assert.deepEqual(unplaced.body.warnings, ['far_from_village'])
  assert.equal((await (await phone('7501022001001')).measure(north(41.5))).body.status, 'accepted', 'near the point of a village without an area')
  assert.deepEqual((await waiting()).rows.map((row) => [row.station, row.insideVillage, row.village]), [[blank2, true, 'Bongo'], [blank3, true, 'Bongo'], [blank3, false, 'Bongo'], ['7501022001001', null, 'Piloliyanga']])
  assert.equal((await versions(blank3)).length, 1)
})

test('a device keeps one position, the newest by its own clock, and none from the future', async () => {
  const { measure } = await phone(good)
  const at = Date.now()
  const first = await measure({ ...north(2.5), givenAt: new Date(at - 60_000).toISOString() })
  const second = await measure({ ...north(2.6), givenAt: new Date(at - 30_000).toISOString() })
  const late = await measure({ ...north(2.7), givenAt: new Date(at - 90_000).toISOString() })
  assert.deepEqual([late.status, late.body.id], [201, second.body.id])
  assert.notEqual(first.body.id, second.body.id)
  const own = async (): Promise<string[]> => (await waiting(`?area=${good.slice(0, 10)}&status=open`)).rows.filter((row) => row.station === good).map((row) => ((row.latitude - 0.6) * 111.195).toFixed(1))
  assert.deepEqual(await own(), ['2.6'])
  await measure({ ...north(2.8), givenAt: '2040-01-01T00:00:00Z' })
  await measure({ ...north(2.9), givenAt: new Date(Date.now() + 1).toISOString() })
  assert.deepEqual(await own(), ['2.9'], 'a clock that ran ahead does not hold its place')
  assert.deepEqual([(await server.call('kpu', 'POST', `/v1/positions/${first.body.id}/decision`, { decision: 'accepted' })).status], [404])
  const forged = await server.call({ token: 'a.1.7501012001001.x' }, 'POST', '/v1/position', { ...north(1), accuracyM: 5, givenAt: new Date(at).toISOString() })
  assert.deepEqual([forged.status, forged.body.code], [401, 'device_unknown'])
})

test('KPU decides what waits, once', async () => {
  const { rows } = await waiting()
  const vague = rows.find((row) => row.station === blank3 && row.insideVillage === true)
  const outside = rows.find((row) => row.station === blank3 && row.insideVillage === false)
  const decide = (id: string | undefined, body: object): Promise<Answer<PositionFix & { code: string }>> => server.call('kpu', 'POST', `/v1/positions/${id}/decision`, body)
  const both = await Promise.all([decide(vague?.id, { decision: 'accepted', remark: 'asked' }), decide(vague?.id, { decision: 'refused' })])
  assert.deepEqual(both.map((answer) => answer.status).sort(), [200, 409])
  assert.deepEqual([(await decide(outside?.id, { decision: 'refused' })).body.status], ['refused'])
  assert.equal((await decide('nothing', { decision: 'accepted' })).status, 404)
  const { rows: accepted } = await waiting(`?status=accepted&area=${blank3}`.replace(blank3, blank3.slice(0, 10)))
  const taken = accepted.some((row) => row.station === blank3)
  assert.equal((await versions(blank3)).length, taken ? 2 : 1)
})

test('a planned move is not undone by a phone', async () => {
  const station = '7501012002901'
  await owner.query("UPDATE station SET position_grade = 'village' WHERE code = $1", [station])
  assert.equal((await give(station, { ...north(10.4), validFrom: '2029-02-14' })).status, 201)
  const answer = await (await phone(station)).measure(north(9.9))
  assert.deepEqual([answer.body.status, answer.body.warnings], ['open', ['version_later']])
})
