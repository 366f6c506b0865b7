import type pg from 'pg'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { TicketAttachment } from '@kawal/core/ticket/relation.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import type { KeptFile } from '../file.ts'

/** A file on its way to a ticket: what the ticket says of it, and what is in it. */
export interface Attached { readonly attachment: TicketAttachment; readonly file: KeptFile }

/** Keeps what is in files, in the transaction that attaches them to the ticket. */
export async function keepFiles(client: pg.PoolClient, caller: Caller, ticket: string, files: readonly Attached[], now: Instant): Promise<void> {
  for (const { attachment: { id }, file: { name, mimeType, sha256, content } } of files)
    await client.query(
      'INSERT INTO ticket_attachment (id, ticket_id, organisation_id, at, name, mime_type, sha256, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
      [id, ticket, caller.organisation, new Date(now).toISOString(), name, mimeType, sha256, content])
}

/** @returns null where there is none of this ticket that the caller may see */
export async function readFile(database: Database, caller: Caller, ticket: string, id: string): Promise<KeptFile | null> {
  const { rows: [row] } = await database.transaction(caller, (client) => client.query<KeptFile>(
    'SELECT name, mime_type AS "mimeType", sha256, content FROM ticket_attachment WHERE ticket_id = $1 AND id::text = $2', [ticket, id]))
  return row ?? null
}
