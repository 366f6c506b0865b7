import { hour_ms, minute_ms, second_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import type { Notice } from '@kawal/core/notification/notifier.ts'
import { system, type Database } from '../adapters/postgres/database.ts'

export type ChannelKind = 'email' | 'sms'
interface Channel { readonly kind: ChannelKind; readonly address: string }

/** Who is told. */
export interface Recipient { readonly contact: string; readonly organisation: string; readonly name: string; readonly language: 'id' | 'en'; readonly channels: readonly Channel[] }

export interface Message extends Recipient {
  readonly id: number
  readonly channel: number
  readonly attempts: number
  readonly channelSince: Instant
  readonly call: string
  readonly alerts: Notice['alerts']
}

/** Sends over one channel; rejects with what went wrong. */
export type Deliver = (message: Message, address: string) => Promise<void>

const batch_max = 50
/** For as long a message is nobody else's: longer than any channel takes. */
const lease_ms = minute_ms
/** What cannot be delivered for so long over one channel goes over the next. */
const channel_ms_max = 10 * minute_ms
/** A group whose last notice is older has nothing under way. */
const remembered_ms = 48 * hour_ms

const iso = (instant: Instant): string => new Date(instant).toISOString()

/** A notice and a message for each who is told: both on disk when it resolves. */
export function keepNotice(database: Database, notice: Notice, recipients: readonly Recipient[], now: Instant): Promise<void> {
  return database.transaction(system, async (client) => {
    const { rows: [kept] } = await client.query<{ id: number }>(
      'INSERT INTO notice (organisation_id, call, group_key, alerts, at) VALUES ($1, $2, $3, $4, $5) RETURNING id',
      [notice.alerts[0]?.labels['organisation'], notice.receiver, notice.group, JSON.stringify(notice.alerts), iso(now)])
    await client.query(
      `INSERT INTO message (organisation_id, notice_id, contact_id, name, language, channels, channel_since, next_attempt_at)
       SELECT organisation, $1, contact, name, language, channels, $2, $2 FROM unnest($3::text[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[]) AS _ (organisation, contact, name, language, channels)`,
      [kept?.id, iso(now), recipients.map((each) => each.organisation), recipients.map((each) => each.contact), recipients.map((each) => each.name), recipients.map((each) => each.language), recipients.map((each) => JSON.stringify(each.channels))])
  })
}

/** The last notice of each group, oldest first. */
export async function lastNotices(database: Database, now: Instant): Promise<{ notice: Omit<Notice, 'id'>; at: Instant }[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ call: string; group_key: string; alerts: Notice['alerts']; at: Date }>(
    'SELECT * FROM (SELECT DISTINCT ON (group_key) call, group_key, alerts, at FROM notice WHERE at >= $1 ORDER BY group_key, id DESC) AS last ORDER BY at', [iso(now - remembered_ms)]))
  return rows.map(({ call, group_key, alerts, at }) => ({ notice: { group: group_key, receiver: call, alerts }, at: at.getTime() }))
}

/**
 * Sends what waits, all recipients side by side. At least once. A failure is tried again after 1 s, 2 s, 4 s and so on;
 * what has failed for ten minutes goes over the recipient's next channel, and is given up after the last.
 */
export function createMessageOutbox(database: Database, deliver: Readonly<Partial<Record<ChannelKind, Deliver>>>) {
  const busy = new Set<Promise<void>>()

  async function send(message: Message, now: Instant): Promise<void> {
    const channel = message.channels[message.channel]
    const over = channel === undefined ? undefined : deliver[channel.kind]
    const error = channel === undefined || over === undefined ? 'no channel' : await over(message, channel.address).then(() => null, (reason: unknown) => String(reason))
    await settle(database, message, error, now)
  }
  return {
    async deliver(now: Instant): Promise<void> {
      const sending = Promise.all((await claim(database, now)).map((message) => send(message, now))).then(() => undefined)
      busy.add(sending)
      await sending.finally(() => busy.delete(sending))
    },
    async idle(): Promise<void> {
      await Promise.allSettled(busy)
    },
  }
}

async function claim(database: Database, now: Instant): Promise<Message[]> {
  const { rows } = await database.transaction(system, (client) => client.query<Omit<Message, 'channelSince' | 'contact' | 'organisation'> & { channel_since: Date; contact_id: string; organisation_id: string }>(
    `UPDATE message SET next_attempt_at = $2 FROM notice
     WHERE notice.id = notice_id AND message.id IN (SELECT id FROM message WHERE delivered_at IS NULL AND abandoned_at IS NULL AND next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING message.id, message.organisation_id, contact_id, name, language, channels, channel, attempts, channel_since, call, alerts`, [iso(now), iso(now + lease_ms), batch_max]))
  return rows.map(({ channel_since, contact_id, organisation_id, ...row }) => ({ ...row, contact: contact_id, organisation: organisation_id, channelSince: channel_since.getTime() }))
}

async function settle(database: Database, message: Message, error: string | null, now: Instant): Promise<void> {
  await database.transaction(system, async (client) => {
    if (error === null) return client.query('UPDATE message SET delivered_at = $2, attempts = attempts + 1, last_error = NULL WHERE id = $1', [message.id, iso(now)])
    const lastAt = message.channelSince + channel_ms_max
    const retryAt = Math.min(now + second_ms * 2 ** message.attempts, lastAt)
    if (error !== 'no channel' && now < lastAt) return client.query('UPDATE message SET attempts = attempts + 1, last_error = $2, next_attempt_at = $3 WHERE id = $1', [message.id, error.slice(0, 500), iso(retryAt)])
    return message.channel + 1 < message.channels.length
      ? client.query('UPDATE message SET channel = channel + 1, channel_since = $3, next_attempt_at = $3, attempts = 0, last_error = $2 WHERE id = $1', [message.id, error.slice(0, 500), iso(now)])
      : client.query('UPDATE message SET abandoned_at = $3, last_error = $2 WHERE id = $1', [message.id, error.slice(0, 500), iso(now)])
  })
}
