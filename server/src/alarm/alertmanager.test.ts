import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import cookie from '@fastify/cookie'
import fastify from 'fastify'
import type { AlarmRow, AlertReceipt } from '@kawal/contract/alarm.ts'
import { minute_ms, second_ms } from '@kawal/core/kernel/clock.ts'
import { alarmStations, withAlarms, type AlarmBench } from '@kawal/testkit/alarms.ts'
import { recogniseCallers } from '../organisation/routes.ts'
import { addApiKey } from '../organisation/sessions.ts'
import { createFootprint } from './footprint.ts'
import { alarmRoutes } from './routes.ts'

const start = Date.UTC(2029, 1, 14, 2)
const path = '/v1/alarms/alertmanager'
const cases = join(import.meta.dirname, '../../../../shared/suites/alertmanager/cases.json')
const program = '/usr/bin/prometheus-alertmanager'

let bench: AlarmBench
before(async () => (bench = await withAlarms(start)))
after(() => bench.close())
beforeEach(() => {
  bench.now = start
  for (const list of [bench.told.placed, bench.told.cleared]) list.length = 0
})

interface Alert { status: 'firing' | 'resolved'; labels: Record<string, string>; annotations: Record<string, string>; startsAt: string; endsAt: string; fingerprint: string; generatorURL: string }
const time = (minutes: number): string => new Date(start + minutes * minute_ms).toISOString()
let fingerprints = 0
const alert = (more: Partial<Alert> = {}): Alert => ({
  status: 'firing', labels: { alertname: 'SiteDown', severity: 'critical', cause: 'powerProblem', district: '750101' }, annotations: { summary: 'no mains' },
  startsAt: time(-1), endsAt: '0001-01-01T00:00:00Z', fingerprint: (++fingerprints).toString(16).padStart(16, '0'), generatorURL: '', ...more,
})
const group = (alerts: readonly unknown[], more: object = {}) => ({ version: '4', groupKey: '{}:{}', truncatedAlerts: 0, status: 'firing', receiver: 'kawal', groupLabels: {}, commonLabels: {}, commonAnnotations: {}, externalURL: 'http://x', alerts, ...more })
async function post(alerts: readonly unknown[], more: object = {}, query = ''): Promise<AlertReceipt> {
  const answer = await bench.call('telkomsel', 'POST', path + query, group(alerts, more))
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body as AlertReceipt
}
const rows = async (query = ''): Promise<AlarmRow[]> => ((await bench.call('telkomsel', 'GET', `/v1/alarms?limit=500${query}`)).body as { rows: AlarmRow[] }).rows
const rowOf = async (one: Alert): Promise<AlarmRow | undefined> => (await rows()).find((row) => row.externalId === one.fingerprint)

test('each alert of a group is an alarm of its own; a repeated notification changes nothing; resolved it is cleared', async () => {
  const [one, other] = [alert(), alert({ labels: { alertname: 'Slow', severity: 'warning', village: '7501011002' } })]
  assert.deepEqual(await post([one, other]), { kept: 2, unchanged: 0, truncated: 0, refused: [] })
  assert.deepEqual(await post([one, other]), { kept: 0, unchanged: 2, truncated: 0, refused: [] })
  assert.deepEqual(bench.told.placed.map(({ severity, suggests, stations }) => [severity, suggests, stations.length]), [['critical', 'power', 8], ['warning', null, 4]])
  bench.now = start + 3 * minute_ms
  const resolved = { ...one, status: 'resolved' as const, endsAt: time(2) }
  assert.equal((await post([resolved, other], { status: 'firing' })).kept, 1)
  assert.deepEqual(bench.told.cleared.map((each) => each.at), [start + 2 * minute_ms])
  assert.equal((await post([one])).unchanged, 1, 'a peer that is late')
  const row = await rowOf(one)
  assert.deepEqual([row?.state, row?.clearedAt, row?.severity, row?.title, row?.probableCause], ['cleared', time(2), 'critical', 'no mains', 'powerProblem'])
  assert.equal((await post([{ ...one, startsAt: time(2.5) }])).kept, 1)
  assert.deepEqual([(await rowOf(one))?.state, (await rowOf(one))?.raisedCount], ['active', 2])
})

