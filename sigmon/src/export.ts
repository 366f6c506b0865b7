import type { Identities } from './identities.ts'
import type { Queue } from './queue/queue.ts'
import type { Store } from './store.ts'

/** The last way out: what is on the phone as a file to hand over. It holds no key, no token and no code of a letter. */
export async function exportOf(store: Store, queue: Queue, identities: Identities, now: number): Promise<Blob> {
  const content = {
    format: 'kawal-sigmon-1', madeAt: new Date(now).toISOString(),
    identities: identities.all().map(({ id, station, device }) => ({ id, station: station.code, device })),
    samples: (await queue.all()).map(({ identity, state, kind, sentAt, reason, sample }) => ({ identity, state, kind, sentAt, reason, sample })),
    thinned: (await store.read<number>('thinned')) ?? 0,
  }
  return new Blob([JSON.stringify(content, null, 1)], { type: 'application/json' })
}
