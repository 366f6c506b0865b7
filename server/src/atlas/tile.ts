import { fromGeojsonVt } from '@maplibre/vt-pbf'
import { cellToBoundary } from 'h3-js'
import { cellView, shareOf, sourceOf, type Columns } from '@kawal/core/atlas/edition.ts'
import { cellOfKey, centreOf, resolution_fine, resolution_national, type Key } from '@kawal/core/geo/cells.ts'
import { degree_km } from '@kawal/core/geo/distance.ts'
import { aggregate, firstFrom, resolution_coarsest, sources, type Aggregates, type Levels } from './pyramid.ts'

/**
 * Vector tiles (Mapbox Vector Tile 2.1, Web Mercator) of one layer of an edition: hexagons of a
 * resolution that fits the zoom, in one MVT layer `cells`.
 *
 * A feature's id is its cell's key (core/geo/cells.ts), which with `resolution` makes its H3 index: the
 * index itself would be a third of the tile. Of what is unknown there is no property.
 */

export const zoom_max = 14
const extent = 4096
/** The resolution by zoom: hexagons of 4 to 12 pixels on a tile of 512, at most some 3,000 of them. */
const resolutions = [4, 4, 4, 4, 4, 5, 5, 6, 6, 7, 8] as const
const zoom_fine = 13
/** Mean edge of a hexagon by resolution (https://h3geo.org/docs/core-library/restable), from resolution 0 on. */
export const edge_km = [1281.256, 483.057, 182.513, 68.979, 26.072, 9.854, 3.725, 1.406, 0.531, 0.201] as const

export function tileResolution(zoom: number): number {
  return resolutions[zoom] ?? resolution_national
}

/** What tiles of one layer are made from; its coarser levels are summed when they are first asked for. */
export interface Drawing {
  readonly national: Levels
  readonly fine: Levels
  readonly nationalColumns: Columns
  readonly fineColumns: Columns
  readonly coarser: Map<number, Aggregates>
}

interface Box { readonly west: number; readonly south: number; readonly east: number; readonly north: number }

/** Latitude of a height on the square world of Web Mercator, 0 at its top, 1 at its bottom. */
const latitudeOf = (y: number): number => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI
const mercator = (latitude: number): number => {
  const radians = (latitude * Math.PI) / 180
  return (1 - Math.asinh(Math.tan(radians)) / Math.PI) / 2
}

export function tileBox(z: number, x: number, y: number): Box {
  const tiles = 2 ** z
  return { west: (x / tiles) * 360 - 180, east: ((x + 1) / tiles) * 360 - 180, north: latitudeOf(y / tiles), south: latitudeOf((y + 1) / tiles) }
}

/** The tile of a zoom that a position lies in. */
export function tileAt(z: number, latitude: number, longitude: number): { x: number; y: number } {
  return { x: Math.floor(((longitude + 180) / 360) * 2 ** z), y: Math.floor(mercator(latitude) * 2 ** z) }
}

/**
 * Calls back with cells of a resolution that may touch a box: all that do, and few that do not. Goes down
 * from the coarsest cells, so that only what is near is looked at.
 * @param from @param to the interval of the level's keys
 */
function eachNear(levels: Levels, box: Box, resolution: number, found: (row: number, key: Key) => void, level = resolution_coarsest, from = 0, to = levels.keys[level]?.length ?? 0): void {
  const keys = levels.keys[level] as Float64Array
  const finer = levels.keys[level + 1]
  // a descendant's corner is at most 1.06 edges from the centre, and an edge at most 1.2 mean edges
  const reach_deg = (2 * (edge_km[level] ?? 0)) / degree_km
  const reach_lon_deg = reach_deg / Math.max(0.1, Math.cos((Math.max(Math.abs(box.south), Math.abs(box.north)) * Math.PI) / 180))
  for (let row = from; row < to; row++) {
    const key = keys[row] as number
    if (level === resolution || finer === undefined) {
      found(row, key)
      continue
    }
    const { latitude, longitude } = centreOf(key, level)
    if (latitude < box.south - reach_deg || latitude > box.north + reach_deg || longitude < box.west - reach_lon_deg || longitude > box.east + reach_lon_deg) continue
    eachNear(levels, box, resolution, found, level + 1, firstFrom(finer, key * 8), firstFrom(finer, key * 8 + 8))
  }
}

