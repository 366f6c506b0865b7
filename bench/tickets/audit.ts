import pg from 'pg'
import { nextChange } from '@kawal/core/ticket/clock.ts'
import { apply, type Ticket, type TicketEvent } from '@kawal/core/ticket/ticket.ts'
import { defaultVerification } from '@kawal/core/ticket/verification.ts'
import { openDatabase } from '@kawal/server/src/cli/database.ts'

interface Found {
  /** Acknowledged and not in the log or never delivered, in the log with a gap, or given up; what was made within the last minute may still wait. */
  readonly lost: number
  /** Deliveries of one version of a ticket under more than one id. */
  readonly doubled: number
  readonly redelivered: number
  readonly delivered: number
  /** Of clocks and verifications that were due in the stretch: how many, and the latest, s. */
  readonly clocks: number
  readonly clockLate_s: number
}

interface Row { readonly ticket_id: string; readonly version: number; readonly event: TicketEvent; readonly written_at: Date }

/**
 * Holds the database of a server that has ended against what was acknowledged and what was delivered, and its log of
 * events against the clocks: each ticket is made anew from its events, and asked when it was due.
 */
export async function audit(folder: string, { acknowledged, got, from, to }: { acknowledged: ReadonlyMap<string, ReadonlySet<number>>; got: ReadonlyMap<string, number>; from: number; to: number }): Promise<Found> {
  const server = await openDatabase(folder)
  const client = new pg.Client({ connectionString: server.ownerUrl })
  await client.connect()
  try {
    const { rows } = await client.query<Row>('SELECT ticket_id, version, event, written_at FROM ticket_event ORDER BY ticket_id, version')
    const versions = new Map<string, Row[]>()
    for (const row of rows) versions.set(row.ticket_id, [...(versions.get(row.ticket_id) ?? []), row])
    let lost = 0
    for (const [ticket, wanted] of acknowledged) for (const version of wanted) if (versions.get(ticket)?.[version - 1]?.version !== version || !got.has(`${ticket}.${version}`)) lost++
    for (const of of versions.values()) lost += of.filter(({ version }, i) => version !== i + 1).length
    const { rows: sent } = await client.query<{ id: string; is_fresh: boolean }>(
      "SELECT ticket_id || '.' || version AS id, delivered_at IS NULL AND abandoned_at IS NULL AND (body->>'eventTime')::timestamptz > (SELECT max(written_at) FROM ticket_event) - interval '1 minute' AS is_fresh FROM hub_delivery")
    const asked = new Set([...acknowledged].flatMap(([ticket, wanted]) => [...wanted].map((version) => `${ticket}.${version}`)))
    lost += sent.filter(({ id, is_fresh }) => !got.has(id) && !is_fresh && !asked.has(id)).length
    const known = new Set(sent.map(({ id }) => id))
    const late = [...versions.values()].flatMap((of) => lateness(of, from, to))
    return {
      lost, doubled: sent.length - known.size + [...got.keys()].filter((id) => !known.has(id)).length,
      redelivered: [...got.values()].reduce((sum, times) => sum + times - 1, 0), delivered: sent.length,
      clocks: late.length, clockLate_s: late.reduce((max, each) => Math.max(max, each), 0) / 1000,
    }
  } finally {
    await client.end()
    await server.stop()
  }
}

/** How late each thing was written that time alone brought about and that was due from `from` until `to`, ms; Infinity for what was not written. */
function lateness(rows: readonly Row[], from: number, to: number): number[] {
  const late: number[] = []
  let ticket: Ticket | null = null
  for (const { event, written_at } of rows) {
    const due = ticket === null ? null : dueOf(ticket, event)
    if (due !== null && due >= from && due < to) late.push(written_at.getTime() - due)
    ticket = apply(ticket, event)
  }
  const open = ticket === null ? [] : stillDue(ticket, from, to)
  return [...late, ...open.map(() => Infinity)]
}

/** When this event was due; null for what somebody said. */
function dueOf(ticket: Ticket, event: TicketEvent): number | null {
  if (event.kind === 'reopened') return (ticket.resolvedAt ?? 0) + defaultVerification.verify_ms
  if (event.kind !== 'clock_warned') return null
  const clock = ticket.clocks.find(({ name }) => name === event.clock)
  if (clock === undefined || clock.runningSince === null) return null
  // As the clock stood when it began to run: its next change, or the one after that.
  const atRisk = nextChange(clock, -Infinity)
  const due = event.state === 'at_risk' ? atRisk : nextChange(clock, atRisk ?? 0)
  return due === null ? null : Math.max(due, shownSince(ticket))
}

/** While a resolution is verified its clocks stand still; what they passed meanwhile is told when it is refused. */
const shownSince = (ticket: Ticket): number => ticket.statusHistory.reduce((since, { at, status }) => (status === 'reopened' ? at : since), -Infinity)

/** What is due within the stretch by the ticket's last state, and was never written. */
function stillDue(ticket: Ticket, from: number, to: number): number[] {
  if (ticket.status === 'closed' || ticket.status === 'cancelled') return []
  const since = shownSince(ticket)
  const clocks = (ticket.status === 'resolved' ? [] : ticket.clocks).flatMap((clock) => {
    const atRisk = nextChange(clock, -Infinity)
    const overdue = atRisk === null ? null : nextChange(clock, atRisk)
    return [ticket.warned[clock.name] === undefined ? atRisk : null, ticket.warned[clock.name] === 'overdue' ? null : overdue]
  })
  const verification = ticket.status === 'resolved' ? (ticket.resolvedAt ?? 0) + defaultVerification.verify_ms : null
  return [...clocks.map((due) => (due === null ? null : Math.max(due, since))), verification].filter((due) => due !== null && due >= from && due < to) as number[]
}
