import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Sample } from '@kawal/contract/report.ts'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { enrol, type Device } from '../measurement/enrolment.ts'
import { openIngest, type Ingest } from '../measurement/ingest.ts'
import { makeBatch } from '../measurement/measured.ts'
import { sort } from '../measurement/sort.ts'
import { copyOf, type Columns } from '../journal/segment.ts'
import type { MonitorStation } from './describe.ts'
import { createMonitor, type Monitor } from './monitor.ts'
import { readTurns } from './store.ts'

const duty_officer = { organisation: 'komdigi', role: 'duty_officer' }
/** 24 villages of one station, six in a row: two rows in the first district, two in the second. */
const stations: MonitorStation[] = Array.from({ length: 24 }, (_, index) => {
  const village = `7501${index < 12 ? '01' : '02'}${1000 + index}`
  return { code: `${village}001`, village, latitude: 0.5 + 0.01 * Math.floor(index / 6), longitude: 122 + 0.01 * (index % 6), voters: 250 }
})
const codes = (from: number, to: number): ReadonlySet<string> => new Set(stations.slice(from, to).map(({ code }) => code))
const [inDistrict, inRow, inThreeRows] = [codes(0, 12), codes(0, 6), codes(0, 18)]

interface Phone { readonly device: Device; readonly sim: string | null; sequence: number }
const operators: Record<string, string> = { '51010': 'telkomsel', '51001': 'indosat' }
const batch = makeBatch()
let kit: TestDatabase
let ingest: Ingest
let listening: Pick<Monitor, 'kept'> | null = null
let day = 0
/** Each test has a day of its own: what a restart reads again is that day's. */
let now = 0

before(async () => {
  kit = await withDatabase()
  ingest = await openIngest({
    database: kit.database, clock: () => now, interval_s: () => 300, operatorOfSim: (plmn) => operators[plmn] ?? null, failed: (error) => assert.fail(String(error)),
    kept: (reports, segment) => listening?.kept(reports, segment),
  })
})
after(async () => {
  await ingest.stop()
  await kit.close()
})

async function begin(sims: readonly (string | null)[]): Promise<{ start: number; phones: Phone[] }> {
  const start = Date.UTC(2029, 1, 14 + day++, 2)
  now = start
  await kit.database.transaction(system, (client) => client.query('UPDATE disturbance SET ended_at = now() WHERE ended_at IS NULL'))
  const phones: Phone[] = []
  for (const { code } of stations)
    for (const sim of sims) {
      const device = await enrol(kit.database, code, start, 999)
      assert.ok(device !== null)
      phones.push({ device, sim, sequence: 0 })
    }
  return { start, phones }
}

interface Room { readonly monitor: Monitor; readonly tickets: string[]; readonly told: string[]; readonly shown: Map<string, string> }

function open(run: string, database: Database = kit.database, slice_ms?: number): Room {
  const [tickets, told, shown] = [[] as string[], [] as string[], new Map<string, string>()]
  const monitor = createMonitor({
    database, clock: () => now, stations, organisations: new Set(['telkomsel', 'indosat', 'kpu']), areaName: (code) => code, run, impacts: async () => new Map(),
    openTicket: async (row, recipient) => void tickets.push(`${row.id} ${recipient}`),
    changed: async ({ disturbances, stations: rows }) => {
      told.push(...disturbances)
      for (const row of rows) if (row.operator === null) shown.set(row.code, row.after)
    },
    failed: (error) => assert.fail(String(error)), ...(slice_ms === undefined ? {} : { slice_ms }),
  })
  listening = monitor
  return { monitor, tickets, told, shown }
}

function sampleOf(phone: Phone, at: number): Sample {
  return {
    sequence: ++phone.sequence, eventAt: new Date(at).toISOString(), sim: phone.sim, access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: [50], timeouts: 0,
    downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: new Date(at + 2 * minute_ms).toISOString(),
  }
}

const report = (phone: Phone, at: number): Promise<void> => new Promise((resolve, reject) => {
  const arrival = { receivedAt: at, sentAt: null }
  const quarantined = sort([sampleOf(phone, at)], arrival, batch)
  ingest.submit({ device: phone.device, batch, quarantined, arrival, networkOperator: null }, (receipt, error) => (receipt?.accepted === 1 ? resolve() : reject(new Error(`not kept: ${JSON.stringify(error ?? receipt)}`))))
})

