import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Live, LiveArea, LiveDelta, LiveDisturbance, LiveTicket } from '@kawal/contract/live.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import type { StationChange } from '../detection/monitor.ts'
import { callerOf, viewOf } from '../organisation/routes.ts'

interface FeedNeeds {
  readonly clock: () => number
  readonly rehearsal: boolean
  readonly areas: readonly { code: string; level: LiveArea['level']; name: string }[]
  readonly stations: readonly { code: string; latitude: number | null; longitude: number | null }[]
  readonly devicesOnDuty: () => number
  /** Reads through the wall: what the caller may not see is not there. `ids` null reads all. */
  readonly disturbances: (caller: Caller, ids: readonly string[] | null) => Promise<LiveDisturbance[]>
  readonly tickets: (caller: Caller, ids: readonly string[] | null) => Promise<LiveTicket[]>
  /** Whether who opened the stream is still logged in. */
  readonly stillIn: (request: FastifyRequest) => Promise<boolean>
}

interface Client {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly caller: Caller
  behind: boolean
}

const snapshot_tries_max = 5
/** A stream outlives a log-out by at most this many seconds. */
const asked_again_s = 30
const buffered_bytes_max = 2_000_000
const average_ms = 5 * 60_000
const levels = { province: 2, regency: 4, district: 6, village: 10 } as const

/**
 * The console's feed: a snapshot with its sequence number, then changed rows at most once a second.
 * A client that cannot keep up is dropped to the latest: it gets a new snapshot when it has read.
 */
export function createFeed(needs: FeedNeeds) {
  const blank = startAreas(needs)
  // Everybody's view under null, and one for each organisation that sees its own alone.
  const views = new Map<string | null, Map<string, LiveArea>>()
  const clients = new Set<Client>()
  const changed = { disturbances: new Set<string>(), tickets: new Set<string>(), areas: new Set<string>() }
  const areasOf = (view: string | null): Map<string, LiveArea> => {
    let areas = views.get(view)
    if (areas === undefined) views.set(view, (areas = new Map([...blank].map(([code, area]) => [code, { ...area, counts: { ...area.counts } }]))))
    return areas
  }
  const tally = createTally()
  let sequence = 0

  const numbers = (): Pick<Live, 'sequence' | 'now' | 'reportsPerMinute' | 'devicesOnDuty'> => {
    const now = needs.clock()
    return { sequence, now: new Date(now).toISOString(), reportsPerMinute: tally.perMinute(now), devicesOnDuty: needs.devicesOnDuty() }
  }

  async function snapshot(caller: Caller): Promise<Live> {
    const [disturbances, tickets] = await Promise.all([needs.disturbances(caller, null), needs.tickets(caller, null)])
    return { ...numbers(), rehearsal: needs.rehearsal, areas: [...areasOf(viewOf(caller)).values()], disturbances, tickets }
  }

  /** A snapshot during which no delta went out: whoever listens from here on misses none. */
  async function latest(caller: Caller): Promise<Live> {
    for (let tries = 1; ; tries++) {
      const before = sequence
      const found = await snapshot(caller)
      if (before === sequence || tries === snapshot_tries_max) return found
    }
  }

  async function flush(): Promise<void> {
    sequence++
    if (sequence % asked_again_s === 0) await Promise.all([...clients].map(async (client) => (await needs.stillIn(client.request)) || (clients.delete(client) && client.reply.raw.end())))
    const ids = [...changed.disturbances]
    const tickets = [...changed.tickets]
    const touched = [...changed.areas]
    for (const set of Object.values(changed)) set.clear()
    try {
      await tell(ids, tickets, touched)
    } catch (error) {
      // The database did not answer: what nobody was told goes out with the next flush.
      ids.forEach((id) => changed.disturbances.add(id))
      tickets.forEach((id) => changed.tickets.add(id))
      touched.forEach((code) => changed.areas.add(code))
      throw error
    }
  }

  async function tell(ids: readonly string[], tickets: readonly string[], touched: readonly string[]): Promise<void> {
    const groups = new Map<string, Client[]>()
    for (const client of clients) {
      const group = `${client.caller.organisation} ${client.caller.role}`
      groups.set(group, [...(groups.get(group) ?? []), client])
    }
    for (const group of groups.values()) {
      const caller = (group[0] as Client).caller
      const delta: LiveDelta = { ...numbers() }
      const areas = areasOf(viewOf(caller))
      const rows = touched.map((code) => areas.get(code)).filter((area) => area !== undefined)
      if (rows.length > 0) delta.areas = rows
      if (ids.length > 0) delta.disturbances = await needs.disturbances(caller, ids)
      if (tickets.length > 0) delta.tickets = await needs.tickets(caller, tickets)
      const text = event('delta', sequence, delta)
      for (const client of group) await send(client, text)
    }
  }

  async function send(client: Client, text: string): Promise<void> {
    if (client.reply.raw.writableLength > buffered_bytes_max) client.behind = true
    else if (client.behind) {
      client.behind = false
      write(client, event('snapshot', sequence, await snapshot(client.caller)))
    } else write(client, text)
  }

  return {
    routes(app: FastifyInstance): void {
      app.get('/v1/live', async (request, reply) => {
        const client: Client = { request, reply, caller: callerOf(request), behind: false }
        const first = await latest(client.caller)
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
        reply.raw.write(event('snapshot', sequence, first))
        clients.add(client)
        request.raw.on('close', () => clients.delete(client))
        // A line that breaks in the middle of a write ends this stream, not the server.
        reply.raw.on('error', () => clients.delete(client))
      })
      app.get('/v1/snapshot', (request) => snapshot(callerOf(request)))
    },
    reports: (count: number): void => tally.add(count, needs.clock()),
    stations(rows: readonly StationChange[]): void {
      for (const row of rows)
        for (const length of Object.values(levels)) {
          const area = areasOf(row.operator).get(row.code.slice(0, length))
          if (area === undefined) continue
          area.counts[row.before]--
          area.counts[row.after]++
          changed.areas.add(area.code)
        }
    },
    disturbances: (ids: readonly string[]): void => ids.forEach((id) => changed.disturbances.add(id)),
    tickets: (ids: readonly string[]): void => ids.forEach((id) => changed.tickets.add(id)),
    flush,
    snapshot,
    numbers,
    clients: (): number => clients.size,
    close(): void {
      for (const client of clients) client.reply.raw.end()
      clients.clear()
    },
  }
}

