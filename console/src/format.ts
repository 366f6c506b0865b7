import { zoneOf } from '@kawal/core/register/zone.ts'
import type { Language } from './view.ts'

const locales: Record<Language, string> = { id: 'id-ID', en: 'en-GB' }

export function number(value: number, language: Language, digits = 0): string {
  return value.toLocaleString(locales[language], { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** A share 0..1 as a percentage with one decimal. */
export function percent(share: number, language: Language): string {
  return `${number(share * 100, language, 1)} %`
}

/** A share 0..1 in whole percent; what is neither none nor all never reads as such. */
export function share(of: number, language: Language): string {
  if (of > 0 && of < 0.005) return '< 1 %'
  if (of < 1 && of >= 0.995) return '> 99 %'
  return `${number(of * 100, language)} %`
}

/** "3,4 MB", from 1 KB on. @param bytes of a file */
export function sizeText(bytes: number, language: Language): string {
  return bytes < 1_000_000 ? `${number(Math.max(1, Math.round(bytes / 1_000)), language)} KB` : `${number(bytes / 1_000_000, language, 1)} MB`
}

const zones = { WIB: 'Asia/Jakarta', WITA: 'Asia/Makassar', WIT: 'Asia/Jayapura' } as const

/** The people's name of the zone that a region's or a station's code lies in. */
function zoneName(code: string): keyof typeof zones {
  const zone = zoneOf(code)
  return zone === 'Asia/Jayapura' ? 'WIT' : zone === 'Asia/Makassar' ? 'WITA' : 'WIB'
}

const clocks = Object.fromEntries(Object.entries(zones).map(([zone, timeZone]) => [
  zone,
  new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit' }),
])) as Record<keyof typeof zones, Intl.DateTimeFormat>

/** "14.02.31 WIB" @param at ms */
export function timeWib(at: number): string {
  return `${clocks.WIB.format(at).replaceAll(':', '.')} WIB`
}

/** Local time of the place, WIB beside it where they differ: "15.02 WITA (14.02 WIB)". */
export function timeAt(at: number, code: string): string {
  const minute = (zone: keyof typeof zones): string => `${clocks[zone].format(at).slice(0, 5).replace(':', '.')} ${zone}`
  const zone = zoneName(code)
  return zone === 'WIB' ? minute('WIB') : `${minute(zone)} (${minute('WIB')})`
}

/** "1:04:09", negative when past. @param remainingMs may be negative */
export function countdown(remainingMs: number): string {
  const total = Math.floor(Math.abs(remainingMs) / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${remainingMs < 0 ? '-' : ''}${Math.floor(total / 3600)}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`
}

/** Minutes as people say them; hours from two on. @param words of the language */
export function span(minutes: number, language: Language, words: { minutes(count: string): string; hoursMinutes(hours: string, minutes: string): string }): string {
  return minutes < 120 ? words.minutes(number(minutes, language)) : words.hoursMinutes(number(Math.floor(minutes / 60), language), number(minutes % 60, language))
}

/** Organisation ids are lower-case words; these are the names people use. */
const operators: Record<string, string> = {
  telkomsel: 'Telkomsel', indosat: 'Indosat Ooredoo Hutchison', xl: 'XL Axiata', smartfren: 'Smartfren', xlsmart: 'XLSmart',
  kawal: 'Kawal Sinyal', komdigi: 'Komdigi', kpu: 'KPU', bawaslu: 'Bawaslu', apjii: 'APJII', bakti: 'BAKTI',
}
/** Those that a ticket may be transferred to and that are known by name; ISPs have ids of their own. */
export const organisations: readonly string[] = Object.keys(operators).filter((id) => id !== 'kawal')
export function operatorName(id: string): string {
  return operators[id] ?? id
}

/** Station code as people say it: village code and number. */
export function stationName(code: string): string {
  return `TPS ${code.slice(10)} / ${code.slice(0, 10)}`
}

/** RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8; formula starters are defused. */
export function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number): string => {
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return `\ufeff${[header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}

const dates = Object.fromEntries(Object.entries(locales).map(([language, locale]) => [
  language,
  new Intl.DateTimeFormat(locale, { timeZone: 'Asia/Jakarta', day: 'numeric', month: 'short', year: 'numeric' }),
])) as Record<Language, Intl.DateTimeFormat>

/** "25 Nov 2026" @param date YYYY-MM-DD */
export function dayText(date: string, language: Language): string {
  return dates[language].format(Date.parse(`${date}T12:00:00+07:00`))
}

/** "25 Nov 2026, 14.02 WIB" @param at ms */
export function dateTimeWib(at: number, language: Language): string {
  return `${dates[language].format(at)}, ${clocks.WIB.format(at).slice(0, 5).replace(':', '.')} WIB`
}

/** The calendar day in WIB, YYYY-MM-DD. @param at ms */
export function dayOf(at: number): string {
  return new Date(at + 7 * 3_600_000).toISOString().slice(0, 10)
}
