import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { PositionFix, PositionFixes, PositionGiven, PositionMeasured, PositionReceipt } from '@kawal/contract/readiness.ts'
import { inRuns, keyAt, resolution_fine } from '@kawal/core/geo/cells.ts'
import { distance_km, insideIndonesiasFrame, type Position } from '@kawal/core/geo/distance.ts'
import { decodeRuns } from '../atlas/runs-codec.ts'
import type { Device } from '../measurement/enrolment.ts'
import { refuseElsewhere } from '../organisation/area.ts'
import { ProblemError } from '../problem.ts'
import { inArea, placeColumns, placeOf } from '../readiness/read.ts'

/** Of KPU's own positions: from here on a warning, from there on a slip unless they are sure. Ours. */
const far_km = 5
const absurd_km = 50
/** An officer's position is taken without a person when it is this exact and this near. Ours. */
const accuracy_m_max = 100
const near_km = 2
/** What differs less from a place that is known says nothing new. */
const same_km = 0.1

type Placed = 'placed' | 'unchanged' | 'station_unknown' | 'version_later'

/** The station's next version, by who may decide: dated as an import dates it (0009_campaign.sql). */
export async function placeStation(client: pg.ClientBase, code: string, at: Position, grade: 'fix' | 'venue' | 'village', day: string): Promise<Placed> {
  const { rows } = await client.query<{ placed: Placed }>('SELECT kawal_place_station($1, $2, $3, $4, $5) AS placed', [code, at.latitude, at.longitude, grade, day])
  return rows[0]?.placed ?? 'station_unknown'
}

async function databaseDay(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ today: string }>('SELECT current_date::text AS today')
  return rows[0]?.today ?? ''
}

interface Village { readonly point: Position | null; readonly inside: (at: Position) => boolean | null }

async function villageOf(client: pg.ClientBase, code: string): Promise<Village> {
  const { rows } = await client.query<{ latitude: number | null; longitude: number | null; runs: Buffer | null }>(
    'SELECT n.latitude, n.longitude, a.runs FROM region_now n LEFT JOIN village_area a ON a.code = n.code AND a.valid_to IS NULL WHERE n.code = $1', [code])
  const { latitude = null, longitude = null, runs = null } = rows[0] ?? {}
  const area = runs === null ? null : decodeRuns(runs)
  return {
    point: latitude === null || longitude === null ? null : { latitude, longitude },
    inside: (at) => (area === null ? null : inRuns(area, keyAt(at.latitude, at.longitude, resolution_fine))),
  }
}

interface StationNow { readonly latitude: number | null; readonly longitude: number | null; readonly grade: string | null }

async function stationNow(client: pg.ClientBase, code: string): Promise<StationNow> {
  const { rows } = await client.query<StationNow>('SELECT latitude, longitude, position_grade AS grade FROM station_now WHERE code = $1', [code])
  if (rows[0] === undefined) throw new ProblemError('station_unknown', `${code} is not in the register. The code has 13 digits: village, then the number of the station.`)
  return rows[0]
}

const later = 'The station has a version from a later day already, such as an accepted move. Give that day or a later one, or withdraw the move first.'

function refuseOutside(at: Position): void {
  if (!insideIndonesiasFrame(at)) throw new ProblemError('body_invalid', `${at.latitude} ${at.longitude} lies outside Indonesia${insideIndonesiasFrame({ latitude: at.longitude, longitude: at.latitude }) ? ': latitude and longitude look swapped' : ''}.`)
}

/** KPU's own word: it holds at once. The distance from the village is said, and a slip is refused. */
export async function givePosition(client: pg.ClientBase, code: string, given: PositionGiven, now: number): Promise<PositionReceipt> {
  refuseOutside(given)
  await stationNow(client, code)
  await refuseElsewhere(client, [code])
  const village = await villageOf(client, code.slice(0, 10))
  const km = village.point === null ? null : distance_km(village.point, given)
  const inside = village.inside(given)
  if (km !== null && km > absurd_km && inside !== true && given.sure !== true)
    throw new ProblemError('state_conflict', `This is ${km.toFixed(0)} km from the point of its village. If it is right, send it again with sure: true.`)
  const placed = await placeStation(client, code, given, 'fix', given.validFrom)
  if (placed === 'station_unknown') throw new ProblemError('station_unknown', `${code} is not open in the register.`)
  if (placed === 'version_later') throw new ProblemError('state_conflict', later)
  const id = randomUUID()
  await client.query(
    `INSERT INTO position_fix (id, station_code, latitude, longitude, source, status, remark, given_at, decided_at, valid_from) VALUES ($1, $2, $3, $4, 'kpu', 'accepted', $5, $6, $6, $7)`,
    [id, code, given.latitude, given.longitude, given.remark ?? '', new Date(now), given.validFrom])
  const warnings: PositionReceipt['warnings'] = []
  if (inside === false) warnings.push('outside_village')
  if (km !== null && km > far_km && inside !== true) warnings.push('far_from_village')
  if (village.point === null && inside === null) warnings.push('village_unplaced')
  return { id, station: code, status: 'accepted', warnings, distanceKm: km }
}

