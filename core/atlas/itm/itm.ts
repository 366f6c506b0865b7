import { fail, ok, type Result } from '../../kernel/result.ts'
import { setDiffraction } from './diffraction.ts'
import { inputWarnings, type ItmError, type Link, type Quantile, warning, wrongInput } from './inputs.ts'
import { freeSpace_db, type Mode, type Path, setGround } from './path.ts'
import { meanHeight_m, readProfile, setSmoothHorizons, smoothAngle } from './profile.ts'
import { troposcatter_db } from './scatter.ts'
import { lineOfSight_db } from './sight.ts'
import { deviate, quantile_db } from './variability.ts'

/** What the model says of one path. */
interface Loss {
  /** Basic transmission loss of the quantile. */
  readonly loss_db: number
  readonly freeSpace_db: number
  /** Median attenuation relative to free space before climate and variability. */
  readonly reference_db: number
  readonly mode: Mode
  /** Bits of `warning`; 0 when there are none. */
  readonly warnings: number
}

/** A share in percent of each kind as a standard normal deviate. */
export interface Deviates {
  readonly time: number
  readonly location: number
  readonly situation: number
}

/** The same for every path: compute it once. Confidence stands for situation, reliability for time (Guide, section 3). */
export function deviatesOf(quantile: Quantile): Deviates {
  if (quantile.kind === 'cr') return { time: deviate(quantile.reliability / 100), location: deviate(0.5), situation: deviate(quantile.confidence / 100) }
  return { time: deviate(quantile.time / 100), location: deviate(quantile.location / 100), situation: deviate(quantile.situation / 100) }
}

/**
 * Loss between two terminals over a known profile.
 * @param path a workspace, overwritten
 * @param elevations_m holds the profile from `offset` on, `intervals + 1` elevations `spacing_m` apart, the transmitter's first
 */
export function pointToPoint(
  path: Path, link: Link, quantile: Quantile, elevations_m: Float64Array, offset: number, intervals: number, spacing_m: number,
): Result<Loss, ItmError> {
  const wrong = wrongInput(link, quantile)
  if (wrong !== null) return fail(wrong)
  if (!(intervals >= 1 && spacing_m > 0)) return fail('distance')
  const error = solveProfile(path, link, deviatesOf(quantile), elevations_m, offset, intervals, spacing_m)
  return error === null ? ok(lossOf(path)) : fail(error)
}

/**
 * Loss over a distance of which only the irregularity is known.
 * @param siting of the two terminals: 0 random, 1 careful, 2 very careful
 * @param irregularity_m delta h: 0 a smooth plain, 90 hills, 200 and more mountains
 */
export function area(
  path: Path, link: Link, quantile: Quantile, siting: { readonly tx: number; readonly rx: number }, distance_km: number, irregularity_m: number,
): Result<Loss, ItmError> {
  const wrong = wrongInput(link, quantile)
  if (wrong !== null) return fail(wrong)
  if (!(distance_km > 0)) return fail('distance')
  if (!(irregularity_m >= 0)) return fail('irregularity')
  if (siting.tx !== 0 && siting.tx !== 1 && siting.tx !== 2) return fail('tx_siting')
  if (siting.rx !== 0 && siting.rx !== 1 && siting.rx !== 2) return fail('rx_siting')
  path.warnings = inputWarnings(link)
  setGround(path, link, 0)
  path.distance_m = distance_km * 1000
  path.irregularity_m = irregularity_m
  path.tx_m = sitedHeight_m(siting.tx, link.tx_m, irregularity_m)
  path.rx_m = sitedHeight_m(siting.rx, link.rx_m, irregularity_m)
  setSmoothHorizons(path)
  path.tx_rad = smoothAngle(path.tx_m, path.txHorizon_m, irregularity_m, path.earth_m)
  path.rx_rad = smoothAngle(path.rx_m, path.rxHorizon_m, irregularity_m, path.earth_m)
  const error = solve(path, link, deviatesOf(quantile), false)
  return error === null ? ok(lossOf(path)) : fail(error)
}

/**
 * As `pointToPoint`, for inputs that were checked with `wrongInput`, and without allocating: the answer
 * lies in the path.
 */
export function solveProfile(
  path: Path, link: Link, deviates: Deviates, elevations_m: Float64Array, offset: number, intervals: number, spacing_m: number,
): ItmError | null {
  path.warnings = inputWarnings(link)
  setGround(path, link, meanHeight_m(elevations_m, offset, intervals))
  readProfile(path, elevations_m, offset, intervals, spacing_m, link.tx_m, link.rx_m)
  return solve(path, link, deviates, true)
}

