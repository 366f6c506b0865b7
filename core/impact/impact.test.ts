import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stages } from '../detection/disturbance.ts'
import { minute_ms } from '../kernel/clock.ts'
import { clocksOf, no_clock } from './deadline.ts'
import { contestOn, impactDefaults } from './defaults.ts'
import { impactOf, tally, type Impact, type StationFacts, type Weights } from './impact.ts'
import { elsewhere, faultOf, point } from './ways.ts'

const clocks = clocksOf(contestOn('2029-02-14', 'a test'))
const noon_wib = Date.parse('2029-02-14T05:00:00Z')
const { weights } = impactDefaults
const fault = faultOf('access', 1, true)

interface Place { readonly voters: number; readonly clock: number; readonly works: number; readonly perhaps: number; readonly good: number; readonly hit: number; readonly unsent: number }
function factsOf(places: readonly Place[]): StationFacts & { readonly recaps: Int16Array } {
  const column = (pick: (place: Place) => number): Int32Array => Int32Array.from(places, pick)
  const empty = new Int32Array(places.length)
  return {
    voters: column((place) => place.voters), clock: Uint8Array.from(places, (place) => place.clock), recaps: Int16Array.from(places, (place) => place.unsent),
    ways: { works: column((place) => place.works), perhaps: column((place) => place.perhaps), good: column((place) => place.good), poor: empty, bad: empty, hit: column((place) => place.hit), doubt: empty },
  }
}
const rowsOf = (places: readonly Place[]): Int32Array => Int32Array.from(places.keys())

const arbitraryPlace: fc.Arbitrary<Place> = fc.record({
  voters: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 600 })), clock: fc.constantFrom(0, 1, 2, no_clock), works: fc.constantFrom(0, 2, point), perhaps: fc.constantFrom(0, 2, elsewhere), good: fc.constantFrom(0, 2), hit: fc.constantFrom(0, 2),
  unsent: fc.integer({ min: -1, max: 5 }),
})
const arbitraryPlaces = fc.array(arbitraryPlace, { maxLength: 60 })
const now = fc.integer({ min: -2_000, max: 2_000 }).map((minutes) => noon_wib + minutes * minute_ms)
const state = fc.record({ stage: fc.constantFrom(...stages), severity: fc.constantFrom('down' as const, 'degraded' as const) })
const points = fc.integer({ min: 0, max: 1_000 }).map((hundredths) => hundredths / 100)
const taken = fc.double({ min: -1, max: 0, noNaN: true })
/** As the settings demand them: in hundredths, and not less for a station with fewer ways. */
const anyWeights: fc.Arbitrary<Weights> = fc.record({
  ways: fc.tuple(points, points, points).map((three) => three.sort((a, b) => a - b)), voters_thousand: points, stations_voters_unknown: points, recaps_unsent: points, stations_recaps_unknown: points, urgency: points, degraded: taken, suspected: taken, recovering: taken,
}).map(({ ways: [least = 0, middle = 0, most = 0], ...rest }) => ({ ...rest, stations_with_alternative: least, stations_alternative_unknown: middle, stations_without_alternative: most }))

const termOf = (impact: Impact, term: string): number | undefined => impact.terms.find((each) => each.term === term)?.value

test('the terms of a small fault, by hand', () => {
  const place = (change: Partial<Place>): Place => ({ voters: 250, clock: 0, works: 0, perhaps: 0, good: 0, hit: 0, unsent: 5, ...change })
  const places = [place({}), place({ perhaps: elsewhere }), place({ works: 2, voters: -1 }), place({ works: 2, hit: 2, unsent: -1 })]
  const facts = factsOf(places)
  const counts = tally(rowsOf(places), fault, facts, facts.recaps)
  const found = impactOf(counts, { stage: 'suspected', severity: 'degraded' }, weights, clocks, noon_wib)
  // 12:00 WIB: of the end of voting two thirds of its half have risen, of recaps due nothing yet
  assert.deepEqual(found.terms, [
    { term: 'stations_without_alternative', value: 2, weight: 10, points: 20 },
    { term: 'stations_alternative_unknown', value: 1, weight: 6, points: 6 },
    { term: 'stations_with_alternative', value: 1, weight: 2, points: 2 },
    { term: 'voters_thousand', value: 0.75, weight: 2, points: 1.5 },
    { term: 'stations_voters_unknown', value: 1, weight: 0.5, points: 0.5 },
    { term: 'recaps_unsent', value: 15, weight: 3, points: 45 },
    { term: 'stations_recaps_unknown', value: 1, weight: 7.5, points: 7.5 },
    { term: 'urgency', value: 1, weight: 10, points: 10 },
    { term: 'degraded', value: 92.5, weight: -0.4, points: -37 },
    { term: 'suspected', value: 55.5, weight: -0.5, points: -27.75 },
  ])
  assert.deepEqual([found.priority, found.voters, found.withoutAlternative, found.unsentRecaps], [27.75, 750, 3, 15])
  assert.deepEqual(found.deadline, { at: Date.parse('2029-02-14T06:00:00Z'), name: 'voting_ends', minutes: 60 })
})

