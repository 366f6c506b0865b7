import { factor, solveLower, solveUpper } from './cholesky.ts'
import { indexPositions, makeFound, nearest } from './nearest.ts'
import { correlation, type Variogram } from './variogram.ts'

/** Measured values at positions on a plane; equally long columns. */
export interface Samples {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly value: Float64Array
  /** How many independent measurements a sample stands for: its share of the nugget is nugget / weight. Default: 1 each. */
  readonly weight?: Float64Array
  /** Columns that the mean is linear in, beside a constant (universal kriging); none: ordinary kriging. */
  readonly covariates?: readonly Float64Array[]
}

interface Targets {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly covariates?: readonly Float64Array[]
}

/** NaN in both where there is no answer. `variance` is that of one more measurement there, the nugget included. */
interface Surface {
  readonly mean: Float64Array
  readonly variance: Float64Array
}

export interface KrigingOptions {
  /** `known`: simple kriging of values whose mean is 0; `unknown`: ordinary or universal kriging. */
  readonly mean?: 'known' | 'unknown'
  /** `variation` belongs to the field, which then goes through every sample (gstat); `error` belongs to the measurement. */
  readonly nugget?: 'variation' | 'error'
  /** Only the nearest samples count; default all. */
  readonly neighbours_max?: number
  /** A target farther than this from every sample gets no answer. */
  readonly reach?: number
}

/**
 * Samples at one and the same position become one, their weighted mean: two columns of a covariance matrix that are
 * equal have no inverse, and two values at one place have no order. The rest is brought in the order of x and y, so that the
 * order in which samples came changes nothing.
 */
function mergePositions({ x, y, value, weight, covariates = [] }: Samples) {
  const order = Int32Array.from(x, (_, i) => i).sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0) || (y[a] ?? 0) - (y[b] ?? 0) || (value[a] ?? 0) - (value[b] ?? 0) || (weight?.[a] ?? 1) - (weight?.[b] ?? 1))
  const isNew = (at: number): boolean => at === 0 || x[order[at] ?? 0] !== x[order[at - 1] ?? 0] || y[order[at] ?? 0] !== y[order[at - 1] ?? 0]
  const count = order.filter((_, at) => isNew(at)).length
  const merged = { x: new Float64Array(count), y: new Float64Array(count), value: new Float64Array(count), weight: new Float64Array(count), covariates: covariates.map(() => new Float64Array(count)) }
  let to = -1
  order.forEach((from, at) => {
    if (isNew(at)) to++
    const w = weight?.[from] ?? 1
    const sum = (merged.weight[to] ?? 0) + w
    const blend = (into: Float64Array, column: Float64Array): void => {
      into[to] = (into[to] ?? 0) + (((column[from] ?? 0) - (into[to] ?? 0)) * w) / sum
    }
    merged.x[to] = x[from] ?? 0
    merged.y[to] = y[from] ?? 0
    blend(merged.value, value)
    covariates.forEach((column, k) => blend(merged.covariates[k] ?? column, column))
    merged.weight[to] = sum
  })
  return merged
}

/**
 * Kriging of the samples at the targets (Cressie 1993, 3.2 and 3.4.5), with all samples or the nearest ones. The
 * covariance of a neighbourhood is factored once as long as the targets keep to it, which with all samples is always.
 *
 * Defined answers where the textbook has none: samples at one position are averaged; a covariate that is a combination of
 * the others, as the samples stand, is left out; without any variation (nugget and sill 0) the answer is the mean of
 * the neighbourhood with variance 0; without samples there is no answer.
 * @returns one mean and variance a target
 */
