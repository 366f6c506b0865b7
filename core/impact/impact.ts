import type { Stage } from '../detection/disturbance.ts'
import { minute_ms, type Instant } from '../kernel/clock.ts'
import { nearness, nextDeadline, no_clock, type Deadline } from './deadline.ts'
import { alternativeAt, type Fault, type Ways } from './ways.ts'

/**
 * What a disturbance does to the election. Additive terms count stations, voters and recaps; `urgency` counts the
 * stations not known to have another way, each by how near its deadline is; the last take a share off what stands above.
 */
const addedTerms = ['stations_without_alternative', 'stations_alternative_unknown', 'stations_with_alternative', 'voters_thousand', 'stations_voters_unknown', 'recaps_unsent', 'stations_recaps_unknown', 'urgency'] as const
const takenTerms = ['degraded', 'suspected', 'recovering'] as const
type AddedTerm = (typeof addedTerms)[number]
/** Points a piece, 0 or more, in hundredths: so that counts times weights are exact. Of what is taken off a share of the points above it, -1 to 0. */
export type Weights = Readonly<Record<AddedTerm | (typeof takenTerms)[number], number>>

/** By row of the register. */
export interface StationFacts {
  /** -1 where unknown. */
  readonly voters: Int32Array
  /** Index of the station's deadlines; `no_clock` for none. */
  readonly clock: Uint8Array
  readonly ways: Ways
}

/** What is counted of a disturbance, and does not change by time alone. */
export interface Tally {
  readonly stations: number
  readonly withoutAlternative: number
  readonly alternativeUnknown: number
  /** Of those stations whose voters are known. */
  readonly voters: number
  readonly votersUnknown: number
  /** Of those stations whose recaps are counted; null when none are counted here. */
  readonly recaps: number | null
  readonly recapsUnknown: number
  /** By clock: stations hit, and of them those that are not known to have another way. */
  readonly hit: Int32Array
  readonly stuck: Int32Array
}

/**
 * Counts a disturbance, about 18 ns a station.
 * @param rows of the register, each once; -1 for a station that it does not have, of which nothing is known
 * @param recaps unsent by row, -1 where unknown; null: not counted here
 */
export function tally(rows: Int32Array, fault: Fault, facts: StationFacts, recaps: Int16Array | null): Tally {
  const { voters, clock, ways } = facts
  const hit = new Int32Array(no_clock)
  const stuck = new Int32Array(no_clock)
  const found = [0, 0, 0]
  let [voters_sum, voters_unknown, recaps_sum, recaps_unknown] = [0, 0, 0, 0]
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const strange = row < 0
    const alternative = strange ? (fault.total ? 0 : 1) : alternativeAt(ways, row, fault)
    found[alternative] = (found[alternative] as number) + 1
    const own = strange ? -1 : (voters[row] as number)
    if (own < 0) voters_unknown++
    else voters_sum += own
    const unsent = strange || recaps === null ? -1 : (recaps[row] as number)
    if (unsent < 0) recaps_unknown++
    else recaps_sum += unsent
    const at = strange ? no_clock : (clock[row] as number)
    if (at === no_clock) continue
    hit[at] = (hit[at] as number) + 1
    if (alternative < 2) stuck[at] = (stuck[at] as number) + 1
  }
  return {
    stations: rows.length, withoutAlternative: found[0] as number, alternativeUnknown: found[1] as number, voters: voters_sum, votersUnknown: voters_unknown,
    recaps: recaps === null ? null : recaps_sum, recapsUnknown: recaps === null ? 0 : recaps_unknown, hit, stuck,
  }
}

interface Term {
  readonly term: string
  readonly value: number
  readonly weight: number
  /** `value` x `weight`, to hundredths. */
  readonly points: number
}

export interface Impact {
  /** Sum of the points; 0 once it is over. */
  readonly priority: number
  /** Of the stations whose voters are known; null when no station's are. */
  readonly voters: number | null
  /** None or not known: nobody can say that they can send. */
  readonly withoutAlternative: number
  readonly unsentRecaps: number | null
  readonly deadline: { readonly at: Instant; readonly name: string; readonly minutes: number } | null
  readonly terms: readonly Term[]
}

/** To hundredths; never -0. */
const hundredths = (value: number): number => Math.round(value * 100) / 100 + 0

/**
 * The priority of a disturbance at an instant, with its arithmetic: the same counts, weights and instant give
 * the same terms in the same order. More stations, or fewer ways to send, never lower it (given weights as
 * the settings demand them).
 */
export function impactOf(counts: Tally, { stage, severity }: { readonly stage: Stage; readonly severity: 'down' | 'degraded' }, weights: Weights, clocks: readonly (readonly Deadline[])[], now: Instant): Impact {
  const values: Readonly<Record<AddedTerm, number | null>> = {
    stations_without_alternative: counts.withoutAlternative,
    stations_alternative_unknown: counts.alternativeUnknown,
    stations_with_alternative: counts.stations - counts.withoutAlternative - counts.alternativeUnknown,
    voters_thousand: counts.voters / 1_000,
    stations_voters_unknown: counts.votersUnknown,
    recaps_unsent: counts.recaps,
    stations_recaps_unknown: counts.recaps === null ? null : counts.recapsUnknown,
    urgency: hundredths(clocks.reduce((sum, deadlines, at) => sum + (counts.stuck[at] as number) * nearness(deadlines, now), 0)),
  }
  const terms: Term[] = []
  let sum = 0
  for (const term of addedTerms) {
    const value = values[term]
    if (value === null) continue
    const points = hundredths(value * weights[term])
    terms.push({ term, value, weight: weights[term], points })
    sum = hundredths(sum + points)
  }
  // what is kept is rounded, not what is taken: rounding must not let a larger sum keep less
  const take = (term: string, weight: number): void => {
    const kept = hundredths(sum * (1 + weight))
    terms.push({ term, value: sum, weight, points: hundredths(kept - sum) })
    sum = kept
  }
  if (severity === 'degraded') take('degraded', weights.degraded)
  if (stage === 'suspected' || stage === 'recovering') take(stage, weights[stage])
  if (stage === 'ended' || stage === 'retracted') take(stage, -1)
  return {
    priority: sum, voters: counts.votersUnknown === counts.stations ? null : counts.voters, withoutAlternative: counts.withoutAlternative + counts.alternativeUnknown,
    unsentRecaps: counts.recaps, deadline: nextOf(counts, clocks, now), terms,
  }
}

/** The first deadline to come of any station hit. */
function nextOf(counts: Tally, clocks: readonly (readonly Deadline[])[], now: Instant): Impact['deadline'] {
  let next: Deadline | null = null
  clocks.forEach((deadlines, at) => {
    const own = (counts.hit[at] as number) > 0 ? nextDeadline(deadlines, now) : null
    if (own !== null && (next === null || own.at < next.at)) next = own
  })
  const found = next as Deadline | null
  return found === null ? null : { at: found.at, name: found.name, minutes: Math.ceil((found.at - now) / minute_ms) }
}
