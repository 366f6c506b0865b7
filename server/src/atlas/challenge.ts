import { randomUUID } from 'node:crypto'
import { isValidCell } from 'h3-js'
import type pg from 'pg'
import type { Challenge, ChallengeCreate } from '@kawal/contract/atlas.ts'
import { rowOf, type Technology } from '@kawal/core/atlas/edition.ts'
import { ancestorOf, keyAt, keyOfCell, resolution_fine, resolution_national, type Key } from '@kawal/core/geo/cells.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { refuseElsewhere } from '../organisation/area.ts'
import { allowed, ProblemError } from '../problem.ts'
import { readGrid } from './editions.ts'

/**
 * Challenges of an edition: somebody who was there says that a cell is, or is not, as the atlas has it.
 * One that is accepted is evidence for the next edition; the one it was made against stays as it is.
 */

const fields = `id, edition_id AS edition, organisation_id AS organisation, operator_id AS operator, technology, cell, station_code AS station, says, evidence, status,
  opened_at AS "openedAt", decided_at AS "decidedAt", decided_by AS "decidedBy", answer`

type Row = Omit<Challenge, 'openedAt' | 'decidedAt'> & { openedAt: Date; decidedAt: Date | null }
const shown = (row: Row): Challenge => ({ ...row, openedAt: row.openedAt.toISOString(), decidedAt: row.decidedAt?.toISOString() ?? null })

/** @throws ProblemError body_invalid, not_found, station_unknown, not_allowed */
export async function openChallenge(database: Database, caller: Caller, given: ChallengeCreate, now: number): Promise<Challenge> {
  if ((given.cell === undefined) === (given.station === undefined)) throw new ProblemError('body_invalid', 'Name a cell or a station: one of the two.')
  if (given.cell !== undefined && !isValidCell(given.cell)) throw new ProblemError('body_invalid', `${given.cell} is no H3 index.`)
  return allowed(() => database.transaction(caller, async (client) => {
    const { rows: [known] } = await client.query<{ edition: boolean; operator: boolean; station: boolean }>(
      `SELECT EXISTS (SELECT FROM edition WHERE id = $1) AS edition, EXISTS (SELECT FROM organisation WHERE id = $2 AND kind IN ('operator', 'isp', 'bakti')) AS operator,
              $3::text IS NULL OR EXISTS (SELECT FROM station_now WHERE code = $3) AS station`, [given.edition, given.operator, given.station ?? null])
    if (known?.edition !== true) throw new ProblemError('not_found', `There is no edition ${given.edition}. GET /v1/atlas/editions lists them.`)
    if (!known.operator) throw new ProblemError('body_invalid', `${given.operator} is no operator that is known here.`)
    if (!known.station) throw new ProblemError('station_unknown', `The register has no station ${given.station}.`)
    if (given.cell !== undefined && !await onGrid(client, given.edition, given.cell)) throw new ProblemError('body_invalid', `The edition ${given.edition} has no cell ${given.cell}: it lies on no village's area.`)
    const { rows } = await client.query<Row>(
      `INSERT INTO challenge (id, edition_id, organisation_id, operator_id, technology, cell, station_code, says, evidence, status, opened_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10) RETURNING ${fields}`,
      [randomUUID(), given.edition, caller.organisation, given.operator, given.technology, given.cell ?? null, given.station ?? null, given.says, given.evidence, new Date(now)])
    return shown(rows[0] as Row)
  }))
}

/** A fine cell that is not looked at closely is part of its national one. */
async function onGrid(client: pg.ClientBase, edition: string, cell: string): Promise<boolean> {
  const resolution = Number(cell[1])
  const key = keyOfCell(cell, resolution)
  const national = await readGrid(client, edition, 'national')
  if (rowOf(national.cells, ancestorOf(key, resolution - resolution_national)) >= 0) return true
  return resolution === resolution_fine && rowOf((await readGrid(client, edition, 'fine')).cells, key) >= 0
}

export interface ChallengeFilter {
  readonly status: string | null
  readonly edition: string | null
  readonly operator: string | null
  readonly technology: string | null
  readonly cell: string | null
  readonly station: string | null
  readonly offset: number
  readonly limit: number
}

