import { ok, type Result } from '../kernel/result.ts'
import { bundleOf } from './bundle.ts'
import { joinBytes } from './bytes.ts'
import { hash_bytes, leafHash, type Sha256Sync } from './merkle.ts'
import { edgeOf, hashesAt, subtreeHash, tile_width, tileOf, type Tile } from './tiles.ts'

/** The right edge of a tree: the bytes of its partial tiles, which the next entries are added to. */
export interface Edge {
  readonly size: number
  readonly bundle: Uint8Array
  /** Of each level from 0 on; empty where the tree's last tile is full. */
  readonly tiles: readonly Uint8Array[]
}

export interface TileFile { readonly tile: Tile; readonly bytes: Uint8Array }
interface Growth { readonly edge: Edge; readonly files: readonly TileFile[] }

export const emptyEdge: Edge = { size: 0, bundle: new Uint8Array(), tiles: [] }

/** The edge of a tree that is kept. @param read the bytes of one of its partial tiles (`edgeOf`) */
export function readEdge(size: number, read: (tile: Tile) => Uint8Array): Edge {
  const tiles: Uint8Array[] = []
  let bundle: Uint8Array = new Uint8Array()
  for (let level = 0; hashesAt(level, size) > 0; level++) tiles.push(new Uint8Array())
  for (const tile of edgeOf(size)) {
    if (tile.level === 'entries') bundle = read(tile)
    else tiles[tile.level] = read(tile)
  }
  return { size, bundle, tiles }
}

/**
 * What a log writes when it grows by these entries: bundles and tiles that became full, and the partial ones of the new size
 * that changed. Files of an older size stay as they were. Write them all, durably, before a checkpoint of the new size is shown.
 */
export function grow(edge: Edge, entries: readonly Uint8Array[], sha256: Sha256Sync): Result<Growth, 'entry_too_long'> {
  const size = edge.size + entries.length
  const bundles = growBundles(edge, entries)
  if (!bundles.ok) return bundles
  const files = [...bundles.value.files]
  const tiles = [...edge.tiles]
  let added = entries.map((entry) => leafHash(entry, sha256))
  for (let level = 0; added.length > 0; level++) {
    const bytes = joinBytes([tiles[level] ?? new Uint8Array(), ...added])
    const first = Math.floor(hashesAt(level, edge.size) / tile_width)
    const full: Uint8Array[] = []
    let at = 0
    for (let index = first; at < bytes.length; index++) {
      const tile = tileOf(level, index, size)
      const part = bytes.slice(at, at + tile.width * hash_bytes)
      files.push({ tile, bytes: part })
      if (tile.width < tile_width) break
      full.push(subtreeHash(part, sha256))
      at += part.length
    }
    tiles[level] = bytes.slice(at)
    added = full
  }
  return ok({ edge: { size, bundle: bundles.value.bundle, tiles }, files })
}

function growBundles({ size, bundle }: Edge, entries: readonly Uint8Array[]): Result<{ bundle: Uint8Array; files: TileFile[] }, 'entry_too_long'> {
  const files: TileFile[] = []
  let last = bundle
  for (let taken = 0; taken < entries.length;) {
    const index = Math.floor((size + taken) / tile_width)
    const room = tile_width - ((size + taken) % tile_width)
    const added = bundleOf(entries.slice(taken, taken + room))
    if (!added.ok) return added
    taken = Math.min(entries.length, taken + room)
    const bytes = joinBytes([last, added.value])
    const tile = tileOf('entries', index, size + taken)
    files.push({ tile, bytes })
    last = tile.width === tile_width ? new Uint8Array() : bytes
  }
  return ok({ bundle: last, files })
}
