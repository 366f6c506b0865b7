import { degree_km, distance_km, type Position } from './distance.ts'

/**
 * Elevations in tiles of one size on the ground, each with its own number of samples, all in one buffer
 * (which may be shared between threads): metres above the sea, the sea is 0. A tile may be missing, and a
 * tile of one value may be a single sample.
 *
 * Places are counted in tiles from the north-west corner, east and south: in `mercator` (EPSG:3857) a tile
 * is 2^-zoom of the world, in `geographic` it is `tile_deg` wide and high.
 */
export interface Raster {
  readonly projection: 'mercator' | 'geographic'
  /** Of the north-west corner: tile numbers in `mercator`, degrees in `geographic`. */
  readonly west: number
  readonly north: number
  /** 2^zoom in `mercator`; how many tiles a degree has, east and south, in `geographic`. */
  readonly tilesEast: number
  readonly tilesSouth: number
  readonly columns: number
  readonly rows: number
  /** `node`: the first and the last sample lie on the tile's edges (SRTM); `area`: half a sample within (images, most GeoTIFF). */
  readonly registration: 'node' | 'area'
  /** Per tile, by row, then column: where its samples begin (-1: no tile), and how many it has. */
  readonly starts: Int32Array
  readonly widths: Int32Array
  readonly heights: Int32Array
  /** By row from the north-west. */
  readonly samples_m: Int16Array | Float32Array
  /** The sample that says "not known"; NaN says it always. */
  readonly unknown: number
  /** Distance of samples on the ground, for choosing how closely a profile is sampled. */
  readonly resolution_m: number
}

/** Rasters over one another, the best first: where one knows nothing the next is asked. */
export type Terrain = readonly Raster[]

const radian = Math.PI / 180

/** @returns metres above the sea; NaN where nothing is known */
export function elevationAt_m(terrain: Terrain, latitude: number, longitude: number): number {
  const found = new Float64Array([NaN])
  for (const raster of terrain) {
    if (!Number.isNaN(found[0])) break
    const x = tilesFromWest(raster, longitude)
    const y = tilesFromNorth(raster, latitude)
    sampleLine(raster, x, y, 0, 0, found, 0, 0, 0)
  }
  return found[0] as number
}

function tilesFromWest(raster: Raster, longitude: number): number {
  return raster.projection === 'mercator' ? ((longitude + 180) / 360) * raster.tilesEast - raster.west : (longitude - raster.west) * raster.tilesEast
}

function tilesFromNorth(raster: Raster, latitude: number): number {
  if (raster.projection === 'geographic') return (raster.north - latitude) * raster.tilesSouth
  return ((1 - Math.asinh(Math.tan(latitude * radian)) / Math.PI) / 2) * raster.tilesSouth - raster.north
}

/**
 * Over 20 km at Indonesia's latitudes a great circle and a straight line on either map part by less than
 * 2 m, a hundredth of the finest raster's neighbourhood: longer profiles are straight from joint to joint.
 */
const straight_km = 20
const joints_max = 2048

/**
 * Elevations along the great circle between two positions into `into[offset]` to `into[offset +
 * intervals]`, evenly spaced: what `solveProfile` (core/atlas/itm/itm.ts) wants.
 * @returns how many of the samples are not known; they are written as the sea
 */
export function profile(
  terrain: Terrain, fromLatitude: number, fromLongitude: number, toLatitude: number, toLongitude: number, intervals: number, into: Float64Array, offset: number,
): number {
  into.fill(NaN, offset, offset + intervals + 1)
  const joints = legsOf(fromLatitude, fromLongitude, toLatitude, toLongitude, intervals)
  for (let r = 0; r < terrain.length; r++) {
    const raster = terrain[r] as Raster
    let latitude = fromLatitude
    let longitude = fromLongitude
    let first = 0
    for (let leg = 1; leg <= joints; leg++) {
      const last = leg === joints ? intervals : Math.round((intervals * leg) / joints)
      const end = leg === joints ? null : onGreatCircle(fromLatitude, fromLongitude, toLatitude, toLongitude, last / intervals)
      const endLatitude = end === null ? toLatitude : end.latitude
      const endLongitude = end === null ? toLongitude : end.longitude
      const x = tilesFromWest(raster, longitude)
      const y = tilesFromNorth(raster, latitude)
      const steps = last - first
      sampleLine(raster, x, y, (tilesFromWest(raster, endLongitude) - x) / steps, (tilesFromNorth(raster, endLatitude) - y) / steps, into, offset, first, last)
      first = last
      latitude = endLatitude
      longitude = endLongitude
    }
  }
  let unknown = 0
  for (let i = offset; i <= offset + intervals; i++) {
    const elevation = into[i] as number
    if (elevation === elevation) continue
    into[i] = 0
    unknown++
  }
  return unknown
}

