import type { Sender } from '../queue/send.ts'
import { resultOf } from '../store.ts'
import type { Recaps } from './kept.ts'
import type { RecapNeeds } from './recaps.ts'

/** What records recaps and carries them, in a part of the program that only a phone with a use for it loads. */
export interface RecapPart {
  load(): Promise<Recaps>
  /** Whether anything of a record is still to be sent. */
  anythingWaits(): Promise<boolean>
  /** Carries what waits, if this phone has a record at all. */
  trigger(why: Parameters<Sender['trigger']>[0]): void
  stop(): void
}

export function createRecapPart(needs: RecapNeeds): RecapPart {
  let loading: Promise<Recaps> | null = null
  const load = (): Promise<Recaps> => {
    loading ??= import('./recaps.ts').then(({ createRecaps }) => createRecaps(needs)).catch((error: unknown) => {
      // Half a network: the next time it is asked for again.
      loading = null
      throw error
    })
    return loading
  }
  const hasAny = (): Promise<boolean> => needs.store.run(['recaps'], 'readonly', (at, done) => {
    at('recaps').count().onsuccess = (event) => done(resultOf<number>(event) > 0)
  })
  return {
    load,
    anythingWaits: async () => (loading !== null || (await hasAny())) && (await load()).anythingWaits(),
    trigger(why) {
      void (async () => {
        if (loading !== null || (await hasAny())) await (await load()).sender.trigger(why)
      })().catch(() => undefined)
    },
    stop: () => void loading?.then(({ sender }) => sender.stop(), () => undefined),
  }
}
