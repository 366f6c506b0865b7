import type { Instant } from '../kernel/clock.ts'

/**
 * What one report says, in the bits of one small integer: detection takes in hundreds of thousands a second,
 * and an object for each would be most of the work. Every field has 0 for "not known": no data is never good.
 */
export const what = {
  /** Two bits: 1 good, 2 bad; see core/measurement/judge.ts. Unknown keeps a promise and says nothing of the network. */
  quality: 0,
  /** Two bits each: 1 reached, 2 not reached. */
  internet: 2,
  election: 4,
  /** Two bits: 1 on battery, 2 charging. */
  charging: 6,
  /** Two bits: 1 weak or none, 2 strong enough for a form's photograph. */
  radio: 8,
  /** One bit each: why it is bad. */
  slow: 10,
  lossy: 11,
  /** Two bits: 1 cellular, 2 a fixed line, 3 an access point. */
  way: 12,
} as const

export const good = 1
export const bad = 2
export const reached = 1
export const unreached = 2
export const onBattery = 1
export const charging = 2
export const weak = 1
export const strong = 2
export const cellular = 1
export const fixed = 2
export const accessPoint = 3

type Field = 'quality' | 'internet' | 'election' | 'charging' | 'radio' | 'way'

/** @returns 0..3 */
export const fieldOf = (bits: number, field: Field): number => (bits >> what[field]) & 3

/** One report as detection sees it, in words; `takeIn` takes the same as numbers. */
export interface Evidence {
  /** A small integer that is the device's own; memory is kept for every one up to the largest. */
  readonly device: number
  readonly station: string
  readonly operator: string
  readonly eventAt: Instant
  readonly receivedAt: Instant
  /** The promise of the next report; null is goodbye. */
  readonly nextDueAt: Instant | null
  readonly bits: number
}
