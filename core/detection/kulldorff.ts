import type { Random } from '../kernel/random.ts'

/**
 * What is scanned: locations, each with a count. All columns have one length. A count that was never taken is no
 * row here, and never a 0.
 */
export interface ScanLocations {
  /** Two columns are a plane's x and y; three, as `onSphere` gives them, points of a sphere. */
  readonly axes: readonly Float64Array[]
  /** What the limit of a circle's size counts. */
  readonly population: Float64Array
  /** What each location would have without any cluster, in any unit: it is scaled to the number of cases. */
  readonly expected: Float64Array
  /** Whole numbers. */
  readonly cases: Int32Array
}

export interface ScanOptions {
  /** A circle holds at most this share of the population: 0 to 1. */
  readonly share_max: number
  /** Fewer cases make no cluster; 2 in SaTScan. */
  readonly cases_min: number
  /** Drawings of chance: 999 give a p of 0.001 at least; 0 gives none. */
  readonly replications: number
  readonly random: Random
  /** Cases that come together, on average, because one device had them all; 1 is Kulldorff's model, null is measured. */
  readonly clump: number | null
}

interface ScanCluster {
  readonly centre: number
  /** The locations in the circle, nearest to the centre first. */
  readonly members: Int32Array
  /** From the centre to the outermost member, in the unit of the axes; on the sphere a chord of the unit sphere. */
  readonly radius: number
  readonly population: number
  readonly cases: number
  readonly expected: number
  /** The rate inside against the rate outside; Infinity when no case lies outside. */
  readonly relativeRisk: number
  /** Log-likelihood ratio, nats. */
  readonly llr: number
  /** The share of chance's drawings that had a circle as strong anywhere; null without drawings. */
  readonly p: number | null
}

interface Scanned { readonly clusters: readonly ScanCluster[]; readonly clump: number }

/** Every circle of every centre is held and counted once a drawing: ten thousand locations take seconds and some hundred MB. */
export const scanLocations_max = 10_000
/** Sums of whole numbers are exact below 2^53, so that equal circles are equal from whichever centre they were summed. */
const exact_bits = 52
/** What is as many as expected may come out a little more. */
const rounding = 1e-12

/**
 * Kulldorff's circular spatial scan statistic for the discrete Poisson model and high rates, as SaTScan has it:
 * Kulldorff, "A spatial scan statistic", Communications in Statistics 26(6), 1997, 1481-1496. Around each location
 * grow the circles through its neighbours. One with k of C cases where e were expected, k > e, has the log-likelihood
 * ratio k ln(k/e) + (C-k) ln((C-k)/(C-e)). Each centre keeps its best (of equal ones the smallest); the best of all
 * is the most likely cluster, and those that follow count when they share no location with one before. The p is
 * the rank of a cluster's ratio among the highest of each drawing of C cases by expectation (Dwass 1957). Locations
 * equally far from a centre are in a circle together or not at all. A location that alone has more than `share_max`
 * is in no circle.
 *
 * Reports are not independent as patients are: one poor phone sends a bad report every few minutes. Drawings throw
 * cases in clumps for that, of the size by which near locations differ more than chance (see `clumpOf`).
 * @returns clusters, strongest first; with drawings, those that are stronger than the weakest drawing's
 * @throws Error for columns of other lengths, more than `scanLocations_max` locations, numbers that are none
 */
