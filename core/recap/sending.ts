import type { Instant } from '../kernel/clock.ts'
import type { Photo } from './photo.ts'

/**
 * In which order what waits goes out, the same on a phone and on a box: at a shared satellite point (600 ms, 1 Mbit/s) the totals of twenty officers pass in
 * seconds and their photos in half an hour, so nothing small ever waits behind something large.
 */
export interface Unsent {
  /** SHA-256 of the signed record, hex. */
  readonly hash: string
  readonly madeAt: Instant
  readonly isLogged: boolean
  readonly isListKept: boolean
  /** Those that are not there as a whole. */
  readonly photos: readonly UnsentPhoto[]
}

export interface UnsentPhoto extends Pick<Photo, 'kind' | 'size_bytes'> {
  /** Of its address: hash and size. */
  readonly id: string
  /** Bytes that the other side has on disk. */
  readonly offset: number
}

/** One request. After each the order is asked for again: what was signed meanwhile overtakes. */
export type SendStep =
  | { readonly kind: 'record'; readonly hash: string }
  | { readonly kind: 'list'; readonly hash: string }
  /** Bytes `from` to before `to`. */
  | { readonly kind: 'photo'; readonly hash: string; readonly id: string; readonly from: number; readonly to: number }

/** What one request brings of a photo: 33 s at 64 kbit/s. A cut costs at most as much again. */
export const chunk_bytes = 262_144

/**
 * @param piece_bytes at most so many bytes of a photo in one request
 * @param arePhotosDue false while an access plan gives the time to others; records and lists go all the same
 * @returns null where nothing is to be sent now
 */
export function nextStep(unsent: readonly Unsent[], arePhotosDue: boolean, piece_bytes = chunk_bytes): SendStep | null {
  const oldest = [...unsent].sort((one, other) => one.madeAt - other.madeAt || (one.hash < other.hash ? -1 : 1))
  const record = oldest.find(({ isLogged }) => !isLogged)
  if (record !== undefined) return { kind: 'record', hash: record.hash }
  const list = oldest.find(({ isListKept }) => !isListKept)
  if (list !== undefined) return { kind: 'list', hash: list.hash }
  if (!arePhotosDue) return null
  const photos = oldest.flatMap(({ hash, photos: each }) => each.map((photo) => ({ hash, ...photo })))
  const [next] = photos.sort((one, other) => rank(one) - rank(other) || left(one) - left(other))
  return next === undefined ? null : { kind: 'photo', hash: next.hash, id: next.id, from: next.offset, to: Math.min(next.size_bytes, next.offset + piece_bytes) }
}

const rank = ({ kind }: UnsentPhoto): number => (kind === 'preview' ? 0 : 1)
/** Who has least left is done first: a photo that is whole is worth more than two halves. */
const left = ({ size_bytes, offset }: UnsentPhoto): number => size_bytes - offset
