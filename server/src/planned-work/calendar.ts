import { parse } from 'csv-parse/sync'
import { hour_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { plainCode } from '@kawal/core/register/codes.ts'
import { zoneOf, type Zone } from '@kawal/core/register/zone.ts'
import { readTime, tidyAreas, type Announced } from './work.ts'

/** One line of a pasted calendar: what it announces, or why it cannot be read. */
interface CalendarLine {
  readonly line: number
  readonly work: Result<Announced, string>
  /** Whose it is, where a column says so. */
  readonly operator: string | null
}

const calendar_rows_max = 1_000
const title_chars_max = 200
const reason_chars_max = 2_000
const areas_max = 500

/** Canonical column -> the headings that mean it. */
const columns: Readonly<Record<string, readonly string[]>> = {
  title: ['title', 'judul', 'pekerjaan', 'nama'], from: ['from', 'start', 'mulai', 'dari'], to: ['to', 'end', 'selesai', 'sampai'],
  areas: ['areas', 'area', 'wilayah', 'kode', 'kode_wilayah'], reason: ['reason', 'alasan', 'keterangan'], zone: ['zone', 'zona', 'zona_waktu', 'timezone'], operator: ['operator'],
}
const required = ['title', 'from', 'to', 'areas', 'reason'] as const

const offsets_h: Readonly<Record<string, number>> = { wib: 7, wita: 8, wit: 9, 'asia/jakarta': 7, 'asia/makassar': 8, 'asia/jayapura': 9, '+07:00': 7, '+08:00': 8, '+09:00': 9 }
const offsetOfZone: Readonly<Record<Zone, number>> = { 'Asia/Jakarta': 7, 'Asia/Makassar': 8, 'Asia/Jayapura': 9 }

/**
 * Reads a calendar as a spreadsheet gives it: comma, semicolon or tab, English or Indonesian headings, areas parted
 * by spaces, times with an offset or in the local time of the areas.
 * @returns the lines, or what is wrong with the whole of it
 */
export function readCalendar(text: string): Result<readonly CalendarLine[], string> {
  const [head = ''] = text.replace(/^\ufeff/, '').split(/\r?\n/, 1)
  const delimiter = [';', '\t', ','].toSorted((a, b) => head.split(b).length - head.split(a).length)[0] ?? ','
  let records: { record: string[]; info: { lines: number } }[]
  try {
    records = parse(text, { delimiter, bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true, to: calendar_rows_max + 2 }) as unknown as typeof records
  } catch (error) {
    return fail(`It is no CSV: ${(error as Error).message.slice(0, 200)}`)
  }
  const [header, ...rows] = records
  const names = header?.record.map((name) => name.toLowerCase().replace(/\s+/g, '_')) ?? []
  const places = new Map(Object.entries(columns).map(([name, headings]) => [name, names.findIndex((each) => headings.includes(each))]))
  const missing = required.filter((name) => (places.get(name) ?? -1) < 0)
  if (missing.length > 0) return fail(`The first line names the columns, and lacks ${missing.join(', ')}. It takes ${required.join(', ')}, and if wanted zone and operator, parted by commas, semicolons or tabs`)
  if (rows.length > calendar_rows_max) return fail(`More than ${calendar_rows_max} lines: send them in parts`)
  return ok(rows.map(({ record, info }) => {
    const read = (name: string): string => record[places.get(name) ?? -1] ?? ''
    return { line: info.lines, work: workOf(read), operator: read('operator') === '' ? null : read('operator') }
  }))
}

function workOf(read: (column: string) => string): Result<Announced, string> {
  const [title, reason, codes] = [read('title'), read('reason'), read('areas').split(/[\s,;|]+/).filter((code) => code !== '')]
  if (title === '') return fail('it has no title')
  if (reason === '') return fail('it has no reason')
  if (title.length > title_chars_max || reason.length > reason_chars_max) return fail(`a title has at most ${title_chars_max} characters, a reason ${reason_chars_max}`)
  if ([title, reason].some((text) => text.includes('\0') || !text.isWellFormed())) return fail('a text holds U+0000 or half a surrogate pair: leave it out')
  if (codes.length === 0 || codes.length > areas_max) return fail(`it names ${codes.length} areas; it takes 1 to ${areas_max} codes, parted by spaces`)
  const plain = codes.map(plainCode)
  const wrong = codes.filter((_, at) => ![2, 4, 6, 10, 13].includes(plain[at]?.length ?? 0))
  if (wrong.length > 0) return fail(`${wrong.slice(0, 5).join(', ')} is no code of an area (2, 4, 6 or 10 digits) or of a polling station (13)`)
  const areas = tidyAreas(plain.filter((code) => code !== null))
  const offset_h = offsetOf(read('zone'), areas)
  const from = timeOf('from', read('from'), offset_h)
  if (!from.ok) return from
  const to = timeOf('to', read('to'), offset_h)
  return to.ok ? ok({ title, reason, areas, from: from.value, to: to.value }) : to
}

/** The offset of times without one: the column's, else the one that all areas share; null where neither is known. */
function offsetOf(zone: string, areas: readonly string[]): number | null {
  if (zone !== '') return offsets_h[zone.toLowerCase()] ?? null
  const found = new Set(areas.map((code) => zoneOf(code)))
  const [only] = found
  return found.size === 1 && only !== undefined && only !== null ? offsetOfZone[only] : null
}

/** An instant, or a local time as spreadsheets write it: 2029-02-14 01:00, 14/02/2029 01.00. */
function timeOf(name: string, text: string, offset_h: number | null): Result<Instant, string> {
  const iso = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?$/.exec(text)
  const day_first = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})[ T](\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?$/.exec(text)
  const parts = iso?.slice(1, 7) ?? (day_first === null ? null : [day_first[3], day_first[2], day_first[1], ...day_first.slice(4, 7)])
  if (parts === null) return /[Zz]$|[+-]\d{2}:?\d{2}$/.test(text) ? readTime(name, text) : fail(`${name} "${text}" is no time: write 2029-02-14 01:00 for local time, or 2029-02-14T01:00:00+07:00`)
  if (offset_h === null) return fail(`${name} ${text} has no time zone, and its areas do not share one: add a column zone with WIB, WITA or WIT, or write +07:00 behind the time`)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? 0))
  const local = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(local)
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return fail(`${name} ${text} is no time of any day`)
  return ok(local - offset_h * hour_ms)
}
