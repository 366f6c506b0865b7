import type { Instant } from '@kawal/core/kernel/clock.ts'
import { zoneOf, type Zone } from '@kawal/core/register/zone.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'

export const zones: Readonly<Record<Zone, readonly [name: string, offset: string]>> = { 'Asia/Jakarta': ['WIB', '+07:00'], 'Asia/Makassar': ['WITA', '+08:00'], 'Asia/Jayapura': ['WIT', '+09:00'] }

/** Of the stations that a ticket is about; WIB where it is about none. */
export function zoneOfTicket({ disturbance, problem }: Ticket): Zone {
  return zoneOf(disturbance?.areaCode ?? problem?.station ?? '') ?? 'Asia/Jakarta'
}

/**
 * A time as a form sends it, local to the ticket's stations; a phone without a picker sends what was typed.
 * @returns null for what is no time
 */
export function localTime(ticket: Ticket, text: string): Instant | null {
  const [, day, hour, minute] = /^(\d{4}-\d{2}-\d{2})[T ](\d{2})[:.](\d{2})/.exec(text.trim()) ?? []
  const at = day === undefined ? NaN : Date.parse(`${day}T${hour}:${minute}:00${zones[zoneOfTicket(ticket)][1]}`)
  return Number.isFinite(at) ? at : null
}

/** A time for people at the ticket's stations: `14 Feb 2029 09.30 WIB`. */
export function timeText(ticket: Ticket, at: Instant, language: 'id' | 'en'): string {
  const zone = zoneOfTicket(ticket)
  return `${new Intl.DateTimeFormat(language === 'id' ? 'id-ID' : 'en-GB', { timeZone: zone, day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)} ${zones[zone][0]}`
}
