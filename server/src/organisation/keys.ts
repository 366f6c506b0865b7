import type { KeyMade, KeyRow, KeyScope } from '@kawal/contract/key.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { insertApiKey } from './sessions.ts'

/** Keys and sessions whose use is being noted: at most as many as there are, and in practice as many as the database has connections. */
const noting = new Set<string>()

/** Notes that a key or a session was used, at most once a minute, beside the request: a key that nobody uses can be revoked without fear, a session that nobody uses ends. */
export function noteUse(database: Database, table: 'api_key' | 'session', { id, lastUsedAt }: { readonly id: string; readonly lastUsedAt: Instant | null }, now: Instant, failed: (error: unknown) => void): void {
  if ((lastUsedAt !== null && now - lastUsedAt < minute_ms) || noting.has(id)) return
  noting.add(id)
  database.transaction(system, (client) => client.query(`UPDATE ${table} SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`, [id, new Date(now)]))
    .catch(failed).finally(() => noting.delete(id))
}

/** A key for the caller's own organisation. @throws ProblemError state_conflict when two are valid */
export function makeKey(database: Database, caller: Caller, scope: KeyScope, now: Instant): Promise<KeyMade> {
  return database.transaction(caller, async (client) => {
    const { id, key } = await insertApiKey(client, caller.organisation, now, scope)
    return { id, scope, createdAt: new Date(now).toISOString(), lastUsedAt: null, key }
  })
}

/** @returns the valid keys of an organisation, the older first */
export function listKeys(database: Database, caller: Caller, organisation: string): Promise<KeyRow[]> {
  return database.transaction(caller, async (client) => {
    const { rows } = await client.query<{ id: string; scope: KeyScope; created_at: Date; last_used_at: Date | null }>(
      'SELECT id, scope, created_at, last_used_at FROM api_key WHERE organisation_id = $1 AND revoked_at IS NULL ORDER BY created_at, id', [organisation])
    return rows.map(({ id, scope, created_at, last_used_at }) => ({ id, scope, createdAt: created_at.toISOString(), lastUsedAt: last_used_at?.toISOString() ?? null }))
  })
}

/** Ends one key of an organisation. @throws ProblemError not_found when it has no such valid key */
export function revokeKey(database: Database, caller: Caller, organisation: string, id: string, now: Instant): Promise<void> {
  return database.transaction(caller, async (client) => {
    const { rowCount } = await client.query('UPDATE api_key SET revoked_at = $3 WHERE organisation_id = $1 AND id = $2 AND revoked_at IS NULL', [organisation, id, new Date(now)])
    if (rowCount === 0) throw new ProblemError('not_found', `${organisation} has no valid key of this id.`)
  })
}