test('recaps that nobody counts are no term, and not zero', () => {
  const facts = factsOf([{ voters: -1, clock: 0, works: 0, perhaps: 0, good: 0, hit: 0, unsent: 0 }])
  const found = impactOf(tally(Int32Array.of(0), fault, facts, null), { stage: 'confirmed', severity: 'down' }, weights, clocks, noon_wib)
  assert.equal(found.unsentRecaps, null)
  assert.ok(found.terms.every((each) => !each.term.includes('recaps')))
  assert.equal(found.voters, null, 'no station\'s voters are known')
})

test('a station that the register does not have is unknown in everything, and counts', () => {
  const facts = factsOf([])
  const found = impactOf(tally(Int32Array.of(-1, -1), fault, facts, new Int16Array(0)), { stage: 'confirmed', severity: 'down' }, weights, clocks, noon_wib)
  assert.deepEqual(['stations_alternative_unknown', 'stations_voters_unknown', 'stations_recaps_unknown', 'urgency'].map((term) => termOf(found, term)), [2, 2, 2, 0])
  assert.ok(found.priority > 0)
})

test('points are value times weight, and the priority is their sum; nothing is NaN', () => {
  fc.assert(fc.property(arbitraryPlaces, state, anyWeights, now, fc.boolean(), (places, given, anyhow, at, counted) => {
    const facts = factsOf(places)
    const found = impactOf(tally(rowsOf(places), fault, facts, counted ? facts.recaps : null), given, anyhow, clocks, at)
    for (const { value, weight, points, term } of found.terms) assert.ok(Number.isFinite(points) && Math.abs(value * weight - points) <= 0.005 + 1e-9, term)
    assert.ok(Math.abs(found.terms.reduce((sum, each) => sum + each.points, 0) - found.priority) < 1e-6)
    assert.ok(found.priority >= 0 && !JSON.stringify(found).includes('null,"weight"') && !Object.is(found.priority, -0))
    if (given.stage === 'ended' || given.stage === 'retracted') assert.equal(found.priority, 0)
    const stations = ['stations_without_alternative', 'stations_alternative_unknown', 'stations_with_alternative'].reduce((sum, term) => sum + (termOf(found, term) ?? NaN), 0)
    assert.equal(stations, places.length, 'each station is in one of the three')
    if (found.deadline !== null) assert.ok(found.deadline.minutes > 0)
  }), { numRuns: 2_000 })
})

test('one more station never lowers the priority, whatever it is', () => {
  fc.assert(fc.property(arbitraryPlaces, arbitraryPlace, state, anyWeights, now, (places, more, given, anyhow, at) => {
    const facts = factsOf([...places, more])
    const priority = (rows: Int32Array): number => impactOf(tally(rows, fault, facts, facts.recaps), given, anyhow, clocks, at).priority
    const all = rowsOf([...places, more])
    assert.ok(priority(all) >= priority(all.subarray(0, -1)))
  }), { numRuns: 2_000 })
})

test('an alternative that fails never lowers the priority', () => {
  fc.assert(fc.property(arbitraryPlaces, state, anyWeights, now, (places, given, anyhow, at) => {
    const priority = (all: readonly Place[]): number => {
      const facts = factsOf(all)
      return impactOf(tally(rowsOf(all), fault, facts, facts.recaps), given, anyhow, clocks, at).priority
    }
    assert.ok(priority(places.map((place) => ({ ...place, hit: 2 }))) >= priority(places))
  }), { numRuns: 2_000 })
})

