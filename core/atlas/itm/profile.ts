import type { Path } from './path.ts'

/**
 * What the model needs of a terrain profile: horizons, effective heights, irregularity (Algorithm,
 * section 6.1; Guide, section 5). A profile is `intervals + 1` elevations in metres from `offset` on, the
 * transmitter's first, `spacing_m` apart.
 */
export function readProfile(path: Path, elevations_m: Float64Array, offset: number, intervals: number, spacing_m: number, tx_m: number, rx_m: number): void {
  const distance_m = intervals * spacing_m
  path.distance_m = distance_m
  findHorizons(path, elevations_m, offset, intervals, spacing_m, tx_m, rx_m)
  // terrain counts from 15 times the antenna's height on (Guide, page 25), or a tenth of the way to the horizon
  const start_m = Math.min(15 * tx_m, 0.1 * path.txHorizon_m)
  const end_m = distance_m - Math.min(15 * rx_m, 0.1 * path.rxHorizon_m)
  path.irregularity_m = irregularity_m(path, elevations_m, offset, intervals, spacing_m, start_m, end_m)
  const txGround_m = elevations_m[offset] as number
  const rxGround_m = elevations_m[offset + intervals] as number
  if (path.txHorizon_m + path.rxHorizon_m > 1.5 * distance_m) {
    fitLine(path, elevations_m, offset, intervals, spacing_m, start_m, end_m)
    path.tx_m = tx_m + Math.max(0, txGround_m - path.txFit_m)
    path.rx_m = rx_m + Math.max(0, rxGround_m - path.rxFit_m)
    smoothHorizons(path)
    return
  }
  fitLine(path, elevations_m, offset, intervals, spacing_m, start_m, 0.9 * path.txHorizon_m)
  path.tx_m = tx_m + Math.max(0, txGround_m - path.txFit_m)
  fitLine(path, elevations_m, offset, intervals, spacing_m, distance_m - 0.9 * path.rxHorizon_m, end_m)
  path.rx_m = rx_m + Math.max(0, rxGround_m - path.rxFit_m)
}

/** Mean elevation of a profile without its first and last tenth. */
export function meanHeight_m(elevations_m: Float64Array, offset: number, intervals: number): number {
  const tenth = Math.trunc(0.1 * intervals)
  let sum = 0
  for (let i = tenth; i <= intervals - tenth; i++) sum += elevations_m[offset + i] as number
  return sum / (intervals - 2 * tenth + 1)
}

/** The greatest angles of elevation from either end (TN101, equation 6.15). */
function findHorizons(path: Path, elevations_m: Float64Array, offset: number, intervals: number, spacing_m: number, tx_m: number, rx_m: number): void {
  const distance_m = path.distance_m
  const diameter_m = 2 * path.earth_m
  const tx = (elevations_m[offset] as number) + tx_m
  const rx = (elevations_m[offset + intervals] as number) + rx_m
  let txBest = (rx - tx) / distance_m - distance_m / diameter_m
  let rxBest = -(rx - tx) / distance_m - distance_m / diameter_m
  let txAt = distance_m
  let rxAt = distance_m
  // distances are summed up, as the reference does: on flat ground the last bit chooses between equal horizons
  let fromTx = 0
  let fromRx = distance_m
  for (let i = 1; i < intervals; i++) {
    fromTx += spacing_m
    fromRx -= spacing_m
    const elevation = elevations_m[offset + i] as number
    const txAngle = (elevation - tx) / fromTx - fromTx / diameter_m
    const rxAngle = -(rx - elevation) / fromRx - fromRx / diameter_m
    if (txAngle > txBest) {
      txBest = txAngle
      txAt = fromTx
    }
    if (rxAngle > rxBest) {
      rxBest = rxAngle
      rxAt = fromRx
    }
  }
  path.tx_rad = txBest
  path.rx_rad = rxBest
  path.txHorizon_m = txAt
  path.rxHorizon_m = rxAt
}

/**
 * Deep in line of sight the profile's own horizons say little: those of a smooth earth with this
 * irregularity take their place, as in the area mode.
 */
function smoothHorizons(path: Path): void {
  setSmoothHorizons(path)
  const both_m = path.txHorizon_m + path.rxHorizon_m
  if (both_m <= path.distance_m) {
    const q = (path.distance_m / both_m) ** 2
    path.tx_m *= q
    path.rx_m *= q
    setSmoothHorizons(path)
  }
  path.tx_rad = smoothAngle(path.tx_m, path.txHorizon_m, path.irregularity_m, path.earth_m)
  path.rx_rad = smoothAngle(path.rx_m, path.rxHorizon_m, path.irregularity_m, path.earth_m)
}

