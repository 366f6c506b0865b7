import { centreOf } from '../geo/cells.ts'
import { degree_km } from '../geo/distance.ts'
import { profile, type Terrain } from '../geo/terrain.ts'
import { beamwidthDefault_deg, type Sector, sectorGain_db } from './antenna.ts'
import { type Link, type Quantile, wrongInput } from './itm/inputs.ts'
import { type Deviates, deviatesOf, solveProfile } from './itm/itm.ts'
import { makePath, type Path } from './itm/path.ts'

/**
 * Sites of one operator and one technology, a row a sector or cell. NaN takes the configuration's default;
 * a NaN azimuth is an omnidirectional antenna.
 */
export interface SiteColumns {
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  readonly height_m: Float32Array
  readonly frequency_mhz: Float32Array
  /** Of what the threshold is for: per resource element for LTE and NR, per carrier for GSM. */
  readonly eirp_dbm: Float32Array
  readonly azimuth_deg: Float32Array
  readonly beamwidth_deg: Float32Array
  readonly tilt_deg: Float32Array
  readonly range_km: Float32Array
}

/** Columns for `count` sites that know nothing yet but defaults; positions must be written. */
export function makeSiteColumns(count: number): SiteColumns {
  const column = (): Float32Array => new Float32Array(count).fill(NaN)
  return {
    latitude: new Float64Array(count).fill(NaN), longitude: new Float64Array(count).fill(NaN), height_m: column(), frequency_mhz: column(), eirp_dbm: column(),
    azimuth_deg: column(), beamwidth_deg: column(), tilt_deg: column(), range_km: column(),
  }
}

export interface PredictConfig {
  /** What a site has that does not say it. */
  readonly height_m: number
  readonly frequency_mhz: number
  readonly eirp_dbm: number
  readonly tilt_deg: number
  readonly range_km: number
  /** Height of the phone above the ground. */
  readonly receiver_m: number
  /** Clutter around the phone and the body beside it, on top of the terrain's loss. */
  readonly losses_db: number
  /** At this median level half of the places in a cell are usable. */
  readonly threshold_dbm: number
  /** Standard deviation of the level around the predicted median. */
  readonly sigma_db: number
  /** Ground, polarisation and climate as in `Link` (core/atlas/itm/inputs.ts). */
  readonly polarisation: number
  readonly permittivity: number
  readonly conductivity: number
  readonly climate: number
  readonly refractivity: number
  /** Rows nearer to each other than this are one mast when height, frequency and range agree. */
  readonly mast_km: number
  /** A profile has at most this many intervals, and none shorter than the terrain's resolution. */
  readonly intervals_max: number
}

/** P.1546-6, annex 5, section 12: locations of a mobile receiver below the clutter (K = 1.2). */
function locationDeviation_db(frequency_mhz: number): number {
  return 1.2 + 1.3 * Math.log10(frequency_mhz)
}

/** ITM's own doubt about a short path (Algorithm, equation 5.10, at no distance): 5 + 3 dB. */
const situationDeviation_db = 8

/**
 * Engineering defaults of ours, each to be replaced by what an operator declares. Base stations: 3GPP TR
 * 36.814 V9.2.0, table A.2.1.1-2 (46 dBm in 10 MHz, an antenna of 14 dBi with its cable, 32 m high); per
 * resource element of 600 subcarriers 32.2 dBm (NR on 20 MHz and 30 kHz: 612). Ranges: GSM's timing
 * advance ends at 35 km (TS 45.010); 20 and 10 km are ours. Losses: 3 dB of body and 10 dB of vegetation
 * and houses around an officer out of doors. Below LTE's threshold, -111 dBm, is the worst class of the
 * Austrian regulator RTR; GSM's is the reference sensitivity of a phone, -102 dBm (TS 45.005).
 */
export function predictDefaults(technology: 'gsm' | 'lte' | 'nr'): PredictConfig {
  const of = { gsm: [900, 57, 35, -102], lte: [1800, 32.2, 20, -111], nr: [2100, 32.1, 10, -111] } as const
  const [frequency_mhz, eirp_dbm, range_km, threshold_dbm] = of[technology]
  return {
    height_m: 32, frequency_mhz, eirp_dbm, tilt_deg: 6, range_km, receiver_m: 1.5, losses_db: 13, threshold_dbm,
    sigma_db: Math.hypot(locationDeviation_db(frequency_mhz), situationDeviation_db),
    // average ground, vertical; equatorial climate and its refractivity (Guide, table 1)
    polarisation: 1, permittivity: 15, conductivity: 0.005, climate: 1, refractivity: 360, mast_km: 0.1, intervals_max: 64,
  }
}

