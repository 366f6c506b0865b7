import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { KeyScope } from '@kawal/contract/key.ts'
import type { Session } from '@kawal/contract/live.ts'
import type { SessionRow, Way } from '@kawal/contract/log-in.ts'
import { hour_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { roleOfKind, rules } from '@kawal/core/organisation/rules.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import type { Actor } from './audit-store.ts'

const link_ms = 24 * hour_ms
/** A session is over when nobody used it for so long: over a weekend and a week of leave it stays, on a machine that was given away it does not. */
const idle_ms = 14 * 24 * hour_ms
/** At the latest: a wall screen that asks all day is logged in anew once a month. */
const session_ms = 30 * 24 * hour_ms
/** Of one person; a further one takes the place of the one that was used longest ago. */
const sessions_max = 20

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

export interface MadeSession {
  /** The token of the new session. */
  readonly session: string
  readonly expiresAt: Instant
}

/** Spends a link. One UPDATE decides: of two who come with the same link, one gets in. @param agent the browser, in words */
export async function logIn(database: Database, token: string, now: number, agent: string | null = null): Promise<MadeSession> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ staff_id: string; organisation_id: string }>(
      'UPDATE login_link SET used_at = $2 WHERE token_sha256 = $1 AND used_at IS NULL AND expires_at > $2 RETURNING staff_id, organisation_id',
      [sha256(token), new Date(now)],
    )
    const [link] = rows
    if (link === undefined) throw new ProblemError('link_spent', 'Ask for a new log-in link: kawal org link ORGANISATION.')
    return insertSession(client, link.staff_id, { way: 'link', agent }, now)
  })
}

/**
 * A session for somebody who has shown who he is. In the caller's transaction.
 * @returns its token, which is kept as a hash only, and when it ends at the latest
 * @throws ProblemError person_refused for somebody whose access has ended
 */
export async function insertSession(client: pg.ClientBase, staff: string, { way, agent }: { readonly way: Way; readonly agent: string | null }, now: Instant): Promise<MadeSession> {
  const session = randomBytes(24).toString('base64url')
  const expiresAt = now + session_ms
  await client.query(
    `DELETE FROM session WHERE staff_id = $1 AND (expires_at <= $2 OR last_used_at <= $3
       OR token_sha256 IN (SELECT token_sha256 FROM session WHERE staff_id = $1 ORDER BY last_used_at DESC, made_at DESC OFFSET $4))`, [staff, new Date(now), new Date(now - idle_ms), sessions_max - 1])
  const { rowCount } = await client.query(
    `INSERT INTO session (token_sha256, staff_id, organisation_id, made_at, last_used_at, expires_at, way, agent)
     SELECT $1::bytea, id, organisation_id, $3::timestamptz, $3::timestamptz, $4::timestamptz, $5::text, $6::text FROM staff WHERE id = $2 AND ended_at IS NULL`, [sha256(session), staff, new Date(now), new Date(expiresAt), way, agent])
  if (rowCount === 0) throw ended()
  return { session, expiresAt }
}

export const ended = (): ProblemError => new ProblemError('person_refused', 'The access of this person has ended. Ask whoever runs Kawal Sinyal in your organisation.')

export async function logOut(database: Database, session: string): Promise<void> {
  await database.transaction(system, (client) => client.query('DELETE FROM session WHERE token_sha256 = $1', [sha256(session)]))
}

/** Whose log-in link it is, used or not. @returns null for what is none of ours */
export async function linkActor(database: Database, token: string): Promise<Actor | null> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ organisation: string; role: string; staff: string; name: string }>(
      'SELECT staff.organisation_id AS organisation, role, staff.id AS staff, name FROM login_link JOIN staff ON staff.id = staff_id WHERE token_sha256 = $1', [sha256(token)])
    return rows[0] ?? null
  })
}

/** Of a session: whose it is, and its public id. */
interface KnownSession {
  readonly session: Session
  readonly staff: string
  readonly id: string
  /** To the minute. */
  readonly lastUsedAt: Instant
}

