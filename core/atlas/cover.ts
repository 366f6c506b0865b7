import { cellToChildren, getRes0Cells } from 'h3-js'
import { centreOf, keyOfCell, resolution_fine, type Key, type Runs } from '../geo/cells.ts'
import { degree_km, indonesia } from '../geo/distance.ts'
import { bordersBetween, gatherEdges, inside, type Polygon } from '../geo/polygon.ts'

/**
 * From areas to fine cells: a cell belongs to an area when its centre does. Descends H3's tree: a cell
 * whose descendants' centres all lie on one side of every border is taken or left whole, another is
 * split, so that the work follows the borders and not the areas.
 */
export interface Cover {
  readonly roots: readonly Key[]
  readonly root_latitude: Float64Array
  readonly root_longitude: Float64Array
  readonly cache: ChildCentres
  /** Per depth: the edges that meet the cell that is being split there. */
  readonly local: Int32Array[]
  readonly taken: Taken
}

/** Runs being made: the first `count` numbers of `runs`. */
interface Taken {
  runs: Float64Array
  count: number
}

/** Centres of the seven children of the cells met last, found by the parent's key and resolution. */
interface ChildCentres {
  readonly parents: Float64Array
  readonly latitude: Float64Array
  readonly longitude: Float64Array
}

const resolution_root = 2
const cache_slots = 2 ** 16
/** Average edge of a hexagon, km (https://h3geo.org/docs/core-library/restable), by resolution from 0. */
const edge_km = [1281.256011, 483.0568391, 182.5129565, 68.97922179, 26.07175968, 9.854090990, 3.724532667, 1.406475763, 0.531414010, 0.200786148]
/** The largest hexagon's edge is 8 % above the average; a fifth leaves room for the flat reckoning too. */
const widest = 1.2
/** East and west, degrees are shorter than on the equator: this holds to 17 degrees of latitude. */
const across = 1.05

/**
 * Children stand off their parent's centre by the distance of neighbours one resolution finer, which is
 * the parent's divided by the root of 7; theirs off them by that divided again, down to the fine cells.
 * Within so many degrees of a great circle of a cell's centre all its fine descendants' centres lie.
 */
const reach_deg = edge_km.map((edge, resolution) => {
  let steps = 0
  for (let levels = 1; levels <= resolution_fine - resolution; levels++) steps += 7 ** (-levels / 2)
  return (edge * Math.sqrt(3) * steps * widest) / degree_km
})

/** Makes the ground of all covers: the coarse cells of Indonesia's frame. An area outside it has no cells. */
export function makeCover(): Cover {
  const roots: Key[] = []
  const margin = 2 * (reach_deg[resolution_root] ?? 0)
  for (const base of getRes0Cells())
    for (const cell of cellToChildren(base, resolution_root)) {
      const key = keyOfCell(cell, resolution_root)
      const { latitude, longitude } = centreOf(key, resolution_root)
      if (latitude < indonesia.south - margin || latitude > indonesia.north + margin || longitude < indonesia.west - margin || longitude > indonesia.east + margin) continue
      roots.push(key)
    }
  roots.sort((a, b) => a - b)
  const centres = roots.map((key) => centreOf(key, resolution_root))
  return {
    roots,
    root_latitude: Float64Array.from(centres, (centre) => centre.latitude),
    root_longitude: Float64Array.from(centres, (centre) => centre.longitude),
    cache: { parents: new Float64Array(cache_slots).fill(-1), latitude: new Float64Array(cache_slots * 7), longitude: new Float64Array(cache_slots * 7) },
    local: Array.from({ length: resolution_fine + 1 }, () => new Int32Array(64)),
    taken: { runs: new Float64Array(1024), count: 0 },
  }
}

