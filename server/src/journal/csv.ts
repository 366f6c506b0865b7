import type { StoredReport } from './read.ts'

/** The fields of a report as a table: of the sample as the phone sent it, and of what was added when it came. Empty is unknown. */
const fields: readonly (readonly [string, (report: StoredReport) => unknown])[] = [
  ['station', ({ station }) => station], ['device', ({ device }) => device], ['sequence', ({ sequence }) => sequence], ['received_at', ({ receivedAt }) => new Date(receivedAt).toISOString()],
  ['event_at', ({ sample }) => sample.eventAt], ['clock_offset_ms', ({ offset_ms }) => offset_ms], ['operator', ({ operator }) => operator], ['sim_operator', ({ sim }) => sim], ['network_operator', ({ network }) => network],
  ['sim', ({ sample }) => sample.sim], ['access', ({ sample }) => sample.access], ['access_point', ({ sample }) => sample.accessPoint], ['technology', ({ sample }) => sample.technology],
  ['radio_source', ({ sample }) => sample.radio?.source], ['radio_age_ms', ({ sample }) => sample.radio?.ageMs], ['rsrp_dbm', ({ sample }) => sample.radio?.rsrpDbm], ['rsrq_db', ({ sample }) => sample.radio?.rsrqDb],
  ['sinr_db', ({ sample }) => sample.radio?.sinrDb], ['rssi_dbm', ({ sample }) => sample.radio?.rssiDbm], ['bars', ({ sample }) => sample.radio?.bars],
  ['rtt_ms', ({ sample }) => sample.rttMs.join(' ')], ['timeouts', ({ sample }) => sample.timeouts], ['down_kbps', ({ sample }) => sample.downKbps], ['up_kbps', ({ sample }) => sample.upKbps],
  ['reach_internet', ({ sample }) => sample.reach.internet], ['reach_election', ({ sample }) => sample.reach.election], ['reach_platform', ({ sample }) => sample.reach.platform], ['charging', ({ sample }) => sample.charging], ['next_due_at', ({ sample }) => sample.nextDueAt],
]

export const csvHead = fields.map(([name]) => name).join(',')

/** One report as a line of RFC 4180, without its end. */
export const csvLine = (report: StoredReport): string => fields.map(([, of]) => quoted(of(report))).join(',')

function quoted(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