test('the order of the stations changes nothing', () => {
  fc.assert(fc.property(arbitraryPlaces.chain((places) => fc.tuple(fc.constant(places), fc.shuffledSubarray([...places.keys()], { minLength: places.length }))), now, ([places, order], at) => {
    const facts = factsOf(places)
    const found = (rows: Int32Array): Impact => impactOf(tally(rows, fault, facts, facts.recaps), { stage: 'confirmed', severity: 'down' }, weights, clocks, at)
    assert.deepEqual(found(Int32Array.from(order)), found(rowsOf(places)))
  }))
})

test('time moves urgency alone: it rises to a deadline, and is 0 before the day, after the last and where all can send', () => {
  const stuck = factsOf([0, 1, 2].map((clock) => ({ voters: 250, clock, works: 0, perhaps: 0, good: 0, hit: 0, unsent: 0 })))
  const at = (facts: StationFacts, when: number): Impact => impactOf(tally(Int32Array.of(0, 1, 2), fault, facts, null), { stage: 'confirmed', severity: 'down' }, weights, clocks, when)
  const others = (impact: Impact) => impact.terms.filter((each) => each.term !== 'urgency')
  const midnight_wit = Date.parse('2029-02-13T15:00:00Z')
  const over_wib = Date.parse('2029-02-15T05:00:00Z')
  const urgency = (when: number): number => termOf(at(stuck, when), 'urgency') ?? NaN
  assert.deepEqual([urgency(midnight_wit - 1), urgency(over_wib), urgency(over_wib + 86_400_000)], [0, 0, 0])
  // between the last deadline before and the first after, in tens of minutes: 13:00 WIB to 20:00 WIT
  let last = -1
  for (let when = Date.parse('2029-02-14T06:00:00Z'); when < Date.parse('2029-02-14T11:00:00Z'); when += 10 * minute_ms) {
    assert.ok(urgency(when) > last, new Date(when).toISOString())
    last = urgency(when)
    assert.deepEqual(others(at(stuck, when)), others(at(stuck, noon_wib)))
  }
  assert.deepEqual(at(stuck, midnight_wit - 1).deadline, null)
  // the first deadline is WIT's, two hours before WIB's
  assert.deepEqual([at(stuck, midnight_wit).deadline?.name, at(stuck, midnight_wit).deadline?.minutes], ['voting_starts', 420])
  assert.equal(at(stuck, noon_wib + 1).deadline?.name, 'voting_ends')
  const free = factsOf([0, 1, 2].map((clock) => ({ voters: 250, clock, works: 2, perhaps: 0, good: 0, hit: 0, unsent: 0 })))
  assert.equal(termOf(at(free, noon_wib), 'urgency'), 0)
  assert.notEqual(at(free, noon_wib).deadline, null, 'its deadline is shown all the same')
})

test('thousands of stations reach no other sum than counting by hand', () => {
  const places = Array.from({ length: 5_000 }, (_, at): Place => ({ voters: at % 7 === 0 ? -1 : at % 301, clock: at % 3, works: at % 4 === 0 ? 2 : 0, perhaps: at % 5 === 0 ? elsewhere : 0, good: 0, hit: 0, unsent: (at % 6) - 1 }))
  const facts = factsOf(places)
  const counts = tally(rowsOf(places), fault, facts, facts.recaps)
  const by = (test: (place: Place) => boolean): Place[] => places.filter(test)
  assert.deepEqual([counts.stations, counts.withoutAlternative, counts.alternativeUnknown, counts.votersUnknown, counts.recapsUnknown], [
    5_000, by((place) => place.works === 0 && place.perhaps === 0).length, by((place) => place.works === 0 && place.perhaps !== 0).length, by((place) => place.voters < 0).length, by((place) => place.unsent < 0).length,
  ])
  assert.deepEqual([counts.voters, counts.recaps], [by((place) => place.voters > 0).reduce((sum, place) => sum + place.voters, 0), by((place) => place.unsent > 0).reduce((sum, place) => sum + place.unsent, 0)])
})
