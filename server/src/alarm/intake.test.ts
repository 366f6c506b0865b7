import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { second_ms } from '@kawal/core/kernel/clock.ts'
import { alarmStations, withAlarms, type AlarmBench } from '@kawal/testkit/alarms.ts'
import { createFootprint } from './footprint.ts'
import { alarmLimits, createIntake, type Intake } from './intake.ts'
import type { Said } from './said.ts'

const start = Date.UTC(2029, 1, 14, 2)
const path = '/tmf-api/alarmManagement/v4/alarm'
const body = (name: string) => ({ externalAlarmId: name, alarmType: 'equipmentAlarm', perceivedSeverity: 'major', probableCause: 'powerProblem', alarmedObject: {}, sourceSystemId: 'oss', state: 'raised', alarmRaisedTime: new Date(start).toISOString(), place: [{ id: '75', '@type': 'GeographicArea' }] })
const said = (name: string, more: Partial<Said> = {}): Said => ({
  source: 'tmf642', externalId: name, severity: 'major', probableCause: 'powerProblem', suggests: 'power', title: 't', object: null, raisedAt: start, changedAt: start, clearedAt: null,
  mention: { codes: ['75'], cell: null, site: null, object: null, points: [], technology: null }, attributes: {}, message: '{}', ...more,
})
const telkomsel = { organisation: 'telkomsel', role: 'noc' }

async function opened(t: TestContext, limits?: Parameters<typeof withAlarms>[1]): Promise<AlarmBench> {
  const bench = await withAlarms(start, limits)
  t.after(() => bench.close())
  return bench
}
const intakeOf = (bench: AlarmBench): Intake => createIntake({
  database: bench.kit.database, clock: () => bench.now, footprint: createFootprint(alarmStations), limits: alarmLimits, placed: (alarm) => bench.told.placed.push(alarm), cleared: (id, at) => bench.told.cleared.push({ id, at }),
})

test('a storm: thousands of requests at once are all kept, in few transactions, beside another operator who need not wait', async (t) => {
  const bench = await opened(t)
  let transactions = 0
  const { transaction } = bench.kit.database
  bench.kit.database.transaction = (caller, work) => {
    transactions++
    return transaction(caller, work)
  }
  const storm = Array.from({ length: 3_000 }, (_, at) => bench.call('telkomsel', 'POST', path, body(`s-${at}`)))
  const quiet = await bench.call('indosat', 'POST', path, body('calm'))
  const keptBefore = (await bench.owner<{ n: number }>("SELECT count(*)::int AS n FROM alarm WHERE organisation_id = 'telkomsel'"))[0]?.n ?? 0
  assert.equal(quiet.status, 201)
  assert.ok(keptBefore < 3_000, `the other's alarm waited for ${keptBefore} of the storm`)
  assert.deepEqual([...new Set((await Promise.all(storm)).map((answer) => answer.status))], [201])
  assert.deepEqual(await bench.owner("SELECT count(*)::int AS n FROM alarm_turn WHERE organisation_id = 'telkomsel'"), [{ n: 3_000 }])
  assert.equal(bench.told.placed.length, 3_001)
  assert.ok(transactions < 60, `${transactions} transactions`)
  const [first] = bench.told.placed
  assert.ok(bench.told.placed.every((alarm) => alarm.stations === first?.stations), 'one list of a province serves every alarm')
})

