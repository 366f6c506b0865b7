import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import { withDatabase, type TestDatabase } from '../../../testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { listTickets } from './list.ts'
import { addListener, createOutbox, removeListener } from './outbox.ts'
import type { Post } from './webhook.ts'
import { causeOf, command, getTicket, openTicket, sweepTickets } from './tickets.ts'

const start = Date.UTC(2029, 1, 14, 2)
const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [{ cause: 'access', nats: 7.5 }], signs: [{ sign: 'silent', count: 11, of: 20 }] } as const
const cause = (id: string, operator: string | null = 'telkomsel'): TicketCause => ({
  id, cause: 'access', operator, severity: 'down', areaCode: '530101', stations: ['5301012001001', '5301012001002'],
  startedAt: start - 5 * minute_ms, foundAt: start, endedAt: null, evidence,
})
const telkomsel: Caller = { organisation: 'telkomsel', role: 'noc' }
const indosat: Caller = { organisation: 'indosat', role: 'noc' }
const all = { offset: 0, limit: 500 }

let kit: TestDatabase
let now = start
before(async () => {
  kit = await withDatabase()
})
after(() => kit.close())
const needs = () => ({ database: kit.database, clock: () => now })

async function open(id: string, operator = 'telkomsel'): Promise<string> {
  const opened = await openTicket(needs(), system, cause(id, operator))
  assert.ok(opened.ok)
  return opened.value.ticket.id
}

test('ten openings at once of one disturbance make one ticket with one opening event', async () => {
  now = start
  const opened = await Promise.all(Array.from({ length: 10 }, () => openTicket(needs(), system, cause('race'))))
  assert.ok(opened.every((result) => result.ok && result.value.ticket.id === 'TT-race'))
  assert.equal(opened.filter((result) => result.ok && result.value.created).length, 1)
  const events = await kit.database.transaction(system, (client) => client.query('SELECT FROM ticket_event WHERE ticket_id = $1', ['TT-race']))
  assert.equal(events.rows.length, 1)
})

test('a cancelled false alarm is opened again by a person only; nobody concerned is refused', async () => {
  const duty = { organisation: 'komdigi', role: 'duty_officer' }
  const id = await open('alarm')
  assert.ok((await command(needs(), duty, id, { kind: 'cancel', reason: 'exercise' })).ok)
  assert.equal(await open('alarm'), id, 'the sweep finds the cancelled one and leaves it')
  const again = await openTicket(needs(), duty, cause('alarm'))
  assert.deepEqual(again.ok && [again.value.created, again.value.ticket.id], [true, 'TT-alarm-2'])
  const nobody = await openTicket(needs(), system, cause('nobody', null))
  assert.deepEqual(nobody, { ok: false, error: 'nobody_concerned' })
})

test('the wall: another operator reads nothing, changes nothing, and hears nothing', async () => {
  const id = await open('walled')
  assert.equal((await getTicket(needs(), telkomsel, id))?.id, id)
  assert.equal(await getTicket(needs(), indosat, id), null)
  assert.deepEqual(await listTickets(needs(), indosat, all), { total: 0, tickets: [] })
  for (const caller of [indosat, { organisation: 'kpu', role: 'planner' }, { organisation: '', role: '' }])
    assert.deepEqual(await command(needs(), caller, id, { kind: 'acknowledge' }), { ok: false, error: 'not_found' })
  for (const table of ['ticket', 'ticket_event', 'hub', 'hub_delivery']) {
    assert.equal((await kit.database.transaction(indosat, (client) => client.query(`SELECT FROM ${table}`))).rows.length, 0, table)
    assert.equal((await kit.database.pool.query(`SELECT FROM ${table}`)).rows.length, 0, `${table} without a caller`)
  }
  await assert.rejects(openTicket(needs(), indosat, cause('foreign')), { code: '42501' })
  const auditor = { organisation: 'bawaslu', role: 'auditor' }
  assert.equal((await getTicket(needs(), auditor, id))?.id, id)
  assert.deepEqual(await command(needs(), auditor, id, { kind: 'note', text: 'x' }), { ok: false, error: 'not_yours_to_say' })
})

test('the log of events cannot be changed or deleted by the application', async () => {
  for (const sql of ['UPDATE ticket_event SET version = 0', 'DELETE FROM ticket_event', 'DELETE FROM ticket'])
    await assert.rejects(kit.database.transaction(system, (client) => client.query(sql)), { code: '42501' })
})

