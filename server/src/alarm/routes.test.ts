import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import fc from 'fast-check'
import type { AlarmRow } from '@kawal/contract/alarm.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { alarmStations, withAlarms, type AlarmBench } from '@kawal/testkit/alarms.ts'
import { createFootprint } from './footprint.ts'
import { readActiveAlarms } from './hand-over.ts'

const start = Date.UTC(2029, 1, 14, 2)
const base = '/tmf-api/alarmManagement/v4'
const path = `${base}/alarm`
const standard = join(import.meta.dirname, '../../../../shared/suites/standards/tmf642/TMF642-Alarm-v4.0.0.swagger.json')
const absent = existsSync(standard) ? false : `${standard} is not here`

type Json = Record<string, unknown>
interface Tmf extends Json { id: string; state: string; perceivedSeverity: string; code: string; detail: string; reason: string; alarmChangedTime: string }

let bench: AlarmBench
before(async () => {
  bench = await withAlarms(start)
  await bench.owner(`WITH made AS (INSERT INTO claim (organisation_id, technology, valid_from, kind, complete, file, sha256, features, accepted, imported_at) VALUES ('telkomsel', 'lte', '2024-01-01', 'sites', true, 'a', '', 1, 1, now()) RETURNING id)
    INSERT INTO cell_site (claim_id, line, plmn, area, cell, latitude, longitude) SELECT id, line, '51010', 7, 25600 + line, 0.5, 123 FROM made, generate_series(1, 3) AS line`)
  await bench.owner("INSERT INTO access_point (id, kind, name, village_code, source, valid_from) VALUES ('ai-1', 'ai', 'a', '7501011002', 'test', '2024-01-01')")
})
after(() => bench.close())
beforeEach(() => {
  bench.now = start
  for (const list of [bench.told.placed, bench.told.cleared]) list.length = 0
})

const at = (minutes: number): string => new Date(start + minutes * minute_ms).toISOString()
let names = 0
const body = (more: Json = {}): Json => ({
  externalAlarmId: `x-${++names}`, alarmType: 'Equipment Alarm', perceivedSeverity: 'Major', probableCause: 'commercialPowerFailure', alarmedObject: { id: '25601' }, alarmedObjectType: 'Cell', sourceSystemId: 'oss-1', state: 'raised', alarmRaisedTime: at(-5), ...more,
})
async function post(more: Json = {}, as = 'telkomsel'): Promise<Tmf> {
  const answer = await bench.call(as, 'POST', path, body(more))
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body as Tmf
}
const list = async (as: string, query = ''): Promise<Tmf[]> => (await bench.call(as, 'GET', `${path}${query}`)).body as Tmf[]

/** A validator of the published Swagger file, but for an alarm's id: a whole number there, a text in TMF630's rules and in the conformance kit. */
function published(): (definition: string) => ValidateFunction {
  const { definitions } = JSON.parse(readFileSync(standard, 'utf8')) as { definitions: Json }
  const ids = Object.values(definitions).map((definition) => (definition as { properties?: { id?: { type: string } } }).properties?.id).filter((id) => id?.type === 'integer')
  assert.ok(ids.length > 0)
  for (const id of ids) if (id !== undefined) id.type = 'string'
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  return (definition) => ajv.compile({ definitions, $ref: `#/definitions/${definition}` })
}

