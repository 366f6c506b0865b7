import { distance_km, indonesia, type Position } from '../geo/distance.ts'
import { onLand, shoreDistance_km, type Land, type Ring } from '../geo/land.ts'
import { crossingOf } from '../geo/polygon.ts'

/** Why a feature or row was not taken (reject), or was taken with a remark (warning). Codes are stable. */
export const claimReasons = {
  unreadable_feature: 'the feature or row could not be read',
  no_geometry: 'the feature has no geometry, or an empty one',
  not_an_area: 'the geometry is no polygon: points and lines cover nothing here',
  bad_coordinate: 'a coordinate is no finite number',
  too_few_points: 'a ring has fewer than four points, the first again as last: left out',
  unclosed_ring: 'a ring does not end where it began: closed',
  self_crossing: 'a ring crosses itself: what lies behind an odd number of borders is inside',
  swapped_axes: 'latitude and longitude are swapped: Indonesia lies there only the other way round',
  not_degrees: 'the coordinates are no degrees: metres of a projection that the file does not declare',
  outside_frame: 'nothing of it lies in the frame of Indonesia',
  partly_outside_frame: 'a part lies outside the frame of Indonesia, and counts for nothing',
  in_sea: 'all of it lies in the sea, more than 5 km from the shore (Natural Earth 10m) and 3 km from a registered island',
  abroad: 'all of it lies on the land of a neighbouring country, more than 5 km from the shore',
  mostly_off_land: 'more than half of it lies in the sea or abroad',
  no_cell: 'it is too small to hold the centre of a cell: nothing is covered by it',
  duplicate_feature: 'the same area was seen before',
  transformed: 'the file is in another datum or projection: transformed to WGS 84',
  assumed_wgs84: 'the file declares no coordinate system: its degrees are taken for WGS 84',
  other_layers: 'the file has more layers: only this one was read',
  unused_columns: 'these columns are not used: nothing of them is kept',
  bad_number: 'a number cannot be read, or is impossible',
  bad_date: 'a date or time cannot be read',
  unknown_operator: 'no operator is known for this code on this day: kept under no operator',
  unknown_technology: 'the technology is none of gsm, umts, lte, nr, fixed',
  other_operator: 'the row is of another operator than the one asked for',
  other_technology: 'the row is of another technology than the one asked for',
  bad_position: 'the position is missing or no position',
  bad_radio: 'a radio value is outside the range of its technology',
  no_value: 'the row holds no measured value',
  duplicate_row: 'the same cell was seen before',
  other_level: 'the feature is no village: only villages have areas here',
  unknown_village: 'the village is not in the register, and no other was found by name and district or by position',
  matched_by_name: 'the code is not in the register: taken for the one village of this name in its district',
  matched_by_position: 'the code is not in the register: taken for the one village whose position lies inside',
  more_parts: 'the village came in several features: put together',
  smaller_than_cell: 'the area holds no centre of a cell: the cell of the village itself is taken',
  position_outside: "the register's position of the village lies outside its area",
} as const
type ClaimReason = keyof typeof claimReasons

export interface ClaimIssue {
  readonly severity: 'warning' | 'reject'
  readonly reason: ClaimReason
  /** What was read, or what it was compared with. */
  readonly detail: string
}

export function warnOf(reason: ClaimReason, detail = ''): ClaimIssue {
  return { severity: 'warning', reason, detail }
}

export function rejectOf(reason: ClaimReason, detail = ''): ClaimIssue {
  return { severity: 'reject', reason, detail }
}

/** Polygons of an area, each an outer ring and its holes in degrees; null when it was rejected. */
interface ReadArea {
  readonly polygons: readonly (readonly Ring[])[] | null
  readonly issues: readonly ClaimIssue[]
}

interface Geometry {
  readonly type?: unknown
  readonly coordinates?: unknown
  readonly geometries?: unknown
}

/** Collections in collections, deeper than any programme writes. */
const depth_max = 4

/** The coordinates of all polygons of a geometry; null for those of points and lines among them. */
function* polygonsOf(geometry: Geometry, depth = 0): Generator<unknown> {
  if (geometry.type === 'Polygon') yield geometry.coordinates
  else if (geometry.type === 'MultiPolygon' && Array.isArray(geometry.coordinates)) yield* geometry.coordinates
  else if (geometry.type === 'GeometryCollection' && Array.isArray(geometry.geometries) && depth < depth_max) {
    for (const part of geometry.geometries) yield* polygonsOf((part ?? {}) as Geometry, depth + 1)
  } else yield null
}

/** Counts of what is odd in the rings of one feature. */
interface Oddities {
  short: number
  open: number
  others: number
}

/** The ring as read; null when it is too short; a message when a coordinate is none. */
function ringOf(value: unknown, odd: Oddities): Ring | null | string {
  if (!Array.isArray(value)) return 'a ring is no list'
  for (const point of value as readonly unknown[]) {
    if (!Array.isArray(point)) return 'a point is no list'
    const [x, y] = point as readonly unknown[]
    if (typeof x !== 'number' || typeof y !== 'number' || !Number.isFinite(x) || !Number.isFinite(y)) return `${JSON.stringify(x ?? null)} ${JSON.stringify(y ?? null)}`
  }
  const ring = value as unknown as Ring
  const first = ring[0]
  const last = ring.at(-1)
  if (first === undefined || last === undefined) return null
  const closed = first[0] === last[0] && first[1] === last[1]
  // three points and the first again, or three points that do not close: a triangle either way
  if (ring.length < (closed ? 4 : 3)) {
    odd.short++
    return null
  }
  if (!closed) odd.open++
  return ring
}

