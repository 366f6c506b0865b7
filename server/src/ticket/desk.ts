import type { LiveDisturbance, LiveTicket } from '@kawal/contract/live.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { createAsks, readAsking, type Asking } from './asks.ts'
import type { ResultsDueAt } from './levels.ts'
import { listTickets } from './list.ts'
import type { Measure } from './measured.ts'
import { relateFamilies } from './relations.ts'
import { causeOf, getTicket, openTicket, sweepTickets } from './tickets.ts'
import { toLive } from './tmf621.ts'

const shown_max = 500
/** Claims that nobody measured are looked up so often, to ask for them. */
const asking_ms = 30_000

interface DeskNeeds {
  readonly database: Database
  readonly clock: () => number
  readonly resultsDueAt: ResultsDueAt
  readonly changed: (ticket: string) => void
  readonly measure: Measure
  /** Stations whose officers can look at a disturbance, by its id and stations. */
  readonly whoCanLook: (disturbance: string, stations: readonly string[]) => Pick<Asking, 'stations' | 'operator'>
}

/** Where the monitor hands over what it found, and where the console reads tickets from. */
export function createDesk(needs: DeskNeeds) {
  /** Disturbances that changed since the last pass. Null: at a start, when any may have. */
  let news: Set<string> | null = null
  const asks = createAsks(needs.clock)
  let askedAt = -Infinity
  return {
    asks,
    /** Their tickets are looked at in the next pass. */
    disturbancesChanged: (ids: readonly string[]): void => ids.forEach((id) => news?.add(id)),
    /** Opens the one ticket of this disturbance; called again it changes nothing. */
    async open(caller: Caller, disturbance: LiveDisturbance, recipient: string): Promise<void> {
      const opened = await openTicket(needs, caller, causeOf(disturbance), recipient)
      if (!opened.ok) throw new ProblemError('state_conflict', `No ticket can be opened: ${opened.error}.`)
      if (!opened.value.created) return
      // Its family may have tickets already.
      news?.add(disturbance.id)
      needs.changed(opened.value.ticket.id)
    },
    /** The tickets that this caller may see; those of `ids`, or the newest. */
    async live(caller: Caller, ids: readonly string[] | null): Promise<LiveTicket[]> {
      if (ids === null) return listLive(needs.database, needs.clock, caller)
      const found = (await Promise.all(ids.map((id) => getTicket(needs, caller, id)))).filter((ticket) => ticket !== null)
      return found.map((ticket) => toLive(ticket, needs.clock()))
    },
    /** One pass. What could not be looked at is looked at again in the next. */
    async sweep(now: number, lookup: (id: string) => LiveDisturbance | undefined): Promise<void> {
      const looked = news
      news = new Set()
      try {
        const related = await relateFamilies(needs.database, now, looked)
        related.forEach(needs.changed)
        const changed = await sweepTickets(needs.database, now, (id) => {
          const row = lookup(id)
          return row === undefined ? null : causeOf(row)
        }, { news: looked, measure: needs.measure })
        changed.forEach(needs.changed)
      } catch (error) {
        if (looked === null) news = null
        else looked.forEach((id) => news?.add(id))
        throw error
      }
      if (now - askedAt < asking_ms) return
      askedAt = now
      asks.renew(await readAsking(needs.database, needs.whoCanLook))
    },
  }
}

/** The tickets that this caller may see: those not over, then the newest of the others. */
export async function listLive(database: Database, clock: () => number, caller: Caller): Promise<LiveTicket[]> {
  const { tickets } = await listTickets({ database, clock }, caller, { openFirst: true, offset: 0, limit: shown_max })
  return tickets.map((ticket) => toLive(ticket, clock()))
}
