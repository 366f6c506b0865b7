import { randomUUID } from 'node:crypto'
import type { PushGiven, PushRow } from '@kawal/contract/push.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'

const person_max = 5
const organisation_max = 100

/** Where a browser is reached, and what seals what only it may read. */
export interface Subscription { readonly id: string; readonly endpoint: string; readonly keys: PushGiven['keys']; readonly language: 'id' | 'en' }

/** Somebody who is logged in himself. */
export interface Person extends Caller { readonly staff: string }

interface Row { readonly id: string; readonly endpoint: string; readonly p256dh: Buffer; readonly auth: Buffer; readonly label: string; readonly language: 'id' | 'en'; readonly made_at: Date; readonly failed_at: Date | null }

const toRow = ({ id, endpoint, label, language, made_at, failed_at }: Row): PushRow => ({ id, endpoint, label, language, madeAt: made_at.toISOString(), failedAt: failed_at?.toISOString() ?? null })
const toSubscription = ({ id, endpoint, p256dh, auth, language }: Row): Subscription => ({ id, endpoint, keys: { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') }, language })

/** A person's own, the oldest first. */
export async function listSubscriptions(database: Database, { staff, ...caller }: Person): Promise<PushRow[]> {
  const { rows } = await database.transaction(caller, (client) => client.query<Row>('SELECT * FROM push_subscription WHERE staff_id = $1 ORDER BY made_at, id LIMIT $2', [staff, person_max]))
  return rows.map(toRow)
}

/**
 * A browser is one person's, whoever was there before: it is taken from him, whatever his organisation, and what still
 * waits for him is not sent to who has it now.
 * @throws ProblemError state_conflict for one more than a person or an organisation may have, or two at the same moment
 */
export function addSubscription(database: Database, { organisation, staff }: Person, { endpoint, keys, language = 'id' }: PushGiven, label: string, now: Instant): Promise<PushRow> {
  return database.transaction(system, async (client) => {
    // All others of the organisation wait: together they keep to the bounds.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('push ' || $1, 0))", [organisation])
    await client.query('DELETE FROM push_subscription WHERE endpoint = $1', [endpoint])
    const { rows: [there] } = await client.query<{ all: number; own: number }>('SELECT count(*) AS "all", count(*) FILTER (WHERE staff_id = $2) AS own FROM push_subscription WHERE organisation_id = $1', [organisation, staff])
    if ((there?.own ?? 0) >= person_max) throw new ProblemError('state_conflict', `You have ${person_max} browsers that are pushed to already. End one of them first.`)
    if ((there?.all ?? 0) >= organisation_max) throw new ProblemError('state_conflict', `Your organisation has ${organisation_max} browsers that are pushed to already. Somebody ends one first.`)
    const { rows: [row] } = await client.query<Row>(
      'INSERT INTO push_subscription (id, organisation_id, staff_id, endpoint, p256dh, auth, label, language, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (endpoint) DO NOTHING RETURNING *',
      [randomUUID(), organisation, staff, endpoint, Buffer.from(keys.p256dh, 'base64url'), Buffer.from(keys.auth, 'base64url'), label, language, new Date(now)])
    if (row === undefined) throw new ProblemError('state_conflict', 'Somebody subscribed this browser at the same moment. Try again.')
    return toRow(row)
  })
}

/** @returns whether the person had such a one */
export async function endSubscription(database: Database, { staff, ...caller }: Person, id: string): Promise<boolean> {
  return (await database.transaction(caller, (client) => client.query('DELETE FROM push_subscription WHERE id::text = $1 AND staff_id = $2', [id, staff]))).rowCount === 1
}

/** @param staff null: whoever's of the organisation; @returns null where it has ended */
export async function findSubscription(database: Database, organisation: string, staff: string | null, id: string): Promise<Subscription | null> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<Row>('SELECT * FROM push_subscription WHERE id::text = $1 AND organisation_id = $2 AND ($3::uuid IS NULL OR staff_id = $3)', [id, organisation, staff]))
  return row === undefined ? null : toSubscription(row)
}

/** What a push service said: that the browser has ended it (it is deleted), that it took something, or anything else. */
export async function noteOutcome(database: Database, id: string, outcome: 'sent' | 'gone' | 'failed', now: Instant): Promise<void> {
  await database.transaction(system, (client) => (outcome === 'gone'
    ? client.query('DELETE FROM push_subscription WHERE id = $1', [id])
    : client.query('UPDATE push_subscription SET failed_at = $2 WHERE id = $1 AND failed_at IS DISTINCT FROM $2', [id, outcome === 'sent' ? null : new Date(now)])))
}
