import { difference, differenceKinds, type DifferenceCounts, type DifferenceKind } from '@kawal/core/atlas/difference.ts'
import { shareOf, type Grid } from '@kawal/core/atlas/edition.ts'
import { cellOfKey } from '@kawal/core/geo/cells.ts'
import type { Levels } from './pyramid.ts'
import type { Drawing } from './tile.ts'

/** One cell that two editions say different things of; null is unknown. */
interface ChangedCell {
  readonly cell: string
  readonly kind: DifferenceKind
  readonly before: number | null
  readonly after: number | null
}

interface LayerDifference {
  readonly counts: DifferenceCounts
  /** How many cells differ. */
  readonly differing: number
  /** Those that differ, national cells first, each ascending. */
  cells(): Generator<ChangedCell>
}

const gridOf = ({ resolution, keys }: Levels): Grid => ({ resolution, cells: keys[resolution] as Float64Array })

/** What became of a layer. All that differs may be the nation: it is kept as two numbers a cell, and made into words on the way out. */
export function compareLayers(before: Drawing, after: Drawing): LayerDifference {
  const keys: number[] = []
  const marks: number[] = []
  const note = (key: number, kind: DifferenceKind, was: number, is: number): void => {
    keys.push(key)
    marks.push((differenceKinds.indexOf(kind) << 16) | (was << 8) | is)
  }
  const national = difference({ grid: gridOf(before.national), usable: before.nationalColumns.usable }, { grid: gridOf(after.national), usable: after.nationalColumns.usable }, note)
  const fine_from = keys.length
  const fine = difference({ grid: gridOf(before.fine), usable: before.fineColumns.usable }, { grid: gridOf(after.fine), usable: after.fineColumns.usable }, note)
  const counts = Object.fromEntries(Object.entries(national).map(([kind, count]) => [kind, count + fine[kind as keyof DifferenceCounts]])) as unknown as DifferenceCounts
  return {
    counts, differing: keys.length,
    *cells() {
      for (const [at, key] of keys.entries()) {
        const mark = marks[at] as number
        const { resolution } = at < fine_from ? after.national : after.fine
        yield { cell: cellOfKey(key, resolution), kind: differenceKinds[mark >> 16] as DifferenceKind, before: shareOf((mark >> 8) & 255), after: shareOf(mark & 255) }
      }
    },
  }
}

const chunk_chars = 65_536

/**
 * CSV lines (RFC 4180), the header first.
 * @param first fields and their values that stand first on every line
 */
export function* differenceCsv(cells: Iterable<ChangedCell>, first: Readonly<Record<string, string>> = {}): Generator<string> {
  const head = Object.values(first).map((value) => `${value},`).join('')
  let text = `${[...Object.keys(first), 'cell', 'kind', 'before', 'after'].join(',')}\n`
  for (const { cell, kind, before, after } of cells) {
    text += `${head}${cell},${kind},${before ?? ''},${after ?? ''}\n`
    if (text.length < chunk_chars) continue
    yield text
    text = ''
  }
  yield text
}
