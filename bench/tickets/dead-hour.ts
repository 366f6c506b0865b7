import { hour_ms, minute_ms, second_ms } from '@kawal/core/kernel/clock.ts'
import { system } from '@kawal/server/src/adapters/postgres/database.ts'
import { addListener, createOutbox } from '@kawal/server/src/ticket/outbox.ts'
import { command, openTicket } from '@kawal/server/src/ticket/tickets.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'

const tickets = 20
/** Past the hour, the longest pause between two attempts, and some. */
const after_ms = 15 * minute_ms
const organisation = 'telkomsel'

/**
 * An hour in which a receiver is dead, second by second under a clock of its own, while its tickets are opened and
 * moved and another organisation's receiver is well.
 * @returns events that the dead one never got, or got out of order, and the longest that one for the other waited, s
 */
export async function deadHour(): Promise<{ lost: number; doubled: number; otherLate_s: number }> {
  const kit = await withDatabase()
  try {
    const start = Date.UTC(2029, 1, 14, 12)
    let now = start
    const needs = { database: kit.database, clock: () => now }
    const got: string[] = []
    const wanted: string[] = []
    const otherWanted = new Map<string, number>()
    let otherLate_s = 0
    const outbox = createOutbox(kit.database, async ({ callback, id: eventId }) => {
      if (callback.endsWith('other')) otherLate_s = Math.max(otherLate_s, (now - (otherWanted.get(eventId) ?? 0)) / second_ms)
      else if (now < start + hour_ms) throw new Error('connection refused')
      else got.push(eventId)
      return 204
    })
    for (const [id, path] of [[organisation, 'dead'], ['indosat', 'other']] as const) await addListener(kit.database, { organisation: id, role: 'noc' }, `http://127.0.0.1:9/${path}`, null, now)
    const open = async (id: string, of: string): Promise<string> => {
      const opened = await openTicket(needs, system, { id, cause: 'access', operator: of, severity: 'down', areaCode: '7501011', stations: ['7501011001001'], startedAt: now, foundAt: now, endedAt: null,
        evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [], signs: [] } })
      if (!opened.ok) throw new Error(opened.error)
      return opened.value.ticket.id
    }
    for (; now < start + hour_ms + after_ms; now += second_ms) {
      const minute = (now - start) / minute_ms
      if (minute < tickets && Number.isInteger(minute)) {
        wanted.push(`${await open(`dead-${minute}`, organisation)}.1`)
        otherWanted.set(`${await open(`other-${minute}`, 'indosat')}.1`, now)
        const moved = await command(needs, { organisation, role: 'noc' }, `TT-dead-${minute}`, { kind: 'acknowledge' })
        if (moved.ok) wanted.push(`${moved.value.id}.${moved.value.version}`)
      }
      await outbox.deliver(now)
    }
    // In order: what was not delivered in its place counts as lost.
    return { lost: wanted.filter((id, i) => [...new Set(got)][i] !== id).length, doubled: got.length - new Set(got).size, otherLate_s }
  } finally {
    await kit.close()
  }
}
