import { type Path, wavenumber } from './path.ts'

/** What stands for "no scatter here": the caller takes less than 1,000 dB only (Algorithm, page 11). */
const undefined_db = 1001

/**
 * Troposcatter attenuation in dB (Algorithm, section 4.3; TN101, chapter 9). Carries the frequency gain
 * function of one distance over to the next in `path.scatterGain_db`: the caller asks for the further one first.
 */
export function troposcatter_db(path: Path, distance_m: number, frequency_mhz: number): number {
  const k = wavenumber(frequency_mhz)
  const before_db = path.scatterGain_db
  let gain_db = before_db
  if (!(before_db > 15)) {
    const angle = path.tx_rad + path.rx_rad + distance_m / path.earth_m
    const r1 = 2 * k * angle * path.tx_m
    const r2 = 2 * k * angle * path.rx_m
    if (r1 < 0.2 && r2 < 0.2) return undefined_db
    gain_db = frequencyGain_db(path, distance_m, angle, r1, r2)
    // "if at d5 calculations show that H0 will exceed 15 dB, they are replaced by the value it has at d6" (Algorithm, page 12)
    if (gain_db > 15 && before_db >= 0) gain_db = before_db
  }
  path.scatterGain_db = gain_db
  const beyond_rad = distance_m / path.earth_m - path.sight_rad
  const product = beyond_rad * distance_m
  // Algorithm, equation 4.63
  const level_db = 10 * Math.log10(k * 47.7 * beyond_rad * beyond_rad * beyond_rad * beyond_rad)
  return attenuationFunction_db(product) + level_db - 0.1 * (path.refractivity - 301) * Math.exp(-product / 40e3) + gain_db
}

/** H0, TN101, equations 9.3 to 9.5. */
function frequencyGain_db(path: Path, distance_m: number, angle: number, r1: number, r2: number): number {
  let skew_m = path.txHorizon_m - path.rxHorizon_m
  let ratio = path.rx_m / path.tx_m
  if (skew_m < 0) {
    skew_m = -skew_m
    ratio = 1 / ratio
  }
  const asymmetry = (distance_m - skew_m) / (distance_m + skew_m)
  const q = Math.min(Math.max(0.1, ratio / asymmetry), 10)
  const s = Math.max(0.1, asymmetry)
  const cross_m = ((distance_m - skew_m) * (distance_m + skew_m) * angle * 0.25) / distance_m
  const n = path.refractivity
  const efficiency = (cross_m / 1755.6) * (1 + (0.031 - n * 2.32e-3 + n * n * 5.67e-6) * Math.exp(-(Math.min(1.7, cross_m / 8e3) ** 6)))
  const mean_db = (gainCurve_db(r1, efficiency) + gainCurve_db(r2, efficiency)) / 2
  const change_db = Math.min(mean_db, 6 * (0.6 - Math.log10(Math.max(efficiency, 1))) * Math.log10(s) * Math.log10(q))
  const gain_db = Math.max(0, mean_db + change_db)
  if (efficiency >= 1) return gain_db
  // below 1: between this and the special case of no efficiency
  const root = (1 + Math.SQRT2 / r1) * (1 + Math.SQRT2 / r2)
  return efficiency * gain_db + (1 - efficiency) * 10 * Math.log10((root * root * (r1 + r2)) / (r1 + r2 + 2 * Math.SQRT2))
}

/** Algorithm, equation 6.13. */
const gain4 = Float64Array.of(25, 80, 177, 395, 705)
const gain2 = Float64Array.of(24, 45, 68, 80, 105)

function gainCurve_db(r: number, efficiency: number): number {
  const at = Math.min(Math.max(efficiency, 1), 5)
  const i = Math.trunc(at)
  const between = at - i
  const inverse2 = 1 / (r * r)
  const lower_db = 10 * Math.log10(1 + (gain4[i - 1] as number) * inverse2 * inverse2 + (gain2[i - 1] as number) * inverse2)
  if (between === 0) return lower_db
  return (1 - between) * lower_db + between * 10 * Math.log10(1 + (gain4[i] as number) * inverse2 * inverse2 + (gain2[i] as number) * inverse2)
}

/** F(theta d), Algorithm, equation 6.9. */
function attenuationFunction_db(product: number): number {
  if (product <= 10e3) return 133.4 + 0.332e-3 * product - 10 * Math.log10(product)
  if (product <= 70e3) return 104.6 + 0.212e-3 * product - 2.5 * Math.log10(product)
  return 71.8 + 0.157e-3 * product + 5 * Math.log10(product)
}
