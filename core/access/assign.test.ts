import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distance_km } from '../geo/distance.ts'
import { seeded } from '../kernel/random.ts'
import { accessDefaults, planAccess, provesPlan, reassign, type AccessPlan } from './assign.ts'
import type { AccessConfig, AccessPoints, AccessStations } from './candidates.ts'

interface Place { latitude: number; longitude: number; landmass: number }
interface Point extends Place { capacity: number; working: number }

const columns = (places: readonly Place[]): { latitudes: Float64Array; longitudes: Float64Array; landmasses: Int32Array } => ({
  latitudes: Float64Array.from(places, (place) => place.latitude), longitudes: Float64Array.from(places, (place) => place.longitude), landmasses: Int32Array.from(places, (place) => place.landmass),
})
const stationsOf = (places: readonly Place[]): AccessStations => ({ ...columns(places), travelClasses: new Uint8Array(places.length) })
const pointsOf = (points: readonly Point[]): AccessPoints => ({ ...columns(points), capacities: Int32Array.from(points, (point) => point.capacity), working: Uint8Array.from(points, (point) => point.working) })

function planned(stations: readonly Place[], points: readonly Point[], config: AccessConfig): AccessPlan {
  const plan = planAccess(stationsOf(stations), pointsOf(points), config)
  assert.ok(plan.ok)
  return plan.value
}

const crosses = (station: Place, point: Place): boolean => station.landmass === -1 || station.landmass !== point.landmass

function secondsSlowly(station: Place, point: Place, config: AccessConfig): number {
  return Math.round(((distance_km(station, point) * config.detour_factor) / config.speed_km_h.road) * 3600 + (crosses(station, point) ? config.ferry_min * 60 : 0))
}

/** For each station its seconds to each point in reach. */
function reachSlowly(stations: readonly Place[], points: readonly Point[], config: AccessConfig): Map<number, number>[] {
  return stations.map((station) => {
    const near = points.map((point, index) => ({ ...point, index, km: distance_km(station, point) })).filter((point) => point.working === 1).sort((a, b) => a.km - b.km || a.index - b.index)
    const some = [...near.slice(0, config.candidates), ...near.filter((point) => !crosses(station, point)).slice(0, config.candidates)]
    return new Map(some.map((point) => [point.index, secondsSlowly(station, point, config)] as const).filter(([, time_s]) => time_s <= config.travel_min_max * 60))
  })
}

/** The slow obvious twin: every way to send every station anywhere or nowhere; most stations first, then least time. */
function bestSlowly(reach: readonly Map<number, number>[], points: readonly Point[]): { assigned: number; time_s: number } {
  const left = points.map((point) => point.capacity)
  const best = { assigned: -1, time_s: 0 }
  const go = (station: number, assigned: number, time_s: number): void => {
    if (station === reach.length) {
      if (assigned > best.assigned || (assigned === best.assigned && time_s < best.time_s)) Object.assign(best, { assigned, time_s })
      return
    }
    go(station + 1, assigned, time_s)
    for (const [point, more_s] of reach[station] ?? []) {
      if ((left[point] ?? 0) === 0) continue
      left[point] = (left[point] ?? 0) - 1
      go(station + 1, assigned + 1, time_s + more_s)
      left[point] = (left[point] ?? 0) + 1
    }
  }
  go(0, 0, 0)
  return best
}

