import type { Instant } from '../kernel/clock.ts'
import { hash32, type Random } from '../kernel/random.ts'

/**
 * When a phone does what a million others do too. Officers begin together, a network comes back for all of
 * them at one instant, a server drops all its connections at once: without chance between the event and the
 * answer to it, every such instant becomes a peak, and it repeats at each interval. All times in ms; what is
 * drawn comes from `random`, so that a day replays.
 */
export interface Pace {
  readonly interval_ms: number
  /** Each interval is drawn from interval x (1 +- this); 0 to 0.5. */
  readonly jitter_share: number
}

/**
 * When the next report is due. Drawn anew for each report, and from `now` rather than from the time that was
 * due before: a phone which was late stays late, and phones that once met drift apart (S. Floyd and V.
 * Jacobson, "The Synchronization of Periodic Routing Messages", IEEE/ACM ToN 2(2), 1994).
 */
export function nextDue(now: Instant, pace: Pace, random: Random): Instant {
  const share = Math.min(0.5, Math.max(0, pace.jitter_share))
  return now + Math.max(1, Math.round(pace.interval_ms * (1 + share * (2 * random() - 1))))
}

/**
 * When the first report after the start of duty is due: anywhere in one interval. Nearly all officers begin in the
 * same minute, and jitter alone needs many intervals to part phones that reported together once. An officer who
 * wants to know at once whether it works makes a check.
 */
export function firstDue(now: Instant, pace: Pace, random: Random): Instant {
  return now + Math.max(1, Math.round(pace.interval_ms * random()))
}

/** How long to wait after something that many phones see at once: a network comes back, a configuration is changed. */
export function resumeDelay(spread_ms: number, random: Random): number {
  return Math.floor(Math.max(0, spread_ms) * random())
}

/**
 * What a phone on screen takes of the spread when the network is back: its officer waits to see it go out, but is not
 * alone. Only phones on screen report, so nearly all on duty are: a third of a million within 10 s are 10 times the
 * mean of a quiet minute, within a minute 2.6 times, within this share of the default spread (2 min) 1.8 times. Whoever
 * cannot wait presses the button.
 */
export const on_screen_share = 0.2

/**
 * How long to wait before trying again: full jitter, any instant up to a bound that doubles with each failure.
 * Of the ways to draw it this one makes the fewest calls in all for about the same time to finish (M. Brooker,
 * "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 * @param attempt failures in a row so far, from 1
 */
export function backoff(attempt: number, base_ms: number, cap_ms: number, random: Random): number {
  // 2^30 is past any cap in ms, and keeps the power finite.
  const bound_ms = Math.min(cap_ms, base_ms * 2 ** Math.min(30, Math.max(0, attempt - 1)))
  return Math.floor(bound_ms * random())
}

/**
 * Whether this device is among those that run a full test on this day. The same answer however often it is
 * asked, so that a restart of the app draws no second lot, and another choice of devices each day.
 * @param day as `2026-11-26`, of the station
 */
export function dailyDraw(device: string, day: string, share: number): boolean {
  return mix32(hash32(`${day} ${device}`)) / 4_294_967_296 < share
}

/**
 * The finaliser of MurmurHash3 (A. Appleby): ids that differ in the last character alone have FNV hashes which
 * lie near each other, and a share is cut from the top of the range.
 */
function mix32(hash: number): number {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
