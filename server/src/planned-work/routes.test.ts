import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import type { PlannedWorkReceipt, PlannedWorkRow } from '@kawal/contract/planned-work.ts'
import { hour_ms } from '@kawal/core/kernel/clock.ts'
import { withAlarms, type AlarmBench } from '@kawal/testkit/alarms.ts'
import { keep } from '../detection/store.ts'
import { readPlannedWork } from './store.ts'

const start = Date.UTC(2029, 1, 13, 2)
const path = '/v1/planned-work'

let bench: AlarmBench
before(async () => (bench = await withAlarms(start)))
after(() => bench.close())
beforeEach(async () => {
  bench.now = start
  await bench.owner('TRUNCATE planned_work, planned_work_turn')
  for (const list of [bench.told.planned, bench.told.withdrawn]) list.length = 0
})

const at = (hours: number): string => new Date(start + hours * hour_ms).toISOString()
const body = (more: object = {}) => ({ title: 'Fibre', reason: 'splice', areas: ['750101'], from: at(2), to: at(4), ...more })
type Work = PlannedWorkRow & { code: string; detail: string; history: { kind: string; by: string; to: string }[] }
const call = async (as: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', address = path, given?: unknown, type?: string): Promise<{ status: number; body: Work }> =>
  (await bench.call(as, method, address, given, type)) as { status: number; body: Work }
const announce = async (more: object = {}, as = 'telkomsel'): Promise<Work> => {
  const answer = await call(as, 'POST', path, body(more))
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}

test('announced, changed, withdrawn: detection is told, and the record keeps all of it', async () => {
  const work = await announce({ areas: ['7501011001', '750101', '7501011001002'] })
  assert.deepEqual([work.state, work.areas, work.operator, work.announcedBy], ['upcoming', ['750101'], 'telkomsel', 'telkomsel'])
  assert.deepEqual(bench.told.planned, [{ id: work.id, operator: 'telkomsel', from: start + 2 * hour_ms, to: start + 4 * hour_ms, areas: ['750101'] }])
  bench.now = start + 3 * hour_ms
  assert.equal((await call('telkomsel', 'GET', `${path}/${work.id}`)).body.state, 'running')
  assert.equal((await call('telkomsel', 'PATCH', `${path}/${work.id}`, { to: at(6) })).body.to, at(6))
  assert.equal((await call('telkomsel', 'PATCH', `${path}/${work.id}`, { areas: ['75'] })).status, 409)
  assert.equal((await bench.app.inject({ method: 'PATCH', url: `${path}/${work.id}`, headers: { authorization: 'Bearer telkomsel', 'if-match': '"1"' }, payload: { to: at(5) } })).statusCode, 412)
  assert.deepEqual((await readPlannedWork(bench.kit.database, bench.now)).map(({ id, to }) => [id, to]), [[work.id, start + 6 * hour_ms]])
  assert.equal((await call('telkomsel', 'DELETE', `${path}/${work.id}`)).status, 204)
  assert.deepEqual(bench.told.withdrawn, [work.id])
  const gone = (await call('bawaslu', 'GET', `${path}/${work.id}`)).body
  assert.deepEqual([gone.state, gone.withdrawnAt, gone.history.map((turn) => [turn.kind, turn.to])], ['withdrawn', at(3), [['announced', at(4)], ['changed', at(6)], ['withdrawn', at(6)]]])
  assert.equal((await call('telkomsel', 'DELETE', `${path}/${work.id}`)).status, 409)
  assert.equal((await call('telkomsel', 'PATCH', `${path}/${work.id}`, { title: 'x' })).status, 409)
  assert.deepEqual(await readPlannedWork(bench.kit.database, bench.now), [])
})

test('what was measured of work that has begun: lost in it, beside it, after it, and each reader by his own wall', async () => {
  const [work, idle] = [await announce({ areas: ['7501011001'] }), await announce({ areas: ['5301012001'] })]
  assert.deepEqual([work.measured, (await call('telkomsel', 'GET', `${path}/${work.id}`)).body.measured], [null, null])
  const codes = (village: string, ...numbers: number[]): string[] => numbers.map((number) => `${village}00${number}`)
  const lost = (id: string, operator: string, stations: readonly string[], more: Partial<LiveDisturbance> = {}): LiveDisturbance => ({
    id, stage: 'confirmed', severity: 'down', cause: 'access', confidence: 1, operator, areaCode: '750101', areaName: '', latitude: null, longitude: null, stations: [...stations], startedAt: at(2.1), suspectedAt: at(2.1), foundAt: at(2.2),
    endedAt: null, parent: null, plannedWork: null, alarms: [], evidence: { devicesExpected: 9, devicesSilent: 9, devicesBad: 0, devicesGood: 0, witnessesGood: 0, score: 30, threshold: 20, rule: '', causes: [], signs: [] }, impact: null, ticketId: null, ...more,
  })
  const own = lost('w-own', 'telkomsel', [...codes('7501011001', 1, 2, 3), ...codes('7501011002', 1)], { overran: work.id, endedAt: at(5) })
  const rows = [own, lost('w-beside', 'telkomsel', codes('7501011002', 2, 3, 4)), lost('w-others', 'indosat', codes('7501011001', 4)), lost('w-far', 'telkomsel', codes('5301999999', 1)), lost('w-before', 'telkomsel', codes('7501011001', 1), { startedAt: at(1) })]
  await keep(bench.kit.database, 'run', { disturbances: rows.map((row) => ({ row, devices: [] })), turns: [{ row: own, number: 1, at: start, turn: 'held', other: work.id }], inputs: [] })
  bench.now = start + 6 * hour_ms
  const seen = async (as: string): Promise<unknown> => (await call(as, 'GET', `${path}/${work.id}`)).body.measured
  const [beside, partly] = [{ disturbance: 'w-beside', kind: 'area', operator: 'telkomsel', stations: 3 }, { disturbance: 'w-own', kind: 'area', operator: 'telkomsel', stations: 1 }]
  const whole = { stations: 3, disturbances: ['w-own'], outside: [beside, { disturbance: 'w-others', kind: 'operator', operator: 'indosat', stations: 1 }, partly], overrun: { disturbances: ['w-own'], minutes: 60 } }
  assert.deepEqual(await seen('komdigi'), whole)
  assert.deepEqual(await seen('telkomsel'), { ...whole, outside: [beside, partly] })
  const listed = (await call('bawaslu', 'GET', path)).body as unknown as { rows: Work[] }
  assert.deepEqual(listed.rows.map(({ id, measured }) => [id, measured]), [[idle.id, { stations: 0, disturbances: [], outside: [], overrun: null }], [work.id, whole]])
})

test('what cannot be is refused with what is wrong', async () => {
  for (const [more, status, detail] of [
    [{ from: at(-1) }, 400, /announced before it begins/], [{ from: at(4), to: at(2) }, 400, /before it begins/], [{ to: at(2 + 169) }, 400, /at most 7/], [{ areas: ['99'] }, 400, /code 99/], [{ areas: [] }, 400, /areas/],
    [{ areas: ['750'] }, 400, /areas/], [{ title: 'x\0' }, 400, /U\+0000/], [{ person: 'x' }, 400, /person|additional/], [{ from: '2029-02-13T23:59:60Z' }, 400, /from/], [{ operator: 'indosat' }, 403, /no work of indosat/],
  ] as const) {
    const answer = await call('telkomsel', 'POST', path, body(more))
    assert.equal(answer.status, status, JSON.stringify([more, answer.body]))
    assert.match(answer.body.detail, detail)
  }
  assert.deepEqual(bench.told.planned, [])
})

test('work that overlaps other work of the same operator is refused with its number; the same again is known', async () => {
  const work = await announce()
  const again = await call('telkomsel', 'POST', path, body())
  assert.deepEqual([again.status, again.body.id], [200, work.id])
  const other = await call('telkomsel', 'POST', path, body({ title: 'Power', areas: ['7501011001001'], from: at(3), to: at(5) }))
  assert.deepEqual([other.status, other.body.code], [409, 'state_conflict'])
  assert.match(other.body.detail, new RegExp(`overlaps work ${work.id} \\("Fibre"`))
  await announce({ title: 'Next', from: at(4), to: at(5) })
  await announce({ title: 'Elsewhere', areas: ['53'] })
  await announce({}, 'indosat')
  const next = await announce({ title: 'After', from: at(5), to: at(6) })
  assert.equal((await call('telkomsel', 'PATCH', `${path}/${next.id}`, { from: at(3) })).status, 409)
})

test('of several that overlap at once, one gets in', async () => {
  const answers = await bench.meeting('planned_work', 8, () => Promise.all(Array.from({ length: 8 }, (_, nth) => call('telkomsel', 'POST', path, body({ title: `w${nth}` })))))
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [201, 409, 409, 409, 409, 409, 409, 409])
})

