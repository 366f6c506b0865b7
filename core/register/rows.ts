import { insideIndonesiasFrame } from '../geo/distance.ts'
import { levelOf, levels, parentOf, parseStationCode, plainCode, special_number_min, station_number_max, type Level } from './codes.ts'
import { reject, warn, type Issue } from './issue.ts'
import { zoneOf } from './zone.ts'

/** Reads a record's column by its canonical name; '' when the file has no such column. */
export type Read = (column: string) => string

/** A row taken, or null when it was rejected; the issues say why, or what is odd. */
export interface Parsed<Row> {
  readonly row: Row | null
  /** As written, for the list of issues. */
  readonly code: string
  readonly issues: readonly Issue[]
}

/** Values in the order of the stage table's columns after file and line. */
export type Values = readonly (string | number | null)[]

function rejected(code: string, issue: Issue): Parsed<never> {
  return { row: null, code, issues: [issue] }
}

/** A finite decimal number, with a comma or a point; null when it is anything else. */
export function decimal(text: string): number | null {
  const trimmed = text.trim()
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d{1,2})?$/i.test(trimmed)) return null
  const value = Number(trimmed.replace(',', '.'))
  return Number.isFinite(value) ? value : null
}

/** A whole number of at most six digits; null when it is anything else. */
function whole(text: string): number | null {
  return /^\d{1,6}$/.test(text.trim()) ? Number(text) : null
}

/** A position or none: what is impossible is not taken, and never moved to what is possible. */
function position(read: Read, issues: Issue[]): [number, number] | [null, null] {
  const texts = [read('lat').trim(), read('lon').trim()] as const
  if (texts[0] === '' && texts[1] === '') return [null, null]
  const latitude = decimal(texts[0])
  const longitude = decimal(texts[1])
  if (latitude === null || longitude === null) {
    issues.push(warn('bad_number', `position ${texts[0]} ${texts[1]}`))
    return [null, null]
  }
  if (insideIndonesiasFrame({ latitude, longitude })) return [latitude, longitude]
  const swapped = insideIndonesiasFrame({ latitude: longitude, longitude: latitude })
  issues.push(warn('position_out_of_range', `${texts[0]} ${texts[1]}${swapped ? ' (latitude and longitude look swapped)' : ''}`))
  return [null, null]
}

/** code, level, name, parent */
export function parseRegion(read: Read): Parsed<Values> {
  const written = read('code')
  const code = plainCode(written)
  const level = code === null ? null : levelOf(code)
  if (code === null || level === null) return rejected(written, reject('bad_code', written))
  const saidLevel = read('level').trim().toLowerCase()
  if (saidLevel !== level || !levels.includes(saidLevel as Level)) return rejected(code, reject('bad_level', `${read('level')} for ${code}`))
  const issues: Issue[] = []
  const name = read('name').trim()
  if (name === '') issues.push(warn('missing_name'))
  const saidParent = read('parent').trim()
  const parent = parentOf(code)
  if (saidParent !== '' && plainCode(saidParent) !== parent) return rejected(code, reject('unknown_parent', `${saidParent}, and the code's own is ${parent ?? 'none'}`))
  return { row: [code, level, name, parent], code, issues }
}

const oddPositions: Readonly<Record<string, 'position_by_name' | 'position_outside_polygon'>> = {
  name_match: 'position_by_name',
  outside_polygon: 'position_outside_polygon',
}