interface Prediction {
  /**
   * Median level of the best server at each cell's centre; NaN where no site is in reach. Where it is so
   * good that P(usable) rounds to 1, a better server was not looked for.
   */
  readonly level_dbm: Float32Array
  /** P(usable) in half percents, 0 to 200; `outOfReach` where no site is in reach. */
  readonly usable: Uint8Array
  /** Rows of sites that were left out: no position, or a height or frequency that the model cannot take. */
  readonly skipped: number
}

export const outOfReach = 255

/** Antennas on one mast that share their path to any place. */
interface Mast {
  readonly latitude: number
  readonly longitude: number
  readonly range_km: number
  readonly link: Link
  readonly antennas: { readonly sector: Sector; eirp_dbm: number }[]
}

/** In no direction is a path's median better than free space by more than this. */
const aboveFreeSpace_db = 1
/** From here on P(usable) rounds to 1: the standard normal deviate of 0.9975. */
const settled_deviations = 2.8071
const median: Quantile = { kind: 'tls', time: 50, location: 50, situation: 50 }
/** Nearer than this to a mast a cell's centre counts as this far: positions are no better. */
const nearest_km = 0.1
const intervals_min = 4
const radian = Math.PI / 180
const progress_cells = 8192

/**
 * P(usable) of each cell: the median level of its best server by the Irregular Terrain Model against a
 * threshold, with the deviation of locations and of the model: p = Phi((level - threshold) / sigma).
 *
 * A cell asks its masts in the order of their free-space levels, and stops where the next one cannot
 * beat the best so far, or p rounds to 1. Pure and without shared state: cells can be split among threads.
 * @param cells keys of core/geo/cells.ts; ascending ones are quicker, since neighbours share terrain
 * @param progress is told the share of the cells that are done, now and then
 */
export function predict(
  sites: SiteColumns, cells: Float64Array, resolution: number, terrain: Terrain, config: PredictConfig, progress?: (share: number) => void,
): Prediction {
  const { masts, skipped } = mastsOf(sites, config)
  const bins = makeBins(masts)
  const work = makeWork(masts, terrain, config)
  const level_dbm = new Float32Array(cells.length).fill(NaN)
  const usable = new Uint8Array(cells.length).fill(outOfReach)
  for (let i = 0; i < cells.length; i++) {
    if (progress !== undefined && i % progress_cells === 0) progress(i / cells.length)
    const { latitude, longitude } = centreOf(cells[i] as number, resolution)
    const candidates = gather(work, bins, latitude, longitude)
    if (candidates === 0) continue
    const level = bestLevel_dbm(work, candidates, latitude, longitude)
    level_dbm[i] = level
    usable[i] = Math.round(200 * normal((level - config.threshold_dbm) / config.sigma_db))
  }
  progress?.(1)
  return { level_dbm, usable, skipped }
}

