import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minute_ms } from '../kernel/clock.ts'
import { pause, read, resume, startClock, used } from './clock.ts'
import {
  apply, clocks, decide, nextDue, ticketStatuses,
  type Actor, type Ticket, type TicketAction, type TicketCause, type TicketEvent,
} from './ticket.ts'

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence' }
const disturbance: TicketCause = {
  id: 'd1', cause: 'operator', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001', '5301012001002'],
  startedAt: -5 * minute_ms, foundAt: 0, endedAt: null, evidence,
}
const opening = { id: 'TT-d1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Kupang', disturbance }

/** Gives commands one after the other and refuses to go on from a refusal. */
function tell(ticket: Ticket | null, actor: Actor, now: number, action: TicketAction): Ticket {
  const decided = decide(ticket, { ...action, by: actor === 'measurement' ? 'kawal' : 'telkomsel', actor }, now)
  assert.ok(decided.ok, `${action.kind} at ${now}: ${decided.ok ? '' : decided.error}`)
  const after = decided.value.reduce<Ticket | null>(apply, ticket)
  assert.ok(after !== null)
  return after
}
const opened = (): Ticket => tell(null, 'measurement', 0, { kind: 'open', opening })
const working = (): Ticket => tell(tell(opened(), 'operator', minute_ms, { kind: 'acknowledge' }), 'operator', 2 * minute_ms, { kind: 'start' })
const refusal = (ticket: Ticket | null, actor: Actor, now: number, action: TicketAction): string => {
  const decided = decide(ticket, { ...action, by: 'x', actor }, now)
  return decided.ok ? 'accepted' : decided.error
}

test('acknowledged, started, resolved, and closed only by measurement', () => {
  const resolved = tell(working(), 'operator', 12 * minute_ms, { kind: 'resolve', text: 'antenna realigned' })
  assert.equal(resolved.status, 'resolved')
  assert.equal(refusal(resolved, 'operator', 13 * minute_ms, { kind: 'confirm', recoveredAt: 0 }), 'not_yours_to_say')
  assert.equal(refusal(resolved, 'watch', 13 * minute_ms, { kind: 'confirm', recoveredAt: 0 }), 'not_yours_to_say')
  const closed = tell(resolved, 'measurement', 14 * minute_ms, { kind: 'confirm', recoveredAt: 13 * minute_ms })
  assert.equal(closed.status, 'closed')
  assert.deepEqual(closed.statusHistory.map((entry) => entry.status), ['submitted', 'acknowledged', 'inProgress', 'resolved', 'closed'])
  const [restore, repair] = clocks(closed, 99 * minute_ms)
  assert.deepEqual([restore.state, restore.used_ms, repair.state, repair.used_ms], ['met', 13 * minute_ms, 'met', 12 * minute_ms])
  for (const action of [{ kind: 'start' }, { kind: 'resolve' }, { kind: 'note', text: 'x' }] as const)
    assert.equal(refusal(closed, 'operator', 15 * minute_ms, action), 'not_from_this_status')
})

test('a resolution that measurement does not bear out reopens, not a moment before its time', () => {
  const resolved = tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' })
  assert.equal(refusal(resolved, 'measurement', 15 * minute_ms - 1, { kind: 'refuse', evidence }), 'still_verifying')
  assert.equal(nextDue(resolved, 11 * minute_ms), 15 * minute_ms)
  const again = tell(resolved, 'measurement', 15 * minute_ms, { kind: 'refuse', evidence: { ...evidence, devicesSilent: 12 } })
  assert.deepEqual([again.status, again.reopened, again.resolvedAt, again.disturbance.evidence.devicesSilent], ['reopened', 1, null, 12])
  assert.match(again.history.at(-1)?.text ?? '', /silent 12, bad 5, good 4 of 20/)
  assert.equal(clocks(again, 15 * minute_ms)[1].used_ms, 15 * minute_ms, 'a claim that was not true buys no time')
})

test('while a resolution is verified the repair clock shows the instant of the claim', () => {
  const resolved = tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' })
  const [restore, repair] = clocks(resolved, 14 * minute_ms)
  assert.deepEqual([repair.state, repair.pausedReason, repair.used_ms], ['paused', 'verification', 10 * minute_ms])
  assert.equal(restore.used_ms, 14 * minute_ms)
})

