import type pg from 'pg'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { coveredBy, otherSide, type RelationType, type TicketRelation } from '@kawal/core/ticket/relation.ts'
import type { Refusal, Ticket } from '@kawal/core/ticket/ticket.ts'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import type { OpenCause } from './measured.ts'
import { causeOf, decideAll, openWithin, save, ticketIdOf, type TicketNeeds } from './tickets.ts'
import { titleOf } from './tmf621.ts'

/** What came of it: the ticket that was asked for, and every ticket that changed. */
interface Related { readonly ticket: Ticket; readonly changed: readonly string[] }

/** A ticket by its id; what another operator has is not told by its title. */
function named(of: Ticket, other: Ticket): Omit<TicketRelation, 'type'> {
  return { ticket: other.id, ...(of.operator === other.operator ? { name: titleOf(other) } : {}) }
}

/** Holds tickets in the order of their ids, as every other work does: two of them never wait for each other. */
async function hold(client: pg.PoolClient, ids: readonly string[]): Promise<Map<string, Ticket>> {
  const { rows } = await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE id = ANY ($1) ORDER BY id FOR UPDATE', [ids])
  return new Map(rows.map(({ state }) => [state.id, state]))
}

/** @returns `not_found` for what the caller may not see, `not_yours_to_say` for what it may not write */
async function holdAll(client: pg.PoolClient, ids: readonly string[]): Promise<Result<Map<string, Ticket>, Refusal>> {
  const { rows } = await client.query('SELECT FROM ticket WHERE id = ANY ($1)', [ids])
  if (rows.length < new Set(ids).size) return fail('not_found')
  const held = await hold(client, ids)
  return held.size < rows.length ? fail('not_yours_to_say') : ok(held)
}

/** What was measured just now of a disturbance, a ticket that is new to it has not seen: the next sweep looks. */
async function lookSoon(client: pg.PoolClient, ids: readonly string[], now: Instant): Promise<void> {
  await client.query('UPDATE ticket SET due_at = $2 WHERE id = ANY ($1)', [ids, new Date(now).toISOString()])
}

/**
 * One ticket goes on in another of the same operator: the first is cancelled, the other covers its disturbances too and
 * closes when all of them are measured well.
 * @param reason in the words of whoever merges; without it `merged` and the id of the other
 */
export function mergeTickets(deps: TicketNeeds, caller: Caller, id: string, into: string, reason: string, version: number): Promise<Result<Related, Refusal>> {
  const now = deps.clock()
  return deps.database.transaction(caller, async (client) => {
    const held = await holdAll(client, [id, into])
    if (!held.ok) return held
    const [from, to] = [held.value.get(id), held.value.get(into)]
    if (from === undefined || to === undefined) return fail('not_found')
    if (from.version !== version) return fail('version_conflict')
    const gone = decideAll(caller, from, [{ kind: 'merge', into: named(from, to), reason }], now)
    if (!gone.ok) return gone
    if (from.operator !== to.operator) return fail('other_operator')
    const grown = decideAll(caller, to, [{ kind: 'cover', disturbances: coveredBy(from), from: named(to, from) }], now)
    if (!grown.ok) return grown
    await save(client, caller, from, gone.value.ticket, gone.value.events, now)
    await save(client, caller, to, grown.value.ticket, grown.value.events, now)
    await lookSoon(client, [into], now)
    return ok({ ticket: gone.value.ticket, changed: [id, into] })
  })
}

/** Takes a disturbance that a ticket covers beside its own out again, into a new ticket of the same operator, with clocks that begin anew. */
export function splitTicket(deps: TicketNeeds, caller: Caller, id: string, disturbance: string, reason: string, version: number): Promise<Result<Related, Refusal>> {
  const now = deps.clock()
  return deps.database.transaction(caller, async (client) => {
    const held = await holdAll(client, [id])
    if (!held.ok) return held
    const from = held.value.get(id)
    if (from === undefined) return fail('not_found')
    if (from.version !== version) return fail('version_conflict')
    const { rows: [row] } = await client.query<{ state: LiveDisturbance | null; before: number }>(
      `SELECT (SELECT state FROM disturbance WHERE id = $1) AS state, (SELECT count(*) FROM ticket WHERE disturbance_id = $1 AND status = 'cancelled') AS before`, [disturbance])
    const own = ticketIdOf(disturbance, row?.before ?? 0)
    const left = decideAll(caller, from, [{ kind: 'uncover', disturbance, into: { ticket: own }, reason }], now)
    if (!left.ok) return left
    const kept = coveredBy(from).find((cause) => cause.id === disturbance)
    const cause: OpenCause | null | undefined = row === undefined || row.state === null ? kept : causeOf(row.state) ?? kept
    if (cause === undefined || cause === null) return fail('not_covered')
    await save(client, caller, from, left.value.ticket, left.value.events, now)
    const opened = await openWithin(deps, client, caller, cause, from.operator)
    // It was held here a moment ago, and is nobody else's before this commits.
    if (!opened.ok || !opened.value.created) throw new Error(`the disturbance ${disturbance} that left ${id} has no ticket`)
    const { ticket } = opened.value
    const related = decideAll(caller, ticket, [{ kind: 'relate', relation: { type: 'splitFrom', ...named(ticket, from) } }], now)
    if (!related.ok) throw new Error('a new ticket takes its first relation')
    await save(client, caller, ticket, related.value.ticket, related.value.events, now)
    await lookSoon(client, [id, own], now)
    return ok({ ticket: left.value.ticket, changed: [id, own] })
  })
}

