import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hour_ms, minute_ms } from '../kernel/clock.ts'
import { weigh } from '../detection/measured.ts'
import { pause, read, resume, startClock, used, type ClockReading } from './clock.ts'
import {
  apply, clocks, decide, nextDue, ticketStatuses,
  type Actor, type Ticket, type TicketAction, type TicketCause, type TicketEvent,
} from './ticket.ts'

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [{ cause: 'access', nats: 7.5 }, { cause: 'power', nats: 1.2 }], signs: [{ sign: 'silent', count: 11, of: 20 }] } as const
const disturbance: TicketCause = {
  id: 'd1', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001', '5301012001002'],
  startedAt: -5 * minute_ms, foundAt: 0, endedAt: null, evidence,
}
const opening = { id: 'TT-d1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Kupang', disturbance }

/** The clocks of a disturbance's ticket: it has both. */
function clocksOf(ticket: Ticket, now: number): readonly [restore: ClockReading, repair: ClockReading] {
  const [restore, repair] = clocks(ticket, now)
  assert.ok(restore !== undefined && repair !== undefined)
  return [restore, repair]
}

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
  const [restore, repair] = clocksOf(closed, 99 * minute_ms)
  assert.deepEqual([restore.state, restore.used_ms, repair.state, repair.used_ms], ['met', 13 * minute_ms, 'met', 12 * minute_ms])
  for (const action of [{ kind: 'start' }, { kind: 'resolve' }, { kind: 'note', text: 'x' }] as const)
    assert.equal(refusal(closed, 'operator', 15 * minute_ms, action), 'not_from_this_status')
})

test('a resolution that measurement does not bear out reopens, not a moment before its time', () => {
  const resolved = tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' })
  assert.equal(refusal(resolved, 'measurement', 15 * minute_ms - 1, { kind: 'refuse', evidence }), 'still_verifying')
  assert.equal(nextDue(resolved, 11 * minute_ms), 15 * minute_ms)
  const again = tell(resolved, 'measurement', 15 * minute_ms, { kind: 'refuse', evidence: { ...evidence, devicesSilent: 12 } })
  assert.deepEqual([again.status, again.reopened, again.resolvedAt, again.disturbance?.evidence.devicesSilent], ['reopened', 1, null, 12])
  assert.match(again.history.at(-1)?.text ?? '', /silent 12, bad 5, good 4 of 20/)
  assert.equal(clocksOf(again, 15 * minute_ms)[1].used_ms, 15 * minute_ms, 'a claim that was not true buys no time')
})

const nobody = weigh([], 16)
const stillSilent = weigh([{ station: '5301012001001', good: 0, bad: 0, silent: 3 }, { station: '5301012001002', good: 2, bad: 0, silent: 0 }], 16)
const refuse = (verdict: typeof nobody): TicketAction => ({ kind: 'refuse', evidence, verdict })

test('a resolution that nobody measures is asked for, then unverified: neither closed nor reopened, and both clocks stand still as of the claim', () => {
  const resolved = tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' })
  assert.equal(refusal(resolved, 'measurement', 15 * minute_ms - 1, refuse(nobody)), 'still_verifying')
  const asked = tell(resolved, 'measurement', 15 * minute_ms, refuse(nobody))
  assert.deepEqual([asked.status, asked.verification?.state, asked.verification?.claimedAt, asked.history.at(-1)?.evidence?.devicesExpected], ['resolved', 'asked', 10 * minute_ms, 0])
  assert.equal(nextDue(asked, 16 * minute_ms), 25 * minute_ms)
  assert.equal(refusal(asked, 'measurement', 25 * minute_ms - 1, refuse(nobody)), 'still_verifying')
  const unverified = tell(asked, 'measurement', 25 * minute_ms, refuse(nobody))
  assert.deepEqual([unverified.status, unverified.verification?.state, unverified.reopened, unverified.history.at(-1)?.kind], ['resolved', 'unverified', 0, 'unverified'])
  assert.match(unverified.notes.at(-1)?.text ?? '', /^Tidak terverifikasi: .*\(0 baik, 0 buruk, 0 diam\)/)
  for (const clock of clocksOf(unverified, 10 * hour_ms)) assert.deepEqual([clock.state, clock.pausedReason, clock.used_ms], ['paused', 'unverified', 10 * minute_ms])
  assert.equal(nextDue(unverified, 10 * hour_ms), null)
  assert.equal(refusal(unverified, 'measurement', 10 * hour_ms, refuse(nobody)), 'still_verifying', 'it is said once')
})

