import { deviation_m, irregularityOver_m, type Path, wavenumber } from './path.ts'

/** Reference attenuation within the smooth earth's line of sight, in dB (Algorithm, section 4.1; ERL 79-ITS 67, equations 3.16 to 3.21). */
export function lineOfSight_db(path: Path, frequency_mhz: number): number {
  const slope = path.diffraction_db_per_m
  const limit_m = path.smooth_m
  const limit_db = limit_m * slope + path.diffraction_db
  let near_m = 0.04 * frequency_mhz * path.tx_m * path.rx_m
  let middle_m: number
  if (path.diffraction_db >= 0) {
    near_m = Math.min(near_m, 0.5 * path.sight_m)
    middle_m = near_m + 0.25 * (path.sight_m - near_m)
  } else middle_m = Math.max(-path.diffraction_db / slope, 0.25 * path.sight_m)
  const middle_db = twoRays_db(path, middle_m, frequency_mhz)
  let linear = 0
  let logarithmic = 0
  let fitted = false
  if (near_m < middle_m) {
    const near_db = twoRays_db(path, near_m, frequency_mhz)
    const log = Math.log(limit_m / near_m)
    const above = (limit_m - near_m) * (middle_db - near_db) - (middle_m - near_m) * (limit_db - near_db)
    logarithmic = Math.max(0, above / ((limit_m - near_m) * Math.log(middle_m / near_m) - (middle_m - near_m) * log))
    fitted = path.diffraction_db > 0 || logarithmic > 0
    if (fitted) {
      linear = (limit_db - near_db - logarithmic * log) / (limit_m - near_m)
      if (linear < 0) {
        linear = 0
        logarithmic = Math.max(0, limit_db - near_db) / log
        if (logarithmic === 0) linear = slope
      }
    }
  }
  if (!fitted) {
    linear = Math.max(0, limit_db - middle_db) / (limit_m - middle_m)
    logarithmic = 0
    if (linear === 0) linear = slope
  }
  return limit_db + linear * (path.distance_m - limit_m) + logarithmic * Math.log(path.distance_m / limit_m)
}

/** The direct and the reflected ray, weighted against the extended line of diffraction (Algorithm, equations 4.46 to 4.50). */
function twoRays_db(path: Path, distance_m: number, frequency_mhz: number): number {
  const k = wavenumber(frequency_mhz)
  const deviation = deviation_m(irregularityOver_m(path.irregularity_m, distance_m))
  const heights_m = path.tx_m + path.rx_m
  const sine = heights_m / Math.sqrt(distance_m * distance_m + heights_m * heights_m)
  // the reflection coefficient (sine - Z) / (sine + Z), damped by roughness
  const below = sine + path.impedance
  const square = below * below + path.impedanceImaginary * path.impedanceImaginary
  const damping = Math.exp(-Math.min(10, k * deviation * sine)) / square
  let real = ((sine - path.impedance) * below - path.impedanceImaginary * path.impedanceImaginary) * damping
  let imaginary = -2 * sine * path.impedanceImaginary * damping
  const power = real * real + imaginary * imaginary
  if (power < 0.25 || power < sine) {
    const least = Math.sqrt(sine / power)
    real *= least
    imaginary *= least
  }
  let phase = (2 * k * path.tx_m * path.rx_m) / distance_m
  if (phase > Math.PI / 2) phase = Math.PI - (Math.PI * Math.PI) / 4 / phase
  real += Math.cos(phase)
  imaginary -= Math.sin(phase)
  const rays_db = -10 * Math.log10(real * real + imaginary * imaginary)
  const weight = 1 / (1 + (frequency_mhz * path.irregularity_m) / Math.max(10e3, path.smooth_m))
  return weight * rays_db + (1 - weight) * (path.diffraction_db_per_m * distance_m + path.diffraction_db)
}
