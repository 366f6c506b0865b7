import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute_ms } from '../kernel/clock.ts'
import { attachments_max, coveredBy, otherSide, relationTypes } from './relation.ts'
import { apply, decide, type Actor, type Ticket, type TicketAction, type TicketCause } from './ticket.ts'
import { verdictOfAll } from './verification.ts'

const evidence = { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } as const
const cause = (id: string): TicketCause => ({ id, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: '530101', stations: [`530101200100${id.slice(-1)}`], startedAt: 0, foundAt: 0, endedAt: null, evidence })

function tell(ticket: Ticket | null, actor: Actor, now: number, action: TicketAction): Ticket {
  const decided = decide(ticket, { ...action, by: actor, actor }, now)
  assert.ok(decided.ok, `${action.kind} at ${now}: ${decided.ok ? '' : decided.error}`)
  const after = decided.value.reduce<Ticket | null>(apply, ticket)
  assert.ok(after !== null)
  return after
}
const refusal = (ticket: Ticket, actor: Actor, action: TicketAction): string => {
  const decided = decide(ticket, { ...action, by: 'x', actor }, 10 * minute_ms)
  return decided.ok ? 'accepted' : decided.error
}
const opened = (id = 'd1'): Ticket => tell(null, 'measurement', 0, { kind: 'open', opening: { id: `TT-${id}`, operator: 'telkomsel', operatorName: 'Telkomsel', areaName: 'Kupang', disturbance: cause(id) } })
const started = (): Ticket => tell(opened(), 'operator', minute_ms, { kind: 'start' })
const cover = (...ids: string[]): TicketAction => ({ kind: 'cover', disturbances: ids.map(cause), from: { ticket: `TT-${ids[0]}` } })
const several = (): Ticket => tell(started(), 'watch', 2 * minute_ms, cover('d2'))
const out = { kind: 'uncover', disturbance: 'd2', into: { ticket: 'TT-d2-2' }, reason: 'another mast' } as const

test('every relation has another side, and that side is back again', () => {
  for (const type of relationTypes) assert.equal(otherSide[otherSide[type]], type)
})

test('what covers several closes when all of them are well, and says which are not', () => {
  const resolved = tell(several(), 'operator', 3 * minute_ms, { kind: 'resolve' })
  assert.deepEqual(coveredBy(resolved).map(({ id }) => id), ['d1', 'd2'])
  for (const well of [undefined, [], ['d1'], ['d2']]) assert.equal(refusal(resolved, 'measurement', { kind: 'confirm', recoveredAt: 0, ...(well === undefined ? {} : { well }) }), 'still_verifying', String(well))
  const reopened = tell(resolved, 'measurement', 8 * minute_ms, { kind: 'refuse', evidence: { ...evidence, devicesSilent: 18 }, broken: [{ id: 'd2', evidence: { ...evidence, devicesSilent: 7 } }] })
  assert.deepEqual([reopened.status, reopened.disturbance?.evidence.devicesSilent, reopened.covers?.[0]?.evidence.devicesSilent, reopened.history.at(-1)?.disturbances], ['reopened', 11, 7, ['d2']])
  assert.deepEqual([reopened.verification?.state, reopened.verification?.silent], ['refused', 18], 'counted over all')
  const closed = tell(tell(reopened, 'operator', 9 * minute_ms, { kind: 'resolve' }), 'measurement', 9 * minute_ms, { kind: 'confirm', recoveredAt: 8 * minute_ms, well: ['d2', 'd1'] })
  assert.deepEqual([closed.status, closed.disturbance?.endedAt, closed.covers?.[0]?.endedAt], ['closed', 8 * minute_ms, 8 * minute_ms])
})

test('of one that nobody can measure and one that is well nothing is guessed; a broken one reopens both, whatever the other', () => {
  const [well, unknown, broken] = (['well', 'unknown', 'broken'] as const).map((says, index) => ({ says, good: 3, bad: index, silent: 0, broken: says === 'broken' ? [{ station: '5301012001002', good: 0, bad: 2, silent: 0 }] : [] }))
  assert.ok(well && unknown && broken)
  assert.deepEqual([[well, well], [well, unknown], [unknown, broken], [broken, well]].map((both) => verdictOfAll(both).says), ['well', 'unknown', 'broken', 'broken'])
  assert.deepEqual(verdictOfAll([broken, broken, well]), { says: 'broken', good: 9, bad: 4, silent: 0, broken: broken.broken }, 'a station is named once')
  const resolved = tell(several(), 'operator', 3 * minute_ms, { kind: 'resolve' })
  const asked = tell(resolved, 'measurement', 8 * minute_ms, { kind: 'refuse', evidence, verdict: verdictOfAll([well, unknown]), broken: [], unknown: ['d2'] })
  assert.deepEqual([asked.status, asked.verification?.state, asked.verification?.disturbances, asked.history.at(-1)?.disturbances], ['resolved', 'asked', ['d2'], ['d2']])
  assert.equal(refusal(asked, 'measurement', { kind: 'confirm', recoveredAt: 0, well: ['d1'] }), 'still_verifying')
  const unverified = tell(asked, 'measurement', 18 * minute_ms, { kind: 'refuse', evidence, verdict: verdictOfAll([well, unknown]), broken: [], unknown: ['d2'] })
  assert.deepEqual([unverified.status, unverified.verification?.state, unverified.verification?.good], ['resolved', 'unverified', 6])
  const reopened = tell(unverified, 'measurement', 30 * minute_ms, { kind: 'refuse', evidence, verdict: verdictOfAll([unknown, broken]), broken: [{ id: 'd2', evidence }], unknown: ['d1'] })
  assert.deepEqual([reopened.status, reopened.verification?.broken.map(({ station }) => station), reopened.history.at(-1)?.disturbances], ['reopened', ['5301012001002'], ['d2']])
})

