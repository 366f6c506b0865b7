import type pg from 'pg'
import type { LiveDisturbance } from '@kawal/contract/live.ts'
import type { DisturbanceEvidence } from '@kawal/core/detection/disturbance.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Recipient } from '@kawal/core/ticket/dispute.ts'
import { coveredBy } from '@kawal/core/ticket/relation.ts'
import {
  apply, decide, isOver, nextDue,
  type Actor, type Refusal, type Ticket, type TicketAction, type TicketEvent, type TicketProblem, type TicketRequest, type TicketStatus,
} from '@kawal/core/ticket/ticket.ts'
import { defaultVerification, type VerificationOptions } from '@kawal/core/ticket/verification.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { keepFiles, type Attached } from './attachments.ts'
import { budgetsOf, type ResultsDueAt } from './levels.ts'
import { mark, measured, type Measure, type OpenCause } from './measured.ts'
import { informationRequired, notification } from './tmf621.ts'

export interface TicketNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** Caps what was agreed: service is back before results are due. Nothing is due without it. */
  readonly resultsDueAt?: ResultsDueAt
}

interface Opened { readonly ticket: Ticket; readonly created: boolean }

/** The disturbance in the words of the core: instants for times. @returns null for one that was never confirmed: it has no ticket */
export function causeOf(row: LiveDisturbance): OpenCause | null {
  return row.foundAt === null ? null : {
    id: row.id, cause: row.cause, operator: row.operator, severity: row.severity, areaCode: row.areaCode, areaName: row.areaName, stations: row.stations,
    startedAt: Date.parse(row.startedAt), foundAt: Date.parse(row.foundAt), endedAt: row.endedAt === null ? null : Date.parse(row.endedAt),
    evidence: row.evidence, takenBack: takenBack(row), ...(row.overran == null ? {} : { overran: row.overran }),
  }
}

/**
 * What ended without being measured well closes no ticket: later evidence says that there was nothing, or it went on
 * within another one, whose ticket stands for both. A word for programs, which each screen says in its own language.
 */
function takenBack({ stage, parent }: LiveDisturbance): string | null {
  if (stage === 'retracted') return 'retracted'
  return stage === 'ended' && parent !== null ? `merged ${parent}` : null
}

/**
 * Opens the one ticket of a disturbance. A second opening, concurrent or later, gives the first ticket:
 * the database's unique index decides, not a check.
 * @param disturbance null: one that is not confirmed
 * @param operator organisation concerned
 * @returns refusal `nobody_concerned` when no organisation is concerned, `not_confirmed` for what is only suspected
 */
export async function openTicket(deps: TicketNeeds, caller: Caller, disturbance: OpenCause | null, operator = disturbance?.operator ?? null): Promise<Result<Opened, Refusal>> {
  if (disturbance === null) return fail('not_confirmed')
  if (operator === null) return fail('nobody_concerned')
  return deps.database.transaction(caller, (client) => openWithin(deps, client, caller, disturbance, operator))
}

/** The same within the caller's transaction. */
export async function openWithin(deps: TicketNeeds, client: pg.PoolClient, caller: Caller, disturbance: OpenCause, operator: string): Promise<Result<Opened, Refusal>> {
  const now = deps.clock()
  const name = (await client.query<{ name: string }>('SELECT name FROM organisation WHERE id = $1', [operator])).rows[0]?.name
  if (name === undefined) return fail('nobody_concerned')
  const cancelled = await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE disturbance_id = $1 AND status = $2 ORDER BY opened_at DESC, id DESC', [disturbance.id, 'cancelled'])
  // A person said that this was a false alarm, or that another ticket stands for it: only a person opens it again.
  if (caller.role === 'system' && cancelled.rows[0] !== undefined) return ok({ ticket: cancelled.rows[0].state, created: false })
  const id = ticketIdOf(disturbance.id, cancelled.rows.length)
  const { areaName, takenBack: _, ...cause } = disturbance
  const budgets = await budgetsOf(client, operator, cause, now, deps.resultsDueAt)
  const opening = { id, operator, operatorName: name, areaName: areaName ?? disturbance.areaCode, disturbance: cause, budgets }
  const decided = decide(null, { kind: 'open', opening, by: caller.organisation, actor: actorOf(caller, operator, 'open') }, now)
  if (!decided.ok) return decided
  const ticket = decided.value.reduce<Ticket | null>(apply, null)
  if (ticket === null) throw new Error('opening gives a ticket')
  if (await insert(client, caller, ticket, decided.value, now)) return ok({ ticket, created: true })
  const present = await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE id = (SELECT ticket_id FROM ticket_cover WHERE disturbance_id = $1)', [disturbance.id])
  const first = present.rows[0]
  return first === undefined ? fail('already_open') : ok({ ticket: first.state, created: false })
}

