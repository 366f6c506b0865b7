import type pg from 'pg'
import type { Static } from 'typebox'
import type { PlannedWorkDetail, PlannedWorkMeasured, PlannedWorkRow } from '@kawal/contract/planned-work.ts'
import type { PlannedWork } from '@kawal/core/detection/disturbance.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { readMeasured } from './measured.ts'
import type { Announced } from './work.ts'

export interface WorkRecord extends Announced {
  readonly id: number
  readonly operator: string
  readonly announcedAt: Instant
  readonly announcedBy: string
  readonly withdrawnAt: Instant | null
  readonly version: number
}

interface Row { id: number; organisation_id: string; title: string; from_at: Date; to_at: Date; areas: string[]; reason: string; announced_at: Date; announced_by: string; withdrawn_at: Date | null; version: number }

const recordOf = (row: Row): WorkRecord => ({
  id: row.id, operator: row.organisation_id, title: row.title, from: row.from_at.getTime(), to: row.to_at.getTime(), areas: row.areas, reason: row.reason,
  announcedAt: row.announced_at.getTime(), announcedBy: row.announced_by, withdrawnAt: row.withdrawn_at?.getTime() ?? null, version: row.version,
})

const rfc3339 = (at: Instant): string => new Date(at).toISOString()
/** Work of one organisation that lies ahead or runs. */
const open_max = 5_000
/** What overran is told of for so long after its end, and for that must be known to a restart. */
const overrun_ms = 30 * minute_ms
/** All work that lies ahead or runs, for a restart. */
const read_max = 50_000

export function toRow(work: WorkRecord, now: Instant, measured: PlannedWorkMeasured | null = null): PlannedWorkRow {
  return {
    id: String(work.id), operator: work.operator, title: work.title, from: rfc3339(work.from), to: rfc3339(work.to), areas: [...work.areas], reason: work.reason,
    state: work.withdrawnAt !== null ? 'withdrawn' : work.to <= now ? 'ended' : work.from <= now ? 'running' : 'upcoming',
    announcedAt: rfc3339(work.announcedAt), announcedBy: work.announcedBy, withdrawnAt: work.withdrawnAt === null ? null : rfc3339(work.withdrawnAt), version: work.version, measured,
  }
}

/** As detection takes it. */
export const toPlanned = ({ id, operator, from, to, areas }: WorkRecord): PlannedWork => ({ id: String(id), operator, from, to, areas })

/** For a restart: work that lies ahead, runs, or has just ended, by its beginning. */
export async function readPlannedWork(database: Database, now: Instant): Promise<PlannedWork[]> {
  const { rows } = await database.transaction(system, (client) => client.query<Row>('SELECT * FROM planned_work WHERE withdrawn_at IS NULL AND to_at > $1 ORDER BY from_at, id LIMIT $2', [new Date(now - overrun_ms), read_max]))
  return rows.map((row) => toPlanned(recordOf(row)))
}

/** Holds all others who announce for this operator until the transaction ends: of two that overlap, one gets in. */
export async function lockWork(client: pg.PoolClient, operator: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('planned work ' || $1, 0))", [operator])
}

/** Work of the operator that shares a place and a time with this, other than `except`; null where there is none. */
export async function overlapping(client: pg.PoolClient, operator: string, work: Announced, except: number | null): Promise<WorkRecord | null> {
  const { rows: [row] } = await client.query<Row>(
    `SELECT * FROM planned_work WHERE organisation_id = $1 AND withdrawn_at IS NULL AND from_at < $2 AND to_at > $3 AND id IS DISTINCT FROM $4
       AND EXISTS (SELECT FROM unnest(areas) AS a, unnest($5::text[]) AS b WHERE starts_with(a, b) OR starts_with(b, a)) ORDER BY id LIMIT 1`,
    [operator, new Date(work.to), new Date(work.from), except, work.areas])
  return row === undefined ? null : recordOf(row)
}

export async function addWork(client: pg.PoolClient, caller: Caller, operator: string, work: Announced, now: Instant): Promise<WorkRecord> {
  const { rows: [counted] } = await client.query<{ open: number }>('SELECT count(*) AS open FROM planned_work WHERE organisation_id = $1 AND withdrawn_at IS NULL AND to_at > $2', [operator, new Date(now)])
  if ((counted?.open ?? 0) >= open_max) throw new ProblemError('state_conflict', `${operator} has ${open_max} works ahead already. Withdraw some first.`)
  const { rows: [row] } = await client.query<Row>(
    `INSERT INTO planned_work (organisation_id, title, from_at, to_at, areas, reason, announced_at, announced_by, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1) RETURNING *`,
    [operator, work.title, new Date(work.from), new Date(work.to), work.areas, work.reason, new Date(now), caller.organisation])
  if (row === undefined) throw new Error('an inserted row comes back')
  const record = recordOf(row)
  await addTurn(client, caller, record, 'announced', now)
  return record
}

