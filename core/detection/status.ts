import type { Instant } from '../kernel/clock.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Status } from '../kernel/status.ts'
import { devices_a_step, field, isBad, onDuty, pairAt, seconds, statuses, stride, type DetectionState } from './state.ts'

/** The rule that statuses and disturbances are judged by; it changes when the judgement does. */
export const rule = 'likelihood-7'
/** A good report says that all is well for this long, s. */
const fresh_s = 14 * 60
/** A millisecond or two, also where all of them change. */
const told_a_step = 10_000

const [unknown, ok, watch, degraded, down] = [0, 1, 2, 3, 4] as const

/** @param operator whose view it is; null sees everybody's */
export function stationStatus(state: DetectionState, code: string, operator: string | null = null): Status {
  const station = state.stationIndex.get(code)
  if (station === undefined) return 'unknown'
  if (operator === null) return statuses[state.stationStatus[station] ?? 0] ?? 'unknown'
  return statuses[state.pairs.status[pairAt(state, station, state.operators.indexOf(operator))] ?? 0] ?? 'unknown'
}

interface OperatorRow { operator: string; status: Status; devices: number; silent: number; bad: number; lastReportAt: Instant | null }

/**
 * Why a station has its status: per operator the devices on duty, the silent and the bad.
 * @param only the one operator whose rows are given; null gives all
 */
export function explainStation(state: DetectionState, code: string, now: Instant, only: string | null = null): { rule: string; operators: OperatorRow[] } {
  const station = state.stationIndex.get(code)
  const rows = new Map<number, OperatorRow>()
  const { devices, pairs, nodes, options: { grace_s } } = state
  if (station === undefined) return { rule, operators: [] }
  for (let node = state.first[state.places.of[station] as number] as number; node >= 0; node = nodes.sibling[node] as number)
    for (let device = nodes.device[node] as number; device >= 0; device = devices[device * stride + field.next] as number) {
      const at = device * stride
      const pair = devices[at + field.pair] as number
      const operator = pairs.operator[pair] as number
      const flags = devices[at + field.flags] as number
      if (pairs.station[pair] !== station || (flags & onDuty) === 0 || (only !== null && state.operators[operator] !== only)) continue
      const row = rows.get(operator) ?? { operator: state.operators[operator] ?? 'unknown', status: 'unknown' as Status, devices: 0, silent: 0, bad: 0, lastReportAt: null }
      row.devices++
      if (seconds(now) > (devices[at + field.dueAt] as number) + grace_s) row.silent++
      else if ((flags & isBad) !== 0) row.bad++
      const lastAt = (devices[at + field.lastAt] as number) * 1000
      if (lastAt > 0) row.lastReportAt = Math.max(row.lastReportAt ?? 0, lastAt)
      row.status = row.silent + row.bad === 0 ? 'ok' : row.silent + row.bad < row.devices ? 'watch' : row.silent > 0 ? 'down' : 'degraded'
      rows.set(operator, row)
    }
  return { rule, operators: [...rows.values()].sort((a, b) => (a.operator < b.operator ? -1 : 1)) }
}

/** `operator` null is the station as a whole; else as that operator's own devices alone show it. */
type Tell = (station: string, operator: string | null, before: Status, after: Status) => void

/** Brings every station's status up to date after a sweep, and tells what changed. Nothing may change the state between its steps. */
export function* updateStatuses(state: DetectionState, now: Instant, tell: Tell): Steps<void> {
  const { pairs, stations, operators } = state
  const now_s = seconds(now)
  const { counts, whole, worst, worstOfAll } = clearTallies(state)
  yield* countDevices(state, now_s, counts)
  severities(state, worst, worstOfAll)
  yield
  for (let pair = 0; pair < pairs.count; pair++) {
    if (pair % told_a_step === 0) yield
    const station = pairs.station[pair] as number
    const [hit, well] = [counts[2 * pair] as number, counts[2 * pair + 1] as number]
    whole[2 * station] = (whole[2 * station] as number) + hit
    whole[2 * station + 1] = (whole[2 * station + 1] as number) + well
    const [before, after] = [pairs.status[pair] as number, (worst[pair] as number) || quiet(hit, well)]
    if (before === after) continue
    pairs.status[pair] = after
    tell(stations[station]?.code ?? '', operators[pairs.operator[pair] as number] ?? null, named(before), named(after))
  }
  for (let station = 0; station < stations.length; station++) {
    if (station % told_a_step === 0) yield
    const [before, after] = [state.stationStatus[station] as number, (worstOfAll[station] as number) || quiet(whole[2 * station] as number, whole[2 * station + 1] as number)]
    if (before === after) continue
    state.stationStatus[station] = after
    tell(stations[station]?.code ?? '', null, named(before), named(after))
  }
}

/** Used again by each sweep: 20 MB of a nation that would be garbage every half minute. */
function clearTallies(state: DetectionState): DetectionState['tallies'] {
  const { pairs, stations } = state
  if (state.tallies.worst.length < pairs.count || state.tallies.whole.length === 0) state.tallies = { counts: new Uint16Array(pairs.station.length * 2), whole: new Uint16Array(stations.length * 2), worst: new Uint8Array(pairs.station.length), worstOfAll: new Uint8Array(stations.length) }
  else for (const each of Object.values(state.tallies)) each.fill(0)
  return state.tallies
}

const quiet = (hit: number, well: number): number => (hit + well === 0 ? unknown : hit > well ? watch : ok)
const named = (status: number): Status => statuses[status] ?? 'unknown'

function* countDevices(state: DetectionState, now_s: number, counts: Uint16Array): Steps<void> {
  const { devices, deviceCount, options: { grace_s } } = state
  let onDutyNow = 0
  for (let at = 0; at < deviceCount * stride; at += stride) {
    if (at % (devices_a_step * stride) === 0) yield
    const pair = devices[at + field.pair] as number
    const flags = devices[at + field.flags] as number
    if (pair < 0 || (flags & onDuty) === 0) continue
    onDutyNow++
    const isHit = now_s > (devices[at + field.dueAt] as number) + grace_s || (flags & isBad) !== 0
    if (isHit) counts[2 * pair] = (counts[2 * pair] as number) + 1
    else if (now_s - (devices[at + field.lastAt] as number) < fresh_s) counts[2 * pair + 1] = (counts[2 * pair + 1] as number) + 1
  }
  state.devicesOnDuty = onDutyNow
}

/** The worst severity of the ongoing disturbances that are beyond suspicion. */
function severities(state: DetectionState, worst: Uint8Array, worstOfAll: Uint8Array): void {
  const { places } = state
  for (const each of state.ongoing) {
    if (each === null || each.found.cause === 'ingest') continue // our own blindness says nothing of a station
    const severity = each.found.severity === 'down' ? down : degraded
    for (const place of each.places)
      for (let at = places.start[place] as number; at < (places.start[place + 1] as number); at++) {
        const station = places.members[at] as number
        worstOfAll[station] = Math.max(worstOfAll[station] as number, severity)
        for (const operator of each.operator < 0 ? state.operators.keys() : [each.operator]) {
          const pair = pairAt(state, station, operator)
          if (pair >= 0) worst[pair] = Math.max(worst[pair] as number, severity)
        }
      }
  }
}
