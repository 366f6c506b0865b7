import { fieldOf, reached, unreached } from './evidence.ts'
import { areaNodeOf, bin_stride, bins, expected_unit, field, isBad, node_stride, onDuty, stride, sum, type DetectionState } from './state.ts'

/** From so many devices on duty on, six in ten of them silent in several regencies is no single fault; with fewer, nearly all. */
const ingest = { devices_min: 50, share: 0.6, share_small: 0.9, hits_min: 5 }
/** Part of our intake fails: everywhere, and of everybody, this many times more promises break than usually; more than chance by so many standard deviations. */
const partial = { factor: 1.6, window: 1, areas: 0.75, area_expected_min: 2, devices_min: 2000, deviations: 6 }
/** It may be beginning to; a doubt that is not borne out holds nobody back for longer, s. */
const doubt = { factor: 1.25, still: 1.15, window: 0, time_s: 240 }
/** Six minutes. */
const recent_window = 2
const election = { tests_min: 20, share: 0.4, operators_min: 2, fresh_s: 180 }

interface IntakeVerdict { readonly failing: boolean; readonly silent: number; readonly places: readonly number[] }

/**
 * Whether our own intake fails: most of everybody silent at once, or the silence of a part of the devices that no
 * place and no operator explains, since it is everywhere. Nobody is blamed for it.
 */
export function intakeVerdict(state: DetectionState, now_s: number): IntakeVerdict {
  const nation = areaNodeOf(state, 4, 0, -1)
  const none = { failing: false, silent: 0, places: [] }
  if (nation < 0) return none
  // Most sweeps need no closer look.
  const at = nation * node_stride + (bins - 1) * bin_stride
  const isNear = (state.nodes.sums[at + sum.hits] as number) >= 0.25 * (state.nodes.sums[at + sum.devices] as number)
  const isPartial = isEverywhere(state, partial.window, partial.factor)
  if (!isNear && !isPartial) return none
  const { duty, silent, free, regencies, places } = countSilent(state, now_s)
  const isLarge = duty >= ingest.devices_min && regencies >= 2
  // What disturbances explain already is not held against the intake a second time.
  const isWhole = silent >= Math.max(ingest.hits_min, (isLarge ? ingest.share : ingest.share_small) * duty) && free >= 0.5 * silent
  return { failing: isWhole || (duty >= partial.devices_min && isPartial), silent, places: isWhole ? places : [] }
}

function countSilent({ devices, deviceCount, nodes, places, options: { grace_s } }: DetectionState, now_s: number): { duty: number; silent: number; free: number; regencies: number; places: number[] } {
  let [duty, silent, free] = [0, 0, 0]
  const regencies = new Set<number>()
  const hit = new Set<number>()
  for (let at = 0; at < deviceCount * stride; at += stride) {
    if (((devices[at + field.flags] as number) & onDuty) === 0) continue
    duty++
    if (now_s <= (devices[at + field.dueAt] as number) + grace_s) continue
    silent++
    if ((devices[at + field.hitBy] as number) < 0) free++
    const place = nodes.area[devices[at + field.node] as number] as number
    regencies.add(Math.floor((places.district[place] as number) / 100))
    hit.add(place)
  }
  return { duty, silent, free, regencies: regencies.size, places: [...hit].sort((a, b) => a - b) }
}

/** More promises break than usually in three of four regencies, and of three of four operators of weight. */
function isEverywhere(state: DetectionState, window: number, factor: number): boolean {
  const { nodes: { count, sums, level, operator } } = state
  let [areas, hitAreas, many, hitMany] = [0, 0, 0, 0]
  const nation = areaNodeOf(state, 4, 0, -1)
  const recent = (node: number, what: number): number => sums[node * node_stride + window * bin_stride + what] as number
  if (nation < 0) return false
  const [hits, usually] = [recent(nation, sum.hits), state.usual * (recent(nation, sum.expected) / expected_unit)]
  if (hits < factor * usually || hits - usually < partial.deviations * Math.sqrt(hits)) return false
  for (let node = 0; node < count; node++) {
    const expected = recent(node, sum.expected) / expected_unit
    if (expected < partial.area_expected_min) continue
    const isHit = recent(node, sum.hits) > 0.75 * factor * state.usual * expected
    if (level[node] === 2 && operator[node] === -1) {
      areas++
      hitAreas += Number(isHit)
    } else if (level[node] === 4 && (operator[node] as number) >= 0) {
      many++
      hitMany += Number(isHit)
    }
  }
  return areas >= 10 && hitAreas >= partial.areas * areas && hitMany >= partial.areas * many
}

/**
 * Our intake may be beginning to fail: what looks like a fault waits until that is known, for some minutes at most. Call
 * it once a sweep.
 */
export function isIntakeDoubted(state: DetectionState, now_s: number): boolean {
  if (!isEverywhere(state, doubt.window, doubt.factor)) {
    state.doubtedSince_s = 0
    return false
  }
  if (state.doubtedSince_s === 0) state.doubtedSince_s = now_s
  return now_s - state.doubtedSince_s < doubt.time_s
}