function assertBest(plan: AccessPlan, stations: readonly Place[], points: readonly Point[], config: AccessConfig): void {
  const reach = reachSlowly(stations, points, config)
  assert.deepEqual({ assigned: plan.assigned, time_s: plan.travel_s_total }, bestSlowly(reach, points))
  assert.ok(provesPlan(plan))
  const used = points.map(() => 0)
  let time_s = 0
  stations.forEach((station, at) => {
    const point = plan.point[at] ?? -2
    assert.equal(plan.reason.get(at), point >= 0 ? undefined : reach[at]?.size === 0 ? 'no_point_in_reach' : 'capacity')
    if (point < 0) return assert.ok(Number.isNaN(plan.travel_min[at]) && Number.isNaN(plan.distance_km[at]))
    const there = points[point] ?? assert.fail(`there is no point ${point}`)
    const own_s = reach[at]?.get(point) ?? assert.fail(`station ${at} cannot reach point ${point}, or it does not work`)
    assert.ok(Math.abs((plan.travel_min[at] ?? NaN) - own_s / 60) < 1e-9 && Math.abs((plan.distance_km[at] ?? NaN) - distance_km(station, there)) < 1e-6)
    assert.ok((plan.travel_min[at] ?? NaN) >= (crosses(station, there) ? config.ferry_min : 0), 'no water is crossed without the boat')
    used[point] = (used[point] ?? 0) + 1
    time_s += own_s
  })
  points.forEach((point, at) => assert.ok((used[at] ?? 0) <= point.capacity))
  assert.equal(plan.travel_s_total, time_s)
}

// Few places, so that stations and points share them; irregular ones, so that only what is at one place is equally far.
const random = seeded(3)
const spots = Array.from({ length: 7 }, () => ({ latitude: -8 + 0.4 * random(), longitude: 124 + 0.4 * random() }))
const place = fc.record({ spot: fc.nat(spots.length - 1), landmass: fc.integer({ min: -1, max: 1 }) }).map(({ spot, landmass }) => ({ ...(spots[spot] ?? assert.fail()), landmass }))
const point = fc.tuple(place, fc.nat(2), fc.constantFrom(0, 1, 1, 1)).map(([where, capacity, working]): Point => ({ ...where, capacity, working }))
const config = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2), fc.constantFrom(60, 120, 240)).map(([candidates, spare_candidates, travel_min_max]) => ({ ...accessDefaults, candidates, spare_candidates, travel_min_max }))
const cases = fc.record({ stations: fc.array(place, { maxLength: 6 }), points: fc.array(point, { maxLength: 6 }), config })

test('property: as many stations as can be have a point, at the least time of all ways to do so', () => {
  fc.assert(fc.property(cases, ({ stations, points, config }) => {
    assertBest(planned(stations, points, config), stations, points, config)
  }), { numRuns: 300 })
})

test('property: a point fails or works again, and the plan is as good as a fresh one; who moved is told', () => {
  fc.assert(fc.property(cases, fc.array(fc.tuple(fc.nat(5), fc.boolean()), { minLength: 1, maxLength: 6 }), ({ stations, points, config }, events) => {
    const plan = planned(stations, points, config)
    for (const [at, working] of events) {
      const changing = points[at]
      if (changing === undefined) continue
      const before = plan.point.slice()
      changing.working = Number(working)
      const changed = reassign(plan, at, working)
      assert.ok(changed.ok)
      assertBest(plan, stations, points, config)
      assert.deepEqual([...changed.value], [...before.keys()].filter((station) => before[station] !== plan.point[station]))
    }
  }), { numRuns: 300 })
})

test('property: the order of the stations changes no cost', () => {
  fc.assert(fc.property(cases, fc.integer(), ({ stations, points, config }, seed) => {
    const random = seeded(seed)
    const shuffled = stations.map((station) => ({ station, key: random() })).sort((a, b) => a.key - b.key).map(({ station }) => station)
    const [plan, other] = [planned(stations, points, config), planned(shuffled, points, config)]
    assert.deepEqual([plan.assigned, plan.travel_s_total], [other.assigned, other.travel_s_total])
  }))
})

