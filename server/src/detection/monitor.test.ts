import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Sample } from '@kawal/contract/report.ts'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import { enrol, type Device } from '../measurement/enrolment.ts'
import { createIngest, type KeptSample } from '../measurement/ingest.ts'
import { createMonitor, type Monitor, type MonitorStation } from './monitor.ts'

const start = Date.UTC(2029, 1, 14, 2)
const stations: MonitorStation[] = Array.from({ length: 24 }, (_, index) => ({
  code: `7501${index % 2 === 0 ? '01' : '02'}${1000 + index}001`, village: `7501${index % 2 === 0 ? '01' : '02'}${1000 + index}`, latitude: 0.5 + 0.01 * Math.floor(index / 6), longitude: 122 + 0.01 * (index % 6), voters: 250,
}))
interface Phone { readonly device: Device; readonly operator: string; sequence: number }

let kit: TestDatabase
before(async () => {
  kit = await withDatabase()
})
after(() => kit.close())

const operators: Record<string, string> = { '51010': 'telkomsel', '51001': 'indosat' }

async function phonesAt(prefix: string): Promise<Phone[]> {
  const made = await Promise.all(stations.flatMap((station) => [...Object.keys(operators), prefix].map(async (operator) => ({ device: await enrol(kit.database, station.code, start, 999), operator, sequence: 0 }))))
  return made.flatMap(({ device, ...rest }) => (device === null ? [] : [{ device, ...rest }]))
}

interface Room { readonly monitor: Monitor; readonly tickets: string[]; readonly shown: Map<string, string>; report(phones: readonly Phone[], at: number): Promise<void> }

function room(run: string): Room {
  const tickets: string[] = []
  const shown = new Map<string, string>()
  const monitor = createMonitor({
    database: kit.database, stations, organisations: new Set(['telkomsel', 'indosat', 'kpu']), areaName: (code) => code, run, interval_ms: 5 * minute_ms,
    openTicket: async (row, recipient) => void tickets.push(`${row.id} ${recipient}`),
    changed: ({ stations: rows }) => rows.forEach((row) => row.operator === null && shown.set(row.code, row.after)), failed: (error) => assert.fail(String(error)),
  })
  const ingest = createIngest({ database: kit.database, interval_s: () => 300, operatorOfSim: (plmn) => operators[plmn] ?? null, kept: (samples: readonly KeptSample[]) => monitor.kept(samples) })
  return {
    monitor, tickets, shown,
    async report(phones, at) {
      await Promise.all(phones.map((phone) => ingest.submit(phone.device, [sample(phone, at)], { receivedAt: at, sentAt: null }, null)))
    },
  }
}

function sample(phone: Phone, at: number): Sample {
  return {
    sequence: ++phone.sequence, eventAt: new Date(at).toISOString(), sim: phone.operator === 'none' ? null : phone.operator, access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: [50], timeouts: 0,
    downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: new Date(at + 2 * minute_ms).toISOString(),
  }
}

/** Every minute those of `alive` report, then a sweep. */
async function live({ monitor, report }: Room, phones: readonly Phone[], from: number, to: number, alive: (phone: Phone) => boolean): Promise<void> {
  for (let minute = from; minute < to; minute++) {
    const now = start + minute * minute_ms
    await report(phones.filter(alive), now)
    await monitor.sweep(now)
  }
}

const inCorner = new Set(stations.slice(0, 12).map((station) => station.code))
const open = (monitor: Monitor): LiveDisturbance[] => monitor.found().filter((row) => row.status === 'open')
const clean = (): Promise<unknown> => kit.database.transaction(system, (client) => client.query("UPDATE disturbance SET ended_at = now()"))

for (const [what, operator] of [['no SIM at all', 'none'], ['an operator that nobody knows', '51099']] as const)
  test(`phones of ${what} fall silent: it is found, kept and shown, and concerns nobody`, async () => {
    const phones = await phonesAt(operator)
    const here = room(`unknown-${operator}`)
    await live(here, phones, 0, 10, () => true)
    await live(here, phones, 10, 25, (phone) => phone.operator !== operator || !inCorner.has(phone.device.station))
    assert.deepEqual(open(here.monitor).map((row) => [row.cause, row.operator]), [['operator', null]])
    assert.deepEqual(here.tickets, [])
    assert.ok([...inCorner].every((code) => here.shown.get(code) === 'down'))
    const { rows } = await kit.database.transaction(system, (client) => client.query<{ organisation_id: string }>('SELECT organisation_id FROM disturbance WHERE id LIKE $1', [`unknown-${operator}%`]))
    assert.deepEqual(rows, [{ organisation_id: 'kawal' }])
    await clean()
  })

test('a restart during an outage of hours: same disturbance, still down, and closed by measurement only', async () => {
  const phones = await phonesAt('51010')
  const before = room('restart')
  const alive = (phone: Phone): boolean => phone.operator !== '51001' || !inCorner.has(phone.device.station)
  await live(before, phones, 0, 10, () => true)
  await live(before, phones, 10, 190, alive)
  const [row] = open(before.monitor)
  assert.deepEqual([row?.cause, row?.operator, before.tickets.length], ['operator', 'indosat', 1])
  const later = room('after')
  await later.monitor.resume(start + 100 * minute_ms, start + 200 * minute_ms)
  await live(later, phones, 200, 260, alive)
  assert.deepEqual(open(later.monitor).map((each) => [each.id, each.stations.length]), [[row?.id, row?.stations.length]])
  assert.ok([...inCorner].every((code) => later.monitor.status(code, null) === 'down'))
  await live(later, phones, 260, 270, () => true)
  assert.deepEqual(later.monitor.found().map((each) => [each.id, each.status]), [[row?.id, 'recovered']])
  await clean()
})

test('what cannot be written at one sweep is written and told at the next', async () => {
  const phones = await phonesAt('51010')
  let failing = false
  const database = { ...kit.database, transaction: (...args: Parameters<typeof kit.database.transaction>) => (failing ? Promise.reject(new Error('the disk is full')) : kit.database.transaction(...args)) } as typeof kit.database
  const here = room('unsaved')
  const told: string[] = []
  const monitor = createMonitor({
    database, stations, organisations: new Set(['telkomsel', 'indosat']), areaName: (code) => code, run: 'unsaved', interval_ms: 5 * minute_ms, openTicket: async () => undefined,
    changed: ({ disturbances }) => told.push(...disturbances), failed: (error) => assert.fail(String(error)),
  })
  const ingest = createIngest({ database: kit.database, interval_s: () => 300, operatorOfSim: (plmn) => operators[plmn] ?? null, kept: (samples) => monitor.kept(samples) })
  const report = async (alive: readonly Phone[], at: number): Promise<void> => void (await Promise.all(alive.map((phone) => ingest.submit(phone.device, [sample(phone, at)], { receivedAt: at, sentAt: null }, null))))
  await live({ ...here, monitor, report }, phones, 0, 10, () => true)
  failing = true
  for (let minute = 10; minute < 20; minute++) {
    const now = start + minute * minute_ms
    await report(phones.filter((phone) => phone.operator !== '51001' || !inCorner.has(phone.device.station)), now)
    await monitor.sweep(now).catch(() => undefined)
  }
  assert.deepEqual(told, [])
  failing = false
  await monitor.sweep(start + 20 * minute_ms)
  assert.equal(new Set(told).size, 1)
  await clean()
})
