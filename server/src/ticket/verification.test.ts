import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { LiveTicket } from '@kawal/contract/live.ts'
import type { ReportReceipt, Sample } from '@kawal/contract/report.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system } from '../adapters/postgres/database.ts'
import type { MonitorStation } from '../detection/describe.ts'
import { createMonitor, type Monitor } from '../detection/monitor.ts'
import { enrol, type Device } from '../measurement/enrolment.ts'
import { openIngest, type Ingest } from '../measurement/ingest.ts'
import { makeBatch } from '../measurement/measured.ts'
import { sort } from '../measurement/sort.ts'
import { readMeasured } from '../planned-work/measured.ts'
import { createDesk } from './desk.ts'
import { ticketPage } from './link-page.ts'
import { linkWords } from './link-words.ts'
import { command, getTicket } from './tickets.ts'
import { toTmf } from './tmf621.ts'

/** A district of 24 villages, six in a row; Indosat is lost at the first twelve. */
const stations: MonitorStation[] = Array.from({ length: 24 }, (_, index) => {
  const village = `7501${index < 12 ? '01' : '02'}${1000 + index}`
  return { code: `${village}001`, village, latitude: 0.5 + 0.01 * Math.floor(index / 6), longitude: 122 + 0.01 * (index % 6), voters: 250 }
})
const lost = new Set(stations.slice(0, 12).map(({ code }) => code))
const operators: Record<string, string> = { '51010': 'telkomsel', '51001': 'indosat' }
const noc = { organisation: 'indosat', role: 'noc' }

interface Phone { readonly device: Device; readonly sim: string; sequence: number }
type Word = 'good' | 'bad' | 'goodbye' | null
type Words = (phone: Phone) => Word
type Desk = ReturnType<typeof createDesk>

const batch = makeBatch()
let kit: TestDatabase
let ingest: Ingest
let monitor: Monitor
let desk: Desk
let now = Date.UTC(2029, 1, 14, 2)
before(async () => {
  kit = await withDatabase()
  ingest = await openIngest({
    database: kit.database, clock: () => now, interval_s: () => 300, operatorOfSim: (plmn) => operators[plmn] ?? null, failed: (error) => assert.fail(String(error)),
    kept: (reports, segment) => monitor.kept(reports, segment), asks: { isAt: (station) => desk.asks.isAt(station), take: (...device) => desk.asks.take(...device) },
  })
})
after(async () => {
  await ingest.stop()
  await kit.close()
})

const isLost = ({ sim, device }: Phone): boolean => sim === '51001' && lost.has(device.station)
const hit = (word: Word): Words => (phone) => (isLost(phone) ? word : 'good')

function report(phone: Phone, word: NonNullable<Word>): Promise<ReportReceipt> {
  const sample: Sample = {
    sequence: ++phone.sequence, eventAt: new Date(now).toISOString(), sim: phone.sim, access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: word === 'good' ? [50] : [], timeouts: word === 'bad' ? 10 : 0,
    downKbps: null, upKbps: null, reach: { internet: word === 'good' ? 'ok' : word === 'bad' ? 'timeout' : 'untested', election: 'untested', platform: word === 'goodbye' ? 'untested' : 'ok' }, charging: null,
    nextDueAt: word !== 'goodbye' ? new Date(now + 2 * minute_ms).toISOString() : null,
  }
  return new Promise((resolve, reject) => {
    const arrival = { receivedAt: now, sentAt: null }
    const quarantined = sort([sample], arrival, batch)
    ingest.submit({ device: phone.device, batch, quarantined, arrival, networkOperator: null }, (receipt, error) => (receipt?.accepted === 1 ? resolve(receipt) : reject(new Error(`not kept: ${JSON.stringify(error ?? receipt)}`))))
  })
}

/** Lets minutes pass: all report, then detection and tickets are swept. @returns the phones that were asked to check */
async function live(phones: readonly Phone[], minutes: number, words: Words): Promise<Set<Phone>> {
  const asked = new Set<Phone>()
  for (let minute = 0; minute < minutes; minute++) {
    now += minute_ms
    await Promise.all(phones.map(async (phone) => {
      const word = words(phone)
      if (word !== null && (await report(phone, word)).checkWanted === true) asked.add(phone)
    }))
    await monitor.sweep(now)
    await desk.sweep(now, (id) => monitor.disturbance(id))
  }
  return asked
}

