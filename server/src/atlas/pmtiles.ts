import { open, type FileHandle } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { centreOf, resolution_national } from '@kawal/core/geo/cells.ts'
import { degree_km } from '@kawal/core/geo/distance.ts'
import type { Provenance } from './export.ts'
import { drawTile, edge_km, tileAt, tileResolution, type Drawing } from './tile.ts'

/**
 * PMTiles version 3 (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md): one file of all
 * tiles, read by ranges. Header, root directory, tiles, then metadata and leaf directories, which are
 * known at the end only; the specification leaves the order of all but the first two free.
 */

const header_bytes = 127
/** Header and root directory lie in these first bytes (3, 4). */
const head_bytes = 16_384
const [compression_gzip, type_mvt] = [2, 1]
/** No value of a directory or header here passes 2^53. */
interface Entry { readonly id: number; readonly offset: number; readonly length: number; readonly run: number }

interface Bounds { readonly west: number; readonly south: number; readonly east: number; readonly north: number }

/** Tiles of all zooms in one row: those of lower zooms first, those of one along a Hilbert curve (4.1). */
export function tileId(z: number, x: number, y: number): number {
  let id = (4 ** z - 1) / 3
  let [tx, ty] = [x, y]
  for (let side = 2 ** z / 2; side >= 1; side /= 2) {
    const rx = (tx & side) > 0 ? 1 : 0
    const ry = (ty & side) > 0 ? 1 : 0
    id += side * side * ((3 * rx) ^ ry)
    if (ry === 0) {
      if (rx === 1) [tx, ty] = [side - 1 - tx, side - 1 - ty]
      ;[tx, ty] = [ty, tx]
    }
  }
  return id
}

interface Tile { readonly z: number; readonly x: number; readonly y: number; readonly bytes: Uint8Array }

/**
 * Writes an archive of gzipped vector tiles.
 * @param tiles ascending by tileId @throws when they are not
 * @returns how many tiles, and the size of the file
 */
export async function writePmtiles(file: string, about: { readonly bounds: Bounds; readonly zooms: readonly [number, number]; readonly metadata: object }, tiles: Iterable<Tile>): Promise<{ tiles: number; bytes: number }> {
  const handle = await open(file, 'w')
  try {
    const entries: Entry[] = []
    let at = 0
    let last = -1
    for (const tile of tiles) {
      const id = tileId(tile.z, tile.x, tile.y)
      if (id <= last) throw new Error(`tile ${tile.z}/${tile.x}/${tile.y} comes out of order`)
      last = id
      const bytes = gzipSync(tile.bytes)
      await handle.write(bytes, 0, bytes.length, head_bytes + at)
      entries.push({ id, offset: at, length: bytes.length, run: 1 })
      at += bytes.length
    }
    return { tiles: entries.length, bytes: await finish(handle, about, entries, at) }
  } finally {
    await handle.close()
  }
}

async function finish(handle: FileHandle, { bounds, zooms, metadata }: Parameters<typeof writePmtiles>[1], entries: readonly Entry[], data_bytes: number): Promise<number> {
  const { root, leaves } = directories(entries)
  const meta = gzipSync(JSON.stringify(metadata))
  const meta_at = head_bytes + data_bytes
  const leaves_at = meta_at + meta.length
  const head = Buffer.alloc(head_bytes)
  head.write('PMTiles', 0, 'latin1')
  head[7] = 3
  const numbers = [header_bytes, root.length, meta_at, meta.length, leaves_at, leaves.length, head_bytes, data_bytes, entries.length, entries.length, entries.length]
  for (const [i, value] of numbers.entries()) head.writeBigUInt64LE(BigInt(value), 8 + i * 8)
  head.set([1, compression_gzip, compression_gzip, type_mvt, ...zooms], 96)
  const e7 = (value: number): number => Math.round(value * 1e7)
  const { west, south, east, north } = bounds
  for (const [i, value] of [west, south, east, north].entries()) head.writeInt32LE(e7(value), 102 + i * 4)
  head[118] = zooms[0]
  head.writeInt32LE(e7((west + east) / 2), 119)
  head.writeInt32LE(e7((south + north) / 2), 123)
  head.set(root, header_bytes)
  await handle.write(meta, 0, meta.length, meta_at)
  await handle.write(leaves, 0, leaves.length, leaves_at)
  await handle.write(head, 0, head.length, 0)
  return leaves_at + leaves.length
}

