import { randomUUID } from 'node:crypto'
import { minute_ms, second_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'

/** Posts one event; resolves to the HTTP status, rejects when there was no answer in time. */
type Send = (callback: string, body: unknown) => Promise<number>

interface Listener { readonly id: string; readonly callback: string; readonly query: string | null }

const send_timeout_ms = 5 * second_ms
const attempts_max = 12
const backoff_ms_max = 10 * minute_ms
/** Deliveries to one listener in one pass: the rest waits for the next pass. */
const burst_max = 20
const listeners_max = 1_000
export const organisation_listeners_max = 20

/** Posts over HTTP with a time limit, and follows no redirect: the address was judged, not what it points to. */
const sendByHttp: Send = async (callback, body) => {
  const response = await fetch(callback, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    redirect: 'error', signal: AbortSignal.timeout(send_timeout_ms),
  })
  await response.body?.cancel()
  return response.status
}

/** Whether events may be sent to this address: only to hosts that the installation names. */
export function callbackAllowed(callback: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(callback)) return false
  const { protocol, hostname, username, password } = new URL(callback)
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') return false
  return hosts.some((host) => host.toLowerCase() === hostname)
}

/** @returns null when the organisation has as many listeners as it may have */
export async function addListener(database: Database, caller: Caller, callback: string, query: string | null, now: Instant): Promise<Listener | null> {
  const id = randomUUID()
  const added = await database.transaction(caller, (client) => client.query(
    `INSERT INTO hub (id, organisation_id, callback, query, created_at) SELECT $1, $2, $3, $4, $5
     WHERE (SELECT count(*) FROM hub WHERE organisation_id = $2) < $6`,
    [id, caller.organisation, callback, query, new Date(now).toISOString(), organisation_listeners_max]))
  return added.rowCount === 1 ? { id, callback, query } : null
}

export async function getListener(database: Database, caller: Caller, id: string): Promise<Listener | null> {
  return database.transaction(caller, async (client) =>
    (await client.query<Listener>('SELECT id, callback, query FROM hub WHERE id::text = $1', [id])).rows[0] ?? null)
}

/** @returns whether there was such a listener that the caller may remove */
export async function removeListener(database: Database, caller: Caller, id: string): Promise<boolean> {
  return database.transaction(caller, async (client) => (await client.query('DELETE FROM hub WHERE id::text = $1', [id])).rowCount === 1)
}

/**
 * Delivers what waits, each listener's in order and all listeners side by side: one that is slow or dead
 * holds up nobody but itself, not even until the next pass. At least once: `eventId` tells a repetition.
 * After 12 failures an event is given up and kept with its last error.
 *
 * @param hosts that events may go to
 * @param send gives the HTTP status; anything but 2xx is a failure, tried again after 1 s, 2 s, 4 s ... 10 min
 */
export function createOutbox(database: Database, hosts: readonly string[], send: Send = sendByHttp) {
  const busy = new Map<string, Promise<Delivered>>()
  return {
    /** One pass over the listeners that are not being served. Resolves when all that it began is done. */
    async deliver(now: Instant): Promise<Delivered> {
      // The oldest event of a listener decides: while it backs off, those behind it wait, to keep the order.
      const listeners = await database.transaction(system, (client) => client.query<{ id: string; callback: string }>(
        `SELECT hub.id, hub.callback FROM hub CROSS JOIN LATERAL (
           SELECT next_attempt_at FROM hub_delivery
           WHERE hub_id = hub.id AND delivered_at IS NULL AND abandoned_at IS NULL ORDER BY id LIMIT 1
         ) AS oldest WHERE next_attempt_at <= $1 ORDER BY hub.id LIMIT $2`, [new Date(now).toISOString(), listeners_max]))
      const begun = listeners.rows.filter((listener) => !busy.has(listener.id)).map((listener) => {
        const pass = deliverTo(database, listener, now, send, hosts).finally(() => busy.delete(listener.id))
        busy.set(listener.id, pass)
        return pass
      })
      const counts = await Promise.all(begun)
      return { delivered: counts.reduce((sum, count) => sum + count.delivered, 0), failed: counts.reduce((sum, count) => sum + count.failed, 0) }
    },
    async idle(): Promise<void> {
      await Promise.allSettled(busy.values())
    },
  }
}

interface Delivered { readonly delivered: number; readonly failed: number }

async function deliverTo(database: Database, listener: { id: string; callback: string }, now: Instant, send: Send, hosts: readonly string[]): Promise<Delivered> {
  let delivered = 0
  for (const delivery of await claim(database, listener.id, now)) {
    const error = callbackAllowed(listener.callback, hosts)
      ? await send(listener.callback, delivery.body).then((status) => (status >= 200 && status < 300 ? null : `HTTP ${status}`), (reason: unknown) => String(reason))
      : 'address not allowed'
    await settle(database, delivery, error, now)
    if (error !== null) return { delivered, failed: 1 }
    delivered++
  }
  return { delivered, failed: 0 }
}

interface Delivery { readonly id: number; readonly attempts: number; readonly body: unknown }

/** Takes a listener's oldest events for as long as a pass can last: another process leaves them alone meanwhile. */
function claim(database: Database, hub: string, now: Instant): Promise<Delivery[]> {
  return database.transaction(system, async (client) => {
    const rows = await client.query<Delivery & { due: boolean }>(
      `SELECT id, attempts, body, next_attempt_at <= $2 AS due FROM hub_delivery
       WHERE hub_id = $1 AND delivered_at IS NULL AND abandoned_at IS NULL ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [hub, new Date(now).toISOString(), burst_max])
    if (rows.rows[0]?.due !== true) return []
    const taken = rows.rows
    await client.query('UPDATE hub_delivery SET next_attempt_at = $2 WHERE id = ANY ($1::bigint[])',
      [taken.map((row) => row.id), new Date(now + (taken.length + 1) * send_timeout_ms).toISOString()])
    return taken
  })
}

async function settle(database: Database, delivery: Delivery, error: string | null, now: Instant): Promise<void> {
  const attempts = delivery.attempts + 1
  const at = new Date(now).toISOString()
  const retryAt = new Date(now + Math.min(backoff_ms_max, second_ms * 2 ** (attempts - 1))).toISOString()
  await database.transaction(system, (client) => error === null
    ? client.query('UPDATE hub_delivery SET delivered_at = $2, attempts = $3, last_error = NULL WHERE id = $1', [delivery.id, at, attempts])
    : client.query('UPDATE hub_delivery SET attempts = $2, last_error = $3, next_attempt_at = $4, abandoned_at = $5 WHERE id = $1',
        [delivery.id, attempts, error.slice(0, 500), retryAt, attempts >= attempts_max ? at : null]))
}
