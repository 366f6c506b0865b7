import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'

interface Seen {
  readonly state: 'ok' | 'down' | null
  /** HTTP status of the last answer; null when nothing answered. */
  readonly status: number | null
}
export interface TargetWatch {
  seen(): Seen
  stop(): Promise<void>
}

interface WatchOptions {
  readonly url: string | null
  readonly clock: () => number
  readonly random: () => number
  readonly ask: (url: string, timeout_ms: number, stopped: AbortSignal) => Promise<Result<number, string>>
  /** Calls `turn` after so long. @returns how to forget it */
  readonly after: (ms: number, turn: () => void) => () => void
}

const interval_ms = 30_000
const jitter_share = 0.2
/** A failure is looked at again soon: one lost packet in the data centre is no outage. */
const again_ms = 5_000
const timeout_ms = 10_000
const failures_min = 2
/** What was seen longer ago than this says nothing of now. */
const fresh_ms = 120_000

/**
 * Watches a server from where the platform stands. A page cannot read the status of another origin's answer: with
 * this, a phone that gets nothing can tell a server that is down for all from a way that is cut for itself.
 */
export function watchTarget({ url, clock, random, ask, after }: WatchOptions): TargetWatch {
  if (url === null) return { seen: () => ({ state: null, status: null }), stop: () => Promise.resolve() }
  let last: { readonly at: number; readonly seen: Seen } | null = null
  let failures = 0
  const stopping = new AbortController()
  let turning: Promise<void> = Promise.resolve()
  let forget = (): void => {}
  async function turn(address: string): Promise<void> {
    const answer = await ask(address, timeout_ms, stopping.signal)
    const well = answer.ok && answer.value < 500
    failures = well ? 0 : failures + 1
    if (well || failures >= failures_min) last = { at: clock(), seen: { state: well ? 'ok' : 'down', status: answer.ok ? answer.value : null } }
    const next_ms = well || failures >= failures_min ? interval_ms * (1 + jitter_share * (2 * random() - 1)) : again_ms
    if (!stopping.signal.aborted) forget = after(next_ms, () => (turning = turn(address)))
  }
  turning = turn(url)
  return {
    seen: () => (last === null || clock() - last.at > fresh_ms ? { state: null, status: null } : last.seen),
    async stop() {
      stopping.abort()
      forget()
      await turning
    },
  }
}

/** Asks with the platform's own fetch: the status alone counts, a redirect is an answer, the body is not read. */
export async function askStatus(url: string, timeout_ms: number, stopped: AbortSignal): Promise<Result<number, string>> {
  try {
    const answer = await fetch(url, { redirect: 'manual', cache: 'no-store', signal: AbortSignal.any([stopped, AbortSignal.timeout(timeout_ms)]) })
    await answer.body?.cancel()
    return ok(answer.status)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}
