import { randomUUID } from 'node:crypto'
import type { PasskeyRow, Passkeys } from '@kawal/contract/log-in.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import type { Actor } from './audit-store.ts'
import { asSelf, insertSession, type MadeSession, type Self } from './sessions.ts'

/** Of one person; the table has as many slots. */
const passkeys_max = 10

interface Row { readonly id: string; readonly name: string; readonly made_at: Date; readonly last_used_at: Date | null }
const toRow = ({ id, name, made_at, last_used_at }: Row): PasskeyRow => ({ id, name, madeAt: made_at.toISOString(), lastUsedAt: last_used_at?.toISOString() ?? null })
const columns = 'id, name, made_at, last_used_at'

/** @returns a person's own passkeys, the older first, and whether he could come back without them */
export function listPasskeys(database: Database, self: Self): Promise<Passkeys> {
  return asSelf(database, self, async (client) => {
    const { rows } = await client.query<Row>(`SELECT ${columns} FROM passkey WHERE staff_id = $1 ORDER BY made_at, id`, [self.staff])
    const { rows: [person] } = await client.query<{ vouched: boolean }>('SELECT issuer IS NOT NULL AS vouched FROM staff WHERE id = $1', [self.staff])
    return { rows: rows.map(toRow), otherWay: person?.vouched ?? false }
  })
}

/** @returns the ids of his credentials, for a browser to make none twice on one device */
export function credentialsOf(database: Database, self: Self): Promise<string[]> {
  return asSelf(database, self, async (client) => {
    const { rows } = await client.query<{ credential_id: Buffer }>('SELECT credential_id FROM passkey WHERE staff_id = $1', [self.staff])
    return rows.map(({ credential_id }) => credential_id.toString('base64url'))
  })
}

/** What a browser's new credential says, once it is proven. */
export interface NewCredential {
  /** In base64url. */
  readonly id: string
  /** COSE_Key. */
  readonly publicKey: Uint8Array
  readonly counter: number
}

/** @throws ProblemError state_conflict when he has ten, or this one already */
export function addPasskey(database: Database, self: Self, { id, publicKey, counter }: NewCredential, name: string, now: Instant): Promise<PasskeyRow> {
  return asSelf(database, self, async (client) => {
    // Of two who take the same slot the database lets one in; the other looks again.
    for (let tries = 0; tries <= passkeys_max; tries++) {
      const { rows: [made] } = await client.query<Row>(
        `INSERT INTO passkey (id, credential_id, staff_id, organisation_id, slot, name, public_key, counter, made_at)
         SELECT $1::uuid, $2::bytea, $3::uuid, $4::text, free.slot, $5::text, $6::bytea, $7::bigint, $8::timestamptz FROM generate_series(1, $9::int) AS free (slot)
         WHERE NOT EXISTS (SELECT FROM passkey AS other WHERE other.staff_id = $3 AND other.slot = free.slot) ORDER BY free.slot LIMIT 1
         ON CONFLICT (staff_id, slot) DO NOTHING RETURNING ${columns}`,
        [randomUUID(), Buffer.from(id, 'base64url'), self.staff, self.caller.organisation, name, Buffer.from(publicKey), counter, new Date(now), passkeys_max])
      if (made !== undefined) return toRow(made)
    }
    throw new ProblemError('state_conflict', `You have ${passkeys_max} passkeys already. Remove one that you do not use any more.`)
  }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === '23505') throw new ProblemError('state_conflict', 'This passkey is there already.')
    throw error
  })
}

const missing = (): ProblemError => new ProblemError('not_found', 'You have no passkey of this id.')

function uuidOf(id: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw missing()
  return id
}

/** @throws ProblemError not_found */
export function renamePasskey(database: Database, self: Self, id: string, name: string): Promise<PasskeyRow> {
  return asSelf(database, self, async (client) => {
    const { rows: [row] } = await client.query<Row>(`UPDATE passkey SET name = $3 WHERE staff_id = $1 AND id = $2 RETURNING ${columns}`, [self.staff, uuidOf(id), name])
    if (row === undefined) throw missing()
    return toRow(row)
  })
}

/** Sessions that were begun with it stay. @throws ProblemError not_found */
export function removePasskey(database: Database, self: Self, id: string): Promise<void> {
  return asSelf(database, self, async (client) => {
    const { rowCount } = await client.query('DELETE FROM passkey WHERE staff_id = $1 AND id = $2', [self.staff, uuidOf(id)])
    if (rowCount === 0) throw missing()
  })
}

/** A passkey as somebody who is not logged in brings it. */
interface KnownPasskey {
  /** Our name of it. */
  readonly id: string
  readonly publicKey: Buffer
  readonly counter: number
  /** Whose it is. */
  readonly actor: Actor & { readonly staff: string }
}

/** @param credential in base64url. @returns null for one that is not, or no longer, of anybody here */
export function findPasskey(database: Database, credential: string): Promise<KnownPasskey | null> {
  return database.transaction(system, async (client) => {
    const { rows: [row] } = await client.query<{ id: string; public_key: Buffer; counter: number; organisation: string; role: string; staff: string; name: string }>(
      `SELECT passkey.id, public_key, counter, staff.organisation_id AS organisation, role, staff.id AS staff, staff.name
       FROM passkey JOIN staff ON staff.id = staff_id WHERE credential_id = $1`, [Buffer.from(credential, 'base64url')])
    if (row === undefined) return null
    const { id, public_key, counter, organisation, role, staff, name } = row
    return { id, publicKey: public_key, counter, actor: { organisation, role, staff, name } }
  })
}

/** WebAuthn, section 6.1.1: a counter that does not rise may be of a copy; 0 is of a device that does not count. */
export const isCopied = (before: number, counter: number): boolean => counter <= before && (counter > 0 || before > 0)

/**
 * Logs in with a passkey whose signature is proven. One UPDATE decides: of two who come with the same count, one gets in.
 * @throws ProblemError passkey_refused when the count did not rise
 */
export function logInByPasskey(database: Database, { id, actor }: KnownPasskey, counter: number, agent: string | null, now: Instant): Promise<MadeSession> {
  return database.transaction(system, async (client) => {
    const { rowCount } = await client.query('UPDATE passkey SET counter = $2, last_used_at = $3 WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))', [id, counter, new Date(now)])
    if (rowCount === 0) throw new ProblemError('passkey_refused', 'This passkey has been used elsewhere since, so it may have been copied. Come in another way, remove it, and ask whoever runs Kawal Sinyal in your organisation.')
    return insertSession(client, actor.staff, { way: 'passkey', agent }, now)
  })
}
