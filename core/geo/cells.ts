import { cellToLatLng, gridDisk, latLngToCell } from 'h3-js'
import { distance_km, type Position } from './distance.ts'

/**
 * H3 cells as numbers. Of an H3 index (64 bits: mode, resolution, 7 bits of base cell, 15 digits of 3
 * bits; https://h3geo.org/docs/core-library/h3Indexing) a *key* keeps the base cell and the digits down
 * to its resolution: 31 bits at resolution 8, 34 at 9, so that both are exact doubles. Keys of one
 * resolution sort along H3's own curve: what is near is mostly near in the array, and all descendants
 * of a cell are one interval of keys.
 */
export type Key = number

/** The nation is mapped at this resolution: 0.74 km2 a cell. */
export const resolution_national = 8
/** Places that are looked at closely: 0.11 km2 a cell. */
export const resolution_fine = 9

const digits_all = 15

/** The key of the cell of this resolution that holds a position in degrees, WGS 84. */
export function keyAt(latitude: number, longitude: number, resolution: number): Key {
  return keyOfCell(latLngToCell(latitude, longitude, resolution), resolution)
}

/** @param cell 15 hexadecimal digits, as every H3 library writes an index */
export function keyOfCell(cell: string, resolution: number): Key {
  return Math.floor(parseInt(cell.slice(2), 16) / 8 ** (digits_all - resolution))
}

/** The H3 index of a key, as 15 hexadecimal digits. Digits below the resolution are 7, as H3 has them. */
export function cellOfKey(key: Key, resolution: number): string {
  const unused = 8 ** (digits_all - resolution)
  return `8${resolution.toString(16)}${(key * unused + unused - 1).toString(16).padStart(13, '0')}`
}

/** The centre of a cell. */
export function centreOf(key: Key, resolution: number): Position {
  const unused = 8 ** (digits_all - resolution)
  const bits = key * unused + unused - 1
  // h3-js takes an index as two 32-bit halves too: twice as fast as a string
  const [latitude, longitude] = cellToLatLng([(bits % 0x1_0000_0000) | 0, (0x0800_0000 | (resolution << 20) | Math.floor(bits / 0x1_0000_0000)) | 0])
  return { latitude, longitude }
}

/** The key of the ancestor that is `levels` resolutions coarser. */
export function ancestorOf(key: Key, levels: number): Key {
  return Math.floor(key / 8 ** levels)
}

/**
 * A set of cells as runs of fine keys: [from, to, from, to, ...), ascending, disjoint, not touching. A
 * digit of H3 is 0 to 6, so an eighth of the numbers are no cells; a run may span them, which makes one
 * run of neighbours in the order of keys and of every whole ancestor.
 */
export type Runs = Float64Array

/** @param pairs from and to of runs in any order, overlapping or not */
export function makeRuns(pairs: readonly (readonly [from: Key, to: Key])[]): Runs {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0])
  const runs: number[] = []
  for (const [from, to] of sorted) {
    const end = runs.at(-1)
    // the gap up to the next parent holds no cells: runs on its two sides are neighbours
    if (end !== undefined && firstCellFrom(end) >= from) runs[runs.length - 1] = Math.max(end, to)
    else if (from < to) runs.push(from, to)
  }
  return Float64Array.from(runs)
}

/** The least number from this one on that is a cell's key: its last digit is not 7. */
function firstCellFrom(key: Key): Key {
  let at = key
  for (let unit = 1; Math.floor(at / unit) % 8 === 7; unit *= 8) at += unit
  return at
}

/** Whether a fine key is in a set, by halving. */
export function inRuns(runs: Runs, key: Key): boolean {
  let low = 0
  let high = runs.length
  // runs[low - 1] <= key < runs[high]: inside exactly when an odd number of ends are passed
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runs[middle] as number) <= key) low = middle + 1
    else high = middle
  }
  return (low & 1) === 1
}

/**
 * Calls back once for each national cell that a set touches, ascending, with how many of its seven fine
 * children (1 to 7) are in the set. A pentagon counts as a hexagon: none lies on Indonesia's land.
 */
export function eachNationalCell(runs: Runs, found: (key: Key, children: number) => void): void {
  let cell = -1
  let children = 0
  for (let i = 0; i < runs.length; i += 2) {
    const to = runs[i + 1] as number
    for (let at = firstCellFrom(runs[i] as number); at < to; at = firstCellFrom(at)) {
      const parent = Math.floor(at / 8)
      const end = Math.min(to, parent * 8 + 7)
      if (parent !== cell && children > 0) found(cell, children)
      if (parent !== cell) children = 0
      cell = parent
      children += end - at
      at = parent * 8 + 8 > to ? to : parent * 8 + 7
    }
  }
  if (children > 0) found(cell, children)
}

/** Centres of neighbours at resolution 8 are nowhere nearer than this on Indonesia's land. */
const neighbour_km_min = 0.7

/** The national cells whose centres lie in a disc, and always the one that holds its centre, as runs. */
export function discRuns(centre: Position, radius_km: number): Runs {
  const home = latLngToCell(centre.latitude, centre.longitude, resolution_national)
  const cells = gridDisk(home, Math.ceil(radius_km / neighbour_km_min)).map((cell) => keyOfCell(cell, resolution_national))
  const own = keyOfCell(home, resolution_national)
  return makeRuns(cells.filter((key) => key === own || distance_km(centreOf(key, resolution_national), centre) <= radius_km).map((key) => [key * 8, key * 8 + 8]))
}
