import type { FastifyInstance } from 'fastify'
import { trackRecordQuery, type TrackRecords } from '@kawal/contract/ticket.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { createTrackRecords, type TrackRecord } from '@kawal/core/ticket/record.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, takes } from '../readiness/ask.ts'

/** Tickets read at once: a nation's never lie in memory together. */
const page_rows = 500

/** The track record of operators: whoever reads all tickets sees all, an operator its own, by the same wall. */
export function trackRecordRoutes(app: FastifyInstance, { database, clock }: { readonly database: Database; readonly clock: () => Instant }): void {
  app.get<{ Querystring: { from?: string; to?: string } }>('/v1/track-record', takes(trackRecordQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'ticket')
    const now = clock()
    const [from, to] = [instantOf('from', request.query.from, -Infinity), instantOf('to', request.query.to, now)]
    if (to < from) throw new ProblemError('body_invalid', 'from lies after to.')
    const rows = await readRecords(database, caller, { from, to, now })
    if (!(request.headers.accept ?? '').includes('text/csv')) return { from: from === -Infinity ? null : iso(from), to: iso(to), rows } satisfies TrackRecords
    return reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="track-record.csv"').send(csvOf(rows))
  })
}

type Row = TrackRecords['rows'][number]

async function readRecords(database: Database, caller: Caller, { from, to, now }: { from: Instant; to: Instant; now: Instant }): Promise<Row[]> {
  const records = createTrackRecords()
  const names = new Map<string, string>()
  for (let after: string | null = ''; after !== null;) {
    const { rows }: { rows: { state: Ticket }[] } = await database.transaction(caller, (client) => client.query<{ state: Ticket }>(
      `SELECT state FROM ticket WHERE disturbance_id IS NOT NULL AND opened_at < $1 AND ($2::timestamptz IS NULL OR opened_at >= $2) AND id > $3 ORDER BY id LIMIT $4`,
      [iso(to), from === -Infinity ? null : iso(from), after, page_rows]))
    for (const { state } of rows) {
      records.add(state, now)
      for (const { operator, operatorName } of [state, ...(state.holders ?? [])]) names.set(operator, operatorName)
    }
    after = rows.length < page_rows ? null : rows.at(-1)?.state.id ?? null
  }
  return records.records().map((record) => ({ ...record, operatorName: names.get(record.operator) ?? record.operator }))
}

/** @throws ProblemError for a leap second, which has the form of a time and is no instant here */
function instantOf(name: string, text: string | undefined, missing: Instant): Instant {
  const at = text === undefined ? missing : Date.parse(text)
  if (Number.isNaN(at)) throw new ProblemError('body_invalid', `${name} ${text} is no instant.`)
  return at
}

const iso = (at: Instant): string => new Date(at).toISOString()

const spans = ['acknowledge', 'restore', 'repair'] as const satisfies readonly (keyof TrackRecord)[]
const counts = ['tickets', 'open', 'closed', 'cancelled', 'late', 'clocks', 'claims', 'verified', 'unverified', 'transferred', 'disputes', 'upheld'] as const satisfies readonly (keyof TrackRecord)[]

/** RFC 4180. A name that a spreadsheet would take for a formula is made a text. */
function csvOf(rows: readonly Row[]): string {
  const text = (value: string): string => `"${(/^[=+\-@\t\r]/.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`
  const head = ['operator', 'name', ...counts, ...spans.flatMap((span) => [`${span}_count`, `${span}_median_ms`, `${span}_p90_ms`])]
  const lines = rows.map((row) => [row.operator, text(row.operatorName), ...counts.map((name) => row[name]), ...spans.flatMap((span) => [row[span].count, row[span].median_ms ?? '', row[span].p90_ms ?? ''])])
  return [head, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('')
}