export function krige(samples: Samples, targets: Targets, variogram: Variogram, options: KrigingOptions = {}): Surface {
  const { mean = 'unknown', nugget = 'variation', neighbours_max = Infinity, reach = Infinity } = options
  const merged = mergePositions(samples)
  const count = merged.x.length
  const size = Math.min(count, neighbours_max)
  const surface: Surface = { mean: new Float64Array(targets.x.length).fill(NaN), variance: new Float64Array(targets.x.length).fill(NaN) }
  if (count === 0) return surface
  const drifts = mean === 'known' ? 0 : 1 + merged.covariates.length
  const here = neighbourhood(merged, variogram, size, drifts, nugget === 'variation')
  const index = indexPositions(merged.x, merged.y)
  const found = makeFound(size === count ? 1 : size)
  const drift = new Float64Array(drifts).fill(1)
  if (size === count) here.move(Int32Array.from(merged.x, (_, id) => id))
  for (let target = 0; target < targets.x.length; target++) {
    const x = targets.x[target] ?? 0
    const y = targets.y[target] ?? 0
    if (size < count || reach < Infinity) {
      nearest(index, x, y, found)
      if ((found.squared[0] ?? 0) > reach * reach) continue
      if (size < count) here.move(found.ids)
    }
    for (let k = 1; k < drifts; k++) drift[k] = targets.covariates?.[k - 1]?.[target] ?? 0
    here.predict(x, y, drift)
    surface.mean[target] = here.answer[0] ?? NaN
    surface.variance[target] = here.answer[1] ?? NaN
  }
  return surface
}

/** What is known at one neighbourhood; `move` changes it, `predict` answers for a position into `answer` (mean, variance). */
interface Neighbourhood {
  readonly answer: Float64Array
  move(ids: Int32Array): void
  predict(x: number, y: number, drift: Float64Array): void
}

/** @param drifts columns of the mean: 0 when it is known, 1 for a constant, one more a covariate */
function neighbourhood(samples: Required<Samples>, variogram: Variogram, size: number, drifts: number, isField: boolean): Neighbourhood {
  const system: System = {
    size, drifts, variogram, isField, samples, flat: variogram.nugget + variogram.sill <= 0,
    ids: new Int32Array(size).fill(-1), slots: new Int32Array(samples.x.length).fill(-1), wanted: new Uint8Array(samples.x.length), covariance: new Float64Array(size * size),
    l: new Float64Array((size + drifts + 1) * size), normal: new Float64Array((drifts + 1) * drifts), slope: new Float64Array(drifts), c: new Float64Array(size), rest: new Float64Array(drifts), answer: new Float64Array(2),
  }
  return {
    answer: system.answer,
    move(ids) {
      if (!takeSlots(system, ids)) return
      factorCovariance(system)
      fitDrift(system)
    },
    predict: (x, y, drift) => predictAt(system, x, y, drift),
  }
}

interface System {
  readonly size: number
  readonly drifts: number
  readonly variogram: Variogram
  readonly isField: boolean
  readonly samples: Required<Samples>
  /** A variogram of zero says that values do not differ: any covariance without correlation gives their mean. */
  readonly flat: boolean
  /** The sample in each slot, and the slot of each sample; -1 for none. */
  readonly ids: Int32Array
  readonly slots: Int32Array
  readonly wanted: Uint8Array
  /** Between the slots, lower triangle; kept from one neighbourhood to the next, which share most samples. */
  readonly covariance: Float64Array
  /** The factor of the covariance; below it, solved: a row for each drift, one for the values. */
  readonly l: Float64Array
  /** The factor of the normal equations of the drifts, the values' row below. */
  readonly normal: Float64Array
  readonly slope: Float64Array
  readonly c: Float64Array
  readonly rest: Float64Array
  readonly answer: Float64Array
}

/** Samples that stay keep their slots, the others' are taken by those who come. @returns whether anything changed */
function takeSlots(system: System, next: Int32Array): boolean {
  const { size, ids, slots, wanted } = system
  for (let i = 0; i < size; i++) wanted[next[i] ?? 0] = 1
  let free = 0
  let changed = false
  for (let i = 0; i < size; i++) {
    const id = next[i] ?? 0
    if ((slots[id] ?? -1) >= 0) continue
    while ((ids[free] ?? -1) >= 0 && wanted[ids[free] ?? 0] === 1) free++
    const old = ids[free] ?? -1
    if (old >= 0) slots[old] = -1
    ids[free] = id
    slots[id] = free
    changed = true
    covariancesOf(system, free)
  }
  for (let i = 0; i < size; i++) wanted[next[i] ?? 0] = 0
  return changed
}

