const window_ms = 10 * 60_000
const kept_max = 50_000

/**
 * Counts failures by key within ten minutes. Bounded: when it is full, what is over is dropped, then the
 * oldest.
 */
export class Attempts {
  readonly #seen = new Map<string, { count: number; since: number }>()

  failed(key: string, now: number): void {
    const seen = this.#seen.get(key)
    if (seen !== undefined && now - seen.since <= window_ms) seen.count++
    else {
      if (this.#seen.size >= kept_max) this.#makeRoom(now)
      this.#seen.delete(key)
      this.#seen.set(key, { count: 1, since: now })
    }
  }

  /** Seconds to wait when `max` failures of this key lie within the window; 0 when there is no need. */
  wait_s(key: string, max: number, now: number): number {
    const seen = this.#seen.get(key)
    if (seen === undefined || now - seen.since > window_ms || seen.count < max) return 0
    return Math.max(1, Math.ceil((seen.since + window_ms - now) / 1000))
  }

  #makeRoom(now: number): void {
    for (const [key, seen] of this.#seen) if (now - seen.since > window_ms || this.#seen.size >= kept_max) this.#seen.delete(key)
  }
}
