import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { causes, type Cause } from '../detection/disturbance.ts'
import { alternativeAt, elsewhere, faultOf, point, type Ways } from './ways.ts'

const bits = { telkomsel: 1, indosat: 2, xlsmart: 4 }
const [none, unknown, works] = [0, 1, 2]
type Given = Partial<Record<keyof Ways, number>>

const waysOf = (given: Given): Ways => {
  const column = (name: keyof Ways): Int32Array => Int32Array.of(given[name] ?? 0)
  return { works: column('works'), perhaps: column('perhaps'), good: column('good'), poor: column('poor'), bad: column('bad'), hit: column('hit'), doubt: column('doubt') }
}
const of = (given: Given, cause: Cause = 'access', operator = bits.telkomsel): number => alternativeAt(waysOf(given), 0, faultOf(cause, operator, operator !== 0))

test('the plan: another usable network works, an unknown one is unknown, blank ones are none', () => {
  assert.equal(of({ works: bits.telkomsel | bits.indosat }), works)
  assert.equal(of({ works: bits.telkomsel }), none, 'its own network is no alternative')
  assert.equal(of({ works: bits.telkomsel, perhaps: bits.indosat }), unknown)
  assert.equal(of({}), none)
  assert.equal(of({ perhaps: elsewhere }), unknown, 'no plan')
  assert.equal(of({ perhaps: bits.telkomsel }), none, 'that its own is unknown helps nobody')
})

test('the access point: works, not working, nobody said', () => {
  assert.equal(of({ works: point }), works)
  assert.equal(of({ perhaps: point }), unknown)
  assert.equal(of({ works: point }, 'access_point', 0), none, 'it is what failed')
  assert.equal(of({ works: point, hit: point }), none, 'another disturbance has it')
  assert.equal(of({ works: bits.indosat }, 'access_point', 0), works)
})

test('what is measured stands above the plan', () => {
  assert.equal(of({ good: bits.indosat }), works, 'a witness where the plan knows of none')
  assert.equal(of({ works: bits.indosat, bad: bits.indosat }), none)
  assert.equal(of({ works: bits.indosat, poor: bits.indosat }), unknown)
  assert.equal(of({ works: bits.indosat, hit: bits.indosat }), none, 'in a disturbance of its own')
  assert.equal(of({ works: bits.indosat, doubt: bits.indosat }), unknown, 'suspected is not known')
  assert.equal(of({ good: bits.indosat, doubt: bits.indosat }), works)
  assert.equal(of({ good: bits.indosat, hit: bits.indosat }), none)
  assert.equal(of({ good: bits.telkomsel }), none, 'its own phones that report are no alternative')
})

test('power is everybody\'s: a planned network does not count, a heard one does, and a point elsewhere does', () => {
  assert.equal(of({ works: bits.telkomsel | bits.indosat }, 'power', bits.telkomsel), unknown)
  assert.equal(of({ works: bits.indosat, poor: bits.indosat }, 'power', bits.telkomsel), none)
  assert.equal(of({ good: bits.indosat }, 'power', bits.telkomsel), works)
  assert.equal(of({ works: point }, 'power', 0), works)
  const cut = faultOf('power', 0, false).marks
  assert.equal(of({ works: bits.indosat, hit: cut }), unknown, 'a network fault inside a power cut')
  assert.equal(of({ works: bits.indosat, doubt: cut }), unknown)
})

test('no way leads past the election server or our own intake', () => {
  for (const cause of ['election_server', 'ingest'] as const) {
    assert.equal(of({ good: -1, works: -1, perhaps: -1 }, cause, 0), none)
    assert.equal(faultOf(cause, 0, false).marks, 0, 'and they break no network')
  }
})

/** The slow twin, in names. */
function slow(given: Given, cause: Cause, operator: number): number {
  if (cause === 'election_server' || cause === 'ingest') return none
  const has = (column: keyof Ways, bit: number): boolean => ((given[column] ?? 0) & bit) !== 0
  const cut = 1 << 31
  const own = cause === 'access_point' ? point : operator
  const isCut = cause !== 'access_point' && (cause === 'power' || operator === 0)
  const cutHere = isCut || has('hit', cut) || has('doubt', cut)
  const surelyCut = isCut || has('hit', cut)
  const states = [...Object.values(bits), elsewhere, point].filter((bit) => bit !== own && !has('hit', bit) && !has('bad', bit)).map((bit) => {
    const network = bit !== point && bit !== elsewhere
    if (network && has('good', bit)) return works
    if (bit !== elsewhere && has('works', bit) && !has('poor', bit) && !has('doubt', bit) && (bit === point || !cutHere)) return works
    if (surelyCut && has('poor', bit)) return none
    return has('works', bit) || has('perhaps', bit) || has('poor', bit) || has('doubt', bit) ? unknown : none
  })
  return Math.max(none, ...states)
}

const networks = fc.integer({ min: 0, max: 7 })
const flag = (bit: number) => fc.constantFrom(0, bit)
const mask = (...parts: fc.Arbitrary<number>[]) => fc.tuple(...parts).map((all) => all.reduce((a, b) => a | b, 0))
const arbitrary = fc.record({
  works: mask(networks, flag(point)), perhaps: mask(networks, flag(point), flag(elsewhere)), good: networks, poor: networks, bad: networks,
  hit: mask(networks, flag(point), flag(1 << 31)), doubt: mask(networks, flag(point), flag(1 << 31)),
})
const anyFault = { cause: fc.constantFrom(...causes), operator: fc.constantFrom(0, 1, 2, 4) }

test('bits say what names say', () => {
  fc.assert(fc.property(arbitrary, anyFault.cause, anyFault.operator, (given, cause, operator) => {
    assert.equal(of(given, cause, operator), slow(given, cause, operator))
  }), { numRuns: 3_000 })
})

test('one more thing that is broken never gives a station a way; one more that is well never takes one', () => {
  fc.assert(fc.property(arbitrary, anyFault.cause, anyFault.operator, fc.constantFrom('hit', 'bad', 'doubt'), fc.constantFrom(1, 2, 4, point), (given, cause, operator, column, bit) => {
    const worse = { ...given, [column]: (given[column as 'hit']) | bit }
    // a suspicion says that there is a network to lose: unknown at most
    if (column === 'doubt') assert.ok(of(worse, cause, operator) <= Math.max(unknown, of(given, cause, operator)))
    else assert.ok(of(worse, cause, operator) <= of(given, cause, operator))
  }), { numRuns: 2_000 })
  fc.assert(fc.property(arbitrary, anyFault.cause, anyFault.operator, fc.constantFrom('works', 'good'), fc.constantFrom(1, 2, 4), (given, cause, operator, column, bit) => {
    assert.ok(of({ ...given, [column]: (given[column as 'works']) | bit }, cause, operator) >= of(given, cause, operator))
  }), { numRuns: 2_000 })
})
