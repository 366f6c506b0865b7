import type pg from 'pg'
import type { AccessStateAnswer } from '@kawal/contract/readiness.ts'
import { planAccess, reassign } from '@kawal/core/access/assign.ts'
import type { Points } from '../readiness/nation.ts'
import { capacityAt, type PlanConfig } from '../readiness/plan.ts'
import type { Plan } from '../readiness/plans.ts'

/** So many points around the one that failed are looked at, with all their stations: what lies farther stays as planned. */
const points_max = 200

interface PointRow { id: string; name: string; kind: Points['kinds'][number]; latitude: number; longitude: number; landmass: string | null; working: boolean; uplink_mbps: number | null }
interface StationRow { station: string; latitude: number; longitude: number; landmass: string | null; point: string }

/**
 * Where the stations of a failed point go: an optimum over the points around it, in which others move only
 * where that makes room. Nothing is stored; the next plan makes it hold.
 * @returns the stations of the failed point, and those that make room; null when the point or its surroundings have no position
 */
export async function reassignAfter(client: pg.ClientBase, plan: Plan, pointId: string): Promise<AccessStateAnswer['reassigned']> {
  const points = await pointsAround(client, pointId)
  const failed = points.findIndex((point) => point.id === pointId)
  if (failed < 0) return null
  const stations = await stationsOf(client, plan, points)
  if (!stations.some((row) => row.point === pointId)) return []
  const { rows: [stored] } = await client.query<{ config: PlanConfig }>('SELECT config FROM plan WHERE id = $1', [plan.id])
  if (stored === undefined) throw new Error('a plan that was just read is there')
  const { access: config, slots } = stored.config
  const landmasses = new Map<string, number>()
  const landmassOf = (name: string | null): number => {
    if (name === null) return -1
    if (!landmasses.has(name)) landmasses.set(name, landmasses.size)
    return landmasses.get(name) ?? -1
  }
  const columns: Points = {
    ids: points.map((point) => point.id), kinds: points.map((point) => point.kind), latitude: Float64Array.from(points, (point) => point.latitude), longitude: Float64Array.from(points, (point) => point.longitude),
    landmass: Int32Array.from(points, (point) => landmassOf(point.landmass)), working: Uint8Array.from(points, (point, at) => Number(at === failed || point.working)), uplink_mbps: Float64Array.from(points, (point) => point.uplink_mbps ?? NaN),
  }
  const planned = planAccess(
    {
      latitudes: Float64Array.from(stations, (row) => row.latitude), longitudes: Float64Array.from(stations, (row) => row.longitude),
      landmasses: Int32Array.from(stations, (row) => landmassOf(row.landmass)), travelClasses: new Uint8Array(stations.length),
    },
    { latitudes: columns.latitude, longitudes: columns.longitude, landmasses: columns.landmass, working: columns.working, capacities: Int32Array.from(points, (_, point) => capacityAt(columns, point, slots)) }, config)
  if (!planned.ok) throw new Error(`the assignment around a point ended with ${planned.error}`)
  const { value } = planned
  const changed = reassign(value, failed, false)
  if (!changed.ok) throw new Error(`the assignment without a point ended with ${changed.error}`)
  const minutes = (text: number | undefined): number | null => (text === undefined || Number.isNaN(text) ? null : Math.round(text * 10) / 10)
  const moved = new Set(changed.value)
  return stations.flatMap(({ station, point: before }, at) => {
    const point = points[value.point[at] ?? -1]
    // what else differs from the plan is of earlier failures, or an equal optimum
    if (before !== pointId && !moved.has(at)) return []
    return [{ station, access: point === undefined ? null : { id: point.id, name: point.name, distanceKm: minutes(value.distance_km[at]), travelMin: minutes(value.travel_min[at]) } }]
  })
}

/** The point itself first; a degree of longitude is shorter away from the equator. */
async function pointsAround(client: pg.ClientBase, pointId: string): Promise<PointRow[]> {
  const { rows } = await client.query<PointRow>(
    `WITH around AS MATERIALIZED (
       SELECT a.*, power(a.latitude - failed.latitude, 2) + power((a.longitude - failed.longitude) * cos(radians(failed.latitude)), 2) AS far
       FROM access_point failed JOIN access_point a ON a.valid_to IS NULL AND a.latitude IS NOT NULL AND a.longitude IS NOT NULL
       WHERE failed.id = $1 AND failed.valid_to IS NULL AND failed.latitude IS NOT NULL ORDER BY far, a.id LIMIT ${points_max})
     SELECT a.id, a.name, a.kind, a.latitude, a.longitude, n.landmass, coalesce(st.working, true) AS working, st.uplink_mbps
     FROM around a LEFT JOIN region_now n ON n.code = a.village_code
     LEFT JOIN LATERAL (SELECT working, uplink_mbps FROM access_point_state WHERE access_point_state.access_point_id = a.id ORDER BY access_point_state.id DESC LIMIT 1) st ON true
     ORDER BY a.far, a.id`, [pointId])
  return rows
}

/** Stations of these points in the plan, each at its own place or its village's point. */
async function stationsOf(client: pg.ClientBase, plan: Plan, points: readonly PointRow[]): Promise<StationRow[]> {
  const { rows } = await client.query<StationRow>(
    `SELECT r.station_code AS station, coalesce(s.latitude, n.latitude) AS latitude, coalesce(s.longitude, n.longitude) AS longitude, n.landmass, r.access_point_id AS point
     FROM readiness r JOIN station_now s ON s.code = r.station_code LEFT JOIN region_now n ON n.code = left(r.station_code, 10)
     WHERE r.plan_id = $1 AND r.access_point_id = ANY ($2) AND coalesce(s.latitude, n.latitude) IS NOT NULL ORDER BY r.station_code`, [plan.id, points.map((point) => point.id)])
  return rows
}
