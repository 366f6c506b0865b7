import type { Instant } from '../kernel/clock.ts'
import { clocks, type Ticket } from './ticket.ts'
import { isUnmeasured } from './verification.ts'

/** What an operator did about its tickets: of each span the median and the 90th percentile, ms; null of none. */
export interface TrackRecord {
  readonly operator: string
  readonly tickets: number
  readonly open: number
  readonly closed: number
  readonly cancelled: number
  /** From the opening until somebody said that he has seen it. */
  readonly acknowledge: Spread
  /** Until the stations were measured to be well, and until the repair that measurement agreed with: running time of the clocks. */
  readonly restore: Spread
  readonly repair: Spread
  /** Clocks that ran out, of those that there were. */
  readonly late: number
  readonly clocks: number
  /** Of what was said to be resolved: how often measurement agreed. */
  readonly claims: number
  readonly verified: number
  /** Of them those that nobody could measure: neither agreed with nor refused. */
  readonly unverified: number
  /** Tickets that went to somebody else. */
  readonly transferred: number
  /** How often it said that a ticket is not its own, and how often the monitoring centre agreed. */
  readonly disputes: number
  readonly upheld: number
}
interface Spread { readonly count: number; readonly median_ms: number | null; readonly p90_ms: number | null }

interface Sum { tickets: number; open: number; closed: number; cancelled: number; acknowledge: number[]; restore: number[]; repair: number[]; late: number; clocks: number; claims: number; verified: number; unverified: number; transferred: number; disputes: number; upheld: number }
const nothing = (): Sum => ({ tickets: 0, open: 0, closed: 0, cancelled: 0, acknowledge: [], restore: [], repair: [], late: 0, clocks: 0, claims: 0, verified: 0, unverified: 0, transferred: 0, disputes: 0, upheld: 0 })

/**
 * Sums up tickets by the operator that has each, and by those that had it before: officers' problems and requests have no clocks and no measurement, and are
 * left out. Tickets may be added one by one, in any order.
 */
export function createTrackRecords() {
  const byOperator = new Map<string, Sum>()
  function of(operator: string): Sum {
    const known = byOperator.get(operator) ?? nothing()
    byOperator.set(operator, known)
    return known
  }
  return {
    add(ticket: Ticket, now: Instant): void {
      if (ticket.disturbance === null) return
      const sum = of(ticket.operator)
      sum.tickets++
      for (const { by } of ticket.history.filter(({ kind }) => kind === 'disputed')) of(by).disputes++
      addFormer(ticket, of)
      // A false alarm is nobody's doing, and no more is what was not his.
      if (ticket.status === 'cancelled') {
        sum.cancelled++
        if (ticket.dispute?.by === ticket.operator && ticket.dispute.answer?.word === 'upheld') sum.upheld++
        return
      }
      if (ticket.status === 'closed') sum.closed++
      else sum.open++
      const since = ticket.holders?.at(-1)?.until ?? ticket.openedAt
      const seen = ticket.statusHistory.find(({ status, at }) => at >= since && (status === 'acknowledged' || status === 'inProgress'))
      if (seen !== undefined) sum.acknowledge.push(seen.at - since)
      for (const clock of clocks(ticket, now)) {
        sum.clocks++
        if (clock.late) sum.late++
        if (clock.state === 'met') sum[clock.name].push(clock.used_ms)
      }
      for (const { by } of ticket.history.filter(({ kind, text }) => kind === 'resolved' && text !== 'measured')) of(by).claims++
      sum.verified += claimsVerified(ticket)
      if (isUnmeasured(ticket)) sum.unverified++
    },
    /** By operator, in the order of their ids. */
    records(): TrackRecord[] {
      return [...byOperator].sort(([a], [b]) => (a < b ? -1 : 1)).map(([operator, { acknowledge, restore, repair, ...sum }]) => ({ operator, ...sum, acknowledge: spread(acknowledge), restore: spread(restore), repair: spread(repair) }))
    },
  }
}

/** What those who had a ticket answer for: their clocks as they stood when it went on, unless it was not theirs. */
function addFormer({ holders = [] }: Ticket, of: (operator: string) => Sum): void {
  for (const { operator, clocks: left, excused } of holders) {
    const sum = of(operator)
    sum.transferred++
    if (excused) sum.upheld++
    else for (const { late } of left) {
      sum.clocks++
      if (late) sum.late++
    }
  }
}

/** The last claim alone can be one that measurement agreed with: each before it was refused. */
function claimsVerified({ status, history }: Ticket): number {
  return status === 'closed' && history.findLast(({ kind }) => kind === 'resolved')?.text !== 'measured' && history.some(({ kind }) => kind === 'resolved') ? 1 : 0
}

/** The nearest rank from above. */
function spread(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number | null => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null
  return { count: values.length, median_ms: at(0.5), p90_ms: at(0.9) }
}
