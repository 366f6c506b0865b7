import { factor, solveUpper } from './cholesky.ts'

/** A mean that is linear in standardised columns. */
export interface Trend {
  readonly mean: number
  readonly centre: Float64Array
  readonly slope: Float64Array
}

/**
 * Ridge regression (Hoerl and Kennard 1970) with a free constant. Measurements along a street are far fewer than they
 * look, and a slope that fits them too well runs wild in the gaps: the ridge holds it.
 * @param columns for path loss log-distance and antenna terms, in any units
 * @param ridge against the number of samples: 1 halves the slope of a lone column, 0 is ordinary least squares
 * @param weight how much each sample counts
 */
export function fitTrend(columns: readonly Float64Array[], value: Float64Array, rows: Int32Array, ridge: number, weight?: Float64Array): Trend {
  const count = columns.length
  const weights = rows.reduce((sum, row) => sum + (weight?.[row] ?? 1), 0)
  const average = (of: (row: number) => number): number => rows.reduce((sum, row) => sum + (weight?.[row] ?? 1) * of(row), 0) / weights
  const mean = rows.length === 0 ? 0 : average((row) => value[row] ?? 0)
  const centre = Float64Array.from(columns, (column) => (rows.length === 0 ? 0 : average((row) => column[row] ?? 0)))
  const away = (k: number, row: number): number => (columns[k]?.[row] ?? 0) - (centre[k] ?? 0)
  const scale = Float64Array.from(columns, (_, k) => Math.sqrt(rows.length === 0 ? 0 : average((row) => away(k, row) ** 2)))
  const normal = new Float64Array((count + 1) * count)
  const unit = (k: number, row: number): number => ((scale[k] ?? 0) > 0 ? away(k, row) / (scale[k] ?? 1) : 0)
  for (const row of rows) {
    const w = (weight?.[row] ?? 1) / weights
    for (let i = 0; i < count; i++) {
      const wi = w * unit(i, row)
      for (let j = 0; j <= i; j++) normal[i * count + j] = (normal[i * count + j] ?? 0) + wi * unit(j, row)
      normal[count * count + i] = (normal[count * count + i] ?? 0) + wi * ((value[row] ?? 0) - mean)
    }
  }
  for (let i = 0; i < count; i++) normal[i * count + i] = (normal[i * count + i] ?? 0) + ridge
  factor(normal, count, count, count + 1)
  const slope = normal.slice(count * count)
  solveUpper(normal, count, count, slope)
  return { mean, centre, slope: slope.map((each, k) => ((scale[k] ?? 0) > 0 ? each / (scale[k] ?? 1) : 0)) }
}

export function trendAt({ mean, centre, slope }: Trend, columns: readonly Float64Array[], row: number): number {
  let sum = mean
  for (let k = 0; k < slope.length; k++) sum += (slope[k] ?? 0) * ((columns[k]?.[row] ?? 0) - (centre[k] ?? 0))
  return sum
}
