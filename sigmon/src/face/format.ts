export type Language = 'id' | 'en'

export const locale = (language: Language): string => (language === 'id' ? 'id-ID' : 'en-GB')

/** Fills `{name}` in a word. */
export const put = (text: string, values: Readonly<Record<string, string | number>>): string => text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))

const zone_names: Readonly<Record<string, string>> = { 'Asia/Jakarta': 'WIB', 'Asia/Pontianak': 'WIB', 'Asia/Makassar': 'WITA', 'Asia/Jayapura': 'WIT' }

/** The clock of the station, with WIB beside it where the two differ: the nation's papers are in WIB. */
export function clockOf(at: string | number, zone: string, seconds = false): string {
  const name = zone_names[zone] ?? 'WIB'
  const read = (timeZone: string): string => new Intl.DateTimeFormat('id-ID', { timeZone, hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) }).format(new Date(at))
  const wib = `${read('Asia/Jakarta')} WIB`
  return name === 'WIB' ? wib : `${read(zone)} ${name} (${wib})`
}

export const dayOf = (at: string | number, zone: string, language: Language): string =>
  new Intl.DateTimeFormat(locale(language), { timeZone: zone, day: 'numeric', month: 'long', year: 'numeric' }).format(new Date(at))

/** The clock alone today, and with its day before that: a phone keeps what is days old. */
export function whenOf(at: string | number, now: number, zone: string, language: Language): string {
  const day = (each: string | number): string => new Intl.DateTimeFormat(locale(language), { timeZone: zone, day: 'numeric', month: 'short' }).format(new Date(each))
  return day(at) === day(now) ? clockOf(at, zone) : `${day(at)}, ${clockOf(at, zone)}`
}

export function bytesOf(bytes: number, language: Language): string {
  const [value, unit] = bytes < 1_000 ? [bytes, 'B'] : bytes < 999_500 ? [Math.round(bytes / 1_000), 'kB'] : [Math.round(bytes / 100_000) / 10, 'MB']
  return `${value.toLocaleString(locale(language))} ${unit}`
}

/** In kbit/s up to ten thousand, and in Mbit/s past that, as networks are advertised. */
export function rateOf(kbps: number, language: Language): string {
  const [value, unit] = kbps < 10_000 ? [kbps, 'kbit/s'] : [Math.round(kbps / 100) / 10, 'Mbit/s']
  return `${value.toLocaleString(locale(language))} ${unit}`
}

/** Metres below one kilometre, in steps that a person can walk by. */
export function distanceOf(km: number, language: Language): string {
  const metres = km * 1_000
  if (metres < 995) return `${(metres < 100 ? Math.round(metres) : Math.round(metres / 10) * 10).toLocaleString(locale(language))} m`
  return `${(Math.round(km * 10) / 10).toLocaleString(locale(language))} km`
}

/** One of the eight winds a bearing lies nearest to; 0 is north, clockwise. */
export const windOf = (bearing_deg: number): number => Math.round((((bearing_deg % 360) + 360) % 360) / 45) % 8
