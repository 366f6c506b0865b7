import { indexPositions, makeFound, nearest } from './nearest.ts'

const neighbours = 8
/**
 * Robust standard deviations beyond which a sample contradicts its surroundings. Hampel's usual 3 would throw away
 * honest shadows behind a house; a wrong unit or a stuck reading is farther off.
 */
const hampel_threshold = 5
/** Makes the median absolute deviation the standard deviation of a normal distribution (Hampel 1974). */
const mad_scale = 1.4826
/** Where more than half the samples agree exactly, the median deviation is 0; fading alone is more than this. */
const deviation_db_min = 1
/** Fewer cannot contradict anybody. */
const samples_min = 4
/** Of two readings of one device in one cell, how much the second repeats the first. */
const device_correlation = 0.5

/**
 * Hampel identifier: a sample's distance from the median of its nearest neighbours, against the median of all such
 * distances (Hampel 1974).
 * @returns 1 for a gross error, 0 for a sample to keep
 */
export function isGrossError(x: Float64Array, y: Float64Array, value_db: Float64Array): Uint8Array {
  if (value_db.length < samples_min) return new Uint8Array(value_db.length)
  const index = indexPositions(x, y)
  const found = makeFound(Math.min(neighbours, value_db.length - 1))
  const around = new Float64Array(found.ids.length)
  const away = value_db.map((value, id) => {
    const count = nearest(index, x[id] ?? 0, y[id] ?? 0, found, id)
    for (let i = 0; i < count; i++) around[i] = value_db[found.ids[i] ?? 0] ?? 0
    return Math.abs(value - medianOf(around))
  })
  const most = hampel_threshold * Math.max(deviation_db_min, mad_scale * medianOf(away.slice()))
  return Uint8Array.from(away, (each) => Number(each > most))
}

/** Sorts in place. */
function medianOf(values: Float64Array): number {
  values.sort()
  const middle = values.length >> 1
  return values.length % 2 === 1 ? (values[middle] ?? 0) : ((values[middle - 1] ?? 0) + (values[middle] ?? 0)) / 2
}

/**
 * A weight for each sample, so that one device cannot outvote the others of a cell: n readings of one device in one
 * cell count as n / (1 + (n - 1) rho) together (Kish 1965, the effective sample size), which is 1 for one reading and never
 * more than 1 / rho = 2 for any number.
 * @param cells the cell of each sample, by number
 * @param devices its device, by number
 */
export function deviceWeights(cells: Int32Array, devices: Int32Array): Float64Array {
  const key = (i: number): string => `${cells[i]} ${devices[i]}`
  const readings = new Map<string, number>()
  for (let i = 0; i < cells.length; i++) readings.set(key(i), (readings.get(key(i)) ?? 0) + 1)
  return Float64Array.from(cells, (_, i) => 1 / (1 + ((readings.get(key(i)) ?? 1) - 1) * device_correlation))
}
