import type pg from 'pg'
import type { AccessPoint, DecisionView, OperatorReadiness, ReadinessPage, ReadinessRow } from '@kawal/contract/readiness.ts'
import { signalWord, signalWords, type Thresholds } from '@kawal/core/readiness/readiness.ts'
import { cursorOf, cursorText, limit_default, type FlatRow } from './ask.ts'
import { planOf, refOf, type Plan } from './plans.ts'

/** What readiness may be asked for; lists are texts with commas. */
export interface ReadinessFilter {
  readonly area?: string
  readonly plan?: number
  readonly class?: string
  readonly operator?: string
  readonly word?: string
  readonly basis?: string
  readonly q?: string
  readonly sort?: 'code' | 'class' | 'voters' | 'distance'
  readonly page?: string
  readonly limit?: number
}

/** Shares are kept in steps of 1/200. */
const steps = 200
const share = (step: number | null | undefined): number | null => (step === null || step === undefined ? null : step / steps)

/** What each order sorts by, ascending; the code decides between equals. */
const orders: Readonly<Record<NonNullable<ReadinessFilter['sort']>, string>> = {
  code: '0',
  class: "CASE r.class WHEN 'a' THEN 6 WHEN 'b' THEN 5 WHEN 'c' THEN 4 WHEN 'unknown' THEN 3 WHEN 'd' THEN 2 ELSE 1 END",
  voters: '-coalesce(s.voters, -1)',
  // as float8: a real is not what its decimal text says
  distance: '-coalesce(r.distance_km::float8, -1)',
}

/** ':' follows '9': codes from the area's digits up to it are those that begin with them. */
export const inArea = (column: string, parameter: string): string => `(${parameter}::text IS NULL OR (${column} >= ${parameter} AND ${column} < ${parameter} || ':'))`

/** Codes of villages, districts and regencies whose name holds a text; null for what is the head of a code. */
async function namedLike(client: pg.ClientBase, q: string | undefined): Promise<string[] | null> {
  if (q === undefined || /^[0-9]+$/.test(q)) return null
  const { rows } = await client.query<{ code: string }>("SELECT code FROM region_now WHERE level <> 'province' AND strpos(lower(name), lower($1)) > 0", [q])
  return rows.map((row) => row.code)
}

/** A list of codes is looked up by hashing: one look for each level of a row's code. */
const searched = (column: string, parameter: string, named: readonly string[] | null): string =>
  named === null ? inArea(column, parameter) : `(${[10, 6, 4].map((digits) => `left(${column}, ${digits}) = ANY (${parameter}::text[])`).join(' OR ')})`

/** P of the operator's place in `usable` between the words' limits, in steps. */
function wordCondition(words: readonly string[], index: number, thresholds: Thresholds): string {
  const limits = [steps + 1, ...thresholds.words.map((least) => Math.ceil(least * steps - 1e-9)), 0]
  const at = `r.usable[${index + 1}]`
  return words.map((word) => {
    const place = signalWords.findIndex((each) => each === word)
    return word === 'tanpa_data' ? `${at} IS NULL` : `(${at} >= ${limits[place + 1]} AND ${at} < ${limits[place]})`
  }).join(' OR ')
}

/** The filter as SQL: conditions on `readiness r`, whose parameters are $1 to $6. */
function conditions(plan: Plan, filter: ReadinessFilter, named: readonly string[] | null): { where: string; values: unknown[] } {
  const list = (text: string | undefined): string[] | null => text?.split(',') ?? null
  const index = plan.operators.indexOf(filter.operator ?? '')
  const where = [
    'r.plan_id = $1', inArea('r.station_code', '$2'), '($3::text[] IS NULL OR r.class = ANY ($3))', '($4::text[] IS NULL OR r.basis = ANY ($4))', searched('r.station_code', '$5', named),
    filter.word === undefined ? '($6::text IS NULL OR r.best = $6)' : `$6::text IS NOT NULL AND (${index < 0 ? 'false' : wordCondition(filter.word.split(','), index, plan.config.thresholds)})`,
  ]
  return { where: where.join(' AND '), values: [plan.id, filter.area ?? null, list(filter.class), list(filter.basis), named ?? filter.q ?? null, filter.operator ?? null] }
}

