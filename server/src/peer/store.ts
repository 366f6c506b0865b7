import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { roleOfKind } from '@kawal/core/organisation/rules.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { DeliveryRefused } from '../ticket/outbox.ts'
import { seal, unseal } from './seal.ts'

/** The form that a ticket has on the wire: TMF621 v4.0 or v5.0. */
export type PeerVersion = 4 | 5

/** How we prove to a peer who we are. */
export type Proof =
  | { readonly kind: 'none' }
  | { readonly kind: 'header'; readonly name: string; readonly secret: string }
  | { readonly kind: 'basic'; readonly user: string; readonly secret: string }
  | { readonly kind: 'oauth'; readonly tokenUrl: string; readonly client: string; readonly secret: string }

/** An organisation's own ticket system. */
export interface Peer {
  readonly organisation: string
  /** The organisation with its own role: what the peer says, it says. */
  readonly caller: Caller
  readonly url: string
  readonly version: PeerVersion
  readonly proof: Proof
  /** Where our listener there posts to, and its id; null while we have none. */
  readonly callback: string | null
  readonly listener: string | null
  readonly listeningAskedAt: Instant | null
  readonly heardAt: Instant | null
}

/** What is remembered of a ticket at a peer. */
interface PeerTicket {
  /** Null: they have none yet, as far as is known. */
  readonly theirId: string | null
  /** Of our ticket, up to which they have been told; 0 before that. */
  readonly version: number
  readonly memory: Memory
}

export interface Memory {
  /** What they said last, or were told: whatever differs from it is a new word of theirs. `changes` counts their words on the status. */
  readonly heard: { readonly status: string; readonly changes: number; readonly expectedAt: Instant | null; readonly notes: readonly string[] }
  /** What they were told last: of the status, of the fault (a hash), and up to which note. */
  readonly told: { readonly status: string; readonly facts: string; readonly note: number }
  /** A status that is on its way to them: found there, it is no word of theirs. */
  readonly telling: string | null
}
export const blank: Memory = { heard: { status: '', changes: 0, expectedAt: null, notes: [] }, told: { status: '', facts: '', note: 0 }, telling: null }

const scheme = 'peer:'
export const isOfPeer = (callback: string): boolean => callback.startsWith(scheme)
/** The organisation that a place in the outbox is of. */
export const organisationOf = (callback: string): string => callback.slice(scheme.length)

const error_chars_max = 500
const iso = (instant: Instant): string => new Date(instant).toISOString()
const at = (time: Date | null): Instant | null => time?.getTime() ?? null

/**
 * Gives an organisation a peer, or changes its version and proof. Another address is another system: what was
 * remembered of the one before is forgotten.
 */
export function writePeer(database: Database, secret: Buffer, { organisation, url, version, proof }: Pick<Peer, 'organisation' | 'url' | 'version' | 'proof'>, now: Instant): Promise<void> {
  const sealed = seal(secret, organisation, JSON.stringify(proof))
  return database.transaction(system, async (client) => {
    const { rowCount } = await client.query('UPDATE peer SET version = $3, proof = $4, failing_since = NULL, last_error = NULL WHERE organisation_id = $1 AND url = $2', [organisation, url, version, sealed])
    if (rowCount === 1) return
    await drop(client, organisation)
    const hub = randomUUID()
    await client.query('INSERT INTO hub (id, organisation_id, callback, query, created_at) VALUES ($1, $2, $3, NULL, $4)', [hub, organisation, scheme + organisation, iso(now)])
    await client.query('INSERT INTO peer (organisation_id, hub_id, url, version, proof) VALUES ($1, $2, $3, $4, $5)', [organisation, hub, url, version, sealed])
  })
}

/** @returns whether there was one; what waited for it goes with it */
export function removePeer(database: Database, organisation: string): Promise<boolean> {
  return database.transaction(system, (client) => drop(client, organisation))
}

async function drop(client: pg.PoolClient, organisation: string): Promise<boolean> {
  return (await client.query('DELETE FROM hub WHERE id = (SELECT hub_id FROM peer WHERE organisation_id = $1)', [organisation])).rowCount === 1
}

