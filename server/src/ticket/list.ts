import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Ticket, TicketStatus } from '@kawal/core/ticket/ticket.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import type { TicketNeeds } from './tickets.ts'

/** Instants of a ticket that a list is narrowed and sorted by, ms. */
const instants = {
  creationDate: "(state->>'openedAt')::bigint", lastUpdate: "(state->>'updatedAt')::bigint", statusChangeDate: "(state->'statusHistory'->-1->>'at')::bigint",
} as const
type TicketInstant = keyof typeof instants
export const ticketInstants = Object.keys(instants) as readonly TicketInstant[]

/** How an instant is compared, by the name that TMF630 gives it. */
const comparisons = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=' } as const
type Comparison = keyof typeof comparisons
export const isComparison = (text: string): text is Comparison => text in comparisons

/** Severity, type and priority are worked out as `tmf621.ts` shows them. */
const isDown = `(state->'disturbance'->>'severity' = 'down' OR state @? '$.covers[*] ? (@.severity == "down")')`
const shown = {
  severity: `coalesce(state->'request'->>'severity', CASE WHEN ${isDown} THEN 'critical' WHEN disturbance_id IS NULL THEN 'minor' ELSE 'major' END)`,
  ticketType: `coalesce(state->'request'->>'ticketType', CASE WHEN disturbance_id IS NULL THEN 'officerProblem' ELSE 'electionNetworkDisturbance' END)`,
  priority: `CASE WHEN ${isDown} THEN 'high' ELSE 'medium' END`,
  externalId: "state->'request'->>'externalId'",
} as const

/** What a ticket is about: disturbances, areas, a station, an access point. */
const related = `ARRAY[state->'disturbance'->>'id', state->'disturbance'->>'areaCode', state->'problem'->>'station', state->'problem'->>'accessPoint']
  || ARRAY(SELECT unnest(ARRAY[one->>'id', one->>'areaCode']) FROM jsonb_array_elements(state->'covers') AS one)`

type OfShown = { readonly [Field in keyof typeof shown]?: readonly string[] | undefined }

/** Of each field one of the values. */
export interface TicketFilter extends OfShown {
  readonly ids?: readonly string[] | undefined
  readonly statuses?: readonly TicketStatus[] | undefined
  readonly operator?: string | undefined
  readonly related?: readonly string[] | undefined
  readonly instants?: readonly { readonly field: TicketInstant; readonly is: Comparison; readonly at: Instant }[]
  /** Newest first without it. */
  readonly sort?: { readonly field: TicketInstant; readonly descending: boolean } | undefined
  /** What is not over comes before what is. */
  readonly openFirst?: boolean
  readonly offset: number
  readonly limit: number
}

/** The tickets a caller may see, and how many match in all. */
export async function listTickets({ database }: TicketNeeds, caller: Caller, filter: TicketFilter): Promise<{ total: number; tickets: Ticket[] }> {
  const values: unknown[] = []
  const put = (value: unknown): string => `$${values.push(value)}`
  const among = (sql: string, of: readonly string[] | undefined): string[] => (of === undefined ? [] : [`${sql} = ANY (${put(of)}::text[])`])
  const conditions = [
    ...among('id', filter.ids), ...among('status', filter.statuses), ...among('organisation_id', filter.operator === undefined ? undefined : [filter.operator]),
    ...Object.entries(shown).flatMap(([field, sql]) => among(sql, filter[field as keyof typeof shown])),
    ...(filter.related === undefined ? [] : [`(${related}) && ${put(filter.related)}::text[]`]),
    ...(filter.instants ?? []).map(({ field, is, at }) => `${instants[field]} ${comparisons[is]} ${put(at)}::bigint`),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const order = filter.sort === undefined ? 'opened_at DESC' : `${instants[filter.sort.field]} ${filter.sort.descending ? 'DESC' : 'ASC'}`
  return database.transaction(caller, async (client) => {
    const total = (await client.query<{ total: number }>(`SELECT count(*) AS total FROM ticket ${where}`, values)).rows[0]?.total ?? 0
    const openFirst = filter.openFirst === true ? "status IN ('closed', 'cancelled'), " : ''
    const page = `OFFSET ${put(filter.offset)} LIMIT ${put(filter.limit)}`
    const { rows } = await client.query<{ state: Ticket }>(`SELECT state FROM ticket ${where} ORDER BY ${openFirst}${order}, id ${page}`, values)
    return { total, tickets: rows.map(({ state }) => state) }
  })
}
