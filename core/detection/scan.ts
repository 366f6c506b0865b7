import { minute_ms, type Instant } from '../kernel/clock.ts'
import { strongestCircle, type DeviceEvent } from './circles.ts'
import { isHit, isSilent, type Cause, type DetectionState, type Device } from './state.ts'

/** A fault that the evidence asks for: its operator (null: everybody's), stations and hit devices. */
export interface Candidate {
  readonly cause: Cause
  readonly operator: number | null
  readonly score: number
  readonly stations: readonly number[]
  readonly devices: readonly Device[]
}

const windows_ms = [3 * minute_ms, 5 * minute_ms, 10 * minute_ms]
const candidates_max = 20
/** Places passed over for being one station alone do not use up the others' turns. */
const rounds_max = 80
/** A fault takes at least this share of its devices; less is a bad hour. */
const hit_share_min = 0.5
/** Broken promises come in bunches (beta-binomial): the expectation is held this much wider. */
const overdispersion = 1.6
const quiet_rate_min = 0.04
/** Goodbyes that are lost for each that is heard: three in ten on their way, and some phones die without one. */
const lost_per_goodbye = 0.5
/** Nats that a circle must reach beyond a node's threshold: there are many more circles to be wrong. */
const circle_surcharge = 2

/**
 * Scans every node, and circles around what was hit, for each operator and for more broken promises and bad reports than the devices' own
 * habits explain. Score: binomial log-likelihood ratio (Kulldorff 1997) against an expectation from
 * each device's habit, widened for overdispersion, over windows of 3, 5 and 10 minutes.
 * The best candidate explains its devices; the rest is scanned again.
 */
export function scan(state: DetectionState, now: Instant): Candidate[] {
  const found: Candidate[] = []
  const explained = new Set<Device>()
  const columns = columnsOf(state, now)
  const passed = new Set<string>()
  for (let round = 0; round < rounds_max && found.length < candidates_max; round++) {
    const best = strongest(state, now, columns, explained, passed)
    if (best === null) break
    const candidate = describe(state, now, best, explained)
    // A single station that stands out may be one officer's doing; a wider place is still looked at.
    if (candidate.stations.length < state.options.stations_min) {
      passed.add(best.name)
      continue
    }
    for (const device of candidate.devices) explained.add(device)
    for (const station of candidate.stations)
      for (const device of state.byStation.get(station) ?? [])
        if (candidate.operator === null || device.operator === candidate.operator) explained.add(device)
    found.push(candidate)
  }
  return found
}

/** A place, by the name it is passed over by; `operator` null: everybody's. */
interface Best { readonly name: string; readonly stations: () => readonly number[]; readonly operator: number | null; readonly score: number; readonly window: number }

/** A column for each operator that could be a fault's at all: of a thousand, few have devices hit at once. */
interface Columns { readonly operators: readonly number[]; readonly of: Int32Array }

function columnsOf(state: DetectionState, now: Instant): Columns {
  const hits = new Uint32Array(state.operators.length)
  const widest = windows_ms.at(-1) ?? 0
  for (const device of state.devices.values()) if (device.hitBy === null && eventIn(state, device, now, widest) === 1) hits[device.operator] = (hits[device.operator] ?? 0) + 1
  const operators = state.operators.map((_, operator) => operator).filter((operator) => (hits[operator] ?? 0) >= state.options.devices_min).sort((a, b) => byName(state, a, b))
  const of = new Int32Array(state.operators.length).fill(-1)
  operators.forEach((operator, column) => (of[operator] = column))
  return { operators, of }
}

interface Sums { readonly hits: Float64Array; readonly events: Float64Array; readonly expected: Float64Array }

function count(sums: Sums, cell: number, event: number, habit: number): void {
  sums.events[cell] = (sums.events[cell] ?? 0) + 1
  sums.hits[cell] = (sums.hits[cell] ?? 0) + event
  sums.expected[cell] = (sums.expected[cell] ?? 0) + habit
}

function strongest(state: DetectionState, now: Instant, columns: Columns, explained: ReadonlySet<Device>, passed: ReadonlySet<string>): Best | null {
  let best: Best | null = null
  for (const window of windows_ms) {
    const events: DeviceEvent[] = []
    for (const device of state.devices.values()) {
      if (device.hitBy !== null || explained.has(device)) continue
      const event = eventIn(state, device, now, window)
      // In whole millionths: sums of them are exact, so the order in which devices came in changes nothing.
      if (event >= 0) events.push({ device, hit: event === 1, habit: Math.round(1e6 * Math.max(device.onDuty ? quiet_rate_min : lost_per_goodbye, (device.broken / device.promises) * overdispersion)) })
    }
    for (const found of [strongestNode(state, events, window, columns, passed), ...circles(state, events, window, columns, passed)])
      if (found !== null && found.score > (best?.score ?? 0)) best = found
  }
  return best
}

/** What a place is worth; 0 for one with too few hits, or mostly well. */
function worth(state: DetectionState, k: number, n: number, expected: number): number {
  return k < state.options.devices_min || k < hit_share_min * n ? 0 : ratio(k, n, expected + 0.3)
}