test('labels have other names where the address says so; positions may be annotations', async () => {
  const odd = alert({ labels: { alertname: 'X', prioritas: 'page', kec: '75.01.01', jenis: 'Loss Of Signal' } })
  await post([odd], {}, '?severity=prioritas&district=kec&cause=jenis')
  const row = await rowOf(odd)
  assert.deepEqual([row?.severity, row?.areas, row?.suggests], ['critical', ['750101'], 'backhaul'])
  const point = alert({ labels: { alertname: 'Y', technology: '5g' }, annotations: { latitude: '0,5', longitude: '123' } })
  await post([point])
  assert.deepEqual([(await rowOf(point))?.placedBy, (await rowOf(point))?.points, (await rowOf(point))?.severity], ['point', [{ latitude: 0.5, longitude: 123, radiusM: 1_000 }], 'indeterminate'])
  for (const query of ['?colour=x', '?site=a-b', '?site=']) assert.equal((await bench.call('telkomsel', 'POST', path + query, group([alert()]))).status, 400, query)
})

test('a bad alert is refused with its reason, and the good ones beside it are kept; truncation is said', async () => {
  const good = alert()
  const bad: unknown[] = [{ ...alert(), startsAt: 'soon' }, { ...alert(), fingerprint: 'zz' }, { ...alert(), labels: { a: 'x\0' } }, 7, { ...alert(), startsAt: time(7 * 60) }]
  const receipt = await post([bad[0], good, ...bad.slice(1)], { truncatedAlerts: 12 })
  assert.deepEqual([receipt.kept, receipt.truncated, receipt.refused.map((each) => each.place)], [1, 12, [1, 3, 4, 5, 6]])
  assert.equal((await rowOf(good))?.state, 'active')
  const refused = (await bench.call('telkomsel', 'GET', '/v1/alarms/refused')).body as { reason: string }[]
  assert.ok(refused.some((each) => /left 12 alerts out/.test(each.reason)) && refused.some((each) => /WIB is \+07:00/.test(each.reason)))
  assert.equal((await bench.call('telkomsel', 'POST', path, group(bad))).status, 400, 'where nothing is understood, its log says so')
  for (const body of [{}, { version: '3', alerts: [] }, group([], { alerts: 7 }), []]) assert.equal((await bench.call('telkomsel', 'POST', path, body)).status, 400)
  assert.equal((await post([])).kept, 0)
})

interface Notified { readonly labels: Record<string, string>; readonly annotations: Record<string, string>; readonly startsAt: number; readonly endsAt: number | null }
interface Case { readonly name: string; readonly want: readonly (readonly { readonly between: readonly [number, number]; readonly alerts: readonly Notified[] }[])[] }

