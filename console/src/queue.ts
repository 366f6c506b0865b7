import type { LiveArea, LiveClock, LiveDisturbance, LiveTicket } from '@kawal/contract/live.ts'
import { statuses, type Status } from '@kawal/core/kernel/status.ts'
import type { LiveState } from './live.ts'

export type Counts = Record<Status, number>

export function statusOf(text: string): Status {
  return statuses.find((status) => status === text) ?? 'unknown'
}

export function totalOf(counts: Counts): number {
  return counts.ok + counts.watch + counts.degraded + counts.down + counts.unknown
}

/** Stations hit: down or degraded. */
export function hitOf(counts: Counts): number {
  return counts.down + counts.degraded
}

export const levels = ['province', 'regency', 'district', 'village'] as const
export type Level = (typeof levels)[number]

/** The areas of the coarsest level present: each station is in exactly one of them. */
export function topAreas(areas: ReadonlyMap<string, LiveArea>): LiveArea[] {
  const rows = [...areas.values()]
  for (const level of levels) {
    const found = rows.filter((area) => area.level === level)
    if (found.length > 0) return found
  }
  return []
}

export function sumOf(areas: readonly LiveArea[]): Counts {
  const sum: Counts = { ok: 0, watch: 0, degraded: 0, down: 0, unknown: 0 }
  for (const { counts } of areas) for (const status of statuses) sum[status] += counts[status]
  return sum
}

/** A disturbance lies in an area when its own code or one of its stations does. */
export function isIn(disturbance: LiveDisturbance, area: string): boolean {
  return disturbance.areaCode.startsWith(area) || disturbance.stations.some((code) => code.startsWith(area))
}

interface Roll { readonly cause: string; readonly operator: string | null; readonly stations: number; readonly disturbances: readonly LiveDisturbance[] }
export interface Queue {
  readonly cards: readonly LiveDisturbance[]
  /** What a storm would have added beyond ten cards in ten minutes, by cause. */
  readonly rolls: readonly Roll[]
  readonly recovered: readonly LiveDisturbance[]
}

const stormMs = 10 * 60_000
const newCardsMax = 10
const recoveredMax = 10

const byStations = (a: LiveDisturbance, b: LiveDisturbance): number =>
  b.stations.length - a.stations.length || Date.parse(a.startedAt) - Date.parse(b.startedAt) || (a.id < b.id ? -1 : 1)

/**
 * Open disturbances, most stations first; of those found in the last ten minutes at most ten are
 * cards, the rest rolls up by cause and operator.
 * @param now server's clock, ms
 * @param keep id of a disturbance that stays a card whatever its rank (the selected one)
 */
export function queueOf(disturbances: Iterable<LiveDisturbance>, now: number, keep: string | null = null): Queue {
  const cards: LiveDisturbance[] = []
  const recovered: LiveDisturbance[] = []
  const rolls = new Map<string, { cause: string; operator: string | null; stations: number; disturbances: LiveDisturbance[] }>()
  let fresh = 0
  for (const row of [...disturbances].sort(byStations)) {
    if (row.status === 'recovered') {
      recovered.push(row)
      continue
    }
    const isFresh = now - Date.parse(row.foundAt) < stormMs
    if (isFresh) fresh += 1
    if (!isFresh || fresh <= newCardsMax || row.id === keep) {
      cards.push(row)
      continue
    }
    const key = `${row.cause} ${row.operator ?? ''}`
    const roll = rolls.get(key) ?? { cause: row.cause, operator: row.operator, stations: 0, disturbances: [] }
    roll.stations += row.stations.length
    roll.disturbances.push(row)
    rolls.set(key, roll)
  }
  recovered.sort((a, b) => Date.parse(b.endedAt ?? b.foundAt) - Date.parse(a.endedAt ?? a.foundAt))
  return { cards, rolls: [...rolls.values()].sort((a, b) => b.stations - a.stations), recovered: recovered.slice(0, recoveredMax) }
}

export type ClockState = 'running' | 'paused' | 'at_risk' | 'overdue' | 'met'

/** A clock whose time has passed is overdue from that second on, without waiting for the server to say so. */
export function clockState(clock: LiveClock, now: number): ClockState {
  const state = clock.state as ClockState
  return (state === 'running' || state === 'at_risk') && now >= Date.parse(clock.dueAt) ? 'overdue' : state
}

const finished = new Set(['closed', 'cancelled'])

/** The clock that runs out next: overdue ones first since they ran out already; paused and met ones do not run. */
export function nextClock(state: LiveState, now: number): { clock: LiveClock; ticket: LiveTicket } | null {
  let best: { clock: LiveClock; ticket: LiveTicket } | null = null
  for (const ticket of state.tickets.values()) {
    if (finished.has(ticket.status)) continue
    for (const clock of ticket.clocks) {
      const is = clockState(clock, now)
      if (is === 'paused' || is === 'met') continue
      if (best === null || Date.parse(clock.dueAt) < Date.parse(best.clock.dueAt)) best = { clock, ticket }
    }
  }
  return best
}

/** The clock shown on a card: the one still running that is due first. */
export function cardClock(ticket: LiveTicket, now: number): LiveClock | null {
  const open = ticket.clocks.filter((clock) => clockState(clock, now) !== 'met')
  open.sort((a, b) => Date.parse(a.dueAt) - Date.parse(b.dueAt))
  return open[0] ?? ticket.clocks[0] ?? null
}

const reportedMax = 20

/** What officers reported and nobody has settled, newest first: the rows to show, and how many there are. */
export function reportedOf(state: LiveState, area: string | null): { rows: LiveTicket[]; total: number } {
  const open = [...state.tickets.values()].filter((ticket) => ticket.problem !== null && !finished.has(ticket.status) && (area === null || ticket.problem.station.startsWith(area)))
  open.sort((a, b) => Date.parse(b.openedAt) - Date.parse(a.openedAt) || (a.id < b.id ? 1 : -1))
  return { rows: open.slice(0, reportedMax), total: open.length }
}

export function ticketOf(state: LiveState, disturbance: LiveDisturbance): LiveTicket | null {
  if (disturbance.ticketId !== null) {
    const ticket = state.tickets.get(disturbance.ticketId)
    if (ticket !== undefined) return ticket
  }
  for (const ticket of state.tickets.values()) if (ticket.disturbanceId === disturbance.id) return ticket
  return null
}