/** code, latitude, longitude, position_source, area_km2, landmass, regular, special_from, special_to, zone */
export function parseVillage(read: Read): Parsed<Values> {
  const written = read('code')
  const code = plainCode(written)
  if (code === null || levelOf(code) !== 'village') return rejected(written, reject('bad_code', written))
  const zone = zoneOf(code)
  if (zone === null) return rejected(code, reject('no_zone', code.slice(0, 2)))
  const issues: Issue[] = []
  const regularText = read('regular').trim()
  const regular = regularText === '' ? 0 : whole(regularText)
  if (regular === null || regular >= special_number_min) return rejected(code, reject('bad_number', `stations ${regularText}`))
  const special = specials(read, issues)
  if (special === null) return rejected(code, reject('bad_number', `special stations ${read('special_from')}..${read('special_to')}`))
  const [latitude, longitude] = position(read, issues)
  if (latitude === null) issues.push(warn('position_unknown'))
  const source = read('position').trim()
  const odd = oddPositions[source]
  if (odd !== undefined && latitude !== null) issues.push(warn(odd, `${latitude} ${longitude}`))
  const areaText = read('area_km2').trim()
  const area = areaText === '' ? null : decimal(areaText)
  if (areaText !== '' && (area === null || area < 0)) issues.push(warn('bad_number', `area ${areaText}`))
  const row = [code, latitude, longitude, source || null, area !== null && area >= 0 ? area : null, read('landmass').trim() || null, regular, ...special, zone]
  return { row, code, issues }
}

function specials(read: Read, issues: Issue[]): [number, number] | [null, null] | null {
  const texts = [read('special_from').trim(), read('special_to').trim()] as const
  if (texts[0] === '' && texts[1] === '') return [null, null]
  const from = whole(texts[0])
  const to = whole(texts[1] === '' ? texts[0] : texts[1])
  if (from === null || to === null || from < special_number_min || to < from || to > station_number_max) return null
  issues.push(warn('special_stations', from === to ? String(from) : `${from}-${to}`))
  return [from, to]
}

const grades = ['fix', 'venue', 'village']

/** code, latitude, longitude, position_grade, voters, zone */
export function parseStation(read: Read): Parsed<Values> {
  const written = read('code')
  const station = parseStationCode(written)
  const code = plainCode(written)
  if (station === null || code === null) return rejected(written, reject('bad_code', written))
  const zone = zoneOf(code)
  if (zone === null) return rejected(code, reject('no_zone', code.slice(0, 2)))
  const issues: Issue[] = []
  const [latitude, longitude] = position(read, issues)
  const said = read('grade').trim().toLowerCase()
  if (said !== '' && !grades.includes(said)) issues.push(warn('bad_kind', `grade ${said}, taken as fix`))
  const grade = grades.includes(said) ? said : 'fix'
  const votersText = read('voters').trim()
  const voters = votersText === '' ? null : whole(votersText)
  if (votersText !== '' && voters === null) issues.push(warn('bad_number', `voters ${votersText}`))
  return { row: [code, latitude, longitude, latitude === null ? null : grade, voters, zone], code, issues }
}

/** A village's code where one is written; what is no village's code is said and left out. */
function villageOf(read: Read, issues: Issue[]): string | null {
  const text = read('village').trim()
  if (text === '') return null
  const code = plainCode(text)
  if (code !== null && levelOf(code) === 'village') return code
  issues.push(warn('bad_code', `village ${text}`))
  return null
}

/** id, kind, name, latitude, longitude, village_code */
export function parseVenue(read: Read): Parsed<Values> {
  const id = read('id').trim()
  if (id === '') return rejected(id, reject('bad_code', 'no identifier'))
  const issues: Issue[] = []
  const name = read('name').trim()
  if (name === '') issues.push(warn('missing_name'))
  const [latitude, longitude] = position(read, issues)
  if (latitude === null && issues.every((issue) => issue.reason === 'missing_name')) issues.push(warn('position_unknown'))
  const village = villageOf(read, issues)
  return { row: [id, read('form').trim() || 'venue', name, latitude, longitude, village], code: id, issues }
}

/** A calendar date YYYY-MM-DD; '' is none. */
export function calendarDate(text: string): string | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim())
  if (match === null) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return day >= 1 && day <= days ? match[0] : null
}

