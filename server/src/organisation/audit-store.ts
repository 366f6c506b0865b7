import type pg from 'pg'
import type { AuditRow, AuditRows } from '@kawal/contract/audit.ts'
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

async function insertAct(client: pg.ClientBase, { at, actor, address, method, path, subject, reason, request }: Act): Promise<Begun> {
  const { rows: [row] } = await client.query<{ id: number }>(
    `INSERT INTO audit (at, organisation_id, role, staff_id, name, key_id, link_contact, address, method, path, subject, reason, request)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
    [new Date(at), actor.organisation, actor.role, actor.staff ?? null, kept(actor.name, name_chars_max), actor.key ?? null, actor.contact ?? null, address, method, kept(path, path_chars_max), kept(subject, name_chars_max), kept(reason, reason_chars_max), request])
  if (row === undefined) throw new Error('an insert gives its row')
  return { id: row.id, organisation: actor.organisation }
}

async function insertOutcome(client: pg.ClientBase, { id, organisation }: Begun, { at, status, made }: Outcome): Promise<void> {
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

interface Row {
  readonly id: number; readonly at: Date; readonly organisation: string; readonly role: string | null; readonly staff: string | null; readonly name: string | null; readonly key: string | null; readonly contact: string | null
  readonly address: string | null; readonly method: string; readonly path: string; readonly subject: string | null; readonly reason: string | null; readonly status: number | null; readonly endedAt: Date | null; readonly made: string | null; readonly request: string | null
}

export const auditColumns = ['id', 'at', 'organisation', 'role', 'staff', 'name', 'key', 'contact', 'address', 'method', 'path', 'subject', 'reason', 'status', 'endedAt', 'made', 'request'] as const

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
    const { rows } = await client.query<Row>(
      `SELECT id, audit.at, audit.organisation_id AS organisation, role, staff_id AS staff, name, key_id AS key, link_contact AS contact, host(address) AS address, method, path, subject, reason, status, audit_outcome.at AS "endedAt", made, request
       FROM audit LEFT JOIN audit_outcome ON audit_id = id ${wanted.length === 0 ? '' : `WHERE ${wanted.join(' AND ')}`} ORDER BY id DESC LIMIT ${given(limit + 1)}`, values)
    const page = rows.slice(0, limit)
    return { rows: page.map(toRow), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
  })
}

const toRow = (row: Row): AuditRow => ({ ...row, at: row.at.toISOString(), endedAt: row.endedAt?.toISOString() ?? null })

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
