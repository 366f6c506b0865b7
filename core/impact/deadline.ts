import { hour_ms, minute_ms, type Instant } from '../kernel/clock.ts'
import type { Zone } from '../register/zone.ts'

/** A time of the day of voting by which a station needs its network. */
export interface DeadlineRule {
  readonly name: string
  /** HH:MM in the station's own time. */
  readonly at: string
  /** Days after the day of voting. */
  readonly daysAfter: number
  /** So many minutes before, nearness begins to rise from 0. */
  readonly riseMin: number
  /** What nearness has risen to when it is due, 0 to 1: how much is lost with it. */
  readonly share: number
  /** Where the time is from; whose default it is where it is from nowhere. */
  readonly citation: string
}

/** One day of voting, with the areas that vote on another day of the same contest. */
export interface Contest {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly citation: string
  /** Areas (codes of 2, 4, 6, 10 or 13 digits) whose stations vote on another day instead; the longest code that a station's begins with holds. */
  readonly late: readonly { readonly day: string; readonly areas: readonly string[] }[]
  readonly deadlines: readonly DeadlineRule[]
}

/** A rule at one place's instant. Before `from`, its own midnight, the day has not begun and nothing is urgent. */
export interface Deadline extends Pick<DeadlineRule, 'name' | 'riseMin' | 'share'> {
  readonly from: Instant
  readonly at: Instant
}

/** Hours before UTC; no summer time (Keppres 41/1987). */
const offset_h: Readonly<Record<Zone, number>> = { 'Asia/Jakarta': 7, 'Asia/Makassar': 8, 'Asia/Jayapura': 9 }
export const zones = ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura'] as const satisfies readonly Zone[]

/** Civil date to days since 1970-01-01: Howard Hinnant, "chrono-compatible low-level date algorithms". */
function dayNumber(day: string): number {
  const [year = NaN, month = NaN, date = NaN] = day.split('-').map(Number)
  const from_march = month <= 2 ? year - 1 : year
  const era = Math.floor(from_march / 400)
  const year_of_era = from_march - era * 400
  const day_of_year = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1
  return era * 146_097 + year_of_era * 365 + Math.floor(year_of_era / 4) - Math.floor(year_of_era / 100) + day_of_year - 719_468
}

/**
 * The instants of a day's deadlines at a place, in their order of time.
 * @param day YYYY-MM-DD, a calendar date
 */
export function deadlinesOf(zone: Zone, day: string, rules: readonly DeadlineRule[]): Deadline[] {
  const midnight = dayNumber(day) * 24 * hour_ms - offset_h[zone] * hour_ms
  return rules.map(({ name, at, daysAfter, riseMin, share }): Deadline => {
    const [hours = NaN, minutes = NaN] = at.split(':').map(Number)
    return { name, riseMin, share, from: midnight, at: midnight + daysAfter * 24 * hour_ms + hours * hour_ms + minutes * minute_ms }
  }).sort((a, b) => a.at - b.at)
}

/** What a clock index stands for when a station has no contest. */
export const no_clock = 255
/** Late days of one contest, so that an index of days and zones fits a byte. */
export const late_max = 80

/** The deadlines of each clock: index `3 x day + zone`, day 0 being the contest's own and 1.. its late ones. */
export const clocksOf = (contest: Contest | null): Deadline[][] =>
  contest === null ? [] : [contest.day, ...contest.late.map((late) => late.day)].flatMap((day) => zones.map((zone) => deadlinesOf(zone, day, contest.deadlines)))

/** Finds a station's clock by its code and zone; `no_clock` for a zone that is none of the three. */
export function clockFinder(contest: Contest | null): (code: string, zone: string) => number {
  const lates = new Map((contest?.late ?? []).flatMap((late, index) => late.areas.map((area) => [area, index + 1] as const)))
  const digits = [...new Set([...lates.keys()].map((area) => area.length))].sort((a, b) => b - a)
  return (code, zone) => {
    const at = zones.findIndex((each) => each === zone)
    if (contest === null || at < 0) return no_clock
    for (const length of digits) {
      const late = lates.get(code.slice(0, length))
      if (late !== undefined) return 3 * late + at
    }
    return at
  }
}

/** The contest that is under way or comes next: the first whose last deadline anywhere is still to come; null when there is none. */
export function contestAt(contests: readonly Contest[], now: Instant): Contest | null {
  const last = (contest: Contest): Instant => clocksOf(contest).flat().reduce((latest, each) => Math.max(latest, each.at), -Infinity)
  return contests.filter((each) => last(each) > now).sort((a, b) => (a.day < b.day ? -1 : 1))[0] ?? null
}

/** The next of a clock's deadlines; null before its day and after its last. */
export function nextDeadline(deadlines: readonly Deadline[], now: Instant): Deadline | null {
  return deadlines.find((each) => each.from <= now && now < each.at) ?? null
}

/**
 * How near the deadlines of a clock are, 0 to 1: of each that is to come the share that has risen, and the
 * largest of them. 0 before the day and after the last.
 */
export function nearness(deadlines: readonly Deadline[], now: Instant): number {
  let nearest = 0
  for (const { from, at, riseMin, share } of deadlines)
    if (from <= now && now < at) nearest = Math.max(nearest, share * Math.max(0, 1 - (at - now) / (riseMin * minute_ms)))
  return nearest
}
