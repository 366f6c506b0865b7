import type { Environment } from './environment.ts'
import { read, request } from './request.ts'
import type { Published } from './session.ts'
import type { Store } from './store.ts'

const day_ms = 86_400_000
/** When it was last asked, and what was answered; null: that the platform hands out no app. */
interface Held { readonly askedAt: number; readonly is: Published | null }

export interface Publishing {
  /** The Android app that the platform hands out, `GET /v1/android`; null: none, undefined: not known. */
  state(): Published | null | undefined
  /** Asks once a day, and not when the app is opened for the first time: nothing hangs on it. @param now the officer wants to know */
  look(now?: boolean): Promise<void>
}

export async function createPublishing(env: Pick<Environment, 'fetch' | 'setTimer' | 'clearTimer' | 'clock'>, store: Pick<Store, 'read' | 'write'>, changed: () => void): Promise<Publishing> {
  let held = (await store.read<Held>('android')) ?? null
  const hold = async (next: Held): Promise<void> => {
    held = next
    await store.write({ android: next }).catch(() => undefined)
    changed()
  }
  return {
    state: () => (held === null || held.askedAt === 0 ? undefined : held.is),
    async look(now = false) {
      if (!now && held === null) return hold({ askedAt: 0, is: null })
      const age_ms = env.clock() - (held?.askedAt ?? 0)
      if (!now && age_ms >= 0 && age_ms < day_ms) return
      const answer = await request(env, '/v1/android')
      if (answer?.status === 404) return hold({ askedAt: env.clock(), is: null })
      const is = answer?.status === 200 ? publishedOf(await read<Partial<Published>>(answer)) : null
      // What stands between may have answered, or nobody: what is known stays.
      if (is !== null) await hold({ askedAt: env.clock(), is })
    },
  }
}

function publishedOf(given: Partial<Published> | null): Published | null {
  if (typeof given !== 'object' || given === null) return null
  const { versionCode, versionName, sha256, certificate, leaf } = given
  const isHash = (text: unknown): boolean => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)
  if (!Number.isInteger(versionCode) || typeof versionName !== 'string' || !isHash(sha256) || !isHash(certificate)) return null
  return { versionCode: versionCode as number, versionName: versionName.slice(0, 40), sha256: sha256 as string, certificate: certificate as string, leaf: Number.isInteger(leaf) ? (leaf as number) : null }
}
