import type { Database } from './adapters/postgres/database.ts'
import { ProblemError } from './problem.ts'

/** A rehearsal's officers, reports and tickets never go into a database that serves, nor the other way round. */
export async function claimUse(database: Database, wanted: keyof typeof refusals): Promise<void> {
  const { rows } = await database.pool.query<{ use: string }>('SELECT kawal_use($1) AS use', [wanted])
  if (rows[0]?.use === wanted) return
  throw new ProblemError('state_conflict', refusals[wanted])
}

const refusals = {
  rehearsal: 'This data folder is used by kawal serve: a rehearsal would mix simulated reports and tickets with real ones. Rehearse in another folder with --data.',
  service: 'This data folder holds a rehearsal or the custody of a box: its officers, reports and tickets are simulated, or it has none. Serve from another folder with --data, and import the registers there.',
  custody: 'This data folder is used by kawal serve, or holds a rehearsal: a box at an access point keeps what it carries in a folder of its own. Give it another with --data.',
} as const