/** The standard normal distribution (Abramowitz and Stegun, 26.2.17: within 7.5e-8). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z > 0 ? 1 - tail : tail
}

function given(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value) ? otherwise : value
}

function mastsOf(sites: SiteColumns, config: PredictConfig): { masts: Mast[]; skipped: number } {
  const { receiver_m, polarisation, permittivity, conductivity, climate, refractivity } = config
  const masts: Mast[] = []
  const near = new Map<string, Mast[]>()
  const step_deg = Math.max(config.mast_km, 1e-3) / degree_km
  let skipped = 0
  for (let i = 0; i < sites.latitude.length; i++) {
    const latitude = sites.latitude[i] ?? NaN
    const longitude = sites.longitude[i] ?? NaN
    const range_km = given(sites.range_km[i], config.range_km)
    const link: Link = {
      tx_m: given(sites.height_m[i], config.height_m), rx_m: receiver_m, frequency_mhz: given(sites.frequency_mhz[i], config.frequency_mhz),
      polarisation, permittivity, conductivity, climate, refractivity, variability: 3,
    }
    if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && range_km > 0) || wrongInput(link, median) !== null) {
      skipped++
      continue
    }
    const row = Math.floor(latitude / step_deg)
    const column = Math.floor(longitude / step_deg)
    let mast = nearMast(near, row, column, latitude, longitude, link, range_km, config.mast_km)
    if (mast === undefined) {
      mast = { latitude, longitude, range_km, link, antennas: [] }
      masts.push(mast)
      const key = `${row},${column}`
      const beside = near.get(key)
      if (beside === undefined) near.set(key, [mast])
      else beside.push(mast)
    }
    addAntenna(mast, sites, i, config)
  }
  return { masts, skipped }
}

function nearMast(
  near: ReadonlyMap<string, readonly Mast[]>, row: number, column: number, latitude: number, longitude: number, link: Link, range_km: number, mast_km: number,
): Mast | undefined {
  for (let r = row - 1; r <= row + 1; r++)
    for (let c = column - 1; c <= column + 1; c++)
      for (const mast of near.get(`${r},${c}`) ?? []) {
        if (mast.range_km !== range_km || mast.link.tx_m !== link.tx_m || mast.link.frequency_mhz !== link.frequency_mhz) continue
        const north = (mast.latitude - latitude) * degree_km
        const east = (mast.longitude - longitude) * degree_km * Math.cos(latitude * radian)
        if (north * north + east * east <= mast_km * mast_km) return mast
      }
  return undefined
}

function addAntenna(mast: Mast, sites: SiteColumns, i: number, config: PredictConfig): void {
  const azimuth_deg = sites.azimuth_deg[i] ?? NaN
  const sector = { azimuth_deg, beamwidth_deg: given(sites.beamwidth_deg[i], beamwidthDefault_deg), tilt_deg: given(sites.tilt_deg[i], config.tilt_deg) }
  const eirp_dbm = given(sites.eirp_dbm[i], config.eirp_dbm)
  const omni = Number.isNaN(azimuth_deg)
  const same = mast.antennas.find(({ sector: other }) =>
    omni ? Number.isNaN(other.azimuth_deg) : other.azimuth_deg === azimuth_deg && other.beamwidth_deg === sector.beamwidth_deg && other.tilt_deg === sector.tilt_deg)
  if (same === undefined) mast.antennas.push({ sector, eirp_dbm })
  else same.eirp_dbm = Math.max(same.eirp_dbm, eirp_dbm)
}

/** Masts by squares that are as wide as the longest range: all that reach a place are in the nine around it. */
interface Bins {
  readonly south: number
  readonly west: number
  readonly step_deg: number
  readonly columns: number
  readonly rows: number
  /** Masts by square: those of square s are `masts[starts[s]]` to before `masts[starts[s + 1]]`. */
  readonly starts: Int32Array
  readonly masts: Int32Array
}

const step_deg_min = 0.05

function makeBins(masts: readonly Mast[]): Bins {
  let [south, north, west, east, range_km] = [90, -90, 180, -180, 0]
  for (const mast of masts) {
    south = Math.min(south, mast.latitude)
    north = Math.max(north, mast.latitude)
    west = Math.min(west, mast.longitude)
    east = Math.max(east, mast.longitude)
    range_km = Math.max(range_km, mast.range_km)
  }
  // the last cosine is of where a place in reach may lie; near a pole the squares grow wide, never wrong
  const farthest_deg = Math.min(89, Math.max(Math.abs(south), Math.abs(north)) + range_km / degree_km)
  const step_deg = Math.max(step_deg_min, range_km / degree_km / Math.cos(farthest_deg * radian))
  const columns = masts.length === 0 ? 0 : Math.floor((east - west) / step_deg) + 1
  const rows = masts.length === 0 ? 0 : Math.floor((north - south) / step_deg) + 1
  const squareOf = (mast: Mast): number => Math.floor((mast.latitude - south) / step_deg) * columns + Math.floor((mast.longitude - west) / step_deg)
  const starts = new Int32Array(rows * columns + 1)
  for (const mast of masts) starts[squareOf(mast) + 1] = (starts[squareOf(mast) + 1] as number) + 1
  for (let s = 0; s < rows * columns; s++) starts[s + 1] = (starts[s + 1] as number) + (starts[s] as number)
  const next = starts.slice()
  const sorted = new Int32Array(masts.length)
  masts.forEach((mast, m) => {
    const square = squareOf(mast)
    const place = next[square] as number
    sorted[place] = m
    next[square] = place + 1
  })
  return { south, west, step_deg, columns, rows, starts, masts: sorted }
}

/** What one run of `predict` computes with, made once. */
interface Work {
  readonly masts: readonly Mast[]
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  readonly range2_km2: Float64Array
  /** Received power at 1 km in free space along the main beam, with what a path may beat free space by, in mW. */
  readonly power_mw: Float64Array
  readonly candidate: Int32Array
  /** The candidate's best imaginable level here, in mW. */
  readonly bound_mw: Float64Array
  readonly elevations_m: Float64Array
  readonly path: Path
  readonly deviates: Deviates
  readonly terrain: Terrain
  readonly spacing_km: number
  readonly config: PredictConfig
}

