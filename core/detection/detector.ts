import { minute_ms, second_ms, type Instant } from '../kernel/clock.ts'
import type { Status } from '../kernel/status.ts'
import { buildNodes, type NodeStation, type Nodes } from './nodes.ts'
import { scan, type Candidate } from './scan.ts'

/** One report as detection sees it. `null` targets were not tested; `nextDueAt` null is goodbye. */
export interface Evidence {
  readonly device: string
  readonly station: string
  readonly operator: string
  readonly eventAt: Instant
  readonly receivedAt: Instant
  readonly quality: 'good' | 'bad'
  readonly targets: { readonly internet: boolean | null; readonly election: boolean | null; readonly platform: boolean | null }
  readonly charging: boolean | null
  readonly nextDueAt: Instant | null
}

export type DetectionStation = NodeStation
export type Cause = 'operator' | 'power' | 'congestion' | 'election_server' | 'ingest'

export interface FoundDisturbance {
  readonly id: string
  readonly cause: Cause
  /** The operator concerned; null when it is nobody in particular. */
  readonly operator: string | null
  readonly severity: 'down' | 'degraded'
  readonly areaCode: string
  readonly stations: string[]
  readonly startedAt: Instant
  readonly foundAt: Instant
  readonly endedAt: Instant | null
  readonly evidence: {
    readonly devicesExpected: number
    readonly devicesSilent: number
    readonly devicesBad: number
    readonly devicesGood: number
    readonly witnessesGood: number
    readonly score: number
    readonly threshold: number
    readonly rule: string
  }
}

export type Finding =
  | { readonly kind: 'disturbance_found' | 'disturbance_changed' | 'disturbance_recovered'; readonly disturbance: FoundDisturbance }
  /** `operator` null is the station as a whole; else as that operator's own devices alone show it. */
  | { readonly kind: 'station_status'; readonly station: string; readonly operator: string | null; readonly status: Status }

export interface DetectionOptions {
  /** A promise counts as broken this long after it was due. */
  readonly grace_ms: number
  /** Log-likelihood ratio (nats) from which a node is a disturbance. */
  readonly threshold: number
  readonly devices_min: number
  /** A device silent for longer has gone off duty, unless its station lies in an open disturbance. */
  readonly duty_ms: number
}

export const rule = 'promises-1'
const defaults: DetectionOptions = { grace_ms: 30 * second_ms, threshold: 10, devices_min: 5, duty_ms: 20 * minute_ms }
const fresh_ms = 7 * minute_ms
const late_ms = 2 * minute_ms
/** With fewer devices on duty a silence of all of them may well be one place's. */
const ingest_devices_min = 50
/** How firmly a device's own habit is held towards the common rate of broken promises. */
const habit_prior = { broken: 0.6, promises: 8 }

export interface Device {
  readonly station: number
  operator: number
  lastAt: Instant
  dueAt: Instant
  good: boolean
  election: boolean | null
  charging: boolean | null
  broken: number
  promises: number
  /** The disturbance that explains this device's silence, and whether it has been hit by it. */
  hitBy: OpenDisturbance | null
  onDuty: boolean
}

export interface OpenDisturbance {
  found: FoundDisturbance
  readonly stations: Set<number>
  readonly devices: Set<Device>
  readonly operator: number | null
  calmSweeps: number
}

export interface DetectionState {
  readonly options: DetectionOptions
  readonly stations: readonly DetectionStation[]
  readonly stationIndex: ReadonlyMap<string, number>
  readonly nodes: Nodes
  readonly operators: string[]
  readonly devices: Map<string, Device>
  readonly byStation: Map<number, Device[]>
  /** By station; and by operator and station, from that operator's own devices and disturbances alone. */
  readonly statuses: Map<number, Status>
  readonly ownStatuses: Map<number, Map<number, Status>>
  open: OpenDisturbance[]
  nextId: number
  /** When anything at all last came in. */
  heardAt: Instant
}

/**
 * Begins with no knowledge: every station is unknown. There is no snapshot; after a restart the
 * state is made again by giving it the reports once more.
 */
