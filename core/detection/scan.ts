import type { Steps } from '../kernel/steps.ts'
import { chargerScore, faultScore } from './likelihood.ts'
import { ellipsesAround, places_max, placesAround } from './beside.ts'
import { beside_count } from './places.ts'
import { areaNodeOf, bin_stride, bins, expected_unit, extra, extra_bin, extra_stride, levels, log_unit, node_stride, nodeAt, sum, type DetectionState } from './state.ts'

/** A place that the evidence asks for: its operator (-1: everybody's), its places and its score. */
export interface Candidate {
  readonly operator: number
  readonly score: number
  readonly threshold: number
  readonly level: Level
  readonly places: readonly number[]
}
type Level = 'circle' | (typeof levels)[number]

/**
 * Nats from which a place, a circle or an area is a disturbance of one operator, or of everybody. Set by what three days
 * without any said, for one false disturbance a day of the nation (docs/decisions/0033-evidence-by-likelihood.md).
 */
const threshold_nats = { one: 20.5, all: 20 }
const thresholdOf = (operator: number): number => (operator < 0 ? threshold_nats.all : threshold_nats.one)
/** From so many nats below a threshold on, a disturbance is suspected. */
export const suspicion_nats = 4
const hits_min = 5
/** A circle is drawn only where a centre and the places beside it show so much in a window. */
const look = { hits_min: 3, share_min: 0.34, share_min_all: 0.2 }
/** How firmly the usual factor of an area is held to that of the area above, in broken promises expected. */
const held = { regency: 6, province: 20, nation: 50 }
/** The gamma distribution of the factor: at one place it varies by 32 % of an operator's devices, and by 41 % of everybody's, who rest and leave together. */
const shape = { one: 10, all: 6 }
/** What the other operators' devices at the same places say of the hour there, against a device of its own. */
const control_weight = 0.6
/** No hour is so calm that silence means this much more. */
const factor_min = 0.5
/** Some milliseconds' work. */
const nodes_a_step = 5_000

/**
 * The places whose silence and bad reports no usual hour explains, best first, none overlapping another of the same operator.
 * @param margin nats below the thresholds from which candidates are given
 */
export function* scan(state: DetectionState, margin: number): Steps<Candidate[]> {
  const found: Candidate[] = []
  const regional = createUsual(state)
  for (let node = 0; node < state.nodes.count; node++) {
    if (node % nodes_a_step === 0) yield
    const hits = state.nodes.hits[node] as number
    if (hits === 0) continue
    const areal = hits < hits_min ? null : scoreNode(state, node, regional)
    if (areal !== null && areal.score > areal.threshold - margin) found.push(areal)
    if (state.nodes.level[node] !== 0) continue
    const circle = scoreCircle(state, node, regional)
    if (circle !== null && circle.score > circle.threshold - margin) found.push(circle)
  }
  return apart(found.sort((a, b) => b.score - b.threshold - (a.score - a.threshold) || a.places.length - b.places.length || (a.places[0] ?? 0) - (b.places[0] ?? 0)))
}

/** Of those that share a place and an operator, or one of them everybody's, the best. */
function apart(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = []
  const taken = new Map<number, Set<number>>()
  for (const candidate of candidates) {
    const clashes = candidate.places.some((place) => {
      const there = taken.get(place)
      return there !== undefined && (candidate.operator < 0 || there.has(candidate.operator) || there.has(-1))
    })
    if (clashes) continue
    kept.push(candidate)
    for (const place of candidate.places) {
      const there = taken.get(place)
      if (there === undefined) taken.set(place, new Set([candidate.operator]))
      else there.add(candidate.operator)
    }
  }
  return kept
}

/** A sum of a node over a window; 0 for no node. */
const at = (state: DetectionState, node: number, window: number, what: number): number => (node < 0 ? 0 : (state.nodes.sums[node * node_stride + window * bin_stride + what] as number))

/** The same of what is summed for everybody's nodes alone. */
const besides = ({ nodes: { extras } }: DetectionState, node: number, window: number, what: number): number => extras[node * extra_stride + window * extra_bin + what] as number

