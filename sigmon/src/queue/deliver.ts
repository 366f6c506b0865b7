import type { ReportReceipt } from '@kawal/contract/report.ts'
import type { Answered, Enrolment } from '../enrol.ts'
import type { Identities, Identity } from '../identities.ts'
import { problemOf, request, retryAfter_ms, type Reaching } from '../request.ts'
import type { Row } from '../store.ts'
import type { Queue } from './queue.ts'
import { jsonWire, type Wire } from './wire.ts'

const batch_max = 50
/** More than a full queue takes, refusals included: a pass that would not end is a bug. */
const rounds_max = 500

/** Where the store keeps until when the server wants to be left alone, ms. @param name of what is sent */
export const quietKey = (name: 'send' | 'recaps'): string => `quietUntil-${name}`
/** `wait_ms`: how long the server wants to be left alone. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly status: number; readonly wait_ms: number }
export const done: Outcome = { ok: true }

interface DeliveryNeeds {
  readonly env: Reaching & { readonly clock: () => number }
  readonly queue: Queue
  readonly identities: Identities
  readonly enrolment: Pick<Enrolment, 'confirm'>
  /** Loaded when it is first needed; null where it cannot be. */
  readonly compact: () => Promise<Wire | null>
  readonly told: (receipt: ReportReceipt) => void
  /** The server's clock, where an answer says it; ms. */
  readonly met: (serverTime: number) => void
  /** What waits has changed. */
  readonly changed: () => void
}

/** Carries what waits to the server: for a page, or for the service worker when there is none. */
export interface Delivery {
  /** Everything that waits, in its order. */
  all(renew: () => Promise<boolean>): Promise<Outcome>
  anythingWaits(): Promise<boolean>
  wire(): Wire
}

export function createDelivery({ env, queue, identities, enrolment, compact, told, met, changed }: DeliveryNeeds): Delivery {
  let wire: Wire | null = null
  let size = batch_max

  const unconfirmed = (confirmed: Answered): Outcome => (confirmed.is === 'unanswered' ? { ok: false, status: confirmed.status, wait_ms: confirmed.wait_ms } : done)

  async function post(identity: Identity, rows: readonly Row[]): Promise<Response | null> {
    wire ??= (await compact().catch(() => null)) ?? jsonWire
    const body = wire.write({ station: identity.station.code, sentAt: new Date(env.clock()).toISOString(), samples: rows.map((row) => row.sample) })
    return request(env, '/v1/reports', { method: 'POST', headers: { 'content-type': wire.type, authorization: `Bearer ${identity.token}` }, body })
  }

  /** Nothing changes state before the receipt is here. @returns null to go on */
  async function one(identity: Identity, rows: readonly Row[]): Promise<Outcome | 'enrol' | null> {
    const answer = await post(identity, rows)
    if (answer === null) return { ok: false, status: 0, wait_ms: 0 }
    if (answer.status === 202) {
      const receipt = await (wire ?? jsonWire).receipt(answer)
      if (receipt === null) return { ok: false, status: 0, wait_ms: 0 }
      const serverTime = Date.parse(answer.headers.get('date') ?? '')
      if (!Number.isNaN(serverTime)) met(serverTime)
      await queue.mark(rows, receipt, new Date(serverTime || env.clock()).toISOString())
      size = batch_max
      told(receipt)
      return null
    }
    if (answer.status === 401 || answer.status === 403) return 'enrol'
    if ((answer.status === 415 || answer.status === 400) && wire !== jsonWire) {
      wire = jsonWire
      return null
    }
    if (answer.status === 413 || answer.status === 400) {
      // One that the server cannot even read must not hold up the others: it is found by halves, and kept.
      if (rows.length > 1) size = Math.max(1, rows.length >> 1)
      else await queue.refuse(rows, (await problemOf(answer)).detail)
      return null
    }
    return { ok: false, status: answer.status, wait_ms: retryAfter_ms(answer, env.clock()) }
  }

  async function ofIdentity(first: Identity, renew: () => Promise<boolean>): Promise<Outcome> {
    let identity = first
    let asked = false
    for (let round = 0; round < rounds_max; round++) {
      if (identity.token === null) {
        // Refused before: the officer has to look at the letter.
        if (identity.refusal !== null) return done
        const confirmed = await enrolment.confirm(identity)
        changed()
        if (confirmed.is !== 'confirmed') return unconfirmed(confirmed)
        identity = confirmed.identity
      }
      const rows = await queue.batch(identity.id, size)
      if (rows.length === 0 || !(await renew())) return done
      const outcome = await one(identity, rows)
      changed()
      if (outcome === 'enrol') {
        if (asked) return { ok: false, status: 403, wait_ms: 60_000 }
        asked = true
        identity = { ...identity, token: null }
      } else if (outcome !== null) return outcome
    }
    return done
  }

  return {
    wire: () => wire ?? jsonWire,
    async all(renew) {
      await queue.settle().catch(() => false)
      await identities.reload()
      const current = identities.current()
      for (const identity of identities.all()) {
        if (identity.id !== current?.id && (await queue.waitsFor(identity.id)) === 0) continue
        const outcome = await ofIdentity(identity, renew)
        if (!outcome.ok) return outcome
      }
      return done
    },
    async anythingWaits() {
      for (const identity of identities.all()) if ((await queue.waitsFor(identity.id)) > 0) return true
      return false
    },
  }
}