/** @returns null when there is no such session, its time is over, nobody used it for long, or its person's access has ended */
export async function readSession(database: Database, token: string, now: number): Promise<KnownSession | null> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ organisation: string; organisation_name: string; area_code: string | null; role: string; staff: string; name: string; expires_at: Date; id: string; last_used_at: Date }>(
      `SELECT staff.organisation_id AS organisation, organisation.name AS organisation_name, area_code, role, staff.id AS staff, staff.name, session.expires_at, session.id, session.last_used_at
       FROM session JOIN staff ON staff.id = staff_id JOIN organisation ON organisation.id = staff.organisation_id
       WHERE token_sha256 = $1 AND expires_at > $2 AND last_used_at > $3 AND ended_at IS NULL`,
      [sha256(token), new Date(now), new Date(now - idle_ms)],
    )
    const [row] = rows
    if (row === undefined) return null
    const session: Session = {
      organisation: row.organisation, organisationName: row.organisation_name, role: row.role, name: row.name,
      expiresAt: row.expires_at.toISOString(), ...(row.area_code === null ? {} : { area: row.area_code }),
      may: rules.filter((rule) => rule.role === row.role).map((rule) => `${rule.resource}:${rule.action}${rule.scope === 'own' ? ':own' : ''}`),
    }
    return { session, staff: row.staff, id: row.id, lastUsedAt: row.last_used_at.getTime() }
  })
}

/** Somebody who asks for what is his own. */
export interface Self {
  readonly caller: Caller
  readonly staff: string
  /** Id of the session that he asks in. */
  readonly session: string
}

/** The database's wall lets him see and change what is his own, and nothing of anybody else in his organisation. */
export function asSelf<T>(database: Database, { caller, staff }: Self, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return database.transaction(caller, async (client) => {
    await client.query("SELECT set_config('kawal.staff', $1, true)", [staff])
    return work(client)
  })
}

/** @returns a person's own sessions, the last used first */
export function listSessions(database: Database, self: Self, now: Instant): Promise<SessionRow[]> {
  return asSelf(database, self, async (client) => {
    const { rows } = await client.query<{ id: string; way: Way; agent: string | null; made_at: Date; last_used_at: Date; expires_at: Date }>(
      'SELECT id, way, agent, made_at, last_used_at, expires_at FROM session WHERE staff_id = $1 AND expires_at > $2 AND last_used_at > $3 ORDER BY last_used_at DESC, made_at DESC', [self.staff, new Date(now), new Date(now - idle_ms)])
    return rows.map(({ id, way, agent, made_at, last_used_at, expires_at }) => ({ id, way, agent, madeAt: made_at.toISOString(), lastUsedAt: last_used_at.toISOString(), expiresAt: expires_at.toISOString(), current: id === self.session }))
  })
}

/** @throws ProblemError not_found when it is none of his own */
export function endSession(database: Database, self: Self, id: string): Promise<void> {
  return asSelf(database, self, async (client) => {
    const { rowCount } = await client.query('DELETE FROM session WHERE staff_id = $1 AND id = $2', [self.staff, id])
    if (rowCount === 0) throw new ProblemError('not_found', 'You have no session of this id.')
  })
}

/** What is known of an API key beside the key itself. */
export interface ApiKey {
  /** Public: it names the key. */
  readonly id: string
  /** `read` asks by GET alone. */
  readonly scope: KeyScope
  /** To the minute; null when it was never used. */
  readonly lastUsedAt: Instant | null
}

/** An organisation has two: a new key takes an old one's place without a gap. */
const slots = 2

/**
 * A key for an organisation's own systems: shown once, kept as a hash. In the caller's transaction.
 * @throws ProblemError not_found for no organisation, state_conflict when two of its keys are valid
 */