export type Feed = ReturnType<typeof createFeed>

/** A stream that ended while its text was made takes no more: writing on would end the server. */
function write({ reply }: Client, text: string): void {
  if (!reply.raw.writableEnded) reply.raw.write(text)
}

/** How many reports come in, averaged over five minutes. */
function createTally() {
  const arrivals: { at: number; count: number }[] = []
  return {
    /** By the second: commits come many times as often. */
    add(count: number, at: number): void {
      const last = arrivals.at(-1)
      if (last !== undefined && at - last.at < 1000) last.count += count
      else arrivals.push({ at, count })
    },
    perMinute(now: number): number {
      while (arrivals[0] !== undefined && arrivals[0].at <= now - average_ms) arrivals.shift()
      return Math.round((arrivals.reduce((sum, each) => sum + each.count, 0) * 60_000) / average_ms)
    },
  }
}

const event = (name: string, id: number, data: unknown): string => `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`

function startAreas(needs: Pick<FeedNeeds, 'areas' | 'stations'>): Map<string, LiveArea> {
  const areas = new Map<string, LiveArea>(
    needs.areas.map((area) => [area.code, { ...area, latitude: null, longitude: null, counts: { ok: 0, watch: 0, degraded: 0, down: 0, unknown: 0 } }]),
  )
  const sums = new Map<string, { latitude: number; longitude: number; count: number }>()
  for (const station of needs.stations)
    for (const length of Object.values(levels)) {
      const area = areas.get(station.code.slice(0, length))
      if (area === undefined) continue
      area.counts.unknown++
      if (station.latitude === null || station.longitude === null) continue
      const sum = sums.get(area.code) ?? { latitude: 0, longitude: 0, count: 0 }
      sums.set(area.code, { latitude: sum.latitude + station.latitude, longitude: sum.longitude + station.longitude, count: sum.count + 1 })
    }
  for (const [code, sum] of sums) {
    const area = areas.get(code)
    if (area !== undefined) Object.assign(area, { latitude: sum.latitude / sum.count, longitude: sum.longitude / sum.count })
  }
  return areas
}