/** The covariances of one slot with all that are taken; a slot that is taken later fills in its own. */
function covariancesOf({ size, variogram, isField, samples: { x, y, weight }, flat, ids, covariance }: System, slot: number): void {
  const { nugget, range } = variogram
  const sill = flat ? 1 : variogram.sill
  const spherical = variogram.shape === 'spherical'
  const id = ids[slot] ?? 0
  for (let i = 0; i < size; i++) {
    const other = ids[i] ?? -1
    if (other < 0) continue
    const dx = (x[id] ?? 0) - (x[other] ?? 0)
    const dy = (y[id] ?? 0) - (y[other] ?? 0)
    covariance[i < slot ? slot * size + i : i * size + slot] = flat ? 0 : sill * correlation(spherical, range, Math.sqrt(dx * dx + dy * dy))
  }
  covariance[slot * size + slot] = sill + (isField ? nugget : nugget / (weight[id] ?? 1))
}

function factorCovariance({ size, drifts, samples: { value, covariates }, ids, covariance, l }: System): void {
  l.set(covariance)
  for (let i = 0; i < size; i++) {
    const id = ids[i] ?? 0
    for (let k = 0; k < drifts; k++) l[(size + k) * size + i] = k === 0 ? 1 : (covariates[k - 1]?.[id] ?? 0)
    l[(size + drifts) * size + i] = value[id] ?? 0
  }
  factor(l, size, size, size + drifts + 1)
}

/** Generalised least squares of the values on the drifts: F' C^-1 F b = F' C^-1 y. */
function fitDrift({ size, drifts, l, normal, slope }: System): void {
  for (let i = 0; i <= drifts; i++) for (let j = 0; j < drifts; j++) normal[i * drifts + j] = dot(l, (size + i) * size, l, (size + j) * size, size)
  factor(normal, drifts, drifts, drifts + 1)
  for (let k = 0; k < drifts; k++) slope[k] = normal[drifts * drifts + k] ?? 0
  solveUpper(normal, drifts, drifts, slope)
}

function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += (a[atA + i] ?? 0) * (b[atB + i] ?? 0)
  return sum
}

function predictAt(system: System, x: number, y: number, drift: Float64Array): void {
  const { size, drifts, variogram, isField, samples, flat, ids, l, normal, slope, c, rest, answer } = system
  const { nugget, sill, range } = variogram
  const spherical = variogram.shape === 'spherical'
  for (let i = 0; i < size; i++) {
    const id = ids[i] ?? 0
    const dx = x - (samples.x[id] ?? 0)
    const dy = y - (samples.y[id] ?? 0)
    const squared = dx * dx + dy * dy
    c[i] = flat ? 0 : sill * correlation(spherical, range, Math.sqrt(squared)) + (isField && squared === 0 ? nugget : 0)
  }
  solveLower(l, size, size, c, 0)
  const values = (size + drifts) * size
  let mean = dot(c, 0, l, values, size)
  let variance = nugget + sill - dot(c, 0, c, 0, size)
  for (let k = 0; k < drifts; k++) {
    const own = dot(c, 0, l, (size + k) * size, size)
    rest[k] = (drift[k] ?? 0) - own
    mean += (slope[k] ?? 0) * (rest[k] ?? 0)
  }
  solveLower(normal, drifts, drifts, rest, 0)
  variance += dot(rest, 0, rest, 0, drifts)
  answer[0] = mean
  answer[1] = flat ? 0 : Math.max(0, variance)
}

/**
 * Inverse distance weighting with all samples (Shepard 1968): a target at a sample's position gets that value.
 * @returns one value a target; NaN without samples
 */
export function weighInverseDistance(samples: Samples, targets: Targets, power = 2): Float64Array {
  const { x, y, value, weight } = mergePositions(samples)
  return Float64Array.from(targets.x, (toX, target) => {
    const toY = targets.y[target] ?? 0
    let sum = 0
    let weights = 0
    for (let i = 0; i < x.length; i++) {
      const squared = (toX - (x[i] ?? 0)) ** 2 + (toY - (y[i] ?? 0)) ** 2
      if (squared === 0) return value[i] ?? NaN
      const w = (weight[i] ?? 1) * squared ** (-power / 2)
      weights += w
      sum += w * (value[i] ?? 0)
    }
    return sum / weights
  })
}
