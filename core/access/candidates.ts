import { makeNearestTree, nearestSome } from '../geo/nearest.ts'
import { travel_s, type TravelConfig } from './travel.ts'

/** Blank stations in the order of their codes: columns of equal length. */
export interface AccessStations {
  /** Degrees. */
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
  /** -1: not known. */
  readonly landmasses: Int32Array
  /** Numbers in `travelClasses`. */
  readonly travelClasses: Uint8Array
}

/** Where a station may go to send: columns of equal length. */
export interface AccessPoints {
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
  readonly landmasses: Int32Array
  /** Stations served in the sending window. */
  readonly capacities: Int32Array
  /** 1: working, 0: not. */
  readonly working: Uint8Array
}

export interface AccessConfig extends TravelConfig {
  /** How many of the nearest working points a station may go to, of all and once more of its own landmass. */
  readonly candidates: number
  /** How many more are kept at hand for when nearer ones fail. */
  readonly spare_candidates: number
  readonly travel_min_max: number
  readonly pivots_per_arc_max: number
}

/** Stations that are one and the same to the network: same position, landmass and travel class. */
export interface Groups {
  /** Members of group g are `members[start[g]]` to before `start[g + 1]`, in the order of the stations. */
  readonly start: Int32Array
  readonly members: Int32Array
}

/** Ways from groups to points; those of group g are from `start[g]` to before `start[g + 1]`, quickest first. */
export interface Candidates {
  readonly start: Int32Array
  readonly point: Int32Array
  readonly distance_km: Float64Array
  readonly travel_s: Float64Array
  /** `width` slots a group, nearest first, -1 after the last: of all points, and of the group's own landmass. */
  readonly nearest: readonly [all: Int32Array, own: Int32Array]
  readonly width: number
}

export function groupStations(stations: AccessStations): Groups {
  const byKey = new Map<string, number[]>()
  for (let station = 0; station < stations.latitudes.length; station++) {
    const key = `${stations.latitudes[station]} ${stations.longitudes[station]} ${stations.landmasses[station]} ${stations.travelClasses[station]}`
    const group = byKey.get(key)
    if (group === undefined) byKey.set(key, [station])
    else group.push(station)
  }
  const start = new Int32Array(byKey.size + 1)
  const members = new Int32Array(stations.latitudes.length)
  let [group, at] = [0, 0]
  for (const stationsOf of byKey.values()) {
    members.set(stationsOf, at)
    at += stationsOf.length
    start[++group] = at
  }
  return { start, members }
}

/** Ways to the nearest working points within the travel time: across water, and so that no strait hides them on the own landmass. */
export function findCandidates(stations: AccessStations, points: AccessPoints, { start, members }: Groups, config: AccessConfig): Candidates {
  const firsts = start.subarray(0, -1).map((at) => members[at] ?? 0)
  const width = config.candidates + config.spare_candidates
  const nearest = [new Int32Array(firsts.length * width).fill(-1), new Int32Array(firsts.length * width).fill(-1)] as const
  const ways: Way[][] = Array.from(firsts, () => [])
  const search = (groups: Int32Array, targets: Int32Array, list: Int32Array): void => {
    const tree = makeNearestTree(points.latitudes, points.longitudes, targets)
    const column = (of: Float64Array): Float64Array => Float64Array.from(groups, (group) => of[firsts[group] ?? 0] ?? NaN)
    const { index, distance_km } = nearestSome(tree, column(stations.latitudes), column(stations.longitudes), width)
    groups.forEach((group, at) => {
      const station = firsts[group] ?? 0
      for (let slot = at * width; slot < (at + 1) * width && (index[slot] ?? -1) >= 0; slot++) {
        const [point, distance] = [index[slot] ?? -1, distance_km[slot] ?? 0]
        list[group * width + slot - at * width] = point
        const time_s = travel_s(distance, stations.travelClasses[station] ?? 0, [stations.landmasses[station] ?? -1, points.landmasses[point] ?? -1], config)
        if (time_s <= config.travel_min_max * 60 && !ways[group]?.some((way) => way.point === point)) ways[group]?.push({ point, distance_km: distance, travel_s: time_s })
      }
    })
  }
  const working = Int32Array.from(points.working.keys()).filter((point) => points.working[point] === 1)
  search(Int32Array.from(firsts.keys()), working, nearest[0])
  const onLandmass = byLandmass(working, (point) => points.landmasses[point] ?? -1)
  for (const [landmass, groups] of byLandmass(Int32Array.from(firsts.keys()), (group) => stations.landmasses[firsts[group] ?? 0] ?? -1)) {
    const targets = onLandmass.get(landmass)
    if (landmass !== -1 && targets !== undefined) search(Int32Array.from(groups), Int32Array.from(targets), nearest[1])
  }
  return { ...flatten(ways), nearest, width }
}

/**
 * Which ways of a group are open: those to the nearest working points, `wanted` of all and as many of the own landmass.
 * @param working 1 or 0 a point
 * @returns 1 or 0 a way of the group; null when so many have failed that farther points, not among these, are open too
 */
export function openWays({ start, point, nearest, width }: Candidates, group: number, working: Uint8Array, wanted: number): Uint8Array | null {
  const points = point.subarray(start[group], start[group + 1])
  const open = new Uint8Array(points.length)
  for (const all of nearest) {
    let count = 0
    let slot = group * width
    for (const end = slot + width; slot < end && count < wanted; slot++) {
      const near = all[slot] ?? -1
      if (near < 0) break
      if (working[near] === 0) continue
      count++
      const way = points.indexOf(near)
      if (way >= 0) open[way] = 1
    }
    if (count < wanted && slot === (group + 1) * width) return null
  }
  return open
}

interface Way { readonly point: number; readonly distance_km: number; readonly travel_s: number }

function byLandmass(some: Int32Array, landmassOf: (each: number) => number): Map<number, number[]> {
  const found = new Map<number, number[]>()
  for (const each of some) {
    const landmass = landmassOf(each)
    const others = found.get(landmass)
    if (others === undefined) found.set(landmass, [each])
    else others.push(each)
  }
  return found
}

function flatten(found: readonly Way[][]): Pick<Candidates, 'start' | 'point' | 'distance_km' | 'travel_s'> {
  const ways = found.flatMap((some) => some.sort((a, b) => a.travel_s - b.travel_s || a.point - b.point))
  const start = new Int32Array(found.length + 1)
  found.forEach((some, group) => (start[group + 1] = (start[group] ?? 0) + some.length))
  return {
    start, point: Int32Array.from(ways, (way) => way.point),
    distance_km: Float64Array.from(ways, (way) => way.distance_km), travel_s: Float64Array.from(ways, (way) => way.travel_s),
  }
}