function lossOf(path: Path): Loss {
  return { loss_db: path.loss_db, freeSpace_db: path.freeSpace_db, reference_db: path.reference_db, mode: path.mode, warnings: path.warnings }
}

/** A height with what care in siting adds to it (Algorithm, equation 3.2). */
function sitedHeight_m(siting: number, height_m: number, irregularity_m: number): number {
  if (siting === 0) return height_m
  let gain = siting === 1 ? 4 : 9
  if (height_m < 5) gain *= Math.sin(0.1 * Math.PI * height_m)
  return height_m + (1 + gain) * Math.exp(-Math.min(20, (2 * height_m) / Math.max(1e-3, irregularity_m)))
}

/** Reference attenuation, then its quantile, of a path whose geometry and ground are set. */
function solve(path: Path, link: Link, deviates: Deviates, profiled: boolean): ItmError | null {
  const txSmooth_m = Math.sqrt(2 * path.tx_m * path.earth_m)
  const rxSmooth_m = Math.sqrt(2 * path.rx_m * path.earth_m)
  path.smooth_m = txSmooth_m + rxSmooth_m
  path.sight_m = path.txHorizon_m + path.rxHorizon_m
  path.sight_rad = -Math.max(path.tx_rad + path.rx_rad, -path.sight_m / path.earth_m)
  path.warnings |= geometryWarnings(path, txSmooth_m, rxSmooth_m)
  if (path.refractivity < 150) return 'surface_refractivity_small'
  if (path.refractivity > 400) return 'surface_refractivity_large'
  if (!(path.earth_m >= 4_000_000 && path.earth_m <= 13_333_333)) return 'effective_earth'
  if (!(path.impedance > Math.abs(path.impedanceImaginary))) return 'ground_impedance'
  const frequency_mhz = link.frequency_mhz
  setDiffraction(path, link.tx_m, link.rx_m, frequency_mhz, profiled)
  if (path.distance_m < path.smooth_m) {
    path.reference_db = Math.max(0, lineOfSight_db(path, frequency_mhz))
    path.mode = 1
  } else path.reference_db = Math.max(0, beyondHorizon_db(path, frequency_mhz))
  path.freeSpace_db = freeSpace_db(path.distance_m, frequency_mhz)
  path.loss_db = path.freeSpace_db + quantile_db(path, link, deviates.time, deviates.location, deviates.situation)
  return null
}

function geometryWarnings(path: Path, txSmooth_m: number, rxSmooth_m: number): number {
  let bits = 0
  // the limit of the small-angle approximation
  if (Math.abs(path.tx_rad) > 0.2) bits |= warning.txHorizonAngle
  if (Math.abs(path.rx_rad) > 0.2) bits |= warning.rxHorizonAngle
  if (path.txHorizon_m < 0.1 * txSmooth_m) bits |= warning.txHorizonNear
  if (path.rxHorizon_m < 0.1 * rxSmooth_m) bits |= warning.rxHorizonNear
  if (path.txHorizon_m > 3 * txSmooth_m) bits |= warning.txHorizonFar
  if (path.rxHorizon_m > 3 * rxSmooth_m) bits |= warning.rxHorizonFar
  if (path.refractivity < 250) bits |= warning.surfaceRefractivity
  if (path.distance_m < Math.abs(path.tx_m - path.rx_m) / 0.2) bits |= warning.distanceSmall
  if (path.distance_m < 1e3) bits |= warning.distanceTooSmall
  if (path.distance_m > 1000e3) bits |= warning.distanceBig
  if (path.distance_m > 2000e3) bits |= warning.distanceTooBig
  return bits
}

/** Diffraction up to where troposcatter loses less (Algorithm, section 4.3). */
function beyondHorizon_db(path: Path, frequency_mhz: number): number {
  const near_m = path.sight_m + 200e3
  path.scatterGain_db = -1
  const far_db = troposcatter_db(path, path.sight_m + 400e3, frequency_mhz)
  const near_db = troposcatter_db(path, near_m, frequency_mhz)
  const slope = path.diffraction_db_per_m
  path.mode = 2
  if (near_db < 1000) {
    const scatterSlope = (far_db - near_db) / 200e3
    const crossing_m = (near_db - path.diffraction_db - scatterSlope * near_m) / (slope - scatterSlope)
    const least_m = path.sight_m + 1.088 * Math.cbrt((path.earth_m * path.earth_m) / frequency_mhz) * Math.log(frequency_mhz)
    const from_m = Math.max(path.smooth_m, least_m, crossing_m)
    if (path.distance_m > from_m) {
      path.mode = 3
      return scatterSlope * path.distance_m + (slope - scatterSlope) * from_m + path.diffraction_db
    }
  } else if (path.distance_m > 10e6) path.mode = 3
  return slope * path.distance_m + path.diffraction_db
}
