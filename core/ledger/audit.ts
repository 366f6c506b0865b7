import { fail, ok, type Result } from '../kernel/result.ts'
import { readBundle } from './bundle.ts'
import { joinBytes, sameBytes } from './bytes.ts'
import type { Checkpoint } from './checkpoint.ts'
import { frontierOf, hash_bytes, leafHash, rootOf, type Sha256Sync } from './merkle.ts'
import { edgeOf, hashesAt, hashFromTiles, subtreeHash, tileOf, tilePath, tile_width, type Tile } from './tiles.ts'

/**
 * The audit of a log from its files, from the signed root down: the partial tiles at the right edge make the root, each full
 * tile makes its hash in the tile above it, each bundle's entries make the tile of leaf hashes. So every file is proved by the
 * checkpoint before anybody builds on it, and what is wrong is told by its own name.
 */

/** What a file came as. `width` is that of the file that was read: the full one may stand for a partial one. */
export interface TileRead { readonly bytes: Uint8Array; readonly width: number }

/** `missing`: it is not there; `length`: not of its width; `other`: not what the checkpoint says. */
type TileFault = 'missing' | 'length' | 'other'
/** `cut`: it ends within an entry. */
export type BundleFault = TileFault | 'cut'

/** The tiles of hashes on the right edge. */
export const edgeTiles = (size: number): Tile[] => edgeOf(size).filter(({ level }) => level !== 'entries')

/** Levels of tiles, from 0 to this one, that a tree of this size has full tiles on; -1 for none. */
export function topOf(size: number): number {
  let top = -1
  while (hashesAt(top + 1, size) >= tile_width) top++
  return top
}

/** The full tiles of a level that a log gained when it grew from `older`, which had a part of the first. */
export function* gained(level: number, older: number, size: number): Generator<Tile> {
  const end = Math.floor(hashesAt(level, size) / tile_width)
  for (let index = Math.floor(hashesAt(level, older) / tile_width); index < end; index++) yield { level, index, width: tile_width }
}

/** The bundles that hold the entries from `older` on; the first may begin with entries before it, the last be partial. */
export function* bundlesFrom(older: number, size: number): Generator<Tile> {
  for (let index = Math.floor(older / tile_width); index * tile_width < size; index++) yield tileOf('entries', index, size)
}

/** A tile's hashes, as many as it must have. */
export function readTile({ width }: Tile, read: TileRead | null): Result<Uint8Array, TileFault> {
  if (read === null) return fail('missing')
  if (read.bytes.length !== read.width * hash_bytes || read.width < width) return fail('length')
  return ok(read.bytes.subarray(0, width * hash_bytes))
}

/** Whether these tiles of the right edge, by their paths, make the checkpoint's root. */
export function isRootOf(edge: ReadonlyMap<string, Uint8Array>, { size, root }: Checkpoint, sha256: Sha256Sync): boolean {
  const hashAt = hashFromTiles(size, (tile) => edge.get(tilePath(tile)) ?? new Uint8Array(), sha256)
  return sameBytes(rootOf(frontierOf(size, hashAt), sha256), root)
}

/** The hash of a full tile in the one above it. @param above the bytes of a proved tile, by its path */
export function hashAbove({ level, index }: Tile, size: number, above: ReadonlyMap<string, Uint8Array>): Uint8Array | null {
  const parent = above.get(tilePath(tileOf((level === 'entries' ? 0 : level) + 1, Math.floor(index / tile_width), size)))
  const at = (index % tile_width) * hash_bytes
  return parent?.subarray(at, at + hash_bytes) ?? null
}

/** Whether a full tile is the one that the tile above it names. */
export const isTileOf = (bytes: Uint8Array, hash: Uint8Array, sha256: Sha256Sync): boolean => sameBytes(subtreeHash(bytes, sha256), hash)

interface Leaves {
  readonly entries: readonly Uint8Array[]
  /** Of these entries, as a bundle. */
  readonly bytes: Uint8Array
  /** Their leaf hashes, as a tile of level 0. */
  readonly hashes: Uint8Array
}

/** A bundle's entries, as many as it must have, and their leaf hashes. */
export function readLeaves({ width }: Tile, read: TileRead | null, sha256: Sha256Sync): Result<Leaves, BundleFault> {
  if (read === null) return fail('missing')
  const entries = readBundle(read.bytes)
  if (!entries.ok) return fail(entries.error === 'bundle_cut' ? 'cut' : 'length')
  if (entries.value.length !== read.width || read.width < width) return fail('length')
  const wanted = entries.value.slice(0, width)
  const bytes = read.bytes.subarray(0, wanted.reduce((sum, { length }) => sum + length + 2, 0))
  return ok({ entries: wanted, bytes, hashes: joinBytes(wanted.map((entry) => leafHash(entry, sha256))) })
}
