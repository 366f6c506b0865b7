import { eachNationalCell, type Runs } from '../geo/cells.ts'
import { nothing, stepOf, type Columns, type Grid, type Layer, type Technology } from '../atlas/edition.ts'
import type { ReadinessClass, ReadinessReason, Thresholds } from './readiness.ts'

/** What carries a form's photo, and what at most a text: 3G is shut in Indonesia, so that a claim of it proves 2G at best. */
const carrying: readonly Technology[] = ['lte', 'nr']
const weak: readonly Technology[] = ['gsm', 'umts']

/** Per operator P(usable) in 1/200 over a grid, of the best of its technologies; `nothing` where none is known. */
export interface Reach {
  readonly strong: Uint8Array
  readonly weak: Uint8Array
}

/** @param of which of an edition's two grids */
export function reachOf(layers: readonly Layer[], operator: string, of: 'national' | 'fine', rows: number): Reach {
  const own = layers.filter((layer) => layer.operator === operator)
  const best = (technologies: readonly Technology[]): Uint8Array =>
    strongest(own.filter((layer) => technologies.includes(layer.technology)).map((layer) => layer[of]), rows)
  return { strong: best(carrying), weak: best(weak) }
}

function strongest(columns: readonly Columns[], rows: number): Uint8Array {
  const [first, ...others] = columns
  if (first === undefined) return new Uint8Array(rows).fill(nothing)
  const best = first.usable.slice()
  for (const { usable } of others)
    for (let row = 0; row < rows; row++) {
      const step = usable[row] as number
      if (step !== nothing && (best[row] === nothing || step > (best[row] as number))) best[row] = step
    }
  return best
}

/** P(usable) in 1/200 of one place, operator by operator. */
export interface PlaceShares {
  readonly strong: Uint8Array
  readonly weak: Uint8Array
  /** How many cells it was judged over. */
  cells: number
}

export function makeShares(operators: number): PlaceShares {
  return { strong: new Uint8Array(operators).fill(nothing), weak: new Uint8Array(operators).fill(nothing), cells: 0 }
}

/** A place that is one cell. */
export function sharesAt(reach: readonly Reach[], row: number, shares: PlaceShares): void {
  shares.cells = 1
  for (let i = 0; i < reach.length; i++) {
    shares.strong[i] = reach[i]?.strong[row] ?? nothing
    shares.weak[i] = reach[i]?.weak[row] ?? nothing
  }
}

/**
 * A place known only by its village: the mean over the cells of the village's area, each by its share of
 * it, so that P is of a station that may stand anywhere in it. An operator of whom less than
 * `known_area_share` of the area is known stays unknown.
 */
export function createAreaIntegral(grid: Grid, reach: readonly Reach[], thresholds: Thresholds): (area: Runs, shares: PlaceShares) => void {
  const sums = new Float64Array(reach.length * 2)
  const known = new Float64Array(reach.length * 2)
  const { cells } = grid
  let row = 0
  let whole = 0
  let touched = 0
  const add = (key: number, children: number): void => {
    whole += children
    touched++
    if (cells[row] !== key) row = seek(cells, key, row)
    if (cells[row] !== key) return
    for (let i = 0; i < reach.length; i++) {
      const { strong, weak: low } = reach[i] as Reach
      if (strong[row] !== nothing) {
        sums[2 * i] = (sums[2 * i] as number) + (strong[row] as number) * children
        known[2 * i] = (known[2 * i] as number) + children
      }
      if (low[row] !== nothing) {
        sums[2 * i + 1] = (sums[2 * i + 1] as number) + (low[row] as number) * children
        known[2 * i + 1] = (known[2 * i + 1] as number) + children
      }
    }
    row++ // the next cell of an area is the next row, mostly
  }
  return (area, shares) => {
    sums.fill(0)
    known.fill(0)
    whole = touched = 0
    eachNationalCell(area, add)
    shares.cells = touched
    for (let i = 0; i < reach.length; i++) {
      const mean = (at: number): number => ((known[at] as number) > 0 && (known[at] as number) >= thresholds.known_area_share * whole ? Math.round((sums[at] as number) / (known[at] as number)) : nothing)
      shares.strong[i] = mean(2 * i)
      shares.weak[i] = mean(2 * i + 1)
    }
  }
}

