import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { second_ms } from '@kawal/core/kernel/clock.ts'
import type { Ticket, TicketAction, TicketCause } from '@kawal/core/ticket/ticket.ts'
import { startPeerSystem, type Fault, type PeerSystem } from '@kawal/testkit/peer-system.ts'
import { withDatabase, type TestDatabase } from '@kawal/testkit/postgres.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import { createOutbox } from '../ticket/outbox.ts'
import { command, getTicket, openTicket, sweepTickets } from '../ticket/tickets.ts'
import { toTmf } from '../ticket/tmf621.ts'
import { createPeers } from './peers.ts'
import { writePeer } from './store.ts'

/** Whatever happens in whatever order, and whatever is lost: both sides end alike, and nothing is there twice. */
const start = Date.UTC(2029, 1, 14, 2)
const secret = Buffer.alloc(32, 3)
const telkomsel: Caller = { organisation: 'telkomsel', role: 'noc' }
const komdigi: Caller = { organisation: 'komdigi', role: 'duty_officer' }
const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
let kit: TestDatabase
before(async () => {
  kit = await withDatabase()
})
after(() => kit.close())

type Step =
  | { readonly kind: 'ours'; readonly action: 'acknowledge' | 'start' | 'resume' | 'hold' | 'resolve' | 'note' | 'estimate' }
  | { readonly kind: 'centre' | 'measured' | 'turn' | 'restart' }
  | { readonly kind: 'theirs'; readonly pick: number; readonly note: boolean; readonly estimate: boolean }
  | { readonly kind: 'wait'; readonly s: number }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly after: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ours' as const), action: fc.constantFrom('acknowledge', 'start', 'resume', 'hold', 'resolve', 'note', 'estimate') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('theirs' as const), pick: fc.nat(9), note: fc.boolean(), estimate: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('centre', 'measured', 'turn', 'turn', 'turn', 'restart') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), s: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fault' as const), fault: fc.constantFrom<Fault>('cut_before', 'cut_after', 'error'), after: fc.nat(4) }) },
)

/** Where somebody there may go from a status. */
const next: Readonly<Record<string, readonly string[]>> = { acknowledged: ['inProgress', 'pending', 'resolved'], inProgress: ['pending', 'held', 'resolved'], pending: ['inProgress', 'resolved'], held: ['inProgress', 'resolved'], resolved: ['closed'] }
const isAlike = (ticket: Ticket, theirs: string): boolean => {
  const wanted: string = toTmf(ticket, start).status
  return wanted === theirs || (wanted === 'pending' && theirs === 'held') || (wanted === 'resolved' && theirs === 'closed')
}

