import { photo_kinds, readPhotos, type Photo } from '@kawal/core/recap/photo.ts'
import type { PhotoState } from '@kawal/contract/recap.ts'
import type pg from 'pg'
import { system, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { ProblemError } from '../problem.ts'
import type { PhotoId } from './photo-store.ts'
import { recapOf } from './stored.ts'

/**
 * Keeps the list of a record's photos: from then on they may come.
 * @param hash of the record
 * @throws ProblemError not_found for a record that is not here, body_invalid for a list that its hash does not name
 */
export async function keepList(database: Database, hash: Buffer, bytes: Buffer, now: number): Promise<void> {
  const photos = readPhotos(bytes)
  if (!photos.ok) throw new ProblemError('body_invalid', `This is no list of photos (${photos.error}): spec/recap.md says how one is written.`)
  const list = Buffer.from(sha256(bytes))
  await database.transaction(system, async (client) => {
    const named = await listOf(client, hash)
    if (!list.equals(named)) throw new ProblemError('body_invalid', 'The record holds the hash of another list: send the one that was made with it.')
    const { rowCount } = await client.query('INSERT INTO photo_list (hash, bytes, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [list, bytes, new Date(now)])
    if (rowCount === 0) return
    const all = photos.value
    const columns = [all.map((photo) => photo.sha256), all.map(({ size_bytes }) => size_bytes)] as const
    await client.query('INSERT INTO photo (sha256, size) SELECT * FROM unnest($1::bytea[], $2::integer[]) ON CONFLICT DO NOTHING', [...columns])
    await client.query(
      'INSERT INTO photo_place (list, page, shot, kind, sha256, size) SELECT $3, * FROM unnest($4::smallint[], $5::smallint[], $6::smallint[], $1::bytea[], $2::integer[])',
      [...columns, list, all.map(({ page }) => page), all.map(({ shot }) => shot), all.map(({ kind }) => photo_kinds.indexOf(kind))])
  })
}

/** The hash of its list, as the record has it. */
async function listOf(client: pg.ClientBase, hash: Buffer): Promise<Uint8Array> {
  const { rows } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM ledger_entry WHERE name = $1 AND kind = 1', [hash])
  const [row] = rows
  if (row === undefined) throw new ProblemError('not_found', 'No record with this hash was handed in here: send it first.')
  const recap = recapOf(row.bytes)
  if (recap === null) throw new ProblemError('state_conflict', 'The record is kept, and this program cannot read which photos belong to it: they are asked for when it can.')
  return recap.photos
}

/** @returns null where no list came yet */
export async function readPhotosOf(client: pg.ClientBase, list: Uint8Array): Promise<PhotoState[] | null> {
  const { rows } = await client.query<{ page: number | null; shot: number; kind: number; size: number; sha256: Buffer; kept: boolean }>(
    `SELECT page, shot, kind, photo.size, photo.sha256, kept_at IS NOT NULL AS kept FROM photo_list
     LEFT JOIN photo_place ON list = hash LEFT JOIN photo USING (sha256, size) WHERE hash = $1 ORDER BY page, shot, kind`, [list])
  if (rows.length === 0) return null
  return rows.flatMap(({ page, shot, kind, size, sha256: hash, kept }) => (page === null ? [] : [{ page, shot, kind: photo_kinds[kind] as Photo['kind'], size, sha256: hash.toString('hex'), kept }]))
}

/** Whether a list names it, and whether the whole of it is here. */
export async function readPhoto(database: Database, { sha256: hash, size }: PhotoId): Promise<{ readonly isKept: boolean } | null> {
  const { rows } = await database.transaction(system, (client) => client.query<{ kept: boolean }>('SELECT kept_at IS NOT NULL AS kept FROM photo WHERE sha256 = $1 AND size = $2', [Buffer.from(hash, 'hex'), size]))
  return rows[0] === undefined ? null : { isKept: rows[0].kept }
}

export const markKept = (database: Database, { sha256: hash, size }: PhotoId, now: number): Promise<unknown> =>
  database.transaction(system, (client) => client.query('UPDATE photo SET kept_at = $3 WHERE sha256 = $1 AND size = $2 AND kept_at IS NULL', [Buffer.from(hash, 'hex'), size, new Date(now)]))