type Point = [number, number]
interface Tags extends Readonly<Record<'usable' | 'claimed' | 'predicted' | 'measured' | 'samples' | 'day' | 'contradicted' | 'known', number | null>> { readonly resolution: number; readonly source: string }
interface Feature { readonly id: number; readonly type: 3; readonly geometry: Point[][]; readonly tags: Tags }

/**
 * A cell's outline in units of the tile, or null when it does not touch the tile. Outer rings of MVT turn
 * clockwise on the screen (4.3.3.3); H3's turn the other way.
 */
function outline(key: Key, resolution: number, z: number, x: number, y: number): Point[] | null {
  const scale = 2 ** z * extent
  const boundary = cellToBoundary(cellOfKey(key, resolution))
  const ring: Point[] = []
  let [west, east, north, south] = [Infinity, -Infinity, Infinity, -Infinity]
  for (let i = boundary.length - 1; i >= 0; i--) {
    const [latitude, longitude] = boundary[i] as [number, number]
    const px = Math.round(((longitude + 180) / 360) * scale - x * extent)
    const py = Math.round(mercator(latitude) * scale - y * extent)
    west = Math.min(west, px)
    east = Math.max(east, px)
    north = Math.min(north, py)
    south = Math.max(south, py)
    ring.push([px, py])
  }
  return west > extent || east < 0 || north > extent || south < 0 ? null : ring
}

/** @returns the tile uncompressed; empty when no cell of the layer touches it */
export function drawTile(drawing: Drawing, z: number, x: number, y: number): Uint8Array {
  const box = tileBox(z, x, y)
  const features: Feature[] = []
  const draw = (levels: Levels, resolution: number, tagsOf: (row: number) => Tags): void =>
    eachNear(levels, box, resolution, (row, key) => {
      const ring = outline(key, resolution, z, x, y)
      if (ring !== null) features.push({ id: key, type: 3, geometry: [ring], tags: tagsOf(row) })
    })
  const resolution = tileResolution(z)
  if (resolution === resolution_national) draw(drawing.national, resolution, (row) => cellTags(drawing.nationalColumns, row, resolution))
  else {
    const rows = coarserOf(drawing, resolution)
    draw(drawing.national, resolution, (row) => coarserTags(rows, row, resolution))
  }
  if (z >= zoom_fine) draw(drawing.fine, resolution_fine, (row) => cellTags(drawing.fineColumns, row, resolution_fine))
  return features.length === 0 ? new Uint8Array(0) : fromGeojsonVt({ cells: { features } } as unknown as Parameters<typeof fromGeojsonVt>[0], { version: 2, extent })
}

function coarserOf(drawing: Drawing, resolution: number): Aggregates {
  const { national, nationalColumns, coarser } = drawing
  const made = coarser.get(resolution) ?? aggregate(national.keys[resolution_national] as Float64Array, nationalColumns, national.keys[resolution] as Float64Array, resolution_national - resolution)
  coarser.set(resolution, made)
  return made
}

/** A property that is null is left out of the tile: of what is unknown, and of a count that is 0. */
function coarserTags(rows: Aggregates, row: number, resolution: number): Tags {
  return {
    resolution, source: sources[rows.source[row] as number] as string, usable: shareOf(rows.usable[row] as number), known: shareOf(rows.known[row] as number),
    claimed: shareOf(rows.claimed[row] as number), predicted: shareOf(rows.predicted[row] as number), measured: shareOf(rows.measured[row] as number),
    samples: rows.samples[row] || null, day: rows.day[row] || null, contradicted: rows.contradicted[row] || null,
  }
}

function cellTags(columns: Columns, row: number, resolution: number): Tags {
  const { usable, claimed, predicted, measured, samples, day, contradicted } = cellView(columns, row)
  return { resolution, source: sourceOf(columns, row), usable, known: usable === null ? 0 : 1, claimed, predicted, measured, samples: samples || null, day, contradicted: contradicted ? 1 : null }
}