/** Why a person has to look at an officer's position; nothing when nobody has to. */
function doubts(fix: PositionMeasured, village: Village, station: StationNow, km: number | null): PositionReceipt['warnings'] {
  const found: PositionReceipt['warnings'] = []
  if (fix.accuracyM > accuracy_m_max) found.push('inaccurate')
  const inside = village.inside(fix)
  if (inside === false && !(km !== null && km <= near_km)) found.push('outside_village')
  if (inside === null && km === null) found.push('village_unplaced')
  if (inside === null && km !== null && km > near_km) found.push('far_from_village')
  // what is known closely already, by KPU or by another officer, is not moved by a phone alone
  if (station.grade !== null && station.grade !== 'village' && !isSame(station, fix)) found.push('placed_already')
  return found
}

const isSame = ({ latitude, longitude }: StationNow, at: Position): boolean => latitude !== null && longitude !== null && distance_km({ latitude, longitude }, at) <= same_km

/**
 * An officer's position. It is taken by itself where it is exact, lies in the village and says nothing
 * against a place that is known closely; else it waits for KPU. A device keeps its newest alone, so that
 * no row follows a person.
 */
export async function measurePosition(client: pg.ClientBase, device: Device, fix: PositionMeasured, now: number): Promise<PositionReceipt> {
  refuseOutside(fix)
  const given_at = Date.parse(fix.givenAt)
  if (!Number.isFinite(given_at)) throw new ProblemError('body_invalid', `givenAt ${fix.givenAt} is no instant.`)
  const code = device.station
  const station = await stationNow(client, code)
  const village = await villageOf(client, code.slice(0, 10))
  const km = village.point === null ? null : distance_km(village.point, fix)
  const warnings = doubts(fix, village, station, km)
  const id = randomUUID()
  // a clock that runs ahead must not hold its place against later positions
  const { rows: kept } = await client.query<{ id: string }>(
    `INSERT INTO position_fix AS known (id, station_code, latitude, longitude, accuracy_m, source, device_key, status, given_at) VALUES ($1, $2, $3, $4, $5, 'officer', $6, 'open', $7)
     ON CONFLICT (device_key) DO UPDATE SET id = excluded.id, station_code = excluded.station_code, latitude = excluded.latitude, longitude = excluded.longitude, accuracy_m = excluded.accuracy_m,
       status = 'open', remark = '', given_at = excluded.given_at, decided_at = NULL, valid_from = NULL
     WHERE excluded.given_at > known.given_at RETURNING id`,
    [id, code, fix.latitude, fix.longitude, fix.accuracyM, device.key, new Date(Math.min(given_at, now))])
  if (kept.length === 0) return newestOf(client, device)
  if (warnings.length > 0) return { id, station: code, status: 'open', warnings, distanceKm: km }
  const day = await databaseDay(client)
  const placed = isSame(station, fix) && station.grade !== 'village' ? 'unchanged' : await placeStation(client, code, fix, 'fix', day)
  if (placed === 'version_later') return { id, station: code, status: 'open', warnings: ['version_later'], distanceKm: km }
  await client.query(`UPDATE position_fix SET status = 'accepted', decided_at = $2, valid_from = $3 WHERE id = $1`, [id, new Date(now), day])
  return { id, station: code, status: 'accepted', warnings: [], distanceKm: km }
}

/** What came late is not kept: the answer tells of what is. */
async function newestOf(client: pg.ClientBase, device: Device): Promise<PositionReceipt> {
  const { rows } = await client.query<{ id: string; station: string; status: PositionReceipt['status'] }>('SELECT id, station_code AS station, status FROM position_fix WHERE device_key = $1', [device.key])
  const [row] = rows
  if (row === undefined) throw new Error('a position that is newer was just seen')
  return { ...row, warnings: [], distanceKm: null }
}