/** The slot of a parent's children in the cache, filled. */
function childrenOf(cache: ChildCentres, parent: Key, resolution: number): number {
  // one number for key and resolution: 31 bits of a key at resolution 8 leave room
  const name = parent * 16 + resolution
  const slot = (parent + resolution * 7919) % cache_slots
  if (cache.parents[slot] === name) return slot * 7
  cache.parents[slot] = name
  for (let digit = 0; digit < 7; digit++) {
    const { latitude, longitude } = centreOf(parent * 8 + digit, resolution + 1)
    cache.latitude[slot * 7 + digit] = latitude
    cache.longitude[slot * 7 + digit] = longitude
  }
  return slot * 7
}

/** Takes a cell with all its fine descendants: up to the last of them, so that equal sets are equal runs. */
function take(taken: Taken, key: Key, resolution: number): void {
  const unit = 8 ** (resolution_fine - resolution)
  const from = key * unit
  takeRun(taken, from, from + ((unit - 1) / 7) * 6 + 1)
}

/** Takes a run that begins at or behind the last one's begin; neighbours become one. */
function takeRun(taken: Taken, from: Key, to: Key): void {
  const { count } = taken
  if (count > 0 && nextCell(taken.runs[count - 1] as number) >= from) {
    if (to > (taken.runs[count - 1] as number)) taken.runs[count - 1] = to
    return
  }
  if (count + 2 > taken.runs.length) {
    const wider = new Float64Array(taken.runs.length * 2)
    wider.set(taken.runs)
    taken.runs = wider
  }
  taken.runs[count] = from
  taken.runs[count + 1] = to
  taken.count += 2
}

/** The least number from this one on that is a cell: a digit 7 is none, and the next parent's first follows. */
function nextCell(key: Key): Key {
  let at = key
  for (let unit = 1; Math.floor(at / unit) % 8 === 7; unit *= 8) at += unit
  return at
}

/** What was taken since the last time, as runs of its own. */
function collect(taken: Taken): Runs {
  const runs = taken.runs.slice(0, taken.count)
  taken.count = 0
  return runs
}

/**
 * The fine cells whose centres lie in a polygon by the even-odd rule; borders are straight in degrees.
 * @returns runs, empty when it holds no centre
 */
export function coverPolygon(cover: Cover, polygon: Polygon): Runs {
  if (polygon.edges.length > 0) {
    for (const [i, key] of cover.roots.entries()) {
      const latitude = cover.root_latitude[i] as number
      const longitude = cover.root_longitude[i] as number
      if (!meetsFrame(polygon, latitude, longitude, reach_deg[resolution_root] as number)) continue
      const all = roomFor(cover, resolution_root - 1, polygon.edges.length / 4)
      for (let e = 0; e < polygon.edges.length / 4; e++) all[e] = e * 4
      descend(cover, polygon, key, resolution_root, latitude, longitude, inside(polygon, latitude, longitude), polygon.edges.length / 4)
    }
  }
  return collect(cover.taken)
}

function meetsFrame(polygon: Polygon, latitude: number, longitude: number, within_deg: number): boolean {
  const across_deg = within_deg * across
  return latitude + within_deg >= polygon.south && latitude - within_deg <= polygon.north && longitude + across_deg >= polygon.west && longitude - across_deg <= polygon.east
}

function roomFor(cover: Cover, depth: number, edges: number): Int32Array {
  const room = cover.local[depth] as Int32Array
  if (room.length >= edges) return room
  return (cover.local[depth] = new Int32Array(edges * 2))
}

/**
 * @param within whether the cell's centre lies in the polygon
 * @param edges how many edges the parent has in its place of `cover.local`
 */
