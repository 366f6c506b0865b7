import { eachNationalCell, keyAt, resolution_fine, resolution_national, type Runs } from '@kawal/core/geo/cells.ts'
import type { Grid } from '@kawal/core/atlas/edition.ts'

/**
 * The national grid: every cell that a village's area touches, once.
 * @param areas in any order; neighbours overlap, since each border was drawn twice
 */
export function nationalGrid(areas: Iterable<Runs>): Grid {
  let keys = new Float64Array(1 << 16)
  let count = 0
  const add = (key: number): void => {
    if (count === keys.length) {
      const more = new Float64Array(keys.length * 2)
      more.set(keys)
      keys = more
    }
    keys[count++] = key
  }
  for (const area of areas) eachNationalCell(area, add)
  return { resolution: resolution_national, cells: distinct(keys.subarray(0, count)) }
}

/** The fine grid: the cell of each position, once. Positions in degrees; NaN is none. */
export function fineGrid(latitudes: Float64Array, longitudes: Float64Array): Grid {
  const keys = new Float64Array(latitudes.length)
  let count = 0
  for (let i = 0; i < latitudes.length; i++) if (!Number.isNaN(latitudes[i] as number)) keys[count++] = keyAt(latitudes[i] as number, longitudes[i] as number, resolution_fine)
  return { resolution: resolution_fine, cells: distinct(keys.subarray(0, count)) }
}

function distinct(keys: Float64Array): Float64Array {
  keys.sort()
  let count = 0
  for (let i = 0; i < keys.length; i++) if (i === 0 || keys[i] !== keys[i - 1]) keys[count++] = keys[i] as number
  return keys.slice(0, count)
}