interface StoredRow {
  station: string; village: string | null; district: string | null; regency: string | null; province: string | null
  latitude: number | null; longitude: number | null; position_grade: ReadinessRow['positionGrade']; voters: number | null
  class: ReadinessRow['class']; reason: string; basis: ReadinessRow['basis']; cells: number; usable: (number | null)[]; weak: (number | null)[]; best: string | null; second: string | null
  access_point_id: string | null; access_reason: string | null; distance_km: number | null; travel_min: number | null; slot_start_min: number | null; slot_min: number | null
  access_name: string | null; access_kind: AccessPoint['kind'] | null; access_latitude: number | null; access_longitude: number | null; working: boolean | null
  venue_id: string | null; venue_name: string | null; gain: number; class_after: ReadinessRow['class']; walk_km: number
  decision: DecisionView['decision'] | null; decided_at: Date; decided_by: string; decision_from: string; note: string
  sorted: number
}

/** Names of what a code lies in, for any query that has a code. */
export const placeColumns = (code: string): string => (['village', 'district', 'regency', 'province'] as const)
  .map((level, at) => `(SELECT name FROM region_now WHERE region_now.code = left(${code}, ${[10, 6, 4, 2][at]})) AS ${level}`).join(', ')

export function placeOf(row: { station: string; village: string | null; district: string | null; regency: string | null; province: string | null }) {
  const { station: code } = row
  return { station: code, village: row.village ?? code.slice(0, 10), district: row.district ?? code.slice(0, 6), regency: row.regency ?? code.slice(0, 4), province: row.province ?? code.slice(0, 2) }
}

/** The newest word on a pair of station and venue. */
export const decisionJoin = (station: string, venue: string): string =>
  `LEFT JOIN LATERAL (SELECT decision, decided_at, decided_by, valid_from::text AS decision_from, note FROM siting_decision
     WHERE siting_decision.station_code = ${station} AND siting_decision.venue_id = ${venue} ORDER BY siting_decision.id DESC LIMIT 1) dec ON true`

export function decisionOf(row: Pick<StoredRow, 'decision' | 'decided_at' | 'decided_by' | 'decision_from' | 'note'>, venue: string): DecisionView | null {
  if (row.decision === null) return null
  return { venue, decision: row.decision, validFrom: row.decision_from, decidedAt: row.decided_at.toISOString(), decidedBy: row.decided_by, note: row.note }
}

/** Only the order by voters looks at every station; else those of the page alone are looked up. */
const detail = (where: string, order: string, limit: string): string => `
  WITH picked AS MATERIALIZED (
    SELECT r.*, ${order} AS sorted FROM readiness r ${order === orders.voters ? 'LEFT JOIN station_now s ON s.code = r.station_code' : ''}
    WHERE ${where} ORDER BY sorted, r.station_code LIMIT ${limit})
  SELECT p.station_code AS station, ${placeColumns('p.station_code')}, s.latitude, s.longitude, s.position_grade, s.voters,
         p.class, p.reason, p.basis, p.cells, p.usable, p.weak, p.best, p.second, p.access_point_id, p.access_reason, p.distance_km, p.travel_min, p.slot_start_min, p.slot_min, p.sorted,
         a.name AS access_name, a.kind AS access_kind, a.latitude AS access_latitude, a.longitude AS access_longitude, st.working,
         m.venue_id, v.name AS venue_name, m.gain, m.class_after, m.walk_km, dec.*
  FROM picked p
  LEFT JOIN station_now s ON s.code = p.station_code
  LEFT JOIN access_point a ON a.id = p.access_point_id AND a.valid_to IS NULL
  LEFT JOIN LATERAL (SELECT working FROM access_point_state WHERE access_point_state.access_point_id = p.access_point_id ORDER BY access_point_state.id DESC LIMIT 1) st ON true
  LEFT JOIN siting_move m ON m.plan_id = p.plan_id AND m.station_code = p.station_code
  LEFT JOIN venue v ON v.id = m.venue_id AND v.valid_to IS NULL
  ${decisionJoin('p.station_code', 'm.venue_id')}
  ORDER BY p.sorted, p.station_code`

/** A real of the database with the digits that it has. */
export const tidy = (value: number | null): number | null => (value === null ? null : Math.round(value * 1e4) / 1e4)

function operatorsOf(plan: Plan, row: StoredRow, thresholds: Thresholds): OperatorReadiness[] {
  return plan.operators.map((operator, at) => {
    const usable = share(row.usable[at])
    return { operator, usable, weak: share(row.weak[at]), word: signalWord(usable, thresholds) }
  })
}

