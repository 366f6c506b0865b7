import type pg from 'pg'
import { no_clock } from '@kawal/core/impact/deadline.ts'
import type { StationFacts } from '@kawal/core/impact/impact.ts'
import { elsewhere, operators_max, point, type Ways } from '@kawal/core/impact/ways.ts'
import { findPlan, type Plan } from '../readiness/plans.ts'
import { readCopy } from '../register/copy.ts'

/** What the register says of a station. */
export interface ImpactStation {
  readonly code: string
  readonly zone: string
  readonly voters: number | null
}

/** By row, in the order of codes: 41 bytes a station, 34 MB for 820,161, and as much again of `works` and `perhaps` while a plan is read. */
export interface Facts extends StationFacts {
  /** 13 digits as a number. */
  readonly codes: Float64Array
  readonly clock: Uint8Array
  ways: Ways
}

/** @param stations by code, ascending, as the register gives them */
export function makeFacts(stations: readonly ImpactStation[]): Facts {
  const column = (): Int32Array => new Int32Array(stations.length)
  return {
    codes: Float64Array.from(stations, (station) => Number(station.code)), voters: Int32Array.from(stations, (station) => station.voters ?? -1), clock: new Uint8Array(stations.length).fill(no_clock),
    ways: { works: column(), perhaps: column().fill(elsewhere), good: column(), poor: column(), bad: column(), hit: column(), doubt: column() },
  }
}

/** Row of a code, or -1; `from` is where it may begin to look: codes that ascend are found in a few steps each. */
export function rowOf(codes: Float64Array, code: string, from = 0): number {
  const wanted = Number(code)
  let [low, step] = [from, 1]
  while (low + step < codes.length && (codes[low + step] as number) <= wanted) step *= 2
  let high = Math.min(codes.length, low + step)
  while (low < high) {
    const middle = (low + high) >> 1
    if ((codes[middle] as number) < wanted) low = middle + 1
    else high = middle
  }
  return codes[low] === wanted ? low : -1
}

/** Rows of codes, each once; -1 for what the register does not have. Codes that ascend are found fastest. */
export function rowsOf(codes: Float64Array, stations: readonly string[]): Int32Array {
  const rows = new Int32Array(stations.length)
  let from = 0
  for (let at = 0; at < stations.length; at++) {
    const code = stations[at] as string
    if ((codes[from] ?? Infinity) > Number(code)) from = 0
    const row = rowOf(codes, code, from)
    rows[at] = row
    if (row >= 0) from = row
  }
  return rows
}

/** Operators by their bits, in the order in which they were first heard of. */
export class Operators {
  readonly names: string[] = []
  /** 0 for one that has none, and gets none when so many have. */
  bit(name: string, most = 0): number {
    const known = this.names.indexOf(name)
    if (known >= 0) return 1 << known
    return this.names.length < Math.min(most, operators_max) ? 1 << (this.names.push(name) - 1) : 0
  }
}

/** P(usable) is kept in steps of 1/200. */
const steps = 200

/** What a plan says of each watched station's ways: two columns that take the place of the older ones when they are whole. */
interface PlannedWays { readonly works: Int32Array; readonly perhaps: Int32Array; readonly stations: number }

/**
 * Reads the newest plan: of 820,161 stations in 0.6 s, in pieces of at most 30 ms. An operator is usable or not by the
 * limits that the plan was made with; between them, and where nothing is known, it is `perhaps`.
 * @param client as the system
 */
export async function readPlannedWays(client: pg.ClientBase, plan: Plan, facts: Facts, operators: Operators): Promise<PlannedWays> {
  const { usable, perhaps: least } = plan.config.thresholds
  const bits = plan.operators.map((name) => operators.bit(name, operators_max))
  const sum = (what: (column: string, bit: number) => string): string => (bits.length === 0 ? '0' : bits.map((bit, at) => `CASE WHEN ${what(`usable[${at + 1}]`, bit)} THEN ${bit === 0 ? elsewhere : bit} ELSE 0 END`).join(' | '))
  const limit = Math.ceil(usable * steps - 1e-9)
  // an operator without a bit is no way that anybody may count on
  const works = sum((column, bit) => (bit === 0 ? 'false' : `${column} >= ${limit}`))
  const unsure = sum((column, bit) => `${column} IS NULL OR (${column} >= ${Math.ceil(least * steps - 1e-9)}${bit === 0 ? '' : ` AND ${column} < ${limit}`})`)
  const unplanned = bits.reduce((all, bit) => all | bit, elsewhere)
  const found = { works: new Int32Array(facts.codes.length), perhaps: new Int32Array(facts.codes.length).fill(unplanned) }
  let [row, stations] = [0, 0]
  await readCopy(client, `SELECT station_code, (${works})::int4, (${unsure})::int4 FROM readiness WHERE plan_id = ${plan.id} ORDER BY station_code`, (each) => {
    const code = Number(each.text(0))
    while ((facts.codes[row] as number) < code) row++
    if (facts.codes[row] !== code) return
    found.works[row] = each.int(1, 0)
    found.perhaps[row] = each.int(2, unplanned)
    stations++
  })
  await readPlannedPoints(client, plan, facts, found)
  return { ...found, stations }
}

/** Access points of the stations that a plan sends to one: working, or `perhaps` where nobody said so. */
export async function readPlannedPoints(client: pg.ClientBase, plan: Plan, facts: Facts, into: Pick<PlannedWays, 'works' | 'perhaps'>): Promise<void> {
  const rows: number[] = []
  await readCopy(client, `SELECT station_code, CASE working WHEN true THEN 1 WHEN false THEN 0 END FROM readiness r
    LEFT JOIN (SELECT DISTINCT ON (access_point_id) access_point_id, working FROM access_point_state ORDER BY access_point_id, id DESC) s USING (access_point_id)
    WHERE r.plan_id = ${plan.id} AND r.access_point_id IS NOT NULL`, (each) => void rows.push(rowOf(facts.codes, each.text(0)), each.int(1, -1)))
  for (let row = 0; row < into.works.length; row++) {
    into.works[row] = (into.works[row] as number) & ~point
    into.perhaps[row] = (into.perhaps[row] as number) & ~point
  }
  for (let at = 0; at < rows.length; at += 2) {
    const [row, working] = [rows[at] as number, rows[at + 1] as number]
    if (row < 0) continue
    if (working === 1) into.works[row] = (into.works[row] as number) | point
    if (working === -1) into.perhaps[row] = (into.perhaps[row] as number) | point
  }
}

/** The newest plan, and the newest word on access points: while both are the same, so is what a plan says. */
export async function readPlanMark(client: pg.ClientBase): Promise<{ plan: Plan | null; said: number }> {
  const plan = await findPlan(client)
  const { rows: [row] } = await client.query<{ said: number | null }>('SELECT max(id) AS said FROM access_point_state')
  return { plan, said: row?.said ?? 0 }
}
