import type { Database } from './adapters/postgres/database.ts'
import { ProblemError } from './problem.ts'

/** A rehearsal's officers, reports and tickets never go into a database that serves, nor the other way round. */
export async function claimUse(database: Database, wanted: 'service' | 'rehearsal'): Promise<void> {
  const { rows } = await database.pool.query<{ use: string }>('SELECT kawal_use($1) AS use', [wanted])
  if (rows[0]?.use === wanted) return
  throw new ProblemError('state_conflict', wanted === 'rehearsal'
    ? 'This data folder is used by kawal serve: a rehearsal would mix simulated reports and tickets with real ones. Rehearse in another folder with --data.'
    : 'This data folder holds a rehearsal: its officers, reports and tickets are simulated. Serve from another folder with --data, and import the registers there.')
}
