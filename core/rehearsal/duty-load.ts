import { minute_ms, second_ms } from '../kernel/clock.ts'
import { seeded, type Random } from '../kernel/random.ts'
import { backoff, firstDue, nextDue, on_screen_share, resumeDelay, type Pace } from '../measurement/schedule.ts'

/** How phones spread what they do; `plain` is how it would be without: the same interval for all, and everything at once. */
interface Spreading {
  readonly pace: Pace
  readonly spread_ms: number
  readonly backoff: { readonly base_ms: number; readonly cap_ms: number }
  /** Share of phones that see the platform go at once, by a connection they hold; the others meet it at their turn. */
  readonly noticing_share: number
  readonly plain: boolean
}
interface LoadOptions extends Partial<Spreading> {
  readonly seed: number
  readonly devices: number
}

/** Requests a second that are answered, and their peaks over `mean_per_s`, the mean of the quiet part. */
interface DutyLoad {
  readonly requests: number
  readonly mean_per_s: number
  /** Nearly all press the button in one minute. */
  readonly start_peak: number
  readonly quiet_peak: number
  /** A third of the country gets its network back at one instant. */
  readonly network_peak: number
  /** Everybody learns of a new configuration with the next receipt, and fetches it. */
  readonly config_peak: number
  /** The platform is away for 30 s and everybody sees it at one instant. */
  readonly restart_peak: number
  /** Attempts on the platform while it is away, answered by nobody: what a crowd would do to one that is only slow. */
  readonly knock_peak: number
}

/**
 * What keeps every peak under twice the mean, by trying: with a spread of 1 min, or a first wait of 2 s after a
 * failure, those who meet a platform that is away are 9 to 28 times the mean when it comes back.
 */
const defaults: Spreading = { pace: { interval_ms: 5 * minute_ms, jitter_share: 0.2 }, spread_ms: 10 * minute_ms, backoff: { base_ms: 2 * minute_ms, cap_ms: 10 * minute_ms }, noticing_share: 1, plain: false }

/** Two hours from 06:00 less ten minutes, ms: few begin before, nine in ten within one minute. */
const day = {
  end: 130 * minute_ms, rush: 10 * minute_ms, rush_share: 0.9,
  quiet: [25 * minute_ms, 40 * minute_ms],
  outage: [40 * minute_ms, 60 * minute_ms], outage_share: 0.3,
  config: 80 * minute_ms,
  restart: [105 * minute_ms, 105.5 * minute_ms],
} as const
const attempts_max = 20

/**
 * Counts the requests of many phones through a start of duty, an outage, a new configuration and a restart of
 * the platform. Phones do not know of each other, so each lives its two hours by itself and only the count of
 * each second is kept: a million take seconds.
 */
export function dutyLoad(options: LoadOptions): DutyLoad {
  const how: Spreading = { ...defaults, ...options }
  const perSecond = new Uint32Array(day.end / second_ms)
  const knocks = new Uint32Array(perSecond.length)
  const random = seeded(options.seed)
  for (let device = 0; device < options.devices; device++) phone(how, random, { answered: perSecond, knocks })
  const of = (from_ms: number, to_ms: number): Uint32Array => perSecond.subarray(from_ms / second_ms, to_ms / second_ms)
  const quiet = of(day.quiet[0], day.quiet[1])
  const mean_per_s = quiet.reduce((sum, count) => sum + count, 0) / quiet.length
  const peak = (from_ms: number, to_ms: number): number => of(from_ms, to_ms).reduce((most, count) => Math.max(most, count), 0) / mean_per_s
  return {
    requests: perSecond.reduce((sum, count) => sum + count, 0), mean_per_s,
    start_peak: peak(0, day.quiet[0]), quiet_peak: peak(day.quiet[0], day.quiet[1]), network_peak: peak(day.outage[1], day.config),
    config_peak: peak(day.config, day.restart[0]), restart_peak: peak(day.restart[1], day.end),
    knock_peak: knocks.reduce((most, count) => Math.max(most, count), 0) / mean_per_s,
  }
}

interface Counts { readonly answered: Uint32Array; readonly knocks: Uint32Array }

/** The routine rhythm goes on whatever happens; what is sent out of turn only brings the queue earlier. */
function phone(how: Spreading, random: Random, counts: Counts): void {
  const isCut = random() < day.outage_share
  const startAt = random() < day.rush_share ? day.rush + random() * minute_ms : random() * 2 * day.rush
  const seen = { network: false, config: false, restart: false }
  const notices = how.noticing_share >= 1 || random() < how.noticing_share
  let dueAt = how.plain ? startAt : firstDue(startAt, how.pace, random)
  while (dueAt < day.end) {
    const at = dueAt
    dueAt = how.plain ? at + how.pace.interval_ms : nextDue(at, how.pace, random)
    if (isCut && at >= day.outage[0] && at < day.outage[1]) continue
    if (isCut && !seen.network && at >= day.outage[1]) {
      seen.network = true
      outOfTurn(how, random, counts, day.outage[1], at, on_screen_share)
    }
    if (!seen.restart && at >= day.restart[0]) {
      seen.restart = true
      if (notices) outOfTurn(how, random, counts, day.restart[0], at, 1)
    }
    const answeredAt = send(how, random, counts, at)
    if (!seen.config && answeredAt >= day.config) {
      seen.config = true
      send(how, random, counts, answeredAt + wait(how, random))
    }
  }
}

/** What waits is sent before its turn, unless the turn comes first and takes it along; within so much of the spread. */
function outOfTurn(how: Spreading, random: Random, counts: Counts, eventAt: number, turnAt: number, share: number): void {
  const at = eventAt + share * wait(how, random)
  if (at < turnAt) send(how, random, counts, at)
}

const wait = (how: Spreading, random: Random): number => (how.plain ? 0 : resumeDelay(how.spread_ms, random))

/** Sends until it is answered. @returns when that was */
function send(how: Spreading, random: Random, counts: Counts, at: number): number {
  let now = at
  for (let attempt = 1; attempt <= attempts_max; attempt++) {
    const isAway = now >= day.restart[0] && now < day.restart[1]
    count(isAway ? counts.knocks : counts.answered, now)
    if (!isAway) break
    now += how.plain ? how.backoff.base_ms : backoff(attempt, how.backoff.base_ms, how.backoff.cap_ms, random)
  }
  return now
}

function count(perSecond: Uint32Array, at: number): void {
  const second = Math.floor(at / second_ms)
  perSecond[second] = (perSecond[second] ?? 0) + 1
}
