import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute_ms, second_ms } from '../kernel/clock.ts'
import { apply, decide, type Actor, type Ticket, type TicketAction, type TicketCause } from '../ticket/ticket.ts'
import { createEscalation } from './escalation.ts'

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const cause: TicketCause = { id: 'd', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001'], startedAt: 0, foundAt: 0, endedAt: null, evidence }

function tell(ticket: Ticket | null, actor: Actor, now: number, action: TicketAction): Ticket {
  const decided = decide(ticket, { ...action, by: actor, actor }, now)
  assert.ok(decided.ok, action.kind)
  return decided.value.reduce<Ticket | null>(apply, ticket) as Ticket
}
const open = (id: string, now = 0, operator = 'telkomsel'): Ticket => tell(null, 'measurement', now, { kind: 'open', opening: { id, operator, operatorName: operator, areaName: 'Kupang', disturbance: { ...cause, operator } } })

type Escalation = ReturnType<typeof createEscalation>
/** Turns it whenever it is due until then; what was told: minute, call, tickets. */
function until(escalation: Escalation, end: number): string[] {
  const told: string[] = []
  for (let at = escalation.nextAt(); at <= end; at = escalation.nextAt())
    for (const { id, receiver, alerts } of escalation.turn(at)) {
      told.push(`${(at / minute_ms).toFixed(2)} ${receiver}: ${alerts.map(({ labels, endsAt }) => `${labels['ticket']} ${labels['reason']}${endsAt === null ? '' : ' over'}`).join(', ')}`)
      escalation.settle(id, true, at)
    }
  return told
}

test('level by level until somebody acknowledges, and then those who were called hear that it is over', () => {
  const escalation = createEscalation()
  const ticket = open('TT-1')
  escalation.follow(ticket, 0)
  assert.deepEqual(until(escalation, 12 * minute_ms), ['0.08 1: TT-1 waiting', '10.08 2: TT-1 waiting'])
  escalation.follow(tell(ticket, 'operator', 12 * minute_ms, { kind: 'acknowledge' }), 12 * minute_ms)
  assert.deepEqual(until(escalation, 29 * minute_ms), ['12.08 1: TT-1 waiting over', '12.08 2: TT-1 waiting over'])
})

test('nobody answers: the monitoring centre hears it after three levels, and all are told again', () => {
  const escalation = createEscalation()
  escalation.follow(open('TT-1'), 0)
  assert.deepEqual(until(escalation, 31 * minute_ms).filter((text) => !text.includes('overdue')).map((text) => text.split(':')[0]), ['0.08 1', '10.08 2', '20.08 3', '30.08 4', '30.08 watch'])
  assert.deepEqual(until(escalation, 32 * minute_ms).map((text) => text.split(':')[0]), ['31.08 1'])
})

test('tickets of one organisation that come together are one notice; another organisation has its own', () => {
  const escalation = createEscalation()
  for (const id of ['TT-1', 'TT-2', 'TT-3']) escalation.follow(open(id), 0)
  escalation.follow(open('TT-9', 0, 'indosat'), 0)
  assert.deepEqual(until(escalation, minute_ms), ['0.08 1: TT-1 waiting, TT-2 waiting, TT-3 waiting', '0.08 1: TT-9 waiting'])
})

test('what measurement refuses calls again, from the first level', () => {
  const escalation = createEscalation()
  let ticket = tell(open('TT-1'), 'operator', 0, { kind: 'start' })
  escalation.follow(ticket, 0)
  assert.deepEqual(until(escalation, 9 * minute_ms), [])
  ticket = tell(ticket, 'operator', 10 * minute_ms, { kind: 'resolve' })
  ticket = tell(ticket, 'measurement', 15 * minute_ms, { kind: 'refuse', evidence })
  escalation.follow(ticket, 15 * minute_ms)
  assert.deepEqual(until(escalation, 26 * minute_ms), ['15.08 1: TT-1 waiting', '25.08 2: TT-1 waiting'])
})

test('a clock that runs out calls the first level and the monitoring centre, though somebody is at work', () => {
  const escalation = createEscalation()
  escalation.follow(tell(open('TT-1'), 'operator', 0, { kind: 'start' }), 0)
  assert.deepEqual(until(escalation, 31 * minute_ms), ['30.08 1: TT-1 overdue', '30.08 watch: TT-1 overdue'])
})

test('a resolution that nobody can measure calls the monitoring centre once, and nobody again', () => {
  const escalation = createEscalation()
  const nobody = { kind: 'refuse', evidence: { ...evidence, devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0 } } as const
  const resolved = tell(tell(open('TT-1'), 'operator', 0, { kind: 'start' }), 'operator', 10 * minute_ms, { kind: 'resolve' })
  escalation.follow(tell(tell(resolved, 'measurement', 15 * minute_ms, nobody), 'measurement', 25 * minute_ms, nobody), 25 * minute_ms)
  assert.deepEqual(until(escalation, 300 * minute_ms), ['25.08 watch: TT-1 unverified'])
})

test('a dispute calls the monitoring centre until it is answered', () => {
  const escalation = createEscalation()
  const disputed = tell(tell(open('TT-1'), 'operator', 0, { kind: 'start' }), 'operator', 5 * minute_ms, { kind: 'dispute', dispute: 'power', text: 'no mains' })
  escalation.follow(disputed, 5 * minute_ms)
  const disputes = (end: number): string[] => until(escalation, end).filter((each) => each.includes('disputed'))
  assert.deepEqual(disputes(29 * minute_ms), ['5.08 watch: TT-1 disputed'])
  assert.deepEqual(disputes(39 * minute_ms), ['36.08 watch: TT-1 disputed'])
  escalation.follow(tell(disputed, 'watch', 40 * minute_ms, { kind: 'reject', reason: 'mains is on' }), 40 * minute_ms)
  assert.deepEqual(disputes(300 * minute_ms), [])
})

test('whoever a problem is transferred to is called anew, and the first hears that it is over', () => {
  const escalation = createEscalation()
  const problem = { kind: 'signal', text: 'no bars', station: '5301012001001', accessPoint: null, givenAt: 0 } as const
  const ticket = tell(null, 'officer', 0, { kind: 'open', opening: { id: 'LP-1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Kupang', problem } })
  escalation.follow(ticket, 0)
  assert.deepEqual(until(escalation, minute_ms), ['0.08 1: LP-1 waiting'])
  escalation.follow(tell(ticket, 'watch', 2 * minute_ms, { kind: 'transfer', operator: 'indosat', operatorName: 'Indosat' }), 2 * minute_ms)
  assert.deepEqual(until(escalation, 2 * minute_ms + 6 * second_ms), ['2.08 1: LP-1 waiting over', '2.08 1: LP-1 waiting'])
})

test('after a start nobody is told again what he knows, and what ended meanwhile is told', () => {
  const first = createEscalation()
  const [one, other] = [open('TT-1'), open('TT-2')]
  for (const ticket of [one, other]) first.follow(ticket, 0)
  const notices = first.turn(5 * second_ms)
  assert.equal(notices.length, 1)
  const again = createEscalation()
  for (const notice of notices) again.restore(notice, 5 * second_ms)
  again.follow(one, minute_ms)
  again.follow(tell(other, 'operator', 30 * second_ms, { kind: 'acknowledge' }), minute_ms)
  assert.deepEqual(until(again, 11 * minute_ms), ['1.00 1: TT-1 waiting, TT-2 waiting over', '10.08 2: TT-1 waiting'])
})

test('a ticket that waits at a system which does not answer calls its people and the centre at once, while it waits', () => {
  const escalation = createEscalation()
  const [waits, taken] = [open('TT-1'), open('TT-2')]
  escalation.follow(waits, 0)
  escalation.follow(tell(taken, 'operator', 0, { kind: 'start' }), 0)
  until(escalation, minute_ms)
  escalation.unreached(new Set(['TT-1', 'TT-2', 'TT-9']), 2 * minute_ms)
  assert.deepEqual(until(escalation, 3 * minute_ms), ['2.08 1: TT-1 unreached', '2.08 watch: TT-1 unreached'])
  escalation.unreached(new Set(), 4 * minute_ms)
  assert.deepEqual(until(escalation, 9 * minute_ms), [])
})
