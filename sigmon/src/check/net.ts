/** The parts of the browser that measuring stands on: arguments, so that tests can stand in for them. */
export interface Net {
  /** Of the platform, without a slash at the end: `https://kawal.example`. */
  readonly origin: string
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Wall clock, ms since 1970. */
  readonly now: () => number
  /** A clock that never jumps, ms: `performance.now()`, the clock of Resource Timing. */
  readonly tick: () => number
  /** Runs once after so many ms. @returns how to call it off */
  readonly timer: (ms: number, run: () => void) => () => void
  /** `navigator.onLine`. True proves nothing; false may lie: an answer beats it. */
  readonly online: () => boolean
  /** The newest Resource Timing entry of this absolute address (W3C Resource Timing 2), where the browser has it. */
  readonly entries?: ((url: string) => PerformanceResourceTiming | undefined) | undefined
  /** Network Information API: Chromium on Android tells the type, others mostly not. */
  readonly connection?: { readonly type?: string; readonly saveData?: boolean } | undefined
  readonly WebSocket?: (new (url: string, protocol: string) => WebSocket) | undefined
  /** What the shell around the page reads of the modem; see spec/radio-bridge.md. */
  readonly radio?: (() => Promise<unknown>) | undefined
}

interface Bridge { read(): Promise<unknown> }

/** The browser's own. */
export function browserNet(): Net {
  const { connection } = navigator as { connection?: NonNullable<Net['connection']> }
  const { kawalRadio } = window as { kawalRadio?: Bridge }
  return {
    origin: location.origin,
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    tick: () => performance.now(),
    timer: (ms, run) => {
      const id = setTimeout(run, ms)
      return () => clearTimeout(id)
    },
    online: () => navigator.onLine,
    entries: (url) => {
      const found = performance.getEntriesByName(url, 'resource').pop() as PerformanceResourceTiming | undefined
      // The browser keeps 250 entries and then none: make room for the next.
      if (found !== undefined) performance.clearResourceTimings()
      return found
    },
    connection,
    WebSocket,
    radio: kawalRadio === undefined ? undefined : () => kawalRadio.read(),
  }
}

/**
 * Waits for an answer at most so long, or until `end` is aborted: then whatever `run` still does is told to stop
 * and not waited for. `cut`: the time was up, which is not the network's error.
 */
export async function within<T>(net: Net, ms: number, run: (signal: AbortSignal) => Promise<T>, end?: AbortSignal): Promise<{ readonly value: T; readonly cut: false } | { readonly value: null; readonly cut: boolean }> {
  if (ms <= 0 || end?.aborted === true) return { value: null, cut: true }
  const abort = new AbortController()
  const late = new Promise<never>((_, failed) => abort.signal.addEventListener('abort', () => failed(new Error('the time is up'))))
  const up = (): void => abort.abort()
  const stop = net.timer(ms, up)
  end?.addEventListener('abort', up)
  try {
    return { value: await Promise.race([run(abort.signal), late]), cut: false }
  } catch {
    return { value: null, cut: abort.signal.aborted }
  } finally {
    stop()
    end?.removeEventListener('abort', up)
  }
}