export function scanRetrospective(locations: ScanLocations, options: ScanOptions): Scanned {
  const { population, cases } = locations
  check(locations)
  const { units, perUnit, total } = inUnits(locations)
  if (total < Math.max(1, options.cases_min)) return { clusters: [], clump: 1 }
  const rows = circlesOf(locations, options.share_max)
  const clump = options.clump ?? clumpOf(rows, cases, locations.expected)
  const highest = byChance(rows, units, perUnit, total, clump, options)
  const clusters = strongest(rows, units, perUnit, total, locations.cases, options.cases_min).map(({ centre, length, llr }): ScanCluster => {
    const members = (rows[centre] ?? new Int32Array()).slice(0, length).map(memberOf)
    const sum = (column: Float64Array | Int32Array): number => members.reduce((sum, member) => sum + (column[member] ?? 0), 0)
    const [inside, expected] = [sum(cases), sum(units) * perUnit]
    return {
      centre, members, radius: Math.sqrt(squareOf(locations.axes, centre, members.at(-1) ?? centre)), population: sum(population), cases: inside, expected,
      relativeRisk: (inside / expected) / ((total - inside) / (total - expected)), llr,
      p: highest === null ? null : (1 + highest.reduce((sum, high) => sum + Number(high >= llr), 0)) / (1 + highest.length),
    }
  })
  return { clusters: clusters.filter(({ p }) => p === null || p < 1), clump }
}

/** Degrees to points of the unit sphere: a chord grows with its great circle, so what is nearer in space is nearer on the ground. */
export function onSphere(latitudes: Float64Array, longitudes: Float64Array): Float64Array[] {
  const radian = Math.PI / 180
  return [
    latitudes.map((latitude, at) => Math.cos(latitude * radian) * Math.cos((longitudes[at] ?? NaN) * radian)),
    latitudes.map((latitude, at) => Math.cos(latitude * radian) * Math.sin((longitudes[at] ?? NaN) * radian)),
    latitudes.map((latitude) => Math.sin(latitude * radian)),
  ]
}

/** Log-likelihood ratio (nats) of k cases of `total` where `expected` were likely; 0 where they are no more than that. */
function ratio(k: number, expected: number, total: number): number {
  if (k <= expected * (1 + rounding)) return 0
  return k * Math.log(k / expected) + (k < total ? (total - k) * Math.log((total - k) / (total - expected)) : 0)
}

function check({ axes, population, expected, cases }: ScanLocations): void {
  const count = cases.length
  if (count > scanLocations_max) throw new Error(`${count} locations are more than ${scanLocations_max}: join near ones`)
  for (const column of [...axes, population, expected]) {
    if (column.length !== count) throw new Error(`a column of ${column.length} beside ${count} counts`)
    if (!column.every(Number.isFinite)) throw new Error('a location without a position, population or expectation')
  }
  for (let at = 0; at < count; at++) {
    const [k, e, people] = [cases[at] ?? 0, expected[at] ?? 0, population[at] ?? 0]
    if (k < 0 || e < 0 || people < 0 || (k > 0 && e === 0)) throw new Error(`location ${at}: ${k} cases, ${e} expected, a population of ${people}`)
  }
}

/** The expectation in whole numbers (what is whole already stays as it is), and the cases that one of them stands for. */
function inUnits({ expected, cases }: ScanLocations): { units: Float64Array; perUnit: number; total: number } {
  const whole = expected.reduce((sum, each) => sum + each, 0)
  const scale = 2 ** (exact_bits - 1 - Math.ceil(Math.log2(Math.max(whole, Number.MIN_VALUE))))
  const units = expected.map((each) => (each > 0 ? Math.max(1, Math.round(each * scale)) : 0))
  const total = cases.reduce((sum, each) => sum + each, 0)
  return { units, perUnit: total / units.reduce((sum, each) => sum + each, 0), total }
}

/** A row is a centre's neighbours, nearest first, itself included. One whose next is as far stands as its complement (~): no circle ends at it. */
type Rows = readonly Int32Array[]
const memberOf = (entry: number): number => (entry < 0 ? ~entry : entry)

function circlesOf({ axes, population }: ScanLocations, share_max: number): Rows {
  const count = population.length
  const most = share_max * population.reduce((sum, each) => sum + each, 0)
  const squares = new Float64Array(count)
  const heap = new Int32Array(count)
  const row = new Int32Array(count)
  return Array.from({ length: count }, (_, centre) => {
    for (let at = 0; at < count; at++) {
      squares[at] = squareOf(axes, centre, at)
      heap[at] = at
    }
    for (let at = (count >> 1) - 1; at >= 0; at--) sink(heap, squares, at, count)
    let [held, length, whole] = [0, 0, 0]
    for (let left = count; left > 0;) {
      const member = heap[0] ?? 0
      heap[0] = heap[--left] ?? 0
      sink(heap, squares, 0, left)
      held += population[member] ?? 0
      if (held > most) break
      const isEdge = left === 0 || (squares[heap[0] ?? 0] ?? 0) > (squares[member] ?? 0)
      row[length++] = isEdge ? member : ~member
      if (isEdge) whole = length
    }
    return row.slice(0, whole)
  })
}