test('when reports come at last they decide: well closes it with its evidence, broken reopens it with the stations, and the clocks go on', () => {
  const asked = tell(tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' }), 'measurement', 15 * minute_ms, refuse(nobody))
  const reopened = tell(asked, 'measurement', 20 * minute_ms, refuse(stillSilent))
  assert.deepEqual([reopened.status, reopened.reopened, reopened.verification?.state, reopened.verification?.broken.map(({ station }) => station)], ['reopened', 1, 'refused', ['5301012001001']])
  assert.match(reopened.history.at(-1)?.text ?? '', /still at 5301012001001$/)
  assert.deepEqual(clocksOf(reopened, 22 * minute_ms).map(({ used_ms }) => used_ms), [12 * minute_ms, 12 * minute_ms])
  const unverified = tell(asked, 'measurement', 25 * minute_ms, refuse(nobody))
  const closed = tell(unverified, 'measurement', 3 * hour_ms, { kind: 'confirm', recoveredAt: 3 * hour_ms, evidence: { ...evidence, devicesSilent: 0, devicesBad: 0, devicesGood: 9 } })
  assert.deepEqual([closed.status, closed.verification?.state, closed.verification?.good, closed.history.at(-1)?.evidence?.devicesGood], ['closed', 'verified', 9, 9])
  assert.deepEqual(clocksOf(closed, 9 * hour_ms).map(({ state, used_ms }) => [state, used_ms]), [['met', 10 * minute_ms], ['met', 10 * minute_ms]])
  const sent = tell(unverified, 'watch', hour_ms, { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat' })
  assert.deepEqual([sent.status, sent.verification], ['submitted', null], 'a word of who had it is nothing to who has it now')
})

test('while a resolution is verified the repair clock shows the instant of the claim', () => {
  const resolved = tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' })
  const [restore, repair] = clocksOf(resolved, 14 * minute_ms)
  assert.deepEqual([repair.state, repair.pausedReason, repair.used_ms], ['paused', 'verification', 10 * minute_ms])
  assert.equal(restore.used_ms, 14 * minute_ms)
})

test('measured as recovered before the operator says so: waits for the word, then closes by measurement', () => {
  const restored = tell(working(), 'measurement', 9 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  assert.equal(restored.status, 'inProgress')
  assert.equal(clocksOf(restored, 60 * minute_ms)[0].state, 'met')
  const same = tell(restored, 'measurement', 23 * minute_ms - 1, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  assert.equal(same.version, restored.version, 'nothing to say again')
  const closed = tell(restored, 'measurement', 23 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms, evidence })
  assert.deepEqual(closed.statusHistory.slice(-2).map((entry) => [entry.status, entry.reason]), [['resolved', 'measured'], ['closed', '']])
  assert.equal(clocksOf(closed, 60 * minute_ms)[1].used_ms, 8 * minute_ms)
  assert.equal(closed.verification, undefined, 'nobody claimed anything')
})

test('recovered and failed again: the clock goes on without the good time in between', () => {
  const restored = tell(working(), 'measurement', 8 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  const relapsed = tell(restored, 'measurement', 12 * minute_ms, { kind: 'refuse', evidence })
  assert.equal(relapsed.restoredAt, null)
  assert.equal(clocksOf(relapsed, 13 * minute_ms)[0].used_ms, 9 * minute_ms)
})

test('a clock warns once at 80 % and once when overdue, to the millisecond', () => {
  let ticket = opened()
  assert.equal(nextDue(ticket, 0), 24 * minute_ms)
  assert.deepEqual([clocksOf(ticket, 24 * minute_ms - 1)[0].state, clocksOf(ticket, 24 * minute_ms)[0].state], ['running', 'at_risk'])
  ticket = tell(ticket, 'measurement', 24 * minute_ms, { kind: 'warn' })
  assert.equal(tell(ticket, 'measurement', 25 * minute_ms, { kind: 'warn' }).version, ticket.version)
  assert.deepEqual([clocksOf(ticket, 30 * minute_ms)[0].state, clocksOf(ticket, 30 * minute_ms + 1)[0].state], ['at_risk', 'overdue'])
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
  ['operator', { kind: 'dispute', dispute: 'power', text: 'd' }], ['watch', { kind: 'reject', reason: 'r' }], ['watch', { kind: 'uphold', reason: '', to: { operator: 'indosat', operatorName: 'Indosat' } }], ['watch', { kind: 'transfer', operator: 'xlsmart', operatorName: 'XLSmart' }],
  ['measurement', { kind: 'refuse', evidence }], ['measurement', { kind: 'refuse', evidence, verdict: weigh([], 16) }], ['measurement', { kind: 'warn' }], ['watch', { kind: 'note', text: 'w' }],
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
    assert.ok(clocksOf(last, now).every((clock) => clock.used_ms >= 0 && clock.used_ms <= now))
  }))
})

const problem = { kind: 'signal', text: 'tidak ada sinyal di balai desa', station: '5301012001001', accessPoint: null, givenAt: -minute_ms } as const
const reported = (): Ticket => tell(null, 'officer', 0, { kind: 'open', opening: { id: 'OP-1', operator: 'dinas', operatorName: 'Dinas Kominfo', areaName: 'Kupang', problem } })
const answered = (): Ticket => tell(tell(tell(reported(), 'operator', minute_ms, { kind: 'start' }), 'operator', 2 * minute_ms, { kind: 'note', text: 'tim berangkat' }), 'operator', hour_ms, { kind: 'resolve', text: 'antena diarahkan' })

test("an officer's problem has no disturbance and no clocks, and closes by that officer's word", () => {
  const ticket = answered()
  assert.deepEqual([ticket.disturbance, ticket.problem, clocks(ticket, 99 * hour_ms)], [null, problem, []])
  assert.equal(refusal(ticket, 'operator', hour_ms, { kind: 'word', word: 'fixed' }), 'not_yours_to_say')
  assert.equal(refusal(ticket, 'watch', hour_ms, { kind: 'word', word: 'fixed' }), 'not_yours_to_say')
  const closed = tell(ticket, 'officer', 2 * hour_ms, { kind: 'word', word: 'fixed' })
  assert.deepEqual([closed.status, closed.closedAt, nextDue(closed, 3 * hour_ms)], ['closed', 2 * hour_ms, null])
  assert.equal(refusal(closed, 'officer', 3 * hour_ms, { kind: 'word', word: 'still' }), 'not_from_this_status')
})

test('the word still reopens, and is heard only after somebody said resolved', () => {
  assert.equal(refusal(reported(), 'officer', 0, { kind: 'word', word: 'fixed' }), 'not_from_this_status')
  const again = tell(answered(), 'officer', 2 * hour_ms, { kind: 'word', word: 'still' })
  assert.deepEqual([again.status, again.reopened, again.resolvedAt, again.disturbance], ['reopened', 1, null, null])
  assert.equal(tell(tell(again, 'operator', 3 * hour_ms, { kind: 'start' }), 'operator', 4 * hour_ms, { kind: 'resolve' }).status, 'resolved')
})

test('without a word it closes 48 h after it was resolved, not a moment before', () => {
  const ticket = answered()
  const due = hour_ms + 48 * hour_ms
  assert.equal(nextDue(ticket, 2 * hour_ms), due)
  assert.equal(tell(ticket, 'measurement', due - 1, { kind: 'lapse' }).status, 'resolved')
  assert.equal(tell(ticket, 'measurement', due, { kind: 'lapse' }).status, 'closed')
  assert.equal(tell(reported(), 'measurement', 1_000 * hour_ms, { kind: 'lapse' }).status, 'submitted', 'nobody has said resolved')
})

test('measurement has no say over a word, nor an officer over a disturbance', () => {
  assert.equal(refusal(answered(), 'measurement', 2 * hour_ms, { kind: 'confirm', recoveredAt: 0 }), 'not_yours_to_say')
  assert.equal(refusal(answered(), 'measurement', 2 * hour_ms, { kind: 'refuse', evidence }), 'not_yours_to_say')
  const resolved = tell(working(), 'operator', 10 * minute_ms, { kind: 'resolve' })
  assert.equal(refusal(resolved, 'officer', 11 * minute_ms, { kind: 'word', word: 'fixed' }), 'not_yours_to_say')
  assert.equal(refusal(resolved, 'measurement', 99 * hour_ms, { kind: 'lapse' }), 'not_yours_to_say')
  for (const action of [{ kind: 'dispute', dispute: 'power', text: 'x' }, { kind: 'uphold', reason: 'x', to: null }, { kind: 'reject', reason: 'x' }] as const) for (const actor of ['operator', 'watch'] as const) assert.equal(refusal(answered(), actor, 2 * hour_ms, action), 'not_yours_to_say')
})

test('the monitoring centre transfers a problem, and nobody else does: whoever has it now has not seen it yet', () => {
  const sent = tell(answered(), 'watch', 2 * hour_ms, { kind: 'transfer', operator: 'telkomsel', operatorName: 'Telkomsel' })
  assert.deepEqual([sent.operator, sent.operatorName, sent.status, sent.resolvedAt, sent.history.at(-1)?.text], ['telkomsel', 'Telkomsel', 'submitted', null, 'Telkomsel'])
  assert.equal(refusal(sent, 'watch', 2 * hour_ms, { kind: 'transfer', operator: 'telkomsel', operatorName: 'Telkomsel' }), 'nobody_concerned')
  assert.deepEqual([sent.clocks, sent.holders], [[], [{ operator: 'dinas', operatorName: 'Dinas Kominfo', from: 0, until: 2 * hour_ms, clocks: [], excused: false }]])
  for (const actor of ['operator', 'officer', 'measurement'] as const) assert.equal(refusal(sent, actor, 2 * hour_ms, { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat' }), 'not_yours_to_say')
})

const anyOfProblem = fc.constantFrom<[Actor, TicketAction]>(
  ['operator', { kind: 'acknowledge' }], ['operator', { kind: 'start' }], ['operator', { kind: 'hold', reason: 'hujan' }], ['operator', { kind: 'resume' }], ['operator', { kind: 'resolve' }],
  ['officer', { kind: 'word', word: 'fixed' }], ['officer', { kind: 'word', word: 'still' }], ['measurement', { kind: 'lapse' }], ['measurement', { kind: 'confirm', recoveredAt: 0 }], ['measurement', { kind: 'warn' }],
  ['watch', { kind: 'transfer', operator: 'telkomsel', operatorName: 'Telkomsel' }],
)

test("whatever is commanded of a problem: it replays, and only the officer or two days of silence close it", () => {
  fc.assert(fc.property(fc.array(fc.tuple(anyOfProblem, fc.nat(30 * hour_ms)), { maxLength: 40 }), (steps) => {
    const log: TicketEvent[] = []
    let ticket: Ticket | null = null
    let now = 0
    const give = (actor: Actor, action: TicketAction): void => {
      const decided = decide(ticket, { ...action, by: actor, actor }, now)
      for (const event of decided.ok ? decided.value : []) {
        if (event.kind === 'closed') assert.ok(actor === 'officer' || (actor === 'measurement' && now - (ticket?.resolvedAt ?? now) >= 48 * hour_ms))
        ticket = apply(ticket, event)
        log.push(event)
      }
    }
    give('officer', { kind: 'open', opening: { id: 'OP-1', operator: 'dinas', operatorName: 'Dinas', areaName: 'Kupang', problem } })
    for (const [[actor, action], wait] of steps) {
      now += wait
      give(actor, action)
    }
    assert.deepEqual(log.reduce<Ticket | null>(apply, null), ticket)
    assert.deepEqual((ticket as Ticket | null)?.clocks, [])
  }))
})

test('a request is worked on by the centre, and settled by the word of who asked, or by none for 48 hours', () => {
  const request = { description: 'the list is wrong', severity: 'High', ticketType: 'data', externalId: null }
  const opened = tell(null, 'operator', 0, { kind: 'open', opening: { id: 'PM-1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: '', request } })
  assert.deepEqual([opened.status, opened.request, opened.disturbance, opened.clocks], ['submitted', request, null, []])
  for (const kind of ['acknowledge', 'start', 'resolve'] as const) assert.deepEqual(decide(opened, { kind, by: 'telkomsel', actor: 'operator' }, 0), { ok: false, error: 'not_yours_to_say' })
  const resolved = tell(tell(opened, 'watch', 0, { kind: 'start' }), 'watch', 1, { kind: 'resolve', text: 'done' })
  for (const actor of ['watch', 'officer', 'measurement'] as const) assert.deepEqual(decide(resolved, { kind: 'word', word: 'fixed', by: actor, actor }, 2), { ok: false, error: 'not_yours_to_say' })
  assert.equal(tell(resolved, 'operator', 2, { kind: 'word', word: 'fixed' }).status, 'closed')
  assert.equal(tell(resolved, 'operator', 2, { kind: 'word', word: 'still' }).status, 'reopened')
  assert.deepEqual(decide(resolved, { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat', by: 'komdigi', actor: 'watch' }, 2), { ok: false, error: 'not_yours_to_say' })
  assert.equal(tell(resolved, 'measurement', 1 + 48 * hour_ms, { kind: 'lapse' }).status, 'closed')
})