/**
 * Reads a GeoJSON geometry (RFC 7946, 3.1) as an area, and says what is wrong or odd about it.
 * @param swap_axes take latitude first where only that lies in Indonesia
 */
export function readArea(geometry: unknown, swap_axes: boolean): ReadArea {
  const refuse = (reason: ClaimReason, detail = ''): ReadArea => ({ polygons: null, issues: [rejectOf(reason, detail)] })
  if (typeof geometry !== 'object' || geometry === null) return refuse('no_geometry')
  const odd: Oddities = { short: 0, open: 0, others: 0 }
  const polygons: Ring[][] = []
  for (const coordinates of polygonsOf(geometry as Geometry)) {
    if (coordinates === null) odd.others++
    if (!Array.isArray(coordinates)) continue
    const rings: Ring[] = []
    for (const [i, value] of coordinates.entries()) {
      const ring = ringOf(value, odd)
      if (typeof ring === 'string') return refuse('bad_coordinate', ring)
      if (ring !== null) rings.push(ring)
      else if (i === 0) break // holes of nothing
    }
    if (rings.length > 0) polygons.push(rings)
  }
  if (polygons.length === 0) {
    if (odd.others > 0) return refuse('not_an_area', String((geometry as Geometry).type ?? ''))
    return odd.short > 0 ? refuse('too_few_points', `${odd.short} rings`) : refuse('no_geometry')
  }
  const placed = place(polygons, swap_axes)
  if (placed.polygons === null) return placed
  const issues = [...placed.issues]
  if (odd.others > 0) issues.push(warnOf('not_an_area', `${odd.others} parts left out`))
  if (odd.short > 0) issues.push(warnOf('too_few_points', `${odd.short} rings`))
  if (odd.open > 0) issues.push(warnOf('unclosed_ring', `${odd.open} rings`))
  for (const rings of placed.polygons)
    for (const ring of rings) {
      const crossing = crossingOf(ring)
      if (crossing === null) continue
      issues.push(warnOf('self_crossing', `near ${crossing[1].toFixed(5)} ${crossing[0].toFixed(5)}`))
      return { polygons: placed.polygons, issues }
    }
  return { polygons: placed.polygons, issues }
}

const within = (x: number, y: number): boolean => x >= indonesia.west && x <= indonesia.east && y >= indonesia.south && y <= indonesia.north

/** Where the vertices lie decides: in the frame, in it when swapped, or nowhere near. */
function place(polygons: readonly (readonly Ring[])[], swap_axes: boolean): ReadArea {
  let vertices = 0
  let inside = 0
  let swapped = 0
  let degrees = 0
  for (const rings of polygons)
    for (const ring of rings)
      for (const point of ring) {
        const x = point[0]
        const y = point[1]
        vertices++
        if (within(x, y)) inside++
        else if (within(y, x)) swapped++
        if (x >= -180 && x <= 360 && y >= -90 && y <= 90) degrees++
      }
  const [x, y] = polygons[0]?.[0]?.[0] ?? [0, 0]
  const first = `first point ${x} ${y}`
  if (inside === vertices) return { polygons, issues: [] }
  if (swapped === vertices) {
    if (!swap_axes) return { polygons: null, issues: [rejectOf('swapped_axes', `${first}: write longitude first, or import with --swap-axes`)] }
    const turned = polygons.map((rings) => rings.map((ring) => ring.map((point): readonly [number, number] => [point[1], point[0]])))
    return { polygons: turned, issues: [warnOf('swapped_axes', `${first}: turned round`)] }
  }
  if (inside === 0) return { polygons: null, issues: [degrees < vertices && swapped === 0 ? rejectOf('not_degrees', first) : rejectOf('outside_frame', first)] }
  return { polygons, issues: [warnOf('partly_outside_frame', `${vertices - inside} of ${vertices} points`)] }
}

/** What is land: Indonesia's, its neighbours', and the islands that the coarse coast leaves out. */
export interface Ground {
  readonly home: Land
  readonly abroad: Land
  /** Ascending by latitude. */
  readonly islands: readonly Position[]
}

/** As in the register's check of villages: the coast is off by some kilometres. Ours, not a standard. */
const shore_tolerance_km = 5
const island_tolerance_km = 3
const island_rows_deg = 0.03

/**
 * Holds positions spread over an area, or one of a site, against the map.
 * @returns a reject when all lie far from the shore, a warning when more than half are off the land, else null
 */
export function checkGround(ground: Ground, positions: readonly Position[]): ClaimIssue | null {
  const off = positions.filter((position) => !onLand(ground.home, position))
  if (off.length * 2 <= positions.length) return null
  const share = `${Math.round((100 * off.length) / positions.length)} %`
  const [first] = off
  if (off.length < positions.length || first === undefined || off.some((position) => shoreDistance_km(ground.home, position) <= shore_tolerance_km || nearIsland(ground.islands, position))) return warnOf('mostly_off_land', share)
  const foreign = off.filter((position) => onLand(ground.abroad, position)).length
  return rejectOf(foreign * 2 > off.length ? 'abroad' : 'in_sea', `around ${first.latitude.toFixed(4)} ${first.longitude.toFixed(4)}`)
}

function nearIsland(islands: readonly Position[], position: Position): boolean {
  let low = 0
  let high = islands.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((islands[middle]?.latitude ?? 0) < position.latitude - island_rows_deg) low = middle + 1
    else high = middle
  }
  for (let i = low; i < islands.length; i++) {
    const island = islands[i]
    if (island === undefined || island.latitude > position.latitude + island_rows_deg) return false
    if (distance_km(island, position) <= island_tolerance_km) return true
  }
  return false
}
