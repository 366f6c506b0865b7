import { insideIndonesiasFrame } from '../geo/distance.ts'
import { rfc3339, second_ms } from '../kernel/clock.ts'
import { calendarDate, decimal, type Read } from '../register/rows.ts'
import { rejectOf, warnOf, type ClaimIssue } from './claim.ts'
import type { Technology } from './edition.ts'

/** What files call the technologies. */
const radioNames: Readonly<Record<string, Technology>> = {
  gsm: 'gsm', '2g': 'gsm', edge: 'gsm', gprs: 'gsm', umts: 'umts', '3g': 'umts', wcdma: 'umts', hspa: 'umts',
  lte: 'lte', '4g': 'lte', 'lte-a': 'lte', nr: 'nr', '5g': 'nr', 'nr-nsa': 'nr', 'nr-sa': 'nr', fixed: 'fixed', ftth: 'fixed', fiber: 'fixed', fibre: 'fixed',
}

/** null for a name that no technology has. */
export function technologyOf(text: string): Technology | null {
  return radioNames[text.trim().toLowerCase()] ?? null
}

/** Canonical column -> the headings that mean it, lower case. OpenCelliD's come first. */
export const siteColumns: Readonly<Record<string, readonly string[]>> = {
  radio: ['radio', 'technology', 'tech', 'rat', 'teknologi'], mcc: ['mcc'], net: ['net', 'mnc'], plmn: ['plmn', 'mccmnc', 'mcc_mnc'],
  area: ['area', 'lac', 'tac'], cell: ['cell', 'cid', 'ci', 'eci', 'nci', 'cell_id', 'cellid'], unit: ['unit', 'pci', 'psc'],
  lon: ['lon', 'lng', 'long', 'longitude', 'bujur', 'x'], lat: ['lat', 'latitude', 'lintang', 'y'],
  range: ['range', 'range_m'], samples: ['samples'], updated: ['updated', 'updated_on'],
  height_m: ['height_m', 'height', 'antenna_height', 'tinggi'], azimuth_deg: ['azimuth_deg', 'azimuth', 'azimut'], beamwidth_deg: ['beamwidth_deg', 'beamwidth', 'hbw'],
  eirp_dbm: ['eirp_dbm', 'eirp'], frequency_mhz: ['frequency_mhz', 'frequency', 'freq', 'frekuensi'], radius_m: ['radius_m', 'radius'],
}

/** OpenCelliD's dump of one country has no header: the columns stand in this order. */
export const openCellId = ['radio', 'mcc', 'net', 'area', 'cell', 'unit', 'lon', 'lat', 'range', 'samples', 'changeable', 'created', 'updated', 'averageSignal'] as const

type NumberColumn = 'area' | 'cell' | 'unit' | 'height_m' | 'azimuth_deg' | 'beamwidth_deg' | 'eirp_dbm' | 'frequency_mhz' | 'range' | 'samples'

/**
 * What a number may be. Identities: 3GPP TS 23.003, 36 bits of the largest cell identity (NCI). The rest are
 * ours, wide of what is built: masts to 350 m, EIRP to 90 dBm, bands from 400 MHz to 71 GHz (TS 38.104).
 */
const ranges: Readonly<Record<NumberColumn, readonly [number, number]>> = {
  area: [0, 2 ** 24 - 1], cell: [0, 2 ** 36 - 1], unit: [-1, 1007], height_m: [0, 350], azimuth_deg: [0, 360], beamwidth_deg: [0.1, 360],
  eirp_dbm: [-30, 90], frequency_mhz: [400, 71_000], range: [0, 200_000], samples: [0, 2 ** 31 - 1],
}
const whole: ReadonlySet<NumberColumn> = new Set(['area', 'cell', 'unit', 'samples'])

