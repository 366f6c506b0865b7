import type pg from 'pg'
import type { Pack, PackAccessPoint, PackStation } from '@kawal/contract/sigmon.ts'
import { keyAt } from '@kawal/core/geo/cells.ts'
import { degree_km, type Position } from '@kawal/core/geo/distance.ts'
import { makeNearestTree, nearestAll } from '@kawal/core/geo/nearest.ts'
import { letterVerifier } from '@kawal/core/measurement/letter.ts'
import { nearestCovered } from '@kawal/core/readiness/ladder.ts'
import { signalWord, type SignalWord } from '@kawal/core/readiness/readiness.ts'
import { stationCode } from '../measurement/enrolment.ts'
import { findPlan, type Plan } from '../readiness/plans.ts'
import type { PresentEdition } from '../readiness/present.ts'
import { inArea } from '../readiness/read.ts'
import { sha256 } from './key.ts'
import type { SigmonSettings } from './settings.ts'

/** What a pack is made of besides the database. */
export interface PackInputs {
  readonly secret: Buffer
  readonly settings: SigmonSettings
  /** The edition whose cells better places are looked up in; null when there is none. */
  readonly edition: () => Promise<PresentEdition | null>
}

export type PackContent = Omit<Pack, 'madeAt'>
/** The content, and the newest word on its access points that it has (an id of `access_point_state`). */
interface District { readonly content: PackContent; readonly said: number | null }

/** Access points this far from any place of the district, the nearest so many of them, and those its stations are sent to. */
const access_km = 25
const access_max = 400
const note_length_max = 200
const letters: Readonly<Record<SignalWord, string>> = { kuat: 'k', sedang: 's', lemah: 'l', tidak_ada: 't', tanpa_data: 'u' }

/** Degrees as a pack has them: 1e-5 is 1.1 m. */
const packed = (degrees: number): number => Math.round(degrees * 1e5)
const packedOrNull = (degrees: number | null): number | null => (degrees === null ? null : packed(degrees))
const whole = (minutes: number | null): number | null => (minutes === null ? null : Math.round(minutes))

interface StationRecord {
  code: string; latitude: number | null; longitude: number | null; grade: 'fix' | 'venue' | 'village' | null; zone: string
  class: PackStation[3]; usable: (number | null)[] | null; best: string | null; second: string | null; point: string | null; slot_start: number | null; slot: number | null
}
interface VillageRecord { code: string; level: string; name: string; latitude: number | null; longitude: number | null }
interface PointRecord { id: string; said: number | null; kind: PackAccessPoint[0]; name: string; latitude: number; longitude: number; working: boolean | null; said_at: Date | null; note: string | null; uplink_mbps: number | null }

/** The content of one district's pack as of now; null when the register has no such district. */
export async function readDistrict(client: pg.ClientBase, district: string, inputs: PackInputs): Promise<District | null> {
  const { rows: regions } = await client.query<VillageRecord>(
    `SELECT code, level, name, latitude, longitude FROM region_now WHERE code IN ($1, left($1, 4), left($1, 2)) OR (level = 'village' AND ${inArea('code', '$1')}) ORDER BY code`, [district])
  const nameOf = (level: string): string => regions.find((region) => region.level === level)?.name ?? ''
  if (nameOf('district') === '') return null
  const villages = regions.filter((region) => region.level === 'village')
  const plan = await findPlan(client)
  const { rows: stations } = await client.query<StationRecord>(
    `SELECT s.code, s.latitude, s.longitude, s.position_grade AS grade, s.zone, r.class, r.usable, r.best, r.second, r.access_point_id AS point, r.slot_start_min AS slot_start, r.slot_min AS slot
     FROM station_now s LEFT JOIN readiness r ON r.plan_id = $2 AND r.station_code = s.code WHERE ${inArea('s.code', '$1')} ORDER BY s.code`, [district, plan?.id ?? null])
  const operators = await operatorsOf(client, plan)
  const places = [...villages, ...stations].flatMap(({ latitude, longitude }) => (latitude === null || longitude === null ? [] : [{ latitude, longitude }]))
  const points = await pointsAround(client, places, [...new Set(stations.flatMap(({ point }) => (point === null ? [] : [point])))])
  const better = plan === null || operators.length === 0 || stations.every((station) => !needsBetter(station)) ? null : betterPlaces(await inputs.edition(), plan)
  const rows: [string, PackStation][] = []
  for (const station of stations) rows.push([station.code.slice(6), await stationRow(station, plan, operators, better, inputs.secret)])
  const content: PackContent = {
    district,
    head: {
      name: nameOf('district'), regency: nameOf('regency'), province: nameOf('province'), zone: stations[0]?.zone ?? 'Asia/Jakarta',
      ...(await editionOf(client, plan)), plan: plan?.id ?? null, operators, helpLines: inputs.settings.helpLines, forms: inputs.settings.forms,
    },
    villages: Object.fromEntries(villages.map(({ code, name, latitude, longitude }) => [code.slice(6), [name, packedOrNull(latitude), packedOrNull(longitude)]])),
    stations: Object.fromEntries(rows),
    access: Object.fromEntries(points.map((point) => [point.id, pointRow(point)])),
  }
  return { content, said: points.reduce<number | null>((newest, { said }) => (said === null ? newest : Math.max(newest ?? 0, said)), null) }
}

