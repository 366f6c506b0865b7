import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { ComparedSlots, RecapComparison, RecapSlot } from '@kawal/contract/comparison.ts'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { RecapState, StationRecaps } from '@kawal/contract/recap.ts'
import type { RecapConflicts, RecapOverview, StuckRecaps } from '@kawal/contract/recap-overview.ts'
import type { Enrolled } from '@kawal/contract/report.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { readLetterCode } from '@kawal/core/measurement/letter.ts'
import { compareSlot } from '@kawal/core/recap/comparison.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { contestDefaults } from '@kawal/core/recap/judge.ts'
import { slotsOf, type Side } from '@kawal/core/recap/slot.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { soundTotals } from '@kawal/testkit/recaps.ts'
import { startReceiver, type Receiver } from '@kawal/testkit/receiver.ts'
import { withServer, type Asked, type TestServer } from '@kawal/testkit/server.ts'
import { stationCode } from '../measurement/enrolment.ts'
import { recapOf } from './stored.ts'

let now = Date.UTC(2029, 1, 14, 9)
const [first = '', second = '', third = ''] = planned.stations
let server: TestServer
let receiver: Receiver
let owner: pg.Pool

before(async () => {
  receiver = await startReceiver('rahasia')
  server = await withServer(() => now, seedRecaps, { recaps: { receiver: { url: receiver.url, token: 'rahasia' }, contests: { ppwp: { ceiling: 300 }, dpd: { ceiling: 300 } } } })
  owner = new pg.Pool({ connectionString: server.kit.ownerUrl, max: 1 })
})
after(async () => {
  await owner.end()
  await server.close()
  await receiver.close()
})

