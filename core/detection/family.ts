import type { Instant } from '../kernel/clock.ts'
import { placesBeside } from './beside.ts'
import { heldAt, redraw } from './extent.ts'
import { confirm, end, narrow, ongoing, openFound, type Finding } from './ongoing.ts'
import { seconds, type DetectionState, type Ongoing } from './state.ts'

/** Of two that overlap by so much of the smaller, one is the other. */
const overlap_min = 0.4
/** Disturbances of several operators that began so near each other at one place are one, s. */
const together_s = 6 * 60
/** One operator, this many provinces, disturbances and devices, begun so near each other: its core; and so much later still. */
const core = { provinces_min: 3, count_min: 4, devices_min: 300, together_s: 5 * 60, later_s: 15 * 60 }
/** Parts of one that hold so many devices each, and have lain apart for so long, are several. */
const apart = { devices_min: 5, time_s: 5 * 60 }
/** This much of its stations lies in what holds it back. */
const inside_min = 0.6
/** Work that overruns, and reports that lag, s. */
const work_margin_s = 15 * 60

const isNetwork = (each: Ongoing): boolean => each.found.cause !== 'ingest' && each.found.cause !== 'election_server'

/** Makes one of what is one: the older goes on, the younger ends in it. */
export function merge(state: DetectionState, now: Instant): Finding[] {
  const findings: Finding[] = []
  const all = ongoing(state).filter(isNetwork).sort((a, b) => a.since_s - b.since_s || (a.found.id < b.found.id ? -1 : 1))
  const gone = new Set<Ongoing>()
  all.forEach((older, index) => {
    if (gone.has(older)) return
    for (const younger of all.slice(index + 1)) {
      if (gone.has(younger) || !belongs(older, younger)) continue
      gone.add(younger)
      findings.push(...join(state, older, younger, now))
    }
  })
  return [...findings, ...mergeCore(state, all.filter((each) => !gone.has(each)), now)]
}

function belongs(older: Ongoing, younger: Ongoing): boolean {
  const smaller = older.places.size < younger.places.size ? older : younger
  const larger = smaller === older ? younger : older
  let both = 0
  for (const place of smaller.places) if (larger.places.has(place)) both++
  if (both < overlap_min * smaller.places.size) return false
  return older.operator === younger.operator || Math.abs(older.since_s - younger.since_s) <= together_s
}

function join(state: DetectionState, older: Ongoing, younger: Ongoing, now: Instant): Finding[] {
  for (const place of younger.places) older.places.add(place)
  if (older.operator !== younger.operator) older.operator = -1
  older.found = { ...older.found, alarms: [...new Set([...older.found.alarms, ...younger.found.alarms])].sort() }
  const merged = end(state, younger, now, 'merged', older.found.id)
  return [merged, { turn: 'merged', disturbance: older.found, other: younger.found.id }]
}

/** Disturbances of one operator that began together over several provinces are its core; what begins there a little later is a part of it. */
function mergeCore(state: DetectionState, all: readonly Ongoing[], now: Instant): Finding[] {
  const findings: Finding[] = []
  for (const operator of new Set(all.map((each) => each.operator))) {
    if (operator < 0) continue
    const own = all.filter((each) => each.operator === operator)
    for (const first of own) {
      if (state.ongoing[first.slot] !== first) continue
      const isCore = provincesOf(state, [first]).size >= core.provinces_min && first.devices >= core.devices_min
      const near = own.filter((each) => each !== first && state.ongoing[each.slot] === each && each.since_s >= first.since_s - (isCore ? core.together_s : 0) && each.since_s - first.since_s <= (isCore ? core.later_s : core.together_s))
      const isNew = near.length + 1 >= core.count_min && [first, ...near].reduce((sum, { devices }) => sum + devices, 0) >= core.devices_min && provincesOf(state, [first, ...near]).size >= core.provinces_min
      if (isCore || isNew) for (const younger of near) findings.push(...join(state, first, younger, now))
    }
  }
  return findings
}

const provincesOf = (state: DetectionState, several: readonly Ongoing[]): Set<number> => new Set(several.flatMap((each) => [...each.places].map((place) => Math.floor((state.places.district[place] as number) / 10_000))))

