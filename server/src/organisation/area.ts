import type pg from 'pg'
import { ProblemError } from '../problem.ts'

/** Of these stations those that the caller's office has no say over (`kawal_area`); in its own transaction. */
export async function elsewhere(client: pg.ClientBase, stations: readonly string[]): Promise<Set<string>> {
  const { rows } = await client.query<{ code: string }>('SELECT code FROM unnest($1::text[]) AS asked (code) WHERE NOT starts_with(code, (SELECT kawal_area()))', [stations])
  return new Set(rows.map(({ code }) => code))
}

const told_max = 5
export const whoDecidesThere = 'KPU of that province or regency decides there, or KPU itself.'

/** @throws ProblemError not_allowed where one of them lies in an area that is not the caller's office's */
export async function refuseElsewhere(client: pg.ClientBase, stations: readonly string[]): Promise<void> {
  const others = [...await elsewhere(client, stations)]
  if (others.length > 0) throw new ProblemError('not_allowed', `${others.slice(0, told_max).join(', ')}${others.length > told_max ? ` and ${others.length - told_max} more` : ''} lies outside the area of your office. ${whoDecidesThere}`)
}
