import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hour_ms, minute_ms } from '../kernel/clock.ts'
import { disputeKinds } from './dispute.ts'
import { apply, clocks, decide, nextDue, type Actor, type Ticket, type TicketAction, type TicketCause } from './ticket.ts'

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const disturbance: TicketCause = {
  id: 'd1', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001'], startedAt: -5 * minute_ms, foundAt: 0, endedAt: null, evidence,
}
const organisationOf: Readonly<Record<Actor, string>> = { operator: 'telkomsel', watch: 'komdigi', measurement: 'kawal', officer: 'officer' }
const bakti = { operator: 'bakti', operatorName: 'BAKTI' } as const

function tell(ticket: Ticket | null, actor: Actor, now: number, action: TicketAction): Ticket {
  const decided = decide(ticket, { ...action, by: actor === 'operator' ? ticket?.operator ?? '' : organisationOf[actor], actor }, now)
  assert.ok(decided.ok, `${action.kind} at ${now}: ${decided.ok ? '' : decided.error}`)
  const after = decided.value.reduce<Ticket | null>(apply, ticket)
  assert.ok(after !== null)
  return after
}
const refusal = (ticket: Ticket, actor: Actor, action: TicketAction): string => {
  const decided = decide(ticket, { ...action, by: 'x', actor }, 10 * minute_ms)
  return decided.ok ? 'accepted' : decided.error
}
const working = (): Ticket => tell(tell(null, 'measurement', 0, { kind: 'open', opening: { id: 'TT-d1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Kupang', disturbance } }), 'operator', minute_ms, { kind: 'start' })
const dispute = { kind: 'dispute', dispute: 'access_point', text: ' the mast is BAKTI\'s ' } as const
const disputed = (): Ticket => tell(working(), 'operator', 5 * minute_ms, dispute)

test('a dispute stands with what was measured at that instant, and changes neither status nor clocks', () => {
  const now = { ...evidence, devicesSilent: 15 }
  const ticket = tell(working(), 'operator', 5 * minute_ms, { ...dispute, evidence: now })
  assert.deepEqual(ticket.dispute, { kind: 'access_point', text: "the mast is BAKTI's", by: 'telkomsel', since: 5 * minute_ms, evidence: now, answer: null })
  assert.deepEqual(disputed().dispute?.evidence, evidence, 'the ticket\'s own where nothing is newer')
  assert.deepEqual([ticket.status, ticket.clocks, nextDue(ticket, 6 * minute_ms)], ['inProgress', working().clocks, nextDue(working(), 6 * minute_ms)])
  const { kind, text, dispute: told } = ticket.history.at(-1) ?? {}
  assert.deepEqual([kind, text, told], ['disputed', "the mast is BAKTI's", 'access_point'])
})

test('one dispute at a time, by who has the ticket, with a text of at most 2,000 characters', () => {
  assert.equal(refusal(disputed(), 'operator', dispute), 'dispute_open')
  for (const actor of ['watch', 'measurement', 'officer'] as const) assert.equal(refusal(working(), actor, dispute), 'not_yours_to_say')
  assert.equal(refusal(working(), 'operator', { ...dispute, text: ' ' }), 'reason_missing')
  assert.equal(refusal(working(), 'operator', { ...dispute, text: 'x'.repeat(2_001) }), 'text_too_long')
  assert.equal(refusal(tell(working(), 'watch', 6 * minute_ms, { kind: 'cancel', reason: 'x' }), 'operator', dispute), 'not_from_this_status')
})

