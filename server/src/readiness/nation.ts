import type pg from 'pg'
import { judge, type JudgedSample } from '@kawal/core/measurement/judge.ts'
import type { StationEvidence } from '@kawal/core/readiness/assess.ts'
import { copyRows, readCopy } from '../register/copy.ts'

/** Everything that a plan stands on, in columns: 820,161 stations as objects would take a gigabyte. */

export interface Villages {
  readonly codes: readonly string[]
  /** Degrees; NaN where no position is known. */
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** km2; NaN where unknown. */
  readonly area_km2: Float64Array
  /** Numbered as they come; -1 where unknown. */
  readonly landmass: Int32Array
  /** Of each village its stations' rows: from here to the next village's. One longer than the codes. */
  readonly first: Int32Array
}

export const grades = ['none', 'village', 'venue', 'fix'] as const

/** By code, so that a village's stations are neighbours. */
export interface Stations {
  readonly codes: readonly string[]
  /** Row of the village, or -1 where the register does not know it. */
  readonly village: Int32Array
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** Index in `grades`. */
  readonly grade: Uint8Array
  /** -1 where unknown. */
  readonly voters: Int32Array
}

export interface Points {
  readonly ids: readonly string[]
  readonly kinds: readonly ('ai' | 'satellite' | 'bts')[]
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  readonly landmass: Int32Array
  readonly working: Uint8Array
  /** Mbit/s as BAKTI said; NaN: as its kind has. */
  readonly uplink_mbps: Float64Array
}

export interface Venues {
  readonly ids: readonly string[]
  readonly kinds: readonly string[]
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** Row of the village. */
  readonly village: Int32Array
}

/** Columns that grow as rows come, by halves. */
class Growing {
  rows = 0
  readonly columns: Float64Array[]
  constructor(width: number) {
    this.columns = Array.from({ length: width }, () => new Float64Array(1 << 14))
  }
  push(...values: number[]): void {
    for (let i = 0; i < values.length; i++) {
      let column = this.columns[i] as Float64Array
      if (this.rows === column.length) {
        const more = new Float64Array(column.length * 2)
        more.set(column)
        this.columns[i] = column = more
      }
      column[this.rows] = values[i] as number
    }
    this.rows++
  }
  column(at: number): Float64Array {
    return (this.columns[at] as Float64Array).slice(0, this.rows)
  }
}

const inForce = (day: string): string => `valid_from <= '${day}' AND (valid_to IS NULL OR valid_to > '${day}')`

/** @param day YYYY-MM-DD, a calendar date: it goes into the query's text, which COPY takes no parameters in */
export async function readVillages(client: pg.ClientBase, day: string): Promise<Villages & { readonly landmasses: ReadonlyMap<string, number> }> {
  const codes: string[] = []
  const found = new Growing(4)
  const landmasses = new Map<string, number>()
  await readCopy(client, `SELECT code, latitude, longitude, area_km2, landmass FROM region WHERE level = 'village' AND ${inForce(day)} ORDER BY code`, (row) => {
    codes.push(row.text(0))
    const landmass = row.text(4)
    if (landmass !== '' && !landmasses.has(landmass)) landmasses.set(landmass, landmasses.size)
    found.push(row.float(1), row.float(2), row.float(3), landmasses.get(landmass) ?? -1)
  })
  return { codes, latitude: found.column(0), longitude: found.column(1), area_km2: found.column(2), landmass: Int32Array.from(found.column(3)), first: new Int32Array(codes.length + 1), landmasses }
}

/** Reads the stations and fills `villages.first`. */
export async function readStations(client: pg.ClientBase, day: string, villages: Villages, province?: string): Promise<Stations> {
  const codes: string[] = []
  const found = new Growing(4)
  const own = province === undefined ? '' : ` AND code LIKE '${province}%'`
  const grade = `CASE position_grade ${grades.slice(1).map((name, at) => `WHEN '${name}' THEN ${at + 1}`).join(' ')} ELSE 0 END`
  await readCopy(client, `SELECT code, latitude, longitude, ${grade}, voters FROM station WHERE ${inForce(day)}${own} ORDER BY code`, (row) => {
    codes.push(row.text(0))
    found.push(row.float(1), row.float(2), row.int(3, 0), row.int(4, -1))
  })
  const village = new Int32Array(codes.length).fill(-1)
  let at = 0
  for (let row = 0; row < codes.length; row++) {
    const code = (codes[row] as string).slice(0, 10)
    while (at < villages.codes.length && (villages.codes[at] as string) < code) villages.first[++at] = row
    if (villages.codes[at] === code) village[row] = at
  }
  villages.first.fill(codes.length, at + 1)
  return { codes, village, latitude: found.column(0), longitude: found.column(1), grade: Uint8Array.from(found.column(2)), voters: Int32Array.from(found.column(3)) }
}