test('a merge cancels the one, and the other covers its disturbances; the centre alone, and not while a word is measured or disputed', () => {
  const merge = { kind: 'merge', into: { ticket: 'TT-d1' }, reason: '' } as const
  const gone = tell(opened('d2'), 'watch', minute_ms, merge)
  assert.deepEqual([gone.status, gone.statusHistory.at(-1)?.reason, gone.relations], ['cancelled', 'merged TT-d1', [{ type: 'mergedInto', ticket: 'TT-d1' }]])
  assert.equal(tell(opened('d2'), 'watch', minute_ms, { ...merge, reason: ' one mast ' }).statusHistory.at(-1)?.reason, 'one mast')
  assert.deepEqual(several().relations, [{ type: 'merged', ticket: 'TT-d2' }])
  for (const actor of ['operator', 'officer', 'measurement'] as const) for (const action of [merge, cover('d2')]) assert.equal(refusal(opened('d3'), actor, action), 'not_yours_to_say')
  assert.equal(refusal(opened(), 'watch', merge), 'contrary', 'not into itself')
  const resolved = tell(started(), 'operator', 3 * minute_ms, { kind: 'resolve' })
  const disputed = tell(started(), 'operator', 3 * minute_ms, { kind: 'dispute', dispute: 'power', text: 'the mains' })
  for (const action of [{ ...merge, into: { ticket: 'TT-d9' } }, cover('d2')]) assert.deepEqual([refusal(resolved, 'watch', action), refusal(disputed, 'watch', action)], ['not_from_this_status', 'dispute_open'])
  assert.equal(refusal(started(), 'watch', cover(...Array.from({ length: 50 }, (_, index) => `x${index}`))), 'too_many')
})

test('a split takes out what was merged in, never the last nor what the ticket was opened for', () => {
  const left = tell(several(), 'watch', 3 * minute_ms, out)
  assert.deepEqual([coveredBy(left).map(({ id }) => id), left.relations?.at(-1), left.history.at(-2)?.text], [['d1'], { type: 'splitInto', ticket: 'TT-d2-2' }, 'another mast'])
  assert.equal(refusal(several(), 'watch', { ...out, disturbance: 'd1' }), 'not_covered')
  assert.equal(refusal(several(), 'watch', { ...out, disturbance: 'd7' }), 'not_covered')
  assert.equal(refusal(left, 'watch', out), 'not_covered')
  assert.equal(refusal(several(), 'operator', out), 'not_yours_to_say')
  assert.equal(tell(left, 'measurement', 20 * minute_ms, { kind: 'confirm', recoveredAt: 4 * minute_ms }).status, 'closed', 'what is left is measured by itself')
})

test('measurement takes back any, and the ticket goes on for the rest', () => {
  const rest = tell(several(), 'measurement', 3 * minute_ms, { kind: 'uncover', disturbance: 'd1', into: null, reason: 'retracted' })
  assert.deepEqual([rest.status, rest.disturbance?.id, rest.covers], ['inProgress', 'd2', []])
  assert.equal(refusal(rest, 'measurement', { kind: 'uncover', disturbance: 'd2', into: null, reason: 'retracted' }), 'not_covered', 'the last is cancelled with its ticket')
})

test('a relation is kept once, and none is both parent and child', () => {
  const parent = { kind: 'relate', relation: { type: 'parent', ticket: 'TT-d9' } } as const
  const child = tell(started(), 'watch', 2 * minute_ms, parent)
  assert.equal(tell(child, 'measurement', 3 * minute_ms, parent).version, child.version)
  assert.equal(refusal(child, 'watch', { kind: 'relate', relation: { type: 'child', ticket: 'TT-d9' } }), 'contrary')
  assert.equal(refusal(child, 'operator', { kind: 'relate', relation: { type: 'child', ticket: 'TT-d8' } }), 'not_yours_to_say')
})

test('files are attached by both sides, so many and no more', () => {
  const attach = (id: number): TicketAction => ({ kind: 'attach', attachment: { id: String(id), name: 'foto.jpg', mimeType: 'image/jpeg', bytes: 5, description: 'menara', attachmentType: '' } })
  let ticket = started()
  for (let id = 0; id < attachments_max; id++) ticket = tell(ticket, id % 2 === 0 ? 'operator' : 'watch', 2 * minute_ms, attach(id))
  assert.deepEqual([ticket.attachments?.length, ticket.history.at(-1)?.attachment?.name, ticket.history.at(-1)?.text], [attachments_max, 'foto.jpg', 'menara'])
  assert.equal(refusal(ticket, 'operator', attach(99)), 'too_many')
  for (const actor of ['officer', 'measurement'] as const) assert.equal(refusal(started(), actor, attach(1)), 'not_yours_to_say')
})

test('who asked withdraws, and nobody else; it stays on record', () => {
  const request = { description: 'a list', severity: 'minor', ticketType: 'data', externalId: null }
  const asked = tell(null, 'operator', 0, { kind: 'open', opening: { id: 'PM-1', operator: 'telkomsel', operatorName: 'Telkomsel', areaName: '', request } })
  assert.equal(refusal(asked, 'watch', { kind: 'withdraw' }), 'not_yours_to_say')
  assert.equal(refusal(started(), 'operator', { kind: 'withdraw' }), 'not_yours_to_say')
  assert.deepEqual([tell(asked, 'operator', 1, { kind: 'withdraw' }).status, tell(asked, 'operator', 1, { kind: 'withdraw' }).history.at(-1)?.kind], ['cancelled', 'withdrawn'])
})