/** Relates a ticket to others, each side of each or none. */
export function linkTickets(deps: TicketNeeds, caller: Caller, id: string, links: readonly { readonly type: RelationType; readonly ticket: string }[], version: number): Promise<Result<Related, Refusal>> {
  const now = deps.clock()
  return deps.database.transaction(caller, async (client) => {
    const ids = [...new Set([id, ...links.map(({ ticket }) => ticket)])]
    const held = await holdAll(client, ids)
    if (!held.ok) return held
    if (held.value.get(id)?.version !== version) return fail('version_conflict')
    const decided = relateAll(caller, held.value, links.map(({ type, ticket }) => ({ one: id, type, other: ticket })), now)
    const refused = decided.find(({ result }) => !result.ok)
    if (refused !== undefined && !refused.result.ok) return refused.result
    const changed = await saveAll(client, caller, held.value, decided, now)
    const ticket = changed.get(id) ?? held.value.get(id)
    return ticket === undefined ? fail('not_found') : ok({ ticket, changed: [...changed.keys()] })
  })
}

interface Pair { readonly one: string; readonly type: RelationType; readonly other: string }
interface Side { readonly ticket: string; readonly result: ReturnType<typeof decideAll> }

/** What pairs of relations make of each ticket on either side: one decision a ticket and relation. */
function relateAll(caller: Caller, tickets: ReadonlyMap<string, Ticket>, pairs: readonly Pair[], now: Instant): Side[] {
  const standing = new Map(tickets)
  return pairs.flatMap(({ one, type, other }) => ([[one, type, other], [other, otherSide[type], one]] as const)).flatMap(([from, kind, to]): Side[] => {
    const [ticket, related] = [standing.get(from), standing.get(to)]
    if (ticket === undefined || related === undefined) return []
    const result = decideAll(caller, ticket, [{ kind: 'relate', relation: { type: kind, ...named(ticket, related) } }], now)
    if (result.ok) standing.set(from, result.value.ticket)
    return [{ ticket: from, result }]
  })
}

/** Writes what was decided, each ticket once. @returns the tickets that changed, as they are now */
async function saveAll(client: pg.PoolClient, caller: Caller, before: ReadonlyMap<string, Ticket>, sides: readonly Side[], now: Instant): Promise<Map<string, Ticket>> {
  const changed = new Map<string, Ticket>()
  for (const [id, was] of before) {
    const decided = sides.flatMap(({ ticket, result }) => (ticket === id && result.ok && result.value.events.length > 0 ? [result.value] : []))
    const last = decided.at(-1)
    if (last === undefined) continue
    await save(client, caller, was, last.ticket, decided.flatMap(({ events }) => events), now)
    changed.set(id, last.ticket)
  }
  return changed
}

/** So many relations in one pass, and so many in one transaction: an operator's own word waits for no more. */
const pairs_max = 1_000
const batch_max = 10

/**
 * Tells tickets what detection says of their disturbances: that one lies in another, went on in another, or was a part of
 * another. What is told already makes nothing; of a ticket that is over the other side alone is told.
 * @param news the disturbances that changed; null: those of all open tickets
 * @returns the ids of the tickets that changed
 */
export async function relateFamilies(database: Database, now: Instant, news: ReadonlySet<string> | null): Promise<string[]> {
  if (news?.size === 0) return []
  const { rows } = await database.transaction(system, (client) => client.query<Pair>(
    `WITH asked AS (
       SELECT coalesce($1::text[], ARRAY(SELECT ticket_cover.disturbance_id FROM ticket_cover JOIN ticket ON ticket.id = ticket_id WHERE status NOT IN ('closed', 'cancelled'))) AS ids
     ), pairs AS (
       SELECT id AS one, CASE WHEN ended_at IS NULL THEN 'parent' ELSE 'mergedInto' END AS type, state->>'parent' AS other FROM disturbance
       WHERE state->>'parent' IS NOT NULL AND state->>'stage' <> 'retracted' AND (id = ANY ((SELECT ids FROM asked)::text[]) OR state->>'parent' = ANY ((SELECT ids FROM asked)::text[]))
       UNION ALL
       -- What has come apart begins with that turn; the part that goes on had others before.
       SELECT disturbance_id, 'splitFrom', state->>'other' FROM disturbance_turn WHERE number = 1 AND turn = 'split' AND disturbance_id = ANY ((SELECT ids FROM asked)::text[])
     ), told AS (
       SELECT kawal_ticket_of(one) AS one, type, kawal_ticket_of(other) AS other FROM pairs
     )
     SELECT one, type, other FROM told WHERE one IS NOT NULL AND other IS NOT NULL AND one <> other ORDER BY one, other LIMIT $2`,
    [news === null ? null : [...news], pairs_max]))
  const changed: string[] = []
  for (let start = 0; start < rows.length; start += batch_max) {
    const pairs = rows.slice(start, start + batch_max)
    changed.push(...await database.transaction(system, async (client) => {
      const held = await hold(client, pairs.flatMap(({ one, other }) => [one, other]))
      return (await saveAll(client, system, held, relateAll(system, held, pairs, now), now)).keys()
    }))
  }
  return changed
}
