import type pg from 'pg'
import type { Campaign, CampaignStation, CampaignStations, Reminded, ReminderOrder } from '@kawal/contract/readiness.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { refuseElsewhere } from '../organisation/area.ts'
import { ProblemError } from '../problem.ts'
import { cursorOf, cursorText, limit_default, type FlatRow } from './ask.ts'
import { findPlan } from './plans.ts'
import { inArea, placeColumns, placeOf } from './read.ts'
import { digitsOf, namesOf, type Level } from './summary.ts'

/** Reports of a station since an instant, as one row: when the last one, and by which operators. */
const checked = `SELECT station_code, max(last_at) AS last_at, array_agg(operator_id ORDER BY operator_id) AS operators FROM station_check WHERE last_at >= $2 GROUP BY station_code`
const remindedSince = 'SELECT station_code, max(reminded_at) AS reminded_at FROM reminder WHERE reminded_at >= $2 GROUP BY station_code'
/** Stations whose accepted move was not taken back. */
const moving = `SELECT DISTINCT station_code FROM (SELECT DISTINCT ON (station_code, venue_id) station_code, decision FROM siting_decision ORDER BY station_code, venue_id, id DESC) AS words WHERE decision = 'accepted'`

type AreaCounts = Campaign['total']
const noCounts = (): AreaCounts => ({ stations: 0, checked: 0, operators: {}, lastCheckAt: null, fixes: 0, movesAccepted: 0, reminded: 0, notReminded: 0 })

/** How far the campaign has come, area by area. A station that reported counts as checked; nobody is asked. */
export async function readCampaign(client: pg.ClientBase, asked: { level: Level; area?: string; since: Date; now: number }): Promise<Campaign> {
  const digits = digitsOf(asked.level)
  const values = [asked.area ?? null, asked.since]
  const { rows } = await client.query<{ code: string; stations: number; checked: number; last_at: Date | null; fixes: number; moves: number; reminded: number }>(
    `SELECT left(s.code, ${digits}) AS code, count(*)::int AS stations, count(c.station_code)::int AS checked, max(c.last_at) AS last_at,
            count(*) FILTER (WHERE s.position_grade = 'fix')::int AS fixes, count(m.station_code)::int AS moves, count(r.station_code) FILTER (WHERE c.station_code IS NULL)::int AS reminded
     FROM station_now s LEFT JOIN (${checked}) c ON c.station_code = s.code LEFT JOIN (${moving}) m ON m.station_code = s.code LEFT JOIN (${remindedSince}) r ON r.station_code = s.code
     WHERE ${inArea('s.code', '$1')} GROUP BY 1 ORDER BY 1`, values)
  const { rows: operators } = await client.query<{ code: string; operator: string; stations: number }>(
    `SELECT left(station_code, ${digits}) AS code, operator_id AS operator, count(*)::int AS stations FROM station_check
     WHERE last_at >= $2 AND ${inArea('station_code', '$1')} GROUP BY 1, 2 ORDER BY 1, 2`, values)
  const names = await namesOf(client, rows.map((row) => row.code))
  const byArea = new Map(rows.map((row): [string, AreaCounts] => [row.code, {
    stations: row.stations, checked: row.checked, operators: {}, lastCheckAt: row.last_at?.toISOString() ?? null, fixes: row.fixes, movesAccepted: row.moves, reminded: row.reminded, notReminded: row.stations - row.checked - row.reminded,
  }]))
  for (const { code, operator, stations } of operators) {
    const area = byArea.get(code)
    if (area !== undefined) area.operators[operator === '' ? 'unknown' : operator] = stations
  }
  const total = noCounts()
  for (const area of byArea.values()) {
    for (const name of ['stations', 'checked', 'fixes', 'movesAccepted', 'reminded', 'notReminded'] as const) total[name] += area[name]
    for (const [operator, stations] of Object.entries(area.operators)) total.operators[operator] = (total.operators[operator] ?? 0) + stations
    if (area.lastCheckAt !== null && area.lastCheckAt > (total.lastCheckAt ?? '')) total.lastCheckAt = area.lastCheckAt
  }
  return { since: asked.since.toISOString(), countedAt: new Date(asked.now).toISOString(), level: asked.level, total, areas: [...byArea].map(([code, area]) => ({ code, name: names.get(code) ?? code, ...area })) }
}

type State = 'checked' | 'unchecked' | 'reminded' | 'not_reminded'
export interface CampaignFilter {
  readonly area?: string
  readonly since: Date
  readonly state?: State
  readonly page?: string
  readonly limit?: number
}

const states: Readonly<Record<State, string>> = {
  checked: 'c.station_code IS NOT NULL', unchecked: 'c.station_code IS NULL',
  reminded: 'c.station_code IS NULL AND r.station_code IS NOT NULL', not_reminded: 'c.station_code IS NULL AND r.station_code IS NULL',
}

