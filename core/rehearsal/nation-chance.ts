/**
 * Chance of the nation's world: a hash of (device, event) in place of a generator for each device, so that what
 * happens to one phone never moves another. See spec/device-model.md.
 */

/** A bijection of 32 bits that scatters well (lowbias32; C. Wellons, "Prospecting for hash functions", 2018). @returns a signed integer */
export function mix32(value: number): number {
  let x = value
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}

/** The next hash of a chain: one event takes several draws. */
export const nextDraw = (draw: number): number => mix32((draw + 0x9e3779b9) | 0)

/** @returns 0 to under 1 */
export const unit = (draw: number): number => (draw >>> 0) / 4294967296

const quantiles = 1024
const steps = 20_000

/**
 * Quantiles of a gamma distribution of mean one, at the middles of 1,024 equal shares: a factor is a look-up.
 * The density is summed over the logarithm of x, where its two ends are tame.
 * @param cv coefficient of variation, over 0 to 2
 */
export function gammaFactors(cv: number): Float32Array {
  const shape = 1 / (cv * cv)
  const [low, high] = [-14 / Math.min(1, shape), Math.log(1 + 30 * cv)]
  const width = (high - low) / steps
  const density = Float64Array.from({ length: steps }, (_, step) => {
    const log = low + (step + 0.5) * width
    return Math.exp(shape * (log - Math.exp(log)))
  })
  const total = density.reduce((sum, each) => sum + each, 0)
  const factors = new Float32Array(quantiles)
  let [below, step] = [0, 0]
  for (let index = 0; index < quantiles; index++) {
    const wanted = ((index + 0.5) / quantiles) * total
    while (step < steps - 1 && below + (density[step] ?? 0) < wanted) below += density[step++] ?? 0
    factors[index] = Math.exp(low + (step + 0.5) * width)
  }
  const mean = factors.reduce((sum, each) => sum + each, 0) / quantiles
  return factors.map((factor) => factor / mean)
}

/** One factor of a table of `gammaFactors`, by the upper bits of a draw. */
export const factorOf = (factors: Float32Array, draw: number): number => factors[draw >>> 22] ?? 1

/** Straight in the hour and smooth at the points: [hour, value], hours ascending; flat beyond both ends. */
export function smooth(points: readonly (readonly [hour: number, value: number])[], hour: number): number {
  const after = points.findIndex(([at]) => at > hour)
  if (after === 0) return points[0]?.[1] ?? 1
  const [from, to] = [points[(after < 0 ? points.length : after) - 1], after < 0 ? undefined : points[after]]
  if (from === undefined || to === undefined) return from?.[1] ?? 1
  const share = (1 - Math.cos((Math.PI * (hour - from[0])) / (to[0] - from[0]))) / 2
  return from[1] + share * (to[1] - from[1])
}