/** @param before how many tickets of this disturbance were cancelled */
export const ticketIdOf = (disturbance: string, before: number): string => `TT-${disturbance}${before === 0 ? '' : `-${before + 1}`}`

/** Puts a new ticket in with its events. @returns false where the disturbance has one, its own or another's that covers it */
async function insert(client: pg.PoolClient, caller: Caller, ticket: Ticket, events: readonly TicketEvent[], now: Instant): Promise<boolean> {
  const covers = coveredBy(ticket).map(({ id }) => id)
  if (covers.length > 0 && (await asSystem(client, caller, () => client.query('INSERT INTO ticket_cover SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING', [covers, ticket.id]))).rowCount === 0) return false
  const inserted = await client.query(
    `INSERT INTO ticket (id, organisation_id, disturbance_id, status, version, state, opened_at, due_at, disturbance_mark)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [ticket.id, ticket.operator, ticket.disturbance?.id ?? null, ticket.status, ticket.version, JSON.stringify(ticket), at(ticket.openedAt), at(nextDue(ticket, now)), mark(coveredBy(ticket))])
  if (inserted.rowCount === 1) await record(client, caller, null, ticket, events, now)
  else if (covers.length > 0) await asSystem(client, caller, () => client.query('DELETE FROM ticket_cover WHERE ticket_id = $1 AND disturbance_id = ANY ($2)', [ticket.id, covers]))
  return inserted.rowCount === 1
}

/** Opens a ticket of what the caller's organisation asks of the monitoring centre, with its notes and files. */
export async function openRequest(deps: TicketNeeds, caller: Caller, request: TicketRequest, notes: readonly string[], files: readonly Attached[] = []): Promise<Result<Ticket, Refusal>> {
  const now = deps.clock()
  return deps.database.transaction(caller, async (client) => {
    const { rows: [to] } = await client.query<{ name: string; id: string }>("SELECT name, 'PM-' || lpad(nextval('ticket_request_number')::text, 6, '0') AS id FROM organisation WHERE id = $1", [caller.organisation])
    if (to === undefined) return fail('nobody_concerned')
    const speaker = { by: caller.organisation, actor: 'operator' } as const
    const events: TicketEvent[] = []
    let ticket: Ticket | null = null
    for (const action of [{ kind: 'open', opening: { id: to.id, operator: caller.organisation, operatorName: to.name, areaName: '', request } } as const, ...notes.map((text) => ({ kind: 'note', text }) as const), ...files.map(({ attachment }) => ({ kind: 'attach', attachment }) as const)]) {
      const decided = decide(ticket, { ...action, ...speaker }, now)
      if (!decided.ok) return decided
      ticket = decided.value.reduce<Ticket | null>(apply, ticket)
      events.push(...decided.value)
    }
    if (ticket === null || !await insert(client, caller, ticket, events, now)) throw new Error('a request that is decided opens')
    await keepFiles(client, caller, ticket.id, files, now)
    return ok(ticket)
  })
}

/** Who speaks in the log of a ticket when an officer does: never the phone, never the person. */
const officer = 'officer'

/**
 * Opens the ticket of an officer's problem, in the caller's transaction, which is the system's.
 * @param id its number, which nothing else has
 */
export async function openProblemTicket(
  client: pg.PoolClient, problem: TicketProblem, to: { readonly id: string; readonly operator: string; readonly operatorName: string; readonly areaName: string }, now: Instant,
): Promise<Ticket> {
  const decided = decide(null, { kind: 'open', opening: { ...to, problem }, by: officer, actor: 'officer' }, now)
  const ticket = decided.ok ? decided.value.reduce<Ticket | null>(apply, null) : null
  if (!decided.ok || ticket === null) throw new Error('the ticket of a problem that is routed opens')
  if (!await insert(client, system, ticket, decided.value, now)) throw new Error('a problem has a number of its own')
  return ticket
}

/** The officer's word on a ticket, in the caller's transaction, which is the system's. */
export async function officerWord(client: pg.PoolClient, id: string, word: 'fixed' | 'still', now: Instant): Promise<Result<Ticket, Refusal>> {
  const row = (await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE id = $1 FOR UPDATE', [id])).rows[0]
  return row === undefined ? fail('not_found') : act(client, system, row.state, [{ kind: 'word', word }], now, defaultVerification, { by: officer, actor: 'officer' })
}

/**
 * Gives commands to a ticket, all or none, in one transaction with their events and deliveries.
 * @param expectedVersion the version that the caller saw; another one is refused as `version_conflict`
 * @param once a name of what is asked: asked again by the same organisation it does nothing
 * @param files what is in those that the actions attach
 * @returns `not_found` also for a ticket that the caller may not see
 */
export async function command(
  deps: TicketNeeds, caller: Caller, id: string, actions: TicketAction | readonly TicketAction[], expectedVersion?: number, once?: string, files: readonly Attached[] = [],
): Promise<Result<Ticket, Refusal>> {
  const now = deps.clock()
  return deps.database.transaction(caller, async (client) => {
    const visible = await client.query('SELECT FROM ticket WHERE id = $1', [id])
    if (visible.rows.length === 0) return fail('not_found')
    // A row that may be read and not written is not given by FOR UPDATE: row-level security again.
    const row = (await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE id = $1 FOR UPDATE', [id])).rows[0]
    if (row === undefined) return fail('not_yours_to_say')
    // The row's lock holds back a second arrival until the first is done.
    if (once !== undefined && (await client.query('SELECT FROM ticket_once WHERE organisation_id = $1 AND key = $2', [caller.organisation, once])).rows.length > 0) return ok(row.state)
    if (expectedVersion !== undefined && row.state.version !== expectedVersion) return fail('version_conflict')
    const asked = await completed(deps, client, caller, row.state, Array.isArray(actions) ? actions : [actions as TicketAction])
    const acted = await act(client, caller, row.state, asked, now, defaultVerification)
    if (acted.ok) await keepFiles(client, caller, id, files, now)
    if (acted.ok && once !== undefined) await client.query('INSERT INTO ticket_once (organisation_id, key, ticket_id, at) VALUES ($1, $2, $3, $4)', [caller.organisation, once, id, at(now)])
    return acted
  })
}

/**
 * The actions with what only the database knows: of a dispute what is measured of the disturbance now, whoever has its
 * ticket by then; of a transfer how long who gets it has.
 */
async function completed({ clock, resultsDueAt }: TicketNeeds, client: pg.PoolClient, caller: Caller, { disturbance }: Ticket, actions: readonly TicketAction[]): Promise<TicketAction[]> {
  if (disturbance === null) return [...actions]
  const whole: TicketAction[] = []
  for (const action of actions) {
    const timed = async (to: Recipient): Promise<Recipient> => ({ ...to, budgets: await budgetsOf(client, to.operator, disturbance, clock(), resultsDueAt) })
    if (action.kind === 'transfer') whole.push({ kind: 'transfer', ...await timed(action) })
    else if (action.kind === 'uphold' && action.to !== null) whole.push({ ...action, to: await timed(action.to) })
    else if (action.kind === 'dispute') {
      const { rows: [row] } = await asSystem(client, caller, () => client.query<{ evidence: DisturbanceEvidence }>("SELECT state->'evidence' AS evidence FROM disturbance WHERE id = $1", [disturbance.id]))
      whole.push(row === undefined ? action : { ...action, evidence: row.evidence })
    } else whole.push(action)
  }
  return whole
}

async function act(
  client: pg.PoolClient, caller: Caller, before: Ticket, actions: readonly TicketAction[], now: Instant, options: VerificationOptions,
  speaker?: { readonly by: string; readonly actor: Actor },
): Promise<Result<Ticket, Refusal>> {
  const decided = decideAll(caller, before, actions, now, options, speaker)
  if (!decided.ok) return decided
  const { ticket, events } = decided.value
  if (events.length > 0) await save(client, caller, before, ticket, events, now, options)
  return ok(ticket)
}

interface Decided { readonly ticket: Ticket; readonly events: readonly TicketEvent[] }

/** What the actions make of a ticket, all or none; nothing is written yet. */
export function decideAll(
  caller: Caller, before: Ticket, actions: readonly TicketAction[], now: Instant, options: VerificationOptions = defaultVerification,
  speaker?: { readonly by: string; readonly actor: Actor },
): Result<Decided, Refusal> {
  const events: TicketEvent[] = []
  let ticket = before
  for (const action of actions) {
    const decided = decide(ticket, { ...action, ...(speaker ?? { by: caller.organisation, actor: actorOf(caller, before.operator, action.kind) }) }, now, options)
    if (!decided.ok) return decided
    for (const event of decided.value) ticket = apply(ticket, event)
    events.push(...decided.value)
  }
  return ok({ ticket, events })
}

export async function save(
  client: pg.PoolClient, caller: Caller, before: Ticket, ticket: Ticket, events: readonly TicketEvent[], now: Instant, options: VerificationOptions = defaultVerification,
): Promise<void> {
  await client.query(
    'UPDATE ticket SET status = $2, version = $3, state = $4, due_at = $5, disturbance_mark = $6, organisation_id = $7 WHERE id = $1',
    [ticket.id, ticket.status, ticket.version, JSON.stringify(ticket), at(nextDue(ticket, now, options)), mark(coveredBy(ticket)), ticket.operator],
  )
  await cover(client, caller, before, ticket)
  await record(client, caller, before, ticket, events, now)
}

/** What a ticket covers, as the database holds it: of a cancelled one nothing. What another one covers already is a bug, and fails. */
async function cover(client: pg.PoolClient, caller: Caller, before: Ticket, ticket: Ticket): Promise<void> {
  const now = ticket.status === 'cancelled' ? [] : coveredBy(ticket).map(({ id }) => id)
  const was = before.status === 'cancelled' ? [] : coveredBy(before).map(({ id }) => id)
  const [gone, come] = [was.filter((id) => !now.includes(id)), now.filter((id) => !was.includes(id))]
  if (gone.length + come.length === 0) return
  await asSystem(client, caller, async () => {
    await client.query('DELETE FROM ticket_cover WHERE ticket_id = $1 AND disturbance_id = ANY ($2)', [ticket.id, gone])
    await client.query('INSERT INTO ticket_cover SELECT unnest($1::text[]), $2', [come, ticket.id])
  })
}

/**
 * Events and deliveries. They are written as the system: whoever changes a ticket need not be allowed
 * to see who listens to it. A transfer is told to who has the ticket now and to who had it, who would otherwise
 * never hear what became of it.
 */
async function record(client: pg.PoolClient, caller: Caller, before: Ticket | null, ticket: Ticket, events: readonly TicketEvent[], now: Instant): Promise<void> {
  const first = (before?.version ?? 0) + 1
  const told = [...new Set([ticket.operator, before?.operator ?? ticket.operator])]
  const bodies = told.flatMap((organisation) => {
    const asked = informationRequired(ticket, events, now)
    return [notification(ticket, events, now, organisation), ...(asked === null ? [] : [asked])].map((body) => ({ organisation, body: JSON.stringify(body) }))
  })
  await asSystem(client, caller, () => client.query(
    `WITH events AS (
       INSERT INTO ticket_event (ticket_id, version, organisation_id, at, event)
       SELECT $1, version, $2, at, event FROM unnest($3::int[], $4::timestamptz[], $5::jsonb[]) AS _ (version, at, event)
     )
     INSERT INTO hub_delivery (organisation_id, hub_id, ticket_id, version, body, next_attempt_at)
     SELECT organisation_id, id, $1, $6, body, $7 FROM hub JOIN unnest($8::text[], $9::jsonb[]) AS told (organisation, body) ON organisation_id = organisation
     WHERE NOT EXISTS (SELECT FROM jsonb_each(filter) AS asked (path, among) WHERE NOT coalesce(among ? (body #>> string_to_array(path, '.')), false)) ORDER BY id, body->>'eventId'`,
    [
      ticket.id, ticket.operator, events.map((_, index) => first + index), events.map((event) => at(event.at)), events.map((event) => JSON.stringify(event)),
      ticket.version, at(now), bodies.map(({ organisation }) => organisation), bodies.map(({ body }) => body),
    ],
  ))
}

/** Does something within the caller's transaction that is the system's alone. */
async function asSystem<T>(client: pg.PoolClient, caller: Caller, work: () => Promise<T>): Promise<T> {
  if (caller.role === system.role) return work()
  await actAs(client, system)
  const done = await work()
  await actAs(client, caller)
  return done
}

async function actAs(client: pg.PoolClient, caller: Caller): Promise<void> {
  await client.query("SELECT set_config('kawal.organisation', $1, true), set_config('kawal.role', $2, true)", [caller.organisation, caller.role])
}

/** What the monitoring centre decides of any ticket, also of one that it has itself. */
const ofTheWatch: ReadonlySet<TicketAction['kind']> = new Set(['transfer', 'uphold', 'reject', 'cancel', 'relate', 'merge', 'cover', 'uncover'])

/** Whom a caller speaks for, with respect to a ticket of `operator`. */
function actorOf(caller: Caller, operator: string, kind: TicketAction['kind']): Actor {
  if (caller.role === 'system') return 'measurement'
  if (caller.organisation !== operator) return 'watch'
  return ofTheWatch.has(kind) && scopeOf(caller.role, 'ticket', 'write') === 'all' ? 'watch' : 'operator'
}

/** Of an organisation that a ticket may be sent to; empty when there is none of this id. */
export async function organisationName(database: Database, id: string): Promise<string> {
  return (await database.pool.query<{ name: string }>("SELECT name FROM organisation WHERE id = $1 AND kind <> 'system'", [id])).rows[0]?.name ?? ''
}

export async function getTicket(deps: TicketNeeds, caller: Caller, id: string): Promise<Ticket | null> {
  return deps.database.transaction(caller, async (client) =>
    (await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE id = $1', [id])).rows[0]?.state ?? null)
}

/** Gives the present state of a disturbance by its id; null when only the database knows it. */
type DisturbanceLookup = (id: string) => OpenCause | null

interface SweepOptions extends Partial<VerificationOptions> {
  /** The disturbances that changed since the last pass; null: any may have. */
  readonly news?: ReadonlySet<string> | null
  /** Without it the counts of the disturbance itself decide what becomes of a claim. */
  readonly measure?: Measure
}

/** Disturbances by id, as far as the caller may see them. */
export async function readDisturbances(database: Database, caller: Caller, ids: readonly string[]): Promise<Map<string, LiveDisturbance>> {
  if (ids.length === 0) return new Map()
  const { rows } = await database.transaction(caller, (client) =>
    client.query<{ id: string; state: LiveDisturbance }>('SELECT id, state FROM disturbance WHERE id = ANY ($1)', [ids]))
  return new Map(rows.map((row) => [row.id, row.state]))
}

interface ToSweep { readonly id: string; readonly covers: string[]; readonly status: TicketStatus; readonly is_due: boolean; readonly disturbance_mark: string }

/**
 * Open tickets that are due, and those of disturbances of which there is news; with null all that are open. The first are looked up by their indexes before anything is
 * asked of a ticket: to look at each of ten thousand, four times a second, took half a processor.
 */
async function readToSweep(database: Database, now: Instant, news: ReadonlySet<string> | null): Promise<ToSweep[]> {
  const few = news === null ? '' : `AND id IN (
    SELECT id FROM ticket WHERE due_at <= $1 AND status NOT IN ('closed', 'cancelled')
    UNION SELECT ticket_id FROM ticket_cover WHERE disturbance_id = ANY ($2))`
  const { rows } = await database.transaction(system, (client) => client.query<ToSweep>(
    `SELECT id, ARRAY(SELECT disturbance_id FROM ticket_cover WHERE ticket_id = ticket.id) AS covers, status, coalesce(due_at <= $1, false) AS is_due, disturbance_mark FROM ticket
     WHERE status NOT IN ('closed', 'cancelled') ${few} ORDER BY id`, [at(now), ...(news === null ? [] : [[...news]])]))
  return rows
}

/**
 * One pass over the open tickets: closes what was measured as recovered, reopens what was not in time,
 * writes down clocks at risk and overdue, follows the disturbance's extent. Several processes may
 * sweep at once: a row that another one holds is waited for, and looked at as it is then.
 * @returns the ids of the tickets that changed
 */
export async function sweepTickets(
  database: Database, now: Instant, lookup: DisturbanceLookup, { news = null, measure = () => null, ...options }: SweepOptions = {},
): Promise<string[]> {
  const rows = await readToSweep(database, now, news)
  // After a restart a disturbance that had ended is in the database only.
  const kept = await readDisturbances(database, system, rows.flatMap(({ covers }) => covers.filter((id) => lookup(id) === null)))
  const todo = new Map<string, readonly OpenCause[]>()
  for (const row of rows) {
    const causes = row.covers.flatMap((id) => {
      const state = kept.get(id)
      return lookup(id) ?? (state === undefined ? null : causeOf(state)) ?? []
    })
    const isNews = causes.length > 0 && (mark(causes) !== row.disturbance_mark || row.status === 'resolved')
    if (row.is_due || isNews) todo.set(row.id, causes)
  }
  const changed: string[] = []
  const ids = [...todo.keys()]
  for (let start = 0; start < ids.length; start += batch_max) {
    changed.push(...await sweepBatch(database, ids.slice(start, start + batch_max), todo, measure, now, { ...defaultVerification, ...options }))
  }
  return changed
}

/** So many are held at once: an operator's own word waits for no more. */
const batch_max = 20

function sweepBatch(database: Database, ids: readonly string[], causes: ReadonlyMap<string, readonly OpenCause[]>, measure: Measure, now: Instant, options: VerificationOptions): Promise<string[]> {
  return database.transaction(system, async (client) => {
    const rows = await client.query<{ state: Ticket }>('SELECT state FROM ticket WHERE id = ANY ($1) ORDER BY id FOR UPDATE', [ids])
    const changed: string[] = []
    for (const { state: before } of rows.rows) {
      const events: TicketEvent[] = []
      let ticket = before
      for (const action of measured(before, causes.get(before.id) ?? [], measure)) {
        if (isOver(ticket)) break
        const decided = decide(ticket, { ...action, by: system.organisation, actor: 'measurement' }, now, options)
        if (!decided.ok) continue // still verifying: the next pass asks again
        for (const event of decided.value) ticket = apply(ticket, event)
        events.push(...decided.value)
      }
      if (events.length === 0) {
        // Looked at, and nothing to say: it is not due again before its time.
        await client.query('UPDATE ticket SET due_at = $2 WHERE id = $1 AND due_at <= $3', [before.id, at(nextDue(before, now, options)), at(now)])
        continue
      }
      await save(client, system, before, ticket, events, now, options)
      changed.push(ticket.id)
    }
    return changed
  })
}

function at(instant: Instant): string
function at(instant: Instant | null): string | null
function at(instant: Instant | null): string | null {
  return instant === null ? null : new Date(instant).toISOString()
}