export interface Site {
  readonly technology: Technology
  /** MCC and MNC in digits, the MNC with at least two; null when the file gives none. */
  readonly plmn: string | null
  readonly latitude: number
  readonly longitude: number
  readonly numbers: Readonly<Record<NumberColumn, number | null>>
  /** YYYY-MM-DD */
  readonly updated_on: string | null
}

interface ReadSite {
  readonly site: Site | null
  readonly issues: readonly ClaimIssue[]
}

/**
 * Reads one row of a list of sites.
 * @param asked the technology of rows that name none
 * @param swap_axes take latitude for longitude where only that lies in Indonesia
 */
export function parseSite(read: Read, asked: Technology | null, swap_axes: boolean): ReadSite {
  const issues: ClaimIssue[] = []
  const refuse = (issue: ClaimIssue): ReadSite => ({ site: null, issues: [issue] })
  const radio = read('radio')
  const technology = radio.trim() === '' ? asked : technologyOf(radio)
  if (technology === null || (technology === 'fixed' && asked !== 'fixed')) return refuse(rejectOf('unknown_technology', radio))
  if (asked !== null && technology !== asked) return refuse(rejectOf('other_technology', radio))
  const position = readPosition(read, swap_axes)
  if ('reason' in position) return refuse(position)
  if (position.swapped) issues.push(warnOf('swapped_axes', 'turned round'))
  const numbers = Object.fromEntries(Object.keys(ranges).map((name) => [name, number(read, name as NumberColumn, issues)])) as Record<NumberColumn, number | null>
  return { site: { technology, plmn: plmnOf(read, issues), latitude: position.latitude, longitude: position.longitude, numbers, updated_on: dayOf(read('updated'), issues) }, issues }
}

/** A row's position in Indonesia, or what is wrong with it. */
export function readPosition(read: Read, swap_axes: boolean): { latitude: number; longitude: number; swapped: boolean } | ClaimIssue {
  const latitude = decimal(read('lat'))
  const longitude = decimal(read('lon'))
  const written = `${read('lat')} ${read('lon')}`
  if (latitude === null || longitude === null) return rejectOf('bad_position', written)
  if (insideIndonesiasFrame({ latitude, longitude })) return { latitude, longitude, swapped: false }
  if (insideIndonesiasFrame({ latitude: longitude, longitude: latitude })) return swap_axes ? { latitude: longitude, longitude: latitude, swapped: true } : rejectOf('swapped_axes', `${written}: mend the columns, or import with --swap-axes`)
  return Math.abs(latitude) > 90 || Math.abs(longitude) > 360 ? rejectOf('not_degrees', written) : rejectOf('outside_frame', written)
}

function number(read: Read, name: NumberColumn, issues: ClaimIssue[]): number | null {
  const text = read(name).trim()
  if (text === '') return null
  const value = decimal(text)
  const [low, high] = ranges[name]
  if (value !== null && value >= low && value <= high && (!whole.has(name) || Number.isInteger(value))) return value
  issues.push(warnOf('bad_number', `${name} ${text}`))
  return null
}

function plmnOf(read: Read, issues: ClaimIssue[]): string | null {
  const whole = read('plmn').trim().replace(/[-. ]/, '')
  const parts = whole === '' ? `${read('mcc').trim()}${read('net').trim().padStart(2, '0')}` : whole
  if (whole === '' && read('mcc').trim() === '') return null
  if (/^\d{5,6}$/.test(parts)) return parts
  issues.push(warnOf('bad_number', `operator code ${parts}`))
  return null
}

/** Of a day or time, written as a date or as seconds since 1970 (OpenCelliD), the day in UTC. */
function dayOf(text: string, issues: ClaimIssue[]): string | null {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '0') return null
  const day = /^\d{9,10}$/.test(trimmed) ? rfc3339(Number(trimmed) * second_ms).slice(0, 10) : calendarDate(trimmed.slice(0, 10))
  if (day === null) issues.push(warnOf('bad_date', trimmed))
  return day
}