function wire(plan: Plan, thresholds: Thresholds, row: StoredRow): ReadinessRow {
  const access = row.access_point_id === null ? null : {
    id: row.access_point_id, name: row.access_name ?? row.access_point_id, kind: row.access_kind ?? 'ai', latitude: row.access_latitude, longitude: row.access_longitude, working: row.working,
    distanceKm: tidy(row.distance_km), travelMin: tidy(row.travel_min), slotStartMin: tidy(row.slot_start_min), slotMin: tidy(row.slot_min),
  }
  const move = row.venue_id === null ? null : {
    venue: row.venue_id, venueName: row.venue_name ?? row.venue_id, gain: tidy(row.gain) ?? 0, classAfter: row.class_after, walkKm: tidy(row.walk_km) ?? 0, decision: decisionOf(row, row.venue_id),
  }
  return {
    ...placeOf(row), latitude: row.latitude, longitude: row.longitude, positionGrade: row.position_grade, voters: row.voters,
    class: row.class, reason: row.reason, basis: row.basis, cells: row.cells, operators: operatorsOf(plan, row, thresholds), best: row.best, second: row.second, access, accessReason: row.access_reason, move,
  }
}

/** Rows of a plan that is known; a page more than asked for tells whether there is a next. */
export async function readRows(client: pg.ClientBase, plan: Plan, filter: ReadinessFilter): Promise<{ rows: ReadinessRow[]; next: string | null }> {
  const { where, values } = conditions(plan, filter, await namedLike(client, filter.q))
  const limit = filter.limit ?? limit_default
  const order = orders[filter.sort ?? 'code']
  const after = cursorOf(filter.page)
  // by code alone the partition's key gives the order
  const keyset = after === null ? 'true' : order === orders.code ? '$8::float8 IS NOT NULL AND r.station_code > $9' : `(${order}, r.station_code) > ($8::float8, $9)`
  const { rows } = await client.query<StoredRow>(detail(`${where} AND ${keyset}`, order, '$7'), [...values, limit + 1, ...(after ?? [])])
  const last = rows[limit - 1]
  const thresholds = plan.config.thresholds
  return { rows: rows.slice(0, limit).map((row) => wire(plan, thresholds, row)), next: rows.length > limit && last !== undefined ? cursorText([last.sorted, last.station]) : null }
}

/** One page with the number of all rows of the filter. */
export async function readPage(client: pg.ClientBase, filter: ReadinessFilter): Promise<ReadinessPage> {
  const plan = await planOf(client, filter.plan)
  const { where, values } = conditions(plan, filter, await namedLike(client, filter.q))
  const counted = await client.query<{ total: number }>(`SELECT count(*) AS total FROM readiness r WHERE ${where}`, values)
  return { plan: refOf(plan), total: counted.rows[0]?.total ?? 0, ...(await readRows(client, plan, filter)) }
}

const fixedColumns = ['station', 'province', 'regency', 'district', 'village', 'class', 'reason', 'basis', 'latitude', 'longitude', 'position_grade', 'voters', 'best', 'second'] as const
const laterColumns = ['access_point', 'access_point_name', 'access_point_kind', 'distance_km', 'travel_min', 'slot_start_min', 'slot_min', 'access_reason', 'venue', 'venue_name', 'gain', 'walk_km', 'decision'] as const

/** Columns of the list as CSV: one of each operator for P(usable) and one for KPU's word. */
export const readinessColumns = (operators: readonly string[]): string[] => [...fixedColumns, ...operators.flatMap((operator) => [`${operator}_usable`, `${operator}_word`]), ...laterColumns]

export function flatten(row: ReadinessRow): FlatRow {
  const { access, move } = row
  return {
    station: row.station, province: row.province, regency: row.regency, district: row.district, village: row.village, class: row.class, reason: row.reason, basis: row.basis,
    latitude: row.latitude, longitude: row.longitude, position_grade: row.positionGrade, voters: row.voters, best: row.best, second: row.second,
    ...Object.fromEntries(row.operators.flatMap(({ operator, usable, word }) => [[`${operator}_usable`, usable], [`${operator}_word`, word]])),
    access_point: access?.id ?? null, access_point_name: access?.name ?? null, access_point_kind: access?.kind ?? null, distance_km: access?.distanceKm ?? null, travel_min: access?.travelMin ?? null,
    slot_start_min: access?.slotStartMin ?? null, slot_min: access?.slotMin ?? null, access_reason: row.accessReason,
    venue: move?.venue ?? null, venue_name: move?.venueName ?? null, gain: move?.gain ?? null, walk_km: move?.walkKm ?? null, decision: move?.decision?.decision ?? null,
  }
}