export function startDetection(stations: readonly DetectionStation[], options: Partial<DetectionOptions> = {}): DetectionState {
  return {
    options: { ...defaults, ...options }, stations, stationIndex: new Map(stations.map((station, index) => [station.code, index])), nodes: buildNodes(stations),
    operators: [], devices: new Map(), byStation: new Map(), statuses: new Map(), ownStatuses: new Map(), open: [], nextId: 1, heardAt: -Infinity,
  }
}

/**
 * Takes in one report, or sweeps. Reports between two sweeps may come in any order; only a sweep
 * finds anything. The state is changed in place: it belongs to the caller.
 */
export function step(state: DetectionState, input: { report: Evidence } | { sweep: true }, now: Instant): Finding[] {
  if ('sweep' in input) return sweep(state, now)
  takeIn(state, input.report)
  return []
}

/** @param operator whose view it is; null sees everybody's */
export function stationStatus(state: DetectionState, code: string, operator: string | null = null): Status {
  const index = state.stationIndex.get(code)
  if (index === undefined) return 'unknown'
  const seen = operator === null ? state.statuses : state.ownStatuses.get(state.operators.indexOf(operator))
  return seen?.get(index) ?? 'unknown'
}

/**
 * Why a station has its status: per operator the devices on duty, the silent and the bad.
 * @param only the one operator whose rows are given; null gives all
 */
export function explainStation(state: DetectionState, code: string, now: Instant, only: string | null = null) {
  const rows = new Map<number, { operator: string; status: Status; devices: number; silent: number; bad: number; lastReportAt: Instant | null }>()
  for (const device of state.byStation.get(state.stationIndex.get(code) ?? -1) ?? []) {
    if (!device.onDuty || (only !== null && state.operators[device.operator] !== only)) continue
    const row = rows.get(device.operator) ?? { operator: state.operators[device.operator] ?? 'unknown', status: 'unknown' as Status, devices: 0, silent: 0, bad: 0, lastReportAt: null }
    row.devices++
    if (isSilent(state, device, now)) row.silent++
    else if (!device.good) row.bad++
    row.lastReportAt = Math.max(row.lastReportAt ?? 0, device.lastAt)
    row.status = row.silent + row.bad === 0 ? 'ok' : row.silent + row.bad < row.devices ? 'watch' : row.silent > 0 ? 'down' : 'degraded'
    rows.set(device.operator, row)
  }
  return { rule, operators: [...rows.values()].sort((a, b) => (a.operator < b.operator ? -1 : 1)) }
}

/** A promise that was not kept, and whose time is not so long past that the officer simply left. */
export function isSilent(state: DetectionState, device: Device, now: Instant): boolean {
  return device.onDuty && now > device.dueAt + state.options.grace_ms
}

function takeIn(state: DetectionState, report: Evidence): void {
  state.heardAt = Math.max(state.heardAt, report.receivedAt)
  const station = state.stationIndex.get(report.station)
  if (station === undefined) return
  const device = state.devices.get(report.device) ?? addDevice(state, report.device, station)
  if (report.eventAt < device.lastAt) return
  if (report.receivedAt - report.eventAt > late_ms) return retract(device, report)
  let operator = state.operators.indexOf(report.operator)
  if (operator < 0) operator = state.operators.push(report.operator) - 1
  // Habits are learnt outside disturbances only: a fault must not teach that silence is usual.
  if (device.onDuty && device.hitBy === null && device.promises < 10_000) {
    device.promises++
    if (report.receivedAt > device.dueAt + state.options.grace_ms) device.broken++
  }
  device.operator = operator
  device.lastAt = report.eventAt
  device.good = report.quality === 'good'
  device.election = report.targets.internet === false ? null : report.targets.election
  device.charging = report.charging
  device.onDuty = report.nextDueAt !== null
  device.dueAt = report.nextDueAt ?? Infinity
}