/** The row of the first cell that is not below the key. */
function seek(cells: Float64Array, key: number, from: number): number {
  let low = (cells[from] ?? Infinity) < key ? from : 0
  let high = cells.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cells[middle] as number) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** What officers' own reports from a station say of an operator there: each device once. */
export interface StationEvidence {
  /** Index among the operators. */
  readonly operator: number
  readonly good: number
  readonly bad: number
}

/** What a prior is worth in devices; without one, half and half is worth two. */
const prior_devices = 4
const blind_devices = 2

/** Reports from the station itself weigh more than the area around: they update what the atlas says. */
export function withReports(shares: PlaceShares, reports: readonly StationEvidence[]): void {
  for (const { operator, good, bad } of reports) {
    const step = shares.strong[operator] ?? nothing
    if (good + bad === 0) continue
    const strength = step === nothing ? blind_devices : prior_devices
    const prior = step === nothing ? 0.5 : step / 200
    shares.strong[operator] = stepOf((prior * strength + good) / (strength + good + bad))
  }
}

/** Without looking at access points: 'blank' is settled by `settleBlank`. */
export interface Judged {
  class: ReadinessClass | 'blank'
  reason: ReadinessReason | 'blank'
  /** Indices of the operators whose SIM to carry, or -1. */
  best: number
  second: number
}

/**
 * Judges one place. Blank is said only when every operator is known not to be usable; where some are
 * unknown and none is good, the place is unknown, and says so.
 * @param into filled and returned: no allocation in a loop over a nation
 */
export function judgePlace(shares: PlaceShares, thresholds: Thresholds, into: Judged): Judged {
  const usable = stepOf(thresholds.usable)
  const perhaps = stepOf(thresholds.perhaps)
  let ready = 0
  let unknown = 0
  let low = false
  let best = -1
  let second = -1
  for (let i = 0; i < shares.strong.length; i++) {
    const step = shares.strong[i] as number
    const weakStep = shares.weak[i] as number
    if (weakStep !== nothing && weakStep >= perhaps) low = true
    if (step === nothing) {
      unknown++
      continue
    }
    if (step >= usable) ready++
    if (best < 0 || step > (shares.strong[best] as number)) [second, best] = [best, i]
    else if (second < 0 || step > (shares.strong[second] as number)) second = i
  }
  const top = best < 0 ? 0 : (shares.strong[best] as number)
  into.best = top >= perhaps ? best : -1
  into.second = into.best >= 0 && second >= 0 && (shares.strong[second] as number) >= perhaps ? second : -1
  if (ready >= 2) return put(into, 'a', 'two_usable')
  if (ready === 1) return put(into, 'b', 'one_usable')
  if (top >= perhaps) return put(into, 'c', 'perhaps')
  if (low) return put(into, 'c', 'only_2g')
  if (unknown === shares.strong.length) return put(into, 'unknown', 'no_evidence')
  return unknown > 0 ? put(into, 'unknown', 'partly_known') : put(into, 'blank', 'blank')
}

function put(into: Judged, className: Judged['class'], reason: Judged['reason']): Judged {
  into.class = className
  into.reason = reason
  return into
}

/** A blank place's class, when the access points have been assigned. */
export function settleBlank(assigned: boolean, reason: 'no_point_in_reach' | 'capacity' | null): { class: ReadinessClass; reason: ReadinessReason } {
  if (assigned) return { class: 'd', reason: 'blank_with_point' }
  return { class: 'e', reason: reason === 'capacity' ? 'blank_no_capacity' : 'blank_no_point' }
}
