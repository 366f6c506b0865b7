import { backOff_ms } from '@kawal/core/recap/back-off.ts'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { envelopeOf } from './stored.ts'

/** Where records are handed over (docs/operating/receiver.md). */
export interface ReceiverSettings {
  readonly url: string
  /** Bearer token; none without it. */
  readonly token?: string
}

interface ForwarderNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly receiver: ReceiverSettings
  readonly failed: (error: unknown) => void
}

interface Due { readonly hash: Buffer; readonly bytes: Buffer; readonly tries: number }

type Answer =
  | { readonly kind: 'taken'; readonly status: number; readonly body: Buffer }
  /** It will not take this one as it is: people must look. */
  | { readonly kind: 'refused'; readonly status: number }
  /** It takes nothing now. */
  | { readonly kind: 'busy'; readonly pause_ms: number | null }

const answer_ms_max = 30_000
const answer_bytes_max = 65_536
const at_once_max = 32
/** A receiver that refuses one record is asked again about it this often, and takes the others meanwhile. */
const refused_ms = 60 * 60_000

/**
 * Hands records that count to the receiver, each until its answer is on disk: a lost answer is asked for again with the same key (Idempotency-Key,
 * draft-ietf-httpapi-idempotency-key-header), and the receiver answers as it did. One that is down is left alone for longer each time, up to ten minutes; one
 * that is busy is sent less at once.
 */
export function createForwarder({ database, clock, receiver, failed }: ForwarderNeeds) {
  let atOnce = 4
  let silentUntil: Instant = -Infinity
  let silences = 0
  let running: Promise<void> | null = null

  async function ask({ hash, bytes }: Due): Promise<Answer> {
    const body = Buffer.from(envelopeOf(bytes))
    try {
      const answer = await fetch(receiver.url, {
        method: 'POST', signal: AbortSignal.timeout(answer_ms_max), redirect: 'error', body,
        headers: { 'content-type': envelope_type, 'idempotency-key': `"${hash.toString('hex')}"`, ...(receiver.token === undefined ? {} : { authorization: `Bearer ${receiver.token}` }) },
      })
      const { status } = answer
      const text = Buffer.from(await answer.arrayBuffer())
      if (status >= 200 && status < 300 && text.length <= answer_bytes_max) return { kind: 'taken', status, body: text }
      return isBusy(status) ? { kind: 'busy', pause_ms: pauseOf(answer.headers.get('retry-after'), clock()) } : { kind: 'refused', status }
    } catch {
      return { kind: 'busy', pause_ms: null }
    }
  }

  async function handOver(due: Due): Promise<void> {
    const answer = await ask(due)
    if (answer.kind === 'taken') {
      await database.transaction(system, async (client) => {
        await client.query('INSERT INTO delivery (hash, status, answer, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [due.hash, answer.status, answer.body, new Date(clock())])
        await client.query('UPDATE recap SET delivered = true, tries = tries + 1 WHERE hash = $1', [due.hash])
      })
      silences = 0
      atOnce = Math.min(at_once_max, atOnce + 1 / atOnce)
      return
    }
    if (answer.kind === 'refused') {
      failed(new Error(`the receiver answered ${answer.status} to ${due.hash.toString('hex')}`))
      return void (await database.transaction(system, (client) => client.query('UPDATE recap SET tries = tries + 1, next_try_at = $2 WHERE hash = $1', [due.hash, new Date(clock() + refused_ms)])))
    }
    atOnce = Math.max(1, atOnce / 2)
    const until = clock() + (answer.pause_ms ?? backOff_ms(silences))
    if (clock() >= silentUntil) silences++
    silentUntil = Math.max(silentUntil, until)
  }

  async function run(): Promise<void> {
    try {
      while (clock() >= silentUntil) {
        const { rows } = await database.transaction(system, (client) => client.query<Due>(
          `SELECT recap.hash, bytes, tries FROM recap JOIN ledger_entry ON index = entry WHERE reason IS NULL AND NOT delivered AND (next_try_at IS NULL OR next_try_at <= $1) ORDER BY entry LIMIT $2`,
          [new Date(clock()), Math.floor(atOnce)]))
        if (rows.length === 0) return
        await Promise.all(rows.map(handOver))
      }
    } catch (error) {
      failed(error)
    }
  }

  return { turn: (): Promise<void> => (running ??= run().finally(() => (running = null))) }
}

/** Not now, or not known whether: it is asked again. */
const isBusy = (status: number): boolean => status >= 500 || [408, 409, 425, 429].includes(status)

/** Retry-After (RFC 9110, section 10.2.3), at most an hour. */
export function pauseOf(text: string | null, now: Instant): number | null {
  if (text === null) return null
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), refused_ms) : null
}
