import { createHash } from 'node:crypto'
import { checkGround, readArea, rejectOf, warnOf, type ClaimIssue, type Ground } from '@kawal/core/atlas/claim.ts'
import { coverMask, coverPolygon, makeCover, sampleCells, unite, type Cover } from '@kawal/core/atlas/cover.ts'
import { centreOf, keyAt, resolution_fine, type Runs } from '@kawal/core/geo/cells.ts'
import { degree_km, insideIndonesiasFrame, type Position } from '@kawal/core/geo/distance.ts'
import { onLand, type Ring } from '@kawal/core/geo/land.ts'
import { makePolygon, type Polygon } from '@kawal/core/geo/polygon.ts'
import { ImportRefused } from '../register/merge.ts'
import type { Progress } from '../register/progress.ts'
import type { PlacedIssue } from './issue-file.ts'
import type { OpenFeatures, OpenRaster } from './open-features.ts'

/** The covered cells of one file, and what was odd. */
export interface Covered {
  readonly kind: 'polygon' | 'raster' | 'points'
  readonly runs: Runs
  readonly features: number
  readonly accepted: number
  readonly issues: PlacedIssue[]
}

export interface AreaReading {
  readonly swap_axes: boolean
  /** Points count as circles of this radius; null: points cover nothing. */
  readonly radius_m: number | null
  readonly ground: Ground
  readonly progress: Progress
}

/** So many ends of runs are held before they are made one set. */
const ends_max = 4_000_000
const corners = 32