/** Access points with a position and what was last said of them; those nobody spoke of are believed to be working. */
export async function readPoints(client: pg.ClientBase, day: string, villages: Villages): Promise<Points> {
  const { rows } = await client.query<{ id: string; kind: Points['kinds'][number]; latitude: number; longitude: number; village_code: string | null; working: boolean; uplink_mbps: number | null }>(
    `SELECT p.id, kind, latitude, longitude, village_code, coalesce(s.working, true) AS working, s.uplink_mbps
     FROM access_point p LEFT JOIN LATERAL (SELECT working, uplink_mbps FROM access_point_state WHERE access_point_id = p.id ORDER BY access_point_state.id DESC LIMIT 1) s ON true
     WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1) ORDER BY p.id`, [day])
  const rowOfVillage = villageRows(villages)
  return {
    ids: rows.map((row) => row.id), kinds: rows.map((row) => row.kind), latitude: Float64Array.from(rows, (row) => row.latitude), longitude: Float64Array.from(rows, (row) => row.longitude),
    landmass: Int32Array.from(rows, (row) => villages.landmass[rowOfVillage.get(row.village_code ?? '') ?? -1] ?? -1),
    working: Uint8Array.from(rows, (row) => Number(row.working)), uplink_mbps: Float64Array.from(rows, (row) => row.uplink_mbps ?? NaN),
  }
}

/** Venues with a position, of the given villages alone: a nation has 213,506 schools, and few stations have to move. */
export async function readVenues(client: pg.ClientBase, day: string, villages: Villages, wanted: readonly number[]): Promise<Venues> {
  const rowOfVillage = villageRows(villages)
  const ids: string[] = []
  const kinds: string[] = []
  const found = new Growing(3)
  await client.query('CREATE TEMP TABLE wanted (code text COLLATE "C" PRIMARY KEY) ON COMMIT DROP')
  await copyRows(client, 'wanted', wanted.map((row) => [villages.codes[row] ?? '']))
  await readCopy(client, `SELECT id, kind, latitude, longitude, village_code FROM venue JOIN wanted ON code = village_code WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND ${inForce(day)} ORDER BY village_code, id`, (row) => {
    ids.push(row.text(0))
    kinds.push(row.text(1))
    found.push(row.float(2), row.float(3), rowOfVillage.get(row.text(4)) ?? -1)
  })
  return { ids, kinds, latitude: found.column(0), longitude: found.column(1), village: Int32Array.from(found.column(2)) }
}

function villageRows(villages: Villages): ReadonlyMap<string, number> {
  return new Map(villages.codes.map((code, row) => [code, row]))
}

/**
 * What officers reported from each station in the days before, each device's newest word an operator once.
 * Only reports over a mobile network say something of an operator.
 */
export async function readReports(client: pg.ClientBase, operators: readonly string[], since: Date, until: Date): Promise<Map<string, StationEvidence[]>> {
  const { rows } = await client.query<{ station_code: string; operator_id: string; sample: JudgedSample }>(
    `SELECT DISTINCT ON (device_key, operator_id) station_code, operator_id, sample FROM report
     WHERE operator_id = ANY ($1) AND event_at > $2 AND event_at <= $3 AND sample->>'access' = 'cellular' ORDER BY device_key, operator_id, event_at DESC`, [operators, since, until])
  const found = new Map<string, { operator: number; good: number; bad: number }[]>()
  for (const { station_code, operator_id, sample } of rows) {
    const { quality } = judge(sample)
    if (quality === 'unknown') continue
    const own = found.get(station_code) ?? []
    found.set(station_code, own)
    const operator = operators.indexOf(operator_id)
    let entry = own.find((each) => each.operator === operator)
    if (entry === undefined) own.push((entry = { operator, good: 0, bad: 0 }))
    if (quality === 'good') entry.good++
    else entry.bad++
  }
  return found
}
