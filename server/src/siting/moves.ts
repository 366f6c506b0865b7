import type pg from 'pg'
import type { DecisionView, MoveRow, MovesPage } from '@kawal/contract/readiness.ts'
import { cursorOf, cursorText, limit_default, type FlatRow } from '../readiness/ask.ts'
import { planOf, refOf, type Plan } from '../readiness/plans.ts'
import { decisionJoin, decisionOf, inArea, placeColumns, placeOf, tidy } from '../readiness/read.ts'

export interface MoveFilter {
  readonly area?: string
  /** open: nobody decided */
  readonly decision?: 'accepted' | 'refused' | 'withdrawn' | 'open'
  readonly page?: string
  readonly limit?: number
}

interface StoredMove {
  station: string; village: string | null; district: string | null; regency: string | null; province: string | null; voters: number | null
  venue: string; venue_name: string | null; venue_kind: string | null; latitude: number | null; longitude: number | null
  gain: number; class_before: MoveRow['classBefore']; class_after: MoveRow['classAfter']; walk_km: number; walk_grade: MoveRow['walkGrade']; cost: number
  decision: DecisionView['decision'] | null; decided_at: Date; decided_by: string; decision_from: string; note: string
}

const from = (where: string): string => `
  FROM siting_move m ${decisionJoin('m.station_code', 'm.venue_id')}
  WHERE m.plan_id = $1 AND ${inArea('m.station_code', '$2')} AND ($3::text IS NULL OR coalesce(dec.decision, 'open') = $3) AND ${where}`

/** Proposals of a plan by station's code. */
export async function readMoves(client: pg.ClientBase, plan: Plan, filter: MoveFilter): Promise<{ rows: MoveRow[]; next: string | null }> {
  const limit = filter.limit ?? limit_default
  const after = cursorOf(filter.page)
  const { rows } = await client.query<StoredMove>(
    `WITH picked AS MATERIALIZED (SELECT m.*, dec.* ${from('($4::text IS NULL OR m.station_code > $4)')} ORDER BY m.station_code LIMIT $5)
     SELECT p.station_code AS station, ${placeColumns('p.station_code')}, s.voters, p.venue_id AS venue, v.name AS venue_name, v.kind AS venue_kind, v.latitude, v.longitude,
            p.gain, p.class_before, p.class_after, p.walk_km, p.walk_grade, p.cost, p.decision, p.decided_at, p.decided_by, p.decision_from, p.note
     FROM picked p LEFT JOIN station_now s ON s.code = p.station_code LEFT JOIN venue v ON v.id = p.venue_id AND v.valid_to IS NULL ORDER BY p.station_code`,
    [plan.id, filter.area ?? null, filter.decision ?? null, after?.[1] ?? null, limit + 1])
  const last = rows[limit - 1]
  return { rows: rows.slice(0, limit).map(wire), next: rows.length > limit && last !== undefined ? cursorText([0, last.station]) : null }
}

export async function readMovesPage(client: pg.ClientBase, filter: MoveFilter): Promise<MovesPage> {
  const plan = await planOf(client)
  const { rows: [counted] } = await client.query<{ total: number }>(`SELECT count(*) AS total ${from('true')}`, [plan.id, filter.area ?? null, filter.decision ?? null])
  return { plan: refOf(plan), total: counted?.total ?? 0, ...(await readMoves(client, plan, filter)) }
}

function wire(row: StoredMove): MoveRow {
  return {
    ...placeOf(row), voters: row.voters, venue: row.venue, venueName: row.venue_name ?? row.venue, venueKind: row.venue_kind ?? '', latitude: row.latitude, longitude: row.longitude,
    gain: tidy(row.gain) ?? 0, classBefore: row.class_before, classAfter: row.class_after, walkKm: tidy(row.walk_km), walkGrade: row.walk_grade, cost: tidy(row.cost) ?? 0, decision: decisionOf(row, row.venue),
  }
}

export const moveColumns = [
  'station', 'province', 'regency', 'district', 'village', 'voters', 'venue', 'venue_name', 'venue_kind', 'latitude', 'longitude', 'gain', 'class_before', 'class_after', 'walk_km', 'walk_from', 'cost',
  'decision', 'decision_from', 'decided_by', 'note',
] as const

export function flattenMove(row: MoveRow): FlatRow {
  return {
    station: row.station, province: row.province, regency: row.regency, district: row.district, village: row.village, voters: row.voters, venue: row.venue, venue_name: row.venueName, venue_kind: row.venueKind,
    latitude: row.latitude, longitude: row.longitude, gain: row.gain, class_before: row.classBefore, class_after: row.classAfter, walk_km: row.walkKm, walk_from: row.walkGrade, cost: row.cost,
    decision: row.decision?.decision ?? null, decision_from: row.decision?.validFrom ?? null, decided_by: row.decision?.decidedBy ?? null, note: row.decision?.note ?? null,
  }
}
