/** A model of how values part with distance: semivariance(h), in the value's unit squared; `range` in the unit of the positions. */
export interface Variogram {
  readonly shape: 'spherical' | 'exponential'
  readonly nugget: number
  /** What is added to the nugget far away (gstat's psill). */
  readonly sill: number
  /** Spherical: where the sill is reached; exponential: the e-folding distance (gstat's parameter, a third of the practical range). */
  readonly range: number
}

/** Mean half squared difference by distance class; classes without a pair are left out. */
interface Experimental {
  readonly pairs: Float64Array
  readonly distance: Float64Array
  readonly semivariance: Float64Array
}

const classes_default = 15
const decades = 2.5
const steps = 60
const golden = (Math.sqrt(5) - 1) / 2

/** Share of the sill that two values at this distance still have in common: 1 at 0, towards 0 far away. */
export function correlation(spherical: boolean, range: number, distance: number): number {
  if (!spherical) return Math.exp(-distance / range)
  const r = distance / range
  return r >= 1 ? 0 : 1 - r * (1.5 - 0.5 * r * r)
}

/**
 * Matheron's estimator (Cressie 1993, 2.4.2) over classes of equal width, by default those of gstat (Pebesma
 * 2004): up to a third of the diagonal of the frame, in 15 classes.
 * @param residuals what a trend leaves over, or the values themselves
 * @param cutoff farthest pair, in the unit of the positions
 */
export function experimentalVariogram(x: Float64Array, y: Float64Array, residuals: Float64Array, cutoff: number = cutoffOf(x, y), classes: number = classes_default): Experimental {
  const pairs = new Float64Array(classes)
  const distance = new Float64Array(classes)
  const semivariance = new Float64Array(classes)
  const perUnit = classes / cutoff
  for (let i = 1; i < x.length; i++) {
    const xi = x[i] ?? 0
    const yi = y[i] ?? 0
    const ri = residuals[i] ?? 0
    for (let j = 0; j < i; j++) {
      const dx = xi - (x[j] ?? 0)
      const dy = yi - (y[j] ?? 0)
      const squared = dx * dx + dy * dy
      if (!(squared <= cutoff * cutoff) || squared === 0) continue
      const h = Math.sqrt(squared)
      // a pair on the border of two classes belongs to the nearer one
      const at = Math.min(classes - 1, Math.max(0, Math.ceil(h * perUnit) - 1))
      pairs[at] = (pairs[at] ?? 0) + 1
      distance[at] = (distance[at] ?? 0) + h
      semivariance[at] = (semivariance[at] ?? 0) + 0.5 * (ri - (residuals[j] ?? 0)) ** 2
    }
  }
  const filled = pairs.map((_, at) => at).filter((at) => (pairs[at] ?? 0) > 0)
  const mean = (sums: Float64Array): Float64Array => filled.map((at) => (sums[at] ?? 0) / (pairs[at] ?? 1))
  return { pairs: filled.map((at) => pairs[at] ?? 0), distance: mean(distance), semivariance: mean(semivariance) }
}

/** A third of the diagonal of the samples' frame. */
function cutoffOf(x: Float64Array, y: Float64Array): number {
  const span = (values: Float64Array): number => values.reduce((most, each) => Math.max(most, each), -Infinity) - values.reduce((least, each) => Math.min(least, each), Infinity)
  return x.length === 0 ? 0 : Math.hypot(span(x), span(y)) / 3
}

/** The best nugget and sill at one range, neither negative, and the weighted squares that are left. */
function fitAt(experimental: Experimental, shape: Variogram['shape'], range: number): Variogram & { readonly left: number } {
  let ww = 0, wg = 0, wgg = 0, wy = 0, wgy = 0, wyy = 0
  for (let at = 0; at < experimental.pairs.length; at++) {
    const h = experimental.distance[at] ?? 1
    const w = (experimental.pairs[at] ?? 0) / (h * h)
    const g = 1 - correlation(shape === 'spherical', range, h)
    const y = experimental.semivariance[at] ?? 0
    ww += w
    wg += w * g
    wgg += w * g * g
    wy += w * y
    wgy += w * g * y
    wyy += w * y * y
  }
  const left = (nugget: number, sill: number): number => wyy + nugget * nugget * ww + sill * sill * wgg + 2 * nugget * sill * wg - 2 * nugget * wy - 2 * sill * wgy
  const determinant = ww * wgg - wg * wg
  const nugget = (wy * wgg - wgy * wg) / determinant
  const sill = (wgy * ww - wy * wg) / determinant
  if (determinant > 1e-12 * ww * wgg && nugget >= 0 && sill >= 0) return { shape, range, nugget, sill, left: left(nugget, sill) }
  const flat = { shape, range, nugget: wy / ww, sill: 0, left: left(wy / ww, 0) }
  const smooth = { shape, range, nugget: 0, sill: wgy / wgg, left: left(0, wgy / wgg) }
  return smooth.left < flat.left ? smooth : flat
}

/**
 * Weighted least squares as gstat's fit.method 7: weights N_j / h_j^2 (Pebesma 2004; Cressie 1993, 2.6.2). At each
 * range the nugget and the sill are a linear problem, so only the range is searched: a ladder, then a golden section.
 * Without a pair, or without any difference, it is flat zero.
 */
export function fitVariogram(experimental: Experimental, shape: Variogram['shape']): Variogram {
  const farthest = experimental.distance.reduce((most, each) => Math.max(most, each), 0)
  if (farthest === 0 || experimental.semivariance.every((each) => each === 0)) return { shape, nugget: 0, sill: 0, range: Math.max(farthest, 1) }
  const at = (step: number): Variogram & { readonly left: number } => fitAt(experimental, shape, farthest * 10 ** (0.5 - decades * (1 - step / steps)))
  let best = 0
  for (let step = 0; step <= steps; step++) if (at(step).left < at(best).left) best = step
  let low = best - 1
  let high = best + 1
  for (let i = 0; i < 60; i++) {
    const a = high - golden * (high - low)
    const b = low + golden * (high - low)
    if (at(a).left <= at(b).left) high = b
    else low = a
  }
  const { nugget, sill, range } = at((low + high) / 2)
  return { shape, nugget, sill, range }
}