/** Into how many straight legs a profile falls; never more than it has intervals. */
function legsOf(fromLatitude: number, fromLongitude: number, toLatitude: number, toLongitude: number, intervals: number): number {
  // a bound that is cheap: both differences in full
  const far_km = (Math.abs(toLatitude - fromLatitude) + Math.abs(toLongitude - fromLongitude)) * degree_km
  if (far_km <= straight_km) return 1
  const far = distance_km({ latitude: fromLatitude, longitude: fromLongitude }, { latitude: toLatitude, longitude: toLongitude })
  return Math.max(1, Math.min(Math.ceil(far / straight_km), intervals, joints_max))
}

/** The position at a share of the way (https://www.movable-type.co.uk/scripts/latlong.html, intermediate point). */
function onGreatCircle(fromLatitude: number, fromLongitude: number, toLatitude: number, toLongitude: number, share: number): Position {
  const from = { latitude: fromLatitude, longitude: fromLongitude }
  const angle = (distance_km(from, { latitude: toLatitude, longitude: toLongitude }) / degree_km) * radian
  const a = Math.sin((1 - share) * angle) / Math.sin(angle)
  const b = Math.sin(share * angle) / Math.sin(angle)
  const x = a * Math.cos(fromLatitude * radian) * Math.cos(fromLongitude * radian) + b * Math.cos(toLatitude * radian) * Math.cos(toLongitude * radian)
  const y = a * Math.cos(fromLatitude * radian) * Math.sin(fromLongitude * radian) + b * Math.cos(toLatitude * radian) * Math.sin(toLongitude * radian)
  const z = a * Math.sin(fromLatitude * radian) + b * Math.sin(toLatitude * radian)
  return { latitude: Math.atan2(z, Math.hypot(x, y)) / radian, longitude: Math.atan2(y, x) / radian }
}

/**
 * Writes samples `first` to `last` of a line that is straight on the raster's map and starts with `first`
 * at (x, y) in tiles. Only what is NaN is written over, and what is not known stays NaN. Between samples
 * it is bilinear; beside an unknown sample it is the nearest one; beyond the outermost samples of a tile
 * these go on, up to the tile's edge.
 */
function sampleLine(raster: Raster, x: number, y: number, dx: number, dy: number, into: Float64Array, offset: number, first: number, last: number): void {
  const { columns, rows, samples_m, unknown, starts, widths, heights } = raster
  const node = raster.registration === 'node'
  let tile = -1
  let start = -1
  let width = 0
  let height = 0
  for (let i = first; i <= last; i++) {
    const held = into[offset + i] as number
    if (held === held) continue
    const tx = x + dx * (i - first)
    const ty = y + dy * (i - first)
    const column = Math.floor(tx)
    const row = Math.floor(ty)
    if (column < 0 || row < 0 || column >= columns || row >= rows) continue
    if (row * columns + column !== tile) {
      tile = row * columns + column
      start = starts[tile] as number
      width = widths[tile] as number
      height = heights[tile] as number
    }
    if (start < 0) continue
    const px = node ? (tx - column) * (width - 1) : Math.min(Math.max((tx - column) * width - 0.5, 0), width - 1)
    const py = node ? (ty - row) * (height - 1) : Math.min(Math.max((ty - row) * height - 0.5, 0), height - 1)
    const left = Math.floor(px)
    const above = Math.floor(py)
    const right = left + 1 < width ? 1 : 0
    const below = above + 1 < height ? width : 0
    const at = start + above * width + left
    const a = samples_m[at] as number
    const b = samples_m[at + right] as number
    const c = samples_m[at + below] as number
    const d = samples_m[at + below + right] as number
    const east = px - left
    const south = py - above
    let value = a + (b - a) * east + (c - a) * south + (a - b - c + d) * east * south
    if (a === unknown || b === unknown || c === unknown || d === unknown || value !== value) {
      value = samples_m[at + (east < 0.5 ? 0 : right) + (south < 0.5 ? 0 : below)] as number
      if (value === unknown) value = NaN
    }
    into[offset + i] = value
  }
}
