import { createHmac } from 'node:crypto'
import webpush from 'web-push'
import { second_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { postTo } from '../ticket/webhook.ts'
import type { PushKey } from './key.ts'
import { noteOutcome, type Subscription } from './subscriptions.ts'

/** What a browser shows (console/worker.js): at most 3 KB as JSON, of the 4,096 bytes that every push service takes (RFC 8030, section 7.2). */
export interface PushNotice {
  readonly title: string
  readonly body: string
  /** A newer one takes the place of an older of the same name, on the way (RFC 8030, Topic) and on the screen: see `tagOf`. */
  readonly tag: string
  /** Of the console, from the root: what a press opens. */
  readonly url: string
  readonly language: 'id' | 'en'
  /** It tells that something is over: no sound. */
  readonly isQuiet: boolean
}

interface PushNeeds {
  readonly database: Database
  readonly key: PushKey
  /** Whom push services may write to: see `contactOf`. */
  readonly contact: string
  /** Hosts that may be posted to though they are private or without TLS; see `callbackAllowed`. */
  readonly hosts: readonly string[]
  readonly clock: () => Instant
}

/** What came of it; `gone`: nobody is there any more, and it is not to be tried again. */
type Pushed = { readonly outcome: 'sent' | 'gone'; readonly error: null } | { readonly outcome: 'failed'; readonly error: string }

/** At most what Topic takes (RFC 8030, section 5.4). */
const tag_chars = 32
/** A push service says so of a subscription that its browser has ended, or that ran out (RFC 8030, section 7.3). */
const gone: ReadonlySet<number> = new Set([404, 410])

export async function readPushKey(database: Database): Promise<PushKey> {
  const { rows: [key] } = await database.transaction(system, (client) => client.query<PushKey>('SELECT public_key AS "publicKey", private_key AS "privateKey" FROM push_key'))
  if (key === undefined) throw new Error('push_key is empty: migrate makes the pair')
  return key
}

/** Whom a push service may write to, https: or mailto: (RFC 8292, section 2.1). @param url where people find this server */
export const contactOf = (url: string): string => (url.startsWith('https:') ? url : `mailto:kawal@${new URL(url).hostname}`)

/** Seals what a browser shows (RFC 8291) and hands it to the push service that the browser named. */
export function createPush({ database, key, contact, hosts, clock }: PushNeeds) {
  async function hand({ endpoint, keys }: Subscription, notice: PushNotice, ttl_ms: number): Promise<Pushed> {
    try {
      const { headers, body } = webpush.generateRequestDetails({ endpoint, keys }, JSON.stringify(notice), {
        vapidDetails: { subject: contact, ...key }, TTL: Math.floor(ttl_ms / second_ms), urgency: notice.isQuiet ? 'normal' : 'high', topic: notice.tag, contentEncoding: 'aes128gcm',
      })
      const status = await postTo(endpoint, hosts, headers, body)
      if (gone.has(status)) return { outcome: 'gone', error: null }
      return status >= 200 && status < 300 ? { outcome: 'sent', error: null } : { outcome: 'failed', error: `HTTP ${status}` }
    } catch (error) {
      return { outcome: 'failed', error: String(error) }
    }
  }
  return {
    publicKey: key.publicKey,
    /** A name for what is told of together. Push services see it: made with the key, so that none guesses what it stands for. */
    tagOf: (group: string): string => createHmac('sha256', key.privateKey).update(group).digest('base64url').slice(0, tag_chars),
    /** Resolves when the push service has it, or said no. @param ttl_ms for so long it keeps what a browser that is off cannot take */
    async send(subscription: Subscription, notice: PushNotice, ttl_ms: number): Promise<Pushed> {
      const pushed = await hand(subscription, notice, ttl_ms)
      await noteOutcome(database, subscription.id, pushed.outcome, clock())
      return pushed
    },
  }
}

export type Push = ReturnType<typeof createPush>
