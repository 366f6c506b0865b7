import type pg from 'pg'
import type { Zone } from '@kawal/core/register/zone.ts'

export interface RegisteredStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
  readonly zone: Zone
  readonly voters: number | null
}

type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.ClientBase, 'query'>

/** The present stations, of one province or all, in the order of their codes. */
export async function loadStations(client: Queryable, of: { province?: string } = {}): Promise<RegisteredStation[]> {
  const result = await client.query<RegisteredStation>(
    `SELECT code, village_code AS village, latitude, longitude, zone, voters FROM station_now
     WHERE $1::text IS NULL OR left(code, 2) = $1 ORDER BY code`,
    [of.province ?? null],
  )
  return result.rows
}

/** Names of the present regions; a code that is not there is not in the map. */
export async function regionNames(client: Queryable, codes: readonly string[]): Promise<Map<string, string>> {
  const result = await client.query<{ code: string; name: string }>('SELECT code, name FROM region_now WHERE code = ANY ($1)', [codes])
  return new Map(result.rows.map((row) => [row.code, row.name]))
}

/** PLMN code -> organisation on a day YYYY-MM-DD. */
export async function operatorOfPlmn(client: Queryable, date: string): Promise<Map<string, string>> {
  const result = await client.query<{ plmn: string; organisation_id: string }>(
    'SELECT plmn, organisation_id FROM operator_code WHERE valid_from <= $1::date AND (valid_to IS NULL OR valid_to > $1::date)', [date],
  )
  return new Map(result.rows.map((row) => [row.plmn, row.organisation_id]))
}

export interface AccessPoint {
  readonly id: string
  readonly kind: 'ai' | 'satellite' | 'bts'
  readonly name: string
  readonly latitude: number | null
  readonly longitude: number | null
  readonly village: string | null
}

/** The present access points that the caller of the transaction may see, of one province or all. */
export async function accessPoints(client: Queryable, of: { province?: string } = {}): Promise<AccessPoint[]> {
  const result = await client.query<AccessPoint>(
    `SELECT id, kind, name, latitude, longitude, village_code AS village FROM access_point
     WHERE valid_from <= current_date AND (valid_to IS NULL OR valid_to > current_date) AND ($1::text IS NULL OR left(village_code, 2) = $1) ORDER BY id`,
    [of.province ?? null],
  )
  return result.rows
}
