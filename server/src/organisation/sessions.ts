import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type pg from 'pg'
import { roleOfKind, rules } from '@kawal/core/organisation/rules.ts'
import type { Session } from '@kawal/contract/live.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'

const link_ms = 24 * 3_600_000
const session_ms = 14 * 24 * 3_600_000

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** @throws ProblemError not_found when there is no such organisation */
async function roleIn(client: pg.ClientBase, organisation: string): Promise<string> {
  const { rows } = await client.query<{ kind: string }>('SELECT kind FROM organisation WHERE id = $1', [organisation])
  const role = roleOfKind[rows[0]?.kind ?? '']
  if (role === undefined) throw new ProblemError('not_found', `There is no organisation ${organisation}.`)
  return role
}

/** A member of staff of an organisation; the role follows from the organisation's kind. In the caller's transaction. */
export async function insertStaff(client: pg.ClientBase, organisation: string, name: string): Promise<string> {
  const role = await roleIn(client, organisation)
  const id = randomUUID()
  await client.query('INSERT INTO staff (id, organisation_id, role, name) VALUES ($1, $2, $3, $4)', [id, organisation, role, name])
  return id
}

export async function addStaff(database: Database, organisation: string, name: string): Promise<string> {
  return database.transaction(system, (client) => insertStaff(client, organisation, name))
}

/** A link's token, shown once; it logs in one time within 24 hours. Only its hash is kept. In the caller's transaction. */
export async function insertLink(client: pg.ClientBase, staff: string, now: number): Promise<string> {
  const token = randomBytes(24).toString('base64url')
  await client.query(
    'INSERT INTO login_link (token_sha256, staff_id, organisation_id, expires_at) SELECT $1, id, organisation_id, $3 FROM staff WHERE id = $2',
    [sha256(token), staff, new Date(now + link_ms)],
  )
  return token
}

export async function loginToken(database: Database, staff: string, now: number): Promise<string> {
  return database.transaction(system, (client) => insertLink(client, staff, now))
}

/**
 * Spends a link. One UPDATE decides: of two who come with the same link, one gets in.
 * @returns the token of the new session
 */
export async function logIn(database: Database, token: string, now: number): Promise<{ session: string; expiresAt: number }> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ staff_id: string; organisation_id: string }>(
      'UPDATE login_link SET used_at = $2 WHERE token_sha256 = $1 AND used_at IS NULL AND expires_at > $2 RETURNING staff_id, organisation_id',
      [sha256(token), new Date(now)],
    )
    const [link] = rows
    if (link === undefined) throw new ProblemError('link_spent', 'Ask for a new log-in link: kawal org link ORGANISATION.')
    const session = randomBytes(24).toString('base64url')
    const expiresAt = now + session_ms
    await client.query('INSERT INTO session (token_sha256, staff_id, organisation_id, expires_at) VALUES ($1, $2, $3, $4)', [
      sha256(session), link.staff_id, link.organisation_id, new Date(expiresAt),
    ])
    return { session, expiresAt }
  })
}

export async function logOut(database: Database, session: string): Promise<void> {
  await database.transaction(system, (client) => client.query('DELETE FROM session WHERE token_sha256 = $1', [sha256(session)]))
}

/** @returns null when there is no such session, or its time is over */
export async function readSession(database: Database, session: string, now: number): Promise<Session | null> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ organisation: string; organisation_name: string; role: string; name: string; expires_at: Date }>(
      `SELECT staff.organisation_id AS organisation, organisation.name AS organisation_name, role, staff.name, session.expires_at
       FROM session JOIN staff ON staff.id = staff_id JOIN organisation ON organisation.id = staff.organisation_id
       WHERE token_sha256 = $1 AND expires_at > $2`,
      [sha256(session), new Date(now)],
    )
    const [row] = rows
    if (row === undefined) return null
    return {
      organisation: row.organisation, organisationName: row.organisation_name, role: row.role, name: row.name,
      expiresAt: row.expires_at.toISOString(),
      may: rules.filter((rule) => rule.role === row.role).map((rule) => `${rule.resource}:${rule.action}${rule.scope === 'own' ? ':own' : ''}`),
    }
  })
}

/** A key for an organisation's own systems: shown once, kept as a hash. In the caller's transaction. */
export async function insertApiKey(client: pg.ClientBase, organisation: string, now: number): Promise<string> {
  const role = await roleIn(client, organisation)
  const key = `kawal-key-${randomBytes(24).toString('base64url')}`
  await client.query('INSERT INTO api_key (key_sha256, organisation_id, role, created_at) VALUES ($1, $2, $3, $4)', [sha256(key), organisation, role, new Date(now)])
  return key
}

export async function addApiKey(database: Database, organisation: string, now: number): Promise<string> {
  return database.transaction(system, (client) => insertApiKey(client, organisation, now))
}

/** Ends what an organisation can come in with: after a theft, or when somebody leaves. */
export async function revokeAll(database: Database, organisation: string, now: number): Promise<{ keys: number; links: number; sessions: number }> {
  return database.transaction(system, async (client) => {
    const { rowCount: known } = await client.query('SELECT FROM organisation WHERE id = $1', [organisation])
    if (known === 0) throw new ProblemError('not_found', `There is no organisation ${organisation}.`)
    const keys = await client.query('UPDATE api_key SET revoked_at = $2 WHERE organisation_id = $1 AND revoked_at IS NULL', [organisation, new Date(now)])
    const links = await client.query('UPDATE login_link SET used_at = $2 WHERE organisation_id = $1 AND used_at IS NULL', [organisation, new Date(now)])
    const sessions = await client.query('DELETE FROM session WHERE organisation_id = $1', [organisation])
    return { keys: keys.rowCount ?? 0, links: links.rowCount ?? 0, sessions: sessions.rowCount ?? 0 }
  })
}

export async function readApiKey(database: Database, key: string): Promise<Caller | null> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<Caller>(
      'SELECT organisation_id AS organisation, role FROM api_key WHERE key_sha256 = $1 AND revoked_at IS NULL', [sha256(key)])
    return rows[0] ?? null
  })
}
