import { hour_ms, minute_ms, type Instant } from '../kernel/clock.ts'

/**
 * A deadline that can pause, as arithmetic: `used_ms` holds the running time of the finished stretches,
 * `runningSince` the start of the present one. Nothing ticks, so a crash loses nothing and a test needs
 * no waiting. All values in ms.
 */
export interface TicketClock {
  readonly name: ClockName
  readonly budget_ms: number
  readonly used_ms: number
  readonly runningSince: Instant | null
  readonly pausedReason: string | null
  readonly metAt: Instant | null
}

export type ClockName = 'restore' | 'repair'
export type ClockState = 'running' | 'paused' | 'at_risk' | 'overdue' | 'met'

/** A clock as it stands at one instant; `late` says whether the budget was exceeded, also when met. */
export interface ClockReading {
  readonly name: ClockName
  readonly state: ClockState
  readonly dueAt: Instant
  readonly pausedReason: string | null
  readonly used_ms: number
  readonly late: boolean
}

/** At risk from 80 % of the budget on, as a fraction of integers so that the border is exact. */
const risk_numerator = 4
const risk_denominator = 5

/**
 * How long the operator has, by severity. No public standard gives figures for mobile service at
 * stations: these are engineering defaults of this project.
 */
export const defaultBudgets: Readonly<Record<'down' | 'degraded', Readonly<Record<ClockName, number>>>> = {
  down: { restore: 30 * minute_ms, repair: 4 * hour_ms },
  degraded: { restore: hour_ms, repair: 8 * hour_ms },
}

export function startClock(name: ClockName, budget_ms: number, at: Instant): TicketClock {
  return { name, budget_ms, used_ms: 0, runningSince: at, pausedReason: null, metAt: null }
}

/** Running time up to `now`; time paused does not count, nor does time after the clock was met. */
export function used(clock: TicketClock, now: Instant): number {
  return clock.runningSince === null ? clock.used_ms : clock.used_ms + Math.max(0, now - clock.runningSince)
}

export function pause(clock: TicketClock, reason: string, at: Instant): TicketClock {
  if (clock.metAt !== null || clock.runningSince === null) return clock
  return { ...clock, used_ms: used(clock, at), runningSince: null, pausedReason: reason }
}

export function resume(clock: TicketClock, at: Instant): TicketClock {
  if (clock.metAt !== null || clock.runningSince !== null) return clock
  return { ...clock, runningSince: at, pausedReason: null }
}

export function meet(clock: TicketClock, at: Instant): TicketClock {
  if (clock.metAt !== null) return clock
  return { ...clock, used_ms: used(clock, at), runningSince: null, pausedReason: null, metAt: at }
}

/** The service was restored and failed again: the time in between does not count. */
export function unmeet(clock: TicketClock, at: Instant, pausedReason: string | null): TicketClock {
  if (clock.metAt === null) return clock
  return { ...clock, metAt: null, runningSince: pausedReason === null ? at : null, pausedReason }
}

/**
 * Reads a clock. A paused clock never becomes overdue, since its used time stands still and its due
 * instant moves with `now`; one that was overdue before the pause stays overdue, for a pause is not a
 * way out of it.
 */
export function read(clock: TicketClock, now: Instant): ClockReading {
  const used_ms = used(clock, now)
  const late = used_ms > clock.budget_ms
  const base = clock.metAt ?? (clock.runningSince === null ? now : Math.max(now, clock.runningSince))
  const dueAt = base + clock.budget_ms - used_ms
  return { name: clock.name, state: stateOf(clock, used_ms, late), dueAt, pausedReason: clock.metAt === null ? clock.pausedReason : null, used_ms, late }
}

function stateOf(clock: TicketClock, used_ms: number, late: boolean): ClockState {
  if (clock.metAt !== null) return 'met'
  if (late) return 'overdue'
  if (clock.runningSince === null) return 'paused'
  return used_ms * risk_denominator >= clock.budget_ms * risk_numerator ? 'at_risk' : 'running'
}

/** The next instant at which the state changes by time alone; null when nothing will. */
export function nextChange(clock: TicketClock, now: Instant): Instant | null {
  if (clock.metAt !== null || clock.runningSince === null) return null
  const start = clock.runningSince - clock.used_ms
  const riskAt = start + Math.ceil((clock.budget_ms * risk_numerator) / risk_denominator)
  const overdueAt = start + clock.budget_ms + 1
  return riskAt > now ? riskAt : overdueAt > now ? overdueAt : null
}