test('every answer is what TMF642 v4.0.0 says, for every alarm that it allows', { skip: absent }, async () => {
  const of = published()
  const [isCreate, isAlarm, isError] = [of('Alarm_Create'), of('Alarm'), of('Error')]
  const valid = (check: ValidateFunction, value: unknown): void => assert.ok(check(value), `${JSON.stringify(check.errors?.slice(0, 3))} ${JSON.stringify(value)}`)
  const text = fc.string({ maxLength: 20 }).map((value) => value.replaceAll('\0', ''))
  const time = fc.date({ min: new Date('2010-01-01T00:00:00Z'), max: new Date(start), noInvalidDate: true }).map((date) => date.toISOString())
  const created = fc.record({
    alarmType: fc.constantFrom('Communications Alarm', 'equipmentAlarm', 'odd'), perceivedSeverity: fc.constantFrom('critical', 'Major', 'MINOR', 'warning', 'indeterminate', 'cleared'), probableCause: fc.constantFrom('lossOfSignal', '106', 'whatever'),
    alarmedObject: fc.record({ id: text, href: text }, { requiredKeys: [] }), sourceSystemId: text, state: fc.constantFrom('raised', 'updated', 'cleared'), alarmRaisedTime: time,
    alarmChangedTime: time, alarmReportingTime: time, ackState: text, alarmDetails: text, specificProblem: text, isRootCause: fc.boolean(), serviceAffecting: fc.boolean(), plannedOutageIndicator: text,
    affectedService: fc.array(fc.record({ id: text }), { maxLength: 3 }), comment: fc.array(fc.record({ comment: text, time }), { maxLength: 2 }), parentAlarm: fc.array(fc.record({ id: text }), { maxLength: 2 }),
    place: fc.array(fc.record({ id: text, name: text, role: text }), { maxLength: 2 }), crossedThresholdInformation: fc.record({ indicatorName: text }), '@type': text, extension: fc.jsonValue(),
  }, { requiredKeys: ['alarmType', 'perceivedSeverity', 'probableCause', 'alarmedObject', 'sourceSystemId', 'state', 'alarmRaisedTime'] })
  await fc.assert(fc.asyncProperty(created, async (given) => {
    valid(isCreate, given)
    const answer = await bench.call('telkomsel', 'POST', path, given)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    valid(isAlarm, answer.body)
    valid(isAlarm, (await bench.call('telkomsel', 'GET', `${path}/${(answer.body as Tmf).id}`)).body)
  }), { numRuns: 60 })
  for (const alarm of await list('telkomsel', '?limit=100')) valid(isAlarm, alarm)
  for (const answer of [await bench.call('telkomsel', 'POST', path, {}), await bench.call('telkomsel', 'GET', `${path}/999999`), await bench.call('nobody', 'GET', path), await bench.call('kpu', 'GET', path), await bench.call('telkomsel', 'DELETE', `${path}/1`)]) {
    assert.ok(answer.status >= 400)
    valid(isError, answer.body)
  }
  const { externalAlarmId } = await post()
  const alarmPattern = [{ externalAlarmId }]
  for (const [task, definition, given] of [
    ['ackAlarms', 'AckAlarms', { ackSystemId: 's', ackUserId: 'u' }], ['unAckAlarms', 'UnAckAlarms', { ackSystemId: 's', ackUserId: 'u' }],
    ['commentAlarms', 'CommentAlarms', { comment: { comment: 'c' } }], ['clearAlarms', 'ClearAlarms', { clearSystemId: 's', clearUserId: 'u', alarmClearedTime: at(0) }],
  ] as const) {
    valid(of(`${definition}_Create`), { ...given, alarmPattern })
    const answer = await bench.call('telkomsel', 'POST', `${base}/${task}`, { ...given, alarmPattern })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    valid(of(definition), answer.body)
    assert.deepEqual((await bench.call('telkomsel', 'GET', `${base}/${task}/${(answer.body as unknown as { id: string }).id}`)).body, answer.body)
    assert.equal(((await bench.call('telkomsel', 'GET', `${base}/${task}`)).body as unknown[]).length, 1)
  }
})

test('the address of the published description answers too', async () => {
  const alarm = await post()
  assert.deepEqual((await bench.call('telkomsel', 'GET', `/tmf-api/alarm/v4/alarm/${alarm.id}`)).body, (await bench.call('telkomsel', 'GET', `${path}/${alarm.id}`)).body)
})

