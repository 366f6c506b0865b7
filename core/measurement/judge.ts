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
  const sorted = [...sample.rttMs].sort((a, b) => a - b)
  const median = sorted[sorted.length >> 1]
  const probes = sorted.length + sample.timeouts
  const slow = median !== undefined && median > rtt_ms_bad
  const lossy = probes > 0 && sample.timeouts / probes > loss_share_bad
  const unreachable = targets.internet === false || (targets.internet === null && targets.platform === false) || sample.access === 'none'
  const measured = probes > 0 || targets.internet !== null || targets.election !== null || targets.platform !== null
  return { quality: slow || lossy || unreachable ? 'bad' : measured ? 'good' : 'unknown', targets }
}

function reached(result: string): boolean | null {
  // A wrong clock is the phone's own trouble: it says nothing of the network.
  if (result === 'untested' || result === 'wrong_clock') return null
  return result === 'ok'
}
