import { minute_ms, type Instant } from '../kernel/clock.ts'
import { areaOf, isNear, nearestOf, stationsBeside } from './extent.ts'
import { scan, type Candidate } from './scan.ts'
import { deviceOf, fresh_ms, isHitSince, isSilent, operatorIndex, stationAt, type DetectionState, type Device, type Evidence, type FoundDisturbance, type OpenDisturbance } from './state.ts'
import { rule, statusChanges, type StatusFinding } from './status.ts'

export type Finding =
  | { readonly kind: 'disturbance_found' | 'disturbance_changed' | 'disturbance_recovered'; readonly disturbance: FoundDisturbance }
  | StatusFinding

const late_ms = 2 * minute_ms
/** A station is judged together with this many stations around it, itself among them. */
const neighbours = 6
const neighbour_hits_min = 3
/** The start is told by broken promises, which lag: what broke so shortly before it belongs to it. */
const begin_margin_ms = 2 * minute_ms
/** From so many devices on duty on, six in ten of them silent in several regencies is no single fault. */
const ingest_devices_min = 50
const ingest_share = 0.6
/** With fewer, it takes nearly all of them: a small place may well be cut off whole. */
const ingest_share_small = 0.9

/**
 * Takes in one report, or sweeps. Reports between two sweeps may come in any order; only a sweep
 * finds anything. The state is changed in place: it belongs to the caller.
 */
export function step(state: DetectionState, input: { report: Evidence } | { sweep: true }, now: Instant): Finding[] {
  if ('sweep' in input) return sweep(state, now)
  takeIn(state, input.report)
  return []
}

/** A device that a disturbance hit, as it is kept with the disturbance. */
export interface HitDevice { readonly device: string; readonly station: string; readonly operator: string }

export function hitDevices(state: DetectionState, id: string): HitDevice[] {
  const each = state.open.find((open) => open.found.id === id)
  return [...(each?.devices ?? [])].filter((device) => device.onDuty).map((device) => ({ device: device.id, station: stationAt(state, device.station).code, operator: state.operators[device.operator] ?? 'unknown' }))
}

/**
 * Takes up after a restart, before the recent reports are given again: what was open stays open under
 * its id, with the devices it had hit, until they report well. A device nobody has heard since is silent.
 */
export function adopt(state: DetectionState, found: FoundDisturbance, devices: readonly HitDevice[]): void {
  const stations = found.stations.flatMap((code) => state.stationIndex.get(code) ?? [])
  if (stations.length === 0) return
  const operator = found.cause === 'operator' || found.cause === 'congestion' ? operatorIndex(state, found.operator ?? 'unknown') : null
  const each: OpenDisturbance = { found, stations: new Set(stations), devices: new Set(), operator, calmSweeps: 0 }
  for (const { device: id, station, operator } of devices) {
    const index = state.stationIndex.get(station)
    if (index === undefined) continue
    const device = deviceOf(state, id, index, operator)
    Object.assign(device, { hitBy: each, onDuty: true, dueAt: found.startedAt })
    each.devices.add(device)
  }
  state.open.push(each)
}

/**
 * Nobody could be heard between `from` and `now`: no promise that came due then was broken by the
 * phone or its network. They are due again one interval from now.
 */
export function forgive(state: DetectionState, from: Instant, now: Instant, interval_ms: number): void {
  for (const device of state.devices.values())
    if (device.onDuty && device.hitBy === null && device.dueAt + state.options.grace_ms >= from && device.dueAt < now) device.dueAt = now + interval_ms
}

function takeIn(state: DetectionState, report: Evidence): void {
  state.heardAt = Math.max(state.heardAt, report.receivedAt)
  const station = state.stationIndex.get(report.station)
  if (station === undefined) return
  const device = deviceOf(state, report.device, station, report.operator)
  if (report.eventAt < device.lastAt) return
  device.operator = operatorIndex(state, report.operator)
  if (report.receivedAt - report.eventAt > late_ms) return retract(device, report)
  // Habits are learnt outside disturbances only: a fault must not teach that silence is usual.
  if (device.onDuty && device.hitBy === null && device.promises < 10_000) {
    device.promises++
    if (report.receivedAt > device.dueAt + state.options.grace_ms) device.broken++
  }
  if (report.quality !== 'unknown') device.good = report.quality === 'good'
  device.election = report.targets.internet === false ? null : report.targets.election
  keepPromise(device, report)
}

function keepPromise(device: Device, report: Evidence): void {
  device.lastAt = report.eventAt
  device.charging = report.charging
  device.withdrawnAt = report.nextDueAt === null && device.onDuty ? device.dueAt : -Infinity
  device.onDuty = report.nextDueAt !== null
  device.dueAt = report.nextDueAt ?? Infinity
}