test('one name is one alarm: a later state changes it, an earlier or repeated one does not', async () => {
  const raised = await post({ alarmChangedTime: at(-5) })
  const { externalAlarmId } = raised
  const cleared = await post({ externalAlarmId, perceivedSeverity: 'cleared', state: 'cleared', alarmChangedTime: at(-1), alarmClearedTime: at(-1) })
  assert.deepEqual([cleared.id, cleared.state, cleared.perceivedSeverity], [raised.id, 'cleared', 'cleared'])
  const late = await post({ externalAlarmId, perceivedSeverity: 'critical', alarmChangedTime: at(-3) })
  assert.deepEqual([late.state, late.alarmChangedTime], ['cleared', at(-1)])
  assert.deepEqual(bench.told.placed.map((alarm) => [alarm.id, alarm.operator, alarm.severity, alarm.suggests, alarm.raisedAt, alarm.stations.length]), [[String(raised.id), 'telkomsel', 'major', 'power', start - 5 * minute_ms, 3]])
  assert.deepEqual(bench.told.cleared, [{ id: String(raised.id), at: start - minute_ms }])
  const again = await post({ externalAlarmId, alarmRaisedTime: at(0), alarmChangedTime: at(0) })
  assert.deepEqual([again.id, again.state], [raised.id, 'updated'])
  const { body: detail } = await bench.call('telkomsel', 'GET', `/v1/alarms/${raised.id}`)
  const { raisedCount, history } = detail as AlarmRow & { history: { kind: string; message: string }[] }
  assert.deepEqual([raisedCount, history.map((turn) => turn.kind)], [2, ['raised', 'cleared', 'raised_again']])
  assert.equal((JSON.parse(history[0]?.message ?? '') as Json)['externalAlarmId'], externalAlarmId, 'the message as it came')
  assert.notEqual((await post({ externalAlarmId }, 'indosat')).id, raised.id, 'another organisation has names of its own')
})

test('an alarm without a name of its own is the same when it is sent again', async () => {
  const nameless = { externalAlarmId: undefined, specificProblem: 'mains' }
  assert.equal((await post(nameless)).id, (await post(nameless)).id)
  assert.notEqual((await post(nameless)).id, (await post({ ...nameless, alarmRaisedTime: at(-4) })).id)
})

test('the same alarm many times at once is raised once', async () => {
  const externalAlarmId = `x-${++names}`
  const answers = await Promise.all(Array.from({ length: 20 }, () => post({ externalAlarmId })))
  assert.equal(new Set(answers.map((answer) => answer.id)).size, 1)
  const history = await bench.owner('SELECT kind FROM alarm_turn WHERE alarm_id = $1', [answers[0]?.id])
  assert.deepEqual(history, [{ kind: 'raised' }])
})

test('where an alarm is: by station, cell, site, access point, point or area; unplaced it is kept and told to nobody', async () => {
  const row = async (more: Json, as = 'telkomsel'): Promise<[string | null, number, string | null]> => {
    const { placedBy, stations, unplacedReason } = (await bench.call(as, 'GET', `/v1/alarms/${(await post(more, as)).id}`)).body as AlarmRow
    return [placedBy, stations, unplacedReason]
  }
  assert.deepEqual(await row({ alarmedObject: { id: '25602' } }), ['cell', 3, null])
  assert.deepEqual(await row({ alarmedObject: { id: '100' }, alarmedObjectType: 'eNodeB' }), ['site', 3, null])
  assert.deepEqual(await row({ alarmedObject: { id: '25602' } }, 'indosat'), [null, 0, 'cell_unknown'], "another operator's cell")
  assert.deepEqual(await row({ alarmedObject: { id: 'ai-1' }, alarmedObjectType: 'AccessPoint' }, 'bakti'), ['access_point', 4, null])
  assert.deepEqual(await row({ alarmedObject: {}, place: [{ id: '75.01.01', role: 'location' }] }), ['area', 8, null])
  assert.deepEqual(await row({ alarmedObject: {}, place: [{ id: '75' }] }), [null, 0, 'nothing_named'], 'a short number may be anything')
  assert.deepEqual(await row({ alarmedObject: {}, place: [{ id: '75', '@referredType': 'GeographicArea' }] }), ['area', 8, null])
  assert.deepEqual(await row({ alarmedObject: {}, affectedService: [{ id: alarmStations[0]?.code }, { id: 'vpn-7' }] }), ['station', 1, null])
  for (const place of [{ latitude: 0.5, longitude: 123, radiusM: 1_500 }, { geometry: { type: 'Point', coordinates: [123, 0.5] }, radiusM: 1_500 }, { geometry: [{ x: '123', y: '0.5' }], radiusM: 1_500 }])
    assert.deepEqual(await row({ alarmedObject: {}, place: [place] }), ['point', 2, null], JSON.stringify(place))
  assert.deepEqual(await row({ alarmedObject: { id: 'SITE-9' }, alarmedObjectType: 'Site' }), [null, 0, 'site_unknown'])
  const told = bench.told.placed.length
  await post({ alarmedObject: {} })
  assert.equal(bench.told.placed.length, told)
})

