import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import type { Placement } from './place.ts'
import type { Said } from './said.ts'
import { turn, type AlarmState } from './turn.ts'

const start = Date.UTC(2029, 1, 14, 2)
const nowhere: Placement = { areas: [], points: [], placedBy: null, unplacedReason: 'nothing_named', stations: 0 }
const village: Placement = { areas: ['7501011001'], points: [], placedBy: 'area', unplacedReason: null, stations: 4 }

/** @param at minutes of the sender's clock @param severity null: cleared */
const says = (at: number, severity: Said['severity'], more: Partial<Said> = {}): Said => ({
  source: 'tmf642', externalId: 'a', severity, probableCause: 'powerProblem', suggests: 'power', title: 't', object: null, raisedAt: start, changedAt: start + at * minute_ms, clearedAt: severity === null ? start + at * minute_ms : null,
  mention: { codes: [], cell: null, site: null, object: null, points: [], technology: null }, attributes: {}, message: '{}', ...more,
})
const fold = (messages: readonly Said[], now = start): { state: AlarmState | null; kinds: (string | null)[] } => {
  let state: AlarmState | null = null
  const kinds = messages.map((said) => {
    const next = turn(state, said, nowhere, now)
    if (next !== null) state = next.state
    return next?.kind ?? null
  })
  return { state, kinds }
}

test('whatever the order of delivery, the latest by the sender\'s clock is what is known', () => {
  const messages = fc.uniqueArray(fc.record({ at: fc.nat(50), severity: fc.constantFrom('critical', 'major', 'minor', null) }), { selector: (each) => each.at, minLength: 1, maxLength: 8 })
  fc.assert(fc.property(messages.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))), ([list, shuffled]) => {
    const latest = list.toSorted((a, b) => b.at - a.at)[0]
    const { state } = fold(shuffled.map(({ at, severity }) => says(at, severity)))
    assert.equal(state?.clearedAt ?? null, latest?.severity === null ? start + latest.at * minute_ms : null)
    if (latest?.severity !== null) assert.equal(state?.severity, latest?.severity)
    assert.equal(state?.changedAt, start + (latest?.at ?? 0) * minute_ms)
  }))
})

test('what is said again changes nothing, and no turn is counted', () => {
  fc.assert(fc.property(fc.array(fc.record({ at: fc.nat(5), severity: fc.constantFrom('critical', 'major', null) }), { minLength: 1, maxLength: 6 }), (list) => {
    const messages = list.map(({ at, severity }) => says(at, severity))
    const once = fold(messages)
    const last = messages.at(-1)
    const twice = fold([...messages, ...(last === undefined ? [] : [last])])
    assert.equal(twice.kinds.at(-1), null)
    assert.equal(twice.state?.turns, once.state?.turns)
    assert.equal(once.state?.turns, once.kinds.filter((kind) => kind !== null).length)
  }))
})

test('a clear at the same instant wins, and a later raise is a new one', () => {
  assert.deepEqual(fold([says(0, 'major'), says(3, null), says(3, 'critical')]).kinds, ['raised', 'cleared', null])
  assert.deepEqual(fold([says(0, 'major'), says(3, 'critical'), says(3, null)]).kinds, ['raised', 'changed', 'cleared'])
  const { state, kinds } = fold([says(3, null), says(0, 'major'), says(5, 'minor')])
  assert.deepEqual([kinds, state?.raisedCount, state?.severity, state?.clearedAt], [['cleared', null, 'raised_again'], 2, 'minor', null])
})

test('a clear that names no place leaves the alarm where it was; a place that is named anew moves it', () => {
  const raised = turn(null, says(0, 'major'), village, start)
  const cleared = turn(raised?.state ?? null, says(3, null), nowhere, start)
  assert.deepEqual(cleared?.state.areas, village.areas)
  assert.equal(turn(raised?.state ?? null, says(3, 'major'), { ...nowhere, unplacedReason: 'code_unknown' }, start)?.state.placedBy, null)
})

test('who acknowledged and what was commented stays through a change, and ends when it is raised again', () => {
  const acknowledged: AlarmState = { ...(turn(null, says(0, 'major'), village, start)?.state as AlarmState), attributes: { ackState: 'acknowledged', comment: [{ comment: 'on it' }] } }
  const changed = turn(acknowledged, says(1, 'critical', { attributes: { alarmType: 'x' } }), village, start)
  assert.deepEqual(changed?.state.attributes, { alarmType: 'x', ackState: 'acknowledged', comment: [{ comment: 'on it' }] })
  const again = turn(turn(changed?.state ?? null, says(2, null), village, start)?.state ?? null, says(3, 'major'), village, start)
  assert.equal(again?.state.attributes['ackState'], undefined)
})

const alert = (at: number, severity: Said['severity'], ends = at): Said => says(ends, severity, { source: 'alertmanager', raisedAt: start + at * minute_ms })

test('an alert: a firing that is late changes nothing; one that still comes later burns again with its old start', () => {
  const burning = turn(null, alert(0, 'major'), village, start)?.state as AlarmState
  const cleared = turn(burning, alert(0, null, 5), village, start + 5 * minute_ms)?.state as AlarmState
  assert.equal(turn(cleared, alert(0, 'major'), village, start + 6 * minute_ms), null, 'late')
  const again = turn(cleared, alert(0, 'major'), village, start + 8 * minute_ms)
  assert.equal(again?.kind, 'raised_again')
  assert.equal(turn(again?.state ?? null, alert(0, 'major'), village, start + 9 * minute_ms), null, 'repeated')
  assert.equal(turn(again?.state ?? null, alert(0, null, 4), village, start + 9 * minute_ms), null, 'the old clear once more')
  assert.equal(turn(again?.state ?? null, alert(0, null, 20), village, start + 20 * minute_ms)?.kind, 'cleared')
})

test('an alert whose clear was never told and that starts anew is one that starts anew', () => {
  const burning = turn(null, alert(0, 'major'), village, start)?.state as AlarmState
  const anew = turn(burning, alert(9, 'major'), village, start + 9 * minute_ms)
  assert.deepEqual([anew?.kind, anew?.state.raisedAt], ['changed', start + 9 * minute_ms])
  assert.equal(turn(anew?.state ?? null, alert(8, 'major'), village, start + 9 * minute_ms), null, 'a peer that saw it earlier')
})
