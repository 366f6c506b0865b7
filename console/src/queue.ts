import type { LiveArea, LiveClock, LiveDisturbance, LiveTicket } from '@kawal/contract/live.ts'
import { isOngoing, type Cause } from '@kawal/core/detection/disturbance.ts'
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

/** Confirmed, and not yet measured to be well: what the operators are told of. */
export const isTold = (row: LiveDisturbance): boolean => row.stage === 'confirmed' || row.stage === 'recovering'

/** Over under its own name, and going on within another one: not measured to be well. */
export const isMerged = (row: Pick<LiveDisturbance, 'stage' | 'parent'>): boolean => row.stage === 'ended' && row.parent !== null

/** Fewer are silent because they left: nobody has reported that it is well. */
export const isUnheard = (row: Pick<LiveDisturbance, 'stage' | 'evidence'>): boolean => row.stage === 'recovering' && row.evidence.devicesGood === 0

/** The stations of what is confirmed, each once. @param area code that they lie in; null is everywhere */
export function hitStations(disturbances: Iterable<LiveDisturbance>, area: string | null): number {
  const hit = new Set<string>()
  for (const row of disturbances) if (isTold(row)) for (const code of row.stations) if (area === null || code.startsWith(area)) hit.add(code)
  return hit.size
}

interface Roll { readonly cause: Cause; readonly operator: string | null; readonly stations: number; readonly disturbances: readonly LiveDisturbance[] }
export interface Queue {
  readonly cards: readonly LiveDisturbance[]
  /** What a storm would have added beyond ten cards in ten minutes, by cause. */
  readonly rolls: readonly Roll[]
  /** What a disturbance holds back beneath it, by its id. */
  readonly held: ReadonlyMap<string, readonly LiveDisturbance[]>
  readonly suspected: readonly LiveDisturbance[]
  /** What announced work explains. */
  readonly planned: readonly LiveDisturbance[]
  /** Ended and retracted, the newest first. */
  readonly past: readonly LiveDisturbance[]
}

const storm_ms = 10 * 60_000
const newCardsMax = 10
/** Rows of a list that nobody works through; how many there are stands beside it. */
export const restMax = 20
/** A parent's parent and so on: deeper is a mistake in the data. */
const depthMax = 8

/** The highest priority first; what has not been weighed yet comes before all: it is not known to be small. */
const byPriority = (a: LiveDisturbance, b: LiveDisturbance): number =>
  Number(b.impact === null) - Number(a.impact === null) || (b.impact?.priority ?? 0) - (a.impact?.priority ?? 0)
  || b.stations.length - a.stations.length || Date.parse(a.startedAt) - Date.parse(b.startedAt) || (a.id < b.id ? -1 : 1)

/** The disturbance that holds this one back, whoever holds that; null when it is held by none that is ongoing. */
function holderOf(row: LiveDisturbance, ongoing: ReadonlyMap<string, LiveDisturbance>): string | null {
  let at = row
  for (let depth = 0; depth < depthMax; depth += 1) {
    const parent = at.parent === null ? undefined : ongoing.get(at.parent)
    if (parent === undefined) return at === row ? null : at.id
    at = parent
  }
  return null
}

/**
 * Those that are cards at an instant, so that ten minutes never add more than ten: each has a place in the order
 * in which they were confirmed, and a place goes to the highest priority of what is there ten minutes after it
 * came up, so that a large one is not kept waiting by small ones and an old card is not put away by new ones.
 * @param told by priority, the highest first
 * @param now ms
 */
function cardsAt(told: readonly LiveDisturbance[], now: number): Set<LiveDisturbance> {
  const rows = told.map((row) => ({ row, at: Date.parse(row.foundAt ?? row.suspectedAt) }))
  const places: number[] = []
  for (const { at } of [...rows].sort((a, b) => a.at - b.at)) {
    const before = places.at(-newCardsMax)
    places.push(before === undefined ? at : Math.max(at, before + storm_ms))
  }
  const cards = new Set<LiveDisturbance>()
  for (const place of places) {
    if (place > now) break
    const next = rows.find(({ row, at }) => !cards.has(row) && at <= place + storm_ms)
    if (next !== undefined) cards.add(next.row)
  }
  return cards
}

/**
 * Ongoing disturbances by what they do to the election. One cause is one card: what another one holds back is
 * counted beneath it. In a storm the cards with the highest priority stand, the rest rolls up by cause and operator.
 * @param now server's clock, ms
 * @param keep id of a disturbance that stays a card whatever its rank (the selected one)
 */
export function queueOf(disturbances: Iterable<LiveDisturbance>, now: number, keep: string | null = null): Queue {
  const rows = [...disturbances].sort(byPriority)
  const ongoing = new Map(rows.filter((row) => isOngoing(row.stage)).map((row) => [row.id, row]))
  const held = new Map<string, LiveDisturbance[]>()
  const planned: LiveDisturbance[] = []
  const suspected: LiveDisturbance[] = []
  const told: LiveDisturbance[] = []
  for (const row of ongoing.values()) {
    const holder = holderOf(row, ongoing)
    if (holder !== null) held.set(holder, [...(held.get(holder) ?? []), row])
    else if (row.plannedWork !== null) planned.push(row)
    else (row.stage === 'suspected' ? suspected : told).push(row)
  }
  const standing = cardsAt(told, now)
  const isCard = (row: LiveDisturbance): boolean => standing.has(row) || row.id === keep
  const past = rows.filter((row) => !isOngoing(row.stage))
  past.sort((a, b) => Date.parse(b.endedAt ?? b.suspectedAt) - Date.parse(a.endedAt ?? a.suspectedAt) || (a.id < b.id ? -1 : 1))
  return { cards: told.filter(isCard), rolls: rolled(told.filter((row) => !isCard(row))), held, suspected, planned, past }
}

