import type { LiveArea, StationRow } from '@kawal/contract/live.ts'
import type { Enrolled } from '@kawal/contract/report.ts'
import type { Database } from '../adapters/postgres/database.ts'

export interface WatchedStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
  readonly positionGrade: StationRow['positionGrade']
  readonly zone: string
  readonly voters: number | null
}

/** The stations of the present register, by code; of one province, or of all. */
export async function loadMonitorStations(database: Database, province?: string): Promise<WatchedStation[]> {
  const { rows } = await database.pool.query<WatchedStation>(
    `SELECT code, village_code AS village, latitude, longitude, position_grade AS "positionGrade", zone, voters
     FROM station_now WHERE $1::text IS NULL OR code LIKE $1 || '%' ORDER BY code`, [province ?? null])
  return rows
}

/** Provinces, regencies and districts; 83,731 villages would not fit a snapshot. */
export async function loadAreas(database: Database, province?: string): Promise<{ code: string; level: LiveArea['level']; name: string }[]> {
  const { rows } = await database.pool.query<{ code: string; level: LiveArea['level']; name: string }>(
    `SELECT code, level, name FROM region_now
     WHERE level IN ('province', 'regency', 'district') AND ($1::text IS NULL OR code LIKE $1 || '%') ORDER BY code`, [province ?? null])
  return rows
}

/** Ids of all organisations. */
export async function loadOrganisations(database: Database): Promise<Set<string>> {
  const { rows } = await database.pool.query<{ id: string }>('SELECT id FROM organisation')
  return new Set(rows.map((row) => row.id))
}

/** Names of every region of the present register, villages too. */
export async function loadNames(database: Database, province?: string): Promise<Map<string, string>> {
  const { rows } = await database.pool.query<{ code: string; name: string }>("SELECT code, name FROM region_now WHERE $1::text IS NULL OR code LIKE $1 || '%'", [province ?? null])
  return new Map(rows.map((row) => [row.code, row.name]))
}

/** PLMN code and instant to organisation: XL and Smartfren are one since 16 April 2025. */
export async function loadOperatorCodes(database: Database): Promise<(plmn: string, at: number) => string | null> {
  const { rows } = await database.pool.query<{ plmn: string; organisation_id: string; valid_from: string; valid_to: string | null }>(
    'SELECT plmn, organisation_id, valid_from::text, valid_to::text FROM operator_code')
  const codes = new Map<string, { organisation: string; from: number; to: number }[]>()
  for (const row of rows)
    codes.set(row.plmn, [...(codes.get(row.plmn) ?? []), { organisation: row.organisation_id, from: Date.parse(row.valid_from), to: row.valid_to === null ? Infinity : Date.parse(row.valid_to) }])
  return (plmn, at) => codes.get(plmn)?.find((code) => code.from <= at && at < code.to)?.organisation ?? null
}

/** A station with the names an officer knows it by. */
export function stationReader(database: Database): (code: string) => Promise<Enrolled['station'] | null> {
  return async (code) => {
    const { rows } = await database.pool.query<Omit<Enrolled['station'], 'village' | 'district' | 'regency' | 'province'> & { names: Record<string, string> }>(
      `SELECT station_now.code, zone, station_now.latitude, station_now.longitude,
              (SELECT jsonb_object_agg(level, name) FROM region_now
               WHERE region_now.code IN (village_code, left(village_code, 6), left(village_code, 4), left(village_code, 2))) AS names
       FROM station_now WHERE station_now.code = $1`, [code])
    const [row] = rows
    if (row === undefined) return null
    const { names, ...station } = row
    return { ...station, village: names['village'] ?? '', district: names['district'] ?? '', regency: names['regency'] ?? '', province: names['province'] ?? '' }
  }
}
