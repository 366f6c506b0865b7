import '../older.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { on_screen_share, resumeDelay } from '@kawal/core/measurement/schedule.ts'
import { createEnrolment } from '../enrol.ts'
import { exclusively } from '../exclusive.ts'
import { createIdentities, publicKeyOf } from '../identities.ts'
import { createBook } from '../recap/book.ts'
import { createCarrier } from '../recap/carry.ts'
import { proves, provesEntry, seenBy } from '../recap/receipt.ts'
import { openStore, type Store } from '../store.ts'
import { compactWire } from './compact.ts'
import { createDelivery, quietKey, type Delivery, type Outcome } from './deliver.ts'
import { createQueue, queueLimits } from './queue.ts'

/** Browsers end a worker that has been at it for three minutes (Chromium); half is left for the sending. */
const wait_ms_max = 90_000
const spread_s = 600
/** Somebody else is sending: look again so often. */
const turns_max = 10
const other_ms = 3_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Background sync with no page to send: the network came back for a phone whose app is closed. The same store, the
 * same lock and the same delivery as a page's, so that nothing goes twice; rejects while something is left, which
 * makes the browser call again.
 * @param last the browser will not call again: nothing is waited for
 */
async function sendWaiting(last: boolean): Promise<void> {
  const store = await openStore(indexedDB)
  try {
    const config = await store.read<{ readonly config: SigmonConfig }>('config')
    // Every phone of the area is called at this instant.
    if (!last) await pause(resumeDelay(Math.min(wait_ms_max, (config?.config.spreadS ?? spread_s) * on_screen_share * 1000), Math.random))
    const identities = await createIdentities(store)
    const env = {
      crypto, storage: null, locks: 'locks' in navigator ? navigator.locks : null, clock: Date.now, fetch: (path: string, init?: RequestInit) => fetch(path, init),
      setTimer: (work: () => void, ms: number) => setTimeout(work, ms), clearTimer: (timer: unknown) => clearTimeout(timer as number),
    }
    const nothing = (): void => undefined
    const packs = { stationOf: () => null, verifiersOf: () => null }
    const enrolment = createEnrolment({ env, store, identities, packs, confirmed: nothing })
    const reports = createDelivery({ env, identities, queue: createQueue(store, queueLimits, Date.now), enrolment, compact: () => Promise.resolve(compactWire), told: nothing, met: nothing, changed: nothing })
    // The results first, then the reports, and photos with what time is left: a worker is ended after minutes. Whoever is at an access point may have to wait for a turn, which the page knows.
    let arePhotosDue = false
    const isAtPoint = (await store.read<{ readonly accessPoint?: string | null }>('choices'))?.accessPoint != null
    const recaps = createCarrier({
      env, identities, enrolment, proves, provesEntry, changed: nothing, book: createBook({ env, store, build: Promise.resolve(new Uint8Array(32)) }), publicKey: () => publicKeyOf(crypto, store),
      witnesses: { policy: () => config?.config.ledgerPolicy ?? null, seenBy, soon: nothing },
      ledgerKey: () => config?.config.ledgerKey ?? null, box: () => config?.config.custody ?? null, arePhotosDue: () => arePhotosDue,
    })
    const results = await sendAll(env, store, 'recaps', recaps)
    const left = [results, await sendAll(env, store, 'send', reports)]
    arePhotosDue = !isAtPoint && !results
    if (arePhotosDue) left.push(await sendAll(env, store, 'recaps', recaps))
    if (left.includes(true)) throw new Error('something is left to send')
  } finally {
    store.close()
  }
}

/** @returns whether something is left that the browser should call again for */
async function sendAll(env: Parameters<typeof exclusively>[0], store: Store, name: 'send' | 'recaps', delivery: Pick<Delivery, 'all' | 'anythingWaits'>): Promise<boolean> {
  if (!(await delivery.anythingWaits())) return false
  const quiet_ms = ((await store.read<number>(quietKey(name))) ?? 0) - Date.now()
  if (quiet_ms > 0 && quiet_ms <= 3_600_000) return true
  let outcome: Outcome = { ok: false, status: 0, wait_ms: 0 }
  const send = (): Promise<boolean> => exclusively(env, store, name, async (renew) => void (outcome = await delivery.all(renew)))
  // A tab that sends may be frozen in the middle of it: what it leaves is not left to it.
  for (let turn = 1; turn < turns_max && !(await send()) && (await delivery.anythingWaits()); turn++) await pause(other_ms)
  return !outcome.ok && (await delivery.anythingWaits())
}

interface WorkerPage { readonly visibilityState: DocumentVisibilityState; postMessage(word: string): void }
interface SyncEvent extends Event { readonly lastChance: boolean; waitUntil(work: Promise<void>): void }
declare const self: EventTarget & { readonly clients: { matchAll(of: { type: 'window' }): Promise<readonly WorkerPage[]> } }

/** A page on screen sends by itself, and has what it could not write besides: both when its turn comes. */
async function synced(last: boolean): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window' })
  for (const page of pages) page.postMessage('send')
  if (pages.some((page) => page.visibilityState === 'visible')) return
  await sendWaiting(last)
  if ('BroadcastChannel' in self) new BroadcastChannel('sigmon').postMessage('changed')
}

self.addEventListener('sync', (event) => (event as SyncEvent).waitUntil(synced((event as SyncEvent).lastChance)))
