import { flag, nothing, type Columns } from '@kawal/core/atlas/edition.ts'
import type { Key } from '@kawal/core/geo/cells.ts'

/** The coarsest level: some sixty cells hold Indonesia. */
export const resolution_coarsest = 2

/**
 * A grid with all its ancestors: keys of each resolution, ascending, by resolution. The children of a cell
 * are one interval of the next level.
 */
export interface Levels {
  readonly resolution: number
  readonly keys: readonly Float64Array[]
}

export function makeLevels(cells: Float64Array, resolution: number): Levels {
  const keys: Float64Array[] = Array.from({ length: resolution + 1 }, () => new Float64Array(0))
  keys[resolution] = cells
  for (let level = resolution - 1; level >= resolution_coarsest; level--) {
    const finer = keys[level + 1] as Float64Array
    const found = new Float64Array(finer.length)
    let count = 0
    for (let i = 0; i < finer.length; i++) {
      const parent = Math.floor((finer[i] as number) / 8)
      if (count === 0 || found[count - 1] !== parent) found[count++] = parent
    }
    keys[level] = found.slice(0, count)
  }
  return { resolution, keys }
}

/** The index of the first key that is not below the given one. */
export function firstFrom(keys: Float64Array, key: Key): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as number) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Kinds of evidence, the strongest first; an aggregate keeps the index. */
export const sources = ['measured', 'predicted', 'claimed', 'none'] as const

/**
 * What the cells below a coarser one say together, one row a coarser cell. Shares are in steps of 1/200;
 * a mean is over the cells that have a value, and `nothing` where none has.
 */
export interface Aggregates {
  readonly usable: Uint8Array
  /** Share of the cells whose `usable` is known. */
  readonly known: Uint8Array
  readonly claimed: Uint8Array
  readonly predicted: Uint8Array
  readonly measured: Uint8Array
  readonly samples: Uint32Array
  readonly day: Uint16Array
  /** How many cells are contradicted. */
  readonly contradicted: Uint32Array
  /** What most cells stand on, an index of `sources`; the stronger one of two that are equal. */
  readonly source: Uint8Array
}

/** @param keys of a coarser level, `levels` resolutions above the cells */
export function aggregate(cells: Float64Array, columns: Columns, keys: Float64Array, levels: number): Aggregates {
  const made: Aggregates = {
    usable: new Uint8Array(keys.length).fill(nothing), known: new Uint8Array(keys.length), claimed: new Uint8Array(keys.length).fill(nothing),
    predicted: new Uint8Array(keys.length).fill(nothing), measured: new Uint8Array(keys.length).fill(nothing),
    samples: new Uint32Array(keys.length), day: new Uint16Array(keys.length), contradicted: new Uint32Array(keys.length), source: new Uint8Array(keys.length),
  }
  const unit = 8 ** levels
  let row = 0
  for (let at = 0; at < keys.length; at++) {
    const end = ((keys[at] as number) + 1) * unit
    const from = row
    while (row < cells.length && (cells[row] as number) < end) row++
    fold(made, at, columns, from, row)
  }
  return made
}

function fold(made: Aggregates, at: number, columns: Columns, from: number, to: number): void {
  let [usable, known, claimed, claims, predicted, predictions, measured, measures] = [0, 0, 0, 0, 0, 0, 0, 0]
  let [predictedBest, claimedBest] = [0, 0]
  for (let row = from; row < to; row++) {
    const step = columns.usable[row] as number
    if (step !== nothing) {
      usable += step
      known++
    }
    const claim = columns.claimed[row] as number
    if (claim !== nothing) {
      claimed += claim
      claims++
    }
    const prediction = columns.predicted[row] as number
    if (prediction !== nothing) {
      predicted += prediction
      predictions++
    }
    const measure = columns.measured[row] as number
    if (measure !== nothing) {
      measured += measure
      measures++
    } else if (prediction !== nothing) predictedBest++
    else if (claim !== nothing) claimedBest++
    made.samples[at] = (made.samples[at] as number) + (columns.samples[row] as number)
    made.day[at] = Math.max(made.day[at] as number, columns.day[row] as number)
    if (((columns.flags[row] as number) & flag.contradicted) !== 0) made.contradicted[at] = (made.contradicted[at] as number) + 1
  }
  if (known > 0) made.usable[at] = Math.round(usable / known)
  if (claims > 0) made.claimed[at] = Math.round(claimed / claims)
  if (predictions > 0) made.predicted[at] = Math.round(predicted / predictions)
  if (measures > 0) made.measured[at] = Math.round(measured / measures)
  made.known[at] = Math.round((200 * known) / Math.max(1, to - from))
  const most = Math.max(measures, predictedBest, claimedBest, to - from - measures - predictedBest - claimedBest)
  made.source[at] = most === measures ? 0 : most === predictedBest ? 1 : most === claimedBest ? 2 : 3
}

/** Of several networks over one grid the best at each cell: the row of whichever has the highest known `usable`. */
export function takeBetter(best: Columns, other: Columns): void {
  for (let row = 0; row < best.usable.length; row++) {
    const [has, offers] = [best.usable[row] as number, other.usable[row] as number]
    // where nobody knows anything, a claim or a sample is still worth showing
    const better = offers === nothing ? has === nothing && bare(best, row) && !bare(other, row) : has === nothing || offers > has
    if (!better) continue
    best.usable[row] = offers
    best.claimed[row] = other.claimed[row] as number
    best.predicted[row] = other.predicted[row] as number
    best.measured[row] = other.measured[row] as number
    best.samples[row] = other.samples[row] as number
    best.day[row] = other.day[row] as number
    best.flags[row] = other.flags[row] as number
  }
}

const bare = (columns: Columns, row: number): boolean => columns.claimed[row] === nothing && columns.samples[row] === 0