const listed = (state: State | undefined): string => `
  FROM station_now s LEFT JOIN (${checked}) c ON c.station_code = s.code LEFT JOIN (${remindedSince}) r ON r.station_code = s.code
  WHERE ${inArea('s.code', '$1')} AND ${state === undefined ? 'true' : states[state]}`

export async function readCampaignRows(client: pg.ClientBase, filter: CampaignFilter): Promise<{ rows: CampaignStation[]; next: string | null }> {
  const limit = filter.limit ?? limit_default
  const after = cursorOf(filter.page)
  const plan = await findPlan(client)
  const { rows } = await client.query<Parameters<typeof placeOf>[0] & { class: CampaignStation['class']; grade: CampaignStation['positionGrade']; last_at: Date | null; operators: string[] | null; reminded_at: Date | null }>(
    `WITH picked AS MATERIALIZED (
       SELECT s.code AS station, s.position_grade AS grade, c.last_at, c.operators, r.reminded_at ${listed(filter.state)} AND ($3::text IS NULL OR s.code > $3) ORDER BY s.code LIMIT $4)
     SELECT p.*, ${placeColumns('p.station')}, (SELECT class FROM readiness WHERE plan_id = $5 AND station_code = p.station) AS class FROM picked p ORDER BY p.station`,
    [filter.area ?? null, filter.since, after?.[1] ?? null, limit + 1, plan?.id ?? null])
  const last = rows[limit - 1]
  return {
    rows: rows.slice(0, limit).map((row) => ({
      ...placeOf(row), class: row.class, positionGrade: row.grade, checkedAt: row.last_at?.toISOString() ?? null, operators: (row.operators ?? []).map((operator) => (operator === '' ? 'unknown' : operator)), remindedAt: row.reminded_at?.toISOString() ?? null,
    })),
    next: rows.length > limit && last !== undefined ? cursorText([0, last.station]) : null,
  }
}

export async function readCampaignPage(client: pg.ClientBase, filter: CampaignFilter): Promise<CampaignStations> {
  const { rows: [counted] } = await client.query<{ total: number }>(`SELECT count(*) AS total ${listed(filter.state)}`, [filter.area ?? null, filter.since])
  return { since: filter.since.toISOString(), total: counted?.total ?? 0, ...(await readCampaignRows(client, filter)) }
}

export const campaignColumns = ['station', 'province', 'regency', 'district', 'village', 'class', 'position_grade', 'checked_at', 'operators', 'reminded_at'] as const

export function flattenCampaign(row: CampaignStation): FlatRow {
  return {
    station: row.station, province: row.province, regency: row.regency, district: row.district, village: row.village, class: row.class, position_grade: row.positionGrade, checked_at: row.checkedAt,
    operators: row.operators.join(' '), reminded_at: row.remindedAt,
  }
}

/** An answer holds so many stations; the CSV holds all, and so does the list of stations with the state reminded. */
export const answered_max = 20_000

/**
 * Marks reminders: of an area its unchecked stations, else the stations named. Sending them is the
 * election commission's own channel, so what comes back is the list to send.
 * @param stations_max how many of them the list holds; all are marked
 */
export async function remind(client: pg.ClientBase, caller: Caller, order: ReminderOrder, asked: { since: Date; now: number; stations_max: number }): Promise<Reminded> {
  const { area, stations } = order
  if ((area === undefined) === (stations === undefined)) throw new ProblemError('body_invalid', 'Give either an area or stations.')
  const { rows: wanted } = stations === undefined
    ? await client.query<{ code: string }>(`SELECT s.code ${listed('unchecked')} ORDER BY 1`, [area, asked.since])
    : await client.query<{ code: string }>('SELECT code FROM station_now WHERE code = ANY ($1) ORDER BY 1', [stations])
  const codes = wanted.map((row) => row.code)
  const at = new Date(asked.now)
  await refuseElsewhere(client, codes)
  await client.query('INSERT INTO reminder (station_code, reminded_at, reminded_by) SELECT code, $2, $3 FROM unnest($1::text[]) AS listed (code)', [codes, at, caller.organisation])
  const { rows: places } = await client.query<Parameters<typeof placeOf>[0]>(
    `SELECT listed.station, ${placeColumns('listed.station')} FROM unnest($1::text[]) AS listed (station) ORDER BY 1`, [codes.slice(0, asked.stations_max)])
  const known = new Set(codes)
  return { remindedAt: at.toISOString(), total: codes.length, unknown: [...new Set(stations ?? [])].filter((code) => !known.has(code)).sort(), stations: places.map(placeOf) }
}
