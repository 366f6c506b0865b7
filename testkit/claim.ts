import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '@kawal/server/src/adapters/postgres/database.ts'
import { command, openTicket, sweepTickets } from '@kawal/server/src/ticket/tickets.ts'

/** Telkomsel calls resolved what was lost at one station, and nobody has measured it: who is there is asked to check. */
export async function unmeasuredClaim(database: Database, station: string, now: number): Promise<void> {
  const needs = { database, clock: () => now }
  const lost: TicketCause = {
    id: `lost-${station}`, cause: 'access', operator: 'telkomsel', severity: 'down', areaCode: station.slice(0, 6), stations: [station], startedAt: now, foundAt: now, endedAt: null,
    evidence: { devicesExpected: 0, devicesSilent: 0, devicesBad: 0, devicesGood: 0, witnessesGood: 0, score: 30, threshold: 20, rule: '', causes: [], signs: [] },
  }
  const opened = await openTicket(needs, system, lost)
  const resolved = opened.ok && await command(needs, { organisation: 'telkomsel', role: 'noc' }, opened.value.ticket.id, [{ kind: 'start' }, { kind: 'resolve' }])
  if (!resolved || !resolved.ok) throw new Error(`the ticket of ${station} is not resolved`)
  await sweepTickets(database, now, (id) => (id === lost.id ? lost : null), { verify_ms: 0 })
}
