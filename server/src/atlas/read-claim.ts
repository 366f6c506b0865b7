import type pg from 'pg'
import type { Runs } from '@kawal/core/geo/cells.ts'
import { decodeRuns } from './runs-codec.ts'

type Client = Pick<pg.ClientBase, 'query'>

interface Claim {
  readonly id: number
  /** null: sites of a code that no operator is known for. */
  readonly organisation: string | null
  readonly technology: string
  readonly kind: 'polygon' | 'raster' | 'sites' | 'points'
  /** Outside it there is no coverage; a list of sites that is not complete proves no absence. */
  readonly complete: boolean
  /** YYYY-MM-DD */
  readonly validFrom: string
  /** Fine cells; null for sites, which readSites gives. */
  readonly runs: Runs | null
}

/**
 * The claims that hold on a day (YYYY-MM-DD): of each operator and technology the area of the newest day on
 * or before it (two kinds of one day both hold), and beside it the newest list of sites: a complete one,
 * however old, rather than one that is not.
 */
export async function readClaims(client: Client, date: string): Promise<Claim[]> {
  const { rows } = await client.query<Omit<Claim, 'runs'> & { runs: Buffer | null }>(
    `SELECT id, organisation_id AS organisation, technology, kind, complete, valid_from::text AS "validFrom", runs FROM (
       SELECT *, rank() OVER (PARTITION BY organisation_id, technology, kind = 'sites' ORDER BY complete DESC, valid_from DESC) AS rank FROM claim WHERE valid_from <= $1) AS ranked
     WHERE rank = 1 ORDER BY organisation_id NULLS LAST, technology, kind`, [date],
  )
  return rows.map((row) => ({ ...row, runs: row.runs === null ? null : decodeRuns(row.runs) }))
}

/** Sites by columns, in the order of their file. A number that the file does not give is NaN. */
interface SiteColumns {
  readonly count: number
  /** MCC and MNC; null where the file gives none. */
  readonly plmn: readonly (string | null)[]
  readonly area: Float64Array
  readonly cell: Float64Array
  readonly unit: Float64Array
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  readonly height_m: Float64Array
  readonly azimuth_deg: Float64Array
  readonly beamwidth_deg: Float64Array
  readonly eirp_dbm: Float64Array
  readonly frequency_mhz: Float64Array
  readonly range_m: Float64Array
  readonly samples: Float64Array
  /** YYYY-MM-DD */
  readonly updated_on: readonly (string | null)[]
}

export async function readSites(client: Client, claimId: number): Promise<SiteColumns> {
  const { rows } = await client.query<(string | number | null)[]>({
    text: `SELECT plmn, updated_on::text, area, cell, unit, latitude, longitude, height_m, azimuth_deg, beamwidth_deg, eirp_dbm, frequency_mhz, range_m, samples
           FROM cell_site WHERE claim_id = $1 ORDER BY line`,
    values: [claimId], rowMode: 'array',
  })
  const texts = (at: number): (string | null)[] => rows.map((row) => row[at] as string | null)
  const numbers = (at: number): Float64Array => Float64Array.from(rows, (row) => (row[at] as number | null) ?? NaN)
  return {
    count: rows.length, plmn: texts(0), updated_on: texts(1), area: numbers(2), cell: numbers(3), unit: numbers(4), latitude: numbers(5), longitude: numbers(6),
    height_m: numbers(7), azimuth_deg: numbers(8), beamwidth_deg: numbers(9), eirp_dbm: numbers(10), frequency_mhz: numbers(11), range_m: numbers(12), samples: numbers(13),
  }
}

interface VillageArea {
  readonly code: string
  readonly runs: Runs
}

/** The villages' fine cells that hold on a day (YYYY-MM-DD; without one, the last imported), by code. */
export async function readVillageAreas(client: Client, date?: string): Promise<VillageArea[]> {
  const { rows } = await client.query<[string, Buffer]>({
    text: `SELECT code, runs FROM village_area WHERE CASE WHEN $1::date IS NULL THEN valid_to IS NULL ELSE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1) END ORDER BY code`,
    values: [date ?? null], rowMode: 'array',
  })
  return rows.map(([code, runs]) => ({ code, runs: decodeRuns(runs) }))
}

/** Samples by columns, in the order of their times. */
export interface SampleColumns {
  readonly count: number
  /** Milliseconds since 1970. */
  readonly at: Float64Array
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** NaN where it was not measured. */
  readonly rsrp_dbm: Float32Array
  readonly rssi_dbm: Float32Array
  /** 1 an upload worked, 0 it did not, -1 it was not tried. */
  readonly usable: Int8Array
  /** Equal numbers are one device, within this answer; -1 where it is not known. */
  readonly device: Int32Array
}

/**
 * Measured samples of an operator and technology from a time on.
 * @param operator the organisation's id
 * @param since milliseconds since 1970; `until` is exclusive
 */
export async function readSamples(client: Client, operator: string, technology: string, since: number, until = 8.64e15): Promise<SampleColumns> {
  const { rows } = await client.query<(number | boolean | string | null)[]>({
    text: `SELECT (extract(epoch FROM at) * 1000)::float8, latitude, longitude, rsrp_dbm, rssi_dbm, usable, encode(device, 'hex')
           FROM radio_sample WHERE organisation_id = $1 AND technology = $2 AND at >= $3 AND at < $4 ORDER BY at, latitude, longitude`,
    values: [operator, technology, new Date(since), new Date(until)], rowMode: 'array',
  })
  const number = (row: (number | boolean | string | null)[], at: number): number => (row[at] as number | null) ?? NaN
  const devices = new Map<string, number>()
  const deviceOf = (hash: string | null): number => {
    if (hash === null) return -1
    const before = devices.get(hash)
    if (before === undefined) devices.set(hash, devices.size)
    return before ?? devices.size - 1
  }
  return {
    count: rows.length,
    at: Float64Array.from(rows, (row) => number(row, 0)), latitude: Float64Array.from(rows, (row) => number(row, 1)), longitude: Float64Array.from(rows, (row) => number(row, 2)),
    rsrp_dbm: Float32Array.from(rows, (row) => number(row, 3)), rssi_dbm: Float32Array.from(rows, (row) => number(row, 4)),
    usable: Int8Array.from(rows, (row) => (row[5] === null ? -1 : Number(row[5]))), device: Int32Array.from(rows, (row) => deviceOf(row[6] as string | null)),
  }
}
