import { minute_ms } from '../kernel/clock.ts'
import type { FoundDisturbance } from '../detection/disturbance.ts'
import type { Script, ScriptedFault } from './script.ts'

export interface Score {
  readonly found: number
  readonly missed: number
  /** Found disturbances that belong to no fault of the script. */
  readonly falseFound: number
  /** One for each fault that was found, in the script's order. */
  readonly minutesToDetect: readonly number[]
  /** Faults whose cause and operator were named rightly. */
  readonly causeRight: number
  /** Intersection over union of the stations, one for each fault that was found. */
  readonly extentIou: readonly number[]
  readonly missedFaults: readonly string[]
}

const overlap_min = 0.3
/** After the repair a fault may still be found for this long: its silence is still being counted. */
const aftermath_ms = 15 * minute_ms

/** What a score asks of a disturbance; one that was never confirmed was not found. */
type Told = Pick<FoundDisturbance, 'cause' | 'operator' | 'stations' | 'foundAt'>
type Confirmed = Told & { readonly foundAt: number }
/** The script's words for what detection tells apart further. */
const kinds: Readonly<Partial<Record<FoundDisturbance['cause'], ScriptedFault['kind']>>> = { access: 'operator', backhaul: 'operator', core: 'operator', power: 'power', congestion: 'congestion', election_server: 'election_server' }

/** Holds what was found against the script's truth. */
export function score(script: Script, all: readonly Told[]): Score {
  const found = all.filter((row): row is Confirmed => row.foundAt !== null)
  const matches = script.disturbances.map((fault) => ({ fault, rows: found.filter((row) => matchesFault(row, fault)) }))
  const hits = matches.filter(({ rows }) => rows.length > 0)
  return {
    found: hits.length,
    missed: matches.length - hits.length,
    falseFound: found.filter((row) => !script.disturbances.some((fault) => matchesFault(row, fault))).length,
    minutesToDetect: hits.map(({ fault, rows }) => (Math.min(...rows.map((row) => row.foundAt)) - fault.startAt) / minute_ms),
    causeRight: hits.filter(({ fault, rows }) => rows.some((row) => kinds[row.cause] === fault.kind && (fault.operator === null || row.operator === fault.operator))).length,
    extentIou: hits.map(({ fault, rows }) => iou(fault.stations, rows.flatMap((row) => row.stations))),
    missedFaults: matches.filter(({ rows }) => rows.length === 0).map(({ fault }) => `${fault.id} ${fault.kind} ${fault.operator ?? ''} ${fault.stations.length}`),
  }
}

/** Most of what was found lies in the fault, while it lasted; an operator of its own must be the right one. */
function matchesFault(row: Confirmed, fault: ScriptedFault): boolean {
  if (row.foundAt < fault.startAt || row.foundAt > (fault.repairAt ?? Infinity) + aftermath_ms) return false
  if (fault.operator !== null && row.operator !== null && row.operator !== fault.operator) return false
  if ((fault.kind === 'election_server') !== (row.cause === 'election_server')) return false
  const truth = new Set(fault.stations)
  return row.stations.filter((code) => truth.has(code)).length >= overlap_min * row.stations.length
}

function iou(truth: readonly string[], found: readonly string[]): number {
  const all = new Set([...truth, ...found])
  const hit = new Set(found)
  const both = truth.filter((code) => hit.has(code)).length
  return all.size === 0 ? 0 : both / all.size
}
