import type { Instant } from '../kernel/clock.ts'
import type { Status } from '../kernel/status.ts'
import { fresh_ms, isHit, isSilent, stationAt, type DetectionState, type Device, type OpenDisturbance } from './state.ts'

/** The rule that statuses and disturbances are judged by; it changes when the judgement does. */
export const rule = 'promises-1'

/** `operator` null is the station as a whole; else as that operator's own devices alone show it. */
export interface StatusFinding {
  readonly kind: 'station_status'
  readonly station: string
  readonly operator: string | null
  readonly status: Status
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
    if (device.lastAt > -Infinity) row.lastReportAt = Math.max(row.lastReportAt ?? 0, device.lastAt)
    row.status = row.silent + row.bad === 0 ? 'ok' : row.silent + row.bad < row.devices ? 'watch' : row.silent > 0 ? 'down' : 'degraded'
    rows.set(device.operator, row)
  }
  return { rule, operators: [...rows.values()].sort((a, b) => (a.operator < b.operator ? -1 : 1)) }
}

/** What changed since the sweep before, and keeps it. */
export function statusChanges(state: DetectionState, now: Instant): StatusFinding[] {
  const all = severities(state, () => true)
  const own = state.operators.map((_, operator) => severities(state, (each) => each.operator === operator))
  const findings: StatusFinding[] = []
  const note = (statuses: Map<number, Status>, index: number, operator: string | null, status: Status): void => {
    if (status === (statuses.get(index) ?? 'unknown')) return
    statuses.set(index, status)
    findings.push({ kind: 'station_status', station: stationAt(state, index).code, operator, status })
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