test('of two changes on one version, one is refused', async () => {
  const id = await open('versions')
  const both = await Promise.all([1, 2].map(() => command(needs(), telkomsel, id, { kind: 'note', text: 'seen' }, 1)))
  assert.deepEqual(both.map((result) => (result.ok ? 'ok' : result.error)).sort(), ['ok', 'version_conflict'])
})

test('the sweep reopens what did not recover, then closes what did; concurrent sweeps do it once', async () => {
  now = start
  const id = await open('loop')
  let state = cause('loop')
  const lookup = (asked: string): TicketCause | null => (asked === 'loop' ? state : null)
  assert.ok((await command(needs(), telkomsel, id, [{ kind: 'start' }, { kind: 'resolve' }])).ok)
  assert.ok(!(await sweepTickets(kit.database, start + 5 * minute_ms - 1, lookup)).includes(id))
  const swept = await Promise.all([1, 2, 3].map(() => sweepTickets(kit.database, start + 5 * minute_ms, lookup)))
  assert.equal(swept.flat().filter((changed) => changed === id).length, 1)
  assert.deepEqual([(await getTicket(needs(), telkomsel, id))?.status, (await getTicket(needs(), telkomsel, id))?.reopened], ['reopened', 1])
  now = start + 12 * minute_ms
  assert.ok((await command(needs(), telkomsel, id, [{ kind: 'start' }, { kind: 'resolve' }])).ok)
  state = { ...state, endedAt: start + 13 * minute_ms }
  await sweepTickets(kit.database, start + 14 * minute_ms, lookup)
  const closed = await getTicket(needs(), telkomsel, id)
  assert.deepEqual([closed?.status, closed?.restoredAt, closed?.disturbance?.endedAt], ['closed', start + 13 * minute_ms, start + 13 * minute_ms])
  assert.deepEqual(await sweepTickets(kit.database, start + 15 * minute_ms, lookup).then((ids) => ids.includes(id)), false)
})

test('the sweep writes a clock at risk and overdue once, and follows the extent of the disturbance', async () => {
  now = start
  const id = await open('clocks')
  const grown = { ...cause('clocks'), stations: ['5301012001001', '5301012001002', '5301012001003'] }
  const lookup = (asked: string): TicketCause | null => (asked === 'clocks' ? grown : null)
  for (const minutes of [1, 2, 23, 24, 25, 30, 31, 32]) await sweepTickets(kit.database, start + minutes * minute_ms, lookup)
  const ticket = await getTicket(needs(), telkomsel, id)
  assert.deepEqual(ticket?.history.map((entry) => entry.kind), ['opened', 'evidence_changed', 'clock_warned', 'clock_warned'])
  assert.equal(ticket?.disturbance?.stations.length, 3)
  assert.deepEqual(ticket?.history.slice(2).map((entry) => (entry.at - start) / minute_ms), [24, 31])
})

test('what later evidence takes back is cancelled by measurement, whatever the operator said of it, and stays so', async () => {
  now = start
  const id = await open('phantom')
  assert.ok((await command(needs(), telkomsel, id, [{ kind: 'start' }, { kind: 'resolve' }])).ok)
  const lookup = (asked: string): (TicketCause & { takenBack: string }) | null => (asked === 'phantom' ? { ...cause('phantom'), endedAt: start + minute_ms, takenBack: 'retracted' } : null)
  const swept = await Promise.all([1, 2].map(() => sweepTickets(kit.database, start + 2 * minute_ms, lookup)))
  assert.equal(swept.flat().filter((changed) => changed === id).length, 1)
  const ticket = await getTicket(needs(), telkomsel, id)
  assert.deepEqual([ticket?.status, ticket?.restoredAt, ticket?.history.at(-1)?.text, ticket?.history.at(-1)?.by], ['cancelled', null, 'retracted', 'kawal'])
  assert.deepEqual(await openTicket(needs(), system, null), { ok: false, error: 'not_confirmed' })
})

test('what went on within another one is not measured well: its ticket is taken back, not closed', async () => {
  now = start
  const id = await open('younger')
  const at = (minutes: number): string => new Date(start + minutes * minute_ms).toISOString()
  const row = { ...cause('younger'), stage: 'ended', parent: 'older', areaName: 'Kupang', startedAt: at(-5), suspectedAt: at(-4), foundAt: at(0), endedAt: at(3) } as unknown as LiveDisturbance
  await sweepTickets(kit.database, start + 20 * minute_ms, (asked) => (asked === 'younger' ? causeOf(row) : null))
  const ticket = await getTicket(needs(), telkomsel, id)
  assert.deepEqual([ticket?.status, ticket?.restoredAt, ticket?.history.at(-1)?.text], ['cancelled', null, 'merged older'])
})

