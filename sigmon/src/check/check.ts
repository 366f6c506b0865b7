import type { Sample } from '@kawal/contract/report.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import type { Budget, Spend } from './budget.ts'
import { stranger_bytes } from './cost.ts'
import type { Net } from './net.ts'
import { jitter, median, p95, pingAtMost, pings, type Pings } from './probe.ts'
import { readRadio, type Radio } from './radio.ts'
import { brief, contact, contactAtMost, keeping, patient, touch, touchAtMost, type Contact, type Patience, type Touch } from './reach.ts'
import { down, downAtMost, up, upAtMost } from './throughput.ts'
import { verdict, type Reach, type Verdict } from './verdict.ts'

/** What a check found. Figures that were not measured are null, never 0. */
export interface CheckResult {
  readonly rttMs: readonly number[]
  readonly rttMedianMs: number | null
  /** 95th percentile by nearest rank: with fewer than 20 answers the largest. */
  readonly rttP95Ms: number | null
  /** RFC 3550, 6.4.1: J += (|D| - J) / 16, D being the difference of successive round-trip times. */
  readonly jitterMs: number | null
  /** Probes that got no answer; those that our own deadline ended are not among them. */
  readonly timeouts: number
  /** Of `timeouts`, those that ended in an error before their time was up. */
  readonly broken: number
  /** Answers for which a kept connection had to be made anew: it was cut meanwhile. */
  readonly reconnects: number
  readonly downKbps: number | null
  /** The server's figure, never above what the phone's own clock allows. */
  readonly upKbps: number | null
  /** By the phone's own clock the uplink carried at most this; known also where the upload was cut or the server could not time it. */
  readonly upAtMostKbps: number | null
  readonly reach: { readonly internet: Reach; readonly election: Reach; readonly platform: Reach }
  /** HTTP status of the election server where it lets a page read it, else what the platform got from it. */
  readonly electionStatus: number | null
  /** The election server as the platform sees it from the data centre. */
  readonly electionSeen: 'ok' | 'down' | null
  /** The platform's clock less the phone's, ms. */
  readonly clockOffsetMs: number | null
  /** What it cost, bytes both ways, as the budget counts them: not less than at the socket. */
  readonly bytes: number
  readonly radio: Sample['radio']
  readonly technology: Sample['technology']
  /** The SIM that the bridge reads; null without one. */
  readonly sim: Sample['sim']
  /** Radio values that the sample leaves out, and why. */
  readonly dropped: Radio['dropped']
  readonly radioFault: Radio['fault']
  /** Not there in results of an older version. */
  readonly reading?: Radio['reading']
  readonly access: Sample['access']
  /** Parts that the deadline cut short or left out. */
  readonly cut: readonly ('pings' | 'down' | 'up')[]
  readonly verdict: Verdict
  /** Why the budget refused a part of it. */
  readonly refused: Spend | null
  /** The newest time that the platform told, ms since 1970: what to give as `lastServerTime` next time. */
  readonly serverTime: number | null
}

export interface CheckOptions {
  /** The officer said that the phone uses an access point's network. */
  readonly onAccessPoint: boolean
  readonly budget: Budget
  /** The newest time that the platform ever told this phone, ms since 1970. */
  readonly lastServerTime: number | null
  /** When this app was built, ms since 1970: a phone that says earlier has a wrong clock. */
  readonly builtAt: number
  /** An answer is there after this, whatever happens. Default 10,000 ms; of routine reports, for which nobody waits, 20,000 ms. */
  readonly deadlineMs?: number
  /** The officer agreed to the cost for this once. */
  readonly agreed?: boolean
}

export type Progress = (done: number, steps: number) => void

const deadline_ms = 10_000
const routine_deadline_ms = 20_000
/** The first contact may take this share of the time: three round trips of a satellite's 1.5 s, and a second attempt. */
const contact_share = 0.6
/** The pings wait this long for the other targets to be done. */
const others_ms = 1_500
/** Kept for both ways of the throughput, where the pings do not need less. */
const throughput_ms = 3_500
/** A ping this much later than the first is lost; never under the second that RFC 6298 starts from, and then some for a phone's radio. */
const late_factor = 4
const late_ms_least = 1_500
/** The platform keeps idle connections for a quarter of an hour. */
const kept_ms_max = 20 * 60_000
/** Left for working the answer out. */
const spare_ms = 200
/** The contract's bound (contract/report.ts). */
const timeouts_max = 20
const clock_wrong_ms = 5 * 60_000

/** "Boleh kirim sekarang?": with `full`, throughput both ways too. */
export async function check(net: Net, config: SigmonConfig, options: CheckOptions & { readonly full: boolean }, progress: Progress): Promise<CheckResult> {
  const steps = config.probes.check + (options.full ? 3 : 1)
  const measured = await measure(net, config, options, { count: config.probes.check, targets: config.targets, full: options.full, patience: patient, told: (done) => progress(done, steps) })
  progress(steps, steps)
  return measured
}