function squareOf(axes: readonly Float64Array[], a: number, b: number): number {
  let sum = 0
  for (const axis of axes) sum += ((axis[a] as number) - (axis[b] as number)) ** 2
  return sum
}

/** A heap of locations, the nearest on top, of equally near ones the lowest number. */
function sink(heap: Int32Array, squares: Float64Array, from: number, size: number): void {
  const moved = heap[from] as number
  const square = squares[moved] as number
  let at = from
  for (;;) {
    let child = 2 * at + 1
    if (child >= size) break
    let lower = heap[child] as number
    const right = child + 1 < size ? (heap[child + 1] as number) : -1
    if (right >= 0 && isBefore(squares, right, lower)) {
      child++
      lower = right
    }
    const lowerSquare = squares[lower] as number
    if (square < lowerSquare || (square === lowerSquare && moved < lower)) break
    heap[at] = lower
    at = child
  }
  if (size > 0) heap[at] = moved
}

function isBefore(squares: Float64Array, a: number, b: number): boolean {
  const [first, second] = [squares[a] as number, squares[b] as number]
  return first < second || (first === second && a < b)
}

interface Found { readonly centre: number; readonly length: number; readonly llr: number }

/** Each centre's best circle, strongest first, without those that share a location with a stronger one. */
function strongest(rows: Rows, units: Float64Array, perUnit: number, total: number, cases: Int32Array, cases_min: number): Found[] {
  const best: Found[] = []
  for (const [centre, row] of rows.entries()) {
    let [k, e, llr, length] = [0, 0, 0, 0]
    for (let at = 0; at < row.length; at++) {
      const entry = row[at] as number
      const member = memberOf(entry)
      k += cases[member] as number
      e += units[member] as number
      if (entry < 0 || k < cases_min) continue
      const found = ratio(k, e * perUnit, total)
      if (found > llr) [llr, length] = [found, at + 1]
    }
    if (llr > 0) best.push({ centre, length, llr })
  }
  best.sort((a, b) => b.llr - a.llr || a.centre - b.centre)
  const taken = new Uint8Array(rows.length)
  return best.filter(({ centre, length }) => {
    const members = (rows[centre] ?? new Int32Array()).subarray(0, length)
    if (members.some((entry) => taken[memberOf(entry)] === 1)) return false
    for (const entry of members) taken[memberOf(entry)] = 1
    return true
  })
}

/**
 * How many cases come together: by how much each location and its nearest neighbour share their cases less evenly
 * than coins would (variance over binomial variance, all pairs pooled). A cluster has both of a pair in it almost
 * always, so that it hardly counts as chance here, as it would in the variance over all locations.
 * @returns cases a clump, 1 or more
 */
function clumpOf(rows: Rows, cases: Int32Array, expected: Float64Array): number {
  let [squares, variance] = [0, 0]
  for (const row of rows) {
    if (row.length < 2) continue
    const [a, b] = [memberOf(row[0] ?? 0), memberOf(row[1] ?? 0)]
    const both = (cases[a] ?? 0) + (cases[b] ?? 0)
    const share = (expected[a] ?? 0) / ((expected[a] ?? 0) + (expected[b] ?? 0))
    if (!(share > 0 && share < 1)) continue
    squares += ((cases[a] ?? 0) - both * share) ** 2
    variance += both * share * (1 - share)
  }
  return variance > 0 ? Math.max(1, squares / variance) : 1
}

/** Drawings that are counted side by side, since each step along a row waits for memory: four are three times as quick as one, eight hardly more. */
const lanes = 4

