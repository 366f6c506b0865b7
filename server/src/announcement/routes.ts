import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { AnnouncementGiven, type AnnouncementReceipts, type AnnouncementRow, type AnnouncementRows } from '@kawal/contract/announcement.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { roleOfKind, scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { allowed, ProblemError } from '../problem.ts'
import { callerWho } from '../readiness/ask.ts'

interface AnnouncementNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** Told that there is one more, after the commit, so that it is pushed. */
  readonly announced: () => void
}

const path = '/v1/announcements'
/** The newest of those whose time is not over. */
const rows_max = 200
const checkGiven = Compile(AnnouncementGiven)
const noSuch = (): ProblemError => new ProblemError('not_found', 'There is no such announcement to your organisation.')

/** What replaces a chat group's "everybody read this": an announcement says who has. */
export function announcementRoutes(app: FastifyInstance, { database, clock, announced }: AnnouncementNeeds): void {
  app.get(path, async (request): Promise<AnnouncementRows> => ({ rows: await listAnnouncements(database, callerWho(request, 'read', 'announcement'), clock(), null) }))
  app.post(path, async (request, reply): Promise<AnnouncementRow> => {
    const caller = callerWho(request, 'write', 'announcement')
    const given = bodyOf(checkGiven, request.body)
    const row = await allowed(() => announce(database, caller, given, clock()))
    announced()
    void reply.code(201)
    return row
  })
  app.post<{ Params: { id: string } }>(`${path}/:id/acknowledge`, async (request): Promise<AnnouncementRow> => {
    const caller = callerWho(request, 'write', 'announcement_receipt')
    return acknowledge(database, caller, idOf(request.params.id), request.session?.name ?? 'API', clock())
  })
  app.get<{ Params: { id: string } }>(`${path}/:id/receipts`, (request) => readReceipts(database, callerWho(request, 'read', 'announcement_receipt'), idOf(request.params.id)))
}

function idOf(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw noSuch()
  return Number(text)
}

interface Row { id: number; organisation_id: string; by_name: string; title: string; body: string; audience: string[]; must_acknowledge: boolean; at: Date; until: Date; acknowledged_at: Date | null; acknowledged: number; addressed: number }

/** @param id null: all that run */
async function listAnnouncements(database: Database, caller: Caller, now: Instant, id: number | null): Promise<AnnouncementRow[]> {
  const { rows } = await database.transaction(caller, (client) => client.query<Row>(
    `SELECT announcement.*, organisation.name AS by_name, mine.at AS acknowledged_at, (SELECT count(*)::int FROM announcement_receipt WHERE announcement_id = announcement.id) AS acknowledged,
       (SELECT count(*)::int FROM organisation AS other WHERE other.kind <> 'system' AND other.id <> announcement.organisation_id AND audience && ARRAY['all', other.id, other.kind]) AS addressed
     FROM announcement JOIN organisation ON organisation.id = announcement.organisation_id LEFT JOIN announcement_receipt AS mine ON mine.announcement_id = announcement.id AND mine.organisation_id = $1
     WHERE ($2::bigint IS NULL AND until > $3) OR announcement.id = $2 ORDER BY announcement.id DESC LIMIT $4`, [caller.organisation, id, new Date(now).toISOString(), rows_max]))
  const seesAll = scopeOf(caller.role, 'announcement_receipt', 'read') === 'all'
  return rows.map((row) => ({
    id: String(row.id), by: row.organisation_id, byName: row.by_name, title: row.title, text: row.body, audience: row.audience, mustAcknowledge: row.must_acknowledge, at: row.at.toISOString(), until: row.until.toISOString(),
    acknowledgedAt: row.acknowledged_at?.toISOString() ?? null, receipts: seesAll || row.organisation_id === caller.organisation ? { acknowledged: row.acknowledged, addressed: row.addressed } : null,
  }))
}

/** @throws ProblemError for an audience that names nobody: a slip must not pass for having told them */
async function announce(database: Database, caller: Caller, given: AnnouncementGiven, now: Instant): Promise<AnnouncementRow> {
  const until = Date.parse(given.until)
  if (!(until > now)) throw new ProblemError('body_invalid', 'until lies in the past, or is no instant.')
  const { rows: unknown } = await database.pool.query<{ name: string }>('SELECT asked.name FROM unnest($1::text[]) AS asked (name) WHERE asked.name <> ALL ($2) AND NOT EXISTS (SELECT FROM organisation WHERE id = asked.name)', [given.audience, ['all', ...Object.keys(roleOfKind)]])
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no organisation and no kind ${unknown.slice(0, 10).map(({ name }) => name).join(', ')}. Kinds are ${Object.keys(roleOfKind).filter((kind) => kind !== 'system').join(', ')}; all is everybody.`)
  const { rows: [made] } = await database.transaction(caller, (client) => client.query<{ id: number }>(
    'INSERT INTO announcement (organisation_id, title, body, audience, must_acknowledge, at, until) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id',
    [caller.organisation, given.title.trim() || given.title, given.text, given.audience, given.mustAcknowledge ?? true, new Date(now).toISOString(), new Date(until).toISOString()]))
  const [row] = await listAnnouncements(database, caller, now, made?.id ?? 0)
  if (row === undefined) throw new Error('who announces may read it')
  return row
}

/** Said again it stays what it was. */
async function acknowledge(database: Database, caller: Caller, id: number, name: string, now: Instant): Promise<AnnouncementRow> {
  if ((await listAnnouncements(database, caller, now, id)).length === 0) throw noSuch()
  await database.transaction(caller, (client) => client.query(
    'INSERT INTO announcement_receipt (announcement_id, organisation_id, name, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [id, caller.organisation, name, new Date(now).toISOString()]))
  const [row] = await listAnnouncements(database, caller, now, id)
  if (row === undefined) throw noSuch()
  return row
}

async function readReceipts(database: Database, caller: Caller, id: number): Promise<AnnouncementReceipts> {
  const { rows } = await database.transaction(caller, (client) => client.query<{ organisation: string; name: string; at: Date | null; by: string | null }>(
    `SELECT organisation.id AS organisation, organisation.name, receipt.at, receipt.name AS by
     FROM announcement JOIN organisation ON kind <> 'system' AND organisation.id <> announcement.organisation_id AND audience && ARRAY['all', organisation.id, kind]
       LEFT JOIN announcement_receipt AS receipt ON receipt.announcement_id = announcement.id AND receipt.organisation_id = organisation.id
     WHERE announcement.id = $1 AND (announcement.organisation_id = $2 OR $3) ORDER BY receipt.at NULLS FIRST, organisation.name`, [id, caller.organisation, scopeOf(caller.role, 'announcement_receipt', 'read') === 'all']))
  if (rows.length === 0) throw noSuch()
  return { rows: rows.map(({ organisation, name, at, by }) => ({ organisation, name, acknowledgedAt: at?.toISOString() ?? null, acknowledgedBy: by })) }
}
