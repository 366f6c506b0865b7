import { randomUUID } from 'node:crypto'
import { roleOfKind } from '@kawal/core/organisation/rules.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import type { Actor } from './audit-store.ts'
import { insertSession, type MadeSession } from './sessions.ts'

/** Somebody of an organisation, and by what he can come in. */
interface Person {
  readonly id: string
  readonly name: string
  readonly passkeys: number
  /** The provider that vouches for him; null for who came by a link. */
  readonly issuer: string | null
  readonly sessions: number
  /** To the minute, of the sessions that he has. */
  readonly lastUsedAt: string | null
  readonly endedAt: string | null
}

/** @returns an organisation's people by name, those whose access has ended last */
export function listPeople(database: Database, organisation: string, now: Instant): Promise<Person[]> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<Omit<Person, 'lastUsedAt' | 'endedAt'> & { last_used_at: Date | null; ended_at: Date | null }>(
      `SELECT staff.id, name, issuer, ended_at, (SELECT count(*) FROM passkey WHERE staff_id = staff.id) AS passkeys, used.sessions, used.last_used_at
       FROM staff CROSS JOIN LATERAL (SELECT count(*) AS sessions, max(last_used_at) AS last_used_at FROM session WHERE staff_id = staff.id AND expires_at > $2) AS used
       WHERE organisation_id = $1 ORDER BY ended_at IS NOT NULL, lower(name), staff.id`, [organisation, new Date(now)])
    return rows.map(({ id, name, issuer, passkeys, sessions, last_used_at, ended_at }) => ({ id, name, passkeys, issuer, sessions, lastUsedAt: last_used_at?.toISOString() ?? null, endedAt: ended_at?.toISOString() ?? null }))
  })
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** @throws ProblemError not_found when the organisation has no such person with access */
export async function mustHaveAccess(database: Database, organisation: string, staff: string): Promise<void> {
  const { rowCount } = await database.transaction(system, (client) => client.query('SELECT FROM staff WHERE id = $1 AND organisation_id = $2 AND ended_at IS NULL', [uuid.test(staff) ? staff : null, organisation]))
  if (rowCount === 0) throw noSuchPerson(organisation)
}

/** Ends all that a person can come in with, at once and for good. @throws ProblemError not_found likewise */
export function endPerson(database: Database, organisation: string, staff: string, now: Instant): Promise<{ passkeys: number; links: number; sessions: number }> {
  return database.transaction(system, async (client) => {
    const { rowCount } = await client.query('UPDATE staff SET ended_at = $3 WHERE id = $1 AND organisation_id = $2 AND ended_at IS NULL', [uuid.test(staff) ? staff : null, organisation, new Date(now)])
    if (rowCount === 0) throw noSuchPerson(organisation)
    const links = await client.query('UPDATE login_link SET used_at = $2 WHERE staff_id = $1 AND used_at IS NULL', [staff, new Date(now)])
    const sessions = await client.query('DELETE FROM session WHERE staff_id = $1', [staff])
    const passkeys = await client.query('DELETE FROM passkey WHERE staff_id = $1', [staff])
    await client.query('DELETE FROM push_subscription WHERE staff_id = $1', [staff])
    return { passkeys: passkeys.rowCount ?? 0, links: links.rowCount ?? 0, sessions: sessions.rowCount ?? 0 }
  })
}

const noSuchPerson = (organisation: string): ProblemError => new ProblemError('not_found', `${organisation} has nobody of this id with access. "kawal org person ${organisation}" lists its people.`)

/** Somebody whom a provider vouches for. */
interface Vouched {
  readonly issuer: string
  readonly subject: string
  readonly organisation: string
  readonly name: string
}

/** Who it is here: the person that he was at his first log-in, else the one that he becomes with this one. */
export type VouchedPerson = Actor & { readonly staff: string; readonly isNew: boolean; readonly hasEnded: boolean }

/** @returns null when there is no such organisation */
export function findVouched(database: Database, { issuer, subject, organisation, name }: Vouched): Promise<VouchedPerson | null> {
  return database.transaction(system, async (client) => {
    const { rows: [there] } = await client.query<{ id: string; organisation: string; role: string; name: string; ended_at: Date | null }>(
      'SELECT id, organisation_id AS organisation, role, name, ended_at FROM staff WHERE issuer = $1 AND subject = $2', [issuer, subject])
    if (there !== undefined) return { organisation: there.organisation, role: there.role, name: there.name, staff: there.id, isNew: false, hasEnded: there.ended_at !== null }
    const { rows: [of] } = await client.query<{ kind: string }>("SELECT kind FROM organisation WHERE id = $1 AND kind <> 'system'", [organisation])
    const role = roleOfKind[of?.kind ?? '']
    return role === undefined ? null : { organisation, role, name, staff: randomUUID(), isNew: true, hasEnded: false }
  })
}

/**
 * A session for somebody whom a provider vouches for; at the first time he becomes one of the organisation's people.
 * @throws ProblemError person_refused when his access has ended; version_conflict when he came twice for the first time
 */
export function logInVouched(database: Database, { organisation, role, name, staff, isNew }: VouchedPerson, { issuer, subject }: Pick<Vouched, 'issuer' | 'subject'>, agent: string | null, now: Instant): Promise<MadeSession> {
  return database.transaction(system, async (client) => {
    if (isNew) {
      const { rowCount } = await client.query('INSERT INTO staff (id, organisation_id, role, name, issuer, subject) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer, subject) DO NOTHING', [staff, organisation, role, name, issuer, subject])
      if (rowCount === 0) throw new ProblemError('version_conflict', 'You logged in twice at the same moment. Log in again.')
    }
    return insertSession(client, staff, { way: 'provider', agent }, now)
  })
}
