import { minute_ms, rfc3339, type Instant } from '../kernel/clock.ts'
import { hash32, seeded, type Random } from '../kernel/random.ts'
import { operatorShares, type Script, type ScriptStation, type ScriptedFault } from './script.ts'

/** A sample as contract/report.ts has it, on its way from a simulated phone. */
export interface OfficerReport {
  readonly device: string
  readonly station: string
  readonly receivedAt: Instant
  /** What the phone's clock is ahead, ms; its times carry it. */
  readonly clockAhead_ms: number
  readonly sample: {
    readonly sequence: number
    readonly eventAt: string
    readonly sim: string
    readonly access: 'cellular' | 'none'
    readonly accessPoint: null
    readonly technology: 'lte'
    readonly radio: null
    readonly rttMs: number[]
    readonly timeouts: number
    readonly downKbps: null
    readonly upKbps: null
    readonly reach: { readonly internet: string; readonly election: string; readonly platform: string }
    readonly charging: boolean
    readonly nextDueAt: string | null
  }
}

interface OfficersOptions {
  readonly seed: number
  readonly devicesPerStation: number
  readonly interval_ms?: number
}

const plmn: Readonly<Record<string, string>> = { telkomsel: '51010', indosat: '51001', xlsmart: '51011' }
const probes = 5
const queue_max = 200
const wrong_clock_share = 0.03
const wrong_clock_ms_max = 40 * minute_ms

interface Phone {
  readonly id: string
  readonly station: string
  readonly operator: string
  readonly random: Random
  /** Share of promises that this officer breaks without a fault: a habit, drawn once (beta-binomial). */
  readonly habit: number
  readonly rtt_ms: number
  /** Few phones have a clock that is minutes off; theirs is not corrected by anybody. */
  readonly clockAhead_ms: number
  sequence: number
  /** When it will make its next sample, which is also what it promised unless it breaks the promise. */
  nextAt: Instant
  away: boolean
  isCharging: boolean
  queue: OfficerReport['sample'][]
}

/** Officers on duty with their phones, and the networks they are in. */
interface Officers {
  /** What reaches the server between the previous call and `now`, in a fixed order. */
  advance(now: Instant): OfficerReport[]
  /** The fault ends at this instant. */
  repair(fault: string, at: Instant): void
}

/**
 * Simulates officers: reports every 5 minutes +- 50 %, about 6 % of promises broken without any
 * fault, goodbyes (a part of them lost), and phones that queue while the network is away and send
 * late when it is back. Each phone has its own stream of numbers, so that a fault at one place
 * changes nothing elsewhere.
 */
export function startOfficers(script: Script, stations: readonly ScriptStation[], options: OfficersOptions): Officers {
  const interval_ms = options.interval_ms ?? 5 * minute_ms
  const phones = stations.flatMap((station) => phonesOf(station, options, script.startAt, interval_ms))
  const ends = new Map(script.disturbances.map((fault) => [fault.id, fault.repairAt ?? Infinity]))
  const faultsAt = new Map<string, ScriptedFault[]>()
  for (const fault of script.disturbances) for (const code of fault.stations) faultsAt.set(code, [...(faultsAt.get(code) ?? []), fault])
  const active = (phone: Phone, at: Instant): ScriptedFault[] =>
    (faultsAt.get(phone.station) ?? []).filter((fault) => fault.startAt <= at && at < (ends.get(fault.id) ?? 0) && (fault.operator === null || fault.operator === phone.operator))

  return {
    advance(now) {
      const arrived: OfficerReport[] = []
      for (const phone of phones) {
        while (phone.nextAt <= now) live(phone, active(phone, phone.nextAt), interval_ms, arrived)
        // The connection comes back between two samples: what was queued goes out at once.
        if (phone.queue.length > 0 && !phone.away && !isCut(active(phone, now))) unload(phone, now, arrived)
      }
      return arrived
    },
    repair(fault, at) {
      ends.set(fault, Math.min(ends.get(fault) ?? Infinity, at))
    },
  }
}