test('stations of one village are one node, and the first of them get the quickest places', () => {
  const village = { latitude: -8, longitude: 124, landmass: 1 }
  const points = [{ latitude: -8, longitude: 124.1, landmass: 1, capacity: 2, working: 1 }, { ...village, capacity: 1, working: 1 }]
  const plan = planned(new Array<Place>(4).fill(village), points, accessDefaults)
  assert.deepEqual([...plan.point], [1, 0, 0, -1])
  assert.deepEqual([...plan.reason], [[3, 'capacity']])
  assert.equal(plan.network.groups.start.length - 1, 1)
  // The one at hand fails: only its own station loses its place.
  const changed = reassign(plan, 1, false)
  assert.deepEqual(changed.ok && [...changed.value], [0])
  assert.deepEqual([...plan.point], [-1, 0, 0, -1])
  assert.throws(() => reassign(plan, 2, true), /no point 2/)
})

test('a nearer point across a strait neither wins without its boat nor hides the one on the own landmass', () => {
  const station = { latitude: -8, longitude: 124, landmass: 1 }
  const across = { latitude: -8, longitude: 124.01, landmass: 2, capacity: 5, working: 1 }
  const own = { latitude: -8, longitude: 124.2, landmass: 1, capacity: 5, working: 1 }
  assert.equal(planned([station], [across, own], { ...accessDefaults, candidates: 1 }).point[0], 1)
  const ferried = planned([station], [across, own], { ...accessDefaults, ferry_min: 10 })
  assert.equal(ferried.point[0], 0)
  assert.ok((ferried.travel_min[0] ?? 0) > 10)
  assert.ok((planned([{ ...station, landmass: -1 }], [{ ...across, landmass: -1 }], accessDefaults).travel_min[0] ?? 0) > 90, 'where the land is not known, a boat is reckoned with')
})

test('on foot it takes longer; an unknown class throws; a bound on pivots is told, not passed', () => {
  const places = columns([{ latitude: -8, longitude: 124, landmass: 1 }])
  const points = pointsOf([{ latitude: -8, longitude: 124.05, landmass: 1, capacity: 1, working: 1 }])
  const byClass = (travelClass: number): number => {
    const plan = planAccess({ ...places, travelClasses: Uint8Array.of(travelClass) }, points, accessDefaults)
    return plan.ok ? (plan.value.travel_min[0] ?? NaN) : NaN
  }
  assert.ok(byClass(0) < byClass(1) && byClass(1) < byClass(2))
  assert.throws(() => byClass(3), /no travel class 3/)
  assert.deepEqual(planAccess({ ...places, travelClasses: Uint8Array.of(0) }, points, { ...accessDefaults, pivots_per_arc_max: 0 }), { ok: false, error: 'pivots' })
  assert.deepEqual(planAccess({ ...places, travelClasses: Uint8Array.of(0) }, points, { ...accessDefaults, travel_min_max: 1e14, detour_factor: 1e12 }), { ok: false, error: 'inexact' })
})

test('a regency of 200 villages with one point after the other failing is planned as well as afresh, and few move', () => {
  const random = seeded(7)
  const villages = Array.from({ length: 200 }, () => ({ latitude: -8 + random(), longitude: 124 + random(), landmass: random() < 0.5 ? 1 : 2 }))
  const stations = villages.flatMap((village) => new Array<Place>(1 + Math.floor(5 * random())).fill(village))
  const points = Array.from({ length: 40 }, () => ({ latitude: -8 + random(), longitude: 124 + random(), landmass: random() < 0.5 ? 1 : 2, capacity: 15, working: 1 }))
  const plan = planned(stations, points, accessDefaults)
  for (const failing of [3, 20, 21, 22, 38]) {
    const changed = reassign(plan, failing, false)
    assert.ok(changed.ok)
    points.splice(failing, 1, { ...(points[failing] ?? assert.fail()), working: 0 })
    const fresh = planned(stations, points, accessDefaults)
    assert.deepEqual([plan.assigned, plan.travel_s_total], [fresh.assigned, fresh.travel_s_total])
    assert.ok(provesPlan(plan))
    assert.ok(changed.value.length < stations.length / 4, `${changed.value.length} of ${stations.length} stations moved`)
  }
})
