import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hexOf } from './bytes.ts'
import { writeRecap, type Recap } from './record.ts'
import { sides, slotsOf, type Held, type Side } from './slot.ts'
import { presidential, sha256 } from '@kawal/testkit/recaps.ts'

let made = 0
const bytesOf = (hash: string): Uint8Array => Uint8Array.from(Buffer.from(hash, 'hex'))
/** A record of its own: later than those before it. */
function record(change: Partial<Recap> = {}, replaces: Held | null = null, side: Side = 'officer'): Held {
  const recap: Recap = { ...presidential, madeAt: presidential.madeAt + ++made * 1_000, replaces: replaces === null ? null : bytesOf(replaces.hash), ...change }
  return { hash: hexOf(sha256(writeRecap(recap))), recap, side }
}
const named = new Map<Held, string>()
const name = (held: Held, as: string): Held => (named.set(held, as), held)
const shown = (held: readonly Held[]): string => slotsOf(held).flatMap((slot) => sides.flatMap((side) => (slot.sides[side] === null ? [] : [{ side, ...slot.sides[side] }]))).map(({ side, state, sameTotals, chains, loose }) =>
  `${side === 'officer' ? '' : `${side} `}${state}${state === 'conflict' && sameTotals ? ' of the same totals' : ''} ${chains.map((chain) => chain.map((each) => named.get(each) ?? '?').join('<')).join(' ')}${loose.map(({ why }) => ` ${why}`).join('')}`).join(', ')

const other: Partial<Recap> = { totals: presidential.totals.map((value, at) => (at === 22 ? 129 : value)) }
const a = name(record(), 'a')
const b = name(record(other, a), 'b')
const c = name(record({}, b), 'c')

test('the same bytes are one record, however often they come', () => {
  assert.equal(shown([a]), 'single a')
  assert.equal(shown([a, a, { ...a }]), 'single a')
  assert.equal(shown([]), '')
})

test('a correction stands before what it corrects, and both are shown', () => {
  assert.equal(shown([a, b]), 'corrected b<a')
  assert.equal(shown([b, c, a]), 'corrected c<b<a')
})

test('other bytes that nothing ties are a conflict, whoever came later; the same totals are told apart', () => {
  const d = name(record(other), 'd')
  const e = name(record(), 'e')
  assert.equal(shown([a, d]), 'conflict d a')
  assert.equal(shown([a, e]), 'conflict of the same totals e a')
  assert.equal(shown([a, b, e]), 'conflict e b<a')
  // one that corrects one of the two leaves the other open; settled when that is corrected too
  assert.equal(shown([a, d, name(record({}, d), 'f')]), 'conflict of the same totals f<d a')
})

test('two corrections of one record are a conflict', () => {
  const d = name(record({}, a), 'd')
  assert.equal(shown([a, b, d]), 'conflict d<a b<a')
})

test('a correction of what is not held yet waits for it; one of another slot corrects nothing here', () => {
  assert.equal(shown([b]), 'corrected b absent')
  assert.equal(shown([c, a]), 'conflict of the same totals c a absent')
  assert.equal(shown([c, a, b]), 'corrected c<b<a')
  const elsewhere = name(record({ station: '7571011001004' }, a), 'x')
  assert.equal(shown([a, elsewhere]), 'single a, single x elsewhere')
  const contest = name(record({ contest: 'dpd' }, a), 'y')
  assert.equal(shown([a, contest]), 'single y elsewhere, single a')
})

test("a supervisor's record is beside an officer's: no conflict, and `replaces` across them corrects nothing and is told", () => {
  const s = name(record(other, null, 'supervisor'), 's')
  const t = name(record({}, s, 'supervisor'), 't')
  assert.equal(shown([a, s]), 'single a, supervisor single s')
  assert.equal(shown([a, s, t]), 'single a, supervisor corrected t<s')
  assert.equal(shown([a, s, name(record({}, null, 'supervisor'), 'u')]), 'single a, supervisor conflict u s')
  assert.equal(shown([a, name(record(other, a, 'supervisor'), 'v')]), 'single a, supervisor single v other_side')
  assert.equal(shown([s, name(record(other, s), 'w')]), 'single w other_side, supervisor single s')
  assert.equal(slotsOf([s])[0]?.sides.officer, null)
})

test('whatever is held, in whatever order: the same slots, and each record in one at least', () => {
  const links = fc.array(fc.record({ to: fc.nat(12), station: fc.nat(1), contest: fc.constantFrom('ppwp' as const, 'dpd' as const), votes: fc.nat(1), side: fc.constantFrom(...sides) }), { minLength: 1, maxLength: 9 })
  fc.assert(fc.property(links, fc.nat(), fc.array(fc.nat(8), { maxLength: 4 }), (given, from, extra) => {
    const all: Held[] = []
    for (const { to, station, contest, votes, side } of given) all.push(record({ station: `757101100100${station + 1}`, contest, totals: [votes] }, all[to] ?? null, side))
    const held = from % 3 === 0 ? all.slice(1) : all
    const slots = slotsOf(held)
    const again = [...held, ...extra.flatMap((at) => held[at] ?? [])].sort((one, two) => (sha256(Buffer.from(one.hash + from)).toString() < sha256(Buffer.from(two.hash + from)).toString() ? -1 : 1))
    assert.deepEqual(slotsOf(again), slots)
    const shownSides = slots.flatMap(({ station, contest, sides: of }) => sides.flatMap((side) => (of[side] === null ? [] : [{ station, contest, side, ...of[side] }])))
    const seen = new Set(shownSides.flatMap(({ chains }) => chains.flat().map(({ hash }) => hash)))
    assert.deepEqual(seen, new Set(held.map(({ hash }) => hash)))
    for (const { state, chains, station, contest, side } of shownSides) {
      assert.equal(state === 'conflict', chains.length > 1)
      for (const chain of chains) chain.forEach((each, at) => {
        assert.deepEqual([each.recap.station, each.recap.contest, each.side], [station, contest, side])
        const before = chain[at - 1]
        if (before !== undefined) assert.equal(hexOf(before.recap.replaces ?? new Uint8Array()), each.hash)
      })
    }
  }), { numRuns: 300, seed: 20290214 })
})

test('a ring, which nobody can sign, ends and hides nothing', () => {
  const [one, two] = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))]
  const ring: Held[] = [{ hash: hexOf(one), recap: { ...presidential, replaces: two }, side: 'officer' }, { hash: hexOf(two), recap: { ...presidential, replaces: one }, side: 'officer' }]
  const slot = slotsOf([...ring, a])[0]?.sides.officer
  assert.equal(slot?.state, 'conflict')
  assert.deepEqual(new Set(slot?.chains.flat().map(({ hash }) => hash)), new Set([...ring.map(({ hash }) => hash), a.hash]))
})