/** The highest ratio of each drawing; null without drawings. */
function byChance(rows: Rows, units: Float64Array, perUnit: number, total: number, clump: number, { replications, random, cases_min }: ScanOptions): Float64Array | null {
  if (replications <= 0) return null
  const draw = drawing(units, random)
  const drawn = new Int32Array(units.length * lanes)
  const numbers = total + 1
  const least = new Float64Array(numbers * lanes)
  const highest = new Float64Array(replications)
  for (let first = 0; first < replications; first += lanes) {
    const count = Math.min(lanes, replications - first)
    drawn.fill(0)
    for (let lane = 0; lane < count; lane++) throwCases(drawn, lane, total, clump, draw, random)
    least.fill(Infinity)
    for (const row of rows) leastExpected(row, units, drawn, least, numbers)
    for (let lane = 0; lane < count; lane++)
      for (let k = Math.max(1, cases_min); k <= total; k++) {
        const e = least[lane * numbers + k] as number
        if (e < Infinity) highest[first + lane] = Math.max(highest[first + lane] as number, ratio(k, e * perUnit, total))
      }
  }
  return highest
}

/**
 * Of each number of cases the circle with the least expectation: for a number of cases the ratio falls as the
 * expectation grows, so that no other can be the highest, and no logarithm is needed for each circle.
 * @param drawn cases of each location, lane by lane
 * @param least by lane and number of cases
 */
function leastExpected(row: Int32Array, units: Float64Array, drawn: Int32Array, least: Float64Array, numbers: number): void {
  let e = 0
  let k0 = 0
  let k1 = numbers
  let k2 = 2 * numbers
  let k3 = 3 * numbers
  for (let at = 0; at < row.length; at++) {
    const entry = row[at] as number
    const member = entry < 0 ? ~entry : entry
    e += units[member] as number
    k0 += drawn[lanes * member] as number
    k1 += drawn[lanes * member + 1] as number
    k2 += drawn[lanes * member + 2] as number
    k3 += drawn[lanes * member + 3] as number
    if (entry < 0) continue
    if (e < (least[k0] as number)) least[k0] = e
    if (e < (least[k1] as number)) least[k1] = e
    if (e < (least[k2] as number)) least[k2] = e
    if (e < (least[k3] as number)) least[k3] = e
  }
}

/** Clumps of the two whole sizes next to `clump`, mixed so that the mean square over the mean is `clump`; together exactly `total` cases. */
function throwCases(drawn: Int32Array, lane: number, total: number, clump: number, draw: () => number, random: Random): void {
  const smaller = Math.floor(clump)
  const larger_share = (smaller * (clump - smaller)) / (2 * smaller + 1 - clump)
  for (let left = total; left > 0;) {
    const size = Math.min(left, smaller + (larger_share > 0 && random() < larger_share ? 1 : 0))
    const at = lanes * draw() + lane
    drawn[at] = (drawn[at] as number) + size
    left -= size
  }
}

/** Draws a location by its expectation in constant time: the alias method (Vose, IEEE Transactions on Software Engineering 17(9), 1991). */
function drawing(units: Float64Array, random: Random): () => number {
  const mean = units.reduce((sum, each) => sum + each, 0) / units.length
  const keep = units.map((each) => each / mean)
  const other = Int32Array.from(units.keys())
  const small: number[] = []
  const large: number[] = []
  keep.forEach((each, at) => (each < 1 ? small : large).push(at))
  // One without any expectation always finds a partner: what rounding leaves alone lacks next to nothing of the mean.
  for (let low = small.pop(), high = large.at(-1); low !== undefined && high !== undefined; low = small.pop(), high = large.at(-1)) {
    other[low] = high
    keep[high] = (keep[high] ?? 0) - (1 - (keep[low] ?? 0))
    if ((keep[high] ?? 0) < 1) small.push(large.pop() ?? 0)
  }
  return () => {
    const at = Math.floor(random() * units.length)
    return random() < (keep[at] ?? 0) ? at : (other[at] ?? at)
  }
}