/** plmn, organisation_id, name, valid_from, valid_to; valid_from null is the import's own date */
export function parseOperator(read: Read): Parsed<Values> {
  const plmn = read('plmn').trim().replace('-', '')
  if (!/^\d{5,6}$/.test(plmn)) return rejected(plmn, reject('bad_code', `PLMN ${read('plmn')}`))
  const organisation = organisationId(read('organisation'))
  if (organisation === '') return rejected(plmn, reject('missing_name', 'no organisation'))
  const texts = [read('valid_from').trim(), read('valid_to').trim()] as const
  const dates = texts.map((text) => (text === '' ? null : calendarDate(text)))
  const wrong = texts.find((text, index) => text !== '' && dates[index] === null)
  if (wrong !== undefined) return rejected(plmn, reject('bad_date', wrong))
  const [from = null, to = null] = dates
  if (from !== null && to !== null && to <= from) return rejected(plmn, reject('bad_date', `${from} to ${to}`))
  return { row: [plmn, organisation, read('name').trim() || read('organisation').trim(), from, to], code: plmn, issues: [] }
}

/** Lower case, words joined by hyphens: "PT Maju Net" becomes "pt-maju-net". */
function organisationId(text: string): string {
  return text.trim().toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')
}

/**
 * organisation_id, name, prefix, asn: an organisation with its network's number, an address block with the
 * number it is announced by, or both in one row. The organisation is null for a block alone.
 */
export function parseIsp(read: Read): Parsed<Values> {
  const organisation = organisationId(read('organisation') || read('name'))
  const prefix = read('prefix').trim()
  if (organisation === '' && (prefix === '' || read('asn').trim() === '')) return rejected(prefix, reject('missing_name', 'no organisation, and no address block with its AS number'))
  if (prefix !== '' && !isNetwork(prefix)) return rejected(organisation, reject('bad_network', prefix))
  const asnText = read('asn').trim().replace(/^AS/i, '')
  const asn = /^\d{1,10}$/.test(asnText) && Number(asnText) <= 4294967295 ? Number(asnText) : null
  if (asnText !== '' && asn === null) return rejected(organisation, reject('bad_network', `AS ${asnText}`))
  return { row: [organisation || null, read('name').trim() || read('organisation').trim() || null, prefix || null, asn], code: organisation || prefix, issues: [] }
}

/** An IPv4 block with no host bits set, or an IPv6 block by its form (the database has the last word). */
export function isNetwork(text: string): boolean {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text)
  if (v4 !== null) {
    const bytes = v4.slice(1, 5).map(Number)
    const length = Number(v4[5])
    if (bytes.some((byte) => byte > 255) || length > 32) return false
    const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
    return address % 2 ** (32 - length) === 0
  }
  return isNetwork6(text)
}

function isNetwork6(text: string): boolean {
  const v6 = /^([0-9a-f:]+)\/(\d{1,3})$/i.exec(text)
  const address = v6?.[1] ?? ''
  const length = Number(v6?.[2])
  if (v6 === null || length > 128 || (address.match(/::/g)?.length ?? 0) > 1 || address.includes(':::')) return false
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  if (tail === undefined ? left.length !== 8 : left.length + right.length > 7) return false
  if ([...left, ...right].some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return false
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  const bits = groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
  return !bits.slice(length).includes('1')
}

const accessKinds: readonly (readonly [RegExp, string])[] = [
  [/satria|satel/, 'satellite'],
  [/bts|4g/, 'bts'],
  [/^ai$|akses|internet|\bai\b/, 'ai'],
]

export function accessKind(text: string): string | null {
  return accessKinds.find(([pattern]) => pattern.test(text.toLowerCase()))?.[1] ?? null
}

/** id, kind, name, latitude, longitude, village_code, source */
export function parseAccess(read: Read, fileName: string): Parsed<Values> {
  const id = read('id').trim()
  if (id === '') return rejected(id, reject('bad_code', 'no identifier'))
  const said = read('kind').trim()
  const kind = accessKind(said === '' ? fileName : said)
  if (kind === null) return rejected(id, reject('bad_kind', said || fileName))
  const issues: Issue[] = []
  const [latitude, longitude] = position(read, issues)
  if (latitude === null && issues.length === 0) issues.push(warn('position_unknown'))
  const village = villageOf(read, issues)
  return { row: [id, kind, read('name').trim() || id, latitude, longitude, village, fileName], code: id, issues }
}
