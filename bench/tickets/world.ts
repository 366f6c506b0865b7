import pg from 'pg'
import { hour_ms, minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { openDatabase } from '@kawal/server/src/cli/database.ts'
import { connect, migrate, system } from '@kawal/server/src/adapters/postgres/database.ts'
import { addApiKey } from '@kawal/server/src/organisation/sessions.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { addListener } from '@kawal/server/src/ticket/outbox.ts'
import { causeOf, openTicket, sweepTickets } from '@kawal/server/src/ticket/tickets.ts'

export interface World {
  readonly organisations: readonly { readonly id: string; readonly key: string }[]
  /** Ids of tickets, and the organisation of each. */
  readonly tickets: readonly { readonly id: string; readonly organisation: string }[]
  readonly ministryKey: string
}

const province = '75'
const openings_at_once = 8
/** Openings lie within this before the load: clocks get at risk and overdue all through it. */
const opened_within_ms = 4 * hour_ms

/**
 * Makes organisations that listen, and open tickets of theirs whose disturbances go on, in a data folder. When each of
 * a ticket's events was written is kept beside it, by the clock of the database's machine.
 * @param callbackOf where an organisation's events go, by its place
 */
export async function makeWorld(folder: string, { organisations, tickets, seed, now, callbackOf }: { organisations: number; tickets: number; seed: number; now: Instant; callbackOf: (place: number) => string }): Promise<World> {
  const server = await openDatabase(folder)
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 })
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      await loadSynthetic(owner, province, seed)
      await owner.query('ALTER TABLE ticket_event ADD COLUMN written_at timestamptz DEFAULT clock_timestamp()')
      await owner.query("INSERT INTO organisation (id, kind, name) SELECT 'isp-' || number, 'isp', 'ISP ' || number FROM generate_series(1, $1::int) AS number", [organisations])
      const made: { id: string; key: string }[] = []
      for (let place = 0; place < organisations; place++) {
        const id = `isp-${place + 1}`
        await addListener(database, { organisation: id, role: 'noc' }, callbackOf(place), null, now)
        made.push({ id, key: await addApiKey(database, id, now) })
      }
      const random = seeded(seed)
      const instants = Array.from({ length: tickets }, () => now - Math.floor(random() * opened_within_ms)).sort((a, b) => a - b)
      const opened: { id: string; organisation: string }[] = []
      for (let from = 0; from < tickets; from += openings_at_once)
        opened.push(...await Promise.all(instants.slice(from, from + openings_at_once).map((at, i) => open(database, made[(from + i) % organisations]?.id ?? '', from + i, at))))
      // What was due and told before the load is not the load's.
      await sweepTickets(database, now, () => null)
      await owner.query('DELETE FROM hub_delivery')
      await owner.query('VACUUM ANALYZE')
      return { organisations: made, tickets: opened, ministryKey: await addApiKey(database, 'komdigi', now) }
    } finally {
      await owner.end()
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

async function open(database: ReturnType<typeof connect>, organisation: string, number: number, at: Instant): Promise<{ id: string; organisation: string }> {
  const time = (instant: Instant): string => new Date(instant).toISOString()
  const row = {
    id: `bench-${number}`, stage: 'confirmed', cause: 'access', operator: organisation, severity: number % 3 === 0 ? 'degraded' : 'down', areaCode: '7501011', areaName: `Desa ${number}`,
    latitude: .5, longitude: 123, stations: Array.from({ length: 1 + number % 20 }, (_, i) => String(7_501_011_001_001 + i)), voters: null, parent: null, ticketId: null,
    startedAt: time(at - 5 * minute_ms), suspectedAt: time(at - 2 * minute_ms), foundAt: time(at), endedAt: null,
    evidence: { devicesExpected: 20, devicesSilent: 11, devicesBad: 5, devicesGood: 4, witnessesGood: 17, score: 9.5, threshold: 6, rule: 'silence', causes: [{ cause: 'access', nats: 7.5 }], signs: [{ sign: 'silent', count: 11, of: 20 }] },
  }
  // Ended for detection, which has nothing to say about it here; its state says that it goes on.
  await database.transaction(system, (client) => client.query('INSERT INTO disturbance (id, organisation_id, state, found_at, ended_at) VALUES ($1, $2, $3, $4, $4)', [row.id, organisation, JSON.stringify(row), row.foundAt]))
  const opening = await openTicket({ database, clock: () => at }, system, causeOf(row as never))
  if (!opening.ok) throw new Error(`no ticket could be opened: ${opening.error}`)
  return { id: opening.value.ticket.id, organisation }
}
