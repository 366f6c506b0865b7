import { backOff_ms } from '@kawal/core/recap/back-off.ts'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { reach as reachBy, type Reach } from '../reach.ts'
import { envelopeOf } from './stored.ts'

/** Where records are handed over (docs/operating/receiver.md). */
export interface ReceiverSettings {
  readonly url: string
  /** Bearer token; none without it. */
  readonly token?: string
}

export interface Due { readonly hash: Buffer; readonly bytes: Uint8Array }

/** What the receiver has, as far as it said so. */
export interface DeliveryStore {
  /** Officers' records that count and that it has not answered for, in the ledger's order, without those that are to be left alone longer. */
  due(now: Instant, max: number): Promise<readonly Due[]>
  /** Its answer: on disk when this resolves, the first one of each record alone; the record is due no more. */
  delivered(hash: Buffer, status: number, answer: Buffer, at: Instant): Promise<void>
  /** It is left alone until then. */
  refused(hash: Buffer, until: Instant): Promise<void>
}

interface ForwarderNeeds {
  readonly store: DeliveryStore
  readonly reach?: Reach
  readonly clock: () => Instant
  readonly receiver: ReceiverSettings
  readonly failed: (error: unknown) => void
}

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
export function createForwarder({ store, reach = reachBy, clock, receiver, failed }: ForwarderNeeds) {
  let atOnce = 4
  let silentUntil: Instant = -Infinity
  let silences = 0
  let running: Promise<void> | null = null

  async function ask({ hash, bytes }: Due): Promise<Answer> {
    const body = Buffer.from(envelopeOf(bytes))
    try {
      const headers = { 'content-type': envelope_type, 'idempotency-key': `"${hash.toString('hex')}"`, ...(receiver.token === undefined ? {} : { authorization: `Bearer ${receiver.token}` }) }
      const answer = await reach(receiver.url, { method: 'POST', body, headers }, answer_ms_max)
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
      await store.delivered(due.hash, answer.status, answer.body, clock())
      silences = 0
      atOnce = Math.min(at_once_max, atOnce + 1 / atOnce)
      return
    }
    if (answer.kind === 'refused') {
      failed(new Error(`the receiver answered ${answer.status} to ${due.hash.toString('hex')}`))
      return store.refused(due.hash, clock() + refused_ms)
    }
    atOnce = Math.max(1, atOnce / 2)
    const until = clock() + (answer.pause_ms ?? backOff_ms(silences))
    if (clock() >= silentUntil) silences++
    silentUntil = Math.max(silentUntil, until)
  }

  async function run(): Promise<void> {
    try {
      while (clock() >= silentUntil) {
        const due = await store.due(clock(), Math.floor(atOnce))
        if (due.length === 0) return
        await Promise.all(due.map(handOver))
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
