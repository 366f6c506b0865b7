/** What one target of a check ended in; the names are those of contract/report.ts. */
export type Reach = 'ok' | 'timeout' | 'offline' | 'http_error' | 'untested'

export interface Measured {
  readonly rttMs: readonly number[]
  readonly timeouts: number
  readonly upKbps: number | null
  readonly reach: { readonly internet: Reach; readonly election: Reach; readonly platform: Reach }
}

type Advice = 'send' | 'wait' | 'move'
type Reason = 'fine' | 'slow' | 'lossy' | 'phone_offline' | 'no_answer' | 'platform' | 'election_server'

/** Our defaults: a photo preview of 200 kB goes out in half a minute at 64 kbit/s. */
const rtt_ms_max = 1_000
const loss_share_max = 0.25
const up_kbps_min = 64

/**
 * One of three words, and why. An election server that is down is not the network's fault: the
 * officer is told to wait, not to walk.
 */
export function verdict(measured: Measured, online: boolean): { advice: Advice; reason: Reason } {
  if (!online) return { advice: 'move', reason: 'phone_offline' }
  const { internet, election, platform } = measured.reach
  if (platform !== 'ok') return internet === 'ok' ? { advice: 'wait', reason: 'platform' } : { advice: 'move', reason: 'no_answer' }
  const probes = measured.rttMs.length + measured.timeouts
  if (probes > 0 && measured.timeouts / probes > loss_share_max) return { advice: 'move', reason: 'lossy' }
  if (election !== 'ok' && election !== 'untested') return { advice: 'wait', reason: 'election_server' }
  const middle = median(measured.rttMs)
  if ((middle !== null && middle > rtt_ms_max) || (measured.upKbps !== null && measured.upKbps < up_kbps_min)) return { advice: 'wait', reason: 'slow' }
  return { advice: 'send', reason: 'fine' }
}

export function median(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? null
}