/** What a report on duty rests on: a few pings, and the other targets when told. */
export function routine(net: Net, config: SigmonConfig, options: CheckOptions & { readonly reach: boolean }): Promise<CheckResult> {
  const lately = options.lastServerTime !== null && net.now() - options.lastServerTime < kept_ms_max
  return measure(net, config, { deadlineMs: routine_deadline_ms, ...options }, { count: config.probes.routine, targets: options.reach ? config.targets : { internet: null, election: null }, full: false, patience: lately ? keeping : brief, told: () => {} })
}

/** One cheap probe for "warmer, colder". */
export async function feel(net: Net, config: SigmonConfig, options: CheckOptions): Promise<{ readonly rttMs: number | null; readonly dbm: number | null; readonly refused: Spend | null }> {
  const { rttMedianMs, radio, refused } = await routine(net, config, { deadlineMs: 4_000, ...options, reach: false })
  return { rttMs: rttMedianMs, dbm: radio?.rsrpDbm ?? radio?.rssiDbm ?? null, refused }
}

interface Plan { readonly count: number; readonly targets: SigmonConfig['targets']; readonly full: boolean; readonly patience: Patience; readonly told: (done: number) => void }
interface Met { readonly platform: Contact; readonly internet: Touch; readonly election: Touch; readonly pings: Pings }

async function measure(net: Net, config: SigmonConfig, options: CheckOptions, plan: Plan): Promise<CheckResult> {
  const until = net.tick() + (options.deadlineMs ?? deadline_ms) - spare_ms
  const radio = readRadio(net)
  const small = await meet(net, config, options, plan, until)
  const rates = small.met !== null && plan.full && reached(small.met) ? await carry(net, config, options, small.met, until, plan) : none
  return conclude(net, options, await radio, small, rates)
}

const reached = (met: Met): boolean => met.pings.answered.length > 0

interface Small { readonly met: Met | null; readonly bytes: number; readonly refused: Spend | null }

/** First contact and the other targets side by side, then the pings, as far as can be with the line to themselves. */
async function meet(net: Net, config: SigmonConfig, { budget, agreed }: CheckOptions, plan: Plan, until: number): Promise<Small> {
  const { internet, election } = plan.targets
  // a stranger's page at first contact, and one in the middle
  const most = contactAtMost(net, plan.patience) + touchAtMost(internet) + touchAtMost(election) + plan.count * pingAtMost(net) + 2 * stranger_bytes
  const reserved = await budget.reserve(most, 'small', agreed)
  if (typeof reserved === 'string') return { met: null, bytes: 0, refused: reserved }
  const first_ms = (until - net.tick()) * contact_share
  const others = Promise.all([touch(net, internet, first_ms), touch(net, election, first_ms)])
  const platform = await contact(net, first_ms, plan.patience)
  // handshakes with the others would lengthen the pings on a narrow line; one that is silent is not waited for
  await Promise.race([others, new Promise<void>((done) => void net.timer(others_ms, done))])
  plan.told(1)
  let done = 1
  const { first } = platform
  const timeoutMs = first.end === 'ok' ? Math.min(config.probes.timeoutMs, Math.max(late_ms_least, first.rttMs * late_factor)) : 0
  const part: Pings = first.end !== 'ok' ? nothing : await pings(net, {
    count: plan.count, timeoutMs, over: first.over, until: plan.full ? Math.min(until, Math.max(until - throughput_ms, net.tick() + 2 * timeoutMs)) : until,
  }, () => plan.told(++done))
  const [other, counting] = await others
  const bytes = Math.min(most, platform.bytes + other.bytes + counting.bytes + part.bytes)
  await reserved.settle(bytes)
  return { met: { platform, internet: other, election: counting, pings: part }, bytes, refused: null }
}

const nothing: Pings = { answered: [], timeouts: 0, broken: 0, reconnects: 0, bytes: 0, cut: false }

interface Rates { readonly downKbps: number | null; readonly upKbps: number | null; readonly upAtMostKbps: number | null; readonly cut: readonly ('down' | 'up')[]; readonly bytes: number; readonly refused: Spend | null }
const none: Rates = { downKbps: null, upKbps: null, upAtMostKbps: null, cut: [], bytes: 0, refused: null }

/** Both ways, within the caps and what is left of the time: half of it each. */
async function carry(net: Net, config: SigmonConfig, { budget, agreed }: CheckOptions, met: Met, until: number, plan: Plan): Promise<Rates> {
  const { checkDownBytes, checkUpBytes } = config.budget
  const most = downAtMost(net, checkDownBytes) + upAtMost(net, checkUpBytes)
  const reserved = await budget.reserve(most, 'large', agreed)
  if (typeof reserved === 'string') return { ...none, refused: reserved }
  const minRttMs = Math.min(...met.pings.answered.map((each) => each.rttMs))
  const { over } = met.platform.first
  const before = net.tick()
  const downward = await down(net, checkDownBytes, before + (until - before) / 2, over)
  plan.told(plan.count + 2)
  const upward = await up(net, checkUpBytes, minRttMs, until, over)
  const bytes = Math.min(most, downward.bytes + upward.bytes)
  await reserved.settle(bytes)
  const cut = [...(downward.cut ? ['down' as const] : []), ...(upward.cut ? ['up' as const] : [])]
  return { downKbps: downward.kbps, upKbps: upward.kbps, upAtMostKbps: upward.atMostKbps, cut, bytes, refused: null }
}