test('what is let in never overlaps, whatever is asked for', async () => {
  const asked = fc.record({ from: fc.integer({ min: 1, max: 20 }), hours: fc.integer({ min: 1, max: 6 }), areas: fc.uniqueArray(fc.constantFrom('75', '750101', '7501011001', '7501011001001', '7501011002', '53'), { minLength: 1, maxLength: 2 }) })
  await fc.assert(fc.asyncProperty(fc.array(asked, { minLength: 2, maxLength: 6 }), async (list) => {
    await bench.owner('TRUNCATE planned_work, planned_work_turn')
    for (const [nth, { from, hours, areas }] of list.entries()) assert.ok([201, 409].includes((await call('telkomsel', 'POST', path, body({ title: `w${nth}`, from: at(from), to: at(from + hours), areas }))).status))
    const kept = await readPlannedWork(bench.kit.database, start)
    for (const [nth, one] of kept.entries()) for (const other of kept.slice(nth + 1))
      assert.ok(one.to <= other.from || other.to <= one.from || !one.areas.some((a) => other.areas.some((b) => a.startsWith(b) || b.startsWith(a))), JSON.stringify([one, other]))
  }), { numRuns: 15 })
})

test('a pasted calendar: good lines are announced beside bad ones, and pasted again they are known', async () => {
  const text = ['Judul;Mulai;Selesai;Wilayah;Alasan', 'Serat;14/02/2029 01.00;14/02/2029 03.00;750101;sambung', 'Daya;14/02/2029 02.00;14/02/2029 04.00;7501011001;aki', 'Lama;01/02/2029 01.00;01/02/2029 02.00;53;x', 'Kota;14/02/2029 01.00;14/02/2029 02.00;Kupang;x', 'Timor;14/02/2029 01.00;14/02/2029 02.00;53;x'].join('\r\n')
  const paste = async (): Promise<PlannedWorkReceipt> => {
    const answer = await call('telkomsel', 'POST', path, text, 'text/csv')
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body as unknown as PlannedWorkReceipt
  }
  const first = await paste()
  assert.deepEqual([first.added, first.known, first.refused], [2, 0, 3])
  assert.deepEqual(first.rows.map((row) => [row.line, row.status]), [[2, 'added'], [3, 'refused'], [4, 'refused'], [5, 'refused'], [6, 'added']])
  for (const [nth, pattern] of [[1, /overlaps work/], [2, /past/], [3, /Kupang is no code/]] as const) assert.match(first.rows[nth]?.reason ?? '', pattern)
  assert.equal(first.rows[0]?.from, '2029-02-13T17:00:00.000Z')
  assert.equal(bench.told.planned.length, 2)
  const second = await paste()
  assert.deepEqual([second.added, second.known, second.refused, bench.told.planned.length], [0, 2, 3, 2])
  assert.equal((await call('telkomsel', 'POST', path, 'a,b\n1,2', 'text/csv')).status, 400)
  assert.match(((await call('komdigi', 'POST', path, text, 'text/csv')).body as unknown as PlannedWorkReceipt).rows[0]?.reason ?? '', /Say whose work/)
})

