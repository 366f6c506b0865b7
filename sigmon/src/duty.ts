import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { firstDue, nextDue } from '@kawal/core/measurement/schedule.ts'
import type { Environment } from './environment.ts'
import type { SessionState } from './session.ts'
import type { Store } from './store.ts'

/** A duty that was forgotten is not taken up again when the app is opened: voting and counting take no longer. */
const duty_ms_max = 18 * 3_600_000
/** Whoever looks at another app for a moment is not measured each time. */
const again_ms_min = 10_000

type Pace = Pick<SigmonConfig, 'jitterShare'> & { readonly interval_ms: number }

interface Needs {
  readonly env: Environment
  readonly store: Store
  readonly pace: () => Pace
  /** Measures, and keeps a report that promises the next one for `dueAt()`, asked when it is written. */
  readonly report: (dueAt: () => number | null, count: number) => Promise<void>
  /** Says that no report will come, at once and without waiting. */
  readonly goodbye: () => void
  /** The same, from an officer who has time: kept like any other report. */
  readonly end: () => Promise<void>
  readonly changed: () => void
}

interface HeldDuty { readonly on: boolean; readonly since: number; readonly nextDueAt: number | null }

export interface Duty {
  state(): SessionState['duty']
  start(): Promise<void>
  end(): Promise<void>
  keepAwake(on: boolean): Promise<void>
  /** What another report promises while on duty; null off duty. */
  promise(): number | null
  /** Off while the page cannot be seen: the browser may stop it at any time. */
  hide(): void
  show(): Promise<void>
  /** Goes on where a page that was killed or loaded again left off, and follows what another tab began or ended. */
  resume(): Promise<void>
  stop(): void
}

export function createDuty({ env, store, pace, report, goodbye, end, changed }: Needs): Duty {
  let held: HeldDuty = { on: false, since: 0, nextDueAt: null }
  let timer: unknown
  let reporting: Promise<void> | null = null
  let count = 0
  let lastAt = -Infinity
  /** A promise is open: a report was kept since the last goodbye. */
  let promised = false
  let hidden = false
  let stopped = false
  /** What the store holds is older than what this tab knows. */
  let writing = 0
  const screen = createScreen(env, changed)
  const lead = createLead(env, () => held.on && !stopped, begin)

  async function write(next: HeldDuty): Promise<void> {
    held = next
    writing++
    await store.write({ duty: next }).catch(() => undefined).finally(() => writing--)
    changed()
  }

  /** Drawn when the sample is written, so that it lies ahead of it however long the measuring took. */
  function promise(): number | null {
    if (!held.on || hidden || !lead.leads()) return null
    const { interval_ms, jitterShare } = pace()
    // A promise sooner than this could hardly be kept.
    const dueAt = Math.max(nextDue(env.clock(), { interval_ms, jitter_share: jitterShare }, env.random), env.clock() + 30_000)
    promised = true
    held = { ...held, nextDueAt: dueAt }
    plan(dueAt)
    void write(held)
    return dueAt
  }

  function plan(at: number): void {
    env.clearTimer(timer)
    if (!stopped) timer = env.setTimer(() => void turn(), Math.max(0, at - env.clock()))
  }

  /** A duty that has just begun waits for its own first turn: nearly all officers press the button in the same minute. */
  function begin(): void {
    if (count === 0 && held.nextDueAt !== null) plan(held.nextDueAt)
    else void turn()
  }

  async function turn(): Promise<void> {
    if (!held.on || hidden || !lead.leads() || stopped) return
    // The browser fires early, and a phone that slept fires late: the report bears the time of its making.
    const soon = lastAt + again_ms_min - env.clock()
    if (soon > 0 && soon <= again_ms_min) return plan(env.clock() + soon)
    reporting ??= (async () => {
      lastAt = env.clock()
      count++
      await report(promise, count)
    })().catch(() => plan(env.clock() + 30_000)).finally(() => (reporting = null))
    await reporting
  }

  /** Here or in another tab: whoever has a promise open takes it back. */
  async function finish(): Promise<void> {
    env.clearTimer(timer)
    const written = write({ on: false, since: 0, nextDueAt: null })
    lead.leave()
    await screen.want(false)
    await Promise.all([written, reporting])
    if (promised) await end()
    promised = false
  }

  return {
    state: () => ({ on: held.on, since: held.on ? held.since : null, nextDueAt: held.nextDueAt, awake: screen.awake(), canStayAwake: env.wakeLock !== null }),
    promise,
    async start() {
      if (held.on) return
      count = 0
      const now = env.clock()
      const { interval_ms, jitterShare } = pace()
      await write({ on: true, since: now, nextDueAt: firstDue(now, { interval_ms, jitter_share: jitterShare }, env.random) })
      await lead.join()
    },
    end: finish,
    keepAwake: (on) => screen.want(on),
    hide() {
      if (hidden) return
      hidden = true
      env.clearTimer(timer)
      if (!held.on || !promised) return
      promised = false
      held = { ...held, nextDueAt: null }
      goodbye()
    },
    async show() {
      if (!hidden) return
      hidden = false
      await screen.again()
      await turn()
    },
    async resume() {
      const kept = await store.read<HeldDuty>('duty')
      if (writing > 0) return
      if (kept?.on !== true) return held.on ? finish() : undefined
      if (held.on) return
      if (Math.abs(env.clock() - kept.since) > duty_ms_max) return write({ on: false, since: 0, nextDueAt: null })
      // It is not known what was promised last: the next report, and a goodbye, take its place.
      promised = kept.nextDueAt !== null
      count = 1
      held = { ...kept, nextDueAt: null }
      changed()
      await lead.join()
    },
    stop() {
      stopped = true
      env.clearTimer(timer)
      lead.leave()
      void screen.want(false)
    },
  }
}

/**
 * One tab reports. The others wait for it to close, and then go on in its place; without Web Locks each tab
 * that is open reports.
 * @param wanted whether this tab still wants to, when its turn comes
 */
function createLead(env: Pick<Environment, 'locks' | 'setTimer'>, wanted: () => boolean, begin: () => void): { leads(): boolean; join(): Promise<void>; leave(): void } {
  let release: (() => void) | null = null
  return {
    leads: () => release !== null,
    leave: () => release?.(),
    join() {
      if (release !== null) return Promise.resolve()
      if (env.locks === null) {
        release = () => (release = null)
        begin()
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        void env.locks?.request('sigmon-duty', () => new Promise<void>((free) => {
          if (!wanted()) return free()
          release = () => {
            release = null
            free()
          }
          begin()
          resolve()
        })).catch(() => undefined)
        env.setTimer(resolve, 500)
      })
    },
  }
}

/** Screen Wake Lock: the browser takes it back whenever the page is hidden. */
function createScreen(env: Pick<Environment, 'wakeLock'>, changed: () => void): { want(on: boolean): Promise<void>; again(): Promise<void>; awake(): boolean } {
  let wanted = false
  let lock: { release(): Promise<void> } | null = null
  const screen = {
    awake: () => lock !== null,
    async want(on: boolean) {
      wanted = on
      if (!on) {
        await lock?.release().catch(() => undefined)
        lock = null
        return changed()
      }
      await screen.again()
    },
    async again() {
      if (!wanted || lock !== null || env.wakeLock === null) return
      try {
        const got = await env.wakeLock.request('screen')
        got.addEventListener('release', () => {
          if (lock === got) lock = null
          changed()
        })
        lock = got
      } catch {
        lock = null
      }
      changed()
    },
  }
  return screen
}