test('a patch changes what it names; what says which alarm it is stays; a cleared one is not raised by it', async () => {
  const { id } = await post({ specificProblem: 'mains' })
  const patch = (fields: Json) => bench.call('telkomsel', 'PATCH', `${path}/${id}`, fields)
  bench.now = start + minute_ms
  const changed = (await patch({ perceivedSeverity: 'critical', specificProblem: null, ackState: 'acknowledged' })).body as Tmf
  assert.deepEqual([changed.perceivedSeverity, 'specificProblem' in changed, changed.alarmChangedTime, changed['ackState']], ['critical', false, at(1), 'acknowledged'])
  assert.equal(((await patch({ perceivedSeverity: 'minor', alarmChangedTime: at(0) })).body as Tmf).perceivedSeverity, 'critical', 'too late')
  for (const fields of [{ externalAlarmId: 'other' }, { alarmRaisedTime: at(-9) }, { perceivedSeverity: null }, { perceivedSeverity: 'banana' }, { place: 7 }]) assert.equal((await patch(fields)).status, 400, JSON.stringify(fields))
  bench.now = start + 2 * minute_ms
  assert.equal(((await patch({ state: 'cleared' })).body as Tmf).perceivedSeverity, 'cleared')
  assert.equal((await patch({ perceivedSeverity: 'major' })).status, 409)
  assert.equal((await bench.call('indosat', 'PATCH', `${path}/${id}`, { ackState: 'x' })).status, 404)
  assert.equal((await bench.call('komdigi', 'PATCH', `${path}/${id}`, { ackState: 'x' })).status, 403)
})

test('tasks concern what matches and nothing else; an empty or unknown attribute clears nothing', async () => {
  const [one, other] = [await post({ sourceSystemId: 'oss-task' }), await post({ sourceSystemId: 'oss-task', probableCause: 'lossOfSignal' })]
  const clear = (alarmPattern: unknown, alarmClearedTime = at(0)) => bench.call('telkomsel', 'POST', `${base}/clearAlarms`, { clearSystemId: 's', clearUserId: 'u', alarmClearedTime, alarmPattern })
  for (const pattern of [[{}], [], [{ '@type': 'Alarm' }], [{ sourceSystem: 'oss-task' }]]) assert.equal((await clear(pattern)).status, 400, JSON.stringify(pattern))
  assert.deepEqual(((await clear([{ sourceSystemId: 'oss-task' }], at(-9))).body as Json)['clearedAlarm'], [], 'before it was raised')
  const done = await clear([{ sourceSystemId: 'oss-task', probableCause: 'Loss Of Signal' }])
  assert.deepEqual(((done.body as Json)['clearedAlarm'] as Tmf[]).map((ref) => ref.id), [other.id])
  assert.deepEqual((await list('telkomsel', '?sourceSystemId=oss-task')).map((alarm) => [alarm.id, alarm.state]), [[other.id, 'cleared'], [one.id, 'raised']])
  assert.equal(bench.told.cleared.at(-1)?.id, String(other.id))
  assert.deepEqual(((await bench.call('indosat', 'POST', `${base}/clearAlarms`, { clearSystemId: 's', clearUserId: 'u', alarmClearedTime: at(0), alarmPattern: [{ id: one.id }] })).body as Json)['clearedAlarm'], [])
})

