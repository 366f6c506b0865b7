import { open, readdir, readFile } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decode } from 'fast-png'
import { degree_km, indonesia } from '@kawal/core/geo/distance.ts'
import type { Raster, Terrain } from '@kawal/core/geo/terrain.ts'
import { GdalFailure, openGdal } from './gdal.ts'

/** How a grey value of a PNG tile becomes metres: grey * scale + offset, but `sea` is 0. */
interface GreyScale {
  readonly scale_m: number
  readonly offset_m: number
  readonly sea: number
}

/** 15-arc-second tiles of terrain-plus (viewfinderpanoramas.org), as measured against SRTM3 with 34 m of deviation. */
export const terrainPlus: GreyScale = { scale_m: 31.65, offset_m: -49.52, sea: 2 }

interface TerrainOptions {
  /** Of tiles; found out from the folder's name or from where Indonesia lies when left out. */
  readonly zoom?: number
  /** PNG tiles are not read without it. */
  readonly grey?: GreyScale
}

/** A file that was left out: what is wrong with it and what to do. */
interface TerrainIssue {
  readonly file: string
  readonly problem: string
}

interface TerrainFiles {
  /** Finest first. Its samples lie in shared memory: threads can be handed it without copying. */
  readonly terrain: Terrain
  readonly files: number
  readonly issues: readonly TerrainIssue[]
}

const depth_max = 4
const files_max = 20_000
const void_m = -32768

interface Tile {
  readonly file: string
  readonly x: number
  readonly y: number
}

/** A square of SRTM, by its south-west corner. */
interface Square {
  readonly file: string
  readonly south: number
  readonly west: number
}

interface Found {
  readonly tiles: Tile[]
  readonly squares: Square[]
  readonly images: string[]
}

/**
 * Reads all terrain below a folder: PNG tiles `{x}/{y}.png` in Web Mercator, SRTM squares (`S08E110.hgt`,
 * with 1201 or 3601 samples a side, gzipped or not) and GeoTIFF. A broken file is an issue, and the others
 * are read.
 */
export async function readTerrain(directory: string, options: TerrainOptions = {}): Promise<TerrainFiles> {
  const found: Found = { tiles: [], squares: [], images: [] }
  const issues: TerrainIssue[] = []
  await find(directory, found, issues)
  const name = (file: string): string => relative(directory, file)
  const rasters: Raster[] = []
  if (found.tiles.length > 0) {
    const zoom = options.zoom ?? zoomOf(found.tiles)
    if (options.grey === undefined) issues.push({ file: name(found.tiles[0]?.file ?? ''), problem: `${found.tiles.length} PNG tiles were left out: say how their grey values become metres.` })
    else if (zoom === null) issues.push({ file: name(found.tiles[0]?.file ?? ''), problem: `${found.tiles.length} PNG tiles were left out: they are not in Indonesia at any zoom, or at several. Say their zoom.` })
    else {
      const raster = await readTiles(found.tiles, zoom, options.grey, issues, name)
      if (raster !== null) rasters.push(raster)
    }
  }
  rasters.push(...(await readSquares(found.squares, issues, name)))
  for (const file of found.images) {
    const raster = await readGeoTiff(file)
    if (typeof raster === 'string') issues.push({ file: name(file), problem: raster })
    else rasters.push(raster)
  }
  rasters.sort((a, b) => a.resolution_m - b.resolution_m)
  return { terrain: rasters, files: found.tiles.length + found.squares.length + found.images.length, issues }
}

async function find(directory: string, found: Found, issues: TerrainIssue[]): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries.sort((a, b) => (join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1)).slice(0, files_max)) {
    const file = join(entry.parentPath, entry.name)
    if (!entry.isFile() || relative(directory, file).split(sep).length > depth_max) continue
    const tile = /^(\d+)\.png$/i.exec(entry.name)
    const square = /^([NS])(\d\d)([EW])(\d\d\d).*\.hgt(\.gz)?$/i.exec(entry.name)
    const column = basename(entry.parentPath)
    if (tile !== null && /^\d+$/.test(column)) found.tiles.push({ file, x: Number(column), y: Number(tile[1]) })
    else if (square !== null) {
      const south = Number(square[2]) * (square[1]?.toUpperCase() === 'S' ? -1 : 1)
      found.squares.push({ file, south, west: Number(square[4]) * (square[3]?.toUpperCase() === 'W' ? -1 : 1) })
    } else if (/\.hgt(\.gz)?$/i.test(entry.name)) issues.push({ file: relative(directory, file), problem: 'An SRTM square tells its south-west corner in its name, as S08E110.hgt does: rename it.' })
    else if (/\.tiff?$/i.test(entry.name)) found.images.push(file)
  }
  if (entries.length > files_max) issues.push({ file: '.', problem: `Only the first ${files_max} files were looked at: split the folder.` })
}

