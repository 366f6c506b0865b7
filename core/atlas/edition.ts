import { resolution_fine, resolution_national, type Key } from '../geo/cells.ts'

/**
 * An edition of the coverage atlas: what is known, on one day, of where each operator's network carries
 * an upload. Claimed, predicted and measured stay apart; `usable` is what they say together (fuse.ts).
 * Everything lies in columns over shared grids, so that a nation of 2.6 million cells and eight layers
 * is some 200 MB, and one cell of all layers is one index.
 */

/** Cells of one resolution as keys, ascending. */
export interface Grid {
  readonly resolution: number
  readonly cells: Float64Array
}

/** Columns beside a grid, one row a cell. A share is in steps of 1/200; `nothing` says that there is none. */
export interface Columns {
  /** P(an upload works), of all evidence. */
  readonly usable: Uint8Array
  /** Share of the cell that the operator claims to cover; `nothing` where it handed in no map. */
  readonly claimed: Uint8Array
  /** P(usable) by physics from known sites. */
  readonly predicted: Uint8Array
  /** Share of measurements near that were usable, each device weighed. */
  readonly measured: Uint8Array
  /** Samples that lie in the cell, at most 65,535. */
  readonly samples: Uint16Array
  /** Newest evidence, in days since 1970-01-01; 0 is none. */
  readonly day: Uint16Array
  /** Bits of `flag`. */
  readonly flags: Uint8Array
}
export const columnNames = ['usable', 'claimed', 'predicted', 'measured', 'samples', 'day', 'flags'] as const
type ColumnName = (typeof columnNames)[number]

export const technologies = ['gsm', 'umts', 'lte', 'nr', 'fixed'] as const
export type Technology = (typeof technologies)[number]

/** One operator's network of one technology. */
export interface Layer {
  readonly operator: string
  readonly technology: Technology
  readonly national: Columns
  readonly fine: Columns
}

export interface Atlas {
  /** Resolution 8: every cell of every village's area. */
  readonly national: Grid
  /** Resolution 9: the cells of stations and venues whose position is known closely. */
  readonly fine: Grid
  readonly layers: readonly Layer[]
}

/** No value: never a share, never zero. */
export const nothing = 255
const steps = 200
export const flag = {
  /** Claimed to be covered, and measured not to be. */
  contradicted: 1,
  /** A challenge of this cell was accepted. */
  challenged: 2,
} as const

/** @param share 0 to 1 */
export const stepOf = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * steps)
/** @returns 0 to 1, or null where there is no value */
export const shareOf = (step: number): number | null => (step === nothing ? null : step / steps)

export function makeColumns(rows: number): Columns {
  return {
    usable: new Uint8Array(rows).fill(nothing), claimed: new Uint8Array(rows).fill(nothing), predicted: new Uint8Array(rows).fill(nothing), measured: new Uint8Array(rows).fill(nothing),
    samples: new Uint16Array(rows), day: new Uint16Array(rows), flags: new Uint8Array(rows),
  }
}

/** The row of a key in ascending cells, or -1. */
export function rowOf(cells: Float64Array, key: Key): number {
  let low = 0
  let high = cells.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = cells[middle] as number
    if (at === key) return middle
    if (at < key) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** What one cell's row says in one layer, in words and shares; null is "no value". */
export interface CellView {
  readonly usable: number | null
  readonly claimed: number | null
  readonly predicted: number | null
  readonly measured: number | null
  readonly samples: number
  /** Days since 1970-01-01, or null. */
  readonly day: number | null
  readonly contradicted: boolean
  readonly challenged: boolean
}

export function cellView(columns: Columns, row: number): CellView {
  const share = (name: 'usable' | 'claimed' | 'predicted' | 'measured'): number | null => shareOf(columns[name][row] ?? nothing)
  const day = columns.day[row] ?? 0
  const flags = columns.flags[row] ?? 0
  return {
    usable: share('usable'), claimed: share('claimed'), predicted: share('predicted'), measured: share('measured'), samples: columns.samples[row] ?? 0,
    day: day === 0 ? null : day, contradicted: (flags & flag.contradicted) !== 0, challenged: (flags & flag.challenged) !== 0,
  }
}

/** Where a value of a cell comes from: the strongest kind of evidence that it has. */
export type Source = 'measured' | 'predicted' | 'claimed' | 'none'
export function sourceOf(columns: Columns, row: number): Source {
  if (columns.measured[row] !== nothing) return 'measured'
  if (columns.predicted[row] !== nothing) return 'predicted'
  return columns.claimed[row] === nothing ? 'none' : 'claimed'
}

/** The columns of a layer as bytes, in the order that its hash is taken in; little-endian as every machine here. */
export function columnBytes(columns: Columns, name: ColumnName): Uint8Array {
  const column = columns[name]
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
}

/** @returns columns over the given bytes, or null when their lengths do not fit the rows */
export function columnsFrom(rows: number, bytes: (name: ColumnName) => Uint8Array): Columns | null {
  const columns: Record<string, Uint8Array | Uint16Array> = {}
  for (const name of columnNames) {
    const given = bytes(name)
    const wide = name === 'samples' || name === 'day'
    if (given.byteLength !== rows * (wide ? 2 : 1)) return null
    // a copy where the bytes do not lie on an even address
    columns[name] = wide ? new Uint16Array(given.byteOffset % 2 === 0 ? given.buffer : given.slice().buffer, given.byteOffset % 2 === 0 ? given.byteOffset : 0, rows) : given
  }
  return columns as unknown as Columns
}

/**
 * Grid cells as differences of neighbours, LEB128: most are 1, so that a nation takes 3 MB before any
 * compression. The first byte is the version of this form, the second the resolution.
 */
export function gridBytes(grid: Grid): Uint8Array {
  const out = new Uint8Array(2 + grid.cells.length * 6)
  out.set([1, grid.resolution])
  let at = 2
  let before = 0
  for (const key of grid.cells) {
    let step = key - before
    before = key
    while (step >= 128) {
      out[at++] = (step % 128) | 128
      step = Math.floor(step / 128)
    }
    out[at++] = step
  }
  return out.slice(0, at)
}

/** @returns null when the bytes are not of this form */
export function gridFrom(bytes: Uint8Array): Grid | null {
  const [version, resolution = 0] = bytes
  if (version !== 1 || (resolution !== resolution_national && resolution !== resolution_fine)) return null
  let count = 0
  for (let at = 2; at < bytes.length; at++) if ((bytes[at] as number) < 128) count++
  const cells = new Float64Array(count)
  let key = 0
  let at = 2
  for (let row = 0; row < count; row++) {
    let unit = 1
    for (;;) {
      const byte = bytes[at++] as number
      key += (byte & 127) * unit
      if (byte < 128) break
      unit *= 128
    }
    cells[row] = key
  }
  return { resolution, cells }
}
