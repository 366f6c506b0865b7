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

/** What one request brings of a photo at most. A cut costs at most as much again. */
export const chunk_bytes = 262_144
/** What the first brings, before anybody knows how fast the line is. */
export const piece_bytes_first = 65_536
const piece_bytes_min = 16_384
/** A record that is signed meanwhile waits for the piece that is under way. */
const piece_ms = 2_500

/**
 * How much the next request shall bring of a photo, by how long the last took. Twenty phones at one line of 1 Mbit/s would each be at 256 KB for 42 s, and a
 * record that one of them signs would wait as long behind its own photo.
 * @param piece_bytes what the last was to bring at most
 */
export function nextPiece(piece_bytes: number, sent_bytes: number, took_ms: number): number {
  // The end of a photo, or a clock that was set: nothing is learned of the line.
  if (took_ms <= 0 || (sent_bytes < piece_bytes && took_ms <= piece_ms)) return piece_bytes
  return Math.round(Math.min(chunk_bytes, 2 * piece_bytes, Math.max(piece_bytes_min, (sent_bytes * piece_ms) / took_ms)))
}

/**
 * @param piece_bytes at most so many bytes of a photo in one request
 * @param arePhotosDue false while an access plan gives the time to others; records and lists go all the same
 * @param piece_bytes what one request brings of a photo at most
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
