import { type Link, warning } from './inputs.ts'
import { irregularityOver_m, type Path, wavenumber } from './path.ts'

/**
 * Algorithm, table 5.1 (TN101, figure 10.13): a row a climate, of
 * the median's c1, c2, x1, x2, x3 (km); the same five of the deviation in time below and above the median;
 * C_D and z_D; and the three numbers of the frequency factor below and above the median.
 */
const columns = 23
const climates = Float64Array.of(
  -9.67, 12.7, 144.9, 190.3, 133.8, 2.13, 159.5, 762.2, 123.6, 94.5, 2.11, 102.3, 636.9, 134.8, 95.6, 1.224, 1.282, 1, 0, 0, 1, 0, 0,
  -0.62, 9.19, 228.9, 205.2, 143.6, 2.66, 7.67, 100.4, 172.5, 136.4, 6.87, 15.53, 138.7, 143.7, 98.6, 0.801, 2.161, 1, 0, 0, 0.93, 0.31, 2,
  1.26, 15.5, 262.6, 185.2, 99.8, 6.11, 6.65, 138.2, 242.2, 178.6, 10.08, 9.6, 165.3, 225.7, 129.7, 1.38, 1.282, 1, 0, 0, 1, 0, 0,
  -9.21, 9.05, 84.1, 101.1, 98.6, 1.98, 13.11, 139.1, 132.7, 193.5, 3.68, 159.3, 464.4, 93.1, 94.2, 1, 20, 1, 0, 0, 0.93, 0.19, 1.79,
  -0.62, 9.19, 228.9, 205.2, 143.6, 2.68, 7.16, 93.7, 186.8, 133.5, 4.75, 8.12, 93.2, 135.9, 113.4, 1.224, 1.282, 0.92, 0.25, 1.77, 0.93, 0.31, 2,
  -0.39, 2.86, 141.7, 315.9, 167.4, 6.86, 10.38, 187.8, 169.6, 108.9, 8.58, 13.97, 216, 152, 122.7, 1.518, 1.282, 1, 0, 0, 1, 0, 0,
  3.15, 857.9, 2222, 164.8, 116.3, 8.51, 169.8, 609.8, 119.9, 106.6, 8.43, 8.19, 136.2, 188.5, 122.9, 1.518, 1.282, 1, 0, 0, 1, 0, 0,
)

/**
 * The loss relative to free space that is not exceeded for shares of times, locations and situations, in
 * dB (Algorithm, chapter 5). Sets the warning of extreme shares.
 * @param z_time standard normal deviate of the share, and so on
 */
export function quantile_db(path: Path, link: Link, z_time: number, z_location: number, z_situation: number): number {
  const mode = link.variability % 10
  let zT = z_time
  let zL = z_location
  if (mode === 0) zT = zL = z_situation
  else if (mode === 1) zL = z_situation
  else if (mode === 2) zL = zT
  if (Math.abs(zT) > 3.1 || Math.abs(zL) > 3.1 || Math.abs(z_situation) > 3.1) path.warnings |= warning.variabilities

  const k = wavenumber(link.frequency_mhz)
  // effective distance, Algorithm, equation 5.3
  const extent_m = Math.sqrt(18e6 * path.tx_m) + Math.sqrt(18e6 * path.rx_m) + Math.cbrt(575.7e12 / k)
  const effective_km = path.distance_m < extent_m ? (130 * path.distance_m) / extent_m : 130 + (path.distance_m - extent_m) / 1000
  const withoutLocation = link.variability % 20 >= 10
  const rough = k * irregularityOver_m(path.irregularity_m, path.distance_m)
  // Algorithm, equations 5.9 and 5.10
  const sigmaL = withoutLocation ? 0 : (10 * rough) / (rough + 13)
  const sigmaS = link.variability >= 20 ? 0 : 5 + 3 * Math.exp(-effective_km / 100)
  const row = (link.climate - 1) * columns
  const sigmaT = deviationInTime_db(row, effective_km, k, zT)
  const time = sigmaT * zT
  const location = sigmaL * zL
  const square = z_situation * z_situation
  // Algorithm, equation 5.11
  const rest = sigmaS * sigmaS + (time * time) / (7.8 + square) + (location * location) / (24 + square)
  let gain_db: number
  if (mode === 0) gain_db = Math.sqrt(sigmaT * sigmaT + sigmaL * sigmaL + rest) * z_situation
  else if (mode === 1) gain_db = time + Math.sqrt(sigmaL * sigmaL + rest) * z_situation
  else if (mode === 2) gain_db = Math.sqrt(sigmaT * sigmaT + sigmaL * sigmaL) * zT + Math.sqrt(rest) * z_situation
  else gain_db = time + location + Math.sqrt(rest) * z_situation
  const loss_db = path.reference_db - curve(row, effective_km) - gain_db
  // Algorithm, equation 5.2: less loss than in free space is compressed
  return loss_db < 0 ? (loss_db * (29 - loss_db)) / (29 - 10 * loss_db) : loss_db
}

function deviationInTime_db(row: number, effective_km: number, k: number, z: number): number {
  const log = Math.log(0.133 * k)
  if (z < 0) return curve(row + 5, effective_km) * frequencyFactor(row + 17, log)
  const above = curve(row + 10, effective_km) * frequencyFactor(row + 20, log)
  const bend = climates[row + 16] as number
  if (z <= bend) return above
  const tail = (climates[row + 15] as number) * above
  return tail + ((above - tail) * bend) / z
}

function frequencyFactor(at: number, log: number): number {
  const scaled = (climates[at + 2] as number) * log
  return (climates[at] as number) + (climates[at + 1] as number) / (scaled * scaled + 1)
}

/** TN101, equations III.69 and III.70. */
function curve(at: number, effective_km: number): number {
  const offset = (effective_km - (climates[at + 3] as number)) / (climates[at + 4] as number)
  const share = effective_km / (climates[at + 2] as number)
  const square = share * share
  return (((climates[at] as number) + (climates[at + 1] as number) / (1 + offset * offset)) * square) / (1 + square)
}

/** Standard normal deviate that is exceeded with a probability (Abramowitz and Stegun, 26.2.23: within 4.5e-4, as all of the model). */
export function deviate(probability: number): number {
  const t = Math.sqrt(-2 * Math.log(probability > 0.5 ? 1 - probability : probability))
  const z = t - ((0.010328 * t + 0.802853) * t + 2.515516) / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1)
  return probability > 0.5 ? -z : z
}
