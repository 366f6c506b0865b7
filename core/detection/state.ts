import { minute_ms, second_ms, type Instant } from '../kernel/clock.ts'
import type { Status } from '../kernel/status.ts'
import { buildNodes, type NodeStation, type Nodes } from './nodes.ts'

/** One report as detection sees it. `null` targets were not tested; `nextDueAt` null is goodbye. */
export interface Evidence {
  readonly device: string
  readonly station: string
  readonly operator: string
  readonly eventAt: Instant
  readonly receivedAt: Instant
  /** `unknown` keeps a promise and says nothing of the network. */
  readonly quality: 'good' | 'bad' | 'unknown'
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

interface DetectionOptions {
  /** A promise counts as broken this long after it was due. */
  readonly grace_ms: number
  /** Log-likelihood ratio (nats) from which a node is a disturbance. */
  readonly threshold: number
  readonly devices_min: number
  /** One station alone may be one officer's doing: a disturbance is of several. */
  readonly stations_min: number
  /** A device silent for longer has gone off duty, unless its station lies in an open disturbance. */
  readonly duty_ms: number
}

const defaults: DetectionOptions = { grace_ms: 30 * second_ms, threshold: 10, devices_min: 5, stations_min: 2, duty_ms: 20 * minute_ms }
/** How firmly a device's own habit is held towards the common rate of broken promises. */
const habit_prior = { broken: 0.6, promises: 8 }
/** A report says something of the present for this long. */
export const fresh_ms = 7 * minute_ms

export interface Device {
  readonly id: string
  readonly station: number
  operator: number
  lastAt: Instant
  dueAt: Instant
  /** When the promise that its goodbye took back would have been due; -Infinity when it took none back. */
  withdrawnAt: Instant
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

/** Begins with no knowledge: every station is unknown. */
export function startDetection(stations: readonly DetectionStation[], options: Partial<DetectionOptions> = {}): DetectionState {
  return {
    options: { ...defaults, ...options }, stations, stationIndex: new Map(stations.map((station, index) => [station.code, index])), nodes: buildNodes(stations),
    operators: [], devices: new Map(), byStation: new Map(), statuses: new Map(), ownStatuses: new Map(), open: [], nextId: 1, heardAt: -Infinity,
  }
}

/** The device of this id, made when it is new. */
export function deviceOf(state: DetectionState, id: string, station: number, operator: string): Device {
  const known = state.devices.get(id)
  if (known !== undefined) return known
  const device: Device = {
    id, station, operator: operatorIndex(state, operator), lastAt: -Infinity, dueAt: Infinity, withdrawnAt: -Infinity, good: true, election: null, charging: null,
    broken: habit_prior.broken, promises: habit_prior.promises, hitBy: null, onDuty: false,
  }
  state.devices.set(id, device)
  const there = state.byStation.get(station)
  if (there === undefined) state.byStation.set(station, [device])
  else there.push(device)
  return device
}

export function operatorIndex(state: DetectionState, operator: string): number {
  const known = state.operators.indexOf(operator)
  return known < 0 ? state.operators.push(operator) - 1 : known
}

/** A promise that was not kept, and whose time is not so long past that the officer simply left. */
export function isSilent(state: DetectionState, device: Device, now: Instant): boolean {
  return device.onDuty && now > device.dueAt + state.options.grace_ms
}

export function isHit(state: DetectionState, device: Device, now: Instant): boolean {
  return isSilent(state, device, now) || (device.onDuty && !device.good && now - device.lastAt < fresh_ms)
}

/** Hit by what began at `since`: who was silent before it is not. */
export function isHitSince(state: DetectionState, device: Device, since: Instant, now: Instant): boolean {
  return isHit(state, device, now) && (!isSilent(state, device, now) || device.dueAt >= since)
}

export function stationAt(state: DetectionState, index: number): DetectionStation {
  const station = state.stations[index]
  if (station === undefined) throw new RangeError(`there is no station ${index}`)
  return station
}