function makeWork(masts: readonly Mast[], terrain: Terrain, config: PredictConfig): Work {
  const finest_m = Math.min(...terrain.map((raster) => raster.resolution_m))
  return {
    masts, latitude: Float64Array.from(masts, (mast) => mast.latitude), longitude: Float64Array.from(masts, (mast) => mast.longitude),
    range2_km2: Float64Array.from(masts, (mast) => mast.range_km ** 2),
    power_mw: Float64Array.from(masts, (mast) => {
      const eirp_dbm = Math.max(...mast.antennas.map((antenna) => antenna.eirp_dbm))
      return 10 ** ((eirp_dbm - 32.45 - 20 * Math.log10(mast.link.frequency_mhz) - config.losses_db + aboveFreeSpace_db) / 10)
    }),
    candidate: new Int32Array(masts.length), bound_mw: new Float64Array(masts.length), elevations_m: new Float64Array(config.intervals_max + 1),
    path: makePath(), deviates: deviatesOf(median), terrain, spacing_km: Number.isFinite(finest_m) ? finest_m / 1000 : 1, config,
  }
}

/** The masts in reach of a place with their bounds; returns how many there are. */
function gather(work: Work, bins: Bins, latitude: number, longitude: number): number {
  const { candidate, bound_mw, power_mw, range2_km2 } = work
  const scale = degree_km * Math.cos(latitude * radian)
  const row = Math.floor((latitude - bins.south) / bins.step_deg)
  const column = Math.floor((longitude - bins.west) / bins.step_deg)
  const left = Math.max(0, column - 1)
  const right = Math.min(bins.columns - 1, column + 1)
  let count = 0
  if (left > right) return 0
  for (let r = Math.max(0, row - 1); r <= row + 1 && r < bins.rows; r++) {
    const end = bins.starts[r * bins.columns + right + 1] as number
    for (let k = bins.starts[r * bins.columns + left] as number; k < end; k++) {
      const mast = bins.masts[k] as number
      const north = ((work.latitude[mast] as number) - latitude) * degree_km
      const east = ((work.longitude[mast] as number) - longitude) * scale
      const square = north * north + east * east
      if (square > (range2_km2[mast] as number)) continue
      candidate[count] = mast
      bound_mw[count++] = (power_mw[mast] as number) / Math.max(square, nearest_km * nearest_km)
    }
  }
  return count
}

function bestLevel_dbm(work: Work, candidates: number, latitude: number, longitude: number): number {
  const { candidate, bound_mw, config } = work
  const settled_dbm = config.threshold_dbm + settled_deviations * config.sigma_db
  let best_dbm = -Infinity
  let best_mw = 0
  for (let left = candidates; left > 0; left--) {
    let at = 0
    for (let k = 1; k < left; k++) if ((bound_mw[k] as number) > (bound_mw[at] as number)) at = k
    if ((bound_mw[at] as number) <= best_mw) break
    const level_dbm = levelFrom_dbm(work, candidate[at] as number, latitude, longitude)
    if (level_dbm > best_dbm) {
      best_dbm = level_dbm
      best_mw = 10 ** (level_dbm / 10)
      if (best_dbm >= settled_dbm) break
    }
    candidate[at] = candidate[left - 1] as number
    bound_mw[at] = bound_mw[left - 1] as number
  }
  return best_dbm
}

function levelFrom_dbm(work: Work, index: number, latitude: number, longitude: number): number {
  const mast = work.masts[index] as Mast
  const { config, path } = work
  const north = (latitude - mast.latitude) * degree_km
  const east = (longitude - mast.longitude) * degree_km * Math.cos(((latitude + mast.latitude) / 2) * radian)
  const distance_km = Math.max(Math.sqrt(north * north + east * east), nearest_km)
  const intervals = Math.min(Math.max(Math.ceil(distance_km / work.spacing_km), intervals_min), config.intervals_max)
  profile(work.terrain, mast.latitude, mast.longitude, latitude, longitude, intervals, work.elevations_m, 0)
  const error = solveProfile(path, mast.link, work.deviates, work.elevations_m, 0, intervals, (distance_km * 1000) / intervals)
  // inputs were checked: what is left is a surface too high for any air, which only broken terrain has
  if (error !== null) return -Infinity
  const only = mast.antennas.length === 1 ? mast.antennas[0] : undefined
  if (only !== undefined && Number.isNaN(only.sector.azimuth_deg)) return only.eirp_dbm - path.loss_db - config.losses_db
  const bearing_deg = Math.atan2(east, north) / radian
  const fall_m = (work.elevations_m[0] as number) + mast.link.tx_m - (work.elevations_m[intervals] as number) - mast.link.rx_m
  const depression_deg = Math.atan2(fall_m, distance_km * 1000) / radian
  let level_dbm = -Infinity
  for (const { sector, eirp_dbm } of mast.antennas) level_dbm = Math.max(level_dbm, eirp_dbm + sectorGain_db(sector, bearing_deg, depression_deg))
  return level_dbm - path.loss_db - config.losses_db
}
