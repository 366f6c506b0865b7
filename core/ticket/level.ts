import type { Deadline } from '../impact/deadline.ts'
import { minute_ms, type Instant } from '../kernel/clock.ts'
import type { ClockName } from './clock.ts'

/** How long an organisation has for each clock, ms. */
export type ServiceLevel = Readonly<Record<ClockName, number>>

/** So long before results are due service is to be back: phones then have half an hour to send. An engineering default of ours. */
const margin_ms_default = 30 * minute_ms
/** Nobody restores anything in less: a clock that cannot be met says nothing. */
const restore_ms_min = 5 * minute_ms

/**
 * When results are due next at any of these places: of deadlines whose share is 1, with which all is lost, the first to
 * come. That voting begins or ends needs a network too, and asks for no shorter repair.
 * @param clocks deadlines of each place
 * @returns null when none is to come
 */
export function resultsDue(clocks: readonly (readonly Deadline[])[], now: Instant): Instant | null {
  let due = Infinity
  for (const deadlines of clocks) for (const { at, share } of deadlines) if (share === 1 && at > now && at < due) due = at
  return due === Infinity ? null : due
}

/**
 * The budgets of a ticket that opens now: what was agreed, or for service what is left until `margin_ms` before results
 * are due, whichever ends first; never less than 5 minutes. A repair may outlast the day.
 * @param dueAt when results are due; null when none are
 */
export function budgetsBy(level: ServiceLevel, dueAt: Instant | null, now: Instant, margin_ms = margin_ms_default): ServiceLevel {
  return dueAt === null ? level : { ...level, restore: Math.min(level.restore, Math.max(restore_ms_min, dueAt - margin_ms - now)) }
}