/** The zoom of the folder that holds the columns, else the only one at which every tile touches Indonesia's frame. */
function zoomOf(tiles: readonly Tile[]): number | null {
  const folder = basename(join(tiles[0]?.file ?? '', '../..'))
  if (/^\d\d?$/.test(folder)) return Number(folder)
  const fitting: number[] = []
  for (let zoom = 3; zoom <= 18; zoom++) {
    const fits = tiles.every(({ x, y }) => {
      const [west, east] = [longitudeOf(x, zoom), longitudeOf(x + 1, zoom)]
      const [north, south] = [latitudeOf(y, zoom), latitudeOf(y + 1, zoom)]
      return east > indonesia.west && west < indonesia.east && north > indonesia.south && south < indonesia.north
    })
    if (fits) fitting.push(zoom)
  }
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}

function longitudeOf(x: number, zoom: number): number {
  return (x / 2 ** zoom) * 360 - 180
}

function latitudeOf(y: number, zoom: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** zoom))) * 180) / Math.PI
}

/** Width and height of a PNG, from its first chunk (W3C PNG, 11.2.2); null when it is none. */
async function sizeOf(file: string): Promise<{ width: number; height: number } | null> {
  const handle = await open(file)
  try {
    const head = Buffer.alloc(24)
    const { bytesRead } = await handle.read(head, 0, 24, 0)
    if (bytesRead < 24 || head.readUInt32BE(0) !== 0x89504e47 || head.toString('latin1', 12, 16) !== 'IHDR') return null
    return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) }
  } finally {
    await handle.close()
  }
}

const side_max = 8192

async function readTiles(tiles: readonly Tile[], zoom: number, grey: GreyScale, issues: TerrainIssue[], name: (file: string) => string): Promise<Raster | null> {
  const good: (Tile & { width: number; height: number })[] = []
  for (const tile of tiles) {
    const size = await sizeOf(tile.file)
    if (size === null || size.width < 1 || size.height < 1 || size.width > side_max || size.height > side_max)
      issues.push({ file: name(tile.file), problem: `It is no PNG image of 1 to ${side_max} samples a side: fetch the tile again.` })
    else good.push({ ...tile, ...size })
  }
  if (good.length === 0) return null
  const west = Math.min(...good.map((tile) => tile.x))
  const north = Math.min(...good.map((tile) => tile.y))
  const columns = Math.max(...good.map((tile) => tile.x)) - west + 1
  const rows = Math.max(...good.map((tile) => tile.y)) - north + 1
  const grid = makeGrid(columns, rows, good.reduce((sum, tile) => sum + tile.width * tile.height, 0))
  for (const tile of good) {
    const problem = put(grid, (tile.y - north) * columns + tile.x - west, await readFile(tile.file), tile, grey)
    if (problem !== null) issues.push({ file: name(tile.file), problem })
  }
  const width = Math.max(...good.map((tile) => tile.width))
  return {
    projection: 'mercator', registration: 'area', west, north, tilesEast: 2 ** zoom, tilesSouth: 2 ** zoom, columns, rows,
    starts: grid.starts, widths: grid.widths, heights: grid.heights, samples_m: grid.samples_m.subarray(0, grid.used), unknown: void_m,
    resolution_m: (degree_km * 1000 * 360) / 2 ** zoom / width,
  }
}

interface Grid {
  readonly starts: Int32Array
  readonly widths: Int32Array
  readonly heights: Int32Array
  readonly samples_m: Int16Array
  used: number
}

/** Memory that no tile ends up in is never touched, so it costs nothing. */
function makeGrid(columns: number, rows: number, samples: number): Grid {
  const tiles = columns * rows
  return { starts: new Int32Array(tiles).fill(-1), widths: new Int32Array(tiles), heights: new Int32Array(tiles), samples_m: new Int16Array(new SharedArrayBuffer(samples * 2)), used: 0 }
}

/** Decodes one tile into the grid; says what is wrong with it, or null. */
function put(grid: Grid, tile: number, bytes: Buffer, size: { width: number; height: number }, grey: GreyScale): string | null {
  let image
  try {
    image = decode(bytes)
  } catch (error) {
    return `It cannot be decoded (${error instanceof Error ? error.message : String(error)}): fetch the tile again.`
  }
  if (image.channels !== 1 || image.palette !== undefined) return `It has ${image.channels} channels or a palette; elevations are one channel of grey values.`
  const { data } = image
  const metres = new Int16Array(2 ** image.depth)
  for (let value = 0; value < metres.length; value++) metres[value] = value === grey.sea ? 0 : Math.round(value * grey.scale_m + grey.offset_m)
  if (image.width !== size.width || image.height !== size.height || data.length !== size.width * size.height) return 'Its size is not what its head says: fetch the tile again.'
  let same = 1
  while (same < data.length && data[same] === data[0]) same++
  // a tile of nothing but sea is one sample
  const alike = same === data.length
  grid.starts[tile] = grid.used
  grid.widths[tile] = alike ? 1 : size.width
  grid.heights[tile] = alike ? 1 : size.height
  const count = alike ? 1 : data.length
  for (let i = 0; i < count; i++) grid.samples_m[grid.used + i] = metres[data[i] as number] as number
  grid.used += count
  return null
}

