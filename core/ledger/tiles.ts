import { hash_bytes, nodeHash, spanNodes, type HashAt, type Sha256Sync, type Span } from './merkle.ts'

/**
 * Tiles of C2SP tlog-tiles (https://c2sp.org/tlog-tiles): 256 hashes of one level beside each other, as one file that
 * never changes. A tile of level L holds the roots of subtrees of 256^L leaves; beside them lie bundles with the entries
 * themselves.
 */
export interface Tile {
  /** 0 to 6, since a tree has fewer than 2^53 leaves; `entries` for a bundle. */
  readonly level: number | 'entries'
  readonly index: number
  /** How many hashes or entries, 1 to 256; fewer than 256 is a partial tile, at the right edge of its tree. */
  readonly width: number
}

export const tile_width = 256
/** A tile stands for this many levels of the tree. */
const tile_levels = 8

/** `tile/0/x001/x234/067`, `tile/entries/000.p/17`: from a log's address on. */
export function tilePath({ level, index, width }: Tile): string {
  const groups: string[] = []
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(`${groups.length === 0 ? '' : 'x'}${String(rest % 1000).padStart(3, '0')}`)
  return `tile/${level}/${groups.join('/')}${width === tile_width ? '' : `.p/${width}`}`
}

/** @returns null for what `tilePath` writes of no tile: more zeroes than needed, a width of 0 or of 256 as partial, an index beyond all trees */
export function readTilePath(path: string): Tile | null {
  const [, level = '', groups = '', width] = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? []
  const tile = { level: level === 'entries' ? level : Number(level), index: Number(groups.replace(/[x/]/g, '')), width: width === undefined ? tile_width : Number(width) } as const
  const inTree = groups !== '' && (tile.index + 1) * tile_width <= Number.MAX_SAFE_INTEGER + 1 && tile.width >= 1
  return inTree && tilePath(tile) === path ? tile : null
}

/** The tile as it is in a tree of this size: full, or as wide as the tree has hashes. @throws RangeError where the tree has none there */
export function tileOf(level: Tile['level'], index: number, size: number): Tile {
  const width = Math.min(tile_width, hashesAt(level, size) - index * tile_width)
  if (width < 1) throw new RangeError(`a tree of ${size} leaves has no tile ${index} of level ${level}`)
  return { level, index, width }
}

/** How many hashes a tree of this size has on a level of tiles, or how many entries. */
export function hashesAt(level: Tile['level'], size: number): number {
  return level === 'entries' ? size : Math.floor(size / tile_width ** level)
}

/** The partial tiles of a tree of this size: its right edge, from which it grows and which its root can be computed from. */
export function edgeOf(size: number): Tile[] {
  const tiles: Tile[] = []
  if (size % tile_width > 0) tiles.push(tileOf('entries', Math.floor(size / tile_width), size))
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const hashes = hashesAt(level, size)
    if (hashes % tile_width > 0) tiles.push(tileOf(level, Math.floor(hashes / tile_width), size))
  }
  return tiles
}

/** The tiles that spans of a tree are computed from (`inclusionSpans`, `consistencySpans`), each once: what to read before. */
export function tilesOf(spans: readonly Span[], size: number): Tile[] {
  const tiles = spans.flatMap(spanNodes).map(({ level, index }) => placeOf(level, index, size).tile)
  return [...new Map(tiles.map((tile) => [tilePath(tile), tile])).values()]
}

/**
 * Hashes of the tree of `size` leaves, from its tiles.
 * @param read the bytes of a tile; the full one may stand for a partial one, which a log may remove once it is full
 * @throws RangeError for a tile with fewer bytes than its width
 */
export function hashFromTiles(size: number, read: (tile: Tile) => Uint8Array, sha256: Sha256Sync): HashAt {
  return (level, index) => {
    const { tile, offset, count } = placeOf(level, index, size)
    const bytes = read(tile)
    if (bytes.length < tile.width * hash_bytes) throw new RangeError(`${tilePath(tile)} has ${bytes.length} bytes, not ${tile.width * hash_bytes}`)
    return subtreeHash(bytes.subarray(offset * hash_bytes, (offset + count) * hash_bytes), sha256)
  }
}

/** The root over hashes beside each other, whose count is a power of two: of a full tile, its hash on the level above. */
export function subtreeHash(bytes: Uint8Array, sha256: Sha256Sync): Uint8Array {
  let level: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += hash_bytes) level.push(bytes.slice(at, at + hash_bytes))
  while (level.length > 1) level = level.flatMap((hash, at) => (at % 2 === 0 ? [nodeHash(hash, level[at + 1] ?? hash, sha256)] : []))
  return level[0] ?? new Uint8Array()
}

/** Which hashes of which tile a subtree is the root of. */
function placeOf(level: number, index: number, size: number): { tile: Tile; offset: number; count: number } {
  const count = 2 ** (level % tile_levels)
  const first = index * count
  const tile = tileOf(Math.floor(level / tile_levels), Math.floor(first / tile_width), size)
  const offset = first % tile_width
  if (offset + count > tile.width) throw new RangeError(`a tree of ${size} leaves has no subtree ${index} of level ${level}`)
  return { tile, offset, count }
}
