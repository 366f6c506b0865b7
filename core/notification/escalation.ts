import { minute_ms, type Instant } from '../kernel/clock.ts'
import { nextChange } from '../ticket/clock.ts'
import { clocks, isOver, type Ticket } from '../ticket/ticket.ts'
import { createNotifier, type Notice, type Route } from './notifier.ts'

/** Whom a ticket calls: the organisation's people of a level, or the monitoring centre, which hears when nobody answers. */
type Call = '1' | '2' | '3' | '4' | '5' | 'watch'
/** What for: nobody has acknowledged it, a clock of it has run out, it waits and the organisation's own system has not heard of it, nobody can measure whether it is resolved, or a dispute of it waits for an answer. */
export type Reason = 'waiting' | 'overdue' | 'unreached' | 'unverified' | 'disputed'

export interface EscalationSettings {
  /** Between one level and the next, ms. */
  readonly step_ms: number
  /** Tickets of one organisation within this are one notice, ms. */
  readonly wait_ms: number
  readonly interval_ms: number
  /** Who does not answer is told again, ms. */
  readonly repeat_ms: number
}
const escalationDefaults: EscalationSettings = { step_ms: 10 * minute_ms, wait_ms: 5_000, interval_ms: minute_ms, repeat_ms: 30 * minute_ms }

/** After how many steps each is called. Three levels may fail to answer before the monitoring centre hears of it. */
const chain: readonly (readonly [call: Call, steps: number])[] = [['1', 0], ['2', 1], ['3', 2], ['4', 3], ['watch', 3], ['5', 4]]
const calls = [
  ...chain.map(([call]) => ({ call, reason: 'waiting' as Reason })), ...(['overdue', 'unreached'] as const).flatMap((reason) => (['1', 'watch'] as const).map((call) => ({ call: call as Call, reason: reason as Reason }))),
  ...(['unverified', 'disputed'] as const).map((reason) => ({ call: 'watch' as Call, reason: reason as Reason })),
]
const keyOf = (call: Call, reason: Reason): string => `${call} ${reason}`

interface Followed { readonly ticket: Ticket; readonly firing: Set<string>; dueAt: Instant }

/**
 * Calls people to tickets, level by level until one of them acknowledges: what is sent, to whom and when. It keeps no
 * clock and sends nothing: `turn` at or after `nextAt` gives what is to be delivered, `settle` says how that went.
 */
export function createEscalation(settings: EscalationSettings = escalationDefaults) {
  const notifier = createNotifier({ routes: routesOf(settings), inhibitions: [], resolve_ms: Infinity })
  const followed = new Map<string, Followed>()
  /** Calls that were under way before a start, of tickets that are not followed yet. */
  const underWay = new Map<string, Set<string>>()
  let unreached: ReadonlySet<string> = new Set()
  const end = ({ ticket }: Followed, key: string, now: Instant): void => notifier.put([{ labels: labelsOf(ticket, key), startsAt: now, endsAt: now }], now)

  /** Begins what is due by time, and ends what is due no longer. */
  function look(of: Followed, now: Instant): void {
    const wanted = wantedOf(of.ticket, now, settings, unreached.has(of.ticket.id))
    of.dueAt = Math.min(...[...wanted.values()].filter((at) => at > now), ...(isOver(of.ticket) ? [] : of.ticket.clocks.map((clock) => nextChange(clock, now) ?? Infinity)), Infinity)
    for (const [key, at] of wanted) {
      if (at > now || of.firing.has(key)) continue
      of.firing.add(key)
      notifier.put([{ labels: labelsOf(of.ticket, key), startsAt: at, endsAt: Infinity }], now)
    }
    for (const key of of.firing) {
      if (wanted.has(key)) continue
      of.firing.delete(key)
      end(of, key, now)
    }
  }

  return {
    /** The last notice of each group before a start: first of all, and then every ticket in it is followed. */
    restore(notice: Omit<Notice, 'id'>, at: Instant): void {
      notifier.restore(notice, at)
      for (const { labels, startsAt, endsAt } of notice.alerts) {
        if (endsAt !== null) continue
        const { ticket, call, reason } = labels as { ticket: string; call: Call; reason: Reason }
        underWay.set(ticket, (underWay.get(ticket) ?? new Set()).add(keyOf(call, reason)))
        notifier.put([{ labels, startsAt, endsAt: Infinity }], at)
      }
    },
    /** A ticket as it is now; called for each that is open at a start, and for each change. */
    follow(ticket: Ticket, now: Instant): void {
      const before = followed.get(ticket.id)
      const isTheirs = before === undefined || before.ticket.operator === ticket.operator
      // Who has it now has heard of nothing; who had it hears that it is over.
      if (!isTheirs) for (const key of before.firing) end(before, key, now)
      const of: Followed = { ticket, firing: (isTheirs ? before?.firing ?? underWay.get(ticket.id) : undefined) ?? new Set(), dueAt: Infinity }
      followed.set(ticket.id, of)
      underWay.delete(ticket.id)
      look(of, now)
      if (isOver(ticket)) followed.delete(ticket.id)
    },
    /** The tickets of which the system of who has them has not heard, for too long; all of them at each call. */
    unreached(tickets: ReadonlySet<string>, now: Instant): void {
      const changed = [...new Set([...unreached, ...tickets])].filter((id) => unreached.has(id) !== tickets.has(id))
      unreached = tickets
      for (const id of changed) {
        const of = followed.get(id)
        if (of !== undefined) look(of, now)
      }
    },
    /** When `turn` is due next; Infinity while nothing is. */
    nextAt: (): Instant => [...followed.values()].reduce((next, { dueAt }) => Math.min(next, dueAt), notifier.nextAt()),
    turn(now: Instant): Notice[] {
      for (const of of followed.values()) if (of.dueAt <= now) look(of, now)
      return notifier.turn(now)
    },
    settle: (id: number, delivered: boolean, now: Instant): void => notifier.settle(id, delivered, now),
  }
}

