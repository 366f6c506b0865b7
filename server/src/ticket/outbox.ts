import { randomUUID } from 'node:crypto'
import { minute_ms, second_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { hubFilter } from './hub-query.ts'
import { send_timeout_ms, type Send } from './webhook.ts'

interface Listener { readonly id: string; readonly callback: string; readonly query: string | null }

/** 1,023 s until pauses are of ten minutes, and a day of those: a receiver that is dead for a night loses nothing. */
const attempts_max = 154
const backoff_ms_max = 10 * minute_ms
/** Deliveries to one listener in one pass: the rest waits for the next pass. */
const burst_max = 20
/** Listeners in one pass: those that wait longest first. */
const listeners_max = 1_000
export const organisation_listeners_max = 20

/**
 * @returns null when the organisation has as many listeners as it may have
 * @throws ProblemError body_invalid for a query that is none
 */
export async function addListener(database: Database, caller: Caller, callback: string, query: string | null, now: Instant): Promise<Listener | null> {
  const id = randomUUID()
  const filter = hubFilter(query)
  const added = await database.transaction(caller, (client) => client.query(
    `INSERT INTO hub (id, organisation_id, callback, query, created_at, filter) SELECT $1, $2, $3, $4, $5, $7
     WHERE (SELECT count(*) FROM hub WHERE organisation_id = $2) < $6`,
    [id, caller.organisation, callback, query, new Date(now).toISOString(), organisation_listeners_max, filter === null ? null : JSON.stringify(filter)]))
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

interface Delivered { readonly delivered: number; readonly failed: number }
interface Delivery { readonly id: number; readonly attempts: number; readonly body: { readonly eventId: string } }
/** @property error null: delivered. @property isRefused it is not tried again */
interface Settled { readonly delivery: Delivery; readonly error: string | null; readonly isRefused: boolean; readonly at: Instant }

/** What a receiver will not take however often it is sent: it is given up at once, and holds up nothing behind it. */
export class DeliveryRefused extends Error {}

/**
 * Delivers what waits, each listener's in order and all listeners side by side: one that is slow or dead
 * holds up nobody but itself, not even until the next pass. At least once: `eventId` tells a repetition.
 * After 154 failures, a day, an event is given up and kept with its last error.
 *
 * @param send gives the HTTP status; anything but 2xx is a failure, tried again after 1 s, 2 s, 4 s ... 10 min
 */
export function createOutbox(database: Database, send: Send) {
  const busy = new Map<string, Promise<Delivered>>()
  const settle = createSettling(database)

  async function deliverTo(listener: string, callback: string, deliveries: readonly Delivery[], now: Instant): Promise<Delivered> {
    const settled: Settled[] = []
    for (const delivery of deliveries) {
      const failure: unknown = await send({ callback, id: delivery.body.eventId, body: delivery.body, listener, at: now }).then((status) => (status >= 200 && status < 300 ? null : `HTTP ${status}`), (reason: unknown) => reason ?? 'no reason')
      const [error, isRefused] = [failure === null ? null : String(failure), failure instanceof DeliveryRefused]
      settled.push({ delivery, error, isRefused, at: now })
      if (error !== null && !isRefused) break
    }
    await settle(settled)
    const failed = settled.filter(({ error }) => error !== null).length
    return { delivered: settled.length - failed, failed }
  }

  return {
    /** One pass over the listeners that are not being served. Resolves when all that it began is done. */
    async deliver(now: Instant): Promise<Delivered> {
      const begun = [...await claim(database, now, [...busy.keys()])].map(([hub, { callback, deliveries }]) => {
        const pass = deliverTo(hub, callback, deliveries, now).finally(() => busy.delete(hub))
        busy.set(hub, pass)
        return pass
      })
      const counts = await Promise.all(begun)
      return { delivered: counts.reduce((sum, count) => sum + count.delivered, 0), failed: counts.reduce((sum, count) => sum + count.failed, 0) }
    },
  }
}

/** Any two claims are one after the other: else a second process could take a listener's later events while the first holds its oldest. */
const claim_lock = 6210

/**
 * Takes the oldest events of listeners whose oldest is due, for as long as a pass can last: until then they are
 * nobody else's. While the oldest backs off, those behind it wait, to keep the order.
 * @param busy listeners that are being served: a pass to them may last longer than it was taken for
 */
function claim(database: Database, now: Instant, busy: readonly string[]): Promise<Map<string, { callback: string; deliveries: Delivery[] }>> {
  return database.transaction(system, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [claim_lock])
    const { rows } = await client.query<Delivery & { hub: string; callback: string }>(
      `WITH due AS (
         SELECT hub.id, hub.callback FROM hub CROSS JOIN LATERAL (
           SELECT next_attempt_at FROM hub_delivery WHERE hub_id = hub.id AND delivered_at IS NULL AND abandoned_at IS NULL ORDER BY id LIMIT 1
         ) AS oldest WHERE next_attempt_at <= $1 AND hub.id <> ALL ($5::uuid[]) ORDER BY next_attempt_at LIMIT $2
       ), taken AS (
         SELECT delivery.id, due.callback, 1 + count(*) OVER (PARTITION BY due.id) AS sends FROM due CROSS JOIN LATERAL (
           SELECT id FROM hub_delivery WHERE hub_id = due.id AND delivered_at IS NULL AND abandoned_at IS NULL ORDER BY id LIMIT $3
         ) AS delivery
       )
       UPDATE hub_delivery SET next_attempt_at = $1::timestamptz + sends * $4 * interval '1 ms' FROM taken WHERE hub_delivery.id = taken.id
       RETURNING hub_delivery.id, hub_id AS hub, callback, attempts, body`,
      [new Date(now).toISOString(), listeners_max, burst_max, send_timeout_ms, busy])
    const claimed = new Map<string, { callback: string; deliveries: Delivery[] }>()
    for (const { hub, callback, ...delivery } of rows.sort((a, b) => a.id - b.id)) {
      const of = claimed.get(hub)
      if (of === undefined) claimed.set(hub, { callback, deliveries: [delivery] })
      else of.deliveries.push(delivery)
    }
    return claimed
  })
}

