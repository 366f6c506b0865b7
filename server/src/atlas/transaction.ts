import type pg from 'pg'

/** Thrown inside a transaction to take it back on purpose; `inTransaction` ends quietly then. */
export class DryRun extends Error {}

/** Runs work in a transaction as the system: an owner who is no superuser stands behind the same wall as everybody. */
export async function inTransaction(client: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query("SELECT set_config('kawal.organisation', 'kawal', true), set_config('kawal.role', 'system', true)")
    await work()
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    if (!(error instanceof DryRun)) throw error
  }
}