/** A late report that was good when it was made: the silence was the phone's, not the network's. */
function retract(device: Device, report: Evidence): void {
  if (report.quality === 'good' && report.eventAt > device.lastAt) {
    device.hitBy?.devices.delete(device)
    device.hitBy = null
    device.lastAt = report.eventAt
    // Its promise counts too, or the old one would hold the phone silent again at the next sweep.
    device.onDuty = report.nextDueAt !== null
    device.dueAt = report.nextDueAt ?? Infinity
  }
}

function addDevice(state: DetectionState, id: string, station: number): Device {
  const device: Device = {
    station, operator: 0, lastAt: -Infinity, dueAt: Infinity, good: true, election: null, charging: null,
    broken: habit_prior.broken, promises: habit_prior.promises, hitBy: null, onDuty: false,
  }
  state.devices.set(id, device)
  const there = state.byStation.get(station)
  if (there === undefined) state.byStation.set(station, [device])
  else there.push(device)
  return device
}

function sweep(state: DetectionState, now: Instant): Finding[] {
  const findings: Finding[] = []
  for (const device of state.devices.values())
    if (device.onDuty && device.hitBy === null && now > device.dueAt + state.options.duty_ms) device.onDuty = false
  const ours = findIngest(state, now)
  if (ours !== null) findings.push(ours)
  else if (!state.open.some((each) => each.found.cause === 'ingest')) {
    findings.push(...findElection(state, now), ...(isDeaf(state, now) ? [] : findFaults(state, now)))
  }
  for (const each of [...state.open]) {
    if (recovered(state, each, now)) findings.push(end(state, each, now))
    else if (grow(state, each, now)) findings.push({ kind: 'disturbance_changed', disturbance: refresh(state, each, now) })
  }
  findings.push(...statusChanges(state, now))
  return findings
}

function findFaults(state: DetectionState, now: Instant): Finding[] {
  const findings: Finding[] = []
  for (const candidate of scan(state, now)) {
    const near = state.open.find((each) => each.operator === candidate.operator && isNear(state, each, candidate))
    if (near !== undefined) {
      join(near, candidate)
      findings.push({ kind: 'disturbance_changed', disturbance: refresh(state, near, now) })
    } else findings.push({ kind: 'disturbance_found', disturbance: openFound(state, candidate, now) })
  }
  return findings
}

function join(each: OpenDisturbance, candidate: Candidate): void {
  for (const station of candidate.stations) each.stations.add(station)
  for (const device of candidate.devices) {
    device.hitBy = each
    each.devices.add(device)
  }
}

function openFound(state: DetectionState, candidate: Candidate, now: Instant): FoundDisturbance {
  const startedAt = candidate.devices.reduce((least, device) => Math.min(least, device.good ? device.dueAt : device.lastAt), now)
  const each: OpenDisturbance = {
    stations: new Set(), devices: new Set(), operator: candidate.operator, calmSweeps: 0,
    found: {
      id: `d-${String(state.nextId++).padStart(6, '0')}`, cause: candidate.cause, operator: candidate.operator === null ? null : (state.operators[candidate.operator] ?? null),
      severity: candidate.cause === 'congestion' || candidate.cause === 'election_server' ? 'degraded' : 'down',
      areaCode: '', stations: [], startedAt, foundAt: now, endedAt: null,
      evidence: { devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0, witnessesGood: 0, score: round(candidate.score), threshold: state.options.threshold, rule },
    },
  }
  join(each, candidate)
  state.open.push(each)
  return refresh(state, each, now)
}

/** Recomputes the words of a disturbance from its stations and devices. */
function refresh(state: DetectionState, each: OpenDisturbance, now: Instant): FoundDisturbance {
  const stations = [...each.stations].map((index) => (state.stations[index] as DetectionStation).code).sort()
  const counts = { devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0, witnessesGood: 0 }
  for (const index of each.stations)
    for (const device of state.byStation.get(index) ?? []) {
      if (!device.onDuty) continue
      const silent = isSilent(state, device, now)
      if (each.operator !== null && device.operator !== each.operator) {
        if (!silent && device.good) counts.witnessesGood++
        continue
      }
      counts.devicesExpected++
      if (silent) counts.devicesSilent++
      else if (!device.good) counts.devicesBad++
      else counts.devicesGood++
    }
  each.found = { ...each.found, stations, areaCode: commonPrefix(stations), evidence: { ...each.found.evidence, ...counts } }
  return each.found
}

