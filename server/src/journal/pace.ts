interface PaceNeeds {
  /** ms of a clock that nobody sets. */
  readonly now: () => number
  /** Commits begin so far apart, ms, from so many reports a second on; so many do not wait. */
  readonly pace_ms: number
  readonly paced_from_per_s: number
  readonly paced_reports_max: number
}

/** A rate is looked at over so long. */
const window_ms = 200
/** When nothing comes for so long, nothing will: those who send have all been heard, and wait. */
const silence_ms = 8

/** Under load lets reports gather between commits: a commit costs the same whatever it holds. */
export function createPace({ now, pace_ms, paced_from_per_s, paced_reports_max }: PaceNeeds) {
  let total = 0
  let window = { since: now(), total: 0 }
  let isPaced = false
  let wake: (() => void) | null = null

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => {
    const timer = setTimeout(() => wake?.(), ms)
    wake = () => {
      wake = null
      clearTimeout(timer)
      resolve()
    }
  })
  return {
    isPaced: (): boolean => isPaced,
    /** @param waiting reports that wait for the next commit by now */
    came(reports: number, waiting: number): void {
      total += reports
      if (waiting >= paced_reports_max) wake?.()
    },
    /** Resolves when the next commit may begin. @param waiting reports that wait for it */
    async gather(waiting: () => number): Promise<void> {
      const at = now()
      if (at - window.since >= window_ms) {
        isPaced = ((total - window.total) * 1000) / (at - window.since) >= paced_from_per_s
        window = { since: at, total }
      }
      for (let before = -1; isPaced && waiting() < paced_reports_max && total !== before && now() - at < pace_ms; ) {
        before = total
        await sleep(silence_ms)
      }
    },
    cut: (): void => wake?.(),
  }
}