type Alive = (phone: Phone) => boolean
/** Every minute those alive report, then a sweep, which may be bound to fail. */
async function live({ monitor }: Room, start: number, phones: readonly Phone[], from: number, to: number, alive: Alive, swept: (done: Promise<void>) => Promise<unknown> = (done) => done): Promise<void> {
  for (let minute = from; minute < to; minute++) {
    now = start + minute * minute_ms
    await Promise.all(phones.filter(alive).map((phone) => report(phone, now)))
    await swept(monitor.sweep(now))
  }
}

const all: Alive = () => true
const silent = (sim: string | null, where: ReadonlySet<string>): Alive => (phone) => phone.sim !== sim || !where.has(phone.device.station)
const confirmed = ({ monitor }: Room): LiveDisturbance[] => monitor.found().filter((row) => row.foundAt !== null)
const turnsOf = async (id: string): Promise<string[]> => (await readTurns(kit.database, duty_officer, id)).map(({ number, turn }) => `${number} ${turn}`)
const withoutHoles = (turns: readonly string[]): void => assert.deepEqual(turns.map((turn) => Number.parseInt(turn)), turns.map((_, index) => index + 1))

for (const [what, sim] of [['no SIM at all', null], ['an operator that nobody knows', '51099']] as const)
  test(`phones of ${what} fall silent: it is found, kept and shown, and concerns nobody`, async () => {
    const { start, phones } = await begin(['51010', '51001', sim])
    const here = open(`unknown-${sim}`)
    await live(here, start, phones, 0, 12, all)
    await live(here, start, phones, 12, 25, silent(sim, inDistrict))
    assert.deepEqual(confirmed(here).map(({ operator, stage, severity }) => [operator, stage, severity]), [[null, 'confirmed', 'down']])
    assert.deepEqual(here.tickets, [])
    const [row] = confirmed(here)
    assert.deepEqual(row?.stations.filter((code) => !inDistrict.has(code)), [])
    assert.ok((row?.stations.length ?? 0) >= 9 && row?.stations.every((code) => here.shown.get(code) === 'down'), JSON.stringify(row?.stations))
    const { rows } = await kit.database.transaction(system, (client) => client.query<{ organisation_id: string }>('SELECT organisation_id FROM disturbance WHERE id = $1', [row?.id]))
    assert.deepEqual(rows, [{ organisation_id: 'kawal' }])
  })

test('a restart in an outage of hours: same disturbance, still down, and ended by measurement only', async () => {
  const { start, phones } = await begin(['51010', '51001'])
  const alive = silent('51001', inDistrict)
  const first = open('restart')
  await live(first, start, phones, 0, 12, all)
  await live(first, start, phones, 12, 190, alive)
  const [row] = confirmed(first)
  assert.deepEqual([row?.operator, row?.stage, first.tickets], ['indosat', 'confirmed', [`${row?.id} indosat`]])
  const later = open('after')
  now = start + 200 * minute_ms
  assert.ok(await later.monitor.resume(start + 100 * minute_ms, now) > 1_000)
  await live(later, start, phones, 201, 240, alive)
  assert.deepEqual(confirmed(later).map(({ id, operator, stage, stations: at }) => [id, operator, stage, at.length]), [[row?.id, 'indosat', 'confirmed', row?.stations.length]])
  for (const code of row?.stations ?? []) assert.equal(later.monitor.status(code, null), 'down')
  assert.equal(confirmed(later)[0]?.evidence.devicesSilent, row?.stations.length)
  await live(later, start, phones, 240, 250, all)
  assert.deepEqual(confirmed(later).map(({ id, stage }) => [id, stage]), [[row?.id, 'ended']])
  withoutHoles(await turnsOf(row?.id ?? ''))
})