/** A day of its own: a quiet quarter of an hour, then Indosat is lost and the operator takes up the ticket. */
async function begin(run: string): Promise<{ phones: Phone[]; id: string; disturbance: string }> {
  now += 24 * 60 * minute_ms
  await kit.database.transaction(system, (client) => client.query('UPDATE disturbance SET ended_at = now() WHERE ended_at IS NULL'))
  let id = ''
  desk = createDesk({ database: kit.database, clock: () => now, resultsDueAt: () => null, changed: () => undefined, measure: (of, since) => monitor.measure(of, since), whoCanLook: (of, codes) => monitor.whoCanLook(of, codes) })
  monitor = createMonitor({
    database: kit.database, clock: () => now, stations, organisations: new Set(['telkomsel', 'indosat', 'kpu']), areaName: (code) => code, run, impacts: async () => new Map(),
    async openTicket(row, recipient) {
      await desk.open(system, row, recipient)
      id = `TT-${row.id}`
    },
    changed: async ({ disturbances }) => desk.disturbancesChanged(disturbances), failed: (error) => assert.fail(String(error)),
  })
  const phones: Phone[] = []
  for (const { code } of stations) for (const sim of ['51010', '51001']) {
    const device = await enrol(kit.database, code, now, 999)
    assert.ok(device !== null)
    phones.push({ device, sim, sequence: 0 })
  }
  await live(phones, 12, () => 'good')
  await live(phones, 12, hit(null))
  assert.match(id, /^TT-/)
  assert.ok((await command({ database: kit.database, clock: () => now }, noc, id, [{ kind: 'start' }])).ok)
  return { phones, id, disturbance: id.replace('TT-', '') }
}
const resolve = async (id: string): Promise<void> => assert.ok((await command({ database: kit.database, clock: () => now }, noc, id, [{ kind: 'resolve' }])).ok)
const ticketOf = async (id: string): Promise<LiveTicket> => {
  const [ticket] = await desk.live(system, [id])
  assert.ok(ticket !== undefined)
  return ticket
}
const kindsOf = ({ history }: LiveTicket): string[] => history.map(({ kind }) => kind).filter((kind) => kind !== 'clock_warned' && kind !== 'evidence_changed')

test('a false word: the stations are silent still, and the ticket is open again after five minutes, with what is broken', async () => {
  const { phones, id } = await begin('false')
  await resolve(id)
  await live(phones, 4, hit(null))
  assert.equal((await ticketOf(id)).status, 'resolved')
  await live(phones, 1, hit(null))
  const ticket = await ticketOf(id)
  assert.deepEqual([ticket.status, ticket.verification?.state], ['reopened', 'refused'])
  assert.ok((ticket.verification?.broken.length ?? 0) >= 9 && ticket.verification?.broken.every(({ station, silent }) => lost.has(station) && silent === 1), JSON.stringify(ticket.verification))
})

test('a true word: closed when the stations report well, with the evidence', async () => {
  const { phones, id } = await begin('true')
  await resolve(id)
  await live(phones, 4, () => 'good')
  const ticket = await ticketOf(id)
  assert.deepEqual([ticket.status, ticket.verification?.state, kindsOf(ticket)], ['closed', 'verified', ['opened', 'acknowledged', 'started', 'resolved', 'restored', 'closed']])
  assert.ok((ticket.history.at(-1)?.counts?.good ?? 0) >= 9, JSON.stringify(ticket.history.at(-1)))
})