/** The root alone where it fits, else a root of leaves, which grow until the root fits (4.2). */
function directories(entries: readonly Entry[]): { root: Buffer; leaves: Buffer } {
  const whole = directory(entries)
  if (whole.length <= head_bytes - header_bytes) return { root: whole, leaves: Buffer.alloc(0) }
  for (let size = 4096; ; size *= 2) {
    const leaves: Buffer[] = []
    const pointers: Entry[] = []
    let offset = 0
    for (let from = 0; from < entries.length; from += size) {
      const leaf = directory(entries.slice(from, from + size))
      // a run of 0 says that this entry leads to a leaf
      pointers.push({ id: entries[from]?.id ?? 0, offset, length: leaf.length, run: 0 })
      leaves.push(leaf)
      offset += leaf.length
    }
    const root = directory(pointers)
    if (root.length <= head_bytes - header_bytes) return { root, leaves: Buffer.concat(leaves) }
  }
}

function directory(entries: readonly Entry[]): Buffer {
  const bytes: number[] = []
  const varint = (value: number): void => {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  }
  varint(entries.length)
  let before = 0
  for (const { id } of entries) {
    varint(id - before)
    before = id
  }
  for (const { run } of entries) varint(run)
  for (const { length } of entries) varint(length)
  let end = -1
  for (const { offset, length } of entries) {
    // 0 is: where the last one ended
    varint(offset === end ? 0 : offset + 1)
    end = offset + length
  }
  return gzipSync(Uint8Array.from(bytes))
}

const tile_zooms: readonly [number, number] = [4, 10]
/** Cells of this level say where tiles may be. */
const level_sought = 6

/** The tiles of a layer, and a file of them: zooms 4 to 10, for maps without a server. */
export async function exportPmtiles(file: string, provenance: Provenance, layer: { operator: string; technology: string; drawing: Drawing }, progress: (done: number, of: number) => void): Promise<{ tiles: number; bytes: number }> {
  const { places, bounds } = placesOf(layer.drawing)
  const fields = { resolution: 'Number', source: 'String', usable: 'Number', known: 'Number', claimed: 'Number', predicted: 'Number', measured: 'Number', samples: 'Number', day: 'Number', contradicted: 'Number' }
  const metadata = {
    name: `${provenance.name} ${layer.operator} ${layer.technology}`, type: 'overlay', version: provenance.edition, attribution: provenance.licence, description: `edition ${provenance.edition}, SHA-256 ${provenance.sha256}, of ${provenance.valid_on}`,
    edition: provenance, operator: layer.operator, technology: layer.technology, vector_layers: [{ id: 'cells', minzoom: tile_zooms[0], maxzoom: tile_zooms[1], fields }],
  }
  function* tiles(): Generator<Tile> {
    for (const [i, { z, x, y }] of places.entries()) {
      if (i % 256 === 0) progress(i, places.length)
      const bytes = drawTile(layer.drawing, z, x, y)
      if (bytes.length > 0) yield { z, x, y, bytes }
    }
  }
  return writePmtiles(file, { bounds, zooms: tile_zooms, metadata }, tiles())
}

/** Every tile that a cell may touch, in the order of the archive, and the frame of all cells. */
function placesOf({ national }: Drawing): { places: Omit<Tile, 'bytes'>[]; bounds: Bounds } {
  const found = new Map<number, Omit<Tile, 'bytes'>>()
  let [west, south, east, north] = [180, 90, -180, -90]
  for (let z = tile_zooms[0]; z <= tile_zooms[1]; z++) {
    const level = Math.min(level_sought, tileResolution(z), resolution_national)
    const reach_deg = (2 * (edge_km[level] ?? 0)) / degree_km
    for (const key of national.keys[level] ?? []) {
      const { latitude, longitude } = centreOf(key, level)
      const [from, to] = [tileAt(z, latitude + reach_deg, longitude - reach_deg), tileAt(z, latitude - reach_deg, longitude + reach_deg)]
      for (let x = from.x; x <= to.x; x++) for (let y = from.y; y <= to.y; y++) found.set(tileId(z, x, y), { z, x, y })
      if (z !== tile_zooms[1]) continue
      ;[west, south, east, north] = [Math.min(west, longitude - reach_deg), Math.min(south, latitude - reach_deg), Math.max(east, longitude + reach_deg), Math.max(north, latitude + reach_deg)]
    }
  }
  return { places: [...found].sort(([a], [b]) => a - b).map(([, place]) => place), bounds: { west, south, east, north } }
}