/** The smallest administrative area that holds them all. */
function commonPrefix(stations: readonly string[]): string {
  const first = stations[0] ?? ''
  const last = stations.at(-1) ?? ''
  const length = [10, 6, 4, 2].find((each) => first.slice(0, each) === last.slice(0, each)) ?? 0
  return first.slice(0, length)
}

/** Stations beside the disturbance whose devices are hit too belong to it. */
function grow(state: DetectionState, each: OpenDisturbance, now: Instant): boolean {
  if (each.found.cause === 'election_server' || each.found.cause === 'ingest') return false
  const before = each.stations.size
  for (const index of stationsWithin(state, box(state, each.stations, 0.02))) {
    const mine = (state.byStation.get(index) ?? []).filter((device) => device.onDuty && (each.operator === null || device.operator === each.operator))
    const hit = mine.filter((device) => isHit(state, device, now) && (device.hitBy === null || device.hitBy === each))
    if (hit.length === 0 || hit.length * 2 < mine.length) continue
    each.stations.add(index)
    for (const device of hit) {
      device.hitBy = each
      each.devices.add(device)
    }
  }
  return each.stations.size !== before
}

export function isHit(state: DetectionState, device: Device, now: Instant): boolean {
  return isSilent(state, device, now) || (device.onDuty && !device.good && now - device.lastAt < fresh_ms)
}

interface Box { readonly south: number; readonly north: number; readonly west: number; readonly east: number }

function box(state: DetectionState, stations: Iterable<number>, margin_degrees: number): Box {
  let [south, north, west, east] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const index of stations) {
    const { latitude, longitude } = state.stations[index] as DetectionStation
    if (latitude === null || longitude === null) continue
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
  }
  return { south: south - margin_degrees, north: north + margin_degrees, west: west - margin_degrees, east: east + margin_degrees }
}

function stationsWithin(state: DetectionState, { south, north, west, east }: Box): number[] {
  const within: number[] = []
  for (const index of state.byStation.keys()) {
    const { latitude, longitude } = state.stations[index] as DetectionStation
    if (latitude !== null && longitude !== null && latitude >= south && latitude <= north && longitude >= west && longitude <= east) within.push(index)
  }
  return within
}

/** Whether a new candidate is the same fault: it touches the box of the open one. */
function isNear(state: DetectionState, each: OpenDisturbance, candidate: Candidate): boolean {
  const a = box(state, each.stations, 0.05)
  const b = box(state, candidate.stations, 0)
  return a.south <= b.north && b.south <= a.north && a.west <= b.east && b.west <= a.east
}

/** Measured: the devices that had been hit report well again, on two sweeps in a row. */
function recovered(state: DetectionState, each: OpenDisturbance, now: Instant): boolean {
  const seen = [...each.devices].filter((device) => now - device.lastAt < fresh_ms && device.onDuty && now <= device.dueAt + state.options.grace_ms)
  const well = seen.filter((device) => (each.found.cause === 'election_server' ? device.election !== false : device.good))
  const enough = well.length >= Math.max(1, 0.6 * each.devices.size) || (seen.length >= Math.max(3, 0.3 * each.devices.size) && well.length >= 0.85 * seen.length && now - each.found.foundAt > 10 * minute_ms)
  each.calmSweeps = enough || each.devices.size === 0 ? each.calmSweeps + 1 : 0
  return each.calmSweeps >= 2
}

function end(state: DetectionState, each: OpenDisturbance, now: Instant): Finding {
  state.open = state.open.filter((other) => other !== each)
  for (const device of each.devices) device.hitBy = null
  each.found = { ...refresh(state, each, now), endedAt: now }
  return { kind: 'disturbance_recovered', disturbance: each.found }
}

