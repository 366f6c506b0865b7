import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { presidential, recaps, sha256, soundTotals } from '@kawal/testkit/recaps.ts'
import { hexOf } from './bytes.ts'
import { compareSlot, figuresOf, type Comparison, type Difference } from './comparison.ts'
import { contestDefaults } from './judge.ts'
import { writeRecap, type Recap } from './record.ts'
import { sides, slotsOf, type Held, type Side } from './slot.ts'

let made = 0
function held(side: Side, change: Partial<Recap> = {}, replaces: Held | null = null): Held {
  const recap: Recap = { ...presidential, madeAt: presidential.madeAt + ++made, replaces: replaces === null ? null : Uint8Array.from(Buffer.from(replaces.hash, 'hex')), ...change }
  return { hash: hexOf(sha256(writeRecap(recap))), recap, side }
}
const compare = (records: readonly Held[], ...apart: readonly (Side | null)[]): Comparison => compareSlot(slotsOf(records)[0] ?? null, new Set(apart), contestDefaults)
const kindOf = (...given: Parameters<typeof compare>): string => compare(...given).kind
/** Votes of pairs 1 and 2, and what they make. */
const votes = (first: number, second: number, valid = 232): Partial<Recap> => ({ totals: soundTotals.map((value, at) => (at === 22 ? first : at === 23 ? second : at === 25 ? valid : value)) })
const told = ({ differences }: Comparison): string => differences.map(({ field, officer, supervisor, misreading, fits }: Difference) => `${field} ${officer}/${supervisor} ${misreading ?? 'no'} ${fits ?? 'neither'}`).join(', ')

test('agreement, absence of either, and of both', () => {
  const [officer, supervisor] = [held('officer'), held('supervisor', { place: null, warned: [3], sequence: 9 })]
  assert.equal(kindOf([officer, supervisor]), 'agree')
  assert.equal(kindOf([officer]), 'officer_only')
  assert.equal(kindOf([supervisor]), 'supervisor_only')
  assert.equal(kindOf([]), 'neither')
})

test('a difference is told field by field, with both numbers and the misreading that may explain it', () => {
  assert.equal(told(compare([held('officer', votes(728, 71)), held('supervisor')])), 'votes_1 728/128 digit supervisor')
  assert.equal(told(compare([held('officer'), held('supervisor', votes(218, 71))])), 'votes_1 128/218 swapped officer')
  // both forms add up: nobody can tell by the sums
  assert.equal(told(compare([held('officer'), held('supervisor', votes(100, 99))])), 'votes_1 128/100 no neither, votes_2 71/99 no neither')
  assert.equal(told(compare([held('officer', { totals: soundTotals.map((value, at) => (at === 27 ? null : value)) }), held('supervisor')])), 'votes null/238 no neither')
  const other = compare([held('officer'), held('supervisor', { ballot: { kind: 'candidates', candidates: 2 }, totals: soundTotals.slice(1) })])
  assert.deepEqual([other.kind, other.isOtherForm, other.differences], ['differ', true, []])
})

test('a correction speaks for its side alone; across the sides it corrects nothing', () => {
  const [officer, supervisor] = [held('officer', votes(129, 71)), held('supervisor')]
  assert.equal(kindOf([officer, supervisor, held('officer', {}, officer)]), 'agree')
  assert.equal(kindOf([officer, supervisor, held('supervisor', votes(129, 71), officer)]), 'conflict')
})

test('two of a side that say the same speak as one; two that do not are not comparable yet, nor is what may lie in quarantine', () => {
  const [officer, supervisor] = [held('officer'), held('supervisor')]
  assert.equal(kindOf([officer, held('officer'), supervisor]), 'agree')
  assert.equal(kindOf([officer, held('officer', votes(129, 71)), supervisor]), 'conflict')
  assert.equal(kindOf([supervisor, held('supervisor', votes(129, 71))]), 'conflict')
  assert.equal(kindOf([officer], 'supervisor'), 'quarantine')
  assert.equal(kindOf([officer], null), 'quarantine')
  assert.equal(kindOf([officer], 'officer'), 'officer_only')
  assert.equal(kindOf([officer, supervisor], 'officer', null), 'agree')
  assert.equal(kindOf([], 'officer'), 'quarantine')
})

test('whatever either says: the same is agreement, and a difference names each field in which they are not the same, the same from both sides', () => {
  const change = fc.array(fc.tuple(fc.nat(27), fc.option(fc.nat(300))), { maxLength: 5 })
  const applied = (changes: readonly (readonly [number, number | null])[]): Partial<Recap> => ({ totals: changes.reduce<readonly (number | null)[]>((totals, [at, value]) => totals.with(at, value), soundTotals) })
  fc.assert(fc.property(change, change, (one, other) => {
    const [first, second] = [applied(one), applied(other)]
    const there = compare([held('officer', first), held('supervisor', second)])
    const back = compare([held('officer', second), held('supervisor', first)])
    const unlike = (first.totals ?? []).filter((value, at) => value !== second.totals?.[at]).length
    assert.equal(there.differences.length, unlike)
    assert.equal(there.kind, unlike === 0 ? 'agree' : 'differ')
    const turned = (side: Side | null): Side | null => (side === null ? null : sides[1 - sides.indexOf(side)] ?? null)
    assert.deepEqual(back.differences, there.differences.map((each) => ({ ...each, officer: each.supervisor, supervisor: each.officer, fits: turned(each.fits) })))
  }), { numRuns: 100, seed: 20290214 })
})

test('figures are those of the form alone, and no two forms have the same ones', () => {
  fc.assert(fc.property(recaps, recaps, (one, other) => {
    assert.equal(figuresOf({ ...other, form: one.form, ballot: one.ballot, totals: one.totals }), figuresOf(one))
    const isSame = one.form === other.form && JSON.stringify(one.ballot) === JSON.stringify(other.ballot) && JSON.stringify(one.totals) === JSON.stringify(other.totals)
    assert.equal(figuresOf(one) === figuresOf(other), isSame)
  }), { numRuns: 60 })
})
