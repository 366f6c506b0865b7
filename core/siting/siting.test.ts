import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distance_km, type Position } from '../geo/distance.ts'
import { planSiting, sitingDefaults, type Move, type SitingConfig, type SitingPlan, type SitingStation, type SitingVenue, type SitingVillage } from './siting.ts'

const code = '5310052001'
const here: Position = { latitude: -8.6, longitude: 120.4 }
const config: SitingConfig = { ...sitingDefaults, stations_per_venue_max: { other: 2, SMP: 3 }, voters_per_station_max: 300 }
/** A place so far to the north; one km is 1.4 km on the ground. */
const north = (km: number): Position => ({ latitude: here.latitude + km / 111.195, longitude: here.longitude })
const station = (number: number, change: Partial<SitingStation> = {}): SitingStation =>
  ({ code: `${code}${String(number).padStart(3, '0')}`, class: 'e', usable: [], position: here, grade: 'fix', voters: 300, venue: null, ...change })
const venue = (id: string, change: Partial<SitingVenue> = {}): SitingVenue => ({ id, village: code, kind: 'SD', position: north(0.5), usable: [0.95], ...change })
const village = (stations: readonly SitingStation[], venues: readonly SitingVenue[], change: Partial<SitingVillage> = {}): SitingVillage => ({ code, position: null, stations, venues, accepted: [], refused: [], ...change })

function plan(input: SitingVillage, settings: SitingConfig = config): SitingPlan {
  const result = planSiting(input, settings)
  if (!result.ok) assert.fail(`${result.error.problem} ${result.error.id}`)
  return result.value
}

const chance = fc.integer({ min: 0, max: 20 }).map((twentieths) => twentieths / 20)
const position = fc.tuple(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 })).map(([y, x]) => ({ latitude: here.latitude + y / 1000, longitude: here.longitude + x / 1000 }))
const ids = ['p', 'q', 'r', 's']
const anyStation = fc.record({
  class: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'e', 'e', 'unknown'), usable: fc.array(chance.map((p) => p / 2), { maxLength: 3 }), position: fc.option(position, { freq: 6 }),
  grade: fc.constantFrom('fix', 'venue', 'village'), voters: fc.option(fc.integer({ min: 100, max: 330 }), { freq: 4 }), venue: fc.option(fc.constantFrom(...ids), { freq: 1 }),
} as const)
const anyVenue = fc.record({ kind: fc.constantFrom('SD', 'SMP'), position, usable: fc.array(chance, { minLength: 1, maxLength: 3 }) })
const pair = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(...ids)).map(([number, id]) => ({ station: station(number).code, venue: id }))
const anyVillage = fc.tuple(fc.array(anyStation, { maxLength: 6 }), fc.array(anyVenue, { maxLength: 4 }), fc.option(position), fc.array(pair, { maxLength: 4 })).map(([stations, venues, at, refused]) =>
  village(stations.map((each, index) => station(index + 1, each)), venues.map((each, index) => venue(ids[index] ?? '', each)), { position: at, refused }))
const anyConfig = fc.constantFrom(config, { ...config, opening_cost: 0.15 }, { ...config, walk_km_max: 0.7, gain_min: 0.4 })

/** The slow obvious twin's odds: every outcome of every operator. */
function oddsSlowly(usable: readonly number[], atLeast: number): number {
  let sum = 0
  for (let outcome = 0; outcome < 2 ** usable.length; outcome++) {
    const up = usable.map((_, index) => (outcome >> index) % 2 === 1)
    if (up.filter(Boolean).length >= atLeast) sum += usable.reduce((product, p, index) => product * (up[index] === true ? p : 1 - p), 1)
  }
  return sum
}

/** What one move is worth in millionths, null where it may not be. */
function worthSlowly(input: SitingVillage, settings: SitingConfig, from: SitingStation, to: SitingVenue): number | null {
  const at = from.position ?? input.position
  if (!['c', 'd', 'e'].includes(from.class) || at === null || (from.voters ?? 0) > settings.voters_per_station_max || from.venue === to.id) return null
  if (input.refused.some((each) => each.station === from.code && each.venue === to.id) || Math.max(...to.usable) < 0.5) return null
  const km = distance_km(at, to.position) * settings.detour
  const gain = oddsSlowly(to.usable, 1) - oddsSlowly(from.usable, 1)
  if (km > settings.walk_km_max || gain < settings.gain_min - 1e-12) return null
  const second = oddsSlowly(to.usable, 2) - oddsSlowly(from.usable, 2)
  return 1e6 * (gain + settings.second_operator * second - (settings.walk_cost_per_km * km * (from.voters ?? settings.voters_per_station_max)) / settings.voters_per_station_max)
}

