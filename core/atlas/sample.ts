import { radioFault } from '../measurement/validate.ts'
import { calendarDate, decimal, type Read } from '../register/rows.ts'
import { rejectOf, warnOf, type ClaimIssue } from './claim.ts'
import type { Technology } from './edition.ts'
import { readPosition, technologyOf } from './site.ts'

/** Canonical column -> the headings that mean it, lower case. */
export const sampleColumns: Readonly<Record<string, readonly string[]>> = {
  operator: ['operator', 'operator_id', 'organisation', 'plmn', 'mccmnc', 'mcc_mnc', 'network_operator'],
  technology: ['technology', 'tech', 'radio', 'rat', 'network_type', 'teknologi'],
  lat: ['lat', 'latitude', 'lintang', 'y'], lon: ['lon', 'lng', 'long', 'longitude', 'bujur', 'x'],
  at: ['at', 'time', 'timestamp', 'datetime', 'waktu', 'measured_at'], device: ['device', 'device_id', 'imei', 'perangkat'],
  rsrp_dbm: ['rsrp_dbm', 'rsrp', 'ss_rsrp', 'nr_ss_rsrp'], rssi_dbm: ['rssi_dbm', 'rssi', 'rxlev', 'rscp'],
  usable: ['usable', 'upload_ok', 'upload', 'success'],
}

export interface Sample {
  /** As written: an organisation or a code of MCC and MNC. */
  readonly operator: string
  readonly technology: Technology
  readonly latitude: number
  readonly longitude: number
  /** RFC 3339, or a day. */
  readonly at: string
  readonly device: string
  readonly rsrp_dbm: number | null
  readonly rssi_dbm: number | null
  readonly usable: boolean | null
}

interface ReadSample {
  readonly sample: Sample | null
  readonly issues: readonly ClaimIssue[]
}

const yes = /^(1|true|t|yes|ya|y|ok)$/i
const no = /^(0|false|f|no|tidak|n|gagal|fail)$/i
/** RFC 3339 with its offset; a space for the T, as databases write it. */
const instant = /^\d{4}-\d{2}-\d{2}[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)$/i

/**
 * Reads one row of measured samples. A value that its technology cannot have is a fault of whoever read it:
 * the row is not taken, nothing is clamped.
 */
export function parseSample(read: Read): ReadSample {
  const refuse = (issue: ClaimIssue): ReadSample => ({ sample: null, issues: [issue] })
  const technology = technologyOf(read('technology'))
  if (technology === null || technology === 'fixed') return refuse(rejectOf('unknown_technology', read('technology')))
  const position = readPosition(read, false)
  if ('reason' in position) return refuse(position)
  const at = read('at').trim()
  if (!instant.test(at) || calendarDate(at.slice(0, 10)) === null) return refuse(rejectOf('bad_date', `${at}: write an ISO time with its offset`))
  const texts = [read('rsrp_dbm').trim(), read('rssi_dbm').trim()].map((text) => (/^(null|nan|none|-)$/i.test(text) ? '' : text))
  const [rsrp_dbm = null, rssi_dbm = null] = texts.map(decimal)
  for (const [i, value] of [rsrp_dbm, rssi_dbm].entries()) if (value === null && texts[i] !== '') return refuse(rejectOf('bad_number', texts[i] ?? ''))
  const fault = radioFault(technology, { rsrpDbm: rsrp_dbm, rssiDbm: rssi_dbm })
  if (fault !== null) return refuse(rejectOf('bad_radio', fault))
  const issues: ClaimIssue[] = []
  const said = read('usable').trim()
  const usable = yes.test(said) ? true : no.test(said) ? false : null
  if (usable === null && said !== '' && !/^null$/i.test(said)) issues.push(warnOf('bad_number', `usable ${said}`))
  if (rsrp_dbm === null && rssi_dbm === null && usable === null) return refuse(rejectOf('no_value'))
  return { sample: { operator: read('operator').trim(), technology, latitude: position.latitude, longitude: position.longitude, at, device: read('device').trim(), rsrp_dbm, rssi_dbm, usable }, issues }
}