/** Horizon distances from effective heights and irregularity (Algorithm, equation 3.3). */
export function setSmoothHorizons(path: Path): void {
  path.txHorizon_m = Math.sqrt(2 * path.tx_m * path.earth_m) * Math.exp(-0.07 * Math.sqrt(path.irregularity_m / Math.max(path.tx_m, 5)))
  path.rxHorizon_m = Math.sqrt(2 * path.rx_m * path.earth_m) * Math.exp(-0.07 * Math.sqrt(path.irregularity_m / Math.max(path.rx_m, 5)))
}

/** A horizon's angle from its distance (Algorithm, equation 3.4). */
export function smoothAngle(height_m: number, horizon_m: number, irregularity_m: number, earth_m: number): number {
  const smooth_m = Math.sqrt(2 * height_m * earth_m)
  return (0.65 * irregularity_m * (smooth_m / horizon_m - 1) - 2 * height_m) / smooth_m
}

/**
 * Least-squares line through the elevations between two distances: its heights at the profile's two ends
 * go to `txFit_m` and `rxFit_m`.
 */
function fitLine(path: Path, elevations_m: Float64Array, offset: number, intervals: number, spacing_m: number, start_m: number, end_m: number): void {
  let first = Math.trunc(Math.max(0, start_m / spacing_m))
  let last = intervals - Math.trunc(Math.max(0, intervals - end_m / spacing_m))
  if (last <= first) {
    first = Math.max(0, first - 1)
    last = intervals - Math.max(0, intervals - (last + 1))
  }
  const length = last - first
  let x = -0.5 * length
  const end = last + x
  const a = elevations_m[offset + first] as number
  const b = elevations_m[offset + last] as number
  let sum = 0.5 * (a + b)
  let moment = 0.5 * (a - b) * x
  for (let i = offset + first + 1; i < offset + last; i++) {
    const elevation = elevations_m[i] as number
    x++
    sum += elevation
    moment += elevation * x
  }
  sum /= length
  moment = (moment * 12) / ((length * length + 2) * length)
  path.txFit_m = sum - moment * end
  path.rxFit_m = sum + moment * (intervals - end)
}

/**
 * The terrain irregularity parameter: the range between the tenth and the ninetieth percentile of heights
 * above a fitted line, from samples evenly between two distances, extended to long paths.
 */
function irregularity_m(path: Path, elevations_m: Float64Array, offset: number, intervals: number, spacing_m: number, start_m: number, end_m: number): number {
  let at = start_m / spacing_m
  const span = end_m / spacing_m - at
  if (span < 2) return 0
  const tenth = Math.min(Math.max(4, Math.trunc(0.1 * (span + 8))), 25)
  const count = 10 * tenth - 5
  const samples = path.samples_m
  const step = span / (count - 1)
  let i = Math.trunc(at)
  at -= i + 1
  for (let j = 0; j < count; j++) {
    while (at > 0 && i + 1 < intervals) {
      at--
      i++
    }
    const after = elevations_m[offset + i + 1] as number
    samples[j] = after + (after - (elevations_m[offset + i] as number)) * at
    at += step
  }
  fitLine(path, samples, 0, count - 1, 1, 0, count - 1)
  let line = path.txFit_m
  const slope = (path.rxFit_m - line) / (count - 1)
  for (let j = 0; j < count; j++) {
    samples[j] = (samples[j] as number) - line
    line += slope
  }
  const high = select(samples, 0, count - 1, count - tenth)
  const low = select(samples, 0, count - tenth - 1, tenth - 1)
  // ERL 79-ITS 67, equation 3, turned round
  return (high - low) / (1 - 0.8 * Math.exp(-(end_m - start_m) / 50e3))
}

/** The element that ascending order would have at `k`; smaller ones end up before it, larger ones after (Hoare's quickselect). */
function select(values: Float64Array, from: number, to: number, k: number): number {
  let low = from
  let high = to
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number
    let i = low
    let j = high
    while (i <= j) {
      while ((values[i] as number) < pivot) i++
      while (pivot < (values[j] as number)) j--
      if (i <= j) {
        const kept = values[i] as number
        values[i++] = values[j] as number
        values[j--] = kept
      }
    }
    if (k <= j) high = j
    else if (k >= i) low = i
    else break
  }
  return values[k] as number
}