/** More promises break still than usually: our intake loses more. */
export const isIntakeLosing = (state: DetectionState): boolean => isEverywhere(state, doubt.window, doubt.still)

/**
 * Devices that our intake lost are not judged, nor learned from, until they are heard. @param isFirst all that are silent
 * now are set aside; else those heard since are let go. @returns how many there are
 */
export function setAside({ devices, deviceCount, options: { grace_s } }: DetectionState, slot: number, now_s: number, isFirst: boolean): number {
  let aside = 0
  for (let at = 0; at < deviceCount * stride; at += stride) {
    const hitBy = devices[at + field.hitBy] as number
    if (hitBy !== slot && !(isFirst && hitBy < 0)) continue
    const isSilent = ((devices[at + field.flags] as number) & onDuty) !== 0 && now_s > (devices[at + field.dueAt] as number) + grace_s
    devices[at + field.hitBy] = isSilent ? slot : -1
    aside += Number(isSilent)
  }
  return aside
}

/** The nation's factor, smoothed over about twenty minutes, while nothing is wrong with us. */
export function noteUsual(state: DetectionState): void {
  const nation = areaNodeOf(state, 4, 0, -1)
  if (nation < 0) return
  const recent = (what: number): number => state.nodes.sums[nation * node_stride + recent_window * bin_stride + what] as number
  const expected = recent(sum.expected) / expected_unit
  if (expected < 5) return
  state.usual += (Math.min(2, Math.max(0.3, recent(sum.hits) / expected)) - state.usual) / 40
}

/** Promises were broken and nothing at all came in since they were made due: our own intake may be failing. Nobody is blamed yet. */
export function isDeaf({ devices, deviceCount, options: { grace_s }, heardAt_s }: DetectionState, now_s: number): boolean {
  if (heardAt_s >= now_s - grace_s) return false
  for (let at = 0; at < deviceCount * stride; at += stride) {
    const dueAt = devices[at + field.dueAt] as number
    if (((devices[at + field.flags] as number) & onDuty) !== 0 && (devices[at + field.hitBy] as number) < 0 && now_s > dueAt + grace_s && dueAt >= heardAt_s) return true
  }
  return false
}

/**
 * Nobody could be heard from `from_s` on: whose promise came due since may have gone home, and may have been well. Nothing
 * is known of such a device until it is heard again.
 */
export function forgive({ devices, deviceCount, options: { grace_s } }: DetectionState, from_s: number, now_s: number): void {
  for (let at = 0; at < deviceCount * stride; at += stride) {
    const dueAt = devices[at + field.dueAt] as number
    const flags = devices[at + field.flags] as number
    if ((flags & onDuty) === 0 || (devices[at + field.hitBy] as number) >= 0 || dueAt + grace_s < from_s || dueAt >= now_s) continue
    devices[at + field.flags] = flags & ~onDuty
    devices[at + field.withdrawnAt] = 0
  }
}

export interface ElectionTests { readonly tested: number; readonly failed: number; readonly operators: number; readonly places: Set<number> }

/** Whether the last sweep's tests are worth a closer look. */
export function isElectionDoubted({ tests }: DetectionState): boolean {
  for (let at = 0; at < tests.length; at += 2) if ((tests[at + 1] as number) > 0.15 * (tests[at] as number)) return true
  return false
}

/** Tests of the election server by devices whose own network is well, by province. */
export function electionTests({ devices, deviceCount, nodes, places }: DetectionState, now_s: number): ReadonlyMap<number, ElectionTests> {
  const found = new Map<number, { tested: number; failed: number; operators: Set<number>; places: Set<number> }>()
  for (let at = 0; at < deviceCount * stride; at += stride) {
    const flags = devices[at + field.flags] as number
    const test = fieldOf(flags, 'election')
    if (test === 0 || (flags & isBad) !== 0 || fieldOf(flags, 'internet') === unreached || now_s - (devices[at + field.lastAt] as number) > election.fresh_s) continue
    const node = devices[at + field.node] as number
    const place = nodes.area[node] as number
    const province = Math.floor((places.district[place] as number) / 10_000)
    let of = found.get(province)
    if (of === undefined) found.set(province, (of = { tested: 0, failed: 0, operators: new Set(), places: new Set() }))
    of.tested++
    if (test === reached) continue
    of.failed++
    of.operators.add(nodes.operator[node] as number)
    of.places.add(place)
  }
  return new Map([...found].map(([province, each]) => [province, { ...each, operators: each.operators.size }]))
}

/** Over two operators and more, two in five tests of the election server fail where the internet answers. */
export function isElectionDown({ tested, failed, operators }: Pick<ElectionTests, 'tested' | 'failed' | 'operators'>): boolean {
  return tested >= election.tests_min && failed >= election.share * tested && operators >= election.operators_min
}