test('a disturbance that only the database knows, after a restart, closes its ticket too', async () => {
  now = start
  const id = await open('kept')
  const row = {
    ...cause('kept'), stage: 'ended', parent: null, areaName: 'Kupang', latitude: null, longitude: null, voters: null, ticketId: null,
    startedAt: new Date(start).toISOString(), foundAt: new Date(start).toISOString(), endedAt: new Date(start + minute_ms).toISOString(),
  }
  await kit.database.transaction(system, (client) => client.query(
    'INSERT INTO disturbance (id, organisation_id, state, found_at, ended_at) VALUES ($1, $2, $3, $4, $5)', ['kept', 'telkomsel', JSON.stringify(row), row.foundAt, row.endedAt]))
  await sweepTickets(kit.database, start + 20 * minute_ms, () => null)
  assert.equal((await getTicket(needs(), telkomsel, id))?.status, 'closed')
})

test('deliveries: in order and each once; a dead receiver backs off and holds up nobody else', async () => {
  now = start
  const xl = { organisation: 'xlsmart', role: 'noc' }
  const dead = await addListener(kit.database, xl, 'http://127.0.0.1:9/dead', null, now)
  const well = await addListener(kit.database, xl, 'http://127.0.0.1:9/well', null, now)
  await addListener(kit.database, xl, 'http://127.0.0.1:9/changes', 'eventType=TroubleTicketStatusChangeEvent', now)
  await addListener(kit.database, indosat, 'http://127.0.0.1:9/rival', null, now)
  assert.ok(dead !== null && well !== null)
  const id = await open('hub', 'xlsmart')
  assert.ok((await command(needs(), { ...xl }, id, { kind: 'acknowledge' })).ok)
  assert.ok((await command(needs(), { ...xl }, id, { kind: 'note', text: 'crew on the way' })).ok)
  const got: [string, string][] = []
  const send = async ({ callback, body }: Post): Promise<number> => {
    if (callback.endsWith('dead')) throw new Error('connection refused')
    got.push([callback.split('/').at(-1) ?? '', (body as { eventType: string }).eventType.replace('TroubleTicket', '')])
    return 204
  }
  // Two processes at once, each with an outbox of its own.
  const [one, other] = [createOutbox(kit.database, send), createOutbox(kit.database, send)]
  const both = await Promise.all([one.deliver(now), other.deliver(now)])
  assert.equal(both.reduce((sum, count) => sum + count.delivered, 0), 4)
  assert.deepEqual(got.filter(([to]) => to === 'well').map(([, type]) => type), ['CreateEvent', 'StatusChangeEvent', 'AttributeValueChangeEvent'])
  assert.deepEqual(got.filter(([to]) => to === 'changes').map(([, type]) => type), ['StatusChangeEvent'])
  assert.equal(got.filter(([to]) => to === 'rival').length, 0)
  const tries: number[] = []
  for (let at = now; at <= now + 20_000; at += 500) if ((await one.deliver(at)).failed > 0) tries.push(at - now)
  assert.deepEqual(tries, [1_000, 3_000, 7_000, 15_000])
  assert.equal(await removeListener(kit.database, indosat, well.id), false)
  assert.equal(await removeListener(kit.database, xl, dead.id), true)
})

test('a receiver that is slow to answer holds up nobody, not even until the next pass', async () => {
  now = start
  const isp = { organisation: 'xl', role: 'noc' }
  await addListener(kit.database, isp, 'http://127.0.0.1:9/slow', null, now)
  await addListener(kit.database, isp, 'http://127.0.0.1:9/quick', null, now)
  const quick: string[] = []
  let answer = (): void => undefined
  const outbox = createOutbox(kit.database, async ({ callback, body }) => {
    if (callback.endsWith('slow')) await new Promise<void>((resolve) => (answer = resolve))
    else quick.push((body as { eventId: string }).eventId)
    return 204
  })
  await open('first', 'xl')
  const passes = [outbox.deliver(now)]
  while (quick.length < 1) await new Promise((resolve) => setImmediate(resolve))
  await open('second', 'xl')
  passes.push(outbox.deliver(now))
  while (quick.length < 2) await new Promise((resolve) => setImmediate(resolve))
  answer()
  await Promise.all(passes)
  assert.equal(quick.length, 2)
})

test('an organisation has at most 20 listeners', async () => {
  const isp = { organisation: 'smartfren', role: 'noc' }
  for (let index = 0; index < 20; index++) assert.ok(await addListener(kit.database, isp, `http://127.0.0.1:9/${index}`, null, now))
  assert.equal(await addListener(kit.database, isp, 'http://127.0.0.1:9/more', null, now), null)
})
