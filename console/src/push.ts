import type { PushGiven, PushRow } from '@kawal/contract/push.ts'
import { server, type Answer, type Problem } from './server.ts'

/** Whether this browser can be buzzed. `blocked`: the person said no to the browser, or somebody for him. */
type Ability = 'able' | 'blocked' | 'unable'

export function ability(): Ability {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'unable'
  return Notification.permission === 'denied' ? 'blocked' : 'able'
}

const registered = async (): Promise<PushSubscription | null> => (await (await navigator.serviceWorker.getRegistration('/console/'))?.pushManager.getSubscription()) ?? null

/** Of the person's subscriptions the one of this browser; null where it has none, or the server has none of it. */
export async function ownOf(rows: readonly PushRow[]): Promise<PushRow | null> {
  if (ability() === 'unable') return null
  const endpoint = (await registered())?.endpoint
  return rows.find((row) => row.endpoint === endpoint) ?? null
}

const refused = (code: string, error: unknown): { ok: false; problem: Problem } => ({ ok: false, problem: { status: 0, code, title: '', detail: error instanceof Error ? error.message : '' } })

/**
 * Asks the person, then the browser's push service, then our server, in this order. Call it from a press: browsers ask
 * nobody out of the blue.
 * @returns the problem `push_blocked` when the person said no, `push_failed` when the browser could not
 */
export async function subscribe(publicKey: string, language: 'id' | 'en'): Promise<Answer<PushRow>> {
  if ((await Notification.requestPermission()) !== 'granted') return refused('push_blocked', null)
  let subscription: PushSubscription
  try {
    await navigator.serviceWorker.register('/console/worker.js', { scope: '/console/' })
    const { pushManager } = await navigator.serviceWorker.ready
    // One that was made with another key would be refused: the server was set up anew.
    const before = await pushManager.getSubscription()
    if (before !== null && base64url(before.options.applicationServerKey) !== publicKey) await before.unsubscribe()
    subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
  } catch (error) {
    return refused('push_failed', error)
  }
  const { endpoint } = subscription
  const keys: PushGiven['keys'] = { p256dh: base64url(subscription.getKey('p256dh')), auth: base64url(subscription.getKey('auth')) }
  const answer = await server.subscribe({ endpoint, keys, language })
  if (!answer.ok) await subscription.unsubscribe()
  return answer
}

function base64url(bytes: ArrayBuffer | null): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0))))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Ends a subscription, in this browser too where it is its own. */
export async function unsubscribe(row: PushRow): Promise<Answer<unknown>> {
  const answer = await server.unsubscribe(row.id)
  if (!answer.ok && answer.problem.status !== 404) return answer
  if (ability() !== 'unable') {
    const own = await registered()
    if (own?.endpoint === row.endpoint) await own.unsubscribe()
  }
  return { ok: true, value: null }
}

/** Who logs out is reached here no more: the next person at this browser is another. */
export async function forget(): Promise<void> {
  if (ability() === 'unable' || (await registered()) === null) return
  const answer = await server.push()
  const own = answer.ok ? await ownOf(answer.value.rows) : null
  if (own !== null) await unsubscribe(own)
}
