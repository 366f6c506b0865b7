import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { ContactCompleteness, ContactRow, ContactRows } from '@kawal/contract/contact.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { completeness, lacks, type Contact } from '@kawal/core/organisation/contacts.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'

/** Contacts of one organisation: five levels of ten people each. */
export const contacts_max = 50

interface Row extends Contact { readonly id: string; readonly organisation_id: string; readonly created_at: Date }

const toRow = ({ id, organisation_id, name, level, email, phone, language, created_at }: Row): ContactRow => ({ id, organisation: organisation_id, name, level, email, phone, language, createdAt: created_at.toISOString() })

interface ContactFilter { readonly organisation?: string; readonly offset?: number; readonly limit: number | null }

/** @returns a page of the contacts that the caller may see, by organisation and level, and how many there are; a limit of null gives all */
export function listContacts(database: Database, caller: Caller, { organisation, offset, limit }: ContactFilter): Promise<ContactRows> {
  return database.transaction(caller, async (client) => {
    const { rows: [counted] } = await client.query<{ total: number }>('SELECT count(*) AS total FROM contact WHERE $1::text IS NULL OR organisation_id = $1', [organisation ?? null])
    const { rows } = await client.query<Row>('SELECT * FROM contact WHERE $1::text IS NULL OR organisation_id = $1 ORDER BY organisation_id, level, lower(name), id OFFSET $2 LIMIT $3', [organisation ?? null, offset ?? 0, limit])
    return { total: counted?.total ?? 0, rows: rows.map(toRow) }
  })
}

/** Holds all others who add contacts to this organisation until the transaction ends: together they keep to the limit. */
export async function lockContacts(client: pg.ClientBase, organisation: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('contacts ' || $1, 0))", [organisation])
}

/** @returns the row, or null where a person of this name is on this level already; the limit is the caller's to keep */
export async function insertContact(client: pg.ClientBase, organisation: string, { name, level, email, phone, language }: Contact, now: Instant): Promise<ContactRow | null> {
  const { rows: [row] } = await client.query<Row>(
    'INSERT INTO contact (id, organisation_id, name, level, email, phone, language, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *',
    [randomUUID(), organisation, name, level, email, phone, language, new Date(now)])
  return row === undefined ? null : toRow(row)
}

/** A contact of the caller's own organisation. @throws ProblemError state_conflict when it has as many as it may, or this one */
export function addContact(database: Database, caller: Caller, contact: Contact, now: Instant): Promise<ContactRow> {
  return database.transaction(caller, async (client) => {
    await lockContacts(client, caller.organisation)
    const { rows: [counted] } = await client.query<{ there: number }>('SELECT count(*) AS there FROM contact WHERE organisation_id = $1', [caller.organisation])
    if ((counted?.there ?? 0) >= contacts_max) throw new ProblemError('state_conflict', `${caller.organisation} has ${contacts_max} contacts already. Delete or change one.`)
    const row = await insertContact(client, caller.organisation, contact, now)
    if (row === null) throw twice(contact)
    return row
  })
}

const twice = ({ name, level }: Contact): ProblemError => new ProblemError('state_conflict', `${name} is on level ${level} already. Change that contact, or give this one another name or level.`)

/** Writes a contact anew, but for whose it is. @throws ProblemError not_found, not_allowed, state_conflict */
export function changeContact(database: Database, caller: Caller, id: string, contact: Contact): Promise<ContactRow> {
  const { name, level, email, phone, language } = contact
  return database.transaction(caller, async (client) => {
    const { rows: [row] } = await client.query<Row>('UPDATE contact SET name = $2, level = $3, email = $4, phone = $5, language = $6 WHERE id = $1 RETURNING *', [uuidOf(id), name, level, email, phone, language]).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === '23505') throw twice(contact)
      throw error
    })
    if (row === undefined) return refuse(client, id)
    return toRow(row)
  })
}

/** For good. @throws ProblemError not_found, not_allowed */
export function deleteContact(database: Database, caller: Caller, id: string): Promise<void> {
  return database.transaction(caller, async (client) => {
    const { rowCount } = await client.query('DELETE FROM contact WHERE id = $1', [uuidOf(id)])
    if (rowCount === 0) await refuse(client, id)
  })
}

const missing = (): ProblemError => new ProblemError('not_found', 'There is no such contact that you may see.')

function uuidOf(id: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw missing()
  return id
}

/** Nothing was written: it is not there, or not the caller's to write. */
async function refuse(client: pg.ClientBase, id: string): Promise<never> {
  const { rowCount } = await client.query('SELECT FROM contact WHERE id = $1', [id])
  throw rowCount === 0 ? missing() : new ProblemError('not_allowed', 'You may read this contact; its own organisation changes it.')
}

/** What contacts lack: of every operator, ISP and BAKTI for who reads all contacts, else of the caller's own organisation. */
export function readCompleteness(database: Database, caller: Caller): Promise<ContactCompleteness> {
  const own = scopeOf(caller.role, 'contact', 'read') === 'all' ? null : caller.organisation
  return database.transaction(caller, async (client) => {
    const { rows: organisations } = await client.query<{ id: string; name: string; kind: string }>(
      "SELECT id, name, kind FROM organisation WHERE CASE WHEN $1::text IS NULL THEN kind IN ('operator', 'isp', 'bakti') ELSE id = $1 END ORDER BY id", [own])
    const { rows: contacts } = await client.query<{ organisation: string; name: string; level: number; phone: string | null }>('SELECT organisation_id AS organisation, name, level, phone FROM contact')
    const rows = completeness(organisations, contacts).map(({ organisation: { id, name, kind }, contacts: count, lacks: lacking }) => ({ organisation: id, name, kind, contacts: count, lacks: [...lacking] }))
    const counts = { organisations: rows.length, complete: rows.filter((row) => row.lacks.length === 0).length, no_contact: 0, no_first_level: 0, one_person_only: 0, no_phone: 0 }
    for (const lack of lacks) counts[lack] = rows.filter((row) => row.lacks.includes(lack)).length
    return { counts, rows }
  })
}