test('beyond the allowance: 429 with a pause over TMF642, 503 to Alertmanager, and after the pause it is taken', async (t) => {
  const bench = await opened(t, { burst_max: 5, per_second: 2 })
  for (let at = 0; at < 5; at++) assert.equal((await bench.call('telkomsel', 'POST', path, body(`a-${at}`))).status, 201)
  const refused = await bench.call('telkomsel', 'POST', path, body('a-5'))
  assert.deepEqual([refused.status, (refused.body as { code: string }).code, refused.headers['retry-after']], [429, 'too_many_alarms', '1'])
  const alerts = Array.from({ length: 4 }, (_, at) => ({ status: 'firing', labels: { alertname: 'x' }, startsAt: new Date(start).toISOString(), fingerprint: String(at) }))
  const group = () => bench.call('telkomsel', 'POST', '/v1/alarms/alertmanager', { version: '4', alerts })
  const waits = await group()
  assert.deepEqual([waits.status, (waits.body as { code: string }).code, waits.headers['retry-after']], [503, 'alarms_wait', '2'])
  assert.equal((await bench.call('indosat', 'POST', path, body('b'))).status, 201, 'another organisation has its own')
  bench.now += 2 * second_ms
  assert.equal((await group()).status, 200)
  assert.equal((await bench.call('telkomsel', 'POST', path, body('a-5'))).status, 429)
})

test('what waits is bounded', async (t) => {
  const bench = await opened(t, { waiting_max: 10, batch_max: 2 })
  const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => bench.call('telkomsel', 'POST', path, body(`w-${at}`))))
  const kept = answers.filter((answer) => answer.status === 201).length
  assert.ok(kept >= 10 && kept < 60, `${kept} of 60 were kept`)
  assert.ok(answers.every((answer) => answer.status === 201 || answer.status === 429))
  assert.deepEqual(await bench.owner('SELECT count(*)::int AS n FROM alarm'), [{ n: kept }], 'what was acknowledged is there, what was refused is not')
})

test('one that the database refuses takes no other with it, and the next are taken', async (t) => {
  const bench = await opened(t)
  const intake = intakeOf(bench)
  const batch = [said('good-1'), said('bad', { title: 'half \0 a text' }), said('good-2'), said('bad-2', { attributes: { x: '\ud800' } })]
  const outcomes = await Promise.allSettled(batch.map((each) => intake.take(telkomsel, [each])))
  assert.deepEqual(outcomes.map((outcome) => outcome.status), ['fulfilled', 'rejected', 'fulfilled', 'rejected'])
  assert.deepEqual(await intake.take(telkomsel, []), [])
  assert.equal((await intake.take(telkomsel, [said('later')]))[0]?.kind, 'raised')
  await intake.idle()
})

test('one alarm several times in a batch goes through all its turns, and detection hears of the last', async (t) => {
  const bench = await opened(t)
  const outcomes = await intakeOf(bench).take(telkomsel, [said('a'), said('a'), said('a', { severity: 'critical', changedAt: start + 1 }), said('a', { severity: null, clearedAt: start + 2, changedAt: start + 2 })])
  assert.deepEqual(outcomes.map((outcome) => outcome.kind), ['raised', null, 'changed', 'cleared'])
  assert.deepEqual(await bench.owner('SELECT number, kind FROM alarm_turn ORDER BY number'), [{ number: 1, kind: 'raised' }, { number: 2, kind: 'changed' }, { number: 3, kind: 'cleared' }])
  assert.deepEqual([bench.told.placed.length, bench.told.cleared.length], [0, 1])
})

test('who may not write alarms writes none: the wall refuses what a route let through', async (t) => {
  const bench = await opened(t)
  await assert.rejects(intakeOf(bench).take({ organisation: 'komdigi', role: 'duty_officer' }, [said('a')]), /row-level security/)
})

test('two servers on one database: the same alarm comes to both, and is one', async (t) => {
  const bench = await opened(t)
  const outcomes = await bench.meeting('alarm', 2, () => Promise.all([intakeOf(bench), intakeOf(bench)].map((intake) => intake.take(telkomsel, [said('a')]))))
  assert.deepEqual(outcomes.map(([outcome]) => outcome?.kind ?? null).toSorted(), [null, 'raised'].toSorted())
  assert.equal(outcomes[0]?.[0]?.alarm.id, outcomes[1]?.[0]?.alarm.id)
})
