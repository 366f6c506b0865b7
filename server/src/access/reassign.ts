import type pg from 'pg'
import type { AccessStateAnswer } from '@kawal/contract/readiness.ts'
import { planAccess, reassign, type AccessPlan } from '@kawal/core/access/assign.ts'
import { giveSlots } from '@kawal/core/access/slots.ts'
import type { Points } from '../readiness/nation.ts'
import { capacityAt, inTurns, type PlanConfig } from '../readiness/plan.ts'
import type { Plan } from '../readiness/plans.ts'

/** So many points around the one that failed are looked at, with all their stations: what lies farther stays as planned. */
const points_max = 200

interface PointRow { id: string; name: string; kind: Points['kinds'][number]; latitude: number; longitude: number; landmass: string | null; working: boolean; uplink_mbps: number | null }
interface StationRow { station: string; latitude: number; longitude: number; landmass: string | null; point: string; distance_km: number | null; travel_min: number | null }

/**
 * Where the stations of a failed point go: an optimum over the points around it, in which others move only
 * where that makes room. It is put into the plan at once: who opens a station's page sees where it goes now.
 * @param client as the system
 * @returns the stations of the failed point, and those that make room; null when the point or its surroundings have no position
 */
export async function reassignAfter(client: pg.ClientBase, plan: Plan, pointId: string): Promise<AccessStateAnswer['reassigned']> {
  const points = await pointsAround(client, pointId)
  const failed = points.findIndex((point) => point.id === pointId)
  if (failed < 0) return null
  const stations = await stationsOf(client, plan, points)
  if (!stations.some((row) => row.point === pointId)) return []
  const { access: config, slots } = plan.config
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
  const capacities = Int32Array.from(points, (_, point) => capacityAt(columns, point, slots))
  const planned = planAccess(
    {
      latitudes: Float64Array.from(stations, (row) => row.latitude), longitudes: Float64Array.from(stations, (row) => row.longitude),
      landmasses: Int32Array.from(stations, (row) => landmassOf(row.landmass)), travelClasses: new Uint8Array(stations.length),
    },
    { latitudes: columns.latitude, longitudes: columns.longitude, landmasses: columns.landmass, working: columns.working, capacities }, config)
  if (!planned.ok) throw new Error(`the assignment around a point ended with ${planned.error}`)
  const { value } = planned
  const changed = reassign(value, failed, false)
  if (!changed.ok) throw new Error(`the assignment without a point ended with ${changed.error}`)
  const moved = movesOf(stations, points, value, new Set(changed.value), failed, capacities)
  await storeMoves(client, plan, stations, points, value, moved, slots)
  const tenth = (number: number | undefined): number | null => (number === undefined || Number.isNaN(number) ? null : Math.round(number * 10) / 10)
  return [...moved].map(([at, to]) => {
    const point = points[to]
    return { station: stations[at]?.station ?? '', access: point === undefined ? null : { id: point.id, name: point.name, distanceKm: tenth(value.distance_km[at]), travelMin: tenth(value.travel_min[at]) } }
  })
}

/**
 * Stations and their new points, or -1. The fresh optimum may differ from the stored plan where it is as good:
 * such stations stay, unless a point would then carry more than it can.
 */
function movesOf(stations: readonly StationRow[], points: readonly PointRow[], value: AccessPlan, changed: ReadonlySet<number>, failed: number, capacities: Int32Array): Map<number, number> {
  const pointOf = new Map(points.map((point, at) => [point.id, at]))
  const before = stations.map((row) => pointOf.get(row.point) ?? -1)
  const load = new Int32Array(points.length)
  const moved = new Map<number, number>()
  stations.forEach((_, at) => {
    const to = before[at] === failed || changed.has(at) ? (value.point[at] ?? -1) : (before[at] ?? -1)
    if (to >= 0) load[to] = (load[to] ?? 0) + 1
    if (to !== before[at]) moved.set(at, to)
  })
  if (load.every((count, point) => count <= (capacities[point] ?? 0))) return moved
  return new Map(stations.flatMap((_, at): [number, number][] => (value.point[at] === before[at] ? [] : [[at, value.point[at] ?? -1]])))
}

/** Writes where they go, and the slots of everybody at a point whose stations changed. */
async function storeMoves(client: pg.ClientBase, plan: Plan, stations: readonly StationRow[], points: readonly PointRow[], value: AccessPlan, moved: ReadonlyMap<number, number>, slots: PlanConfig['slots']): Promise<void> {
  if (moved.size === 0) return
  const pointOf = new Map(points.map((point, at) => [point.id, at]))
  const after = Int32Array.from(stations, (row, at) => moved.get(at) ?? pointOf.get(row.point) ?? -1)
  const ways = stations.map((row, at) => (moved.has(at) ? { distance_km: value.distance_km[at], travel_min: value.travel_min[at] } : { distance_km: row.distance_km, travel_min: row.travel_min }))
  const turns = giveSlots(after, Float64Array.from(ways, (way) => way.travel_min ?? 0), points.map((point) => point.kind), inTurns, slots)
  const touched = new Set([...moved.values()])
  const rows = stations.flatMap((row, at) => (moved.has(at) || touched.has(after[at] ?? -1) ? [{ row, at }] : []))
  const number = (value: number | null | undefined): number | null => (value === null || value === undefined || Number.isNaN(value) ? null : value)
  await client.query(
    `UPDATE readiness SET access_point_id = n.point, class = CASE WHEN n.point IS NULL THEN 'e' ELSE 'd' END, reason = CASE WHEN n.point IS NOT NULL THEN 'blank_with_point' WHEN n.without = 'capacity' THEN 'blank_no_capacity' ELSE 'blank_no_point' END,
       access_reason = n.without, distance_km = n.km, travel_min = n.travel, slot_start_min = n.start, slot_min = n.length
     FROM unnest($2::text[], $3::text[], $4::real[], $5::real[], $6::real[], $7::real[], $8::text[]) AS n (station, point, km, travel, start, length, without) WHERE plan_id = $1 AND station_code = n.station`,
    [plan.id, rows.map(({ row }) => row.station), rows.map(({ at }) => points[after[at] ?? -1]?.id ?? null), rows.map(({ at }) => number(ways[at]?.distance_km)), rows.map(({ at }) => number(ways[at]?.travel_min)),
      rows.map(({ at }) => number(turns.start_min[at])), rows.map(({ at }) => number(turns.length_min[at])),
      rows.map(({ at }) => ((after[at] ?? -1) < 0 ? (value.reason.get(at) ?? 'no_point_in_reach') : null))])
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
    `SELECT r.station_code AS station, coalesce(s.latitude, n.latitude) AS latitude, coalesce(s.longitude, n.longitude) AS longitude, n.landmass, r.access_point_id AS point, r.distance_km, r.travel_min
     FROM readiness r JOIN station_now s ON s.code = r.station_code LEFT JOIN region_now n ON n.code = left(r.station_code, 10)
     WHERE r.plan_id = $1 AND r.access_point_id = ANY ($2) AND coalesce(s.latitude, n.latitude) IS NOT NULL ORDER BY r.station_code`, [plan.id, points.map((point) => point.id)])
  return rows
}
