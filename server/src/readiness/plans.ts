import type pg from 'pg'
import type { PlanRef } from '@kawal/contract/readiness.ts'
import { ProblemError } from '../problem.ts'
import type { PlanConfig } from './plan.ts'

/** What `kawal plan` counted when it made a plan. */
interface PlanSummary {
  readonly classes: Readonly<Record<string, number>>
  readonly unknown: Readonly<Record<string, number>>
  readonly regencies: Readonly<Record<string, Readonly<Record<string, number>>>>
}
export interface Plan extends PlanRef {
  readonly summary: PlanSummary
  /** The settings that it was made with: what is worked out later for it uses the same. */
  readonly config: PlanConfig
}

/**
 * The newest finished plan, or the one that is asked for; null when there is none that the reader may see. A plan of
 * one province does not take the place of the nation's: it is found by its id, or where there is no other.
 */
export async function findPlan(client: pg.ClientBase, id?: number): Promise<Plan | null> {
  const { rows } = await client.query<Omit<Plan, 'madeAt'> & { made_at: Date }>(
    `SELECT id, made_at, valid_on::text AS "validOn", edition_id AS edition, operators, summary, config FROM plan
     WHERE finished AND ($1::bigint IS NULL OR id = $1) ORDER BY province IS NOT NULL, id DESC LIMIT 1`, [id ?? null])
  const [row] = rows
  if (row === undefined) return null
  const { made_at, ...plan } = row
  return { ...plan, madeAt: made_at.toISOString() }
}

export async function planOf(client: pg.ClientBase, id?: number): Promise<Plan> {
  const plan = await findPlan(client, id)
  if (plan !== null) return plan
  throw new ProblemError('not_found', id === undefined ? 'No plan was made yet. Make one with: kawal plan.' : `There is no finished plan ${id}.`)
}

export const refOf = ({ id, madeAt, validOn, edition, operators }: Plan): PlanRef => ({ id, madeAt, validOn, edition, operators })
