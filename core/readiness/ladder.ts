import { gridRing } from 'h3-js'
import { nothing, rowOf, type Grid } from '../atlas/edition.ts'
import { cellOfKey, centreOf, keyAt, keyOfCell } from '../geo/cells.ts'
import { bearing_deg, distance_km, type Position } from '../geo/distance.ts'
import type { PlaceShares, Reach } from './assess.ts'
import type { Thresholds } from './readiness.ts'

/** A cell where an upload is likely to work, seen from a station. */
interface CoveredPlace {
  readonly cell: string
  readonly position: Position
  readonly distance_km: number
  readonly bearing_deg: number
  /** Index of the operator, and its P(usable). */
  readonly operator: number
  readonly usable: number
}

/** An access point as a station may use it. */
interface LadderPoint {
  readonly id: string
  readonly position: Position
  readonly travel_min: number | null
}

/**
 * What to try, in this order. A step that is not available stays in the list and says so: an officer on a
 * hill must not wonder whether it was forgotten.
 */
export type LadderStep =
  | { readonly kind: 'other_operator'; readonly available: boolean; readonly operator: number | null; readonly usable: number | null }
  | { readonly kind: 'better_spot' | 'covered_place'; readonly available: boolean; readonly place: CoveredPlace | null }
  | { readonly kind: 'village_wifi'; readonly available: boolean; readonly usable: number | null }
  | { readonly kind: 'access_point'; readonly available: boolean; readonly point: LadderPoint | null; readonly distance_km: number | null; readonly bearing_deg: number | null }
  | { readonly kind: 'offline'; readonly available: true }

/** Centres of neighbouring cells of resolution 8 are 0.7 to 1 km apart on Indonesia's land: a ring is never nearer than this. */
const ring_km_min = 0.7

/**
 * The nearest cell where some operator is usable, farther than `from_km` and up to `to_km`, ring by ring
 * around the station's cell; null when there is none. Straight lines: no path is known.
 */
export function nearestCovered(grid: Grid, reach: readonly Reach[], at: Position, from_km: number, to_km: number, usable_min: number): CoveredPlace | null {
  const home = cellOfKey(keyAt(at.latitude, at.longitude, grid.resolution), grid.resolution)
  let found: CoveredPlace | null = null
  for (let ring = 0; ring * ring_km_min <= Math.min(to_km, found?.distance_km ?? Infinity); ring++)
    for (const cell of ring === 0 ? [home] : gridRing(home, ring)) {
      const key = keyOfCell(cell, grid.resolution)
      const row = rowOf(grid.cells, key)
      if (row < 0) continue
      const [operator, step] = bestAt(reach, row)
      if (step / 200 < usable_min) continue
      const position = centreOf(key, grid.resolution)
      const km = distance_km(at, position)
      if (km <= from_km || km > to_km || km >= (found?.distance_km ?? Infinity)) continue
      found = { cell, position, distance_km: km, bearing_deg: bearing_deg(at, position), operator, usable: step / 200 }
    }
  return found
}

function bestAt(reach: readonly Reach[], row: number): readonly [operator: number, step: number] {
  let best = -1
  let top = -1
  for (let i = 0; i < reach.length; i++) {
    const step = reach[i]?.strong[row] ?? nothing
    if (step !== nothing && step > top) [best, top] = [i, step]
  }
  return [best, top]
}

interface LadderInput {
  readonly position: Position | null
  readonly shares: PlaceShares
  /** Index of the operator whose SIM the officer carries, or -1: the ladder begins with another one. */
  readonly carried: number
  /** P(fixed broadband) in the village, or null. */
  readonly fixed: number | null
  readonly point: LadderPoint | null
  readonly grid: Grid
  readonly reach: readonly Reach[]
  readonly thresholds: Thresholds
}

/** The ladder of one station: six steps, always all of them. */
export function ladderOf(input: LadderInput): LadderStep[] {
  const { position, shares, carried, thresholds, grid, reach, point } = input
  let other = -1
  for (let i = 0; i < shares.strong.length; i++) {
    const step = shares.strong[i] as number
    if (i !== carried && step !== nothing && step / 200 >= thresholds.perhaps && (other < 0 || step > (shares.strong[other] as number))) other = i
  }
  const spot = position === null ? null : nearestCovered(grid, reach, position, 0, thresholds.spot_km, thresholds.usable)
  const place = position === null ? null : nearestCovered(grid, reach, position, thresholds.spot_km, thresholds.place_km, thresholds.usable)
  return [
    { kind: 'other_operator', available: other >= 0, operator: other >= 0 ? other : null, usable: other >= 0 ? (shares.strong[other] as number) / 200 : null },
    { kind: 'better_spot', available: spot !== null, place: spot },
    { kind: 'village_wifi', available: input.fixed !== null && input.fixed >= thresholds.perhaps, usable: input.fixed },
    {
      kind: 'access_point', available: point !== null, point,
      distance_km: point === null || position === null ? null : distance_km(position, point.position), bearing_deg: point === null || position === null ? null : bearing_deg(position, point.position),
    },
    { kind: 'covered_place', available: place !== null, place },
    { kind: 'offline', available: true },
  ]
}
