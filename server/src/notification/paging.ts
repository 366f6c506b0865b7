import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { createEscalation, type EscalationSettings } from '@kawal/core/notification/escalation.ts'
import type { Notice } from '@kawal/core/notification/notifier.ts'
import { isOver, type Ticket } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { createMessageOutbox, keepAnnouncements, keepNotice, lastNotices, type ChannelKind, type Deliver, type Recipient } from './messages.ts'

interface PagingNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** The channels that this installation has. */
  readonly deliver: Readonly<Partial<Record<ChannelKind, Deliver>>>
  readonly failed: (error: unknown) => void
  readonly settings?: EscalationSettings
}

/** Tickets are read when they changed, announcements when there is one; this often it is asked whether there is any that nobody told of: while this one began, or by another process. */
const reread_ms = minute_ms
/** An organisation's own system that has not answered for so long is not waited for: its people are called. */
const unreached_ms = 10 * minute_ms

/** Calls the people on duty to the tickets of their organisation: see core/notification/escalation.ts. */
export async function openPaging(needs: PagingNeeds) {
  const { database, clock } = needs
  const escalation = createEscalation(needs.settings)
  const outbox = createMessageOutbox(database, needs.deliver)
  const changed = new Set<string>()
  /** The version of each ticket that is open, as it was followed last. */
  const versions = new Map<string, number>()
  let rereadAt = clock() + reread_ms
  /** Whether there may be an announcement that nobody was pushed yet. */
  let isAnnounced = true

  const told = await lastNotices(database, clock())
  for (const { notice, at } of told) escalation.restore(notice, at)
  escalation.unreached(await readUnreached(database, clock()), clock())
  await follow([...new Set(told.flatMap(({ notice }) => notice.alerts.map(({ labels }) => labels['ticket'] ?? '')))])
  await follow(null)

  /** @param ids null: every ticket that is open */
  async function follow(ids: readonly string[] | null): Promise<void> {
    const { rows } = await database.transaction(system, (client) => client.query<{ state: Ticket }>(
      "SELECT state FROM ticket WHERE ($1::text[] IS NOT NULL AND id = ANY ($1)) OR ($1::text[] IS NULL AND status NOT IN ('closed', 'cancelled')) ORDER BY id", [ids]))
    for (const { state } of rows) {
      escalation.follow(state, clock())
      if (isOver(state)) versions.delete(state.id)
      else versions.set(state.id, state.version)
    }
  }

  /** Small rows alone: ten thousand tickets whole would hold up everybody. */
  async function findChanged(): Promise<void> {
    const { rows } = await database.transaction(system, (client) => client.query<{ id: string; version: number }>("SELECT id, version FROM ticket WHERE status NOT IN ('closed', 'cancelled')"))
    const open = new Map(rows.map(({ id, version }) => [id, version]))
    for (const [id, version] of open) if (versions.get(id) !== version) changed.add(id)
    for (const id of versions.keys()) if (!open.has(id)) changed.add(id)
  }

  async function tell(notice: Notice, now: Instant): Promise<void> {
    const recipients = await recipientsOf(database, notice.alerts[0]?.labels['organisation'] ?? '', notice.receiver)
    await keepNotice(database, notice, recipients, now)
  }

  let turning: Promise<void> | null = null
  async function turn(now: Instant): Promise<void> {
    if (now >= rereadAt) {
      rereadAt = now + reread_ms
      isAnnounced = true
      await findChanged()
      escalation.unreached(await readUnreached(database, now), now)
    }
    if (isAnnounced) {
      isAnnounced = false
      // Calls do not wait for it: it is tried again with the next look.
      await keepAnnouncements(database, now).catch(needs.failed)
    }
    const ids = [...changed]
    changed.clear()
    if (ids.length > 0) await follow(ids).catch((error: unknown) => (ids.forEach((id) => changed.add(id)), Promise.reject(error as Error)))
    if (escalation.nextAt() > now) return
    for (const notice of escalation.turn(now)) {
      const isKept = await tell(notice, now).then(() => true, (error: unknown) => (needs.failed(error), false))
      escalation.settle(notice.id, isKept, now)
    }
  }

  return {
    changed: (ticket: string): void => void changed.add(ticket),
    announced: (): void => void (isAnnounced = true),
    /** Decides who is to be told now, and begins to tell them. */
    async turn(now: Instant): Promise<void> {
      await (turning ??= turn(now).finally(() => (turning = null)))
      await outbox.deliver(now)
    },
    async idle(): Promise<void> {
      await turning?.catch(() => undefined)
      await outbox.idle()
    },
  }
}

