import type pg from 'pg'
import type { AuditRow, AuditRows } from '@kawal/contract/audit.ts'
import type { Facts } from '@kawal/core/act/deed.ts'
import type { ActRow, OutcomeRow } from '@kawal/core/act/entry.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'

/** Who acts, as far as it is known: by a session, a key or a link, or a command. */
export interface Actor extends Caller {
  readonly staff?: string | null
  readonly name?: string | null
  /** Id of an API key. */
  readonly key?: string | null
  /** The contact that a ticket's link was sent to. */
  readonly contact?: string | null
}

export interface Act {
  readonly at: Instant
  readonly actor: Actor
  readonly address: string | null
  readonly method: string
  /** Without the query, and without any secret. */
  readonly path: string
  readonly subject: string | null
  readonly reason: string | null
  readonly request: string | null
  /** What everybody may know of it beside its words (core/act/deed.ts). */
  readonly facts?: Facts | null
}

export interface Outcome {
  readonly at: Instant
  readonly status: number
  /** Id of what the action made. */
  readonly made: string | null
}

/** An action that was written down and has no outcome yet. */
export interface Begun { readonly id: number; readonly organisation: string }

const path_chars_max = 500
const name_chars_max = 200
export const reason_chars_max = 2_000

/** What PostgreSQL keeps of a text: no U+0000. */
const kept = (text: string | null | undefined, max: number): string | null => (text === null || text === undefined ? null : text.replaceAll('\0', '\ufffd').slice(0, max))

/** Writes down that an action begins; on disk when it resolves. */
export function writeAct(database: Database, act: Act): Promise<Begun> {
  return database.transaction(system, (client) => insertAct(client, act))
}

/** Writes down what came of an action; once each. */
export async function writeOutcome(database: Database, begun: Begun, outcome: Outcome): Promise<void> {
  await database.transaction(system, (client) => insertOutcome(client, begun, outcome))
}

/** Of what was refused before it began: both at once. */
export async function writeRefusal(database: Database, act: Act, outcome: Outcome): Promise<void> {
  await database.transaction(system, async (client) => insertOutcome(client, await insertAct(client, act), outcome))
}

