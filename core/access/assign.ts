import { fail, ok, type Result } from '../kernel/result.ts'
import { findCandidates, groupStations, openWays, type AccessConfig, type AccessPoints, type AccessStations, type Candidates, type Groups } from './candidates.ts'
import { makeSimplex, optimise, provesOptimum, setCost, type Network, type Simplex } from './network-simplex.ts'
import { travelDefaults } from './travel.ts'

/** Engineering defaults of ours. */
export const accessDefaults: AccessConfig = { ...travelDefaults, candidates: 12, spare_candidates: 4, travel_min_max: 240, pivots_per_arc_max: 50 }

/** Why a station has no point: none that works can be reached in time, or those that can are full. */
type WithoutPoint = 'no_point_in_reach' | 'capacity'

/** Which blank station sends from which access point. `reassign` changes it. */
export interface AccessPlan {
  /** A point a station, or -1. */
  readonly point: Int32Array
  /** Of the stations without a point. */
  readonly reason: Map<number, WithoutPoint>
  /** Whole seconds as minutes, and great-circle distance; NaN without a point. */
  readonly travel_min: Float64Array
  readonly distance_km: Float64Array
  /** 1 or 0 a point: as it was planned, and as `reassign` was told since. */
  readonly working: Uint8Array
  /** Over all stations with a point. */
  travel_s_total: number
  assigned: number
  network: AccessNetwork
}

/**
 * Nodes are groups of stations, then points, then one sink. The arcs of group g are its ways in the order of
 * `Candidates`, from `candidates.start[g] + g` on, and one that leads past every point; the points' arcs follow.
 */
interface AccessNetwork {
  readonly stations: AccessStations
  readonly points: AccessPoints
  readonly config: AccessConfig
  readonly groups: Groups
  readonly candidates: Candidates
  readonly simplex: Simplex
  /** What the simplex was asked, kept apart from it for the proof. */
  readonly asked: Network
  /** 1: was working when this network was made. */
  readonly planned: Uint8Array
  readonly unassigned_cost: number
}

type PlanError =
  /** So many points, stations or seconds that their sums would not be exact. */
  | 'inexact'
  /** The bound on pivots was reached. */
  | 'pivots'

/**
 * Sends as many stations as can be to a working point in reach, and of all ways to do so takes one with the least
 * total travel time: exactly, by minimum-cost flow in whole seconds. In reach are `config.candidates` nearest
 * points, and as many on the own landmass, within the travel time. A station takes one place; of stations at one
 * position the first in order gets the quickest.
 */
export function planAccess(stations: AccessStations, points: AccessPoints, config: AccessConfig): Result<AccessPlan, PlanError> {
  const made = makeNetwork(stations, points, points.working, config)
  if (!made.ok) return made
  const count = stations.latitudes.length
  const plan: AccessPlan = {
    point: new Int32Array(count).fill(-1), reason: new Map(), travel_min: new Float64Array(count).fill(NaN), distance_km: new Float64Array(count).fill(NaN),
    working: points.working.slice(), network: made.value, travel_s_total: 0, assigned: 0,
  }
  const solved = solve(plan)
  return solved.ok ? ok(plan) : solved
}

/**
 * A point has failed, or works again: goes on from the plan as it is to an optimum of a fresh start. Stations stay
 * where they are as long as the optimum leaves them room there.
 * @returns the stations whose point changed, in order; after an error they are where they were
 */
export function reassign(plan: AccessPlan, point: number, working: boolean): Result<Int32Array, PlanError> {
  if (plan.working[point] === undefined) throw new Error(`there is no point ${point}`)
  plan.working[point] = Number(working)
  const { stations, points, config, planned } = plan.network
  if (planned[point] !== 1 || !changeWays(plan, point)) {
    const made = makeNetwork(stations, points, plan.working, config)
    if (!made.ok) return made
    plan.network = made.value
  }
  return solve(plan)
}

/**
 * Opens and shuts ways of the groups near a point: a shut way is dearer than no point, so nobody is on it at an
 * optimum, and the basis goes on to hold.
 * @returns false when the network lacks ways that are now open: make it anew
 */
function changeWays({ network, working }: AccessPlan, point: number): boolean {
  const { candidates, simplex, asked, config, unassigned_cost } = network
  const { start, nearest, width } = candidates
  for (let group = 0; group < start.length - 1; group++) {
    if (!nearest.some((list) => list.subarray(group * width, (group + 1) * width).includes(point))) continue
    const open = openWays(candidates, group, working, config.candidates)
    if (open === null) return false
    const first = start[group] ?? 0
    open.forEach((isOpen, at) => {
      const cost = isOpen === 1 ? (candidates.travel_s[first + at] ?? 0) : unassigned_cost + 1
      asked.cost[first + group + at] = cost
      if (simplex.cost[first + group + at] !== cost) setCost(simplex, first + group + at, cost)
    })
  }
  return true
}