test('the wall: an operator sees and changes its own; the monitoring centre all; Bawaslu reads; KPU nothing', async () => {
  const work = await announce()
  const theirs = await announce({ operator: 'indosat' }, 'komdigi')
  assert.deepEqual([theirs.operator, theirs.announcedBy], ['indosat', 'komdigi'])
  const seen = async (as: string, query = ''): Promise<string[]> => ((await call(as, 'GET', path + query)).body as unknown as { rows: Work[] }).rows.map((row) => row.operator).toSorted()
  assert.deepEqual([await seen('telkomsel'), await seen('indosat'), await seen('komdigi'), await seen('bawaslu')], [['telkomsel'], ['indosat'], ['indosat', 'telkomsel'], ['indosat', 'telkomsel']])
  assert.deepEqual([await seen('komdigi', '?operator=indosat&state=upcoming&area=75'), await seen('komdigi', '?state=running'), await seen('komdigi', '?area=53')], [['indosat'], [], []])
  for (const query of ['?state=odd', '?area=x', '?colour=1', '?limit=x']) assert.equal((await call('komdigi', 'GET', path + query)).status, 400, query)
  for (const [as, status] of [['indosat', 404], ['bawaslu', 403], ['kpu', 403], ['nobody', 401]] as const) {
    assert.equal((await call(as, 'PATCH', `${path}/${work.id}`, { title: 'x' })).status, status, as)
    assert.equal((await call(as, 'DELETE', `${path}/${work.id}`)).status, status, as)
  }
  for (const [as, status] of [['indosat', 404], ['bawaslu', 200], ['kpu', 403]] as const) assert.equal((await call(as, 'GET', `${path}/${work.id}`)).status, status, as)
  assert.equal((await call('komdigi', 'POST', path, body({ operator: 'kpu' }))).status, 400)
  assert.equal((await call('komdigi', 'POST', path, body())).status, 400)
  const turns = (organisation: string, role: string) => bench.kit.database.transaction({ organisation, role }, async (client) => (await client.query<{ organisation_id: string }>('SELECT DISTINCT organisation_id FROM planned_work_turn ORDER BY 1')).rows.map((row) => row.organisation_id))
  assert.deepEqual([await turns('telkomsel', 'noc'), await turns('bawaslu', 'auditor'), await turns('kpu', 'planner')], [['telkomsel'], ['indosat', 'telkomsel'], []])
  for (const id of ['0', 'x', '999999', '1e3', `${work.id}x`]) assert.equal((await call('telkomsel', 'GET', `${path}/${id}`)).status, 404, id)
})
