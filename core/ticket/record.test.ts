import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute_ms } from '../kernel/clock.ts'
import { createTrackRecords } from './record.ts'
import { apply, decide, type Actor, type Ticket, type TicketAction, type TicketCause } from './ticket.ts'

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const cause: TicketCause = { id: 'd', cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: ['5301012001001'], startedAt: 0, foundAt: 0, endedAt: null, evidence }

/** A ticket's life: who says what at which minute. */
function live(...said: readonly [minute: number, actor: Actor, action: TicketAction][]): Ticket {
  const opening: [number, Actor, TicketAction] = [0, 'measurement', { kind: 'open', opening: { id: 'TT-1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: '', disturbance: cause } }]
  return [opening, ...said].reduce<Ticket | null>((ticket, [minute, actor, action]) => {
    const decided = decide(ticket, { ...action, by: actor === 'operator' ? ticket?.operator ?? '' : actor, actor }, minute * minute_ms)
    assert.ok(decided.ok, action.kind)
    return decided.value.reduce<Ticket | null>(apply, ticket)
  }, null) as Ticket
}
const recordOf = (now: number, ...tickets: readonly Ticket[]) => {
  const records = createTrackRecords()
  for (const ticket of tickets) records.add(ticket, now * minute_ms)
  return records.records()
}

test('a claim that measurement agrees with is verified, one that it refuses is not, and what nobody claimed is neither', () => {
  const agreed = live([4, 'operator', { kind: 'acknowledge' }], [10, 'operator', { kind: 'resolve' }], [12, 'measurement', { kind: 'confirm', recoveredAt: 11 * minute_ms }])
  const refused = live([8, 'operator', { kind: 'start' }], [10, 'operator', { kind: 'resolve' }], [15, 'measurement', { kind: 'refuse', evidence }], [20, 'operator', { kind: 'resolve' }], [40, 'measurement', { kind: 'confirm', recoveredAt: 39 * minute_ms }])
  const unsaid = live([30, 'measurement', { kind: 'confirm', recoveredAt: 10 * minute_ms }])
  assert.deepEqual([agreed.status, refused.status, unsaid.status], ['closed', 'closed', 'closed'])
  assert.deepEqual(recordOf(60, agreed, refused, unsaid), [{
    operator: 'telkomsel', tickets: 3, open: 0, closed: 3, cancelled: 0,
    acknowledge: { count: 2, median_ms: 8 * minute_ms, p90_ms: 8 * minute_ms },
    restore: { count: 3, median_ms: 11 * minute_ms, p90_ms: 39 * minute_ms }, repair: { count: 3, median_ms: 10 * minute_ms, p90_ms: 20 * minute_ms },
    late: 1, clocks: 6, claims: 3, verified: 2, unverified: 0, transferred: 0, disputes: 0, upheld: 0,
  }])
})

test('a claim that nobody can measure is neither verified nor refused, until somebody does', () => {
  const nobody: TicketAction = { kind: 'refuse', evidence: { ...evidence, devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0 } }
  const unverified = live([4, 'operator', { kind: 'start' }], [10, 'operator', { kind: 'resolve' }], [15, 'measurement', nobody], [25, 'measurement', nobody])
  const [record] = recordOf(600, unverified)
  assert.deepEqual([record?.open, record?.claims, record?.verified, record?.unverified, record?.late], [1, 1, 0, 1, 0])
})

test('a false alarm counts as one and as nothing else; what is open counts its clocks; requests are left out', () => {
  const cancelled = live([200, 'watch', { kind: 'cancel', reason: 'exercise' }])
  const open = live([1, 'operator', { kind: 'acknowledge' }])
  const [record] = recordOf(31, cancelled, open)
  assert.deepEqual([record?.tickets, record?.open, record?.cancelled, record?.clocks, record?.late, record?.restore.median_ms], [2, 1, 1, 2, 1, null])
  assert.deepEqual(recordOf(0, { ...open, disturbance: null }), [])
})

test('what was not his is not held against him; what he kept too long before it went on is', () => {
  const to = { operator: 'bakti', operatorName: 'BAKTI' }
  const excused = live([2, 'operator', { kind: 'dispute', dispute: 'access_point', text: 'their tower' }], [40, 'watch', { kind: 'uphold', reason: '', to }], [45, 'operator', { kind: 'acknowledge' }])
  const late = live([40, 'watch', { kind: 'transfer', ...to }])
  const refused = live([2, 'operator', { kind: 'dispute', dispute: 'power', text: 'mains' }], [3, 'watch', { kind: 'reject', reason: 'phones charge' }])
  const [bakti, telkomsel] = recordOf(50, excused, late, refused)
  assert.deepEqual([bakti?.operator, bakti?.tickets, bakti?.acknowledge.median_ms, bakti?.late, bakti?.clocks], ['bakti', 2, 5 * minute_ms, 0, 4])
  assert.deepEqual([telkomsel?.tickets, telkomsel?.transferred, telkomsel?.disputes, telkomsel?.upheld, telkomsel?.clocks, telkomsel?.late], [1, 2, 2, 1, 4, 2])
  const [cancelled] = recordOf(50, live([2, 'operator', { kind: 'dispute', dispute: 'not_ours', text: 'all is well' }], [3, 'watch', { kind: 'uphold', reason: 'so it is', to: null }]))
  assert.deepEqual([cancelled?.cancelled, cancelled?.upheld, cancelled?.clocks], [1, 1, 0])
})
