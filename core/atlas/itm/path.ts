import type { Link } from './inputs.ts'

/** 1 line of sight, 2 diffraction, 3 troposcatter. */
export type Mode = 1 | 2 | 3

/**
 * One path between two terminals as the model sees it, and the workspace to compute it in: make one a
 * thread and use it for every path, so that nothing is allocated between them. Distances and heights are
 * in metres, angles in radians, refractivities in N-units.
 */
export interface Path {
  distance_m: number
  /** Distances to the terminals' horizons. */
  txHorizon_m: number
  rxHorizon_m: number
  /** Angles of the terminals' horizons above the horizontal. */
  tx_rad: number
  rx_rad: number
  /** Effective heights of the terminals above the dominant reflecting plane. */
  tx_m: number
  rx_m: number
  /** The terrain irregularity parameter, delta h. */
  irregularity_m: number
  /** At the surface of the path, not reduced to sea level. */
  refractivity: number
  /** Effective radius of the earth. */
  earth_m: number
  /** Transfer impedance of the ground, complex and relative. */
  impedance: number
  impedanceImaginary: number
  /** Line of sight over the smooth earth, and over this terrain. */
  smooth_m: number
  sight_m: number
  /** Angular distance of the line-of-sight region. */
  sight_rad: number
  /** The line of diffraction: attenuation against distance. */
  diffraction_db_per_m: number
  diffraction_db: number
  /** The frequency gain function of troposcatter at the last distance asked for; below 0 before the first. */
  scatterGain_db: number
  /** A fitted line's heights at the two ends of the profile. */
  txFit_m: number
  rxFit_m: number
  /** Reference attenuation relative to free space. */
  reference_db: number
  freeSpace_db: number
  /** Basic transmission loss of the quantile. */
  loss_db: number
  mode: Mode
  warnings: number
  readonly samples_m: Float64Array
}

/** Samples of a profile that its irregularity is taken from, at most (Algorithm, section 6.1). */
const samples_max = 245

export function makePath(): Path {
  return {
    distance_m: NaN, txHorizon_m: NaN, rxHorizon_m: NaN, tx_rad: NaN, rx_rad: NaN, tx_m: NaN, rx_m: NaN, irregularity_m: NaN, refractivity: NaN,
    earth_m: NaN, impedance: NaN, impedanceImaginary: NaN, smooth_m: NaN, sight_m: NaN, sight_rad: NaN, diffraction_db_per_m: NaN,
    diffraction_db: NaN, scatterGain_db: NaN, txFit_m: NaN, rxFit_m: NaN, reference_db: NaN, freeSpace_db: NaN, loss_db: NaN, mode: 1, warnings: 0,
    samples_m: new Float64Array(samples_max),
  }
}

/** The radio's wavenumber in 1/m, with the constant that all of the model uses. */
export function wavenumber(frequency_mhz: number): number {
  return frequency_mhz / 47.7
}

/**
 * Surface refractivity, effective earth and ground impedance.
 * @param height_m mean height of the path above the sea
 */
export function setGround(path: Path, link: Link, height_m: number): void {
  // TN101, equation 4.3
  path.refractivity = height_m === 0 ? link.refractivity : link.refractivity * Math.exp(-height_m / 9460)
  // TN101, equation 4.4; 157e-9 is the curvature of the actual earth in 1/m
  path.earth_m = 1 / (157e-9 * (1 - 0.04665 * Math.exp(path.refractivity / 179.3)))
  // Algorithm, equation 1.5: the root of the relative complex permittivity less 1 ...
  const imaginary = (18_000 * link.conductivity) / link.frequency_mhz
  const real = link.permittivity - 1
  const rootReal = Math.sqrt((Math.sqrt(real * real + imaginary * imaginary) + real) / 2)
  const rootImaginary = imaginary / (2 * rootReal)
  if (link.polarisation === 0) {
    path.impedance = rootReal
    path.impedanceImaginary = rootImaginary
    return
  }
  // ... divided by the permittivity for vertical polarisation
  const square = link.permittivity * link.permittivity + imaginary * imaginary
  path.impedance = (rootReal * link.permittivity + rootImaginary * imaginary) / square
  path.impedanceImaginary = (rootImaginary * link.permittivity - rootReal * imaginary) / square
}

/** Irregularity as it is felt over a distance: less on short paths (ERL 79-ITS 67, equation 3). */
export function irregularityOver_m(irregularity_m: number, distance_m: number): number {
  return irregularity_m * (1 - 0.8 * Math.exp(-distance_m / 50e3))
}

/** Deviation of the terrain within the first Fresnel zone (ERL 79-ITS 67, equation 3.6a). */
export function deviation_m(irregularity_m: number): number {
  return 0.78 * irregularity_m * Math.exp(-0.5 * Math.sqrt(Math.sqrt(irregularity_m)))
}

/** Free-space basic transmission loss in dB (ITU-R P.525, in MHz and km). */
export function freeSpace_db(distance_m: number, frequency_mhz: number): number {
  return 32.45 + 20 * Math.log10(frequency_mhz) + 20 * Math.log10(distance_m / 1000)
}