/** A late report that was good when it was made, or said goodbye: the silence was the phone's, not the network's. */
function retract(device: Device, report: Evidence): void {
  const explains = report.quality === 'good' || (report.quality === 'unknown' && report.nextDueAt === null)
  if (!explains || report.eventAt <= device.lastAt) return
  device.hitBy?.devices.delete(device)
  device.hitBy = null
  // Its promise counts too, or the old one would hold the phone silent again at the next sweep.
  keepPromise(device, report)
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
  const told = new Map(findings.flatMap((finding, index) => ('disturbance' in finding ? [[finding.disturbance.id, index]] : [])))
  for (const each of [...state.open]) {
    if (recovered(state, each, now)) findings.push(end(state, each, now))
    else {
      const before = JSON.stringify(each.found)
      grow(state, each, now)
      const disturbance = refresh(state, each, now)
      const index = told.get(disturbance.id)
      // What was found in this sweep is told as it has grown by its end.
      if (index !== undefined) findings[index] = { ...(findings[index] as Exclude<Finding, StatusFinding>), disturbance }
      else if (JSON.stringify(disturbance) !== before) findings.push({ kind: 'disturbance_changed', disturbance })
    }
  }
  findings.push(...statusChanges(state, now))
  return findings
}

function findFaults(state: DetectionState, now: Instant): Finding[] {
  const findings: Finding[] = []
  for (const candidate of scan(state, now)) {
    const near = state.open.find((each) => each.operator === candidate.operator && each.found.cause === candidate.cause && isNear(state, each, candidate.stations))
    if (near !== undefined) {
      join(near, candidate)
      findings.push({ kind: 'disturbance_changed', disturbance: refresh(state, near, now) })
    } else findings.push({ kind: 'disturbance_found', disturbance: openFound(state, candidate, now) })
  }
  return findings
}

function join(each: OpenDisturbance, candidate: Pick<Candidate, 'stations' | 'devices'>): void {
  for (const station of candidate.stations) each.stations.add(station)
  for (const device of candidate.devices) {
    device.hitBy = each
    each.devices.add(device)
  }
}

function openFound(state: DetectionState, candidate: Candidate, now: Instant): FoundDisturbance {
  // Of the first fifth, not the first: one phone may have rested already.
  const signs = candidate.devices.map((device) => Math.min(now, device.good ? device.dueAt : device.lastAt)).sort((a, b) => a - b)
  const startedAt = signs[Math.floor(signs.length / 5)] ?? now
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
  // Stations are only ever added.
  const stations = each.found.stations.length === each.stations.size ? each.found.stations : [...each.stations].map((index) => stationAt(state, index).code).sort()
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
      else if (each.found.cause === 'election_server' ? device.election === false : !device.good) counts.devicesBad++
      else counts.devicesGood++
    }
  each.found = { ...each.found, stations, areaCode: areaOf(stations), evidence: { ...each.found.evidence, ...counts } }
  return each.found
}

/**
 * Stations beside the disturbance belong to it when most of the devices around them were hit since it
 * began. One that fell silent alone among well ones is an officer who left: counted, it would pull the
 * disturbance over the whole map.
 */
function grow(state: DetectionState, each: OpenDisturbance, now: Instant): void {
  if (each.found.cause === 'election_server' || each.found.cause === 'ingest') return
  const beside = stationsBeside(state, each.stations)
  const mine = (index: number): Device[] => (state.byStation.get(index) ?? []).filter((device) => device.onDuty && (each.operator === null || device.operator === each.operator))
  const hit = (device: Device): boolean => (device.hitBy === null || device.hitBy === each) && isHitSince(state, device, each.found.startedAt - begin_margin_ms, now)
  const pool = beside.filter((index) => mine(index).length > 0).sort((a, b) => a - b)
  for (const index of pool) {
    const news = mine(index).filter((device) => device.hitBy === null && hit(device))
    if (news.length === 0) continue
    if (!each.stations.has(index)) {
      const around = nearestOf(state, index, pool, neighbours).flatMap(mine)
      const hits = around.filter(hit).length
      if (hits < neighbour_hits_min || hits < 0.5 * around.length) continue
    }
    join(each, { stations: [index], devices: news })
  }
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
  if (each.found.cause === 'ingest') forgive(state, each.found.startedAt, now, fresh_ms)
  return { kind: 'disturbance_recovered', disturbance: each.found }
}

/** Most of everybody silent at once is our own intake: no operator is blamed for it. */
function findIngest(state: DetectionState, now: Instant): Finding | null {
  if (state.open.some((each) => each.found.cause === 'ingest')) return null
  const duty = [...state.devices.values()].filter((device) => device.onDuty)
  const silent = duty.filter((device) => isSilent(state, device, now))
  const isLarge = duty.length >= ingest_devices_min && regencies(state, silent) >= 2
  if (silent.length < Math.max(state.options.devices_min, (isLarge ? ingest_share : ingest_share_small) * duty.length)) return null
  // What a disturbance explains already is not held against the intake a second time.
  const devices = silent.filter((device) => device.hitBy === null)
  if (devices.length < 0.5 * silent.length) return null
  return { kind: 'disturbance_found', disturbance: openFound(state, { cause: 'ingest', operator: null, score: silent.length, stations: [...new Set(devices.map((device) => device.station))], devices }, now) }
}

/**
 * Promises were broken and nothing at all came in since they were made due: our own intake may be
 * failing. Nobody is blamed until something comes in, or it is found to be so.
 */
function isDeaf(state: DetectionState, now: Instant): boolean {
  for (const device of state.devices.values()) if (isSilent(state, device, now) && device.hitBy === null && device.dueAt >= state.heardAt) return true
  return false
}

function regencies(state: DetectionState, devices: readonly Device[]): number {
  return new Set(devices.map((device) => stationAt(state, device.station).village.slice(0, 4))).size
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

const round = (value: number): number => Math.round(value * 10) / 10