/** Most of everybody silent at once is our own intake: no operator is blamed for it. */
function findIngest(state: DetectionState, now: Instant): Finding | null {
  if (state.open.some((each) => each.found.cause === 'ingest')) return null
  const duty = [...state.devices.values()].filter((device) => device.onDuty)
  const silent = duty.filter((device) => isSilent(state, device, now))
  if (duty.length < ingest_devices_min || silent.length < 0.6 * duty.length) return null
  if (regencies(state, silent) < 2) return null
  return { kind: 'disturbance_found', disturbance: openFound(state, { cause: 'ingest', operator: null, score: silent.length, stations: [...new Set(silent.map((device) => device.station))], devices: silent }, now) }
}

/**
 * Promises were broken in several regencies and nothing at all came in since they were made due: our
 * own intake may be failing. Nobody is blamed until something comes in, or it is found to be so.
 */
function isDeaf(state: DetectionState, now: Instant): boolean {
  const duty = [...state.devices.values()].filter((device) => device.onDuty)
  const unheard = duty.filter((device) => isSilent(state, device, now) && device.dueAt >= state.heardAt)
  return duty.length >= ingest_devices_min && unheard.length > 0 && regencies(state, unheard) >= 2
}

function regencies(state: DetectionState, devices: readonly Device[]): number {
  return new Set(devices.map((device) => state.stations[device.station]?.village.slice(0, 4))).size
}

/** The internet answers and the election server does not, for several operators: it is the server. */
function findElection(state: DetectionState, now: Instant): Finding[] {
  if (state.open.some((each) => each.found.cause === 'election_server')) return []
  const tested = [...state.devices.values()].filter((device) => device.election !== null && device.good && now - device.lastAt < 3 * minute_ms)
  const failed = tested.filter((device) => device.election === false)
  if (tested.length < 20 || failed.length < 0.4 * tested.length || new Set(failed.map((device) => device.operator)).size < 2) return []
  const stations = [...new Set(failed.map((device) => device.station))]
  return [{ kind: 'disturbance_found', disturbance: openFound(state, { cause: 'election_server', operator: null, score: failed.length, stations, devices: failed.filter((device) => device.hitBy === null) }, now) }]
}

function statusChanges(state: DetectionState, now: Instant): Finding[] {
  const all = severities(state, () => true)
  const own = state.operators.map((_, operator) => severities(state, (each) => each.operator === operator))
  const findings: Finding[] = []
  const note = (statuses: Map<number, Status>, index: number, operator: string | null, status: Status): void => {
    if (status === (statuses.get(index) ?? 'unknown')) return
    statuses.set(index, status)
    findings.push({ kind: 'station_status', station: (state.stations[index] as DetectionStation).code, operator, status })
  }
  for (const [index, devices] of state.byStation) {
    note(state.statuses, index, null, all.get(index) ?? quietStatus(state, devices, now))
    for (const operator of new Set(devices.map((device) => device.operator))) {
      let statuses = state.ownStatuses.get(operator)
      if (statuses === undefined) state.ownStatuses.set(operator, (statuses = new Map()))
      const status = own[operator]?.get(index) ?? quietStatus(state, devices.filter((device) => device.operator === operator), now)
      note(statuses, index, state.operators[operator] ?? null, status)
    }
  }
  return findings
}

/** The worst severity of the open disturbances that count, by station. */
function severities(state: DetectionState, counts: (each: OpenDisturbance) => boolean): Map<number, Status> {
  const worst = new Map<number, Status>()
  for (const each of state.open) {
    if (each.found.cause === 'ingest' || !counts(each)) continue // our own blindness says nothing of a station
    for (const index of each.stations) if (worst.get(index) !== 'down') worst.set(index, each.found.severity)
  }
  return worst
}

function quietStatus(state: DetectionState, devices: readonly Device[], now: Instant): Status {
  let hit = 0
  let good = 0
  for (const device of devices) {
    if (isHit(state, device, now)) hit++
    else if (device.onDuty && now - device.lastAt < 2 * fresh_ms) good++
  }
  if (hit + good === 0) return 'unknown'
  return hit > good ? 'watch' : 'ok'
}

const round = (value: number): number => Math.round(value * 10) / 10
