import { weigh, type StationCount, type Verdict } from '@kawal/core/detection/measured.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { coveredBy, type TicketCause } from '@kawal/core/ticket/relation.ts'
import type { Ticket, TicketAction } from '@kawal/core/ticket/ticket.ts'
import { evidenceOfAll, hitOf, verdictOf, verdictOfAll } from '@kawal/core/ticket/verification.ts'

/** A confirmed disturbance, with the name of its area where the caller knows it, and why measurement takes its ticket back where it does. */
export type OpenCause = TicketCause & { readonly areaName?: string; readonly takenBack?: string | null }

/** Counts the devices of a disturbance, station by station, by reports since an instant; null where that is not known. */
export type Measure = (disturbance: string, since: Instant) => readonly StationCount[] | null

/** What a sweep says to a ticket by what is measured of the disturbances that it covers. */
export function measured(ticket: Ticket, open: readonly OpenCause[], measure: Measure): TicketAction[] {
  if (ticket.disturbance === null) return [{ kind: 'lapse' }]
  const causes = coveredBy(ticket).map(({ id }) => open.find((each) => each.id === id))
  const known = causes.filter((cause) => cause !== undefined)
  // What nobody can look up is not known to be well.
  if (known.length < causes.length) return [{ kind: 'warn' }]
  const [gone, left] = [known.filter(isTakenBack), known.filter((cause) => !isTakenBack(cause))]
  const [first, ...more] = left
  if (first === undefined) return [{ kind: 'cancel', reason: gone[0]?.takenBack ?? '' }]
  return [
    ...gone.map(({ id, takenBack: reason }) => ({ kind: 'uncover', disturbance: id, into: null, reason: reason ?? '' }) as const),
    ...left.flatMap((cause) => told(ticket, cause, cause === first && gone.some(({ id }) => id === ticket.disturbance?.id))),
    weighed(ticket, [first, ...more], measure),
    { kind: 'warn' },
  ]
}

/** Well only when all are; what is said of a claim is said of all of them together. */
function weighed(ticket: Ticket, causes: readonly [OpenCause, ...OpenCause[]], measure: Measure): TicketAction {
  const [first, ...more] = causes
  const evidence = evidenceOfAll(first.evidence, more.map((cause) => cause.evidence))
  const several = more.length > 0
  if (causes.every(({ endedAt }) => endedAt !== null))
    return { kind: 'confirm', recoveredAt: Math.max(...causes.map(({ endedAt }) => endedAt ?? 0)), evidence, ...(several ? { well: causes.map(({ id }) => id) } : {}) }
  if (ticket.status !== 'resolved') return { kind: 'refuse', evidence }
  const verdicts = causes.map((cause) => verdictOn(ticket, cause, measure))
  const those = (says: Verdict['says']): OpenCause[] => causes.filter((_, index) => verdicts[index]?.says === says)
  return {
    kind: 'refuse', evidence, verdict: verdictOfAll(verdicts),
    ...(several ? { broken: those('broken').map((cause) => ({ id: cause.id, evidence: cause.evidence })), unknown: those('unknown').map(({ id }) => id) } : {}),
  }
}

function verdictOn(ticket: Ticket, { id, evidence, endedAt }: OpenCause, measure: Measure): Verdict {
  const hit = hitOf(coveredBy(ticket).filter((cause) => cause.id === id))
  // What has ended was measured well for that; its devices are followed no more.
  if (endedAt !== null) return { ...verdictOf(evidence, hit), says: 'well', broken: [] }
  const stations = measure(id, ticket.resolvedAt ?? ticket.updatedAt)
  return stations === null ? verdictOf(evidence, hit) : weigh(stations, hit)
}

const isTakenBack = ({ takenBack }: OpenCause): boolean => takenBack != null

/** How far a disturbance reaches by now, where that is worth telling. @param isFirst it is what the ticket is named after from now on */
function told(ticket: Ticket, { areaName, takenBack: _, ...cause }: OpenCause, isFirst: boolean): TicketAction[] {
  const before = coveredBy(ticket).find(({ id }) => id === cause.id)
  if (before === undefined || !(isFirst || isWorthTelling(before, cause))) return []
  return [{ kind: 'evidence', disturbance: { ...cause, endedAt: before.endedAt }, areaName: areaName ?? ticket.areaName }]
}

const growth_told = 1.2

/** A growing fault is told in steps of a fifth, not at every sweep; its last extent is told when it ends. */
function isWorthTelling(before: TicketCause, now: TicketCause): boolean {
  if (extent(before) === extent(now)) return false
  const [less, more] = [before.stations.length, now.stations.length].sort((a, b) => a - b) as [number, number]
  return before.severity !== now.severity || now.endedAt !== null || more >= growth_told * less
}

function extent(cause: TicketCause): string {
  return `${cause.severity} ${cause.stations.length}`
}

/** What of disturbances makes the sweep look again, whatever their order. */
export function mark(causes: readonly OpenCause[]): string {
  return causes.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((cause) => `${extent(cause)} ${cause.takenBack ?? (cause.endedAt === null ? 'open' : 'ended')}`).join('; ')
}