/** Those of the plan, in its order; without one, those that have a PLMN code today. */
async function operatorsOf(client: pg.ClientBase, plan: Plan | null): Promise<[string, string][]> {
  const { rows } = await client.query<{ id: string; name: string }>(
    `SELECT id, name FROM organisation WHERE id = ANY ($1::text[]) OR ($1 IS NULL AND id IN (
       SELECT organisation_id FROM operator_code WHERE valid_from <= current_date AND (valid_to IS NULL OR valid_to > current_date))) ORDER BY id`, [plan?.operators ?? null])
  if (plan === null) return rows.map(({ id, name }) => [id, name])
  return plan.operators.map((id) => [id, rows.find((row) => row.id === id)?.name ?? id])
}

async function editionOf(client: pg.ClientBase, plan: Plan | null): Promise<{ edition: string | null; editionOn: string | null }> {
  const { rows: [row] } = await client.query<{ id: string; on: string }>('SELECT id, valid_on::text AS on FROM edition WHERE id = $1', [plan?.edition ?? null])
  return { edition: row?.id ?? null, editionOn: row?.on ?? null }
}

/** Points around these places, nearest first as long as there is room, and the assigned ones however far. */
async function pointsAround(client: pg.ClientBase, places: readonly Position[], assigned: readonly string[]): Promise<PointRecord[]> {
  const [latitudes, longitudes] = [places.map((place) => place.latitude), places.map((place) => place.longitude)]
  const margin = access_km / degree_km
  const east_margin = margin / Math.max(0.1, Math.cos((Math.max(0, ...latitudes.map(Math.abs)) * Math.PI) / 180))
  const box = places.length === 0 ? [null, null, null, null] : [Math.min(...latitudes) - margin, Math.max(...latitudes) + margin, Math.min(...longitudes) - east_margin, Math.max(...longitudes) + east_margin]
  const { rows } = await client.query<PointRecord>(
    `SELECT a.id, a.kind, a.name, a.latitude, a.longitude, st.id AS said, st.working, st.said_at, st.note, st.uplink_mbps FROM access_point a
     LEFT JOIN LATERAL (SELECT id, working, uplink_mbps, note, said_at FROM access_point_state WHERE access_point_state.access_point_id = a.id ORDER BY access_point_state.id DESC LIMIT 1) st ON true
     WHERE a.valid_from <= current_date AND (a.valid_to IS NULL OR a.valid_to > current_date) AND a.latitude IS NOT NULL AND a.longitude IS NOT NULL
       AND (a.id = ANY ($1) OR (a.latitude BETWEEN $2 AND $3 AND a.longitude BETWEEN $4 AND $5)) ORDER BY a.id`, [assigned, ...box])
  if (places.length === 0) return rows
  const away = nearestAll(makeNearestTree(Float64Array.from(latitudes), Float64Array.from(longitudes)), Float64Array.from(rows, (row) => row.latitude), Float64Array.from(rows, (row) => row.longitude)).distance_km
  return rows.map((point, at) => ({ point, away_km: assigned.includes(point.id) ? -1 : (away[at] ?? Infinity) }))
    .filter(({ away_km }) => away_km <= access_km).sort((a, b) => a.away_km - b.away_km).slice(0, access_max).map(({ point }) => point)
}

const pointRow = ({ kind, name, latitude, longitude, working, said_at, note, uplink_mbps }: PointRecord): PackAccessPoint =>
  [kind, name, packed(latitude), packed(longitude), working, said_at?.toISOString() ?? null, (note ?? '').slice(0, note_length_max), uplink_mbps === null ? null : Math.round(uplink_mbps * 100) / 100]

type Better = (at: Position) => Promise<readonly [latitude: number, longitude: number, operator: number] | null>

const needsBetter = ({ class: known }: StationRecord): boolean => known !== null && known !== 'a' && known !== 'b'

/** The nearest usable cell within the plan's limits; looked for once for each cell that stations stand in. */
function betterPlaces(edition: PresentEdition | null, plan: Plan): Better | null {
  if (edition === null) return null
  const grid = edition.atlas.national
  const reach = edition.looker(plan.operators).national
  const { usable, place_km } = plan.config.thresholds
  const known = new Map<number, Awaited<ReturnType<Better>>>()
  return async (at) => {
    const cell = keyAt(at.latitude, at.longitude, grid.resolution)
    const held = known.get(cell)
    if (held !== undefined) return held
    // in the middle of nothing one search takes several milliseconds, and a district has many: reports come in between two of them
    await new Promise((resolve) => setImmediate(resolve))
    const place = nearestCovered(grid, reach, at, 0, place_km, usable)
    const found = place === null ? null : ([packed(place.position.latitude), packed(place.position.longitude), place.operator] as const)
    known.set(cell, found)
    return found
  }
}

async function stationRow(station: StationRecord, plan: Plan | null, operators: readonly (readonly [string, string])[], better: Better | null, secret: Buffer): Promise<PackStation> {
  const { code, latitude, longitude, grade, usable } = station
  const index = (id: string | null): number | null => {
    const at = operators.findIndex(([each]) => each === id)
    return at < 0 ? null : at
  }
  const words = operators.map((_, at) => {
    const step = usable?.[at]
    return letters[plan === null || step === null || step === undefined ? 'tanpa_data' : signalWord(step / 200, plan.config.thresholds)]
  }).join('')
  const place = better !== null && needsBetter(station) && latitude !== null && longitude !== null ? await better({ latitude, longitude }) : null
  return [
    packedOrNull(latitude), packedOrNull(longitude), grade, station.class, words, index(station.best), index(station.second), await letterVerifier(code, stationCode(secret, code), sha256),
    station.point, whole(station.slot_start), whole(station.slot), place?.[0] ?? null, place?.[1] ?? null, place?.[2] ?? null,
    await letterVerifier(code, stationCode(secret, code, 'supervisor'), sha256),
  ]
}
