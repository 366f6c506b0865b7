import { deviation_m, irregularityOver_m, type Path, wavenumber } from './path.ts'

/** The line of diffraction through two distances far behind the horizons (Algorithm, section 4.2) goes into the path. */
export function setDiffraction(path: Path, tx_m: number, rx_m: number, frequency_mhz: number, pointToPoint: boolean): void {
  const scale_m = Math.cbrt((path.earth_m * path.earth_m) / frequency_mhz)
  const near_m = Math.max(path.smooth_m, path.sight_m + 5 * scale_m)
  const far_m = near_m + 10 * scale_m
  const root = Math.cbrt(frequency_mhz)
  const impedance = Math.sqrt(path.impedance * path.impedance + path.impedanceImaginary * path.impedanceImaginary)
  const txArc = heightArc(path.txHorizon_m, path.tx_m, root, impedance)
  const txGain_db = heightGain_db(txArc, groundFactor(horizonRatio(path.txHorizon_m, path.tx_m), root, impedance))
  const rxArc = heightArc(path.rxHorizon_m, path.rx_m, root, impedance)
  const rxGain_db = heightGain_db(rxArc, groundFactor(horizonRatio(path.rxHorizon_m, path.rx_m), root, impedance))
  const gain_db = txGain_db + rxGain_db
  const arcs = txArc + rxArc
  // ERL 79-ITS 67, equation 3.38c: terrain clutter, with the irregularity over the smooth earth's line of sight
  const deviation = deviation_m(irregularityOver_m(path.irregularity_m, path.smooth_m))
  const clutter_db = Math.min(15, 5 * Math.log10(1 + 1e-5 * tx_m * rx_m * frequency_mhz * deviation))
  const product = tx_m * rx_m
  const excess = path.tx_m * path.rx_m - product
  // ERL 79-ITS 67, page 3-8: the constant is about 10 where the path is known
  const heights = Math.sqrt(1 + excess / (pointToPoint ? product + 10 : product))
  const near_db = attenuation_db(path, near_m, frequency_mhz, root, impedance, arcs, gain_db, heights) + clutter_db
  const far_db = attenuation_db(path, far_m, frequency_mhz, root, impedance, arcs, gain_db, heights) + clutter_db
  path.diffraction_db_per_m = (far_db - near_db) / (far_m - near_m)
  path.diffraction_db = near_db - path.diffraction_db_per_m * near_m
}

/** Knife edges and smooth earth, weighted by how rough the path is (ERL 79-ITS 67, equation 3.23). */
function attenuation_db(path: Path, distance_m: number, frequency_mhz: number, root: number, impedance: number, arcs: number, gain_db: number, heights: number): number {
  const beyond_rad = distance_m / path.earth_m - path.sight_rad
  const rough = Math.min(wavenumber(frequency_mhz) * irregularityOver_m(path.irregularity_m, distance_m), 6283.2)
  const q = (heights + (-path.sight_rad * path.earth_m + path.sight_m) / distance_m) * rough
  const weight = 25.1 / (25.1 + Math.sqrt(q))
  const smooth_db = smoothEarth_db(distance_m - path.sight_m, beyond_rad, root, impedance, arcs, gain_db)
  return weight * smooth_db + (1 - weight) * knifeEdges_db(path, distance_m - path.sight_m, beyond_rad, frequency_mhz)
}

/** One knife edge at each horizon (TN101, equation I.1 and I.7). */
function knifeEdges_db(path: Path, beyond_m: number, beyond_rad: number, frequency_mhz: number): number {
  // 0.0795775 = 1 / (4 pi)
  const common = 0.0795775 * wavenumber(frequency_mhz) * beyond_rad * beyond_rad * beyond_m
  return fresnel_db((common * path.txHorizon_m) / (beyond_m + path.txHorizon_m)) + fresnel_db((common * path.rxHorizon_m) / (beyond_m + path.rxHorizon_m))
}

/**
 * Loss over a knife edge (TN101, equations III.24b and III.24c).
 * @param square of the Fresnel parameter: 5.76 is 2.4 squared
 */
function fresnel_db(square: number): number {
  return square < 5.76 ? 6.02 + 9.11 * Math.sqrt(square) - 1.27 * square : 12.953 + 10 * Math.log10(square)
}

/** Vogler 1964, equation 2: the cube root of the ratio of the 4/3 earth to this one. */
function radiusRatio(radius_m: number): number {
  return Math.cbrt(((4 / 3) * 6370e3) / radius_m)
}

/** The same for the earth that has this horizon from this height (Vogler 1964, equation 3). */
function horizonRatio(horizon_m: number, height_m: number): number {
  return radiusRatio((0.5 * horizon_m * horizon_m) / height_m)
}

/** Vogler 1964, equations 6a and 7a. */
function groundFactor(ratio: number, root: number, impedance: number): number {
  return (0.017778 * ratio) / (root * impedance)
}

/** Vogler's normalised distance of one terminal's horizon (1964, equation 2 and figure 4). */
function heightArc(horizon_m: number, height_m: number, root: number, impedance: number): number {
  const ratio = horizonRatio(horizon_m, height_m)
  return ((1.607 - groundFactor(ratio, root, impedance)) * ratio * ratio * root * horizon_m) / 1000
}

/** Far diffraction over the smooth earth (Algorithm, equation 4.20; TN101, equation 8.4). */
function smoothEarth_db(beyond_m: number, beyond_rad: number, root: number, impedance: number, arcs: number, gain_db: number): number {
  const ratio = radiusRatio(beyond_m / beyond_rad)
  const arc = ((1.607 - groundFactor(ratio, root, impedance)) * ratio * ratio * root * beyond_m) / 1000 + arcs
  return 0.05751 * arc - 10 * Math.log10(arc) - gain_db - 20
}

/** A terminal's height gain (Algorithm, section 6.3, for Vogler's figures). */
function heightGain_db(arc: number, factor: number): number {
  if (arc >= 200) {
    const far_db = 0.05751 * arc - 4.343 * Math.log(arc)
    if (arc >= 2000) return far_db
    const weight = 0.0134 * arc * Math.exp(-0.005 * arc)
    return (1 - weight) * far_db + weight * (17.372 * Math.log(arc) - 117)
  }
  const log = -Math.log(factor)
  if (factor < 1e-5 || arc * log * log * log > 5495) return arc > 1 ? 17.372 * Math.log(arc) - 117 : -117
  return (2.5e-5 * arc * arc) / factor - 8.686 * log - 15
}
