import type pg from 'pg'
import type { AccessPoint, AccessPoints, AccessStateAnswer } from '@kawal/contract/readiness.ts'
import { cursorOf, cursorText, limit_default, type FlatRow } from '../readiness/ask.ts'
import { findPlan, refOf, type Plan } from '../readiness/plans.ts'
import { inArea, tidy } from '../readiness/read.ts'

export interface PointFilter {
  readonly id?: string
  readonly area?: string
  readonly kind?: AccessPoint['kind']
  readonly working?: 'yes' | 'no' | 'unknown'
  readonly page?: string
  readonly limit?: number
}

type StoredPoint = Omit<AccessPoint, 'saidAt' | 'village' | 'district' | 'regency' | 'province'> & { said_at: Date | null; village: string | null; district: string | null; regency: string | null; province: string | null }

const joined = (where: string): string => `
  FROM access_point a
  LEFT JOIN LATERAL (SELECT working, uplink_mbps, note, said_at FROM access_point_state WHERE access_point_state.access_point_id = a.id ORDER BY access_point_state.id DESC LIMIT 1) st ON true
  WHERE a.valid_from <= current_date AND (a.valid_to IS NULL OR a.valid_to > current_date) AND ${inArea('a.village_code', '$1')} AND ($2::text IS NULL OR a.kind = $2)
    AND ($3::text IS NULL OR CASE $3 WHEN 'yes' THEN st.working WHEN 'no' THEN NOT st.working ELSE st.working IS NULL END) AND ($4::text IS NULL OR a.id = $4) AND ${where}`

const names = (['village', 'district', 'regency', 'province'] as const)
  .map((level, at) => `(SELECT name FROM region_now WHERE region_now.code = left(p."villageCode", ${[10, 6, 4, 2][at]})) AS ${level}`).join(', ')

/** Points by id, each with the stations that the newest plan assigned to it. */
export async function readPoints(client: pg.ClientBase, plan: Plan | null, filter: PointFilter): Promise<{ rows: AccessPoint[]; next: string | null }> {
  const limit = filter.limit ?? limit_default
  const after = cursorOf(filter.page)
  const { rows } = await client.query<StoredPoint>(
    `WITH picked AS MATERIALIZED (
       SELECT a.id, a.kind, a.name, a.latitude, a.longitude, a.village_code AS "villageCode", a.organisation_id AS organisation, a.source, st.working, st.uplink_mbps AS "uplinkMbps", coalesce(st.note, '') AS note, st.said_at
       ${joined('($5::text IS NULL OR a.id > $5)')} ORDER BY a.id LIMIT $6),
     load AS (
       SELECT r.access_point_id, count(*)::int AS stations, sum(s.voters)::int AS voters, sum(r.slot_min) AS busy, max(r.slot_start_min + r.slot_min) AS ends
       FROM readiness r LEFT JOIN station_now s ON s.code = r.station_code
       WHERE r.plan_id = $7 AND r.access_point_id IN (SELECT id FROM picked) GROUP BY 1)
     SELECT p.*, ${names}, coalesce(load.stations, 0) AS stations, load.voters, coalesce(load.busy, 0) AS "busyMin", load.ends AS "lastSlotEndMin"
     FROM picked p LEFT JOIN load ON load.access_point_id = p.id ORDER BY p.id`,
    [filter.area ?? null, filter.kind ?? null, filter.working ?? null, filter.id ?? null, after?.[1] ?? null, limit + 1, plan?.id ?? null])
  const last = rows[limit - 1]
  return { rows: rows.slice(0, limit).map(wire), next: rows.length > limit && last !== undefined ? cursorText([0, last.id]) : null }
}

export async function readPointsPage(client: pg.ClientBase, filter: PointFilter): Promise<AccessPoints> {
  const plan = await findPlan(client)
  const { rows: [counted] } = await client.query<{ total: number }>(`SELECT count(*) AS total ${joined('true')}`, [filter.area ?? null, filter.kind ?? null, filter.working ?? null, filter.id ?? null])
  return { plan: plan === null ? null : refOf(plan), total: counted?.total ?? 0, ...(await readPoints(client, plan, filter)) }
}

/** The stations that a plan assigned to a point. */
export async function dependantsOf(client: pg.ClientBase, plan: Plan, point: string): Promise<AccessStateAnswer['dependants']> {
  const { rows } = await client.query<AccessStateAnswer['dependants'][number]>(
    `SELECT r.station_code AS station, s.voters FROM readiness r LEFT JOIN station_now s ON s.code = r.station_code WHERE r.plan_id = $1 AND r.access_point_id = $2 ORDER BY 1`, [plan.id, point])
  return rows
}

function wire({ said_at, ...row }: StoredPoint): AccessPoint {
  const code = row.villageCode ?? ''
  return {
    ...row, village: row.village ?? code, district: row.district ?? code.slice(0, 6), regency: row.regency ?? code.slice(0, 4), province: row.province ?? code.slice(0, 2),
    uplinkMbps: tidy(row.uplinkMbps), busyMin: tidy(row.busyMin) ?? 0, lastSlotEndMin: tidy(row.lastSlotEndMin), saidAt: said_at?.toISOString() ?? null,
  }
}

export const pointColumns = ['id', 'kind', 'name', 'province', 'regency', 'district', 'village', 'village_code', 'latitude', 'longitude', 'organisation', 'source', 'working', 'uplink_mbps', 'said_at', 'note', 'stations', 'voters', 'busy_min', 'last_slot_end_min'] as const

export function flattenPoint(row: AccessPoint): FlatRow {
  return {
    id: row.id, kind: row.kind, name: row.name, province: row.province, regency: row.regency, district: row.district, village: row.village, village_code: row.villageCode, latitude: row.latitude, longitude: row.longitude,
    organisation: row.organisation, source: row.source, working: row.working, uplink_mbps: row.uplinkMbps, said_at: row.saidAt, note: row.note, stations: row.stations, voters: row.voters, busy_min: row.busyMin, last_slot_end_min: row.lastSlotEndMin,
  }
}
