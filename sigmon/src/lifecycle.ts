import type { Environment } from './environment.ts'

interface Told {
  /** The page cannot be seen any more, and may be gone after this call. Synchronous. */
  readonly hidden: () => void
  readonly visible: () => void
  readonly online: () => void
  /** The service worker was woken by background sync. */
  readonly sync: () => void
}

interface SyncManager { register(tag: string): Promise<void> }

/** What the browser tells of the page's life (Page Lifecycle, Page Visibility, Background Sync). @returns how to stop listening */
export function listen(env: Environment, told: Told): () => void {
  const stops: (() => void)[] = []
  const on = (target: EventTarget | null, type: string, does: (event: Event) => void): void => {
    target?.addEventListener(type, does)
    stops.push(() => target?.removeEventListener(type, does))
  }
  // Android kills a page in the background without pagehide: hidden is the last thing that is sure to be told.
  on(env.document, 'visibilitychange', () => (env.document.visibilityState === 'hidden' ? told.hidden() : told.visible()))
  on(env.document, 'freeze', told.hidden)
  on(env.document, 'resume', () => env.document.visibilityState === 'visible' && told.visible())
  on(env.window, 'pagehide', told.hidden)
  on(env.window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && told.visible())
  on(env.window, 'online', told.online)
  on(env.serviceWorker, 'message', (event) => (event as MessageEvent).data === 'send' && told.sync())
  return () => stops.forEach((stop) => stop())
}

/** Asks the browser to wake us when there is a network again, where it can (Chromium); elsewhere opening the app does it. */
export async function askForSync(env: Environment): Promise<void> {
  const registration = await env.serviceWorker?.getRegistration().catch(() => undefined)
  await (registration as { sync?: SyncManager } | undefined)?.sync?.register('send').catch(() => undefined)
}