/** @throws ProblemError not_found */
export async function readWork(client: pg.PoolClient, id: string, forUpdate = false): Promise<WorkRecord> {
  const { rows: [row] } = /^[1-9][0-9]{0,14}$/.test(id) ? await client.query<Row>(`SELECT * FROM planned_work WHERE id = $1 ${forUpdate ? 'FOR UPDATE' : ''}`, [id]) : { rows: [] }
  if (row === undefined) throw new ProblemError('not_found', 'There is no such planned work that you may see.')
  return recordOf(row)
}

/** Writes work as it is now, one version on. */
export async function changeWork(client: pg.PoolClient, caller: Caller, work: WorkRecord, kind: 'changed' | 'withdrawn', now: Instant): Promise<WorkRecord> {
  const next = { ...work, version: work.version + 1 }
  const { rowCount } = await client.query('UPDATE planned_work SET title = $2, from_at = $3, to_at = $4, areas = $5, reason = $6, withdrawn_at = $7, version = $8 WHERE id = $1',
    [next.id, next.title, new Date(next.from), new Date(next.to), next.areas, next.reason, next.withdrawnAt === null ? null : new Date(next.withdrawnAt), next.version])
  if (rowCount === 0) throw new ProblemError('not_allowed', 'Your role may read this work, not change it.')
  await addTurn(client, caller, next, kind, now)
  return next
}

async function addTurn(client: pg.PoolClient, caller: Caller, work: WorkRecord, kind: 'announced' | 'changed' | 'withdrawn', now: Instant): Promise<void> {
  await client.query('INSERT INTO planned_work_turn (planned_work_id, version, organisation_id, at, by, kind, title, from_at, to_at, areas, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    [work.id, work.version, work.operator, new Date(now), caller.organisation, kind, work.title, new Date(work.from), new Date(work.to), work.areas, work.reason])
}

export interface WorkFilter { readonly operator: string | null; readonly state: PlannedWorkRow['state'] | null; readonly area: string | null; readonly offset: number; readonly limit: number }

const stateConditions: Readonly<Record<PlannedWorkRow['state'], string>> = {
  withdrawn: 'withdrawn_at IS NOT NULL AND $4::timestamptz IS NOT NULL', ended: 'withdrawn_at IS NULL AND to_at <= $4', running: 'withdrawn_at IS NULL AND from_at <= $4 AND to_at > $4', upcoming: 'withdrawn_at IS NULL AND from_at > $4',
}

/** @returns a page of the work that the caller may see, the latest beginning first, and how much there is */
export async function listWork(database: Database, caller: Caller, filter: WorkFilter, now: Instant): Promise<{ total: number; rows: PlannedWorkRow[] }> {
  const where = `($1::text IS NULL OR organisation_id = $1) AND ($2::text IS NULL OR EXISTS (SELECT FROM unnest(areas) AS code WHERE starts_with(code, $2) OR starts_with($2, code)))
    AND ($3::text IS NULL OR (${filter.state === null ? '$4::timestamptz IS NOT NULL' : stateConditions[filter.state]}))`
  const values = [filter.operator, filter.area, filter.state, new Date(now)]
  return database.transaction(caller, async (client) => {
    const { rows: [counted] } = await client.query<{ total: number }>(`SELECT count(*) AS total FROM planned_work WHERE ${where}`, values)
    const { rows } = await client.query<Row>(`SELECT * FROM planned_work WHERE ${where} ORDER BY from_at DESC, id DESC OFFSET $5 LIMIT $6`, [...values, filter.offset, filter.limit])
    const works = rows.map(recordOf)
    const measured = await readMeasured(client, works, now)
    return { total: counted?.total ?? 0, rows: works.map((work) => toRow(work, now, measured.get(work.id))) }
  })
}

export async function readDetail(database: Database, caller: Caller, id: string, now: Instant): Promise<Static<typeof PlannedWorkDetail>> {
  return database.transaction(caller, async (client) => {
    const work = await readWork(client, id)
    const { rows } = await client.query<Row & { at: Date; by: string; kind: 'announced' | 'changed' | 'withdrawn' }>('SELECT * FROM planned_work_turn WHERE planned_work_id = $1 ORDER BY version', [work.id])
    const measured = await readMeasured(client, [work], now)
    return { ...toRow(work, now, measured.get(work.id)), history: rows.map(({ version, at, by, kind, title, from_at, to_at, areas, reason }) => ({ version, at: at.toISOString(), by, kind, title, from: from_at.toISOString(), to: to_at.toISOString(), areas, reason })) }
  })
}
