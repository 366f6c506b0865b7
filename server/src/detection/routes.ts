import type { FastifyInstance } from 'fastify'
import type { LiveDisturbance, LiveImpact, LiveTicket, StationDetail, StationRows } from '@kawal/contract/live.ts'
import { isOngoing } from '@kawal/core/detection/disturbance.ts'
import { type Caller, type Database } from '../adapters/postgres/database.ts'
import { callerOf, viewOf } from '../organisation/routes.ts'
import { allowed, ProblemError } from '../problem.ts'
import type { Monitor } from './monitor.ts'
import { readTurns } from './store.ts'

interface DisturbanceNeeds {
  readonly database: Database
  readonly monitor: Monitor
  readonly clock: () => number
  readonly stations: readonly { code: string; latitude: number | null; longitude: number | null; positionGrade: StationRows['stations'][number]['positionGrade']; zone: string }[]
  readonly names: ReadonlyMap<string, string>
  readonly tickets: {
    open(caller: Caller, disturbance: LiveDisturbance, recipient: string): Promise<unknown>
    live(caller: Caller, ids: readonly string[] | null): Promise<LiveTicket[]>
  }
}

const stations_max = 20_000
const disturbances_max = 500
const worstFirst = ['down', 'degraded', 'watch', 'unknown', 'ok']

/** Reads disturbances through the wall: an operator gets its own. */
export async function readDisturbances(database: Database, caller: Caller, ids: readonly string[] | null, impactOf: (id: string) => LiveImpact | null): Promise<LiveDisturbance[]> {
  return database.transaction(caller, async (client) => {
    const { rows } = await client.query<{ state: LiveDisturbance; ticket_id: string | null; comments: number }>(
      `SELECT disturbance.state, kawal_ticket_of(disturbance.id) AS ticket_id, (SELECT count(*)::int FROM comment WHERE disturbance_id = disturbance.id) AS comments FROM disturbance
       WHERE $1::text[] IS NULL OR disturbance.id = ANY($1) ORDER BY ended_at IS NULL DESC, found_at DESC, disturbance.id LIMIT ${disturbances_max}`,
      [ids],
    )
    return rows.map((row) => ({ ...row.state, impact: impactOf(row.state.id) ?? row.state.impact, ticketId: row.ticket_id, ...(row.comments === 0 ? {} : { comments: row.comments }) }))
  })
}

type Placed = DisturbanceNeeds['stations'][number]

/** Those of an area, of stations sorted by code. */
function withPrefix(stations: readonly Placed[], area: string): Placed[] {
  const from = (code: string): number => {
    let [low, high] = [0, stations.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((stations[middle] as Placed).code < code) low = middle + 1
      else high = middle
    }
    return low
  }
  // ':' follows '9': the first code behind all that begin with the area's digits.
  return stations.slice(from(area), from(`${area}:`))
}

/** @param bbox west,south,east,north in degrees; without it everything is inside, also what has no position */
function boxOf(bbox: string | undefined): (station: Placed) => boolean {
  if (bbox === undefined) return () => true
  const [west = NaN, south = NaN, east = NaN, north = NaN, ...more] = bbox.split(',').map(Number)
  if (more.length > 0 || !(west <= east && south <= north)) throw new ProblemError('body_invalid', `bbox is west,south,east,north in degrees, not ${bbox}.`)
  return ({ latitude, longitude }) => latitude !== null && longitude !== null && latitude >= south && latitude <= north && longitude >= west && longitude <= east
}

export function disturbanceRoutes(app: FastifyInstance, needs: DisturbanceNeeds): void {
  const places = new Map(needs.stations.map((station) => [station.code, station]))
  const one = async (caller: Caller, id: string): Promise<LiveDisturbance> => {
    const [row] = await readDisturbances(needs.database, caller, [id], needs.monitor.impact)
    if (row === undefined) throw new ProblemError('not_found', `There is no disturbance ${id} that you may see.`)
    return row
  }

  app.get('/v1/disturbances', (request) => readDisturbances(needs.database, callerOf(request), null, needs.monitor.impact))
  app.get<{ Params: { id: string } }>('/v1/disturbances/:id', (request) => one(callerOf(request), request.params.id))

  app.get<{ Params: { id: string } }>('/v1/disturbances/:id/turns', async (request) => {
    const caller = callerOf(request)
    await one(caller, request.params.id)
    return readTurns(needs.database, caller, request.params.id)
  })

  app.post<{ Params: { id: string } }>('/v1/disturbances/:id/ticket', async (request, reply) => {
    const caller = callerOf(request)
    const row = await one(caller, request.params.id)
    if (row.foundAt === null) throw new ProblemError('state_conflict', 'This disturbance is suspected only: a ticket is of what is confirmed.')
    if (row.operator === null) throw new ProblemError('state_conflict', 'This disturbance concerns no organisation known here: there is nobody to send a ticket to.')
    const { operator } = row
    await allowed(() => needs.tickets.open(caller, row, operator))
    const { ticketId } = await one(caller, row.id)
    const [ticket] = await needs.tickets.live(caller, ticketId === null ? [] : [ticketId])
    return reply.code(201).send(ticket)
  })

  app.get<{ Querystring: { area: string; bbox?: string } }>(
    '/v1/stations',
    { schema: { querystring: { type: 'object', required: ['area'], properties: { area: { type: 'string', pattern: '^[0-9]{2,10}$' }, bbox: { type: 'string' } } } } },
    (request): StationRows => {
      const view = viewOf(callerOf(request))
      const open = needs.monitor.found().filter((row) => isOngoing(row.stage) && row.foundAt !== null && (view === null || row.operator === view))
      const hit = new Map(open.flatMap((row) => row.stations.map((code) => [code, row.id])))
      const inBox = boxOf(request.query.bbox)
      const rows = withPrefix(needs.stations, request.query.area).filter(inBox).map((station) => ({
        code: station.code, latitude: station.latitude, longitude: station.longitude, positionGrade: station.positionGrade,
        status: needs.monitor.status(station.code, view), disturbanceId: hit.get(station.code) ?? null,
      }))
      rows.sort((a, b) => worstFirst.indexOf(a.status) - worstFirst.indexOf(b.status) || (a.code < b.code ? -1 : 1))
      return { now: new Date(needs.clock()).toISOString(), total: rows.length, stations: rows.slice(0, stations_max) }
    },
  )

  app.get<{ Params: { code: string } }>('/v1/stations/:code', (request): StationDetail => {
    const view = viewOf(callerOf(request))
    const { code } = request.params
    const place = places.get(code)
    if (place === undefined) throw new ProblemError('station_unknown', `${code} is not watched here.`)
    const name = (length: number): string => needs.names.get(code.slice(0, length)) ?? code.slice(0, length)
    const why = needs.monitor.explain(code, needs.clock(), view)
    return {
      code, village: name(10), district: name(6), regency: name(4), province: name(2), zone: place.zone, status: needs.monitor.status(code, view), rule: why.rule,
      operators: why.operators.map((row) => ({ ...row, lastReportAt: row.lastReportAt === null ? null : new Date(row.lastReportAt).toISOString() })),
    }
  })
}