test('only the centre answers, only what is open; until then it neither cancels nor transfers, and measurement goes on', () => {
  const answers = [{ kind: 'uphold', reason: 'x', to: bakti }, { kind: 'uphold', reason: 'x', to: null }, { kind: 'reject', reason: 'x' }] as const
  for (const answer of answers) {
    assert.equal(refusal(working(), 'watch', answer), 'no_dispute')
    for (const actor of ['operator', 'measurement', 'officer'] as const) assert.equal(refusal(disputed(), actor, answer), 'not_yours_to_say')
  }
  assert.equal(refusal(disputed(), 'watch', { kind: 'cancel', reason: 'x' }), 'dispute_open')
  assert.equal(refusal(disputed(), 'watch', { kind: 'transfer', ...bakti }), 'dispute_open')
  assert.equal(refusal(disputed(), 'watch', { kind: 'reject', reason: '' }), 'reason_missing')
  assert.equal(refusal(disputed(), 'watch', { kind: 'uphold', reason: '', to: null }), 'reason_missing')
  assert.equal(refusal(disputed(), 'watch', { kind: 'uphold', reason: 'x'.repeat(2_001), to: bakti }), 'text_too_long')
  assert.equal(tell(disputed(), 'measurement', 6 * minute_ms, { kind: 'cancel', reason: 'retracted' }).status, 'cancelled')
  assert.equal(tell(tell(disputed(), 'operator', 6 * minute_ms, { kind: 'resolve' }), 'measurement', 7 * minute_ms, { kind: 'confirm', recoveredAt: 7 * minute_ms }).status, 'closed')
})

test('rejected: all goes on as if nothing had been said, and it may be disputed again', () => {
  const ticket = tell(disputed(), 'watch', 9 * minute_ms, { kind: 'reject', reason: 'chargers stayed on' })
  assert.deepEqual(ticket.dispute?.answer, { word: 'rejected', reason: 'chargers stayed on', by: 'komdigi', at: 9 * minute_ms })
  assert.deepEqual([ticket.status, ticket.operator, ticket.clocks, ticket.holders], ['inProgress', 'telkomsel', working().clocks, undefined])
  assert.equal(tell(ticket, 'operator', 10 * minute_ms, { ...dispute, dispute: 'power' }).dispute?.answer, null)
})

test('upheld and transferred: whoever has it now begins anew, and of the first nothing is counted', () => {
  const held = tell(disputed(), 'operator', 6 * minute_ms, { kind: 'hold', reason: 'no access' })
  const ticket = tell(held, 'watch', 40 * minute_ms, { kind: 'uphold', reason: '', to: { ...bakti, budgets: { restore: 20 * minute_ms, repair: hour_ms } } })
  assert.deepEqual([ticket.operator, ticket.operatorName, ticket.status, ticket.dispute?.answer?.word], ['bakti', 'BAKTI', 'submitted', 'upheld'])
  assert.deepEqual(clocks(ticket, 45 * minute_ms).map(({ state, used_ms, dueAt }) => [state, used_ms, dueAt]), [['running', 5 * minute_ms, 60 * minute_ms], ['running', 5 * minute_ms, 100 * minute_ms]])
  const [left] = ticket.holders ?? []
  assert.deepEqual([left?.operator, left?.from, left?.until, left?.excused, left?.clocks.map((clock) => [clock.name, clock.used_ms, clock.late])], ['telkomsel', 0, 40 * minute_ms, true, [['restore', 6 * minute_ms, false], ['repair', 6 * minute_ms, false]]])
  assert.deepEqual(ticket.statusHistory.map(({ status }) => status), ['submitted', 'acknowledged', 'inProgress', 'pending', 'submitted'])
})

test('upheld and cancelled: it is over, and nobody is to blame', () => {
  const ticket = tell(disputed(), 'watch', 9 * minute_ms, { kind: 'uphold', reason: 'the mains of the whole district', to: null })
  assert.deepEqual([ticket.status, ticket.dispute?.answer?.word, ticket.history.slice(-2).map(({ kind }) => kind)], ['cancelled', 'upheld', ['upheld', 'cancelled']])
})

