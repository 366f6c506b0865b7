import { fail, ok, type Result } from '../kernel/result.ts'
import { hash_bytes, type Sha256 } from './bytes.ts'
import { isBytes, isUint, readCbor, writeCbor, type Cbor } from './cbor.ts'

/**
 * The photos of a form's pages, by their hashes. The list travels beside the record, which holds one hash over it: the
 * photos themselves may come hours later, and are then known to be those that the officer signed for.
 */

/** Places are on the wire. A preview is small and comes first; the original is what the camera gave. */
export const photo_kinds = ['preview', 'original'] as const

export interface Photo {
  /** Page of the form, from 1. */
  readonly page: number
  /** Which taking of this page, from 1: a page may be taken again, and both are kept. */
  readonly shot: number
  readonly kind: (typeof photo_kinds)[number]
  readonly size_bytes: number
  /** SHA-256 of the file as it is sent. */
  readonly sha256: Uint8Array
}

type PhotoFault = 'not_cbor' | 'version_unknown' | 'photo_invalid' | 'order'

const list_version = 1
/** Sixty pages of five contests make some 20 a contest; each may be taken again a few times. */
export const photos_max = 400
export const page_max = 100
export const shot_max = 20
export const photo_bytes_max = 50_000_000
export const list_bytes_max = 20_000

/** The order of a list: by page, by shot, the preview before its original. */
const orderOf = ({ page, shot, kind }: Photo): number => (page * (shot_max + 1) + shot) * photo_kinds.length + photo_kinds.indexOf(kind)

/**
 * `[1, [[page, shot, kind, size, sha256], ...]]` in deterministic CBOR, in order of page, shot and kind: one set of
 * photos has one list.
 * @param photos in any order, each page, shot and kind once; anything else is a bug and throws
 */
export function writePhotos(photos: readonly Photo[]): Uint8Array<ArrayBuffer> {
  const ordered = [...photos].sort((one, other) => orderOf(one) - orderOf(other))
  const bytes = writeCbor([list_version, ordered.map(({ page, shot, kind, size_bytes, sha256 }) => [page, shot, photo_kinds.indexOf(kind), size_bytes, sha256])])
  const read = readPhotos(bytes)
  if (!read.ok) throw new RangeError(`these photos are no list: ${read.error}`)
  return bytes
}

export function readPhotos(bytes: Uint8Array): Result<Photo[], PhotoFault> {
  const read = readCbor(bytes, list_bytes_max)
  if (!read.ok || !Array.isArray(read.value)) return fail('not_cbor')
  const [version, rows] = read.value as readonly Cbor[]
  if (version !== list_version) return fail('version_unknown')
  if (read.value.length !== 2 || !Array.isArray(rows) || rows.length > photos_max) return fail('photo_invalid')
  const photos: Photo[] = []
  for (const row of rows as readonly Cbor[]) {
    const photo = readPhoto(row)
    const last = photos.at(-1)
    if (photo === null) return fail('photo_invalid')
    if (last !== undefined && orderOf(last) >= orderOf(photo)) return fail('order')
    photos.push(photo)
  }
  return ok(photos)
}

function readPhoto(row: Cbor): Photo | null {
  if (!Array.isArray(row) || row.length !== 5) return null
  const [page, shot, place, size, sha256] = row as readonly Cbor[]
  const kind = isUint(place, 1) ? photo_kinds[place] : undefined
  if (!isUint(page, page_max, 1) || !isUint(shot, shot_max, 1) || kind === undefined || !isUint(size, photo_bytes_max, 1) || !isBytes(sha256, hash_bytes)) return null
  return { page, shot, kind, size_bytes: size, sha256 }
}

/** The one hash over the list, as a record holds it. No photos have a list too, and so a hash. */
export async function photosHash(photos: readonly Photo[], sha256: Sha256): Promise<Uint8Array> {
  return sha256(writePhotos(photos))
}
