import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BoxTold, boxesQuery, type BoxRows } from '@kawal/contract/recap-overview.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { Device } from '../measurement/enrolment.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, takes } from '../readiness/ask.ts'
import { findPlan } from '../readiness/plans.ts'

/** Three of its turns were missed (telling.ts). */
const stale_min = 15
/** Boxes of one area that are shown. */
const boxes_max = 2_000

/** Boxes say what they still carry. Whatever is enrolled may say it of itself: it is shown, and decides nothing. */
export function boxRoute(app: FastifyInstance, { database, clock, device }: { readonly database: Database; readonly clock: () => number; readonly device: (request: FastifyRequest) => Device }): void {
  app.put<{ Body: BoxTold }>('/v1/boxes/self', { schema: { body: BoxTold }, bodyLimit: 4_096 }, async (request, reply) => {
    const { key, station } = device(request)
    const told = request.body
    await database.transaction(system, async (client) => {
      const { rowCount } = await client.query('SELECT FROM device WHERE key = $1 AND revoked_at IS NULL', [key])
      if (rowCount === 0) throw new ProblemError('not_allowed', 'The key of this box was revoked. Enrol it anew with the letter of its station.')
      await client.query(
        `INSERT INTO custody_box (device, station_code, told_at, clock_at, origin, key, entries, records, lists, photo_bytes, oldest_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (device) DO UPDATE SET told_at = excluded.told_at, clock_at = excluded.clock_at, origin = excluded.origin, key = excluded.key, entries = excluded.entries, records = excluded.records, lists = excluded.lists, photo_bytes = excluded.photo_bytes, oldest_at = excluded.oldest_at`,
        [key, station, new Date(clock()), told.at, told.origin, told.key, told.entries, told.records, told.lists, told.photoBytes, told.oldestAt])
    })
    return reply.code(204).send()
  })
}

interface Row { readonly device: number; readonly station_code: string; readonly told_at: Date; readonly clock_at: Date; readonly origin: string; readonly key: string; readonly entries: number; readonly records: number; readonly lists: number; readonly photo_bytes: number; readonly oldest_at: Date | null; readonly point: string | null; readonly point_name: string | null }

/** For those who may read recaps: what was heard of each box, those with the oldest load first. */
export function boxesRoute(app: FastifyInstance, { database, clock, names }: { readonly database: Database; readonly clock: () => number; readonly names: ReadonlyMap<string, string> }): void {
  const placeOf = (station: string): string => [10, 6, 4].map((digits) => names.get(station.slice(0, digits))).filter((name) => name !== undefined).join(', ')
  app.get<{ Querystring: { area?: string } }>('/v1/boxes', takes(boxesQuery), async (request): Promise<BoxRows> => {
    const caller = callerWho(request, 'read', 'recap')
    const { area = '' } = request.query
    const now = clock()
    const rows = await database.transaction(caller, async (client) => {
      const plan = await findPlan(client)
      return (await client.query<Row>(
        `SELECT custody_box.*, access_point_id AS point, (SELECT name FROM access_point WHERE id = access_point_id ORDER BY valid_from DESC LIMIT 1) AS point_name
         FROM custody_box LEFT JOIN readiness ON plan_id = $2 AND readiness.station_code = custody_box.station_code
         WHERE starts_with(custody_box.station_code, $1) ORDER BY oldest_at NULLS LAST, custody_box.station_code, device LIMIT $3`, [area, plan?.id ?? -1, boxes_max])).rows
    })
    return {
      now: new Date(now).toISOString(), stale_min,
      rows: rows.map((row) => ({
        device: row.device, station: row.station_code, place: placeOf(row.station_code), accessPoint: row.point === null ? null : { id: row.point, name: row.point_name ?? row.point }, origin: row.origin, key: row.key, entries: row.entries, records: row.records, lists: row.lists, photoBytes: row.photo_bytes,
        oldestAt: row.oldest_at?.toISOString() ?? null, toldAt: row.told_at.toISOString(), clockOff_ms: row.clock_at.getTime() - row.told_at.getTime(), isStale: now - row.told_at.getTime() > stale_min * minute_ms,
      })),
    }
  })
}