function descend(cover: Cover, polygon: Polygon, key: Key, resolution: number, latitude: number, longitude: number, within: boolean, edges: number): void {
  const above = cover.local[resolution - 1] as Int32Array
  const mine = roomFor(cover, resolution, edges)
  const met = gatherEdges(polygon, above, edges, latitude, longitude, reach_deg[resolution] as number, mine)
  if (met === 0) {
    if (within) take(cover.taken, key, resolution)
    return
  }
  const { cache } = cover
  const slot = childrenOf(cache, key, resolution)
  if (resolution + 1 === resolution_fine) {
    for (let digit = 0; digit < 7; digit++) {
      const y = cache.latitude[slot + digit] as number
      const x = cache.longitude[slot + digit] as number
      if (bordersBetween(polygon, mine, met, latitude, longitude, y, x) !== within) takeRun(cover.taken, key * 8 + digit, key * 8 + digit + 1)
    }
    return
  }
  for (let digit = 0; digit < 7; digit++) {
    // the cache may be overwritten below: read, then go down
    const again = childrenOf(cache, key, resolution)
    const y = cache.latitude[again + digit] as number
    const x = cache.longitude[again + digit] as number
    if (!meetsFrame(polygon, y, x, reach_deg[resolution + 1] as number)) continue
    descend(cover, polygon, key * 8 + digit, resolution + 1, y, x, bordersBetween(polygon, mine, met, latitude, longitude, y, x) !== within, met)
  }
}

/** The union of sets, one run for what lies side by side. */
export function unite(sets: readonly Runs[]): Runs {
  let ends = 0
  for (const runs of sets) ends += runs.length
  // a begin is odd and an end even, so that a sort of plain numbers puts an end before a begin at its place
  const events = new Float64Array(ends)
  let at = 0
  for (const runs of sets) for (let i = 0; i < runs.length; i++) events[at++] = (runs[i] as number) * 2 + 1 - (i & 1)
  events.sort()
  const taken: Taken = { runs: new Float64Array(1024), count: 0 }
  let depth = 0
  let from = 0
  for (let i = 0; i < ends; i++) {
    const event = events[i] as number
    const key = Math.floor(event / 2)
    if (event % 2 === 1) {
      if (depth++ === 0) from = key
    } else if (--depth === 0) takeRun(taken, from, key)
  }
  return collect(taken)
}

/** How many fine cells a set has. */
export function countCells(runs: Runs): number {
  let cells = 0
  for (let i = 0; i < runs.length; i += 2) cells += cellsBelow(runs[i + 1] as number) - cellsBelow(runs[i] as number)
  return cells
}

/** How many fine cells have a smaller key: its digits, read to the base of seven. */
function cellsBelow(key: Key): number {
  let rest = key
  let cells = 0
  let unit = 1
  let digits: number
  for (digits = 0; digits < resolution_fine; digits++) {
    const digit = rest % 8
    // behind a digit 7 stands nothing: all below it counts
    cells = digit === 7 ? 7 * unit : digit * unit + cells
    rest = Math.floor(rest / 8)
    unit *= 7
  }
  return rest * unit + cells
}

/** A grid of pixels in degrees, rows from the north; a cell is covered when the pixel under its centre is. */
export interface Mask {
  readonly width: number
  readonly height: number
  readonly west: number
  readonly north: number
  readonly pixel_width_deg: number
  readonly pixel_height_deg: number
  /** 1 for covered, by rows. */
  readonly covered: Uint8Array
}

/** Pixels are counted in blocks of so many a side: a table of the sums takes a sixteenth of the mask. */
const block_pixels = 8

/** How many pixels are covered north-west of each corner of the blocks. */
interface Blocks {
  readonly wide: number
  readonly down: number
  readonly sums: Uint32Array
}

function countBlocks(mask: Mask): Blocks {
  const wide = Math.ceil(mask.width / block_pixels)
  const down = Math.ceil(mask.height / block_pixels)
  const sums = new Uint32Array((wide + 1) * (down + 1))
  for (let row = 0; row < mask.height; row++) {
    const line = (Math.floor(row / block_pixels) + 1) * (wide + 1) + 1
    for (let column = 0; column < mask.width; column++) if (mask.covered[row * mask.width + column] === 1) (sums[line + Math.floor(column / block_pixels)] as number)++
  }
  for (let y = 1; y <= down; y++)
    for (let x = 1; x <= wide; x++) {
      const at = y * (wide + 1) + x
      sums[at] = (sums[at] as number) + (sums[at - 1] as number) + (sums[at - wide - 1] as number) - (sums[at - wide - 2] as number)
    }
  return { wide, down, sums }
}

