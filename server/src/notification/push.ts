import { hour_ms, minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { Push, PushNotice } from '../push/push.ts'
import { findSubscription } from '../push/subscriptions.ts'
import type { ReadTold } from './mail.ts'
import { Gone, type Deliver, type Message } from './messages.ts'
import { announcementOf, pushOf } from './text.ts'

interface PushNeeds { readonly database: Database; readonly push: Push; readonly clock: () => Instant }

/** Who does not answer is called again by then: an older call is no news. */
const call_ttl_ms = 30 * minute_ms
const announcement_ttl_ms_max = 24 * hour_ms

/** Web push: the browsers that people subscribed. The address of a message is a subscription's id, so that nobody who reads messages learns where a browser is. */
export function createPushChannel({ database, push, clock }: PushNeeds, read: ReadTold): Deliver {
  return async (message, id) => {
    const subscription = await findSubscription(database, message.organisation, null, id)
    if (subscription === null) throw new Gone('the subscription has ended')
    const tag = push.tagOf(message.group)
    const [notice, ttl_ms] = message.call === 'announcement'
      ? await announced(database, message, tag, clock())
      : [pushOf(await read(message), { ...message, tag, now: clock() }), call_ttl_ms] as const
    // What was told of is no more.
    if (notice === null) return
    const { outcome, error } = await push.send(subscription, notice, ttl_ms)
    if (outcome === 'gone') throw new Gone('the browser has ended the subscription')
    if (outcome === 'failed') throw new Error(error)
  }
}

async function announced(database: Database, { alerts, language }: Message, tag: string, now: Instant): Promise<readonly [PushNotice | null, ttl_ms: number]> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ title: string; text: string; by: string; until: Date }>(
    'SELECT title, body AS text, organisation.name AS by, until FROM announcement JOIN organisation ON organisation.id = organisation_id WHERE announcement.id::text = $1', [alerts[0]?.labels['announcement'] ?? '']))
  const left_ms = (row?.until.getTime() ?? 0) - now
  return row === undefined || left_ms <= 0 ? [null, 0] : [announcementOf(row, language, tag), Math.min(left_ms, announcement_ttl_ms_max)]
}
