import type pg from 'pg'
import type { AuditorKeyRow } from '@kawal/contract/sample.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { keyId } from '@kawal/core/recap/cose.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { ProblemError } from '../problem.ts'
import { algorithmOf, isPublicKey } from '../recap/keys.ts'

interface Auditor { readonly publicKey: Buffer; readonly kid: string; readonly organisation: string; readonly staff: string; readonly name: string; readonly isWithdrawn: boolean }
interface Row { readonly public_key: Buffer; readonly kid: Buffer; readonly organisation_id: string; readonly staff_id: string; readonly name: string; readonly enrolled_at: Date; readonly entry: number | null; readonly withdrawn_at: Date | null }
interface Staff { readonly id: string; readonly name: string }

/** Of one person, those that were withdrawn not counted: a browser each. */
const keys_max = 10

/** Keys that auditors sign their findings with: each was made in a browser, and never leaves it. */
export function createAuditors(database: Database, clock: () => Instant) {
  return {
    /** Enrols a person's own key; it goes into the ledger by itself. @returns false where it was there. @throws ProblemError */
    async enrol(caller: Caller, staff: Staff, publicKey: Buffer): Promise<boolean> {
      if (!isPublicKey(publicKey)) throw new ProblemError('body_invalid', 'publicKey is no point of Ed25519 or P-256.')
      const kid = await keyId(algorithmOf(publicKey), publicKey, sha256)
      return database.transaction(caller, async (client) => {
        const held = await client.query<Row>('SELECT * FROM auditor_key WHERE public_key = $1 OR (staff_id = $2 AND withdrawn_at IS NULL)', [publicKey, staff.id])
        const same = held.rows.find((row) => row.public_key.equals(publicKey))
        if (same !== undefined && (same.staff_id !== staff.id || same.withdrawn_at !== null)) throw new ProblemError('state_conflict', 'This key is of somebody else, or was withdrawn. Make a new one.')
        if (same !== undefined) return false
        if (held.rows.length >= keys_max) throw new ProblemError('state_conflict', `You have ${keys_max} keys. Withdraw one that you no longer use.`)
        await client.query('INSERT INTO auditor_key (public_key, kid, organisation_id, staff_id, name, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6)', [publicKey, kid, caller.organisation, staff.id, staff.name, new Date(clock())])
        return true
      })
    },
    /** @throws ProblemError not_found */
    async withdraw(caller: Caller, kid: string): Promise<void> {
      const { rowCount } = await database.transaction(caller, (client) =>
        client.query('UPDATE auditor_key SET withdrawn_at = $3 WHERE kid = $1 AND organisation_id = $2 AND withdrawn_at IS NULL', [Buffer.from(kid, 'hex'), caller.organisation, new Date(clock())]))
      if (rowCount === 0) throw new ProblemError('not_found', 'Your organisation has no valid key of this id.')
    },
    /** Those who hold a key of this id. @param kid hex */
    holders: (kid: string): Promise<Auditor[]> => database.transaction(system, async (client) => (await read(client, Buffer.from(kid, 'hex'))).map(auditorOf)),
    names: async (caller: Caller): Promise<ReadonlyMap<string, string>> => new Map((await database.transaction(caller, (client) => read(client, null))).map((row) => [row.kid.toString('hex'), row.name])),
    async list(caller: Caller, staff: string | null): Promise<AuditorKeyRow[]> {
      return (await database.transaction(caller, (client) => read(client, null))).map((row) => ({
        publicKey: row.public_key.toString('base64url'), kid: row.kid.toString('hex'), organisation: row.organisation_id, name: row.name, mine: row.staff_id === staff, enrolledAt: row.enrolled_at.toISOString(), entry: row.entry, withdrawnAt: row.withdrawn_at?.toISOString() ?? null,
      }))
    },
  }
}

export type Auditors = ReturnType<typeof createAuditors>

const read = async (client: pg.ClientBase, kid: Buffer | null): Promise<Row[]> => (await client.query<Row>('SELECT * FROM auditor_key WHERE $1::bytea IS NULL OR kid = $1 ORDER BY enrolled_at, public_key', [kid])).rows
const auditorOf = ({ public_key, kid, organisation_id, staff_id, name, withdrawn_at }: Row): Auditor => ({ publicKey: public_key, kid: kid.toString('hex'), organisation: organisation_id, staff: staff_id, name, isWithdrawn: withdrawn_at !== null })