/** The fine cells whose centres lie on a covered pixel. */
export function coverMask(cover: Cover, mask: Mask): Runs {
  const blocks = countBlocks(mask)
  for (const [i, key] of cover.roots.entries()) sift(cover, mask, blocks, key, resolution_root, cover.root_latitude[i] as number, cover.root_longitude[i] as number)
  return collect(cover.taken)
}

function sift(cover: Cover, mask: Mask, blocks: Blocks, key: Key, resolution: number, latitude: number, longitude: number): void {
  if (resolution === resolution_fine) {
    const column = Math.floor((longitude - mask.west) / mask.pixel_width_deg)
    const row = Math.floor((mask.north - latitude) / mask.pixel_height_deg)
    if (column >= 0 && column < mask.width && row >= 0 && row < mask.height && mask.covered[row * mask.width + column] === 1) takeRun(cover.taken, key, key + 1)
    return
  }
  const found = coveredAround(mask, blocks, latitude, longitude, reach_deg[resolution] as number)
  if (found === 0) return
  if (found === 1) {
    take(cover.taken, key, resolution)
    return
  }
  for (let digit = 0; digit < 7; digit++) {
    const slot = childrenOf(cover.cache, key, resolution) + digit
    sift(cover, mask, blocks, key * 8 + digit, resolution + 1, cover.cache.latitude[slot] as number, cover.cache.longitude[slot] as number)
  }
}

/** 0 when no block around a position has a covered pixel, 1 when all have nothing else, else 0.5. */
function coveredAround(mask: Mask, blocks: Blocks, latitude: number, longitude: number, within_deg: number): number {
  const wide = within_deg * across
  const left = Math.floor((longitude - wide - mask.west) / mask.pixel_width_deg / block_pixels)
  const right = Math.floor((longitude + wide - mask.west) / mask.pixel_width_deg / block_pixels) + 1
  const top = Math.floor((mask.north - latitude - within_deg) / mask.pixel_height_deg / block_pixels)
  const bottom = Math.floor((mask.north - latitude + within_deg) / mask.pixel_height_deg / block_pixels) + 1
  const x1 = Math.max(0, left)
  const x2 = Math.min(blocks.wide, right)
  const y1 = Math.max(0, top)
  const y2 = Math.min(blocks.down, bottom)
  if (x1 >= x2 || y1 >= y2) return 0
  const stride = blocks.wide + 1
  const { sums } = blocks
  const covered = (sums[y2 * stride + x2] as number) - (sums[y1 * stride + x2] as number) - (sums[y2 * stride + x1] as number) + (sums[y1 * stride + x1] as number)
  if (covered === 0) return 0
  // what reaches beyond the mask is not covered there
  if (left < 0 || right > blocks.wide || top < 0 || bottom > blocks.down) return 0.5
  const pixels = (Math.min(mask.width, x2 * block_pixels) - x1 * block_pixels) * (Math.min(mask.height, y2 * block_pixels) - y1 * block_pixels)
  return covered === pixels && x2 * block_pixels <= mask.width && y2 * block_pixels <= mask.height ? 1 : 0.5
}

/** Up to so many cells of a set, evenly spread over it. */
export function sampleCells(runs: Runs, cells_max: number): Key[] {
  let length = 0
  for (let i = 0; i < runs.length; i += 2) length += (runs[i + 1] as number) - (runs[i] as number)
  const step = length / cells_max
  const sample: Key[] = []
  let passed = 0
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i] as number
    const to = runs[i + 1] as number
    while (sample.length * step < passed + to - from && sample.length < cells_max) {
      const key = nextCell(from + Math.max(0, Math.floor(sample.length * step - passed)))
      sample.push(key < to ? key : from)
    }
    passed += to - from
  }
  return sample
}