interface Sender { readonly phone: RecapPhone; readonly token: string; readonly role: string }
const codeOf = (station: string, role: Side): string => stationCode(server.app.secret, station, role)
async function ask(phone: RecapPhone, station: string, code: string): Promise<{ readonly status: number; readonly body: Enrolled & { readonly code: string } }> {
  const answer = await fetch(`${server.app.url}/v1/devices`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(phone.enrolment(station, code)) })
  return { status: answer.status, body: await answer.json() as never }
}
async function enrol(station: string, role: Side): Promise<Sender> {
  const phone = await recapPhone(station)
  const { status, body } = await ask(phone, station, codeOf(station, role))
  assert.equal(status, 201)
  return { phone, token: body.token, role: body.role }
}
async function send({ phone, token }: Sender, more: Parameters<RecapPhone['record']>[0] = {}): Promise<string> {
  const bytes = await phone.record(more)
  assert.equal((await fetch(`${server.app.url}/v1/recaps`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': envelope_type }, body: new Uint8Array(bytes) })).status, 201)
  return createHash('sha256').update(bytes).digest('hex')
}
async function pass(): Promise<void> {
  now += 2 * minute_ms
  await server.app.tick(now)
  await server.app.recapsIdle()
}
const comparison = async (query = '', as: Asked = 'bawaslu'): Promise<RecapComparison> => (await server.call<RecapComparison>(as, 'GET', `/v1/recaps/comparison${query}`)).body
const slots = async (kind: string, query = ''): Promise<ComparedSlots> => (await server.call<ComparedSlots>('bawaslu', 'GET', `/v1/recaps/comparison/slots?kind=${kind}${query}`)).body
const slot = async (station: string, contest = 'ppwp'): Promise<RecapSlot> => (await server.call<RecapSlot>('bawaslu', 'GET', `/v1/recaps/slots/${station}/${contest}`)).body
const votes = (value: number): (number | null)[] => soundTotals.with(22, value)
const bytesOf = (hash: string): Uint8Array => Uint8Array.from(Buffer.from(hash, 'hex'))

test("a letter's code says the role, and neither code opens the other; at one station a phone has one role", async () => {
  const [officer, supervisor] = [await enrol(first, 'officer'), await enrol(first, 'supervisor')]
  assert.deepEqual([officer.role, supervisor.role], ['officer', 'supervisor'])
  const { rows } = await owner.query<{ role: string; public_key: Buffer }>('SELECT role, public_key FROM device WHERE station_code = $1 ORDER BY key', [first])
  assert.deepEqual(rows.map(({ role, public_key }) => [role, public_key.toString('hex')]), [['officer', officer.phone.publicKey.toString('hex')], ['supervisor', supervisor.phone.publicKey.toString('hex')]])
  // the code alone says the role, and whoever names another is not heard
  assert.notEqual(codeOf(first, 'officer'), codeOf(first, 'supervisor'))
  for (const role of ['officer', 'supervisor'] as const) {
    assert.ok(readLetterCode(codeOf(first, role)).ok)
    assert.deepEqual(await ask(await recapPhone(first), first, codeOf(second, role)).then(({ status, body }) => [status, body.code]), [403, 'code_wrong'])
    const named = await server.call<Enrolled>({ token: '' }, 'POST', '/v1/devices', { station: first, code: codeOf(first, role), role: role === 'officer' ? 'supervisor' : 'officer' })
    assert.deepEqual([named.status, named.body.role], [201, role])
  }
  assert.deepEqual(await ask(officer.phone, first, codeOf(first, 'supervisor')).then(({ status, body }) => [status, body.code]), [409, 'role_other'])
  assert.deepEqual(await ask(supervisor.phone, first, codeOf(first, 'officer')).then(({ status, body }) => [status, body.code]), [409, 'role_other'])
  assert.deepEqual(await ask(supervisor.phone, first, codeOf(first, 'supervisor')).then(({ status, body }) => [status, body.role]), [200, 'supervisor'])
  await assert.rejects(owner.query("INSERT INTO device (id, station_code, number, enrolled_at, public_key, role) VALUES (gen_random_uuid(), $1, 9, now(), $2, 'officer')", [first, supervisor.phone.publicKey]), /device_station_code_public_key_key/)
  await assert.rejects(server.app.database.transaction({ organisation: 'kawal', role: 'system' }, (client) => client.query("UPDATE device SET role = 'officer'")), /permission denied/)
})

test('officers leave the supervisor his places, and the other way round', async () => {
  for (let nth = 0; nth < 6; nth++) await enrol(third, 'supervisor')
  assert.deepEqual(await ask(await recapPhone(third), third, codeOf(third, 'supervisor')).then(({ status, body }) => [status, body.code]), [409, 'station_full'])
  assert.equal((await enrol(third, 'officer')).role, 'officer')
})

test("the log tells whose a key is by itself, a supervisor's in an entry of kind 5 and in no other", async () => {
  await pass()
  const size = Number((await (await fetch(`${server.app.url}/ledger/checkpoint`)).text()).split('\n')[1])
  const bundle = readBundle(new Uint8Array(await (await fetch(`${server.app.url}/ledger/tile/entries/000.p/${size}`)).arrayBuffer()))
  assert.ok(bundle.ok)
  const logged = bundle.value.flatMap((bytes) => {
    const entry = readEntry(bytes)
    return entry.ok && (entry.value.kind === 'enrolment' || entry.value.kind === 'supervision') ? [`${entry.value.kind} ${Buffer.from(entry.value.publicKey).toString('hex')}`] : []
  })
  const { rows } = await owner.query<{ role: string; public_key: Buffer }>('SELECT role, public_key FROM device WHERE public_key IS NOT NULL')
  assert.deepEqual(logged.sort(), rows.map(({ role, public_key }) => `${role === 'supervisor' ? 'supervision' : 'enrolment'} ${public_key.toString('hex')}`).sort())
})

test('both sides are there, compared and counted; what is Bawaslu\'s goes to no receiver, replaces nothing of KPU\'s and is no due of it', async () => {
  const [officer, supervisor] = [await enrol(second, 'officer'), await enrol(second, 'supervisor')]
  const theirs = await send(officer)
  await pass()
  assert.deepEqual([(await comparison()).total.officer_only, (await comparison()).total.agree], [1, 0])
  const his = await send(supervisor)
  await pass()
  assert.deepEqual([(await comparison()).total.agree, (await slot(second)).kind], [1, 'agree'])
  const wrong = await send(supervisor, { totals: votes(728 - 600), replaces: bytesOf(his) })
  const across = await send(supervisor, { totals: votes(129), replaces: bytesOf(theirs) })
  await pass()
  await pass()
  assert.equal((await slot(second)).kind, 'conflict')
  await send(supervisor, { totals: votes(129), replaces: bytesOf(wrong) })
  await pass()
  const shown = await slot(second)
  assert.deepEqual([shown.kind, shown.differences], ['differ', [{ field: 'votes_1', officer: 128, supervisor: 129, misreading: 'digit', fits: 'officer' }]])
  assert.deepEqual(shown.slots.find(({ side }) => side === 'supervisor')?.loose, [{ hash: across, replaces: theirs, why: 'other_side' }])
  assert.deepEqual(shown.slots.find(({ side }) => side === 'officer')?.chains, [[theirs]])
  assert.ok(shown.records.length === 5 && shown.records.every(({ receipt, publicKey, keyEntry, totals }) => receipt !== null && publicKey !== null && keyEntry !== null && totals !== null))
  assert.deepEqual(receiver.held().map(({ hash }) => hash), [theirs])
  const overview = (await server.call<RecapOverview>('kpu', 'GET', '/v1/recaps/overview')).body.total
  assert.deepEqual([overview.recorded, overview.delivered, overview.conflicts], [1, 1, 0])
  assert.deepEqual((await server.call<RecapOverview>('kpu', 'GET', `/v1/recaps/overview?area=${second.slice(0, 10)}`)).body.rows.find(({ code }) => code === second)?.recorded, 1)
  assert.deepEqual((await server.call<StuckRecaps>('kpu', 'GET', '/v1/recaps/stuck?kind=delivery')).body.rows, [])
  const state = (await server.call<RecapState>({ token: supervisor.token }, 'GET', `/v1/recaps/${his}`)).body
  assert.deepEqual([state.state, state.side, state.deliveredAt], ['counts', 'supervisor', null])
})

test('lists name each field that differs, page by page and as CSV; a supervisor alone, and what lies in quarantine, are told apart', async () => {
  const [officer, supervisor, alone] = [await enrol(third, 'officer'), await enrol(first, 'supervisor'), await enrol(first, 'officer')]
  await send(supervisor, { contest: 'dpd' })
  await send(officer, { contest: 'dpd', totals: votes(905) })
  await send(alone, { totals: votes(100) })
  await send(supervisor, { totals: soundTotals.map((value, at) => (at < 3 ? value + 1 : value)) })
  await pass()
  const { total, contests, rows } = await comparison('?area=750101')
  assert.deepEqual([total.differ, total.supervisor_only, total.quarantine, total.expected, total.neither], [2, 1, 1, 12, 8])
  assert.deepEqual(contests.map(({ contest, differ, quarantine }) => [contest, differ, quarantine]), [['ppwp', 2, 0], ['dpd', 0, 1]])
  assert.deepEqual(rows.map(({ code, differ }) => [code, differ]), [['7501012001', 2], ['7501012002', 0]])
  const differ = await slots('differ')
  assert.deepEqual(differ.rows.map(({ station, differences }) => [station, differences.map(({ field }) => field)]), [[first, ['voters_dpt_male', 'voters_dpt_female', 'voters_dpt', 'votes_1']], [second, ['votes_1']]])
  assert.deepEqual((await slots('supervisor_only')).rows.map(({ station, contest, records }) => [station, contest, records.map(({ side }) => side)]), [[first, 'dpd', ['supervisor']]])
  assert.deepEqual((await slots('quarantine')).rows.map(({ station, records }) => [station, records.map(({ side, reason }) => [side, reason])]), [[third, [['officer', 'totals_impossible']]]])
  assert.equal((await slots('differ', '&area=7502')).rows.length, 0)
  const csv = (await server.call('bawaslu', 'GET', '/v1/recaps/comparison/slots?kind=differ&format=csv')).text.trimEnd().split('\n')
  assert.equal(csv.length, 1 + 5)
  assert.match(csv[1] ?? '', /^differ,\d{13},".*",ppwp,voters_dpt_male,127,128,digit,/)
  assert.match((await server.call('bawaslu', 'GET', '/v1/recaps/comparison?format=csv')).text, /^code,name,stations,expected,agree,differ,/)
})

test('who may: Bawaslu, KPU and the monitoring centre; a helpdesk, which works for the officers, sees nothing of supervisors', async () => {
  for (const path of ['/v1/recaps/comparison', '/v1/recaps/comparison/slots', `/v1/recaps/slots/${second}/ppwp`]) {
    for (const as of ['bawaslu', 'kpu', 'komdigi'] as const) assert.equal((await server.call(as, 'GET', path)).status, 200, `${as} ${path}`)
    for (const as of ['dinas', 'telkomsel', 'bakti', 'apjii'] as const) assert.deepEqual(await server.call(as, 'GET', path).then(({ status, body }) => [status, body.code]), [403, 'not_allowed'], `${as} ${path}`)
  }
  await owner.query("UPDATE organisation SET area_code = '75' WHERE id = 'dinas'")
  const seen = async (as: Asked): Promise<unknown[]> => [...new Set((await server.call<StationRecaps>(as, 'GET', `/v1/stations/${second}/recaps`)).body.records.map(({ side }) => side))].sort()
  assert.deepEqual([await seen('bawaslu'), await seen('dinas')], [['officer', 'supervisor'], ['officer']])
  assert.deepEqual((await server.call<RecapConflicts>('kpu', 'GET', '/v1/recaps/conflicts')).body.rows, [])
  assert.equal((await server.call('bawaslu', 'GET', '/v1/recaps/comparison?area=99')).status, 404)
  assert.equal((await server.call('bawaslu', 'GET', '/v1/recaps/comparison?contest=pilkada')).status, 400)
  assert.equal((await server.call('bawaslu', 'GET', `/v1/recaps/slots/${second}/pilkada`)).status, 404)
})

test("supervisors' letters are Bawaslu's to issue, and each time is written down", async () => {
  for (const as of ['kpu', 'komdigi', 'dinas'] as const) assert.equal((await server.call(as, 'POST', '/v1/supervisor-letters', { area: '7501012001' })).body.code, 'not_allowed', as)
  assert.equal((await server.call('bawaslu', 'POST', '/v1/supervisor-letters', { area: '99' })).body.code, 'not_found')
  const { status, text, type } = await server.call('bawaslu', 'POST', '/v1/supervisor-letters', { area: '7501012001' })
  const [head, ...rows] = text.trimEnd().split('\n')
  assert.deepEqual([status, type, head, rows.length], [200, 'text/csv; charset=utf-8', 'station,village,district,regency,province,code,link', 3])
  const given = readLetterCode(rows[0]?.split(',')[5] ?? '')
  assert.deepEqual(given, { ok: true, value: codeOf(first, 'supervisor') })
  const { rows: issued } = await owner.query('SELECT organisation_id, area, stations FROM supervisor_letter')
  assert.deepEqual(issued, [{ organisation_id: 'bawaslu', area: '7501012001', stations: 3 }])
  const { rows: audited } = await owner.query<{ n: number }>("SELECT count(*)::int AS n FROM audit WHERE path = '/v1/supervisor-letters' AND organisation_id = 'bawaslu'")
  assert.ok((audited[0]?.n ?? 0) >= 1)
})

test('what the database counts is what the core says of the records, also of those that an older program judged', async () => {
  const random = seeded(20290214)
  const senders = [await enrol(first, 'officer'), await enrol(first, 'supervisor'), await enrol(second, 'officer'), await enrol(second, 'supervisor')]
  const sent: string[] = []
  for (let nth = 0; nth < 40; nth++) {
    const replaces = random() < 0.5 && sent.length > 0 ? bytesOf(sent[Math.floor(random() * sent.length)] ?? '') : null
    sent.push(await send(senders[Math.floor(random() * senders.length)] as Sender, { contest: random() < 0.5 ? 'ppwp' : 'dpd', totals: votes([128, 129, 905][Math.floor(random() * 3)] ?? 0), replaces }))
  }
  await owner.query('UPDATE recap SET figures = NULL WHERE entry % 2 = 0')
  await pass()
  const { rows } = await owner.query<{ hash: Buffer; bytes: Buffer; station_code: string; contest: string; side: Side | null; reason: string | null }>('SELECT recap.hash, bytes, station_code, contest, side, reason FROM recap JOIN ledger_entry ON index = recap.entry')
  const expected = new Map<string, number>()
  for (const station of [first, second, third]) for (const contest of ['ppwp', 'dpd']) {
    const its = rows.filter((row) => row.station_code === station && row.contest === contest)
    const held = its.flatMap(({ hash, bytes, side, reason }) => {
      const recap = recapOf(bytes)
      return reason === null && side !== null && recap !== null ? [{ hash: hash.toString('hex'), recap, side }] : []
    })
    const { kind } = compareSlot(slotsOf(held)[0] ?? null, new Set(its.flatMap(({ side, reason }) => (reason === null ? [] : [side]))), contestDefaults)
    assert.equal((await slot(station, contest)).kind, kind)
    expected.set(kind, (expected.get(kind) ?? 0) + 1)
  }
  const total: Record<string, number> = (await comparison('?area=7501012001')).total
  for (const [kind, count] of expected) assert.equal(total[kind], count, kind)
  assert.deepEqual((await comparison('?area=750101')).total, { ...total, expected: 12, neither: (total['neither'] ?? 0) + 6 })
  for (const kind of ['agree', 'differ', 'conflict', 'quarantine']) assert.equal((await slots(kind, '&area=7501012001')).rows.length, expected.get(kind) ?? 0, kind)
})