/** Those that a caller may see: its own, those that concern it, or all; newest first. */
export async function listChallenges(database: Database, caller: Caller, filter: ChallengeFilter): Promise<{ total: number; challenges: Challenge[] }> {
  mayRead(caller)
  const wanted = '($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR edition_id = $2) AND ($3::text IS NULL OR operator_id = $3) AND ($4::text IS NULL OR technology = $4) AND ($5::text IS NULL OR cell = $5) AND ($6::text IS NULL OR station_code = $6)'
  const values = [filter.status, filter.edition, filter.operator, filter.technology, filter.cell, filter.station]
  return database.transaction(caller, async (client) => {
    const { rows: [count] } = await client.query<{ total: number }>(`SELECT count(*) AS total FROM challenge WHERE ${wanted}`, values)
    const { rows } = await client.query<Row>(`SELECT ${fields} FROM challenge WHERE ${wanted} ORDER BY opened_at DESC, id OFFSET $7 LIMIT $8`, [...values, filter.offset, filter.limit])
    return { total: count?.total ?? 0, challenges: rows.map(shown) }
  })
}

function mayRead(caller: Caller): void {
  if (scopeOf(caller.role, 'challenge', 'read') === null) throw new ProblemError('not_allowed', 'Your role does not see challenges.')
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const missing = (id: string): ProblemError => new ProblemError('not_found', `There is no challenge ${id} that you may see.`)

export async function readChallenge(database: Database, caller: Caller, id: string): Promise<Challenge> {
  mayRead(caller)
  if (!uuid.test(id)) throw missing(id)
  const { rows: [row] } = await database.transaction(caller, (client) => client.query<Row>(`SELECT ${fields} FROM challenge WHERE id = $1`, [id]))
  if (row === undefined) throw missing(id)
  return shown(row)
}

/**
 * Decided once, by somebody who may decide all and did not make the challenge.
 * @throws ProblemError not_found, not_allowed, state_conflict
 */
export async function decideChallenge(database: Database, caller: Caller, id: string, decision: { readonly status: 'accepted' | 'refused'; readonly answer: string }, now: number): Promise<Challenge> {
  const challenge = await readChallenge(database, caller, id)
  if (scopeOf(caller.role, 'challenge', 'write') !== 'all') throw new ProblemError('not_allowed', 'The ministry and KPU decide challenges.')
  if (challenge.organisation === caller.organisation) throw new ProblemError('not_allowed', 'Your organisation made this challenge: another one that may decide has to.')
  const { rows: [row] } = await allowed(() => database.transaction(caller, async (client) => {
    // what concerns a cell lies in no office's area: KPU itself decides it
    await refuseElsewhere(client, [challenge.station ?? challenge.cell ?? ''])
    return client.query<Row>(
      `UPDATE challenge SET status = $2, answer = $3, decided_at = $4, decided_by = $5 WHERE id = $1 AND status = 'open' RETURNING ${fields}`,
      [id, decision.status, decision.answer, new Date(now), caller.organisation])
  }))
  if (row === undefined) throw new ProblemError('state_conflict', 'This challenge is decided already. Read it again.')
  return shown(row)
}

interface AcceptedChallenge {
  readonly operator: string
  readonly technology: Technology
  readonly key: Key
  readonly resolution: number
  readonly says: Challenge['says']
  /** YYYY-MM-DD, in UTC */
  readonly decidedOn: string
}

/**
 * Accepted challenges as evidence for the next edition, oldest first. One of a station holds for its fine
 * cell where its position is known closely, else for the national one; of a station without a position it
 * says nothing.
 * @param client as somebody who may read them all
 * @param since instant in ms; those that were decided from then on
 */
export async function acceptedChallenges(client: pg.ClientBase, since = 0): Promise<AcceptedChallenge[]> {
  const { rows } = await client.query<{ operator: string; technology: Technology; cell: string | null; latitude: number | null; longitude: number | null; grade: string | null; says: Challenge['says']; decided_on: string }>(
    `SELECT operator_id AS operator, technology, cell, latitude, longitude, position_grade AS grade, says, to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS decided_on
     FROM challenge LEFT JOIN station_now ON station_now.code = station_code WHERE status = 'accepted' AND decided_at >= $1 ORDER BY decided_at, id`, [new Date(since)])
  return rows.flatMap(({ cell, latitude, longitude, grade, decided_on, ...row }) => {
    const resolution = cell === null ? (grade === 'village' ? resolution_national : resolution_fine) : Number(cell[1])
    const key = cell !== null ? keyOfCell(cell, resolution) : latitude !== null && longitude !== null ? keyAt(latitude, longitude, resolution) : null
    return key === null ? [] : [{ ...row, key, resolution, decidedOn: decided_on }]
  })
}