export async function insertApiKey(client: pg.ClientBase, organisation: string, now: Instant, scope: KeyScope = 'all'): Promise<{ id: string; key: string }> {
  const role = await roleIn(client, organisation)
  const key = `kawal-key-${randomBytes(24).toString('base64url')}`
  // Of two who take the same slot the database lets one in; the other looks again.
  for (let tries = 0; tries <= slots; tries++) {
    const { rows: [made] } = await client.query<{ id: string }>(
      `INSERT INTO api_key (key_sha256, organisation_id, role, created_at, scope, slot)
       SELECT $1::bytea, $2::text, $3::text, $4::timestamptz, $5::text, free.slot FROM generate_series(1, $6::int) AS free (slot)
       WHERE NOT EXISTS (SELECT FROM api_key AS other WHERE other.organisation_id = $2 AND other.slot = free.slot AND other.revoked_at IS NULL) ORDER BY free.slot LIMIT 1
       ON CONFLICT (organisation_id, slot) WHERE revoked_at IS NULL DO NOTHING RETURNING id`, [sha256(key), organisation, role, new Date(now), scope, slots])
    if (made !== undefined) return { id: made.id, key }
  }
  const { rows: valid } = await client.query<{ id: string }>('SELECT id FROM api_key WHERE organisation_id = $1 AND revoked_at IS NULL ORDER BY created_at, id', [organisation])
  throw new ProblemError('state_conflict', `${organisation} has two valid keys already: ${valid.map(({ id }) => id).join(' and ')}. Revoke the one that is not used any more (kawal org revoke ${organisation} --key ID, or DELETE /v1/keys/ID), then make a new one.`)
}

export async function addApiKey(database: Database, organisation: string, now: number): Promise<string> {
  return (await database.transaction(system, (client) => insertApiKey(client, organisation, now))).key
}

/** Ends all that an organisation can come in with, and what its phones are told: after a theft, or when somebody leaves. */
export async function revokeAll(database: Database, organisation: string, now: number): Promise<{ keys: number; links: number; sessions: number; passkeys: number }> {
  return database.transaction(system, async (client) => {
    const { rowCount: known } = await client.query('SELECT FROM organisation WHERE id = $1', [organisation])
    if (known === 0) throw new ProblemError('not_found', `There is no organisation ${organisation}.`)
    const keys = await revokeKeys(client, organisation, now)
    const links = await client.query('UPDATE login_link SET used_at = $2 WHERE organisation_id = $1 AND used_at IS NULL', [organisation, new Date(now)])
    const sessions = await client.query('DELETE FROM session WHERE organisation_id = $1', [organisation])
    const passkeys = await client.query('DELETE FROM passkey WHERE organisation_id = $1', [organisation])
    await client.query('DELETE FROM push_subscription WHERE organisation_id = $1', [organisation])
    return { keys, links: links.rowCount ?? 0, sessions: sessions.rowCount ?? 0, passkeys: passkeys.rowCount ?? 0 }
  })
}

/** Ends all keys of an organisation. @returns how many there were */
export async function revokeKeys(client: pg.ClientBase, organisation: string, now: Instant): Promise<number> {
  return (await client.query('UPDATE api_key SET revoked_at = $2 WHERE organisation_id = $1 AND revoked_at IS NULL', [organisation, new Date(now)])).rowCount ?? 0
}

/** @returns null when there is no such key, or it was revoked */
export async function readApiKey(database: Database, key: string): Promise<{ caller: Caller; key: ApiKey } | null> {
  return database.transaction(system, async (client) => {
    const { rows: [row] } = await client.query<Caller & { id: string; scope: KeyScope; last_used_at: Date | null }>(
      'SELECT organisation_id AS organisation, role, id, scope, last_used_at FROM api_key WHERE key_sha256 = $1 AND revoked_at IS NULL', [sha256(key)])
    if (row === undefined) return null
    const { organisation, role, id, scope, last_used_at } = row
    return { caller: { organisation, role }, key: { id, scope, lastUsedAt: last_used_at?.getTime() ?? null } }
  })
}