test('transferred without a dispute: the first one\'s time counts, a late clock stays late in his record', () => {
  const late = tell(working(), 'measurement', 31 * minute_ms, { kind: 'warn' })
  const ticket = tell(late, 'watch', 35 * minute_ms, { kind: 'transfer', ...bakti })
  assert.deepEqual(ticket.holders?.map(({ excused, clocks: [restore] }) => [excused, restore?.late, restore?.used_ms]), [[false, true, 35 * minute_ms]])
  assert.deepEqual([ticket.warned, clocks(ticket, 35 * minute_ms).map(({ state }) => state)], [{}, ['running', 'running']])
  assert.equal(refusal(ticket, 'watch', { kind: 'transfer', ...bakti }), 'nobody_concerned', 'he has it')
  assert.equal(refusal(ticket, 'watch', { kind: 'transfer', operator: 'nobody', operatorName: '' }), 'nobody_concerned')
  const back = tell(ticket, 'watch', 50 * minute_ms, { kind: 'transfer', operator: 'telkomsel', operatorName: 'Telkomsel' })
  assert.deepEqual(back.holders?.map(({ operator, from, until }) => [operator, from, until]), [['telkomsel', 0, 35 * minute_ms], ['bakti', 35 * minute_ms, 50 * minute_ms]])
})

test('an old dispute excuses no later time: neither another organisation\'s nor the same one\'s', () => {
  const upheld = tell(disputed(), 'watch', 9 * minute_ms, { kind: 'uphold', reason: '', to: bakti })
  const back = tell(upheld, 'watch', 20 * minute_ms, { kind: 'transfer', operator: 'telkomsel', operatorName: 'Telkomsel' })
  const again = tell(back, 'watch', 30 * minute_ms, { kind: 'transfer', operator: 'xlsmart', operatorName: 'XLSmart' })
  assert.deepEqual(again.holders?.map(({ operator, excused }) => [operator, excused]), [['telkomsel', true], ['bakti', false], ['telkomsel', false]])
})

test('measured well while it is transferred: the new restore clock is met, and runs when service fails again', () => {
  const restored = tell(working(), 'measurement', 8 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms })
  const ticket = tell(restored, 'watch', 10 * minute_ms, { kind: 'transfer', ...bakti })
  assert.deepEqual(clocks(ticket, 12 * minute_ms).map(({ state, used_ms }) => [state, used_ms]), [['met', 0], ['running', 2 * minute_ms]])
  const relapsed = tell(ticket, 'measurement', 15 * minute_ms, { kind: 'refuse', evidence })
  assert.equal(clocks(relapsed, 18 * minute_ms)[0]?.used_ms, 3 * minute_ms)
  assert.equal(tell(ticket, 'measurement', 23 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms }).status, 'closed')
})

test('whatever is claimed whenever, the clocks read as if nobody had claimed anything', () => {
  const steps: readonly TicketAction[] = [{ kind: 'acknowledge' }, { kind: 'start' }, { kind: 'hold', reason: 'power' }, { kind: 'resume' }, { kind: 'resolve' }]
  const give = (ticket: Ticket, actor: Actor, action: TicketAction, now: number): Ticket => {
    const decided = decide(ticket, { ...action, by: organisationOf[actor], actor }, now)
    return decided.ok ? decided.value.reduce<Ticket | null>(apply, ticket) as Ticket : ticket
  }
  fc.assert(fc.property(fc.array(fc.record({ step: fc.constantFrom(...steps), claim: fc.option(fc.constantFrom(...disputeKinds)), rejected: fc.boolean(), wait: fc.nat(20 * minute_ms) }), { maxLength: 15 }), (life) => {
    let [plain, claimed, now] = [working(), working(), minute_ms]
    for (const { step, claim, rejected, wait } of life) {
      now += wait
      if (claim !== null) claimed = give(claimed, 'operator', { kind: 'dispute', dispute: claim, text: 'not us' }, now)
      if (rejected) claimed = give(claimed, 'watch', { kind: 'reject', reason: 'it is' }, now)
      ;[plain, claimed] = [give(plain, 'operator', step, now), give(claimed, 'operator', step, now)]
      assert.deepEqual([claimed.status, clocks(claimed, now)], [plain.status, clocks(plain, now)])
    }
  }))
})