interface Row {
  readonly organisation_id: string; readonly kind: string; readonly url: string; readonly version: PeerVersion; readonly proof: Buffer; readonly callback: string | null; readonly listener: string | null
  readonly listening_asked_at: Date | null; readonly heard_at: Date | null
}

/** Of one organisation, or of all. */
export async function readPeers(database: Database, secret: Buffer, organisation: string | null = null): Promise<Peer[]> {
  const { rows } = await database.transaction(system, (client) => client.query<Row>(
    'SELECT peer.*, kind FROM peer JOIN organisation ON organisation.id = organisation_id WHERE $1::text IS NULL OR organisation_id = $1 ORDER BY organisation_id', [organisation]))
  return rows.map((row) => ({
    organisation: row.organisation_id, caller: { organisation: row.organisation_id, role: roleOfKind[row.kind] ?? '' }, url: row.url, version: row.version,
    proof: JSON.parse(unseal(secret, row.organisation_id, row.proof)) as Proof, callback: row.callback, listener: row.listener, listeningAskedAt: at(row.listening_asked_at), heardAt: at(row.heard_at),
  }))
}

/** What somebody who runs the platform wants to know of a peer; no secret is in it. */
export interface PeerState {
  readonly organisation: string; readonly url: string; readonly version: PeerVersion
  readonly proof: Proof['kind']
  readonly events: 'listened' | 'polled'
  readonly succeededAt: string | null; readonly failingSince: string | null; readonly lastError: string | null
  /** Tickets that it has, that it does not know the newest of, and that it refuses. */
  readonly tickets: number; readonly waiting: number; readonly refused: number
}

export async function readPeerStates(database: Database, secret: Buffer, organisation: string | null): Promise<PeerState[]> {
  const { rows } = await database.transaction(system, (client) => client.query<Row & { succeeded_at: Date | null; failing_since: Date | null; last_error: string | null; tickets: number; waiting: number; refused: number }>(
    `SELECT peer.*, coalesce(last_error, (SELECT max(last_error) FROM peer_ticket AS of WHERE of.organisation_id = peer.organisation_id AND of.failing_since IS NOT NULL)) AS last_error,
       (SELECT count(*) FROM peer_ticket AS of WHERE of.organisation_id = peer.organisation_id AND their_id IS NOT NULL) AS tickets,
       (SELECT count(DISTINCT ticket_id) FROM hub_delivery WHERE hub_id = peer.hub_id AND delivered_at IS NULL AND abandoned_at IS NULL) AS waiting,
       (SELECT count(*) FROM peer_ticket AS of WHERE of.organisation_id = peer.organisation_id AND of.failing_since IS NOT NULL) AS refused
     FROM peer WHERE $1::text IS NULL OR organisation_id = $1 ORDER BY organisation_id`, [organisation]))
  return rows.map((row) => ({
    organisation: row.organisation_id, url: row.url, version: row.version, proof: (JSON.parse(unseal(secret, row.organisation_id, row.proof)) as Proof).kind, events: row.listener === null ? 'polled' : 'listened',
    succeededAt: row.succeeded_at?.toISOString() ?? null, failingSince: row.failing_since?.toISOString() ?? null, lastError: row.last_error, tickets: row.tickets, waiting: row.waiting, refused: row.refused,
  }))
}

const changed = (database: Database, sql: string, values: unknown[]): Promise<void> => database.transaction(system, async (client) => void await client.query(sql, values))

/** It answered. Written once a minute, and at once when it had failed. */
export const peerSucceeded = (database: Database, organisation: string, now: Instant): Promise<void> => changed(database,
  'UPDATE peer SET succeeded_at = $2, failing_since = NULL, last_error = NULL WHERE organisation_id = $1 AND (failing_since IS NOT NULL OR succeeded_at IS NULL OR succeeded_at <= $3)', [organisation, iso(now), iso(now - minute_ms)])