/** Whether a venue may take these movers beside those who are there, by stations and by voters. */
function hosts(input: SitingVillage, settings: SitingConfig, to: SitingVenue, movers: readonly SitingStation[]): boolean {
  if (movers.length === 0) return true
  const there = input.stations.filter((each) => each.venue === to.id || input.accepted.some((decided) => decided.station === each.code && decided.venue === to.id))
  const max = settings.stations_per_venue_max[to.kind] ?? settings.stations_per_venue_max.other
  const places = there.reduce((sum, each) => sum + Math.ceil((each.voters ?? 1) / settings.voters_per_station_max), 0)
  const voters = [...there, ...movers].reduce((sum, each) => sum + (each.voters ?? 0), 0)
  return places + movers.length <= max && voters <= max * settings.voters_per_station_max
}

/** The slow obvious twin: every plan there is. */
function bestSlowly(input: SitingVillage, settings: SitingConfig, row = 0, chosen: ReadonlyMap<SitingStation, SitingVenue> = new Map()): number {
  const from = input.stations[row]
  if (from === undefined) {
    const opened = input.venues.filter((to) => [...chosen.values()].includes(to) && !input.stations.some((each) => each.venue === to.id) && !input.accepted.some((each) => each.venue === to.id))
    return [...chosen].reduce((sum, [each, to]) => sum + (worthSlowly(input, settings, each, to) ?? 0), 0) - opened.length * settings.opening_cost * 1e6
  }
  let best = bestSlowly(input, settings, row + 1, chosen)
  if (input.accepted.some((each) => each.station === from.code)) return best
  for (const to of input.venues) {
    if ((worthSlowly(input, settings, from, to) ?? 0) <= 0) continue
    const next = new Map([...chosen, [from, to]])
    if (hosts(input, settings, to, [...next].filter(([, each]) => each === to).map(([each]) => each))) best = Math.max(best, bestSlowly(input, settings, row + 1, next))
  }
  return best
}

const proposalsOf = (found: SitingPlan): Move[] => found.moves.filter((move) => !move.accepted)
const byCode = (input: SitingVillage, of: string): SitingStation => input.stations.find((each) => each.code === of) ?? assert.fail(of)
const worthOf = (settings: SitingConfig, move: Move): number => 1e6 * (move.gain + settings.second_operator * move.gain_second - move.cost)

/** Every proposal is allowed by itself, and any part of them together. */
function assertValid(input: SitingVillage, settings: SitingConfig, proposals: readonly Move[]): void {
  for (const move of proposals) {
    const to = input.venues.find((each) => each.id === move.venue) ?? assert.fail(move.venue)
    assert.ok((worthSlowly(input, settings, byCode(input, move.station), to) ?? 0) > 0, `${move.station} may go to ${move.venue}`)
  }
  for (const to of input.venues) assert.ok(hosts(input, settings, to, proposals.filter((move) => move.venue === to.id).map((move) => byCode(input, move.station))), `${to.id} has room`)
}

test('property: the plan is worth as much as the best of all plans, and every station is named once', () => {
  let moved = 0
  fc.assert(fc.property(anyVillage, anyConfig, (input, settings) => {
    const found = plan(input, settings)
    assert.ok(Math.abs(found.totals.value - bestSlowly(input, settings)) <= 6, `${found.totals.value} of ${bestSlowly(input, settings)}`)
    assert.equal(found.totals.bound, found.totals.value)
    assert.deepEqual([...found.moves, ...found.kept].map((each) => each.station).sort(), input.stations.map((each) => each.code))
    const held = (id: string): boolean => input.stations.some((each) => each.venue === id)
    assert.equal(found.totals.venues_opened, new Set(found.moves.map((move) => move.venue).filter((id) => !held(id))).size)
    assertValid(input, settings, found.moves)
    moved += found.moves.length
  }), { numRuns: 400 })
  assert.ok(moved > 100, `only ${moved} moves were seen`)
})

test('property: what is accepted in part stays valid, is kept to the letter, and costs the rest nothing', () => {
  let accepted_count = 0
  fc.assert(fc.property(anyVillage, anyConfig, fc.integer({ min: 0, max: 63 }), (input, settings, part) => {
    const first = plan(input, settings)
    const accepted = first.moves.filter((_, index) => (part >> index) % 2 === 1)
    assertValid(input, settings, accepted)
    const pinned = { ...input, accepted }
    const again = plan(pinned, settings)
    assert.deepEqual(again.moves.filter((move) => move.accepted).map(({ station: from, venue: to }) => `${from} ${to}`).sort(), accepted.map(({ station: from, venue: to }) => `${from} ${to}`).sort())
    assertValid(pinned, settings, proposalsOf(again))
    const opened = new Set(accepted.map((move) => move.venue).filter((id) => !input.stations.some((each) => each.venue === id))).size
    const decided = accepted.reduce((sum, move) => sum + worthOf(settings, move), 0) - opened * settings.opening_cost * 1e6
    assert.ok(Math.abs(decided + again.totals.value - first.totals.value) <= 6, `${decided} + ${again.totals.value} is ${first.totals.value}`)
    accepted_count += accepted.length
  }), { numRuns: 300 })
  assert.ok(accepted_count > 50, `only ${accepted_count} were accepted`)
})