/** Bytes of a file once unpacked: of gzip its last four say (RFC 1952, section 2.3.1). */
async function bytesIn(file: string): Promise<number> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    if (!file.toLowerCase().endsWith('.gz')) return size
    const tail = Buffer.alloc(4)
    await handle.read(tail, 0, 4, Math.max(0, size - 4))
    return tail.readUInt32LE(0)
  } finally {
    await handle.close()
  }
}

/** One raster for each of SRTM's two sizes. */
async function readSquares(squares: readonly Square[], issues: TerrainIssue[], name: (file: string) => string): Promise<Raster[]> {
  const bySide = new Map<number, Square[]>([[1201, []], [3601, []]])
  for (const square of squares) {
    const bytes = await bytesIn(square.file)
    const group = bySide.get(Math.sqrt(bytes / 2))
    if (group === undefined) issues.push({ file: name(square.file), problem: `It has ${bytes} bytes; an SRTM square has 1201 x 1201 or 3601 x 3601 samples of two bytes. Fetch it again.` })
    else group.push(square)
  }
  const rasters: Raster[] = []
  for (const [side, group] of bySide) if (group.length > 0) rasters.push(await readSide(group, side, issues, name))
  return rasters
}

async function readSide(squares: readonly Square[], side: number, issues: TerrainIssue[], name: (file: string) => string): Promise<Raster> {
  const west = Math.min(...squares.map((square) => square.west))
  const north = Math.max(...squares.map((square) => square.south)) + 1
  const columns = Math.max(...squares.map((square) => square.west)) - west + 1
  const rows = north - Math.min(...squares.map((square) => square.south))
  const grid = makeGrid(columns, rows, squares.length * side * side)
  for (const square of squares) {
    const problem = putSquare(grid, (north - 1 - square.south) * columns + square.west - west, side, await readFile(square.file), square.file)
    if (problem !== null) issues.push({ file: name(square.file), problem })
  }
  return {
    projection: 'geographic', registration: 'node', west, north, tilesEast: 1, tilesSouth: 1, columns, rows,
    starts: grid.starts, widths: grid.widths, heights: grid.heights, samples_m: grid.samples_m.subarray(0, grid.used), unknown: void_m,
    resolution_m: (degree_km * 1000) / (side - 1),
  }
}

/** SRTM: big-endian metres by row from the north-west (USGS, SRTM documentation, section 2.1.2). Says what is wrong, or null. */
function putSquare(grid: Grid, tile: number, side: number, packed: Buffer, file: string): string | null {
  const count = side * side
  let bytes = packed
  if (file.toLowerCase().endsWith('.gz')) {
    try {
      bytes = gunzipSync(packed, { maxOutputLength: count * 2 })
    } catch (error) {
      return `It cannot be unpacked (${error instanceof Error ? error.message : String(error)}): fetch it again.`
    }
  }
  if (grid.starts[tile] !== -1) return 'The same square was read from another file already: remove one of them.'
  for (let i = 0; i < count; i++) grid.samples_m[grid.used + i] = bytes.readInt16BE(i * 2)
  grid.starts[tile] = grid.used
  grid.widths[tile] = side
  grid.heights[tile] = side
  grid.used += count
  return null
}

/** Floats of one image: 256 MB. */
const image_samples_max = 64 * 1024 * 1024

/** Any raster that GDAL reads, put on degrees, as one tile; or what is wrong with it. */
async function readGeoTiff(file: string): Promise<Raster | string> {
  try {
    const opened = await openGdal(file)
    if (!('raster' in opened)) return 'It holds areas, not elevations.'
    const { raster } = opened
    try {
      const { width, height, frame } = raster
      if (raster.bands !== 1) return `It has ${raster.bands} bands; elevations are one.`
      if (frame === null || raster.crs === null) return 'It does not say where it lies: give it a coordinate system (gdal_translate -a_srs).'
      if (width * height > image_samples_max) return `It has ${width} x ${height} samples, more than ${image_samples_max}: cut it into parts, or make it coarser (gdalwarp -tr).`
      const [west, south, east, north] = frame
      const values = await raster.window(west, south, east, north, width, height, null)
      const samples_m = new Float32Array(new SharedArrayBuffer(values.byteLength))
      samples_m.set(values)
      return {
        projection: 'geographic', registration: 'area', west, north, tilesEast: 1 / (east - west), tilesSouth: 1 / (north - south), columns: 1, rows: 1,
        starts: Int32Array.of(0), widths: Int32Array.of(width), heights: Int32Array.of(height), samples_m, unknown: void_m,
        resolution_m: degree_km * 1000 * Math.min((east - west) / width, (north - south) / height),
      }
    } finally {
      await raster.close()
    }
  } catch (error) {
    if (!(error instanceof GdalFailure)) throw error
    return `GDAL cannot read it (${error.message}): it needs one band of elevations in metres and a coordinate system.`
  }
}