test('measured as recovered before the operator says so: waits for the word, then closes by measurement', () => {
  const restored = tell(working(), 'measurement', 9 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  assert.equal(restored.status, 'inProgress')
  assert.equal(clocks(restored, 60 * minute_ms)[0].state, 'met')
  const same = tell(restored, 'measurement', 23 * minute_ms - 1, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  assert.equal(same.version, restored.version, 'nothing to say again')
  const closed = tell(restored, 'measurement', 23 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  assert.deepEqual(closed.statusHistory.slice(-2).map((entry) => [entry.status, entry.reason]), [['resolved', 'measured'], ['closed', '']])
  assert.equal(clocks(closed, 60 * minute_ms)[1].used_ms, 8 * minute_ms)
})

test('recovered and failed again: the clock goes on without the good time in between', () => {
  const restored = tell(working(), 'measurement', 8 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  const relapsed = tell(restored, 'measurement', 12 * minute_ms, { kind: 'refuse', evidence })
  assert.equal(relapsed.restoredAt, null)
  assert.equal(clocks(relapsed, 13 * minute_ms)[0].used_ms, 9 * minute_ms)
})

test('a clock warns once at 80 % and once when overdue, to the millisecond', () => {
  let ticket = opened()
  assert.equal(nextDue(ticket, 0), 24 * minute_ms)
  assert.deepEqual([clocks(ticket, 24 * minute_ms - 1)[0].state, clocks(ticket, 24 * minute_ms)[0].state], ['running', 'at_risk'])
  ticket = tell(ticket, 'measurement', 24 * minute_ms, { kind: 'warn' })
  assert.equal(tell(ticket, 'measurement', 25 * minute_ms, { kind: 'warn' }).version, ticket.version)
  assert.deepEqual([clocks(ticket, 30 * minute_ms)[0].state, clocks(ticket, 30 * minute_ms + 1)[0].state], ['at_risk', 'overdue'])
  ticket = tell(ticket, 'measurement', 31 * minute_ms, { kind: 'warn' })
  assert.deepEqual(ticket.history.slice(-2).map((entry) => entry.text), ['restore at_risk', 'restore overdue'])
})

test('refused: no reason, not one own ticket, no ticket, a second opening, nobody concerned', () => {
  assert.equal(refusal(working(), 'operator', 0, { kind: 'hold', reason: '  ' }), 'reason_missing')
  assert.equal(refusal(working(), 'watch', 0, { kind: 'resolve' }), 'not_yours_to_say')
  assert.equal(refusal(working(), 'operator', 0, { kind: 'cancel', reason: 'no' }), 'not_yours_to_say')
  assert.equal(refusal(working(), 'operator', 0, { kind: 'note', text: 'x'.repeat(2_001) }), 'text_too_long')
  assert.equal(refusal(null, 'operator', 0, { kind: 'start' }), 'not_found')
  assert.equal(refusal(opened(), 'measurement', 0, { kind: 'open', opening }), 'already_open')
  assert.equal(refusal(null, 'measurement', 0, { kind: 'open', opening: { ...opening, operator: '' } }), 'nobody_concerned')
  assert.equal(refusal(opened(), 'operator', 0, { kind: 'resolve' }), 'not_from_this_status')
  assert.equal(tell(working(), 'watch', 0, { kind: 'cancel', reason: 'false alarm' }).status, 'cancelled')
})

test('paused never breaches, and the running time is the exact sum of the stretches', () => {
  const stretches = fc.array(fc.tuple(fc.nat(7_200_000), fc.nat(100_000_000)), { maxLength: 12 })
  fc.assert(fc.property(stretches, fc.nat(1_000_000_000), (parts, after) => {
    let clock = startClock('restore', 3_600_000, 0)
    let now = 0
    let ran = 0
    for (const [running, paused] of parts) {
      now += running
      ran += running
      const overdueBefore = read(clock, now).state === 'overdue'
      clock = pause(clock, 'power', now)
      now += paused
      const reading = read(clock, now)
      assert.equal(reading.state, overdueBefore ? 'overdue' : 'paused')
      assert.equal(reading.dueAt - now, 3_600_000 - ran)
      clock = resume(clock, now)
    }
    assert.equal(used(clock, now), ran)
    assert.equal(used(pause(clock, 'power', now), now + after), ran)
  }))
})

const anyAction = fc.constantFrom<[Actor, TicketAction]>(
  ['operator', { kind: 'acknowledge' }], ['operator', { kind: 'start' }], ['operator', { kind: 'hold', reason: 'power' }], ['operator', { kind: 'resume' }],
  ['operator', { kind: 'resolve' }], ['operator', { kind: 'note', text: 'n' }], ['measurement', { kind: 'confirm', recoveredAt: 0 }],
  ['measurement', { kind: 'refuse', evidence }], ['measurement', { kind: 'warn' }], ['watch', { kind: 'note', text: 'w' }],
)

test('whatever is commanded: events replay to the same ticket, time never goes back, only measurement closes', () => {
  fc.assert(fc.property(fc.array(fc.tuple(anyAction, fc.nat(1_200_000)), { maxLength: 40 }), (steps) => {
    const log: TicketEvent[] = []
    let ticket: Ticket | null = null
    let now = 0
    const give = (actor: Actor, action: TicketAction): void => {
      const decided = decide(ticket, { ...action, by: actor, actor }, now)
      for (const event of decided.ok ? decided.value : []) {
        ticket = apply(ticket, event)
        log.push(event)
      }
    }
    give('measurement', { kind: 'open', opening })
    for (const [[actor, action], wait] of steps) {
      now += wait
      give(actor, action)
    }
    const last = ticket as Ticket | null
    assert.ok(last !== null && ticketStatuses.includes(last.status))
    assert.deepEqual(log.reduce<Ticket | null>(apply, null), last)
    assert.equal(last.version, log.length)
    assert.ok(log.every((event, index) => index === 0 || event.at >= (log[index - 1]?.at ?? 0)))
    assert.ok(log.every((event) => event.kind !== 'closed' || event.by === 'measurement'))
    assert.ok(clocks(last, now).every((clock) => clock.used_ms >= 0 && clock.used_ms <= now))
  }))
})
