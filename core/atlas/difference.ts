import type { Key } from '../geo/cells.ts'
import { nothing, stepOf, type Grid } from './edition.ts'

/**
 * What became of a layer's cells from one edition to another. Of each cell one thing is said, the first
 * that holds: that something is known now and was not, or no more; that it crossed the line between
 * usable and not; that it moved far on one side of it.
 */
export const differenceKinds = ['became_known', 'became_unknown', 'gained', 'lost', 'moved'] as const
export type DifferenceKind = (typeof differenceKinds)[number]

/** A cell counts as usable from this P(an upload works) on. */
const usable_min = stepOf(0.5)
/** A share that moves by less on one side of the line says nothing. */
const moved_min = stepOf(0.2)

/** A layer's `usable` beside its grid. */
interface Side {
  readonly grid: Grid
  readonly usable: Uint8Array
}

export type DifferenceCounts = Readonly<Record<DifferenceKind | 'same', number>>

/**
 * @param before @param after of one resolution; a cell that a grid does not have is unknown there
 * @param found is called for each cell that differs, ascending by key, with steps of 1/200 or `nothing`
 * @returns how many cells of either grid fell under each kind
 */
export function difference(before: Side, after: Side, found: (key: Key, kind: DifferenceKind, before: number, after: number) => void): DifferenceCounts {
  const counts = { became_known: 0, became_unknown: 0, gained: 0, lost: 0, moved: 0, same: 0 }
  const a = before.grid.cells
  const b = after.grid.cells
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const left = i < a.length ? (a[i] as number) : Infinity
    const right = j < b.length ? (b[j] as number) : Infinity
    const was = left <= right ? (before.usable[i++] as number) : nothing
    const is = right <= left ? (after.usable[j++] as number) : nothing
    const kind = kindOf(was, is)
    if (kind === null) counts.same++
    else {
      counts[kind]++
      found(Math.min(left, right), kind, was, is)
    }
  }
  return counts
}

function kindOf(was: number, is: number): DifferenceKind | null {
  if (was === is) return null
  if (was === nothing) return 'became_known'
  if (is === nothing) return 'became_unknown'
  if (was >= usable_min !== is >= usable_min) return is >= usable_min ? 'gained' : 'lost'
  return Math.abs(is - was) >= moved_min ? 'moved' : null
}