function conclude(net: Net, options: CheckOptions, radio: Radio, { met, bytes, refused }: Small, rates: Rates): CheckResult {
  const answered = met === null ? [] : met.platform.first.end === 'ok' ? [met.platform.first, ...met.pings.answered] : met.pings.answered
  const rttMs = (met?.pings.answered ?? []).map((each) => each.rttMs)
  const closest = [...answered].sort((a, b) => a.rttMs - b.rttMs)[0]
  const clockOffsetMs = closest?.offsetMs ?? null
  const serverTime = answered.reduce<number | null>((newest, { serverTime: told }) => (told !== null && told > (newest ?? 0) ? told : newest), null)
  const clockWrong = clockOffsetMs !== null ? Math.abs(clockOffsetMs) > clock_wrong_ms : net.now() < Math.max(options.builtAt, options.lastServerTime ?? 0) - clock_wrong_ms
  const reach = met === null ? { internet: 'untested' as const, election: 'untested' as const, platform: 'untested' as const } : reachOf(net, met, clockWrong)
  const access = accessOf(net, options.onAccessPoint, reach.platform)
  const timeouts = Math.min(timeouts_max, (met?.platform.timeouts ?? 0) + (met?.pings.timeouts ?? 0))
  const reconnects = met?.pings.reconnects ?? 0
  const rttMedianMs = median(rttMs)
  const electionSeen = answered[answered.length - 1]?.electionSeen ?? null
  const bounds = [rates.upKbps, rates.upAtMostKbps].filter((each) => each !== null)
  return {
    rttMs, rttMedianMs, rttP95Ms: p95(rttMs), jitterMs: jitter(rttMs), timeouts, broken: (met?.platform.broken ?? 0) + (met?.pings.broken ?? 0), reconnects,
    downKbps: rates.downKbps, upKbps: rates.upKbps, upAtMostKbps: rates.upAtMostKbps, reach, electionStatus: met?.election.status ?? answered[answered.length - 1]?.electionStatus ?? null, electionSeen, clockOffsetMs,
    bytes: bytes + rates.bytes, radio: aged(radio, net.tick()), technology: radio.technology, sim: radio.sim, dropped: radio.dropped, radioFault: radio.fault, reading: radio.reading, access,
    cut: [...(met?.pings.cut === true ? ['pings' as const] : []), ...rates.cut], refused: refused ?? rates.refused, serverTime,
    verdict: verdict({
      reach, electionSeen, onAccessPoint: access === 'wifi' || access === 'wired', clockWrong, probes: rttMs.length + timeouts, lost: timeouts + reconnects, rttMedianMs,
      upAtMostKbps: bounds.length === 0 ? null : Math.min(...bounds),
    }),
  }
}

/** A sample's age of radio values is that at its own instant, which is the end of the check. */
const aged = ({ radio, readTick }: Radio, now: number): Sample['radio'] => (radio === null ? null : { ...radio, ageMs: Math.round(radio.ageMs + now - readTick) })

/**
 * Only what a page can prove. That nothing is connected: the browser says so, and nothing answered. That TLS
 * failed because of the clock: the clock is proven wrong, and an error came at once over TLS. Where a portal
 * answers in place of the platform, an answer that cannot be read proves nothing of the others either.
 */
function reachOf(net: Net, { platform, internet, election, pings: { answered } }: Met, clockWrong: boolean): CheckResult['reach'] {
  const touched = (touch: Touch): boolean => touch.end === 'answered' || touch.end === 'http_error' || touch.end === 'portal'
  const { end } = platform.first
  const offline = !net.online() && end !== 'ok' && end !== 'portal' && end !== 'http_error' && !touched(internet) && !touched(election)
  const failed = (url: string): Reach => (offline ? 'offline' : clockWrong && url.startsWith('https:') ? 'wrong_clock' : 'timeout')
  const other = (touch: Touch, url: string): Reach =>
    touch.end === 'answered' ? (end === 'portal' && touch.status === null ? 'portal' : 'ok')
    : touch.end === 'failed' ? failed(url)
    : touch.end === 'silent' ? (offline ? 'offline' : 'timeout')
    : touch.end
  return {
    platform: end === 'ok' || answered.length > 0 ? 'ok' : end === 'failed' ? failed(net.origin) : end === 'cut' ? (offline ? 'offline' : 'timeout') : end,
    internet: other(internet, internet.url), election: other(election, election.url),
  }
}

/** What the browser says of the connection, else what the officer said. */
function accessOf(net: Net, declared: boolean, platform: Reach): Sample['access'] {
  if (platform === 'offline') return 'none'
  const type = net.connection?.type
  if (type === 'cellular' || type === 'wifi') return type
  if (type === 'ethernet') return 'wired'
  return declared ? 'wifi' : 'unknown'
}