/** Writes down what came of deliveries; what comes while one set is being written goes with the next. */
function createSettling(database: Database): (settled: readonly Settled[]) => Promise<void> {
  let waiting: Settled[] = []
  let next: Promise<void> | null = null
  let writing: Promise<void> = Promise.resolve()
  return (settled) => {
    waiting.push(...settled)
    return (next ??= writing.catch(() => undefined).then(() => {
      const all = waiting
      ;[waiting, next] = [[], null]
      return (writing = write(database, all))
    }))
  }
}

async function write(database: Database, all: readonly Settled[]): Promise<void> {
  if (all.length === 0) return
  const time = (instant: Instant): string => new Date(instant).toISOString()
  const rows = all.map(({ delivery, error, isRefused, at }) => {
    const attempts = delivery.attempts + 1
    const retry_ms = Math.min(backoff_ms_max, second_ms * 2 ** (attempts - 1))
    return { id: delivery.id, attempts, error: error?.slice(0, 500) ?? null, deliveredAt: error === null ? time(at) : null, retryAt: time(at + retry_ms), abandonedAt: error !== null && (isRefused || attempts >= attempts_max) ? time(at) : null }
  })
  await database.transaction(system, (client) => client.query(
    `UPDATE hub_delivery SET attempts = of.attempts, last_error = error, delivered_at = delivered, next_attempt_at = retry, abandoned_at = abandoned
     FROM unnest($1::bigint[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[]) AS of (id, attempts, error, delivered, retry, abandoned)
     WHERE hub_delivery.id = of.id`,
    [rows.map((row) => row.id), rows.map((row) => row.attempts), rows.map((row) => row.error), rows.map((row) => row.deliveredAt), rows.map((row) => row.retryAt), rows.map((row) => row.abandonedAt)]))
}
