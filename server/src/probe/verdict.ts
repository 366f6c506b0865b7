import type { Check } from './check.ts'
import type { TargetResult } from './target.ts'

export interface Verdict {
  /** As Sigmon has it: send, wait, or go elsewhere. */
  readonly advice: 'send' | 'wait' | 'move'
  readonly blame: 'nobody' | 'box' | 'network' | 'election_server' | 'platform'
  readonly sentence: string
}

/** Ours, as Sigmon's: a preview of 200 kB goes out in half a minute at 54 kbit/s; slower than a second a round trip is slow. */
const up_kbps_min = 54
const rtt_ms_max = 1_000
const loss_share_max = 0.25

/** Whose fault it is, in a sentence. An election server that alone is down is never the network's fault. */
export function verdict({ targets: { internet, election, platform }, rttMs, timeouts, roundTrips, upKbps, electionFromPlatform, means }: Check): Verdict {
  const say = (advice: Verdict['advice'], blame: Verdict['blame'], sentence: string): Verdict => ({ advice, blame, sentence })
  const tried = [internet, election, platform].filter((target) => target.reach !== 'untested')
  if (tried.length === 0) return say('wait', 'nobody', means === 'nothing' ? 'Nothing was measured: what measuring may cost today is used up. Reports go on.' : 'Nothing was measured.')
  if (tried.some((target) => target.reach === 'wrong_clock')) return say('wait', 'box', "This box's clock is wrong: set it, certificates cannot be checked until then.")
  if (tried.every((target) => target.reach === 'offline')) return say('move', 'box', 'This box has no network: no cable, no Wi-Fi, no modem has given it an address.')
  const portal = tried.find((target) => target.reach === 'portal')
  const well = tried.filter((target) => target.reach === 'ok')
  if (portal !== undefined && well.length === 0) return say('move', 'network', `A log-in page stands in the way: ${at(portal)}.`)
  if (well.length === 0) return say('move', 'network', `Nothing answers through this network: it ends at ${at(platform.failed !== null ? platform : (tried[0] ?? platform))}.`)
  if (election.reach !== 'ok' && election.reach !== 'untested') {
    const seen = electionFromPlatform === 'down' ? ' It is down from the data centre too.' : electionFromPlatform === 'ok' ? ' From the data centre it answers, and this network carries the rest: the way to it is broken.' : ''
    return say('wait', 'election_server', `The election server does not answer (${at(election)}); the network carries the rest.${seen}`)
  }
  if (platform.reach !== 'ok') return say('wait', 'platform', `This platform does not answer (${at(platform)}); the network carries the rest.`)
  if (internet.reach !== 'ok' && internet.reach !== 'untested') return say('wait', 'network', `The platform answers, the open internet does not (${at(internet)}).`)
  if (timeouts / Math.max(1, rttMs.length + timeouts) > loss_share_max) return say('move', 'network', `The network loses too much: ${timeouts} of ${rttMs.length + timeouts} pings were not answered.`)
  if ((roundTrips.median_ms ?? 0) > rtt_ms_max) return say('wait', 'network', `The network is slow: ${roundTrips.median_ms} ms a round trip.`)
  if (upKbps !== null && upKbps < up_kbps_min) return say('wait', 'network', `The uplink is too slow for a photo: ${upKbps} kbit/s.`)
  return say('send', 'nobody', 'Everything answers.')
}

const names = { dns: 'the name (DNS)', tcp: 'the connection (TCP)', tls: 'encryption (TLS)', http: 'the answer (HTTP)' } as const
function at(target: TargetResult): string {
  const failed = target.steps.find((each) => !each.ok)
  return failed === undefined ? target.reach : `${names[failed.step]}: ${failed.detail ?? 'failed'}`
}
