/**
 * The Irregular Terrain Model (ITM, "Longley-Rice"), 20 MHz to 20 GHz, as of NTIA's version 1.4. Sources,
 * cited beside the formulas: NTIA Report 82-100 (Hufford, Longley, Kissick 1982), here "Guide"; Hufford,
 * "The ITS Irregular Terrain Model, version 1.2.2, the Algorithm" (1995), here "Algorithm"; ESSA ERL 79-ITS
 * 67 (Longley, Rice 1968); NBS Technical Note 101 (Rice et al. 1967), here "TN101"; Vogler, "Calculation of
 * groundwave attenuation in the far diffraction region" (1964).
 */

/** What does not change from path to path. */
export interface Link {
  /** Structural height above the ground, 0.5 to 3,000 m. */
  readonly tx_m: number
  /** Structural height above the ground, 0.5 to 3,000 m. */
  readonly rx_m: number
  /** 20 to 20,000 MHz. */
  readonly frequency_mhz: number
  /** 0 horizontal, 1 vertical. */
  readonly polarisation: number
  /** Relative permittivity of the ground, 1 or more: 15 for average ground. */
  readonly permittivity: number
  /** Conductivity of the ground in S/m, above 0: 0.005 for average ground. */
  readonly conductivity: number
  /** 1 equatorial, 2 continental subtropical, 3 maritime subtropical, 4 desert, 5 continental temperate, 6 and 7 maritime temperate over land and sea. */
  readonly climate: number
  /** Refractivity reduced to sea level, 250 to 400 N-units. */
  readonly refractivity: number
  /** 0 single message, 1 accidental, 2 mobile, 3 broadcast; +10 without location, +20 without direct situation variability (Guide, section 3). */
  readonly variability: number
}

/**
 * For which share of times, locations and situations the loss is not exceeded, in percent above 0 and below
 * 100; or with which confidence and reliability, where location is the median (Guide, section 3).
 */
export type Quantile =
  | { readonly kind: 'tls'; readonly time: number; readonly location: number; readonly situation: number }
  | { readonly kind: 'cr'; readonly confidence: number; readonly reliability: number }

/** Which input, or what was derived from the inputs, the model cannot take (codes 1000 to 1022 of version 1.4). */
export type ItmError =
  | 'tx_height' | 'rx_height' | 'climate' | 'time' | 'location' | 'situation' | 'confidence' | 'reliability' | 'refractivity'
  | 'frequency' | 'polarisation' | 'permittivity' | 'conductivity' | 'ground_impedance' | 'variability' | 'effective_earth'
  | 'distance' | 'irregularity' | 'tx_siting' | 'rx_siting' | 'surface_refractivity_small' | 'surface_refractivity_large'

/** The bits of version 1.4: the loss is given, and may be worth less than usual. */
export const warning = {
  txHeight: 0x1, rxHeight: 0x2, frequency: 0x4, distanceBig: 0x8, distanceTooBig: 0x10, distanceSmall: 0x20, distanceTooSmall: 0x40,
  txHorizonAngle: 0x80, rxHorizonAngle: 0x100, txHorizonNear: 0x200, rxHorizonNear: 0x400, txHorizonFar: 0x800, rxHorizonFar: 0x1000,
  variabilities: 0x2000, surfaceRefractivity: 0x4000,
} as const

function inPercent(value: number): boolean {
  return value > 0 && value < 100
}

/** The first input that is out of range, in the order of version 1.4; null when all are in. */
export function wrongInput(link: Link, quantile: Quantile): ItmError | null {
  if (!(link.tx_m >= 0.5 && link.tx_m <= 3000)) return 'tx_height'
  if (!(link.rx_m >= 0.5 && link.rx_m <= 3000)) return 'rx_height'
  if (!(Number.isInteger(link.climate) && link.climate >= 1 && link.climate <= 7)) return 'climate'
  if (!(link.refractivity >= 250 && link.refractivity <= 400)) return 'refractivity'
  if (!(link.frequency_mhz >= 20 && link.frequency_mhz <= 20_000)) return 'frequency'
  if (link.polarisation !== 0 && link.polarisation !== 1) return 'polarisation'
  if (!(link.permittivity >= 1)) return 'permittivity'
  if (!(link.conductivity > 0)) return 'conductivity'
  if (!(Number.isInteger(link.variability) && link.variability >= 0 && link.variability <= 33 && link.variability % 10 <= 3)) return 'variability'
  if (quantile.kind === 'cr') return !inPercent(quantile.confidence) ? 'confidence' : !inPercent(quantile.reliability) ? 'reliability' : null
  if (!inPercent(quantile.situation)) return 'situation'
  if (!inPercent(quantile.time)) return 'time'
  return inPercent(quantile.location) ? null : 'location'
}

/** Warnings of the inputs alone. */
export function inputWarnings(link: Link): number {
  let bits = 0
  if (link.tx_m < 1 || link.tx_m > 1000) bits |= warning.txHeight
  if (link.rx_m < 1 || link.rx_m > 1000) bits |= warning.rxHeight
  if (link.frequency_mhz < 40 || link.frequency_mhz > 10_000) bits |= warning.frequency
  return bits
}