let runs = 0
/** One run of steps with a ticket of its own, at a system of its own. */
async function play(version: 4 | 5, notes: 'replaced' | 'added', steps: readonly Step[]): Promise<void> {
  const name = `run-${++runs}`
  let now = start
  const clock = (): number => now
  const faults: Fault[] = []
  const there = await startPeerSystem({ version, clock, notes, etags: version === 5, fault: () => faults.shift() ?? 'none' })
  try {
    await writePeer(kit.database, secret, { organisation: 'telkomsel', url: there.url, version, proof: { kind: 'none' } }, now)
    const needs = { database: kit.database, clock }
    const cause: TicketCause = { id: name, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001'], startedAt: start, foundAt: start, endedAt: null, evidence }
    const opened = await openTicket(needs, system, cause)
    assert.ok(opened.ok)
    const { id } = opened.value.ticket
    const begin = () => {
      const peers = createPeers({ ...needs, changed: () => undefined, failed: (error) => assert.fail(String(error)), secret, hosts: ['127.0.0.1'] })
      const outbox = createOutbox(kit.database, peers.send)
      return { turn: async () => (await outbox.deliver(now), peers.turn(now)) }
    }
    let running = begin()
    const counts = { notes: 0, resolved: 0 }
    for (const each of steps) {
      now += second_ms
      if (each.kind === 'wait') now += each.s * second_ms
      else if (each.kind === 'fault') faults.push(...Array.from<Fault>({ length: each.after }).fill('none'), each.fault)
      else if (each.kind === 'turn') await running.turn()
      else if (each.kind === 'restart') running = begin()
      else if (each.kind === 'measured') await sweepTickets(kit.database, now, (of) => (of === name ? cause : null))
      else if (each.kind === 'centre') counts.notes += Number((await command(needs, komdigi, id, { kind: 'note', text: `centre ${counts.notes}` })).ok)
      else if (each.kind === 'ours') {
        const done = await command(needs, telkomsel, id, actionOf(each.action, counts.notes, now))
        if (done.ok && each.action === 'note') counts.notes++
        if (done.ok && each.action === 'resolve') counts.resolved++
      } else if (each.kind === 'theirs') counts.notes += await speak(there, each, counts, now)
    }
    faults.length = 0
    for (let rounds = 0; rounds < 4; rounds++) {
      now += 11 * 60 * second_ms
      for (let turns = 0; turns < 4; turns++) await running.turn()
    }
    check(await getTicket(needs, system, id), there, counts, id)
    const { rows } = await kit.database.transaction(system, (client) => client.query<{ n: number }>("SELECT count(*)::int AS n FROM ticket_event WHERE ticket_id = $1 AND event->>'kind' = 'resolved'", [id]))
    assert.ok((rows[0]?.n ?? 0) <= counts.resolved, `${rows[0]?.n} resolutions of ${counts.resolved} that were said`)
    assert.ok((await command(needs, komdigi, id, { kind: 'cancel', reason: 'over' })).ok)
  } finally {
    await there.close()
  }
}

function actionOf(action: Extract<Step, { kind: 'ours' }>['action'], notes: number, now: number): TicketAction {
  switch (action) {
    case 'hold': return { kind: 'hold', reason: 'waiting' }
    case 'note': return { kind: 'note', text: `ours ${notes}` }
    case 'estimate': return { kind: 'estimate', expectedAt: now + 3_600 * second_ms }
    default: return { kind: action }
  }
}

/** Somebody there says something, where they have the ticket. @returns how many notes he wrote */
async function speak({ tickets, say }: PeerSystem, { pick, note, estimate }: Extract<Step, { kind: 'theirs' }>, counts: { notes: number; resolved: number }, now: number): Promise<number> {
  const [ticket] = tickets.values()
  if (ticket === undefined) return 0
  const open = next[String(ticket['status'])] ?? []
  const status = open[pick % Math.max(1, open.length)]
  if (status === 'resolved' || status === 'closed') counts.resolved++
  await say(String(ticket['id']), { ...(status === undefined ? {} : { status, reason: 'said' }), ...(note ? { note: `theirs ${counts.notes}` } : {}), ...(estimate ? { expected: new Date(now + 7_200 * second_ms).toISOString() } : {}) })
  return Number(note)
}

function check(ours: Ticket | null, { tickets, faults }: PeerSystem, counts: { readonly notes: number }, id: string): void {
  assert.ok(ours !== null)
  assert.equal(tickets.size, 1, 'one ticket there')
  const [theirs] = tickets.values() as Iterable<Record<string, unknown> & { note: { text: string }[] }>
  assert.ok(theirs !== undefined)
  assert.ok(isAlike(ours, String(theirs['status'])), `ours ${ours.status}, theirs ${String(theirs['status'])}`)
  const [own, other] = [ours.notes.map(({ text }) => text).sort(), theirs.note.map(({ text }) => text.replace(`[${id}.`, '').replace(/^\d+\] /, '')).sort()]
  assert.deepEqual(other, own)
  assert.deepEqual([own.length, new Set(own).size], [counts.notes, counts.notes], 'each note once')
  assert.equal(Date.parse(String(theirs['expectedResolutionDate'])) || null, ours.expectedAt)
  assert.deepEqual(faults, [])
}

for (const [version, notes] of [[4, 'replaced'], [5, 'added']] as const)
  test(`TMF621 v${version}, notes ${notes}: any order, lost answers, restarts`, () =>
    fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => play(version, notes, steps)), { numRuns: 25, seed: 20290214, endOnFailure: true }))
