import { atOnce, type Steps } from '../kernel/steps.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import { utf8Of } from '../ledger/bytes.ts'
import type { Sha256Sync } from '../ledger/merkle.ts'
import { hexOf } from './bytes.ts'

/**
 * Drawing stations by a seed that was thrown in public (spec/sample.md). A station's ticket is SHA-256 of the seed, a comma and its
 * code; of each area the smallest tickets are drawn. Whoever has the seed and the codes draws the same with any tool.
 *
 * The seed of dice and the hash with a comma are Stark's and Rivest's practice in post-election audits
 * (https://www.stat.berkeley.edu/~stark/Java/Html/sha256Rand.htm). A ticket for each station instead of a number for each drawing is Rivest's
 * consistent sampling (https://arxiv.org/abs/1808.10016): it needs no order of the roster, drawing more adds to what was drawn, and
 * a station that is added to the roster moves no other.
 */

/** Ten-sided dice: 20 of them are 66 bits. */
export const seed_digits_min = 20
export const seed_digits_max = 100
/** Fewer different digits come up once in 430,000 throws of 20 dice: they were typed. */
const digits_different_min = 5
const drawn_max = 10_000
const strata_max = 600

/** Of the stations whose codes begin with `area` so many are drawn. */
export interface Stratum {
  /** Empty for the whole country, or 2, 4, 6 or 10 digits. */
  readonly area: string
  readonly draw: number
}

export interface Drawn {
  readonly station: string
  /** Of the stratum that it was drawn in. */
  readonly area: string
  readonly ticket: Uint8Array
}

/** `seed_form`: something else than digits; `seed_short`, `seed_long`; `seed_alike`: too few different ones for dice. */
export type SeedFault = 'seed_form' | 'seed_short' | 'seed_long' | 'seed_alike'

/** A seed as somebody types it: spaces are left out, and nothing else is taken but digits, so that one throw has one writing. */
export function readSeed(text: string): Result<string, SeedFault> {
  const digits = text.replace(/\s/g, '')
  if (!/^[0-9]*$/.test(digits)) return fail('seed_form')
  if (digits.length < seed_digits_min) return fail('seed_short')
  if (digits.length > seed_digits_max) return fail('seed_long')
  return new Set(digits).size < digits_different_min ? fail('seed_alike') : ok(digits)
}

/** `strata_form`: none, too many, no area or no number; `strata_order`: not ascending, twice, or one within another: a station would be drawn twice. */
type StrataFault = 'strata_form' | 'strata_order'

export function strataFault(strata: readonly Stratum[]): StrataFault | null {
  const isStratum = ({ area, draw }: Stratum): boolean => /^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})?$/.test(area) && Number.isSafeInteger(draw) && draw >= 1
  if (strata.length === 0 || strata.length > strata_max || !strata.every(isStratum) || strata.reduce((sum, { draw }) => sum + draw, 0) > drawn_max) return 'strata_form'
  // Ascending, an area stands right behind the one that it lies in.
  return strata.every(({ area }, at) => at === 0 || ((strata[at - 1]?.area ?? '') < area && !area.startsWith(strata[at - 1]?.area ?? ''))) ? null : 'strata_order'
}

/** SHA-256 over all codes of the roster, ascending, each with a line feed behind it. */
export function rosterHash(roster: readonly string[], sha256: Sha256Sync): Uint8Array {
  const bytes = new Uint8Array(roster.reduce((sum, code) => sum + code.length + 1, 0))
  let at = 0
  for (const code of roster) {
    for (let place = 0; place < code.length; place++) bytes[at++] = code.charCodeAt(place)
    bytes[at++] = 0x0a
  }
  return sha256(bytes)
}

const ticketOf = (seed: string, station: string, sha256: Sha256Sync): Uint8Array => sha256(utf8Of(`${seed},${station}`))

/** How many stations of the roster are in an area. @param roster ascending */
export function populationOf(roster: readonly string[], area: string): number {
  return firstFrom(roster, `${area}:`) - firstFrom(roster, area)
}

/**
 * The drawn stations, by area and then by ticket; of an area with fewer stations than are to be drawn all.
 * @param roster codes of all stations, ascending, each once
 */
export const drawFrom = (seed: string, roster: readonly string[], strata: readonly Stratum[], sha256: Sha256Sync): Drawn[] => atOnce(drawing(seed, roster, strata, sha256))

/** The same in steps: the nation takes a second or two. */
export function* drawing(seed: string, roster: readonly string[], strata: readonly Stratum[], sha256: Sha256Sync): Steps<Drawn[]> {
  const drawn: Drawn[] = []
  for (const { area, draw } of strata) {
    const last = firstFrom(roster, `${area}:`)
    let held: Drawn[] = []
    let worst: Uint8Array | null = null
    for (let at = firstFrom(roster, area); at < last; at++) {
      const station = roster[at] as string
      const ticket = ticketOf(seed, station, sha256)
      if (at % step_stations === 0) yield
      if (worst !== null && compare(ticket, worst) >= 0) continue
      held.push({ station, area, ticket })
      if (held.length < 2 * draw + 100) continue
      held = smallest(held, draw)
      worst = held[draw - 1]?.ticket ?? null
    }
    drawn.push(...smallest(held, draw))
  }
  return drawn
}

const step_stations = 1_000

const smallest = (held: readonly Drawn[], draw: number): Drawn[] => [...held].sort((one, other) => compare(one.ticket, other.ticket)).slice(0, draw)

function compare(one: Uint8Array, other: Uint8Array): number {
  for (let at = 0; at < one.length; at++) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Where the first code stands that is not below a text; `:` follows the digits. */
function firstFrom(roster: readonly string[], text: string): number {
  let [from, to] = [0, roster.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((roster[middle] as string) < text) from = middle + 1
    else to = middle
  }
  return from
}

/** What a draw is over: two that share an area and a contest ask the same. */
interface Scope { readonly contests: readonly string[]; readonly strata: readonly Stratum[] }

export const isSameScope = (one: Scope, other: Scope): boolean =>
  one.contests.some((contest) => other.contests.includes(contest)) && one.strata.some(({ area }) => other.strata.some((stratum) => stratum.area.startsWith(area) || area.startsWith(stratum.area)))

/** A ticket as people compare it. */
export const ticketText = (ticket: Uint8Array): string => hexOf(ticket)
