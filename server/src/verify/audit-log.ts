import { bundlesFrom, edgeTiles, gained, hashAbove, isRootOf, isTileOf, readLeaves, readTile, topOf, type BundleFault, type TileRead } from '@kawal/core/ledger/audit.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import type { Checkpoint } from '@kawal/core/ledger/checkpoint.ts'
import type { TileFile } from '@kawal/core/ledger/growth.ts'
import { hashesOf, type Span } from '@kawal/core/ledger/merkle.ts'
import { hashFromTiles, tilePath, tilesOf, tile_width, type Tile } from '@kawal/core/ledger/tiles.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { readTileFrom, type LogSource } from './source.ts'

/** A file that is not what the checkpoint says; `record`: an entry whose record the key that it names did not sign. `root_other`: the tiles at the right edge do not make the signed root; which of them, nothing tells. */
export interface Finding { readonly path: string; readonly fault: BundleFault | 'root_other' | 'record' }

interface AuditNeeds {
  readonly source: LogSource
  /** Entries that were proved, in order; those before `older` are left out. */
  readonly took: (first: number, entries: readonly Uint8Array[]) => void | Promise<void>
  /** Files that were proved. */
  readonly keep?: (files: readonly TileFile[]) => Promise<void>
  /** How far it is. */
  readonly told?: (entries: number) => void
}

/** Requests that are under way at once. */
const ahead_max = 32
/** More are not told one by one. */
const findings_max = 100

/**
 * Every file that a log of this checkpoint has beyond those of `older` entries, which were audited before: 0 for all. That it begins with these is for
 * a consistency proof to say.
 * @throws NoAnswer
 */
export async function auditLog(older: number, checkpoint: Checkpoint, needs: AuditNeeds): Promise<readonly Finding[]> {
  const { size } = checkpoint
  const findings: Finding[] = []
  const found = (path: string, fault: Finding['fault']): void => void (findings.length < findings_max && findings.push({ path, fault }))
  const proved = await auditEdge(checkpoint, needs, found)
  if (proved === null) return findings
  for (let level = topOf(size); level >= 1; level--)
    for await (const { tile, read } of ahead(gained(level, older, size), async (tile) => ({ tile, read: await readTileFrom(needs.source, tile) })))
      await take(tile, read, proved, size, needs, found)
  const pairs = ahead(bundlesFrom(older, size), async (tile) => ({ tile, bundle: await readTileFrom(needs.source, tile), hashes: tile.width === tile_width ? await readTileFrom(needs.source, { ...tile, level: 0 }) : null }))
  for await (const { tile, bundle, hashes } of pairs) {
    await auditBundle(tile, bundle, hashes, proved, { older, size }, needs, found)
    needs.told?.(tile.index * tile_width + tile.width)
  }
  return findings
}

type Found = (path: string, fault: Finding['fault']) => void
type Proved = Map<string, Uint8Array>

/** The partial tiles, which make the root. @returns null where they do not, and nothing below them can be proved */
async function auditEdge(checkpoint: Checkpoint, { source, keep }: AuditNeeds, found: Found): Promise<Proved | null> {
  const proved: Proved = new Map()
  const files: TileFile[] = []
  let isWhole = true
  for (const tile of edgeTiles(checkpoint.size)) {
    const bytes = readTile(tile, await readTileFrom(source, tile))
    if (!bytes.ok) [isWhole] = [false, found(tilePath(tile), bytes.error)]
    else proved.set(tilePath(tile), bytes.value)
    if (bytes.ok) files.push({ tile, bytes: bytes.value })
  }
  if (isWhole && !isRootOf(proved, checkpoint, sha256)) [isWhole] = [false, found('checkpoint', 'root_other')]
  if (isWhole) await keep?.(files)
  return isWhole ? proved : null
}

/** A full tile, against its hash in the one above. */
async function take(tile: Tile, read: TileRead | null, proved: Proved, size: number, { keep }: AuditNeeds, found: Found): Promise<void> {
  const bytes = readTile(tile, read)
  const hash = hashAbove(tile, size, proved)
  if (!bytes.ok) return found(tilePath(tile), bytes.error)
  // nothing proves it where the tile above is not there; that one is told
  if (hash === null) return
  if (!isTileOf(bytes.value, hash, sha256)) return found(tilePath(tile), 'other')
  proved.set(tilePath(tile), bytes.value)
  await keep?.([{ tile, bytes: bytes.value }])
}

/** A bundle and the tile of its leaf hashes: each against the tile above, so that the one that is wrong is told. */
async function auditBundle(tile: Tile, bundle: TileRead | null, read: TileRead | null, proved: Proved, { older, size }: { readonly older: number; readonly size: number }, needs: AuditNeeds, found: Found): Promise<void> {
  const leaves = readLeaves(tile, bundle, sha256)
  const isFull = tile.width === tile_width
  const hashTile: Tile = { ...tile, level: 0 }
  const hash = isFull ? hashAbove(hashTile, size, proved) : null
  const isProved = leaves.ok && (isFull ? hash !== null && isTileOf(leaves.value.hashes, hash, sha256) : sameBytes(leaves.value.hashes, proved.get(tilePath(hashTile)) ?? new Uint8Array()))
  if (!leaves.ok) found(tilePath(tile), leaves.error)
  else if (!isProved && (hash !== null || !isFull)) found(tilePath(tile), 'other')
  if (isFull) {
    const hashes = readTile(hashTile, read)
    if (!hashes.ok) found(tilePath(hashTile), hashes.error)
    else if (hash !== null && !(leaves.ok && isProved ? sameBytes(hashes.value, leaves.value.hashes) : isTileOf(hashes.value, hash, sha256))) found(tilePath(hashTile), 'other')
  }
  if (!leaves.ok || !isProved) return
  const first = tile.index * tile_width
  const skipped = Math.max(0, older - first)
  await needs.took(first + skipped, leaves.value.entries.slice(skipped))
  // of a full bundle that stood for a partial one the rest is proved by nothing yet
  await needs.keep?.([{ tile, bytes: leaves.value.bytes }, ...(isFull ? [{ tile: hashTile, bytes: leaves.value.hashes }] : [])])
}

/** What a proof is made of. @returns null where the log lacks a tile of it */
export async function proofFrom(source: LogSource, size: number, spans: readonly Span[]): Promise<Uint8Array[] | null> {
  const held: Proved = new Map()
  for await (const { tile, read } of ahead(tilesOf(spans, size), async (tile) => ({ tile, read: await readTileFrom(source, tile) }))) {
    const bytes = readTile(tile, read)
    if (!bytes.ok) return null
    held.set(tilePath(tile), bytes.value)
  }
  return hashesOf(spans, hashFromTiles(size, (tile) => held.get(tilePath(tile)) as Uint8Array, sha256), sha256)
}

/** In order, with some under way. */
async function* ahead<T, R>(items: Iterable<T>, read: (item: T) => Promise<R>): AsyncGenerator<R> {
  const waiting: Promise<R>[] = []
  const begin = (item: T): void => {
    const one = read(item)
    // it is awaited later, and told then
    one.catch(() => undefined)
    waiting.push(one)
  }
  for (const item of items) {
    if (waiting.length >= ahead_max) yield await (waiting.shift() as Promise<R>)
    begin(item)
  }
  for (const one of waiting) yield await one
}