test('what is done to one alarm at once by several is all done: no change is lost', async () => {
  const { id, externalAlarmId } = await post()
  const comment = (nth: number) => bench.call('telkomsel', 'POST', `${base}/commentAlarms`, { comment: { comment: `c-${nth}` }, alarmPattern: [{ externalAlarmId }] })
  const answers = await Promise.all([...Array.from({ length: 8 }, (_, nth) => comment(nth)), ...Array.from({ length: 8 }, (_, nth) => bench.call('telkomsel', 'PATCH', `${path}/${id}`, { specificProblem: `p-${nth}` }))])
  assert.deepEqual(answers.filter((answer) => answer.status >= 300).map((answer) => answer.body), [])
  assert.equal(((await bench.call('telkomsel', 'GET', `${path}/${id}`)).body as { comment: unknown[] }).comment.length, 8)
  assert.deepEqual(await bench.owner('SELECT count(*)::int AS n, max(number) AS last FROM alarm_turn WHERE alarm_id = $1', [id]), [{ n: 17, last: 17 }])
})

test('filters, fields and pages; a slip in a filter does not show everything', async () => {
  const mark = `page-${++names}`
  for (const severity of ['critical', 'major', 'minor']) await post({ reportingSystemId: mark, perceivedSeverity: severity })
  const ask = (query: string) => bench.call('telkomsel', 'GET', `${path}?reportingSystemId=${mark}${query}`)
  const first = await ask('&limit=2&fields=perceivedSeverity')
  assert.deepEqual([first.headers['x-total-count'], first.headers['x-result-count']], ['3', '2'])
  assert.deepEqual(Object.keys((first.body as Json[])[0] ?? {}).toSorted(), ['href', 'id', 'perceivedSeverity'])
  assert.equal(((await ask('&perceivedSeverity=critical,MAJOR&alarmType=equipmentAlarm&probableCause=106')).body as Json[]).length, 2)
  assert.equal(((await ask(`&alarmRaisedTime.gte=${at(-5)}&alarmRaisedTime.lt=${at(-4)}`)).body as Json[]).length, 3)
  assert.equal(((await ask(`&alarmRaisedTime.gt=${at(-5)}`)).body as Json[]).length, 0)
  assert.equal((await ask('&severity=major')).status, 400)
  assert.equal((await ask('&limit=-1')).status, 400)
  const rows = await bench.call('komdigi', 'GET', '/v1/alarms?operator=telkomsel&state=active&severity=minor&placed=true&area=7501')
  assert.equal(rows.status, 200)
  for (const query of ['state=odd', 'placed=1', 'area=x', 'what=1']) assert.equal((await bench.call('komdigi', 'GET', `/v1/alarms?${query}`)).status, 400, query)
})

test('an operator sees its own alone; the monitoring centre and Bawaslu see all and write none; KPU none', async () => {
  const [mine, theirs] = [await post(), await post({}, 'indosat')]
  const ids = async (as: string): Promise<string[]> => (await list(as, '?limit=500')).map((alarm) => alarm.id)
  assert.ok((await ids('telkomsel')).includes(mine.id) && !(await ids('telkomsel')).includes(theirs.id))
  for (const as of ['komdigi', 'bawaslu']) {
    const seen = await ids(as)
    assert.ok(seen.includes(mine.id) && seen.includes(theirs.id), as)
  }
  assert.equal((await bench.call('indosat', 'GET', `${path}/${mine.id}`)).status, 404)
  assert.equal((await bench.call('indosat', 'GET', `/v1/alarms/${mine.id}`)).status, 404)
  for (const as of ['komdigi', 'bawaslu', 'kpu']) assert.equal((await bench.call(as, 'POST', path, body())).status, 403)
  assert.equal((await bench.call('kpu', 'GET', '/v1/alarms')).status, 403)
  assert.equal((await bench.call('nobody', 'GET', '/v1/alarms')).status, 401)
  // the tables behind it, past every route
  await bench.call('telkomsel', 'POST', path, {})
  await bench.call('telkomsel', 'POST', `${base}/ackAlarms`, { ackSystemId: 's', ackUserId: 'u', alarmPattern: [{ id: mine.id }] })
  for (const table of ['alarm', 'alarm_turn', 'alarm_refusal', 'alarm_task']) {
    const seen = (organisation: string, role: string) => bench.kit.database.transaction({ organisation, role }, async (client) => (await client.query<{ organisation_id: string }>(`SELECT DISTINCT organisation_id FROM ${table}`)).rows.map((row) => row.organisation_id))
    assert.ok((await seen('komdigi', 'duty_officer')).includes('telkomsel'), table)
    assert.deepEqual([await seen('telkomsel', 'noc'), await seen('kpu', 'planner')], [['telkomsel'], []], table)
    assert.ok(!(await seen('indosat', 'noc')).includes('telkomsel'), table)
  }
})