/** How many causes are confirmed and ongoing, rolled up or not. */
export const openOf = ({ cards, rolls }: Queue): number => cards.length + rolls.reduce((sum, roll) => sum + roll.disturbances.length, 0)

function rolled(rows: readonly LiveDisturbance[]): Roll[] {
  const rolls = new Map<string, { cause: Cause; operator: string | null; stations: number; disturbances: LiveDisturbance[] }>()
  for (const row of rows) {
    const key = `${row.cause} ${row.operator ?? ''}`
    const roll = rolls.get(key) ?? { cause: row.cause, operator: row.operator, stations: 0, disturbances: [] }
    roll.stations += row.stations.length
    roll.disturbances.push(row)
    rolls.set(key, roll)
  }
  return [...rolls.values()].sort((a, b) => b.stations - a.stations)
}

/** The share of the likelihood that each cause has, 0..1, the largest first. */
export function sharesOf(causes: LiveDisturbance['evidence']['causes']): { cause: Cause; share: number }[] {
  const best = Math.max(...causes.map((each) => each.nats))
  const sum = causes.reduce((all, each) => all + Math.exp(each.nats - best), 0)
  return causes.map((each) => ({ cause: each.cause, share: Math.exp(each.nats - best) / sum })).sort((a, b) => b.share - a.share)
}

/** What would tell the causes weighed apart and is not known: signs that nothing was counted for, and witnesses. */
export function missingOf(evidence: LiveDisturbance['evidence']): Missing[] {
  const seen = (names: readonly string[]): boolean => evidence.signs.some((each) => names.includes(each.sign) && each.of > 0)
  const missing: Missing[] = []
  const weighed = (names: readonly Cause[]): boolean => evidence.causes.some((each) => names.includes(each.cause))
  if (weighed(['power']) && !seen(['chargers_off'])) missing.push('chargers')
  if (weighed(['access', 'backhaul']) && !seen(['radio_strong', 'radio_weak'])) missing.push('radio')
  if (!seen(['getting_through', 'late_reports', 'slow', 'lossy'])) missing.push('reports')
  if (evidence.witnessesGood === 0) missing.push('witnesses')
  if (!seen(['alarm'])) missing.push('alarm')
  return missing
}
export type Missing = 'chargers' | 'radio' | 'reports' | 'witnesses' | 'alarm'

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
export const reportedOf = (state: LiveState, area: string | null): Told => toldOf(state, ({ problem }) => problem !== null && (area === null || problem.station.startsWith(area)))

/** What organisations ask of the monitoring centre, likewise. They name no area. */
export const requestedOf = (state: LiveState): Told => toldOf(state, ({ request }) => request !== null)

interface Told { readonly rows: LiveTicket[]; readonly total: number }

function toldOf(state: LiveState, isOne: (ticket: LiveTicket) => boolean): Told {
  const open = [...state.tickets.values()].filter((ticket) => !finished.has(ticket.status) && isOne(ticket))
  open.sort((a, b) => Date.parse(b.openedAt) - Date.parse(a.openedAt) || (a.id < b.id ? 1 : -1))
  return { rows: open.slice(0, reportedMax), total: open.length }
}

/** The ticket that stands for a disturbance: its own, or the one that its own was merged into; else the last that was cancelled. */
export function ticketOf(state: LiveState, { id, ticketId }: LiveDisturbance): LiveTicket | null {
  const stands = ({ status, disturbanceId, covers }: LiveTicket): boolean => status !== 'cancelled' && (disturbanceId === id || covers.includes(id))
  const named = ticketId === null ? undefined : state.tickets.get(ticketId)
  if (named !== undefined && stands(named)) return named
  let own = named
  for (const ticket of state.tickets.values()) {
    if (stands(ticket)) return ticket
    if (ticket.disturbanceId === id) own ??= ticket
  }
  return own ?? null
}

const openForMerge = new Set(['submitted', 'acknowledged', 'inProgress', 'pending', 'reopened'])
const mergeableMax = 100

/** The tickets that one may be merged into: of the same operator, open, and not being measured just now. */
export function mergeable(state: LiveState, ticket: LiveTicket): LiveTicket[] {
  const isFree = ({ status, dispute, disturbanceId }: LiveTicket): boolean => disturbanceId !== null && openForMerge.has(status) && (dispute === null || dispute.answer !== null)
  if (!isFree(ticket)) return []
  return [...state.tickets.values()].filter((other) => other.id !== ticket.id && other.operator === ticket.operator && isFree(other)).slice(0, mergeableMax)
}