test('property: what is refused never comes back, however often it is asked', () => {
  fc.assert(fc.property(anyVillage, (input) => {
    let refused = [...input.refused]
    for (let round = 0; round < 25; round++) {
      const { moves, kept } = plan({ ...input, refused })
      for (const move of moves) assert.ok(!refused.some((each) => each.station === move.station && each.venue === move.venue))
      if (moves.length === 0) return assert.ok(kept.every((each) => each.reason !== 'venue full' || input.stations.some((other) => other.venue !== null)))
      refused = [...refused, ...moves]
    }
    assert.fail('it ends: 6 stations and 4 venues make 24 moves')
  }))
})

test('property: the order of stations and venues changes nothing', () => {
  fc.assert(fc.property(anyVillage, anyConfig, fc.boolean(), (input, settings, decided) => {
    const pinned = { ...input, accepted: decided ? plan(input, settings).moves.slice(0, 2) : [] }
    const turned = { ...pinned, stations: input.stations.toReversed(), venues: input.venues.toReversed(), accepted: pinned.accepted.toReversed(), refused: input.refused.toReversed() }
    assert.deepEqual(plan(turned, settings), plan(pinned, settings))
  }))
})

test('a kept station says why', () => {
  const reason = (from: Partial<SitingStation>, venues: readonly SitingVenue[], change: Partial<SitingVillage> = {}, settings = config): string | undefined =>
    plan(village([station(1, from)], venues, change), settings).kept.find((each) => each.station === `${code}001`)?.reason
  assert.equal(reason({}, [venue('p')]), undefined)
  assert.equal(reason({ class: 'a' }, [venue('p')]), 'already good')
  assert.equal(reason({ class: 'b' }, [venue('p')]), 'already good')
  assert.equal(reason({ class: 'unknown' }, [venue('p')]), 'nothing known')
  assert.equal(reason({ voters: 301 }, [venue('p')]), 'too many voters')
  assert.equal(reason({ voters: 301 }, [venue('p')], {}, { ...config, voters_per_station_max: 600 }), undefined)
  assert.equal(reason({}, []), 'no venue known')
  assert.equal(reason({ position: null }, [venue('p')]), 'position unknown')
  assert.equal(reason({ usable: [0.86] }, [venue('p')]), 'no better venue')
  assert.equal(reason({ usable: [0.85] }, [venue('p')]), undefined, '0.95 - 0.85 is 0.1, whatever floating point says')
  assert.equal(reason({}, [venue('p', { usable: [0.45, 0.45] })]), 'no better venue', 'two that are blank make no usable one')
  assert.equal(reason({ venue: 'p' }, [venue('p')]), 'no better venue')
  assert.equal(reason({}, [venue('p', { position: north(1.1) })]), 'too far')
  assert.equal(reason({}, [venue('p', { position: north(1.05) })]), undefined)
  assert.equal(reason({}, [venue('p', { usable: [0.5], position: north(1) })], {}, { ...config, walk_cost_per_km: 0.4 }), 'too far', 'the walk outweighs it')
  assert.equal(reason({}, [venue('p')], { refused: [{ station: `${code}001`, venue: 'p' }] }), 'refused')
  assert.equal(reason({}, [venue('p', { usable: [0.5], position: north(1) })], { refused: [{ station: `${code}001`, venue: 'p' }] }, { ...config, walk_cost_per_km: 0.4 }), 'too far', 'refused or not')
  assert.equal(reason({}, [venue('p')], { stations: [station(1), station(2, { class: 'a', voters: 400, venue: 'p' })] }), 'venue full', '400 voters take two places')
  assert.equal(reason({}, [venue('p')], {}, { ...config, opening_cost: 0.95 }), 'not worth opening')
})

