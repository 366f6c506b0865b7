import { nothing, rowOf, type Atlas } from '@kawal/core/atlas/edition.ts'
import { ancestorOf, discRuns, keyAt, resolution_fine, resolution_national, type Runs } from '@kawal/core/geo/cells.ts'
import { createAreaIntegral, makeShares, reachOf, sharesAt, withReports, type PlaceShares, type Reach, type StationEvidence } from '@kawal/core/readiness/assess.ts'
import type { Thresholds } from '@kawal/core/readiness/readiness.ts'
import { grades, type Stations, type Venues, type Villages } from './nation.ts'

/** P(usable) in 1/200 at every station: row by row, operator by operator. */
export interface StationShares {
  readonly operators: number
  readonly strong: Uint8Array
  readonly weak: Uint8Array
  /** Cells that each was judged over; 0 where it has no place at all. */
  readonly cells: Uint16Array
  /** Index in `bases`. */
  readonly basis: Uint8Array
}
export const bases = ['none', 'village', 'venue', 'fix'] as const

/** An atlas as operators' reaches over its two grids. */
export interface Looker {
  readonly operators: readonly string[]
  readonly national: readonly Reach[]
  readonly fine: readonly Reach[]
}

export function lookInto(atlas: Atlas, operators: readonly string[]): Looker {
  return {
    operators,
    national: operators.map((operator) => reachOf(atlas.layers, operator, 'national', atlas.national.cells.length)),
    fine: operators.map((operator) => reachOf(atlas.layers, operator, 'fine', atlas.fine.cells.length)),
  }
}

/** What the atlas says of one position: its fine cell where the edition has it, else the national one. */
export function sharesOfPosition(atlas: Atlas, looker: Looker, latitude: number, longitude: number, shares: PlaceShares): void {
  const key = keyAt(latitude, longitude, resolution_fine)
  const fine = rowOf(atlas.fine.cells, key)
  if (fine >= 0) return sharesAt(looker.fine, fine, shares)
  const row = rowOf(atlas.national.cells, ancestorOf(key, resolution_fine - resolution_national))
  if (row >= 0) return sharesAt(looker.national, row, shares)
  shares.strong.fill(nothing)
  shares.weak.fill(nothing)
  shares.cells = 1
}

/** Without a polygon a village is a disc of its size around its point; of a village whose size is unknown, this one (the median is 9 km2). */
const area_km2_default = 9

/** The area of a village that has no polygon; null when it has no position either. */
export function discOf(villages: Villages, row: number): Runs | null {
  const latitude = villages.latitude[row] as number
  if (Number.isNaN(latitude)) return null
  const area = villages.area_km2[row] as number
  return discRuns({ latitude, longitude: villages.longitude[row] as number }, Math.sqrt((Number.isNaN(area) ? area_km2_default : area) / Math.PI))
}

/**
 * Looks every station up: one whose place is known in its own cell, one known by its village over the
 * village's area, once a village.
 * @param areas by the village's code
 */
export function lookUp(atlas: Atlas, looker: Looker, thresholds: Thresholds, stations: Stations, villages: Villages, areas: ReadonlyMap<string, Runs>, reports: ReadonlyMap<string, readonly StationEvidence[]>): StationShares {
  const operators = looker.operators.length
  const count = stations.codes.length
  const found: StationShares = { operators, strong: new Uint8Array(count * operators).fill(nothing), weak: new Uint8Array(count * operators).fill(nothing), cells: new Uint16Array(count), basis: new Uint8Array(count) }
  const integrate = createAreaIntegral(atlas.national, looker.national, thresholds)
  const shares = makeShares(operators)
  let judged = -1
  for (let row = 0; row < count; row++) {
    const village = stations.village[row] as number
    const grade = grades[stations.grade[row] as number]
    if (grade === 'fix' || grade === 'venue') {
      sharesOfPosition(atlas, looker, stations.latitude[row] as number, stations.longitude[row] as number, shares)
      found.basis[row] = bases.indexOf(grade)
      judged = -1
    } else if (village >= 0) {
      if (village !== judged) {
        const area = areas.get(villages.codes[village] as string) ?? discOf(villages, village)
        if (area === null) shares.cells = 0
        else integrate(area, shares)
        judged = village
      }
      found.basis[row] = shares.cells === 0 ? 0 : 1
    }
    if (found.basis[row] === 0) continue
    found.cells[row] = Math.min(65_535, shares.cells)
    found.strong.set(shares.strong, row * operators)
    found.weak.set(shares.weak, row * operators)
    const own = reports.size === 0 ? undefined : reports.get(stations.codes[row] as string)
    // a place in its own cell has these reports in the atlas already
    if (own !== undefined && found.basis[row] === 1) {
      const one: PlaceShares = { strong: found.strong.subarray(row * operators, (row + 1) * operators), weak: found.weak.subarray(row * operators, (row + 1) * operators), cells: shares.cells }
      withReports(one, own)
    }
  }
  return found
}

/** P(usable) of the operators at every venue, 0..1, unknown as 0: a venue of which nothing is known is not proposed. */
export function lookAtVenues(atlas: Atlas, looker: Looker, venues: Venues): Float32Array {
  const operators = looker.operators.length
  const found = new Float32Array(venues.ids.length * operators)
  const shares = makeShares(operators)
  for (let row = 0; row < venues.ids.length; row++) {
    sharesOfPosition(atlas, looker, venues.latitude[row] as number, venues.longitude[row] as number, shares)
    for (let i = 0; i < operators; i++) found[row * operators + i] = shares.strong[i] === nothing ? 0 : (shares.strong[i] as number) / 200
  }
  return found
}
