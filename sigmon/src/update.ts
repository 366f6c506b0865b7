import type { Environment } from './environment.ts'

export interface Updates {
  /** A new version is on the phone, whole, and waits. */
  waits(): boolean
  /** Takes it; the page loads again once nothing runs. */
  take(): void
  /** Asks the server for a newer version. */
  look(): Promise<void>
}

/**
 * The service worker never takes over by itself: an update in the middle of a check or a form would mix two
 * versions. @param busy whether something runs that a reload would break off
 */
export function createUpdates(env: Pick<Environment, 'serviceWorker' | 'reload' | 'setTimer'>, busy: () => boolean, changed: () => void): Updates {
  let waiting: ServiceWorker | null = null
  let taken = false
  const found = (registration: ServiceWorkerRegistration): void => {
    // Without a controller it is the first version, which has nobody to wait for.
    if (registration.waiting === null || env.serviceWorker?.controller == null) return
    waiting = registration.waiting
    changed()
  }
  const reloadWhenIdle = (): void => {
    if (busy()) env.setTimer(reloadWhenIdle, 500)
    else env.reload()
  }
  void env.serviceWorker?.ready.then((registration) => {
    found(registration)
    registration.addEventListener('updatefound', () => {
      const { installing } = registration
      installing?.addEventListener('statechange', () => found(registration))
    })
  })
  env.serviceWorker?.addEventListener('controllerchange', () => {
    // Another tab took the update: this one's parts are of the old version and must not be mixed with the new.
    if (taken || waiting !== null) reloadWhenIdle()
  })
  return {
    waits: () => waiting !== null,
    take() {
      taken = true
      waiting?.postMessage('take')
    },
    look: async () => void (await env.serviceWorker?.getRegistration().then((registration) => registration?.update()).catch(() => undefined)),
  }
}
