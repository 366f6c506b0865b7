/** Milliseconds since 1970-01-01T00:00:00Z. The core never reads a clock: an instant is an argument. */
export type Instant = number

export const second_ms = 1_000
export const minute_ms = 60_000
export const hour_ms = 3_600_000

/**
 * RFC 3339 in UTC, with milliseconds, of an instant from year 0 to 9999.
 * Days to civil date: Howard Hinnant, "chrono-compatible low-level date algorithms".
 */
export function rfc3339(at: Instant): string {
  const days = Math.floor(at / 86_400_000)
  const ms = at - days * 86_400_000
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const day_of_era = shifted - era * 146_097
  const year_of_era = Math.floor((day_of_era - Math.floor(day_of_era / 1460) + Math.floor(day_of_era / 36_524) - Math.floor(day_of_era / 146_096)) / 365)
  const day_of_year = day_of_era - (365 * year_of_era + Math.floor(year_of_era / 4) - Math.floor(year_of_era / 100))
  const month_from_march = Math.floor((5 * day_of_year + 2) / 153)
  const day = day_of_year - Math.floor((153 * month_from_march + 2) / 5) + 1
  const month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9
  const year = year_of_era + era * 400 + (month <= 2 ? 1 : 0)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(Math.floor(ms / hour_ms))}:${two(Math.floor(ms / minute_ms) % 60)}:${two(Math.floor(ms / second_ms) % 60)}.${String(ms % 1000).padStart(3, '0')}Z`
}
