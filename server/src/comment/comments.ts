import type pg from 'pg'
import type { CommentRow } from '@kawal/contract/comment.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import type { KeptFile } from '../file.ts'
import { ProblemError } from '../problem.ts'

/** Of one disturbance: a list that is read whole. */
const comments_max = 500
/** Of these, with a file: 500 MiB. */
const files_max = 100

interface Row { readonly id: number; readonly at: Date; readonly organisation_id: string; readonly organisation_name: string; readonly name: string; readonly body: string; readonly file_name: string | null; readonly file_type: string | null; readonly file_bytes: number | null }

const toRow = ({ id, at, organisation_id, organisation_name, name, body, file_name, file_type, file_bytes }: Row): CommentRow => ({
  id: String(id), at: at.toISOString(), organisation: organisation_id, organisationName: organisation_name, name, text: body,
  file: file_name === null ? null : { name: file_name, mimeType: file_type ?? '', bytes: file_bytes ?? 0 },
})

/** @param id null: all of the disturbance */
async function read(client: pg.ClientBase, disturbance: string, id: number | null): Promise<CommentRow[]> {
  const { rows } = await client.query<Row>(
    `SELECT comment.id, at, organisation_id, organisation.name AS organisation_name, comment.name, body, file_name, file_type, octet_length(file_content) AS file_bytes
     FROM comment JOIN organisation ON organisation.id = organisation_id WHERE disturbance_id = $1 AND ($2::bigint IS NULL OR comment.id = $2) ORDER BY comment.id LIMIT $3`, [disturbance, id, comments_max])
  return rows.map(toRow)
}

/** @throws ProblemError not_found for a disturbance that the caller does not see */
async function see(client: pg.ClientBase, disturbance: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM disturbance WHERE id = $1', [disturbance])
  if (rowCount === 0) throw new ProblemError('not_found', `There is no disturbance ${disturbance} that you may see.`)
}

/** What was said of a disturbance, the oldest first. @throws ProblemError not_found */
export function listComments(database: Database, caller: Caller, disturbance: string): Promise<CommentRow[]> {
  return database.transaction(caller, async (client) => {
    await see(client, disturbance)
    return read(client, disturbance, null)
  })
}

interface Said { readonly name: string; readonly text: string; readonly file: KeptFile | null }

/** Keeps what somebody says, for good. @throws ProblemError not_found; state_conflict when there is no room for more */
export function addComment(database: Database, caller: Caller, disturbance: string, { name, text, file }: Said, now: Instant): Promise<CommentRow> {
  return database.transaction(caller, async (client) => {
    await see(client, disturbance)
    // Whoever else writes of it waits until this is done: together they keep to the bounds, and ids are in the order of time.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('comments ' || $1, 0))", [disturbance])
    const { rows: [there] } = await client.query<{ comments: number; files: number }>('SELECT count(*) AS comments, count(file_name) AS files FROM comment WHERE disturbance_id = $1', [disturbance])
    if ((there?.comments ?? 0) >= comments_max) throw new ProblemError('state_conflict', `This disturbance has ${comments_max} comments, which is all that are kept. Write on its ticket.`)
    if (file !== null && (there?.files ?? 0) >= files_max) throw new ProblemError('state_conflict', `This disturbance has ${files_max} files, which is all that are kept. Send the text alone.`)
    const { rows: [made] } = await client.query<{ id: number }>(
      'INSERT INTO comment (disturbance_id, organisation_id, name, at, body, file_name, file_type, file_sha256, file_content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id',
      [disturbance, caller.organisation, name, new Date(now), text, file?.name ?? null, file?.mimeType ?? null, file?.sha256 ?? null, file?.content ?? null])
    const [row] = await read(client, disturbance, made?.id ?? 0)
    if (row === undefined) throw new Error('who writes may read it')
    return row
  })
}

/** The file of a comment. @throws ProblemError not_found where it has none, or the caller does not see it */
export async function readFile(database: Database, caller: Caller, disturbance: string, comment: string): Promise<KeptFile> {
  const { rows: [row] } = await database.transaction(caller, (client) => client.query<KeptFile>(
    'SELECT file_name AS name, file_type AS "mimeType", file_content AS content, file_sha256 AS sha256 FROM comment WHERE id::text = $1 AND disturbance_id = $2 AND file_name IS NOT NULL', [comment, disturbance]))
  if (row === undefined) throw new ProblemError('not_found', 'There is no such file that you may see.')
  return row
}
