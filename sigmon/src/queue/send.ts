import { backoff, on_screen_share, resumeDelay } from '@kawal/core/measurement/schedule.ts'
import type { Environment } from '../environment.ts'
import { exclusively } from '../exclusive.ts'
import type { Identity } from '../identities.ts'
import type { SessionState } from '../session.ts'
import type { Row, Store } from '../store.ts'
import { done, quietKey, type Delivery, type Outcome } from './deliver.ts'
import type { Wire } from './wire.ts'

/**
 * What keeps a platform that comes back from being met by everybody at once (core/rehearsal/duty-load.ts): with a
 * first wait of 2 s the million that had met it away were 10 times the mean of a quiet minute, with these less than 2.
 */
const backoff_base_ms = 120_000
const backoff_cap_ms = 600_000
/** Another tab is sending: look again whether anything was left. */
const other_tab_ms = 3_000
/** More triggers than come while one attempt runs: a pass that would not end is a bug. */
const rounds_max = 500
/** `reached`: what was kept has just found the platform answering. */
type Trigger = 'kept' | 'reached' | 'online' | 'visible' | 'button' | 'timer'

export interface Sender {
  /** Sends all that waits, unless it is being sent, or the server said when. @returns when this attempt is over */
  trigger(why: Trigger): Promise<void>
  state(): SessionState['sending']
  stop(): void
}

interface Needs {
  readonly env: Pick<Environment, 'locks' | 'clock' | 'crypto' | 'random' | 'document' | 'setTimer' | 'clearTimer'>
  readonly store: Pick<Store, 'run' | 'write'>
  /** Of the lock: what other tabs, and the service worker, do not do meanwhile. */
  readonly name: 'send' | 'recaps'
  readonly delivery: Pick<Delivery, 'all' | 'anythingWaits'>
  readonly spread_ms: () => number
  /** What waits has changed. */
  readonly changed: () => void
}

export function createSender(needs: Needs): Sender {
  const { env, delivery, changed } = needs
  let attempt = 0
  let state: SessionState['sending'] = null
  /** The server asked for quiet until then: no trigger cuts it short. */
  let quietUntil = 0
  let timer: unknown
  let running: Promise<void> | null = null
  let again = false
  /** The officer pressed while an attempt ran: if that one fails, it was begun before whatever made them press. */
  let pressed = false
  let stopped = false

  function later(ms: number): void {
    env.clearTimer(timer)
    if (!stopped) timer = env.setTimer(() => void run('timer'), ms)
  }

  /** A clock that was set back must not make the quiet longer than the server meant. */
  const quiet_ms = (now: number): number => (quietUntil - now <= 3_600_000 ? Math.max(0, quietUntil - now) : 0)

  async function pass(): Promise<void> {
    let outcome: Outcome = done
    const mine = await exclusively(env, needs.store, needs.name, async (renew) => {
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
    // The service worker keeps to it too.
    if (outcome.wait_ms > 0) void needs.store.write({ [quietKey(needs.name)]: quietUntil }).catch(() => undefined)
    const wait_ms = Math.max(outcome.wait_ms, 250 + backoff(attempt, backoff_base_ms, backoff_cap_ms, env.random))
    state = { status: outcome.status, retryAt: now + wait_ms }
    later(wait_ms)
  }

  /** Every phone of the area is back at this instant: each waits a part of its own. A retry that comes sooner was drawn by chance too. */
  function resume(): void {
    const now = env.clock()
    const share = env.document.visibilityState === 'visible' ? on_screen_share : 1
    const wait_ms = Math.max(quiet_ms(now), Math.min(resumeDelay(needs.spread_ms() * share, env.random), state === null ? Infinity : Math.max(0, state.retryAt - now)))
    if (state !== null) state = { ...state, retryAt: now + wait_ms }
    later(wait_ms)
    changed()
  }

  async function run(why: Trigger): Promise<void> {
    const now = env.clock()
    if (quiet_ms(now) > 0) return
    // A failure stands: what is kept meanwhile goes with the next attempt.
    if (why === 'kept' && state !== null && state.retryAt > now) return
    // A report on its rhythm, which is spread already, has just shown that the silence is over; a server that answers with an error is still left alone.
    if (why === 'reached' && state !== null && state.status !== 0 && state.retryAt > now) return
    if (running !== null) {
      again = true
      pressed ||= why === 'button'
      return running
    }
    env.clearTimer(timer)
    running = (async () => {
      for (let turn = 0; turn < rounds_max; turn++) {
        again = false
        pressed = false
        await pass()
        if (!again || (state !== null && !pressed) || stopped || quiet_ms(env.clock()) > 0) return
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
      if (why === 'online') return resume()
      await run(why)
    },
    state: () => state,
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

/** A goodbye: the page may be gone in a moment, so nothing is waited for, and the browser sends it after us. */
export function sayGoodbye(env: Pick<Environment, 'fetch' | 'clock'>, wire: Wire, identity: Identity, row: Pick<Row, 'sample'>): Promise<Response> {
  const body = wire.write({ station: identity.station.code, sentAt: new Date(env.clock()).toISOString(), samples: [row.sample] })
  return env.fetch('/v1/reports', { method: 'POST', headers: { 'content-type': wire.type, authorization: `Bearer ${identity.token}` }, body, keepalive: true })
}
