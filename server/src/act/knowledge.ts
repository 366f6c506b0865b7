import type { FastifyInstance } from 'fastify'
import { knowledgeQuery, type Knowledge, type KnowledgeKind, type KnowledgeRow } from '@kawal/contract/knowledge.ts'
import { deedOf } from '@kawal/core/act/deed.ts'
import type pg from 'pg'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, sendCsv, takes, wantsCsv } from '../readiness/ask.ts'

interface Query { readonly about: string; readonly from?: string; readonly to?: string; readonly format?: string }
interface Row { readonly at: Date; readonly about: string; readonly organisation: string | null; readonly name: string | null; readonly detail: string; readonly entry?: number | null; readonly method?: string; readonly path?: string }

const rows_max = 5_000

/** What is kept, each through the wall: who may not read messages or the audit does not see theirs. $1 disturbances, $2 tickets. Extents that grew are no news. */
const sources: readonly (readonly [what: KnowledgeKind, sql: string])[] = [
  ['measured', `SELECT at, disturbance_id AS about, NULL AS organisation, NULL AS name, turn AS detail FROM disturbance_turn WHERE disturbance_id = ANY($1) AND turn <> 'grown' AND $2::text[] IS NOT NULL`],
  ['ticket', `SELECT at, ticket_id AS about, event->>'by' AS organisation, NULL AS name, event->>'kind' AS detail FROM ticket_event WHERE ticket_id = ANY($2) AND $1::text[] IS NOT NULL`],
  ['told', `SELECT notice.at, ticket AS about, message.organisation_id AS organisation, name, call AS detail ${toldOf()}`],
  ['delivered', `SELECT delivered_at AS at, ticket AS about, message.organisation_id AS organisation, name, channels->channel->>'kind' AS detail ${toldOf()} AND delivered_at IS NOT NULL`],
  ['undelivered', `SELECT abandoned_at AS at, ticket AS about, message.organisation_id AS organisation, name, channels->channel->>'kind' AS detail ${toldOf()} AND abandoned_at IS NOT NULL`],
  ['sent', `SELECT delivered_at AS at, ticket_id AS about, organisation_id AS organisation, NULL AS name, coalesce(body->>'eventType', '') AS detail FROM hub_delivery WHERE ticket_id = ANY($2) AND delivered_at IS NOT NULL AND $1::text[] IS NOT NULL`],
  ['said', `SELECT at, disturbance_id AS about, organisation_id AS organisation, name, body AS detail FROM comment WHERE disturbance_id = ANY($1) AND $2::text[] IS NOT NULL`],
  ['acted', `SELECT at, subject AS about, organisation_id AS organisation, name, '' AS detail, entry, method, path FROM audit WHERE subject = ANY($1::text[] || $2::text[])`],
]

/** Messages to people of alerts of these tickets. */
function toldOf(): string {
  return `FROM message JOIN notice ON notice.id = notice_id CROSS JOIN LATERAL (SELECT DISTINCT alert->'labels'->>'ticket' AS ticket FROM jsonb_array_elements(alerts) AS _ (alert)) AS of
    WHERE ticket = ANY($2) AND $1::text[] IS NOT NULL`
}

/** Who knew what when, of a disturbance or a ticket: for who asks afterwards whether a fault was known, and what was done. */
export function knowledgeRoute(app: FastifyInstance, { database }: { readonly database: Database }): void {
  app.get<{ Querystring: Query }>('/v1/knowledge', takes(knowledgeQuery), async (request, reply): Promise<Knowledge> => {
    const caller = callerWho(request, 'read', 'disturbance')
    const { about, from, to } = request.query
    const found = await readKnowledge(database, caller, about.replaceAll('\0', '\ufffd'), Date.parse(from ?? '') || -Infinity, Date.parse(to ?? '') || Infinity)
    if (found === null) throw new ProblemError('not_found', `There is no disturbance and no ticket ${about.slice(0, 60)} that you may see.`)
    return wantsCsv(request) ? sendCsv(reply, 'knowledge', ['at', 'what', 'about', 'organisation', 'name', 'detail', 'entry'], found.rows) as never : found
  })
}

function readKnowledge(database: Database, caller: Caller, about: string, from: number, to: number): Promise<Knowledge | null> {
  return database.transaction(caller, async (client) => {
    const { disturbances, tickets } = await namesOf(client, about)
    if (disturbances.length + tickets.length === 0) return null
    const rows: (Row & { readonly what: KnowledgeKind })[] = []
    for (const [what, sql] of sources) rows.push(...(await client.query<Row>(`${sql} ORDER BY 1 LIMIT ${rows_max}`, [disturbances, tickets])).rows.map((row) => ({ ...row, what })))
    const within = rows.filter(({ at }) => at.getTime() >= from && at.getTime() < to).sort((a, b) => a.at.getTime() - b.at.getTime())
    return { disturbances, tickets, rows: within.map(shown) }
  })
}

const shown = ({ at, what, about, organisation, name, detail, entry, method, path }: Row & { readonly what: KnowledgeKind }): KnowledgeRow => ({
  at: at.toISOString(), what, about, organisation, name, detail: method === undefined || path === undefined ? detail : deedOf({ method, path }), entry: entry ?? null,
})

/** A ticket with all that it covers; a disturbance with its ticket. What the caller may not see is not there. */
async function namesOf(client: pg.ClientBase, about: string): Promise<{ readonly disturbances: string[]; readonly tickets: string[] }> {
  const { rows } = await client.query<{ disturbance: string | null; ticket: string | null }>(
    `SELECT id AS disturbance, kawal_ticket_of(id) AS ticket FROM disturbance WHERE id = $1 OR kawal_ticket_of(id) = $1
     UNION ALL SELECT NULL, id FROM ticket WHERE id = $1 OR disturbance_id = $1`, [about])
  const told = (name: 'disturbance' | 'ticket'): string[] => [...new Set(rows.map((row) => row[name]).filter((each): each is string => each !== null))]
  return { disturbances: told('disturbance'), tickets: told('ticket') }
}
