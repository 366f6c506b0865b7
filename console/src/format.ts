import type { Language } from './view.ts'

const locales: Record<Language, string> = { id: 'id-ID', en: 'en-GB' }

export function number(value: number, language: Language, digits = 0): string {
  return value.toLocaleString(locales[language], { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** A share 0..1 as a percentage with one decimal. */
export function percent(share: number, language: Language): string {
  return `${number(share * 100, language, 1)} %`
}

const eastern = new Set(['81', '82', '91', '92', '93', '94', '95', '96', '97'])
const central = new Set(['51', '52', '53', '63', '64', '65', '71', '72', '73', '74', '75', '76'])
const zones = { WIB: 'Asia/Jakarta', WITA: 'Asia/Makassar', WIT: 'Asia/Jayapura' } as const

/** Zone of a region or station code, by its province (Presidential Decree 41 of 1987). */
export function zoneOf(code: string): keyof typeof zones {
  const province = code.slice(0, 2)
  return eastern.has(province) ? 'WIT' : central.has(province) ? 'WITA' : 'WIB'
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
  const zone = zoneOf(code)
  return zone === 'WIB' ? minute('WIB') : `${minute(zone)} (${minute('WIB')})`
}

/** "1:04:09", negative when past. @param remainingMs may be negative */
export function countdown(remainingMs: number): string {
  const total = Math.floor(Math.abs(remainingMs) / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${remainingMs < 0 ? '-' : ''}${Math.floor(total / 3600)}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`
}

/** Organisation ids are lower-case words; these are the names people use. */
const operators: Record<string, string> = {
  telkomsel: 'Telkomsel', indosat: 'Indosat Ooredoo Hutchison', xl: 'XL Axiata', smartfren: 'Smartfren', xlsmart: 'XLSmart',
  komdigi: 'Komdigi', kpu: 'KPU', bawaslu: 'Bawaslu', apjii: 'APJII', bakti: 'BAKTI',
}
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
