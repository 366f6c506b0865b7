import { rtt_ms_bad } from '@kawal/core/measurement/judge.ts'
import type { Sample } from '@kawal/contract/report.ts'

export type Reach = Sample['reach']['platform']
type Advice = 'send' | 'wait' | 'move'
type Blame = 'nobody' | 'phone' | 'operator' | 'access_point' | 'election_server' | 'platform'
/**
 * Why. `election_down`: it said so itself, or the platform sees it down from the data centre.
 * `election_unreachable`: the data centre sees it well, this phone does not. `election_silent`: it does not
 * answer this phone, and nobody else has looked. `partial`: only the platform is reached, though the election
 * server is known to be well. `unmeasured`: nothing could be sent, the budget is used up.
 */
export const reasons = ['fine', 'wrong_clock', 'phone_offline', 'no_answer', 'portal', 'lossy', 'slow', 'partial', 'election_down', 'election_unreachable', 'election_silent', 'platform', 'unmeasured'] as const
type Reason = (typeof reasons)[number]
export interface Verdict { readonly advice: Advice; readonly blame: Blame; readonly reason: Reason }

export interface Facts {
  readonly reach: { readonly internet: Reach; readonly election: Reach; readonly platform: Reach }
  /** The election server as the platform sees it from the data centre. */
  readonly electionSeen: 'ok' | 'down' | null
  /** The phone uses an access point's network, not its SIM. */
  readonly onAccessPoint: boolean
  /** The phone's clock is proven to be wrong. */
  readonly clockWrong: boolean
  readonly probes: number
  /** Probes without an answer, and answers for which the connection had to be made anew. */
  readonly lost: number
  readonly rttMedianMs: number | null
  /** The uplink carried at most this, kbit/s; null when it was not measured. */
  readonly upAtMostKbps: number | null
}

/**
 * Engineering defaults of ours: no numeric standard for mobile data could be found. The uplink is usable when a
 * preview of 200 kB goes out in half a minute. The loss is stricter than what makes a report bad
 * (core/measurement/judge.ts): it only advises to wait.
 */
export const up_kbps_min = (200 * 8) / 30
const loss_share_wait = 0.2
const loss_share_move = 0.5

/**
 * One of three words, whose fault, and why. Pure and total. The operator is blamed only where nothing shows
 * that the fault lies elsewhere: an election server that is down is never the network's fault.
 */
export function verdict(facts: Facts): Verdict {
  const network: Blame = facts.onAccessPoint ? 'access_point' : 'operator'
  const { internet, election, platform } = facts.reach
  const all = [internet, election, platform]
  if (all.every((each) => each === 'untested')) return { advice: 'wait', blame: 'nobody', reason: 'unmeasured' }
  if (platform === 'portal') return { advice: 'wait', blame: network, reason: 'portal' }
  if (platform !== 'ok' && platform !== 'untested') return unreached(facts, network)
  const down = election === 'http_error' || facts.electionSeen === 'down'
  if (down) return { advice: 'wait', blame: 'election_server', reason: 'election_down' }
  const share = facts.probes > 0 ? facts.lost / facts.probes : 0
  if (share >= loss_share_wait) return { advice: share >= loss_share_move ? 'move' : 'wait', blame: network, reason: 'lossy' }
  if (election === 'wrong_clock') return { advice: 'wait', blame: 'phone', reason: 'wrong_clock' }
  if (election !== 'ok' && election !== 'untested') return silent(facts, network)
  if ((facts.rttMedianMs ?? 0) > rtt_ms_bad || (facts.upAtMostKbps !== null && facts.upAtMostKbps < up_kbps_min)) return { advice: 'wait', blame: network, reason: 'slow' }
  // The network is well: the clock is to be set, and need not hold up anything.
  return facts.clockWrong ? { advice: 'send', blame: 'phone', reason: 'wrong_clock' } : { advice: 'send', blame: 'nobody', reason: 'fine' }
}

function unreached({ reach: { internet, election, platform }, onAccessPoint }: Facts, network: Blame): Verdict {
  if (platform === 'wrong_clock') return { advice: 'wait', blame: 'phone', reason: 'wrong_clock' }
  const elsewhere = [internet, election].some((each) => each === 'ok' || each === 'http_error')
  if (platform === 'http_error' || elsewhere) return { advice: 'wait', blame: 'platform', reason: 'platform' }
  if (internet === 'portal' || election === 'portal') return { advice: 'wait', blame: network, reason: 'portal' }
  if (platform === 'offline') return { advice: 'move', blame: 'phone', reason: 'phone_offline' }
  return { advice: 'move', blame: onAccessPoint ? 'access_point' : 'operator', reason: 'no_answer' }
}

function silent({ reach: { internet }, electionSeen }: Facts, network: Blame): Verdict {
  const other = internet === 'ok' || internet === 'untested' || internet === 'http_error'
  if (electionSeen === 'ok' && !other) return { advice: 'move', blame: network, reason: 'partial' }
  return { advice: 'wait', blame: 'election_server', reason: electionSeen === 'ok' ? 'election_unreachable' : 'election_silent' }
}