function circles(state: DetectionState, events: readonly DeviceEvent[], window: number, columns: Columns, passed: ReadonlySet<string>): (Best | null)[] {
  return [...columns.operators, null].map((operator) => {
    const name = (centre: number): string => `circle ${window} ${centre} ${operator}`
    const mine = operator === null ? events : events.filter(({ device }) => device.operator === operator)
    const found = strongestCircle(state, mine, (k, n, expected) => worth(state, k, n, expected), state.options.threshold + circle_surcharge, (centre) => passed.has(name(centre)))
    return found === null ? null : { name: name(found.centre), stations: () => found.stations, operator, score: found.score, window }
  })
}

function strongestNode(state: DetectionState, events: readonly DeviceEvent[], window: number, { operators, of }: Columns, passed: ReadonlySet<string>): Best | null {
  // The last column is everybody's: a small power cut is small for each operator.
  const columns = operators.length + 1
  const size = state.nodes.count * columns
  const sums: Sums = { hits: new Float64Array(size), events: new Float64Array(size), expected: new Float64Array(size) }
  for (const { device, hit, habit } of events) {
    const column = of[device.operator] ?? -1
    for (let at = state.nodes.start[device.station] ?? 0; at < (state.nodes.start[device.station + 1] ?? 0); at++) {
      const row = (state.nodes.members[at] ?? 0) * columns
      count(sums, row + operators.length, Number(hit), habit)
      if (column >= 0) count(sums, row + column, Number(hit), habit)
    }
  }
  let best: Best | null = null
  for (let cell = 0; cell < size; cell++) {
    const score = worth(state, sums.hits[cell] ?? 0, sums.events[cell] ?? 0, (sums.expected[cell] ?? 0) / 1e6)
    if (score <= Math.max(state.options.threshold, best?.score ?? 0)) continue
    const node = Math.floor(cell / columns)
    const operator = operators[cell % columns] ?? null
    const name = `node ${window} ${node} ${operator}`
    if (!passed.has(name)) best = { name, stations: () => stationsIn(state, node), operator, score, window }
  }
  return best
}

function stationsIn(state: DetectionState, node: number): number[] {
  return [...state.byStation.keys()].filter((station) => {
    for (let at = state.nodes.start[station] ?? 0; at < (state.nodes.start[station + 1] ?? 0); at++) if (state.nodes.members[at] === node) return true
    return false
  })
}

/**
 * 1 hit, 0 well, -1 nothing happened to this device in the window. A promise that a goodbye took back counts as
 * kept at the instant when it was due: whoever left and was heard says what the silence of those beside him is
 * worth, when all leave at once and a part of the goodbyes is lost. In a fault no goodbye is heard.
 */
function eventIn(state: DetectionState, device: Device, now: Instant, window: number): number {
  if (!device.onDuty) return device.good && now > device.withdrawnAt + state.options.grace_ms && now - device.withdrawnAt <= window + state.options.grace_ms ? 0 : -1
  if (isSilent(state, device, now)) return now - device.dueAt <= window + state.options.grace_ms ? 1 : -1
  if (now - device.lastAt > window) return -1
  return device.good ? 0 : 1
}

/** Binomial log-likelihood ratio (nats) of k hits among n where `expected` were likely. */
function ratio(k: number, n: number, expected: number): number {
  const mean = Math.min(expected, n - 0.01)
  if (k <= mean) return 0
  return k * Math.log(k / mean) + (n > k ? (n - k) * Math.log((n - k) / (n - mean)) : 0)
}

function describe(state: DetectionState, now: Instant, best: Best, explained: ReadonlySet<Device>): Candidate {
  const inNode = best.stations()
  const free = (device: Device): boolean => device.onDuty && device.hitBy === null && !explained.has(device)
  const widest = windows_ms.at(-1) ?? 0
  const hit = inNode.flatMap((station) => (state.byStation.get(station) ?? []).filter((device) => free(device) && eventIn(state, device, now, widest) === 1))
  const leading = best.operator ?? mostHit(state, hit)
  const mine = hit.filter((device) => device.operator === leading)
  const stations = [...new Set(mine.map((device) => device.station))]
  const others = stations.flatMap((station) => (state.byStation.get(station) ?? []).filter((device) => free(device) && device.operator !== leading && eventIn(state, device, now, best.window) >= 0))
  const othersHit = others.filter((device) => isHit(state, device, now))
  // Other operators at the same stations are each other's witnesses; where few share a station, those of the node are.
  const around = hit.length - mine.length
  const aroundAll = inNode.reduce((sum, station) => sum + (state.byStation.get(station) ?? []).filter((device) => free(device) && device.operator !== leading && eventIn(state, device, now, best.window) >= 0).length, 0)
  const everybody = othersHit.length >= 2 ? othersHit.length >= 0.5 * others.length : best.operator === null && around >= 2 && around >= 0.5 * aroundAll
  const devices = everybody ? hit : mine
  const bad = devices.filter((device) => !isSilent(state, device, now)).length
  const cause: Cause = bad >= 0.5 * devices.length ? 'congestion' : everybody ? 'power' : 'operator'
  return { cause, operator: everybody && cause === 'power' ? null : leading, score: best.score, stations: [...new Set(devices.map((device) => device.station))], devices }
}

/** Operators are numbered in the order they were heard of, which no decision may rest on. */
const byName = (state: DetectionState, a: number, b: number): number => ((state.operators[a] ?? '') < (state.operators[b] ?? '') ? -1 : 1)

function mostHit(state: DetectionState, devices: readonly Device[]): number {
  const counts = new Map<number, number>()
  for (const device of devices) counts.set(device.operator, (counts.get(device.operator) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || byName(state, a[0], b[0]))[0]?.[0] ?? 0
}
