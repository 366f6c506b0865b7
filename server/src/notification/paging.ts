import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { createEscalation, type EscalationSettings } from '@kawal/core/notification/escalation.ts'
import type { Notice } from '@kawal/core/notification/notifier.ts'
import { isOver, type Ticket } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { createMessageOutbox, keepNotice, lastNotices, type ChannelKind, type Deliver, type Recipient } from './messages.ts'

interface PagingNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** The channels that this installation has. */
  readonly deliver: Readonly<Partial<Record<ChannelKind, Deliver>>>
  readonly failed: (error: unknown) => void
  readonly settings?: EscalationSettings
}

/** Tickets are read when they changed; this often it is asked whether any changed that nobody told of: while this one began, or by another process. */
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
      await findChanged()
      escalation.unreached(await readUnreached(database, now), now)
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

/**
 * Who hears a call. Level 1 of an organisation that has none of it is its lowest; an organisation without any contact
 * is told by the monitoring centre, which hears of it at once.
 */
async function recipientsOf(database: Database, organisation: string, call: string): Promise<Recipient[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ id: string; organisation_id: string; name: string; level: number; email: string | null; phone: string | null; language: 'id' | 'en'; kind: string }>(
    `SELECT contact.id, organisation_id, contact.name, level, email, phone, language, kind
     FROM contact JOIN organisation ON organisation.id = organisation_id WHERE organisation_id = $1 OR kind = 'ministry' ORDER BY level, contact.id`, [organisation]))
  const own = rows.filter((row) => row.organisation_id === organisation)
  const isForWatch = call === 'watch' || (own.length === 0 && call === '1')
  const level = call === '1' ? own[0]?.level : Number(call)
  const called = isForWatch ? rows.filter(({ kind }) => kind === 'ministry') : own.filter((row) => row.level === level)
  return called.map(({ id, organisation_id, name, email, phone, language }) => ({
    contact: id, organisation: organisation_id, name, language,
    channels: [...(email === null ? [] : [{ kind: 'email' as const, address: email }]), ...(phone === null ? [] : [{ kind: 'sms' as const, address: phone }])],
  }))
}