/** Sets of cells that become one, in bounded memory. */
class Union {
  #sets: Runs[] = []
  #ends = 0
  add(runs: Runs): void {
    this.#sets.push(runs)
    this.#ends += runs.length
    if (this.#ends < ends_max) return
    this.#sets = [unite(this.#sets)]
    this.#ends = 0
  }
  all(): Runs {
    return unite(this.#sets)
  }
}

/** Covers the areas of a file, feature by feature; what is wrong with one costs no other. */
export async function readAreas(source: OpenFeatures, reading: AreaReading): Promise<Covered> {
  const cover = makeCover()
  const union = new Union()
  const issues: PlacedIssue[] = source.notes.map((issue) => ({ place: 0, code: '', ...issue }))
  const seen = new Map<string, number>()
  let features = 0
  let accepted = 0
  let points = 0
  for await (const feature of source.features()) {
    if (++features % 256 === 0) reading.progress.at((0.9 * source.progress.read) / Math.max(1, source.progress.total), 'covering')
    const note = (issue: ClaimIssue): number => issues.push({ place: feature.place, code: '', ...issue })
    if (feature.problem !== '') {
      note(rejectOf('unreadable_feature', feature.problem))
      continue
    }
    const circles = reading.radius_m === null ? null : circlesOf(feature.geometry, feature.properties, reading.radius_m, reading.swap_axes, note)
    const area = circles ?? readArea(feature.geometry, reading.swap_axes)
    for (const issue of area.issues) note(issue)
    if (area.polygons === null) continue
    const polygons = area.polygons.map(makePolygon)
    const before = seenBefore(seen, polygons, feature.place)
    if (before !== null) note(warnOf('duplicate_feature', `as ${before}`))
    const sets = polygons.map((polygon) => coverPolygon(cover, polygon))
    if (circles !== null) for (const [i, runs] of sets.entries()) if (runs.length === 0) sets[i] = cellAt(area.polygons[i]?.[0])
    const runs = sets.length === 1 && sets[0] !== undefined ? sets[0] : unite(sets)
    const off = offGround(reading.ground, runs, polygons)
    if (off !== null) note(off)
    if (off?.severity === 'reject') continue
    if (runs.length === 0) note(warnOf('no_cell'))
    accepted++
    if (circles !== null) points++
    union.add(runs)
  }
  return { kind: points > 0 && points === accepted ? 'points' : 'polygon', runs: union.all(), features, accepted, issues }
}

/** The place of an equal area; null, and remembered, for the first of its kind. */
function seenBefore(seen: Map<string, number>, polygons: readonly Polygon[], place: number): number | null {
  const hash = createHash('sha256')
  for (const { edges } of polygons) hash.update(new Uint8Array(edges.buffer, edges.byteOffset, edges.byteLength))
  const name = hash.digest('base64')
  const before = seen.get(name)
  if (before === undefined) seen.set(name, place)
  return before ?? null
}

/** Holds a few centres of an area's cells, or the corner of one that has none, against the map: six, and more when one of them is off the land. */
function offGround(ground: Ground, runs: Runs, polygons: readonly Polygon[]): ClaimIssue | null {
  const spread = (cells: number): Position[] => sampleCells(runs, cells).map((key) => centreOf(key, resolution_fine))
  if (runs.length === 0) return checkGround(ground, polygons.map((polygon) => ({ latitude: polygon.south, longitude: polygon.west })))
  return spread(6).every((position) => onLand(ground.home, position)) ? null : checkGround(ground, spread(24))
}

function cellAt(ring: Ring | undefined): Runs {
  const [longitude, latitude] = ring?.[0] ?? [0, 0]
  const key = keyAt(latitude, longitude, resolution_fine)
  return Float64Array.of(key, key + 1)
}

/** Points as circles, of a property radius_m or the radius asked for; null for a geometry that is no point. */
function circlesOf(geometry: unknown, properties: Readonly<Record<string, unknown>>, asked_m: number, swap_axes: boolean, note: (issue: ClaimIssue) => void): ReturnType<typeof readArea> | null {
  const { type, coordinates } = (geometry ?? {}) as { type?: unknown; coordinates?: unknown }
  if (type !== 'Point' && type !== 'MultiPoint') return null
  const given = Object.entries(properties).find(([name]) => /^radius(_m)?$/i.test(name))?.[1]
  const written = given === undefined || given === null || given === '' ? asked_m : Number(given)
  const fits = written > 0 && written <= 50_000
  if (!fits) note(warnOf('bad_number', `radius ${String(given)}`))
  const points = (type === 'Point' ? [coordinates] : Array.isArray(coordinates) ? coordinates : []) as readonly unknown[]
  const rings = points.flatMap((point) => {
    const [x, y] = Array.isArray(point) ? (point as readonly unknown[]) : []
    return typeof x === 'number' && typeof y === 'number' ? [circle(x, y, fits ? written : asked_m)] : []
  })
  if (rings.length === 0) return { polygons: null, issues: [rejectOf('bad_coordinate', JSON.stringify(coordinates ?? null).slice(0, 100))] }
  return readArea({ type: 'MultiPolygon', coordinates: rings.map((ring) => [ring]) }, swap_axes)
}

/** A ring of so many corners around a point; around one whose axes are swapped, one that is swapped too. */
export function circle(longitude: number, latitude: number, radius_m: number): [number, number][] {
  const swapped = !insideIndonesiasFrame({ latitude, longitude }) && insideIndonesiasFrame({ latitude: longitude, longitude: latitude })
  const [x, y] = swapped ? [latitude, longitude] : [longitude, latitude]
  const tall = radius_m / 1000 / degree_km
  const wide = tall / Math.max(0.01, Math.cos((y * Math.PI) / 180))
  const ring = Array.from({ length: corners }, (_, i): [number, number] => {
    const angle = (2 * Math.PI * i) / corners
    const point: [number, number] = [x + wide * Math.cos(angle), y + tall * Math.sin(angle)]
    return swapped ? [point[1], point[0]] : point
  })
  return [...ring, ring[0] ?? [x, y]]
}

/** A window of a raster is read and covered at a time. */
const window_pixels = 2048
/** 52,000 x 20,000 is Indonesia at 100 m. */
const pixels_max = 8e9

/**
 * Covers the pixels of band 1 whose value is above 0, or not below a threshold; none where there is no data.
 * A raster that lies north up in degrees is read pixel by pixel; another is resampled to the nearest one.
 */
export async function readRaster(source: OpenRaster, threshold: number | null, reading: AreaReading): Promise<Covered> {
  const { raster } = source
  const grid = gridOf(source)
  const cover: Cover = makeCover()
  const union = new Union()
  const issues: PlacedIssue[] = source.notes.map((issue) => ({ place: 0, code: '', ...issue }))
  if (raster.bands > 1) issues.push({ place: 0, code: '', ...warnOf('other_layers', `band 1 of ${raster.bands}`) })
  let covered = 0
  for (let row = 0; row < grid.height; row += window_pixels)
    for (let column = 0; column < grid.width; column += window_pixels) {
      reading.progress.at((0.9 * (row * grid.width + column * Math.min(window_pixels, grid.height - row))) / (grid.width * grid.height), 'covering')
      const width = Math.min(window_pixels, grid.width - column)
      const height = Math.min(window_pixels, grid.height - row)
      const west = grid.west + column * grid.x
      const north = grid.north - row * grid.y
      const values = await raster.window(west, north - height * grid.y, west + width * grid.x, north, width, height, source.crs)
      const mask = new Uint8Array(values.length)
      for (let i = 0; i < values.length; i++) {
        const value = values[i] as number
        // NaN, no data, is neither
        if (threshold === null ? value > 0 : value >= threshold) {
          mask[i] = 1
          covered++
        }
      }
      union.add(coverMask(cover, { width, height, west, north, pixel_width_deg: grid.x, pixel_height_deg: grid.y, covered: mask }))
    }
  const runs = union.all()
  if (runs.length === 0) issues.push({ place: 1, code: '', ...(covered === 0 ? rejectOf('no_geometry', 'no pixel is covered') : warnOf('no_cell')) })
  const off = runs.length === 0 ? null : checkGround(reading.ground, sampleCells(runs, 200).map((key) => centreOf(key, resolution_fine)))
  if (off !== null) issues.push({ place: 1, code: '', ...off })
  return { kind: 'raster', runs, features: 1, accepted: issues.some((issue) => issue.severity === 'reject') ? 0 : 1, issues }
}

/** The pixels to read, north up in degrees: the raster's own where it has them. */
function gridOf({ raster, crs }: OpenRaster): { west: number; north: number; x: number; y: number; width: number; height: number } {
  const [west = 0, x = 0, skew = 0, north = 0, turn = 0, y = 0] = raster.transform
  if (raster.transform.length < 6 || (west === 0 && north === 0 && x === 1)) throw new ImportRefused('The raster does not say where it lies. Write it as GeoTIFF with its coordinate system.')
  const inDegrees = raster.crs === null ? crs === 'EPSG:4326' : raster.crs.wgs84
  const frame = inDegrees ? [west, north + raster.height * y, west + raster.width * x, north] : raster.frame
  if (frame === null) throw new ImportRefused('The raster does not say in which coordinate system it lies. Give it with --crs, as in --crs EPSG:32750.')
  const [w = 0, s = 0, e = 0, n = 0] = frame
  if (!(w < 142 && e > 94 && s < 7 && n > -12)) throw new ImportRefused(`The raster lies at ${w.toFixed(3)} to ${e.toFixed(3)} east, ${s.toFixed(3)} to ${n.toFixed(3)} north: not in Indonesia. ${Math.abs(w) > 360 ? 'These are metres: give its coordinate system with --crs, as in --crs EPSG:32750.' : 'Check its coordinate system.'}`)
  const straight = inDegrees && skew === 0 && turn === 0 && x > 0 && y < 0
  // a turned or projected one covers its frame with as many pixels as it has
  const grid = straight ? { west, north, x, y: -y, width: raster.width, height: raster.height } : { west: w, north: n, x: (e - w) / raster.width, y: (n - s) / raster.height, width: raster.width, height: raster.height }
  if (grid.width * grid.height > pixels_max) throw new ImportRefused(`The raster has ${grid.width} x ${grid.height} pixels. Resample it to 50 m or coarser: a cell is some 350 m wide.`)
  return grid
}