function phonesOf(station: ScriptStation, options: OfficersOptions, startAt: Instant, interval_ms: number): Phone[] {
  const place = seeded(hash32(`${options.seed} place ${station.village}`))
  const village_habit = 0.03 + 0.03 * place()
  const village_rtt_ms = 40 + 120 * place() ** 2
  return Array.from({ length: Math.floor(options.devicesPerStation) }, (_, index): Phone => {
    const random = seeded(hash32(`${options.seed} phone ${station.code} ${index}`))
    const lazy = random()
    return {
      id: `${station.code}-${index + 1}`, station: station.code, operator: operatorOf(random()), random,
      habit: village_habit * (0.3 + 1.4 * lazy), rtt_ms: village_rtt_ms * (0.7 + 0.6 * random()), clockAhead_ms: random() < wrong_clock_share ? Math.round((random() - 0.5) * 2 * wrong_clock_ms_max) : 0, sequence: 0,
      nextAt: startAt + Math.round(random() * interval_ms), away: false, isCharging: lazy * 7 - Math.floor(lazy * 7) < 0.25, queue: [],
    }
  })
}

function operatorOf(draw: number): string {
  let left = draw
  for (const [name, share] of operatorShares) {
    left -= share
    if (left < 0) return name
  }
  return operatorShares[0]?.[0] ?? 'telkomsel'
}

const isCut = (faults: readonly ScriptedFault[]): boolean => faults.some((fault) => fault.kind === 'operator' || fault.kind === 'power')

/** One waking of a phone: it measures, promises, and sends or queues. */
function live(phone: Phone, faults: readonly ScriptedFault[], interval_ms: number, arrived: OfficerReport[]): void {
  const at = phone.nextAt
  const { random } = phone
  const interval = Math.round((interval_ms * (0.5 + random())) / 1000) * 1000
  const breaks = random() < phone.habit
  const leaves = random() < 0.004
  const lost = random() < 0.3
  phone.nextAt = at + interval
  phone.away = false
  phone.sequence++
  const sample = measure(phone, faults, at, leaves ? null : at + interval)
  if (leaves) phone.nextAt = at + Math.round(15 * minute_ms + random() * 45 * minute_ms)
  // A broken promise: the phone sleeps past it and wakes some minutes late.
  else if (breaks) phone.nextAt = at + interval + Math.round((1 + 8 * random()) * minute_ms)
  if (isCut(faults)) {
    if (phone.queue.length < queue_max) phone.queue.push(sample)
  } else if (leaves && lost) phone.away = true
  else {
    unload(phone, at, arrived)
    arrived.push({ device: phone.id, station: phone.station, receivedAt: at, clockAhead_ms: phone.clockAhead_ms, sample })
  }
}

function unload(phone: Phone, at: Instant, arrived: OfficerReport[]): void {
  for (const sample of phone.queue.splice(0)) arrived.push({ device: phone.id, station: phone.station, receivedAt: at, clockAhead_ms: phone.clockAhead_ms, sample })
}

function measure(phone: Phone, faults: readonly ScriptedFault[], at: Instant, promise: Instant | null): OfficerReport['sample'] {
  const { random } = phone
  const congested = faults.some((fault) => fault.kind === 'congestion')
  const server = faults.some((fault) => fault.kind === 'election_server')
  const power = faults.some((fault) => fault.kind === 'power')
  const cut = isCut(faults)
  const loss = congested ? 0.05 + 0.1 * random() : 0.01
  const rttMs: number[] = []
  for (let probe = 0; probe < probes; probe++) {
    const answered = random() >= loss
    const rtt = phone.rtt_ms * Math.exp(0.35 * normal(random)) * (congested ? 25 : 1)
    if (answered && !cut) rttMs.push(Math.min(60_000, Math.round(rtt * 10) / 10))
  }
  const reached = cut ? 'offline' : 'ok'
  return {
    sequence: phone.sequence, eventAt: rfc3339(at + phone.clockAhead_ms), sim: plmn[phone.operator] ?? '51010', access: cut ? 'none' : 'cellular', accessPoint: null,
    technology: 'lte', radio: null, rttMs, timeouts: probes - rttMs.length, downKbps: null, upKbps: null,
    reach: { internet: reached, election: server && !cut ? 'timeout' : reached, platform: reached },
    charging: !power && charges(phone), nextDueAt: promise === null ? null : rfc3339(promise + phone.clockAhead_ms),
  }
}

/** A charger stays on or off for a while: of those charging one in twelve stops between two reports, of the rest one in 36 starts. */
function charges(phone: Phone): boolean {
  const draw = phone.random()
  phone.isCharging = phone.isCharging ? draw >= 21 / 256 : draw < 7 / 256
  return phone.isCharging
}

/** Standard normal, by the sum of twelve uniform numbers less six: no logarithm that platforms round apart. */
function normal(random: Random): number {
  let sum = -6
  for (let i = 0; i < 12; i++) sum += random()
  return sum
}