test("Alertmanager's own acceptance scenarios: what a receiver was told is what is known", { skip: existsSync(cases) ? false : `${cases} is not here` }, async () => {
  const { cases: all } = JSON.parse(readFileSync(cases, 'utf8')) as { cases: Case[] }
  let notifications = 0
  for (const scenario of all) for (const [receiver, want] of scenario.want.entries()) {
    const last = new Map<string, Notified>()
    // one fingerprint for one set of labels, of one scenario
    const name = (labels: object): string => createHash('sha256').update(`${scenario.name}${receiver}${JSON.stringify(Object.entries(labels).toSorted())}`).digest('hex').slice(0, 16)
    const moment = (seconds: number): string => new Date(start + seconds * second_ms).toISOString()
    for (const { between: [, until], alerts } of want) {
      bench.now = start + until * second_ms
      const sent = alerts.map((each): Alert => ({ ...alert(), ...each, status: each.endsAt === null ? 'firing' : 'resolved', startsAt: moment(each.startsAt), endsAt: each.endsAt === null ? '0001-01-01T00:00:00Z' : moment(each.endsAt), fingerprint: name(each.labels) }))
      await post(sent)
      assert.deepEqual([(await post(sent)).kept, notifications++ >= 0], [0, true], `${scenario.name}: the same once more`)
      for (const each of alerts) last.set(name(each.labels), each)
    }
    for (const [fingerprint, each] of last) {
      const row = (await rows()).find((one) => one.externalId === fingerprint)
      assert.deepEqual([row?.state, row?.clearedAt], [each.endsAt === null ? 'active' : 'cleared', each.endsAt === null ? null : moment(each.endsAt)], scenario.name)
      assert.equal(row?.raisedAt, moment(each.startsAt), scenario.name)
    }
  }
  assert.ok(notifications > 25, `only ${notifications} notifications were seen`)
})

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Asks until it is so; the real program has clocks of its own. Bounded. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000
  while (!await isSo().catch(() => false)) {
    assert.ok(Date.now() < end, `within a minute: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('the real Alertmanager: fires, resolves, and what it could not deliver while nobody answered comes when somebody does', { skip: existsSync(program) ? false : `${program} is not here: apt-get install prometheus-alertmanager` }, async (t) => {
  const { kit, told } = bench
  const key = await addApiKey(kit.database, 'indosat', start)
  const folder = mkdtempSync(join(tmpdir(), 'kawal-alertmanager-'))
  const [port, own] = [await freePort(), await freePort()]
  const listening = async () => {
    const app = fastify({ forceCloseConnections: true })
    await app.register(cookie)
    // no session and no bearer: the key comes as a password
    recogniseCallers(app, kit.database, Date.now)
    await alarmRoutes(app, { database: kit.database, clock: Date.now, caller: (request) => request.caller, footprint: createFootprint(alarmStations), placed: (each) => told.placed.push(each), cleared: (id, at) => told.cleared.push({ id, at }) })
    await app.listen({ host: '127.0.0.1', port })
    return app
  }
  writeFileSync(join(folder, 'alertmanager.yml'), `
route: { receiver: kawal, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: kawal
    webhook_configs:
      - url: http://127.0.0.1:${port}${path}?district=kecamatan
        send_resolved: true
        http_config: { basic_auth: { username: kawal, password: ${key} } }
`)
  const manager: ChildProcess = spawn(program, ['--config.file', join(folder, 'alertmanager.yml'), '--storage.path', folder, '--web.listen-address', `127.0.0.1:${own}`, '--cluster.listen-address='], { stdio: 'ignore' })
  let app = await listening()
  t.after(async () => {
    const ended = manager.exitCode === null && manager.signalCode === null ? once(manager, 'exit') : null
    manager.kill('SIGKILL')
    await ended
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const push = async (name: string, endsAt?: string): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${own}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([{ labels: { alertname: name, severity: 'critical', cause: 'power', kecamatan: '750101' }, annotations: { summary: 'mains' }, startsAt: began, ...(endsAt === undefined ? {} : { endsAt }) }]) })
    assert.equal(answer.status, 200)
  }
  const began = new Date(Date.now() - 5_000).toISOString()
  const alarms = async (): Promise<{ title: string; object: string; cleared: boolean; turns: number }[]> =>
    bench.owner("SELECT attributes->>'specificProblem' AS title, cleared_at IS NOT NULL AS cleared, turns FROM alarm WHERE organisation_id = 'indosat' ORDER BY id")
  await until('Alertmanager answers', async () => (await fetch(`http://127.0.0.1:${own}/-/ready`)).ok)

  await push('MainsFailed')
  await until('the alarm is there', async () => (await alarms()).length === 1)
  assert.deepEqual(told.placed.at(-1)?.stations, alarmStations.filter((station) => station.code.startsWith('750101')).map((station) => station.code))
  await push('MainsFailed', new Date().toISOString())
  await until('it is cleared', async () => (await alarms())[0]?.cleared === true)
  assert.equal(told.cleared.length, 1)

  await app.close()
  await push('BatteryLow')
  // it has tried by now, and been refused: its own count of failures says so
  await until('it failed to deliver', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
    return Number(/^alertmanager_notification_requests_failed_total\{integration="webhook"\} (\d+)/m.exec(metrics)?.[1] ?? 0) > 0
  })
  app = await listening()
  await until('what it could not deliver is there', async () => (await alarms()).length === 2)
  assert.deepEqual((await alarms()).map((each) => [each.cleared, each.turns]), [[true, 2], [false, 1]])
})