test('a move says what it gains, what it costs, and how well the walk is known', () => {
  const [move] = plan(village([station(1, { class: 'c', usable: [0.5, 0.5], voters: 150 })], [venue('b', { usable: [0.99] }), venue('a', { usable: [0.95, 0.9], position: north(0.6) })])).moves
  assert.ok(move !== undefined)
  assert.deepEqual([move.station, move.venue, move.class_before, move.class_after, move.distance_grade, move.accepted], [`${code}001`, 'a', 'c', 'a', 'fix', false])
  const close = (actual: number | null, expected: number): void => assert.ok(actual !== null && Math.abs(actual - expected) < 1e-4, `${actual} is ${expected}`)
  // 1 - 0.05 x 0.1 - (1 - 0.5 x 0.5); 0.95 x 0.9 - 0.5 x 0.5; 1.4 x 0.6 km for half a station
  close(move.gain, 0.245)
  close(move.gain_second, 0.605)
  close(move.walk_km, 0.84)
  close(move.walk_voter_km, 126)
  close(move.cost, 0.042)
})

test('a station that its village alone places is measured from there, and says so', () => {
  const input = village([station(1, { grade: 'village' }), station(2, { position: null, voters: null }), station(3, { grade: 'venue' })], [venue('p', { kind: 'SMP' })], { position: north(0.2) })
  const { moves, totals } = plan(input)
  assert.deepEqual(moves.map((move) => move.distance_grade), ['village', 'village', 'fix'])
  assert.deepEqual([totals.stations, totals.weak, totals.proposed, totals.proposed_by_village, totals.venues_opened, moves[1]?.walk_voter_km], [3, 3, 3, 2, 1, null])
})

test('an accepted move stands beyond the limits, and takes up room', () => {
  const input = village([station(1, { class: 'd', voters: 450 }), station(2), station(3, { class: 'a', position: null })], [venue('p'), venue('far', { position: north(9), usable: [0.1] })],
    { accepted: [{ station: `${code}001`, venue: 'p' }, { station: `${code}003`, venue: 'far' }], refused: [{ station: `${code}009`, venue: 'gone' }] })
  const { moves, kept, totals } = plan(input)
  assert.deepEqual(moves.map((move) => [move.station.slice(-3), move.venue, move.accepted, move.class_after, move.walk_km === null]), [['001', 'p', true, 'b', false], ['003', 'far', true, 'e', true]])
  assert.deepEqual(kept, [{ station: `${code}002`, reason: 'venue full' }])
  assert.deepEqual([totals.accepted, totals.proposed, totals.gain], [2, 0, 0])
})

test('an accepted move that has been made is counted once', () => {
  const { moves } = plan(village([station(1, { venue: 'p' }), station(2)], [venue('p')], { accepted: [{ station: `${code}001`, venue: 'p' }] }))
  assert.deepEqual(moves.map((move) => [move.station.slice(-3), move.venue, move.accepted]), [['001', 'p', true], ['002', 'p', false]])
})

test('of two venues that are alike the first by id is taken, in whatever order they come', () => {
  for (const venues of [[venue('p'), venue('q')], [venue('q'), venue('p')]]) assert.deepEqual(plan(village([station(1)], venues)).moves.map((move) => move.venue), ['p'])
})

test('what contradicts itself or crosses the border is refused', () => {
  const problem = (change: Partial<SitingVillage>): string => {
    const result = planSiting(village([station(1), station(2)], [venue('p'), venue('q')], change), config)
    return result.ok ? 'none' : `${result.error.problem} ${result.error.id}`
  }
  const first = `${code}001`
  assert.equal(problem({}), 'none')
  assert.equal(problem({ stations: [station(1), station(1)] }), `station twice ${first}`)
  assert.equal(problem({ venues: [venue('p'), venue('p')] }), 'venue twice p')
  assert.equal(problem({ stations: [station(1, { code: '5310052002001' })] }), 'outside the village 5310052002001')
  assert.equal(problem({ venues: [venue('p', { village: '5310052002' })] }), 'outside the village p')
  assert.equal(problem({ accepted: [{ station: 'x', venue: 'p' }] }), 'unknown station x')
  assert.equal(problem({ accepted: [{ station: first, venue: 'x' }] }), 'unknown venue x')
  assert.equal(problem({ accepted: [{ station: first, venue: 'p' }, { station: first, venue: 'q' }] }), `accepted twice ${first}`)
  assert.equal(problem({ accepted: [{ station: first, venue: 'p' }], refused: [{ station: first, venue: 'p' }] }), `accepted and refused ${first}`)
  for (const p of [-0.1, 1.1, NaN]) assert.throws(() => plan(village([station(1)], [venue('p', { usable: [p] })])), RangeError)
})

test('a kind of venue named as something of every object has the room of the others', () => {
  assert.equal(plan(village([station(1), station(2), station(3)], [venue('p', { kind: 'constructor' })])).moves.length, 2)
})