export async function insertAct(client: pg.ClientBase, { at, actor, address, method, path, subject, reason, request, facts }: Act): Promise<Begun> {
  const { rows: [row] } = await client.query<{ id: number }>(
    `INSERT INTO audit (at, organisation_id, role, staff_id, name, key_id, link_contact, address, method, path, subject, reason, request, facts)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
    [new Date(at), actor.organisation, actor.role, actor.staff ?? null, kept(actor.name, name_chars_max), actor.key ?? null, actor.contact ?? null, address, method, kept(path, path_chars_max), kept(subject, name_chars_max), kept(reason, reason_chars_max), request, facts === undefined || facts === null ? null : JSON.stringify(facts)])
  if (row === undefined) throw new Error('an insert gives its row')
  return { id: row.id, organisation: actor.organisation }
}

export async function insertOutcome(client: pg.ClientBase, { id, organisation }: Begun, { at, status, made }: Outcome): Promise<void> {
  await client.query('INSERT INTO audit_outcome (audit_id, organisation_id, at, status, made) VALUES ($1, $2, $3, $4, $5)', [id, organisation, new Date(at), status, kept(made, name_chars_max)])
}

interface AuditFilter {
  /** From this instant on. */
  readonly from?: Instant | undefined
  /** Before this instant. */
  readonly to?: Instant | undefined
  readonly organisation?: string | undefined
  /** What the action was about, or what it made. */
  readonly subject?: string | undefined
  /** Rows before this one alone. */
  readonly before?: number | undefined
  readonly limit: number
}

/** A row of the audit as it is stored. */
export interface StoredAct {
  readonly id: number; readonly at: Date; readonly organisation: string; readonly role: string | null; readonly staff: string | null; readonly name: string | null; readonly key: string | null; readonly contact: string | null
  readonly address: string | null; readonly method: string; readonly path: string; readonly subject: string | null; readonly reason: string | null; readonly request: string | null; readonly facts: Facts | null; readonly salt: Buffer
}
export interface StoredOutcome { readonly id: number; readonly at: Date; readonly status: number; readonly made: string | null; readonly salt: Buffer }

export const actColumns = 'id, audit.at, audit.organisation_id AS organisation, role, staff_id AS staff, name, key_id AS key, link_contact AS contact, host(address) AS address, method, path, subject, reason, request, facts, audit.salt'
export const outcomeColumns = 'audit_id AS id, audit_outcome.at, status, made, audit_outcome.salt'
export const readActRow = ({ salt: _, at, ...row }: StoredAct): ActRow => ({ ...row, at: at.getTime() })
export const readOutcomeRow = ({ id, at, status, made }: StoredOutcome): OutcomeRow => ({ id, at: at.getTime(), status, made })

/** Where the log has it; null: not yet. */
interface Placed { readonly salt: Buffer; readonly entry: number | null }

/** @returns an act that the caller may see, and what came of it, as the log of acts has them */
export function findAct(database: Database, caller: Caller, id: number): Promise<{ readonly act: Placed & { readonly row: ActRow }; readonly outcome: (Placed & { readonly row: OutcomeRow }) | null } | null> {
  return database.transaction(caller, async (client) => {
    const { rows: [found] } = await client.query<StoredAct & { readonly entry: number | null }>(`SELECT ${actColumns}, entry FROM audit WHERE id = $1`, [id])
    if (found === undefined) return null
    const { rows: [ended] } = await client.query<StoredOutcome & { readonly entry: number | null }>(`SELECT ${outcomeColumns}, entry FROM audit_outcome WHERE audit_id = $1`, [id])
    const { entry, ...act } = found
    return { act: { row: readActRow(act), salt: act.salt, entry }, outcome: ended === undefined ? null : { row: readOutcomeRow(ended), salt: ended.salt, entry: ended.entry } }
  })
}

interface Listed extends StoredAct { readonly status: number | null; readonly endedAt: Date | null; readonly made: string | null; readonly entry: number | null; readonly outcomeEntry: number | null; readonly outcomeSalt: Buffer | null }

export const auditColumns = ['id', 'at', 'organisation', 'role', 'staff', 'name', 'key', 'contact', 'address', 'method', 'path', 'subject', 'reason', 'status', 'endedAt', 'made', 'request', 'facts', 'entry', 'salt', 'outcomeEntry', 'outcomeSalt'] as const

/** For a spreadsheet: facts as JSON. */
export async function* flatActs(rows: AsyncIterable<AuditRow>): AsyncGenerator<Omit<AuditRow, 'facts'> & { readonly facts: string | null }> {
  for await (const row of rows) yield { ...row, facts: row.facts === null ? null : JSON.stringify(row.facts) }
}

/** @returns a page of the actions that the caller may see, newest first, and where the next one begins */
export function listAudit(database: Database, caller: Caller, { from, to, organisation, subject, before, limit }: AuditFilter): Promise<AuditRows> {
  const values: unknown[] = []
  const given = (value: unknown): string => `$${values.push(value)}`
  // only what is asked for is said: each has an index of its own
  const wanted = [
    ...(from === undefined ? [] : [`audit.at >= ${given(new Date(from))}`]), ...(to === undefined ? [] : [`audit.at < ${given(new Date(to))}`]), ...(before === undefined ? [] : [`id < ${given(before)}`]),
    ...(organisation === undefined ? [] : [`audit.organisation_id = ${given(organisation)}`]),
    ...(subject === undefined ? [] : [`id = ANY (ARRAY(SELECT id FROM audit WHERE subject = ${given(subject)} UNION SELECT audit_id FROM audit_outcome WHERE made = ${given(subject)}))`]),
  ]
  return database.transaction(caller, async (client) => {
    const { rows } = await client.query<Listed>(
      `SELECT ${actColumns}, audit.entry, status, audit_outcome.at AS "endedAt", made, audit_outcome.entry AS "outcomeEntry", audit_outcome.salt AS "outcomeSalt"
       FROM audit LEFT JOIN audit_outcome ON audit_id = id ${wanted.length === 0 ? '' : `WHERE ${wanted.join(' AND ')}`} ORDER BY id DESC LIMIT ${given(limit + 1)}`, values)
    const page = rows.slice(0, limit)
    return { rows: page.map(toRow), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
  })
}

const toRow = (row: Listed): AuditRow => ({ ...row, facts: row.facts as AuditRow['facts'], at: row.at.toISOString(), endedAt: row.endedAt?.toISOString() ?? null, salt: row.salt.toString('base64'), outcomeSalt: row.outcomeSalt?.toString('base64') ?? null })

const page_rows = 2_000

/** Every action that the caller may see, newest first, page by page. */
export async function* everyAct(database: Database, caller: Caller, filter: Omit<AuditFilter, 'limit'>): AsyncGenerator<AuditRow> {
  let before = filter.before
  do {
    const { rows, next } = await listAudit(database, caller, { ...filter, before, limit: page_rows })
    yield* rows
    before = next ?? undefined
  } while (before !== undefined)
}
