export interface RoundTrips {
  readonly median_ms: number | null
  /** Nearest rank: the smallest that 95 % do not exceed. */
  readonly p95_ms: number | null
  /**
   * RFC 3550, 6.4.1, over what differs between one round trip and the next: J += (|D| - J) / 16. The RFC's D is of
   * one way; of round trips it holds both ways' changes.
   */
  readonly jitter_ms: number | null
}

/** @param times in the order in which they were measured */
export function roundTrips(times: readonly number[]): RoundTrips {
  const sorted = [...times].sort((a, b) => a - b)
  const rank = (share: number): number | null => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
  let jitter = 0
  for (const [index, time] of times.entries()) {
    const before = times[index - 1]
    if (before !== undefined) jitter += (Math.abs(time - before) - jitter) / 16
  }
  return { median_ms: rank(0.5), p95_ms: rank(0.95), jitter_ms: times.length < 2 ? null : Math.round(jitter * 100) / 100 }
}
