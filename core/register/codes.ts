/** Levels of a region and the length of its code in digits (province 2, regency 2, district 2, village 4). */
export const levels = ['province', 'regency', 'district', 'village'] as const
export type Level = (typeof levels)[number]

const digits: Readonly<Record<Level, number>> = { province: 2, regency: 4, district: 6, village: 10 }

/** The digits of a code written plainly or with dots ("53.01.02.2003"); null when it is anything else. */
export function plainCode(text: string): string | null {
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) return trimmed
  return /^\d{2}(\.\d{2}){0,2}(\.\d{4})?(\.\d{3})?$/.test(trimmed) ? trimmed.replaceAll('.', '') : null
}

/** The level that a code's length says; null for a length that no level has. */
export function levelOf(code: string): Level | null {
  return levels.find((level) => digits[level] === code.length) ?? null
}

/** The code of the region above; null for a province and for what is no region. */
export function parentOf(code: string): string | null {
  const at = levels.indexOf(levelOf(code) ?? 'province')
  const above = levels[at - 1]
  return above === undefined ? null : code.slice(0, digits[above])
}

/** Numbers from 901 on are special stations (lokasi khusus: prisons, hospitals, dormitories). */
export const special_number_min = 901
export const station_number_max = 999

/** 13 digits: the village's 10 and the station's number. */
export function stationCode(village: string, number: number): string {
  return village + String(number).padStart(3, '0')
}

/** Splits a station's code; null when it is not 13 digits or its number is 0. */
export function parseStationCode(text: string): { village: string; number: number; special: boolean } | null {
  const code = plainCode(text)
  if (code === null || code.length !== 13) return null
  const number = Number(code.slice(10))
  return number === 0 ? null : { village: code.slice(0, 10), number, special: number >= special_number_min }
}
