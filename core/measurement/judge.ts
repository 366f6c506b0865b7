/** The parts of a sample that a judgement rests on; see contract/report.ts. */
export interface JudgedSample {
  readonly access: string
  readonly rttMs: readonly number[]
  readonly timeouts: number
  readonly reach: { readonly internet: string; readonly election: string; readonly platform: string }
}

interface Judgement {
  /** Unknown when nothing was measured: a goodbye, a promise kept and no more. */
  readonly quality: 'good' | 'bad' | 'unknown'
  /** Whether a target was reached; null when it was not tested. */
  readonly targets: { readonly internet: boolean | null; readonly election: boolean | null; readonly platform: boolean | null }
}

/** Engineering defaults of ours: no numeric standard for mobile data could be found. */
export const rtt_ms_bad = 1_000
const loss_share_bad = 0.25

/** Judges one sample. An unreachable election server alone does not make a network bad. */
export function judge(sample: JudgedSample): Judgement {
  const targets = { internet: reached(sample.reach.internet), election: reached(sample.reach.election), platform: reached(sample.reach.platform) }
  return { quality: qualityOf(sample), targets }
}

/** The same without its targets, and without an object: reports come by tens of thousands a second. */
export function qualityOf({ access, rttMs, timeouts, reach }: JudgedSample): Judgement['quality'] {
  const [internet, platform] = [reached(reach.internet), reached(reach.platform)]
  if (isSlow(rttMs) || isLossy(rttMs, timeouts) || internet === false || (internet === null && platform === false) || access === 'none') return 'bad'
  return rttMs.length + timeouts > 0 || internet !== null || platform !== null || reached(reach.election) !== null ? 'good' : 'unknown'
}

export function isSlow(rttMs: readonly number[]): boolean {
  const median = medianRtt(rttMs)
  return median !== null && median > rtt_ms_bad
}

export function isLossy(rttMs: readonly number[], timeouts: number): boolean {
  return timeouts / (rttMs.length + timeouts) > loss_share_bad
}

/** The upper median, ms; null of none. By rank: there are 20 at most, and sorting would copy them. */
export function medianRtt(rttMs: readonly number[]): number | null {
  const wanted = rttMs.length >> 1
  for (const candidate of rttMs) {
    let [below, equal] = [0, 0]
    for (const rtt of rttMs) {
      if (rtt < candidate) below++
      else if (rtt === candidate) equal++
    }
    if (below <= wanted && wanted < below + equal) return candidate
  }
  return null
}

/** Whether a target was reached, by the word a sample has for it; null when that says nothing of the network. */
export function reached(result: string): boolean | null {
  // A wrong clock is the phone's own trouble: it says nothing of the network.
  if (result === 'untested' || result === 'wrong_clock') return null
  return result === 'ok'
}
