import { hour_ms, minute_ms, second_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import type { Notice } from '@kawal/core/notification/notifier.ts'
import { system, type Database } from '../adapters/postgres/database.ts'

export type ChannelKind = 'email' | 'sms' | 'push'
interface Channel { readonly kind: ChannelKind; readonly address: string }

/** Who is told. @property contact the id of a duty contact; of a push, that of the subscription */
export interface Recipient { readonly contact: string; readonly organisation: string; readonly name: string; readonly language: 'id' | 'en'; readonly channels: readonly Channel[] }

export interface Message extends Recipient {
  readonly id: number
  readonly channel: number
  readonly attempts: number
  readonly channelSince: Instant
  readonly call: string
  /** Of the notice: what is told of it later takes the place of what was told before. */
  readonly group: string
  readonly alerts: Notice['alerts']
}

/** Sends over one channel; rejects with what went wrong. */
export type Deliver = (message: Message, address: string) => Promise<void>
/** Nobody is at the address any more: what waits for it is not tried again. */
export class Gone extends Error {}

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
    `SELECT * FROM (SELECT DISTINCT ON (group_key) call, group_key, alerts, at FROM notice WHERE at >= $1 AND call <> 'announcement' ORDER BY group_key, id DESC) AS last ORDER BY at`, [iso(now - remembered_ms)]))
  return rows.map(({ call, group_key, alerts, at }) => ({ notice: { group: group_key, receiver: call, alerts }, at: at.getTime() }))
}

/** Announcements that must be acknowledged, and that nobody was pushed yet: a notice each, and a message for every browser of whom it is for. */
export async function keepAnnouncements(database: Database, now: Instant): Promise<void> {
  await database.transaction(system, (client) => client.query(
    `WITH fresh AS (
       INSERT INTO notice (organisation_id, call, group_key, alerts, at)
       SELECT organisation_id, 'announcement', 'announcement ' || id, jsonb_build_array(jsonb_build_object('labels', jsonb_build_object('announcement', id::text))), $1::timestamptz
       FROM announcement WHERE must_acknowledge AND until > $1::timestamptz AND NOT EXISTS (SELECT FROM notice WHERE call = 'announcement' AND group_key = 'announcement ' || announcement.id)
       ON CONFLICT (group_key) WHERE call = 'announcement' DO NOTHING
       RETURNING id, organisation_id, alerts
     )
     INSERT INTO message (organisation_id, notice_id, contact_id, name, language, channels, channel_since, next_attempt_at)
     SELECT subscription.organisation_id, fresh.id, subscription.id, staff.name, subscription.language, jsonb_build_array(jsonb_build_object('kind', 'push', 'address', subscription.id)), $1::timestamptz, $1::timestamptz
     FROM fresh JOIN announcement ON announcement.id::text = alerts->0->'labels'->>'announcement' JOIN organisation ON organisation.id <> fresh.organisation_id AND audience && ARRAY['all', organisation.id, kind]
       JOIN push_subscription AS subscription ON subscription.organisation_id = organisation.id JOIN staff ON staff.id = staff_id`, [iso(now)]))
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
    const failure = channel === undefined || over === undefined ? new Gone('no channel') : await over(message, channel.address).then(() => null, (reason: unknown) => reason)
    await settle(database, message, failure, now)
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

/** Announcements go last: they may be for thousands, and a call is for now. */
async function claim(database: Database, now: Instant): Promise<Message[]> {
  const { rows } = await database.transaction(system, (client) => client.query<Omit<Message, 'channelSince' | 'contact' | 'organisation'> & { channel_since: Date; contact_id: string; organisation_id: string }>(
    `UPDATE message SET next_attempt_at = $2 FROM notice
     WHERE notice.id = notice_id AND message.id IN (
       SELECT message.id FROM message JOIN notice ON notice.id = notice_id WHERE delivered_at IS NULL AND abandoned_at IS NULL AND next_attempt_at <= $1
       ORDER BY call = 'announcement', next_attempt_at LIMIT $3 FOR UPDATE OF message SKIP LOCKED)
     RETURNING message.id, message.organisation_id, contact_id, name, language, channels, channel, attempts, channel_since, call, group_key AS "group", alerts`, [iso(now), iso(now + lease_ms), batch_max]))
  return rows.map(({ channel_since, contact_id, organisation_id, ...row }) => ({ ...row, contact: contact_id, organisation: organisation_id, channelSince: channel_since.getTime() }))
}

/** @param failure null: it was delivered */
async function settle(database: Database, message: Message, failure: unknown, now: Instant): Promise<void> {
  const error = failure instanceof Gone ? failure.message : String(failure)
  await database.transaction(system, async (client) => {
    if (failure === null) return client.query('UPDATE message SET delivered_at = $2, attempts = attempts + 1, last_error = NULL WHERE id = $1', [message.id, iso(now)])
    const lastAt = message.channelSince + channel_ms_max
    const retryAt = Math.min(now + second_ms * 2 ** message.attempts, lastAt)
    if (!(failure instanceof Gone) && now < lastAt) return client.query('UPDATE message SET attempts = attempts + 1, last_error = $2, next_attempt_at = $3 WHERE id = $1', [message.id, error.slice(0, 500), iso(retryAt)])
    return message.channel + 1 < message.channels.length
      ? client.query('UPDATE message SET channel = channel + 1, channel_since = $3, next_attempt_at = $3, attempts = 0, last_error = $2 WHERE id = $1', [message.id, error.slice(0, 500), iso(now)])
      : client.query('UPDATE message SET abandoned_at = $3, last_error = $2 WHERE id = $1', [message.id, error.slice(0, 500), iso(now)])
  })
}
