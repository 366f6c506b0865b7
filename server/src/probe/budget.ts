/** What measuring may cost a day, both ways together. Reports are sent even so, and counted. */
export interface Spent {
  readonly day: string
  readonly bytes: number
}

/** A throughput test takes this at most, of `down_bytes` and `up_bytes` and what carries them. */
export const down_bytes = 150_000
export const up_bytes = 75_000
export const throughput_cost_bytes = 240_000
/** A check without one: three handshakes with their certificates, ten pings and the heads of it all, rather more than measured. */
export const routine_cost_bytes = 45_000
/** Between throughput tests, so that they spread over the day. */
const throughput_every_ms = 2 * 3_600_000

export type Means = 'nothing' | 'routine' | 'throughput'

/**
 * What a check may do now. Costs are reserved before and settled after: the limit is not passed by a check that
 * began below it. The last tenth is kept for routine checks.
 */
export function means(spent: Spent, now: number, day: string, limit_bytes: number, lastThroughputAt: number | null): Means {
  const left_bytes = limit_bytes - (spent.day === day ? spent.bytes : 0)
  if (left_bytes < routine_cost_bytes) return 'nothing'
  const due = lastThroughputAt === null || now < lastThroughputAt || now - lastThroughputAt >= throughput_every_ms
  return due && left_bytes - throughput_cost_bytes - routine_cost_bytes >= limit_bytes / 10 ? 'throughput' : 'routine'
}