/** Whether the plan's prices prove that no other is better, with the points that work now: known without trusting how it was found. */
export function provesPlan({ network: { asked, simplex } }: AccessPlan): boolean {
  return provesOptimum(asked, simplex.flow.subarray(0, asked.source.length), simplex.potential)
}

function makeNetwork(stations: AccessStations, points: AccessPoints, working: Uint8Array, config: AccessConfig): Result<AccessNetwork, PlanError> {
  const groups = groupStations(stations)
  const candidates = findCandidates(stations, { ...points, working }, groups, config)
  const groupCount = groups.start.length - 1
  const planned = Int32Array.from(working.keys()).filter((point) => working[point] === 1)
  const ways = candidates.point.length
  const arcs = ways + groupCount + planned.length
  const sink = groupCount + planned.length
  const network = {
    nodes: sink + 1, source: new Int32Array(arcs), target: new Int32Array(arcs).fill(sink), capacity: new Float64Array(arcs).fill(Infinity),
    cost: new Float64Array(arcs), supply: new Float64Array(sink + 1),
  }
  const nodeOf = new Int32Array(working.length)
  planned.forEach((point, at) => {
    nodeOf[point] = groupCount + at
    network.source[ways + groupCount + at] = groupCount + at
    network.capacity[ways + groupCount + at] = points.capacities[point] ?? 0
  })
  // Room for one more may move one group at each point, each by the longest time at most: no point is dearer than that.
  const unassigned_cost = planned.length * candidates.travel_s.reduce((longest, time_s) => Math.max(longest, time_s), 0) + 1
  for (let group = 0; group < groupCount; group++) {
    const open = openWays(candidates, group, working, config.candidates)
    const first = candidates.start[group] ?? 0
    const past = (candidates.start[group + 1] ?? 0) + group
    network.source.fill(group, first + group, past + 1)
    for (let way = first; way < past - group; way++) {
      network.target[way + group] = nodeOf[candidates.point[way] ?? 0] ?? 0
      network.cost[way + group] = open?.[way - first] === 1 ? (candidates.travel_s[way] ?? 0) : unassigned_cost + 1
    }
    network.cost[past] = unassigned_cost
    network.supply[group] = (groups.start[group + 1] ?? 0) - (groups.start[group] ?? 0)
  }
  network.supply[sink] = -groups.members.length
  const made = makeSimplex(network, unassigned_cost + 1)
  return made.ok ? ok({ stations, points, config, groups, candidates, simplex: made.value, asked: network, planned: working.slice(), unassigned_cost }) : fail(possible(made.error))
}

/** Past every point there is always a way, and no circle: the network itself is never at fault. */
function possible(error: 'unbalanced' | 'infeasible' | 'unbounded' | PlanError): PlanError {
  if (error === 'inexact' || error === 'pivots') return error
  throw new Error(`the network of stations and points is ${error}`)
}

function solve(plan: AccessPlan): Result<Int32Array, PlanError> {
  const { simplex, groups, config, unassigned_cost } = plan.network
  const solved = optimise(simplex, config.pivots_per_arc_max * simplex.arcs)
  if (!solved.ok) return fail(possible(solved.error))
  const changed: number[] = []
  for (let group = 0; group < groups.start.length - 1; group++) deal(plan, group, changed)
  plan.assigned = groups.members.length - plan.reason.size
  plan.travel_s_total = solved.value.cost - plan.reason.size * unassigned_cost
  return ok(Int32Array.from(changed).sort())
}

/** Gives a group's stations the places that its flow has: first each its old one, then in order the quickest that is left. */
function deal({ network, point, reason, travel_min, distance_km }: AccessPlan, group: number, changed: number[]): void {
  const { groups, candidates, simplex, unassigned_cost } = network
  const members = groups.members.subarray(groups.start[group], groups.start[group + 1])
  const first = candidates.start[group] ?? 0
  const ways = candidates.point.subarray(first, candidates.start[group + 1])
  const places = simplex.flow.slice(first + group, first + group + ways.length)
  const inReach = simplex.cost.subarray(first + group, first + group + ways.length).some((cost) => cost < unassigned_cost)
  const keeps = members.map((station) => {
    const way = ways.indexOf(point[station] ?? -1)
    if (way < 0 || (places[way] ?? 0) === 0) return 0
    places[way] = (places[way] ?? 0) - 1
    return 1
  })
  let way = 0
  members.forEach((station, at) => {
    if (keeps[at] === 1) return
    while (way < ways.length && (places[way] ?? 0) === 0) way++
    const given = ways[way] ?? -1
    if (given !== point[station]) changed.push(station)
    point[station] = given
    travel_min[station] = given < 0 ? NaN : (candidates.travel_s[first + way] ?? 0) / 60
    distance_km[station] = given < 0 ? NaN : (candidates.distance_km[first + way] ?? 0)
    if (given < 0) reason.set(station, inReach ? 'capacity' : 'no_point_in_reach')
    else {
      reason.delete(station)
      places[way] = (places[way] ?? 0) - 1
    }
  })
}