/** Makes several of what has come apart, as when the middle is well again: the largest part goes on, each other is one of its own from now on. */
export function split(state: DetectionState, now: Instant): Finding[] {
  return ongoing(state).filter((each) => isNetwork(each) && each.found.cause !== 'core' && each.found.parent === null).flatMap((each) => {
    const parts = partsOf(state, each, seconds(now))
    if (parts.length < 2) each.apartSince_s = 0
    else if (each.apartSince_s === 0) each.apartSince_s = seconds(now)
    return parts.length < 2 || seconds(now) - each.apartSince_s < apart.time_s ? [] : takeApart(state, each, parts, now)
  })
}

/** Its places by what lies together, the part that holds most devices first; parts with few are none. */
function partsOf(state: DetectionState, each: Ongoing, now_s: number): number[][] {
  // While it recovers it is shown at its largest: what is left of it is drawn anew.
  const drawn: Ongoing = { ...each, places: new Set(each.places) }
  if (each.found.stage === 'recovering') redraw(state, drawn, now_s)
  const beside = (place: number): number[] => [...placesBeside(state, place, each.operator)]
  const links = new Map([...drawn.places].map((place) => [place, new Set<number>()]))
  // Two steps: one place that is well does not divide it.
  for (const [place, to] of links) for (const near of beside(place)) for (const other of [near, ...beside(near)]) {
    const back = links.get(other)
    if (back === undefined) continue
    to.add(other)
    back.add(place)
  }
  const seen = new Set<number>()
  const parts: { places: number[]; held: number }[] = []
  for (const first of [...links.keys()].sort((a, b) => a - b)) {
    if (seen.has(first)) continue
    seen.add(first)
    const places = [first]
    for (const place of places) for (const other of links.get(place) ?? []) if (!seen.has(other)) {
      seen.add(other)
      places.push(other)
    }
    parts.push({ places: places.sort((a, b) => a - b), held: places.reduce((sum, place) => sum + heldAt(state, each, place), 0) })
  }
  return parts.filter(({ held }) => held >= apart.devices_min).sort((a, b) => b.held - a.held).map(({ places }) => places)
}

function takeApart(state: DetectionState, each: Ongoing, [largest = [], ...rest]: readonly number[][], now: Instant): Finding[] {
  narrow(state, each, largest, now)
  const { score, threshold } = each.found.evidence
  const { startedAt, suspectedAt, foundAt } = each.found
  return rest.flatMap((places): Finding[] => {
    const part: Ongoing = { ...openFound(state, { operator: each.operator, score, threshold, places }, now, each.found.cause), since_s: each.since_s }
    part.found = { ...part.found, startedAt, suspectedAt, foundAt }
    const { disturbance } = confirm(state, part, { score, threshold, places }, now)
    return [{ turn: 'split', disturbance: each.found, other: disturbance.id }, { turn: 'split', disturbance, other: each.found.id }]
  })
}

/** What lies in a larger disturbance, or in announced work, is held back: it is shown and gets no ticket of its own. */
export function held(state: DetectionState): Finding[] {
  const all = ongoing(state).filter(isNetwork)
  return all.flatMap((each): Finding[] => {
    const parent = parentOf(all, each)?.found.id ?? null
    const work = workOver(state, each)
    const before = each.found
    if (before.parent === parent && before.plannedWork === work) return []
    each.found = { ...before, parent, plannedWork: work }
    const isFreed = parent === null && work === null
    return [{ turn: isFreed ? 'released' : 'held', disturbance: each.found, other: isFreed ? (before.parent ?? before.plannedWork) : (parent ?? work) }]
  })
}

function parentOf(all: readonly Ongoing[], each: Ongoing): Ongoing | undefined {
  return all.find((other) => {
    // An operator's own spreads, while everybody is silent, over all that everybody's takes: it lies in that all the same.
    const isWider = other.operator < 0 && each.operator >= 0
    if (other === each || (other.places.size <= each.places.size && !isWider) || (other.operator >= 0 && other.operator !== each.operator)) return false
    let inside = 0
    for (const place of each.places) if (other.places.has(place)) inside++
    return inside >= inside_min * each.places.size
  })
}

function workOver(state: DetectionState, each: Ongoing): string | null {
  if (each.operator < 0) return null
  const operator = state.operators[each.operator]
  for (const work of state.plannedWork.values()) {
    if (work.operator !== operator || each.since_s < seconds(work.from) - 300 || each.since_s > seconds(work.to) || each.seenAt_s > seconds(work.to) + work_margin_s) continue
    const inside = each.found.stations.filter((code) => work.areas.some((area) => code.startsWith(area))).length
    if (inside >= inside_min * each.found.stations.length) return work.id
  }
  return null
}