export const peerFailed = (database: Database, organisation: string, error: string, now: Instant): Promise<void> => changed(database,
  'UPDATE peer SET failing_since = coalesce(failing_since, $2), last_error = $3 WHERE organisation_id = $1', [organisation, iso(now), error.slice(0, error_chars_max)])

/** It answers, and will not take this ticket. */
export const ticketRefused = (database: Database, organisation: string, ticket: string, error: string, now: Instant): Promise<void> => changed(database,
  `INSERT INTO peer_ticket (organisation_id, ticket_id, state, failing_since, last_error) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (organisation_id, ticket_id) DO UPDATE SET failing_since = coalesce(peer_ticket.failing_since, excluded.failing_since), last_error = excluded.last_error`,
  [organisation, ticket, JSON.stringify(blank), iso(now), error.slice(0, error_chars_max)])

/** @param listener null: it was asked and would not */
export const keepListener = (database: Database, organisation: string, listener: string | null, callback: string, now: Instant): Promise<void> => changed(database,
  'UPDATE peer SET listener = $2, callback = $3, listening_asked_at = $4 WHERE organisation_id = $1', [organisation, listener, listener === null ? null : callback, iso(now)])

/** An event came. @returns the ticket of ours that it is about; null where there is none, or no such peer */
export async function peerHeard(database: Database, organisation: string, theirId: string | null, now: Instant): Promise<string | null> {
  return database.transaction(system, async (client) => {
    await client.query('UPDATE peer SET heard_at = $2 WHERE organisation_id = $1 AND (heard_at IS NULL OR heard_at <= $3)', [organisation, iso(now), iso(now - minute_ms)])
    return (await client.query<{ ticket_id: string }>('SELECT ticket_id FROM peer_ticket WHERE organisation_id = $1 AND their_id = $2', [organisation, theirId])).rows[0]?.ticket_id ?? null
  })
}

export async function readPeerTicket(database: Database, organisation: string, ticket: string): Promise<PeerTicket> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ their_id: string | null; version: number; state: Memory }>('SELECT their_id, version, state FROM peer_ticket WHERE organisation_id = $1 AND ticket_id = $2', [organisation, ticket]))
  return row === undefined ? { theirId: null, version: 0, memory: blank } : { theirId: row.their_id, version: row.version, memory: row.state }
}

/** What they have now; that they take it again is said too. @throws DeliveryRefused where they give one ticket of theirs for two of ours */
export const writePeerTicket = (database: Database, organisation: string, ticket: string, { theirId, version, memory }: PeerTicket): Promise<void> => changed(database,
  `INSERT INTO peer_ticket (organisation_id, ticket_id, their_id, version, state) VALUES ($1, $2, $3, $4, $5)
   ON CONFLICT (organisation_id, ticket_id) DO UPDATE SET their_id = excluded.their_id, version = excluded.version, state = excluded.state, failing_since = NULL, last_error = NULL`,
  [organisation, ticket, theirId, version, JSON.stringify(memory)]).catch((error: unknown) => {
  throw error instanceof Error && 'code' in error && error.code === '23505' ? new DeliveryRefused(`${theirId} there is another ticket of ours already: it is not ${ticket} too.`) : error
})

/** Tickets looked at in a round: of more than these, others in the next. */
const round_max = 1_000

/** The tickets to look at: what they have not heard the newest of, then what is open, in no order. */
export async function ticketsOf(database: Database, organisation: string): Promise<string[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ id: string }>(
    `SELECT ticket.id FROM ticket LEFT JOIN peer_ticket AS of ON of.ticket_id = ticket.id AND of.organisation_id = $1
     WHERE (ticket.organisation_id = $1 AND status NOT IN ('closed', 'cancelled') AND ticket.state->'request' IS NULL) OR (of.their_id IS NOT NULL AND of.version < ticket.version)
     ORDER BY coalesce(of.version, 0) < ticket.version DESC, random() LIMIT $2`, [organisation, round_max]))
  return rows.map(({ id }) => id)
}