function routesOf({ wait_ms, interval_ms, repeat_ms }: EscalationSettings): Route[] {
  return calls.map(({ call, reason }) => ({
    name: keyOf(call, reason), matchers: [{ label: 'call', value: call }, { label: 'reason', value: reason }],
    // The centre reads on its own screens what was taken up; an overdue clock has no other end than the ticket's.
    receivers: [{ name: call, tellsEnd: reason === 'waiting' && call !== 'watch' }], groupBy: ['organisation'], wait_ms, interval_ms,
    // Whom to send there is the centre's to say, once: a repetition measures nothing.
    repeat_ms: reason === 'unverified' ? Infinity : repeat_ms,
  }))
}

function labelsOf(ticket: Ticket, key: string): Record<string, string> {
  const [call = '', reason = ''] = key.split(' ')
  return { organisation: ticket.operator, ticket: ticket.id, call, reason }
}

/** When each call begins, as the ticket stands. */
function wantedOf(ticket: Ticket, now: Instant, { step_ms }: EscalationSettings, isUnreached: boolean): Map<string, Instant> {
  const wanted = new Map<string, Instant>()
  if (isOver(ticket)) return wanted
  const since = waitingSince(ticket)
  if (since !== null) chain.forEach(([call, steps]) => wanted.set(keyOf(call, 'waiting'), since + steps * step_ms))
  if (since !== null && isUnreached) for (const call of ['1', 'watch'] as const) wanted.set(keyOf(call, 'unreached'), now)
  if (clocks(ticket, now).some(({ state }) => state === 'overdue')) for (const call of ['1', 'watch'] as const) wanted.set(keyOf(call, 'overdue'), now)
  // Only the centre can answer, and until then nothing else is done with the ticket.
  if (ticket.dispute?.answer === null) wanted.set(keyOf('watch', 'disputed'), ticket.dispute.since)
  if (ticket.verification?.state === 'unverified') wanted.set(keyOf('watch', 'unverified'), ticket.verification.since)
  return wanted
}

/** Since when a ticket waits for whoever has it to say that he has seen it; null when it does not. */
function waitingSince({ status, statusHistory, history }: Ticket): Instant | null {
  if (status !== 'submitted' && status !== 'reopened') return null
  return Math.max(statusHistory.at(-1)?.at ?? 0, history.findLast(({ kind }) => kind === 'transferred')?.at ?? 0)
}