/** KPU's word on a position that waits: of two who decide at once, one is told that it is decided. */
export async function decidePosition(client: pg.ClientBase, id: string, decision: { decision: 'accepted' | 'refused'; validFrom?: string; remark?: string }, now: number): Promise<PositionFix> {
  const day = decision.validFrom ?? (await databaseDay(client))
  const { rows: asked } = await client.query<{ code: string }>('SELECT station_code AS code FROM position_fix WHERE id::text = $1', [id])
  await refuseElsewhere(client, asked.map(({ code }) => code))
  const { rows } = await client.query<{ station_code: string; latitude: number; longitude: number }>(
    `UPDATE position_fix SET status = $2, decided_at = $3, remark = $4, valid_from = $5 WHERE id::text = $1 AND status = 'open' RETURNING station_code, latitude, longitude`,
    [id, decision.decision, new Date(now), decision.remark ?? '', decision.decision === 'accepted' ? day : null])
  const [row] = rows
  if (row === undefined) {
    const known = await readFixes(client, { id })
    if (known.total === 0) throw new ProblemError('not_found', 'There is no such position: its device may have given a newer one.')
    throw new ProblemError('state_conflict', `This position is ${known.rows[0]?.status ?? 'decided'} already.`)
  }
  if (decision.decision === 'accepted') {
    const placed = await placeStation(client, row.station_code, row, 'fix', day)
    if (placed === 'version_later') throw new ProblemError('state_conflict', later)
    if (placed === 'station_unknown') throw new ProblemError('station_unknown', `${row.station_code} is no longer in the register.`)
  }
  const [fix] = (await readFixes(client, { id })).rows
  if (fix === undefined) throw new Error('a position that was just decided is there')
  return fix
}

const fixes_max = 500

type StoredFix = Omit<PositionFix, 'givenAt' | 'decidedAt' | 'insideVillage' | 'distanceKm' | 'village' | 'district' | 'regency' | 'province'> & {
  given_at: Date; decided_at: Date | null; village: string | null; district: string | null; regency: string | null; province: string | null
  village_latitude: number | null; village_longitude: number | null; runs: Buffer | null
}

/** Positions given, oldest first where they wait, newest first of one station. */
export async function readFixes(client: pg.ClientBase, asked: { id?: string; station?: string; status?: string; area?: string }): Promise<PositionFixes> {
  const where = `($1::text IS NULL OR f.id::text = $1) AND ($2::text IS NULL OR f.station_code = $2) AND ($3::text IS NULL OR f.status = $3) AND ${inArea('f.station_code', '$4')}`
  const values = [asked.id ?? null, asked.station ?? null, asked.status ?? null, asked.area ?? null]
  const { rows: [counted] } = await client.query<{ total: number }>(`SELECT count(*) AS total FROM position_fix f WHERE ${where}`, values)
  const { rows } = await client.query<StoredFix>(
    `SELECT f.id, f.station_code AS station, ${placeColumns('f.station_code')}, f.latitude, f.longitude, f.accuracy_m AS "accuracyM", f.source, f.status, f.remark, f.given_at, f.decided_at,
            f.valid_from::text AS "validFrom", n.latitude AS village_latitude, n.longitude AS village_longitude, a.runs
     FROM position_fix f LEFT JOIN region_now n ON n.code = left(f.station_code, 10) LEFT JOIN village_area a ON a.code = left(f.station_code, 10) AND a.valid_to IS NULL
     WHERE ${where} ORDER BY f.given_at ${asked.station === undefined ? '' : 'DESC'}, f.id LIMIT ${fixes_max}`, values)
  return { total: counted?.total ?? 0, rows: rows.map(wire) }
}

function wire({ given_at, decided_at, village_latitude, village_longitude, runs, ...row }: StoredFix): PositionFix {
  return {
    ...row, ...placeOf(row), givenAt: given_at.toISOString(), decidedAt: decided_at?.toISOString() ?? null,
    insideVillage: runs === null ? null : inRuns(decodeRuns(runs), keyAt(row.latitude, row.longitude, resolution_fine)),
    distanceKm: village_latitude === null || village_longitude === null ? null : distance_km({ latitude: village_latitude, longitude: village_longitude }, row),
  }
}
