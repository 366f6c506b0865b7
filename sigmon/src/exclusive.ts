import type { Environment } from './environment.ts'
import { resultOf, type Store } from './store.ts'

const lease_ms = 60_000

/**
 * Does `work` unless another tab does work of that name. Web Locks end with their tab, however it ends; where
 * they are missing, a lease in the store does, which another tab takes over a minute after its last renewal.
 * @param work gets a function that renews the lease; a long piece of work calls it between its steps
 * @returns whether it was done here
 */
export async function exclusively(env: Pick<Environment, 'locks' | 'clock' | 'crypto'>, store: Pick<Store, 'run' | 'write'>, name: string, work: (renew: () => Promise<boolean>) => Promise<void>): Promise<boolean> {
  if (env.locks !== null) {
    let done = false
    await env.locks.request(`sigmon-${name}`, { ifAvailable: true }, async (lock) => {
      if (lock === null) return
      done = true
      await work(() => Promise.resolve(true))
    })
    return done
  }
  const holder = Array.from(env.crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16)).join('-')
  const take = (): Promise<boolean> => store.run(['about'], 'readwrite', (at, done) => {
    at('about').get(`lease-${name}`).onsuccess = (event) => {
      const lease = resultOf<{ holder: string; until: number } | undefined>(event)
      const now = env.clock()
      // A lease that lies further ahead than any is given for was written before the clock was set back.
      const held = lease !== undefined && lease.holder !== holder && lease.until > now && lease.until <= now + lease_ms
      if (!held) at('about').put({ holder, until: now + lease_ms }, `lease-${name}`)
      done(!held)
    }
  })
  if (!(await take())) return false
  try {
    await work(take)
  } finally {
    await store.write({ [`lease-${name}`]: { holder, until: 0 } })
  }
  return true
}