/** The factor by which promises are broken more than habits explain, around a place and without the operator in question. */
function createUsual(state: DetectionState): (place: number, operator: number, window: number) => number {
  const known = new Map<number, number>()
  const share = (hits: number, expected: number, weight: number, above: number): number => (Math.max(0, hits) + weight * above) / (Math.max(0, expected) + weight)
  return (place, operator, window) => {
    const regency = Math.floor((state.places.district[place] ?? 0) / 100)
    const key = ((operator + 1) * 10_000 + regency) * bins + window
    const before = known.get(key)
    if (before !== undefined) return before
    const of = (level: number, area: number, who: number): { hits: number; expected: number } => {
      const node = areaNodeOf(state, level, area, who)
      return { hits: at(state, node, window, sum.hits), expected: at(state, node, window, sum.expected) / expected_unit }
    }
    const nation = of(4, 0, -1)
    const province = of(3, Math.floor(regency / 100), -1)
    const here = of(2, regency, -1)
    const wide = share(nation.hits, nation.expected, held.nation, 1)
    // Of one operator, the others around are the control; of everybody, the areas around.
    const [most, near, mine, own] = operator >= 0 ? [province, here, of(3, Math.floor(regency / 100), operator), of(2, regency, operator)] : [nation, province, province, here]
    const above = share(most.hits - mine.hits, most.expected - mine.expected, held.province, wide)
    const value = Math.max(factor_min, share(near.hits - own.hits, near.expected - own.expected, held.regency, above))
    known.set(key, value)
    return value
  }
}

type Regional = ReturnType<typeof createUsual>

/** @param othersHits what the others at the very same places add, with `othersExpected` in units of the sums */
function score(isEverybody: boolean, devices: number, hits: number, expected: number, logs: number, bad: number, leaving: number, earlier: number, factor: number, othersHits: number, othersExpected: number): number {
  return faultScore(devices, hits, expected / expected_unit, logs / log_unit, bad, leaving, earlier, (isEverybody ? shape.all : shape.one) + control_weight * othersHits, (isEverybody ? shape.all : shape.one) / factor + (control_weight * othersExpected) / expected_unit, isEverybody)
}

function scoreNode(state: DetectionState, node: number, regional: Regional): Candidate | null {
  const { nodes } = state
  const operator = nodes.operator[node] as number
  const level = levels[nodes.level[node] as number] as Level
  const everybody = nodes.all[node] as number
  const all = operator < 0 ? -1 : everybody
  let best = -Infinity
  for (let window = 0; window < bins; window++) {
    const [hits, devices, expected] = [at(state, node, window, sum.hits), at(state, node, window, sum.devices), at(state, node, window, sum.expected)]
    if (hits < hits_min || hits < (all < 0 ? look.share_min_all : look.share_min) * devices) continue
    const factor = level === 'nation' ? 1 : regional(placeIn(state, node), operator, window)
    const [othersHits, othersExpected] = all < 0 ? [0, 0] : [at(state, all, window, sum.hits) - hits, at(state, all, window, sum.expected) - expected]
    const present = at(state, everybody, window, sum.devices)
    const chargers = all < 0 && level !== 'nation' ? chargerScore(besides(state, node, window, extra.unplugged), besides(state, node, window, extra.plugged)) : 0
    best = Math.max(best, chargers + score(all < 0, devices, hits, expected, at(state, node, window, sum.logs), at(state, node, window, sum.bad), besides(state, everybody, window, extra.left) / present, besides(state, everybody, bins - 1, extra.earlier) / present, factor, othersHits, othersExpected))
  }
  if (best < thresholdOf(operator) - 2 * suspicion_nats) return null
  const places = placesOf(state, node).filter((place) => nodeAt(state, place, operator) >= 0)
  return { operator, score: best - size_nats * Math.log(places.length), threshold: thresholdOf(operator) + state.options.caution, level, places }
}

/** Places stand in the order of their codes: the first of an area. */
function placeIn(state: DetectionState, node: number): number {
  const [level, area] = [state.nodes.level[node] as number, state.nodes.area[node] as number]
  return level === 0 ? area : firstOf(state, level, area)
}

const divisor = [1, 1, 100, 10_000] as const

function firstOf({ places: { district, count } }: DetectionState, level: number, area: number): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Math.floor((district[middle] as number) / (divisor[level] as number)) < area) low = middle + 1
    else high = middle
  }
  return low
}

function placesOf(state: DetectionState, node: number): number[] {
  const [level, area] = [state.nodes.level[node] as number, state.nodes.area[node] as number]
  if (level === 0) return [area]
  const [from, to] = level === 4 ? [0, state.places.count] : [firstOf(state, level, area), firstOf(state, level, area + 1)]
  return Array.from({ length: to - from }, (_, index) => from + index)
}

/** An ellipse is tried where the best circle comes this near its threshold, nats. */
const elongated_nats = 13
/** Sizes of faults are spread evenly over their logarithm: one of twice the places is half as likely beforehand. */
const size_nats = 1
/** What an ellipse pays for being one of several more shapes, nats. */
const shapes_nats = 1.5

interface Prefix { readonly score: number; readonly places: Int32Array }

/**
 * The best circle or ellipse around a place: Kulldorff's scan (circular 1997, elliptic 2006), drawn only where something
 * happened, with this null. A line that fails leaves a long footprint, which a circle fills with those who are well.
 */