test('planned work holds a disturbance back, over a restart too; what overruns it gets its ticket', async () => {
  const { start, phones } = await begin(['51010', '51001'])
  const alive = silent('51001', inDistrict)
  const work = { id: 'work-1', operator: 'indosat', from: start + 10 * minute_ms, to: start + 50 * minute_ms, areas: ['750101'] }
  const first = open('worked')
  first.monitor.work(work, start)
  await live(first, start, phones, 0, 12, all)
  await live(first, start, phones, 12, 30, alive)
  const [row] = confirmed(first)
  assert.deepEqual([row?.plannedWork, row?.stage, first.tickets], ['work-1', 'confirmed', []])
  const later = open('worked-on')
  later.monitor.work(work, start)
  await later.monitor.resume(start, start + 31 * minute_ms)
  await live(later, start, phones, 32, 60, alive)
  assert.deepEqual([confirmed(later).map(({ id, plannedWork }) => [id, plannedWork]), later.tickets], [[[row?.id, 'work-1']], []])
  await live(later, start, phones, 60, 75, alive)
  assert.deepEqual([confirmed(later).map(({ id, plannedWork }) => [id, plannedWork]), later.tickets], [[[row?.id, null]], [`${row?.id} indosat`]])
  const turns = await turnsOf(row?.id ?? '')
  withoutHoles(turns)
  assert.deepEqual(turns.map((turn) => turn.split(' ')[1]).filter((turn) => turn === 'held' || turn === 'released'), ['held', 'released'])
})

test('what lies in a larger disturbance is held back by it, over a restart too, until the larger has ended', async () => {
  const { start, phones } = await begin(['51010', '51001', '51001', '51001', '51001'])
  const small = silent('51001', inRow)
  const everybody: Alive = (phone) => !inThreeRows.has(phone.device.station)
  const first = open('family')
  await live(first, start, phones, 0, 12, all)
  await live(first, start, phones, 12, 24, small)
  const [child] = confirmed(first)
  assert.deepEqual([child?.operator, first.tickets.length], ['indosat', 1])
  await live(first, start, phones, 24, 34, (phone) => small(phone) && everybody(phone))
  const rows = confirmed(first)
  const parent = rows.find(({ id }) => id !== child?.id)
  assert.equal(rows.find(({ id }) => id === child?.id)?.parent, parent?.id)
  assert.ok((parent?.stations.length ?? 0) >= 9, JSON.stringify(rows.map(({ id, operator, stage, parent: held, stations: at }) => [id, operator, stage, held, at.length])))
  const later = open('family-on')
  await later.monitor.resume(start, start + 35 * minute_ms)
  await live(later, start, phones, 36, 40, (phone) => small(phone) && everybody(phone))
  assert.deepEqual(confirmed(later).map(({ id, parent: held }) => [id, held]), rows.map(({ id, parent: held }) => [id, held]))
  await live(later, start, phones, 40, 60, small)
  assert.deepEqual(confirmed(later).map(({ id, stage, parent: held }) => [id, stage, held]).sort(), [[child?.id, 'confirmed', null], [parent?.id, 'ended', null]].sort())
  for (const { id } of rows) withoutHoles(await turnsOf(id))
})

