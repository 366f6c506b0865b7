import { photo_kinds, readPhotos, type Photo } from '@kawal/core/recap/photo.ts'
import type { PhotoState } from '@kawal/contract/recap.ts'
import type pg from 'pg'
import { system, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { ProblemError } from '../problem.ts'
import type { PhotoId } from './photo-store.ts'
import { recapOf } from './stored.ts'

/** A list of photos as it came, and what stands in it. */
interface PhotoList { readonly hash: Buffer; readonly bytes: Buffer; readonly photos: readonly Photo[] }

/** Which photos belong to records, and which of them are here as a whole. What resolved is on disk. */
export interface PhotoLists {
  /**
   * Keeps a list, once, and from then on its photos may come; one transaction.
   * @param look is given the record's entry, null where there is none, and throws where nothing is to be kept
   */
  keep(record: Buffer, list: PhotoList, now: number, look: (entry: Uint8Array | null) => void): Promise<void>
  /** Whether the whole of a photo is here. @returns null where no list names it */
  find(photo: PhotoId): Promise<{ readonly isKept: boolean } | null>
  /** The whole of it is here; said again it changes nothing. */
  markKept(photo: PhotoId, now: number): Promise<void>
}

/**
 * Keeps the list of a record's photos: from then on they may come.
 * @param hash of the record
 * @throws ProblemError not_found for a record that is not here, body_invalid for a list that its hash does not name
 */
export async function keepList(lists: PhotoLists, record: Buffer, bytes: Buffer, now: number): Promise<void> {
  const photos = readPhotos(bytes)
  if (!photos.ok) throw new ProblemError('body_invalid', `This is no list of photos (${photos.error}): spec/recap.md says how one is written.`)
  const hash = Buffer.from(sha256(bytes))
  await lists.keep(record, { hash, bytes, photos: photos.value }, now, (entry) => {
    if (!hash.equals(listOf(entry))) throw new ProblemError('body_invalid', 'The record holds the hash of another list: send the one that was made with it.')
  })
}

/** Lists of which every photo is here now say so, and their villages are counted again. */
async function noteWhole(client: pg.ClientBase, lists: readonly Buffer[]): Promise<void> {
  await client.query('SELECT FROM photo_list WHERE hash = ANY($1) AND NOT whole ORDER BY hash FOR UPDATE', [lists])
  const { rows } = await client.query<{ hash: Buffer }>(
    'UPDATE photo_list SET whole = true WHERE hash = ANY($1) AND NOT whole AND NOT EXISTS (SELECT FROM photo_place JOIN photo USING (sha256, size) WHERE list = photo_list.hash AND kept_at IS NULL) RETURNING hash', [lists])
  if (rows.length > 0) await client.query('INSERT INTO recap_touched (village) SELECT DISTINCT left(station_code, 10) FROM recap WHERE photos = ANY($1) AND station_code IS NOT NULL', [rows.map(({ hash }) => hash)])
}

/** The hash of its list, as the record has it. */
function listOf(entry: Uint8Array | null): Uint8Array {
  if (entry === null) throw new ProblemError('not_found', 'No record with this hash was handed in here: send it first.')
  const recap = recapOf(entry)
  if (recap === null) throw new ProblemError('state_conflict', 'The record is kept, and this program cannot read which photos belong to it: they are asked for when it can.')
  return recap.photos
}

/** Lists and photos in the database. */
export const createPhotoLists = (database: Database): PhotoLists => ({
  keep: (record, { hash, bytes, photos }, now, look) => database.transaction(system, async (client) => {
    const { rows } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM ledger_entry WHERE name = $1 AND kind = 1', [record])
    look(rows[0]?.bytes ?? null)
    const { rowCount } = await client.query('INSERT INTO photo_list (hash, bytes, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [hash, bytes, new Date(now)])
    if (rowCount === 0) return
    const columns = [photos.map((photo) => photo.sha256), photos.map(({ size_bytes }) => size_bytes)] as const
    await client.query('INSERT INTO photo (sha256, size) SELECT * FROM unnest($1::bytea[], $2::integer[]) ON CONFLICT DO NOTHING', [...columns])
    await client.query(
      'INSERT INTO photo_place (list, page, shot, kind, sha256, size) SELECT $3, * FROM unnest($4::smallint[], $5::smallint[], $6::smallint[], $1::bytea[], $2::integer[])',
      [...columns, hash, photos.map(({ page }) => page), photos.map(({ shot }) => shot), photos.map(({ kind }) => photo_kinds.indexOf(kind))])
    // One that is being kept in this moment is waited for: else neither would see the other.
    await client.query('SELECT FROM photo JOIN unnest($1::bytea[], $2::integer[]) AS named (sha256, size) USING (sha256, size) ORDER BY sha256, size FOR SHARE OF photo', [...columns])
    await noteWhole(client, [hash])
  }),
  async find({ sha256: hash, size }) {
    const { rows } = await database.transaction(system, (client) => client.query<{ kept: boolean }>('SELECT kept_at IS NOT NULL AS kept FROM photo WHERE sha256 = $1 AND size = $2', [Buffer.from(hash, 'hex'), size]))
    return rows[0] === undefined ? null : { isKept: rows[0].kept }
  },
  markKept: ({ sha256: hash, size }, now) => database.transaction(system, async (client) => {
    const photo = [Buffer.from(hash, 'hex'), size]
    const { rowCount } = await client.query('UPDATE photo SET kept_at = $3 WHERE sha256 = $1 AND size = $2 AND kept_at IS NULL', [...photo, new Date(now)])
    if (rowCount === 0) return
    const { rows } = await client.query<{ list: Buffer }>('SELECT DISTINCT list FROM photo_place WHERE sha256 = $1 AND size = $2', photo)
    await noteWhole(client, rows.map(({ list }) => list))
  }),
})

/** @returns null where no list came yet */
export async function readPhotosOf(client: pg.ClientBase, list: Uint8Array): Promise<PhotoState[] | null> {
  const { rows } = await client.query<{ page: number | null; shot: number; kind: number; size: number; sha256: Buffer; kept: boolean }>(
    `SELECT page, shot, kind, photo.size, photo.sha256, kept_at IS NOT NULL AS kept FROM photo_list
     LEFT JOIN photo_place ON list = hash LEFT JOIN photo USING (sha256, size) WHERE hash = $1 ORDER BY page, shot, kind`, [list])
  if (rows.length === 0) return null
  return rows.flatMap(({ page, shot, kind, size, sha256: hash, kept }) => (page === null ? [] : [{ page, shot, kind: photo_kinds[kind] as Photo['kind'], size, sha256: hash.toString('hex'), kept }]))
}
