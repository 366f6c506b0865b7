/**
 * What a modem answers to AT commands, as values. Clauses are of 3GPP TS 27.007 (V17); a modem's echo, blank
 * lines, OK and unsolicited lines around the answer do not disturb. Nothing throws: what is not understood, or
 * lies outside the table of the clause, is null.
 */
export type Technology = 'gsm' | 'umts' | 'lte' | 'nr'

/**
 * An index at the end of its table says only that the value lies beyond it: 0 is "below -140 dBm", not -141.
 * The number beside it is the table's own formula (what ModemManager reports), and no measurement.
 */
export type Censored<Name extends string> = { readonly [name in Name]?: 'below' | 'above' }

interface Table {
  readonly last: number
  readonly first_value: number
  readonly step: number
}

/** Index N stands for the step that begins at this value; 8.5 and 8.69, where the tables of TS 45.008, 25.133, 36.133, 38.133 are repeated. */
const tables = {
  csqRssiDbm: { last: 31, first_value: -113, step: 2 },
  rssiDbm: { last: 63, first_value: -111, step: 1 },
  rscpDbm: { last: 96, first_value: -121, step: 1 },
  ecioDb: { last: 49, first_value: -24.5, step: 0.5 },
  rsrqDb: { last: 34, first_value: -20, step: 0.5 },
  rsrpDbm: { last: 97, first_value: -141, step: 1 },
  ssRsrqDb: { last: 127, first_value: -43.5, step: 0.5 },
  ssRsrpDbm: { last: 126, first_value: -157, step: 1 },
  ssSinrDb: { last: 127, first_value: -23.5, step: 0.5 },
} as const satisfies Readonly<Record<string, Table>>

/** The order of the parameters; <ber> stands second and has no table. 5G's three came with Release 15. */
const cesq_order = ['rssiDbm', null, 'rscpDbm', 'ecioDb', 'rsrqDb', 'rsrpDbm', 'ssRsrqDb', 'ssRsrpDbm', 'ssSinrDb'] as const
type CesqName = NonNullable<(typeof cesq_order)[number]>

interface Csq {
  /** Of whatever network serves; in LTE and NR it is a modem's own estimate. */
  readonly rssiDbm: number | null
  readonly censored: Censored<'rssiDbm'>
}

type Cesq = { readonly [name in CesqName]: number | null } & { readonly censored: Censored<CesqName> }

/** +CSQ, clause 8.5. @returns null when there is no such answer in the text, an error for instance */
export function parseCsq(text: string): Csq | null {
  const fields = answer(text, 'CSQ')
  if (fields === null) return null
  const read = lookUp(tables.csqRssiDbm, fields[0])
  return { rssiDbm: read.value, censored: read.end === null ? {} : { rssiDbm: read.end } }
}

/**
 * +CESQ, clause 8.69: six indices, nine where the modem knows 5G. 99 and 255 are "not known". What is not there
 * is null, also where a modem answered before: an old value is no value.
 * @returns null when there is no such answer in the text
 */
export function parseCesq(text: string): Cesq | null {
  const fields = answer(text, 'CESQ')
  if (fields === null || fields.length < 6) return null
  const values: Record<CesqName, number | null> = { rssiDbm: null, rscpDbm: null, ecioDb: null, rsrqDb: null, rsrpDbm: null, ssRsrqDb: null, ssRsrpDbm: null, ssSinrDb: null }
  const censored: { -readonly [name in CesqName]?: 'below' | 'above' } = {}
  for (const [index, name] of cesq_order.entries()) {
    if (name === null) continue
    const read = lookUp(tables[name], fields[index])
    values[name] = read.value
    if (read.end !== null) censored[name] = read.end
  }
  return { ...values, censored }
}

/** `<AcT>` of clauses 7.3 and 10.1.22; 13 is LTE with NR beside it (EN-DC): registered in LTE. */
const technologies: Readonly<Record<string, Technology>> = { 0: 'gsm', 1: 'gsm', 3: 'gsm', 8: 'gsm', 2: 'umts', 4: 'umts', 5: 'umts', 6: 'umts', 7: 'lte', 9: 'lte', 10: 'lte', 13: 'lte', 11: 'nr', 12: 'nr' }

interface Cops {
  /** MCC and MNC of the network; null unless it is told as a number (`AT+COPS=3,2` asks for that). */
  readonly plmn: string | null
  readonly technology: Technology | null
}

/** +COPS?, clause 7.3. @returns null when there is no such answer in the text */
export function parseCops(text: string): Cops | null {
  const fields = answer(text, 'COPS')
  if (fields === null) return null
  const plmn = unquote(fields[2])
  return { plmn: fields[1] === '2' && /^[0-9]{5,6}$/.test(plmn) ? plmn : null, technology: technologies[fields[3] ?? ''] ?? null }
}

interface Registration {
  readonly registered: boolean | null
  /** Tracking area in LTE and NR, location area else. */
  readonly area: number | null
  readonly cellId: number | null
  readonly technology: Technology | null
}

/** +CREG?, +CGREG?, +CEREG?, +C5GREG?: clauses 7.2, 10.1.20, 10.1.22, 10.1.47. @returns null when there is no such answer in the text */
export function parseRegistration(text: string): Registration | null {
  const fields = answer(text, '(?:C5G|CE|CG|C)REG')
  if (fields === null) return null
  // an answer to a question begins with <n>, which an unsolicited line lacks
  const [status, area, cell, technology] = /^[0-9]$/.test(fields[1] ?? '') ? fields.slice(1) : fields
  const known = /^[0-9]{1,2}$/.test(status ?? '')
  return { registered: known ? status === '1' || status === '5' : null, area: hex(area), cellId: hex(cell), technology: technologies[technology ?? ''] ?? null }
}

/** The fields of the last line that answers the command, so that a line left over from before does not stand for it. */
function answer(text: string, command: string): string[] | null {
  const found = [...text.matchAll(new RegExp(`^\\s*\\+${command}:([^\\r\\n]{0,200})`, 'gim'))].at(-1)
  return found?.[1] === undefined ? null : found[1].split(',').map((field) => field.trim())
}

function lookUp(table: Table, field: string | undefined): { readonly value: number | null; readonly end: 'below' | 'above' | null } {
  const index = /^[0-9]{1,3}$/.test(field ?? '') ? Number(field) : NaN
  if (!(index <= table.last)) return { value: null, end: null }
  return { value: table.first_value + index * table.step, end: index === 0 ? 'below' : index === table.last ? 'above' : null }
}

const unquote = (field: string | undefined): string => (field ?? '').replaceAll('"', '')

function hex(field: string | undefined): number | null {
  const digits = unquote(field)
  return /^[0-9a-f]{1,9}$/i.test(digits) ? Number.parseInt(digits, 16) : null
}