/** The open tickets whose newest the system of who has them does not know, because it does not answer or will not take them. */
async function readUnreached(database: Database, now: Instant): Promise<ReadonlySet<string>> {
  const { rows } = await database.transaction(system, (client) => client.query<{ id: string }>(
    `SELECT ticket.id FROM ticket JOIN peer ON peer.organisation_id = ticket.organisation_id LEFT JOIN peer_ticket AS of ON of.organisation_id = ticket.organisation_id AND of.ticket_id = ticket.id
     WHERE status NOT IN ('closed', 'cancelled') AND ticket.state->'request' IS NULL AND coalesce(of.version, 0) < ticket.version AND (peer.failing_since <= $1 OR of.failing_since <= $1)`,
    [new Date(now - unreached_ms).toISOString()]))
  return new Set(rows.map(({ id }) => id))
}

interface Reached { readonly id: string; readonly organisation_id: string; readonly name: string; readonly language: 'id' | 'en'; readonly kind: string }

/**
 * Who hears a call. Level 1 of an organisation that has none of it is its lowest; an organisation without any contact
 * is told by the monitoring centre, which hears of it at once. A browser that somebody subscribed is no contact: it shows
 * every call of his organisation, whatever the level.
 */
async function recipientsOf(database: Database, organisation: string, call: string): Promise<Recipient[]> {
  const [contacts, browsers] = await database.transaction(system, async (client) => [
    (await client.query<Reached & { level: number; email: string | null; phone: string | null }>(
      `SELECT contact.id, organisation_id, contact.name, level, email, phone, language, kind
       FROM contact JOIN organisation ON organisation.id = organisation_id WHERE organisation_id = $1 OR kind = 'ministry' ORDER BY level, contact.id`, [organisation])).rows,
    (await client.query<Reached>(
      `SELECT push_subscription.id, push_subscription.organisation_id, staff.name, language, kind
       FROM push_subscription JOIN staff ON staff.id = staff_id JOIN organisation ON organisation.id = push_subscription.organisation_id WHERE push_subscription.organisation_id = $1 OR kind = 'ministry' ORDER BY made_at`, [organisation])).rows,
  ] as const)
  const own = contacts.filter((row) => row.organisation_id === organisation)
  const isForWatch = call === 'watch' || (own.length === 0 && call === '1')
  const level = call === '1' ? own[0]?.level : Number(call)
  const called = isForWatch ? contacts.filter(({ kind }) => kind === 'ministry') : own.filter((row) => row.level === level)
  const buzzed = browsers.filter((row) => (row.organisation_id === organisation ? call !== 'watch' || row.kind === 'ministry' : isForWatch))
  const recipient = ({ id, organisation_id, name, language }: Reached, channels: Recipient['channels']): Recipient => ({ contact: id, organisation: organisation_id, name, language, channels })
  return [
    ...called.map((row) => recipient(row, [...(row.email === null ? [] : [{ kind: 'email' as const, address: row.email }]), ...(row.phone === null ? [] : [{ kind: 'sms' as const, address: row.phone }])])),
    ...buzzed.map((row) => recipient(row, [{ kind: 'push', address: row.id }])),
  ]
}
