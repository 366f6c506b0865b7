import type { ReportReceipt } from '@kawal/contract/report.ts'
import { backoff, resumeDelay } from '@kawal/core/measurement/schedule.ts'
import type { Answered, Enrolment } from '../enrol.ts'
import type { Environment } from '../environment.ts'
import { exclusively } from '../exclusive.ts'
import type { Identities, Identity } from '../identities.ts'
import { problemOf, request, retryAfter_ms } from '../request.ts'
import type { SessionState } from '../session.ts'
import type { Row, Store } from '../store.ts'
import type { Queue } from './queue.ts'
import { jsonWire, type Wire } from './wire.ts'

const batch_max = 50
const backoff_base_ms = 2_000
const backoff_cap_ms = 300_000
/** Another tab is sending: look again whether anything was left. */
const other_tab_ms = 3_000
/** More than a full queue takes, refusals included: a pass that would not end is a bug. */
const rounds_max = 500

type Trigger = 'kept' | 'online' | 'visible' | 'button' | 'timer'

export interface Sender {
  /** Sends all that waits, unless it is being sent, or the server said when. @returns when this attempt is over */
  trigger(why: Trigger): Promise<void>
  state(): SessionState['sending']
  /** The form in which batches go at present. */
  wire(): Wire
  stop(): void
}

interface Needs {
  readonly env: Environment
  readonly store: Store
  readonly queue: Queue
  readonly identities: Identities
  readonly enrolment: Pick<Enrolment, 'confirm'>
  /** Loaded when it is first needed; null where it cannot be. */
  readonly compact: () => Promise<Wire | null>
  readonly spread_ms: () => number
  readonly told: (receipt: ReportReceipt) => void
  /** What waits, or why it does not go, has changed. */
  readonly changed: () => void
}

type Outcome = { readonly ok: true } | { readonly ok: false; readonly status: number; readonly wait_ms: number }
const done: Outcome = { ok: true }

export function createSender(needs: Needs): Sender {
  const { env, changed } = needs
  let attempt = 0
  let state: SessionState['sending'] = null
  /** The server asked for quiet until then: no trigger cuts it short. */
  let quietUntil = 0
  let timer: unknown
  let running: Promise<void> | null = null
  let again = false
  let stopped = false
  const delivery = createDelivery(needs)

  function later(ms: number): void {
    env.clearTimer(timer)
    if (!stopped) timer = env.setTimer(() => void run('timer'), ms)
  }

  async function pass(): Promise<void> {
    let outcome: Outcome = done
    const mine = await exclusively(env, needs.store, 'send', async (renew) => {
      outcome = await delivery.all(renew).catch(unstored)
    })
    if (!mine) {
      if (await delivery.anythingWaits()) later(other_tab_ms)
      return
    }
    settle(outcome)
  }

  function settle(outcome: Outcome): void {
    if (outcome.ok) {
      attempt = 0
      state = null
      return
    }
    attempt++
    const now = env.clock()
    quietUntil = now + outcome.wait_ms
    const wait_ms = Math.max(outcome.wait_ms, 250 + backoff(attempt, backoff_base_ms, backoff_cap_ms, env.random))
    state = { status: outcome.status, retryAt: now + wait_ms }
    later(wait_ms)
  }

  async function run(why: Trigger): Promise<void> {
    const now = env.clock()
    // A clock that was set back must not make the quiet longer than the server meant.
    if (now < quietUntil && quietUntil - now <= 3_600_000) return
    // A failure stands: what is kept meanwhile goes with the next attempt.
    if (why === 'kept' && state !== null && state.retryAt > now) return
    if (running !== null) {
      again = true
      return running
    }
    env.clearTimer(timer)
    running = (async () => {
      for (let turn = 0; turn < rounds_max; turn++) {
        again = false
        await pass()
        if (!again || state !== null || stopped) return
      }
    })().finally(() => {
      running = null
      changed()
    })
    return running
  }

  return {
    async trigger(why) {
      if (stopped) return
      // Every phone of the area is back at this instant: each waits a part of its own. A retry that comes sooner was drawn by chance too.
      if (why === 'online') return later(Math.min(resumeDelay(needs.spread_ms(), env.random), state === null ? Infinity : Math.max(0, state.retryAt - env.clock())))
      await run(why)
    },
    state: () => state,
    wire: delivery.wire,
    stop() {
      stopped = true
      env.clearTimer(timer)
    },
  }
}

/** The phone's store failed, for want of room mostly: what was sent may be sent again, and nothing is lost. */
function unstored(error: unknown): Outcome {
  if (error instanceof DOMException) return { ok: false, status: 0, wait_ms: 0 }
  throw error
}

interface Delivery {
  /** Everything that waits, oldest identity first. */
  all(renew: () => Promise<boolean>): Promise<Outcome>
  anythingWaits(): Promise<boolean>
  wire(): Wire
}

function createDelivery({ env, queue, identities, enrolment, compact, told, changed }: Needs): Delivery {
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
      await queue.mark(rows, receipt, new Date(Date.parse(answer.headers.get('date') ?? '') || env.clock()).toISOString())
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

/** A goodbye: the page may be gone in a moment, so nothing is waited for, and the browser sends it after us. */
export function sayGoodbye(env: Pick<Environment, 'fetch' | 'clock'>, wire: Wire, identity: Identity, row: Pick<Row, 'sample'>): Promise<Response> {
  const body = wire.write({ station: identity.station.code, sentAt: new Date(env.clock()).toISOString(), samples: [row.sample] })
  return env.fetch('/v1/reports', { method: 'POST', headers: { 'content-type': wire.type, authorization: `Bearer ${identity.token}` }, body, keepalive: true })
}