test('nobody is left to report: near phones are asked, it is said to be unverified, and closes once there is somebody who is well', async () => {
  const { phones, id, disturbance } = await begin('nobody')
  await live(phones, 1, hit('goodbye'))
  await resolve(id)
  await live(phones, 3, hit(null))
  assert.deepEqual([monitor.disturbance(disturbance)?.stage, (await ticketOf(id)).status], ['recovering', 'resolved'])
  const asked = await live(phones, 4, hit(null))
  assert.deepEqual([(await ticketOf(id)).verification?.state, kindsOf(await ticketOf(id)).slice(-1)], ['asked', ['check_asked']])
  assert.ok(asked.size > 0 && asked.size <= 20 && [...asked].every(({ sim, device }) => sim === '51001' && !lost.has(device.station)), `${asked.size} were asked`)
  await live(phones, 12, hit(null))
  const ticket = await ticketOf(id)
  assert.deepEqual([ticket.status, ticket.reopened, ticket.verification?.state, ticket.clocks.map(({ state, pausedReason }) => [state, pausedReason])], ['resolved', 0, 'unverified', [['paused', 'unverified'], ['paused', 'unverified']]])
  const kept = await getTicket({ database: kit.database, clock: () => now }, noc, id) ?? assert.fail()
  const { troubleTicketCharacteristic, note, status } = toTmf(kept, now)
  const said = troubleTicketCharacteristic.find(({ name }) => name === 'verification')?.value as { state: string; claimedAt: string; good: number }
  assert.deepEqual([status, said.state, said.claimedAt, said.good, note.length], ['resolved', 'unverified', new Date(kept.resolvedAt ?? 0).toISOString(), 0, 1])
  for (const [language, words] of [['id', /Tidak terverifikasi: sejak dinyatakan pulih/], ['en', /Unverified: since you said resolved/]] as const)
    assert.match(ticketPage({ ticket: kept, now, words: linkWords[language], mayAnswer: true, notice: null, names: new Map(), typed: null }), words)
  await live(phones, 60, hit(null))
  assert.deepEqual([(await ticketOf(id)).status, monitor.disturbance(disturbance)?.endedAt], ['resolved', null])
  const back = await live(phones, 3, () => 'good')
  assert.ok([...back].some(isLost), 'who comes on duty at a station that was hit is asked too')
  const closed = await ticketOf(id)
  assert.deepEqual([closed.status, kindsOf(closed).slice(-5)], ['closed', ['resolved', 'check_asked', 'unverified', 'restored', 'closed']])
  const { clocks } = await getTicket({ database: kit.database, clock: () => now }, system, id) ?? assert.fail()
  assert.ok(clocks.every(({ used_ms }) => used_ms < 30 * minute_ms), 'what nobody could measure counts for nobody')
})

test('nobody is left to report, and who comes later reports badly: it opens again by that', async () => {
  const { phones, id } = await begin('later')
  await live(phones, 1, hit('goodbye'))
  await resolve(id)
  await live(phones, 20, hit(null))
  assert.equal((await ticketOf(id)).verification?.state, 'unverified')
  await live(phones, 2, hit('bad'))
  const ticket = await ticketOf(id)
  assert.deepEqual([ticket.status, ticket.reopened, ticket.verification?.state], ['reopened', 1, 'refused'])
})

test('work that was announced: what was lost in it, beside it and after its end is measured, and the ticket says that it overran', async () => {
  const { phones, disturbance } = await begin('before')
  await live(phones, 6, () => 'good')
  assert.equal(monitor.disturbance(disturbance)?.stage, 'ended')
  await live(phones, 20, () => 'good')
  const from = now + minute_ms
  const work = (id: number, more: object = {}) => ({ id, operator: 'indosat', from, to: from + 30 * minute_ms, areas: ['750101'], withdrawnAt: null, ...more })
  const idle = work(8, { areas: ['75019'] })
  monitor.work({ ...work(7), id: '7' }, now)
  const measured = () => kit.database.transaction(system, (client) => readMeasured(client, [work(7), idle, work(9, { operator: 'telkomsel' }), work(10, { from: now + minute_ms })], now))
  await live(phones, 20, hit(null))
  const during = await measured()
  assert.ok((during.get(7)?.stations ?? 0) >= 9, JSON.stringify(during.get(7)))
  assert.deepEqual([during.get(7)?.disturbances.length, during.get(7)?.overrun, during.has(10)], [1, null, false])
  assert.deepEqual(during.get(8), { stations: 0, disturbances: [], outside: [], overrun: null })
  assert.deepEqual(during.get(9)?.outside.map(({ kind, operator }) => [kind, operator]), [['operator', 'indosat']], "another operator's loss in the area is told as that")
  await live(phones, 40, hit(null))
  const late = (await measured()).get(7)
  const id = `TT-${late?.disturbances[0]}`
  assert.deepEqual([late?.overrun?.disturbances, (await ticketOf(id)).overran], [late?.disturbances, '7'])
  assert.ok((late?.overrun?.minutes ?? 0) >= 15, JSON.stringify(late))
  const seen = await kit.database.transaction(noc, (client) => readMeasured(client, [work(9, { operator: 'telkomsel' })], now))
  assert.equal(seen.get(9)?.outside.length, 1)
  const walled = await kit.database.transaction({ organisation: 'telkomsel', role: 'noc' }, (client) => readMeasured(client, [work(9, { operator: 'telkomsel' })], now))
  assert.deepEqual(walled.get(9)?.outside, [], "an operator hears nothing of another's disturbances")
})