test('what cannot be written at one sweep is written and told at the next: disturbances, turns and inputs, in order', async () => {
  const { start, phones } = await begin(['51010', '51001'])
  let failing = false
  const database = { ...kit.database, transaction: (...args: Parameters<Database['transaction']>) => (failing ? Promise.reject(new Error('the disk is full')) : kit.database.transaction(...args)) } as Database
  const here = open('unsaved', database)
  await live(here, start, phones, 0, 12, all)
  here.told.length = 0
  failing = true
  const alarm = { id: 'alarm-1', operator: 'indosat', severity: 'major', suggests: null, raisedAt: start, stations: [stations[0]?.code ?? ''] } as const
  here.monitor.alarm(alarm, start + 12 * minute_ms)
  let failed = 0
  await live(here, start, phones, 12, 22, silent('51001', inDistrict), (done) => done.catch(() => failed++))
  assert.deepEqual([failed, here.told, here.tickets], [10, [], []])
  here.monitor.alarmCleared('alarm-1', start + 22 * minute_ms)
  failing = false
  await live(here, start, phones, 22, 23, silent('51001', inDistrict))
  const [row] = confirmed(here)
  assert.deepEqual([here.tickets, here.told.includes(row?.id ?? '')], [[`${row?.id} indosat`], true])
  const turns = await turnsOf(row?.id ?? '')
  withoutHoles(turns)
  assert.ok(turns.some((turn) => turn.endsWith(' confirmed')) && turns.some((turn) => turn.endsWith(' alarm')), turns.join())
  const { rows } = await kit.database.transaction(system, (client) => client.query<{ at: Date; kind: string; segment: number | null }>('SELECT at, kind, segment FROM detection_input WHERE at >= $1 AND at < $2 ORDER BY id', [new Date(start).toISOString(), new Date(start + 60 * minute_ms).toISOString()]))
  const inputs = rows.map((row) => ({ ...row, at: row.at.getTime() }))
  const minutes = inputs.map(({ kind, at }) => `${(at - start) / minute_ms} ${kind}`)
  assert.deepEqual(minutes, [...Array.from({ length: 12 }, (_, minute) => `${minute} sweep`), '12 alarm', ...Array.from({ length: 10 }, (_, index) => `${12 + index} sweep`), '22 alarm_cleared', '22 sweep'])
  const segments = inputs.flatMap(({ segment }) => segment ?? [])
  assert.ok(segments.length === 23 && segments.every((segment, index) => segment > (segments[index - 1] ?? 0)), 'each sweep took in what came since the one before')
})

test('what comes while a sweep goes on waits for its end, alarms too, and is judged by the next', async () => {
  const { start, phones } = await begin(['51010'])
  const here = open('slices', kit.database, 0)
  await live(here, start, phones, 0, 3, all)
  const station = phones[0]?.device.station ?? ''
  const lastAt = (): number | null => here.monitor.explain(station, now, null).operators[0]?.lastReportAt ?? null
  const segments = async (): Promise<(number | null)[]> => {
    const { rows } = await kit.database.transaction(system, (client) => client.query<{ kind: string; segment: number | null }>("SELECT kind, segment FROM detection_input WHERE at >= $1 AND at < $2 ORDER BY id", [new Date(start).toISOString(), new Date(start + 60 * minute_ms).toISOString()]))
    return rows.map(({ kind, segment }) => (kind === 'sweep' ? segment : null))
  }
  const before = (await segments()).at(-1)
  now = start + 3 * minute_ms
  const came: { reports: Columns; segment: number }[] = []
  listening = { kept: (reports, segment) => void came.push({ reports: copyOf(reports), segment }) }
  await Promise.all(phones.map((phone) => report(phone, now)))
  const sweeping = here.monitor.sweep(now)
  for (const { reports, segment } of came) {
    here.monitor.kept(reports, segment)
    reports.device.fill(4_000_000) // the keeper's arrays are used again
  }
  here.monitor.alarm({ id: 'alarm-meanwhile', operator: 'telkomsel', severity: 'major', suggests: null, raisedAt: now, stations: [station] }, now)
  assert.equal(lastAt(), start + 2 * minute_ms)
  await sweeping
  assert.equal(lastAt(), now)
  await here.monitor.sweep(now + minute_ms)
  assert.deepEqual((await segments()).slice(-3), [before, null, came.at(-1)?.segment])
})

test('what happened is kept when a disturbance ends, and its turns give the counts behind them', async () => {
  const { start, phones } = await begin(['51010', '51001'])
  const here = open('turns')
  await live(here, start, phones, 0, 12, all)
  await live(here, start, phones, 12, 24, silent('51010', inDistrict))
  await live(here, start, phones, 24, 40, all)
  const [row] = confirmed(here)
  const turns = await readTurns(kit.database, duty_officer, row?.id ?? '')
  const found = turns.find(({ turn }) => turn === 'confirmed')
  assert.ok(found !== undefined && found.silent >= 4 && found.score >= found.threshold, JSON.stringify(found))
  assert.deepEqual([turns.at(-1)?.turn, turns.at(-1)?.stage], ['ended', 'ended'])
  assert.deepEqual(await readTurns(kit.database, { organisation: 'indosat', role: 'operator' }, row?.id ?? ''), [])
})
