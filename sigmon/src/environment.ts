import type { Random } from '@kawal/core/kernel/random.ts'

/** The part of the Screen Wake Lock that is used. */
interface WakeLock { request(type: 'screen'): Promise<{ release(): Promise<void>; addEventListener(type: 'release', told: () => void): void }> }

/**
 * The native shell around the page; see spec/shell.md. `ask` rejects with the shell's own sentence; a shell may also
 * be silent, or answer what it should not.
 */
interface Shell {
  ask(what: string, given?: object): Promise<unknown>
  told(what: 'duty' | 'permissions', run: (is: unknown) => void): void
}

/**
 * Everything of the platform that the engine stands on. What an old phone lacks is null: the engine goes on
 * without it. Tests give time and chance of their own, and the real browser for the rest.
 */
export interface Environment {
  readonly indexedDB: IDBFactory
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
  readonly crypto: Crypto
  /** One sender and one reporter across tabs; null before Chromium 69 and Safari 15.4. */
  readonly locks: Pick<LockManager, 'request'> | null
  readonly storage: Pick<StorageManager, 'persist' | 'estimate'> | null
  readonly wakeLock: WakeLock | null
  readonly serviceWorker: ServiceWorkerContainer | null
  readonly window: EventTarget
  readonly document: EventTarget & { readonly visibilityState: DocumentVisibilityState }
  /** Wall clock, ms since 1970. The officer may set it. */
  readonly clock: () => number
  readonly random: Random
  readonly setTimer: (work: () => void, ms: number) => unknown
  readonly clearTimer: (timer: unknown) => void
  readonly online: () => boolean
  readonly reload: () => void
  /** Tells the other tabs of this app that what is kept has changed; null where there is no way. */
  readonly channel: Pick<BroadcastChannel, 'postMessage' | 'addEventListener' | 'close'> | null
  /** The `kid` that the letter's QR names: no other key is pinned then. */
  readonly letterKey: string | null
  /** Null in a browser. */
  readonly shell: Shell | null
  /** The phone could have the shell: it runs Android. */
  readonly android: boolean
  /** Of the screens: the shell's notification speaks it too. */
  readonly language: () => 'id' | 'en'
}

/** The browser's own. */
export function browserEnvironment(): Environment {
  return {
    indexedDB, crypto,
    fetch: (path, init) => fetch(path, init),
    locks: 'locks' in navigator ? navigator.locks : null,
    storage: 'storage' in navigator ? navigator.storage : null,
    wakeLock: 'wakeLock' in navigator ? (navigator.wakeLock as WakeLock) : null,
    serviceWorker: 'serviceWorker' in navigator ? navigator.serviceWorker : null,
    window, document,
    clock: () => Date.now(),
    random: Math.random,
    setTimer: (work, ms) => setTimeout(work, ms),
    clearTimer: (timer) => clearTimeout(timer as number),
    online: () => navigator.onLine,
    reload: () => location.reload(),
    channel: 'BroadcastChannel' in window ? new BroadcastChannel('sigmon') : null,
    letterKey: new URLSearchParams(location.hash.slice(1)).get('kunci'),
    shell: shellOf((window as { kawalShell?: Partial<Shell> }).kawalShell),
    android: /\bAndroid\b/.test(navigator.userAgent),
    language: () => (document.documentElement.lang === 'en' ? 'en' : 'id'),
  }
}

const shellOf = (given: Partial<Shell> | undefined): Shell | null => (typeof given?.ask === 'function' && typeof given.told === 'function' ? (given as Shell) : null)
