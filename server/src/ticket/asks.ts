import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { coveredBy } from '@kawal/core/ticket/relation.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'

/** A ticket whose repair nobody has measured, and where somebody could. */
export interface Asking {
  readonly ticket: string
  /** 13-digit codes. */
  readonly stations: readonly string[]
  /** Whose network is to be checked; null: any. */
  readonly operator: string | null
}

/** Of one ticket so many devices are asked in so long a time, and one device once. */
const devices_max = 20
const round_ms = 10 * minute_ms
/** Tickets that ask at the same time; more would be a storm, in which reports come anyway. */
const tickets_max = 500

interface Round { readonly operator: string | null; readonly since: Instant; asked: number }

/**
 * Whom the platform asks to check now. Nobody is called up for it: a phone or probe hears of it in an answer that it gets
 * anyway. Kept in memory alone: a start asks anew.
 */
export function createAsks(clock: () => Instant) {
  let rounds = new Map<string, Round>()
  let byStation = new Map<string, Round>()
  /** When each device was asked last. */
  const devices = new Map<number, Instant>()
  return {
    /** From now on these are asked for, and no others. */
    renew(asking: readonly Asking[]): void {
      const now = clock()
      const before = rounds
      rounds = new Map()
      byStation = new Map()
      for (const { ticket, stations, operator } of asking) {
        const known = before.get(ticket)
        const round = known === undefined || now - known.since >= round_ms ? { operator, since: now, asked: 0 } : known
        rounds.set(ticket, round)
        for (const station of stations) if (!byStation.has(station)) byStation.set(station, round)
      }
      for (const [device, at] of devices) if (now - at >= round_ms) devices.delete(device)
    },
    /** Cheap, since each report asks it. */
    isAt: (station: string): boolean => byStation.size > 0 && byStation.has(station),
    /**
     * Whether this device is to check now; it then counts as asked.
     * @param operator of its SIM; null where it is not known
     */
    take(device: number, station: string, operator: string | null): boolean {
      const round = byStation.get(station)
      if (round === undefined || round.asked >= devices_max || devices.has(device)) return false
      if (operator !== null && round.operator !== null && operator !== round.operator) return false
      round.asked++
      devices.set(device, clock())
      return true
    },
  }
}

export type Asks = ReturnType<typeof createAsks>

/** The tickets that are resolved by word alone. @param whoCanLook stations whose officers can look, by the disturbance's id and stations */
export async function readAsking(database: Database, whoCanLook: (disturbance: string, stations: readonly string[]) => Pick<Asking, 'stations' | 'operator'>): Promise<Asking[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ state: Ticket }>(
    "SELECT state FROM ticket WHERE status = 'resolved' AND disturbance_id IS NOT NULL AND state->'verification'->>'state' IN ('asked', 'unverified') ORDER BY opened_at, id LIMIT $1", [tickets_max]))
  return rows.map(({ state }) => {
    const unknown = coveredBy(state).filter(({ id }) => state.verification?.disturbances?.includes(id) ?? true)
    const looks = unknown.map(({ id, stations }) => whoCanLook(id, stations))
    const operators = new Set(looks.map(({ operator }) => operator))
    // What several disturbances of one ticket ask for is one asking, within the bounds of one.
    return { ticket: state.id, stations: [...new Set(looks.flatMap(({ stations }) => stations))], operator: operators.size === 1 ? looks[0]?.operator ?? null : null }
  })
}