test('what cannot be understood says why, is kept for its sender, and takes nothing else with it', async () => {
  const wrong: readonly [Json, RegExp][] = [
    [{ perceivedSeverity: 'banana' }, /none of critical, major/], [{ alarmRaisedTime: at(7 * 60) }, /420 minutes ahead .*WIB is \+07:00/], [{ alarmRaisedTime: '2029-02-30T25:00:00Z' }, /alarmRaisedTime/],
    [{ alarmClearedTime: at(-9), perceivedSeverity: 'cleared' }, /before alarmRaisedTime/], [{ specificProblem: 'a\0b' }, /U\+0000/], [{ '@type': '\ud800' }, /surrogate/], [{ alarmedObject: undefined }, /alarmedObject/],
  ]
  for (const [more, reason] of wrong) {
    const answer = await bench.call('telkomsel', 'POST', path, body(more))
    assert.equal(answer.status, 400, JSON.stringify(more))
    assert.match((answer.body as Tmf).detail, reason)
  }
  assert.match(((await bench.call('telkomsel', 'POST', path, '{"a":')).body as Tmf).detail, /no JSON/)
  assert.equal((await bench.call('telkomsel', 'POST', path, body({ alarmDetails: 'x'.repeat(70_000) }))).status, 413)
  const refused = (await bench.call('telkomsel', 'GET', '/v1/alarms/refused')).body as { reason: string; message: string }[]
  assert.match(refused[0]?.reason ?? '', /alarmedObject/)
  assert.ok(refused.some((each) => /420 minutes/.test(each.reason)))
  assert.ok(!((await bench.call('indosat', 'GET', '/v1/alarms/refused')).body as { operator: string }[]).some((each) => each.operator === 'telkomsel'))
})

test('what the standard has and a receiver does not need is refused with the way round', async () => {
  for (const [method, address] of [['DELETE', `${path}/1`], ['POST', `${base}/groupAlarms`], ['POST', `${base}/unGroupAlarms`], ['POST', `${base}/hub`], ['DELETE', `${base}/hub/1`], ['POST', `${base}/listener/alarmCreateEvent`]] as const) {
    const answer = await bench.call('telkomsel', method, address, method === 'POST' ? {} : undefined)
    assert.deepEqual([answer.status, (answer.body as Tmf).code], [405, 'not_offered'], address)
  }
})

test('after a restart detection is given what was active and placed, as it was told of it', async () => {
  const footprint = createFootprint(alarmStations)
  const open = await post({ perceivedSeverity: 'critical' })
  const gone = await post()
  await post({ externalAlarmId: gone['externalAlarmId'], perceivedSeverity: 'cleared', alarmClearedTime: at(0) })
  const active = await readActiveAlarms(bench.kit.database, footprint, bench.now)
  assert.deepEqual(active.find((alarm) => alarm.id === String(open.id)), bench.told.placed.find((alarm) => alarm.id === String(open.id)))
  assert.ok(!active.some((alarm) => alarm.id === String(gone.id) || alarm.stations.length === 0))
})