function scoreCircle(state: DetectionState, node: number, regional: Regional): Candidate | null {
  const centre = state.nodes.area[node] as number
  const operator = state.nodes.operator[node] as number
  // Of everybody's devices one that is silent is everywhere.
  if (operator < 0 && (state.nodes.hits[node] as number) < 2) return null
  const windows = windowsWorthALook(state, node)
  if (windows === 0) return null
  const threshold = thresholdOf(operator)
  let best = bestPrefix(state, operator, windows, regional, centre, placesAround(state, centre))
  if (best.score >= threshold - elongated_nats)
    for (const list of ellipsesAround(state, centre)) {
      const found = bestPrefix(state, operator, windows, regional, centre, list)
      if (found.score - shapes_nats > best.score) best = { score: found.score - shapes_nats, places: found.places }
    }
  if (best.score < threshold - 2 * suspicion_nats) return null
  return { operator, score: best.score, threshold: thresholdOf(operator) + state.options.caution, level: 'circle', places: [...best.places].filter((place) => nodeAt(state, place, operator) >= 0).sort((a, b) => a - b) }
}

/** Nodes of a list's places, looked up once for all windows. */
const [alls, heres] = [new Int32Array(places_max), new Int32Array(places_max)]

/** Of the first places of a list, however many, those that score best in any of the windows. */
function bestPrefix(state: DetectionState, operator: number, windows: number, regional: Regional, centre: number, list: Int32Array): Prefix {
  let best = -Infinity
  let ranks = 0
  for (let rank = 0; rank < list.length; rank++) {
    alls[rank] = nodeAt(state, list[rank] as number, -1)
    heres[rank] = operator < 0 ? (alls[rank] as number) : nodeAt(state, list[rank] as number, operator)
  }
  for (let window = 0; window < bins; window++) {
    if ((windows & (1 << window)) === 0) continue
    let [devices, hits, expected, logs, bad, left, earlier, everybody, othersHits, othersExpected, unplugged, plugged] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    const factor = regional(centre, operator, window)
    let count = 0
    for (let rank = 0; rank < list.length; rank++) {
      const [all, here] = [alls[rank] as number, heres[rank] as number]
      if (all < 0) continue
      const [hit, likely] = [at(state, here, window, sum.hits), at(state, here, window, sum.expected)]
      if (here >= 0) count++
      left += besides(state, all, window, extra.left)
      earlier += besides(state, all, bins - 1, extra.earlier)
      everybody += at(state, all, window, sum.devices)
      if (operator >= 0) {
        othersHits += at(state, all, window, sum.hits) - hit
        othersExpected += at(state, all, window, sum.expected) - likely
      } else {
        unplugged += besides(state, all, window, extra.unplugged)
        plugged += besides(state, all, window, extra.plugged)
      }
      devices += at(state, here, window, sum.devices)
      hits += hit
      expected += likely
      logs += at(state, here, window, sum.logs)
      bad += at(state, here, window, sum.bad)
      if (hit === 0 || hits < hits_min) continue
      const found = (operator < 0 ? chargerScore(unplugged, plugged) : 0) + score(operator < 0, devices, hits, expected, logs, bad, left / everybody, earlier / everybody, factor, othersHits, othersExpected) - size_nats * Math.log(count)
      if (found <= best) continue
      best = found
      ranks = rank + 1
    }
  }
  return { score: best, places: list.subarray(0, ranks) }
}

/** Beside a node that was made since nodes were last put into order. */
const beside_now = new Int32Array(beside_count)

/** A bit for each window in which a place and those beside it show enough for a circle. */
function windowsWorthALook(state: DetectionState, node: number): number {
  const { nodes: { sums, hits, near, ordered, operator, area }, places: { beside } } = state
  const isOrdered = node < ordered
  const [list, from] = isOrdered ? [near, node * beside_count] : [beside_now, 0]
  if (!isOrdered)
    for (let rank = 0; rank < beside_count; rank++) {
      const place = beside[(area[node] as number) * beside_count + rank] as number
      beside_now[rank] = place < 0 ? -1 : nodeAt(state, place, operator[node] as number)
    }
  let most = hits[node] as number
  for (let at = from; at < from + beside_count; at++) {
    const here = list[at] as number
    if (here >= 0) most += hits[here] as number
  }
  // The longest window holds what the others do.
  if (most < look.hits_min) return 0
  const share = (operator[node] as number) < 0 ? look.share_min_all : look.share_min
  let found = 0
  for (let window = 0; window < bins; window++) {
    const offset = window * bin_stride
    let [hit, devices] = [sums[node * node_stride + offset + sum.hits] as number, sums[node * node_stride + offset] as number]
    for (let at = from; at < from + beside_count; at++) {
      const here = list[at] as number
      if (here < 0) continue
      hit += sums[here * node_stride + offset + sum.hits] as number
      devices += sums[here * node_stride + offset] as number
    }
    if (hit >= look.hits_min && hit >= share * devices) found |= 1 << window
  }
  return found
}
