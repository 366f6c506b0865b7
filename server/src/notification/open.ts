import { hour_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { roleOfKind } from '@kawal/core/organisation/rules.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { writeAct, writeOutcome } from '../organisation/audit-store.ts'
import { linkToken } from '../ticket/link.ts'
import { command } from '../ticket/tickets.ts'
import { createMail, createSms, type ReadTold } from './mail.ts'
import type { Message } from './messages.ts'
import { openPaging } from './paging.ts'
import { ReplyRefused, startReplies, type Reply } from './replies.ts'
import type { Told } from './text.ts'

export interface NotificationSettings {
  /** Where people find the server: https://kawal.example. */
  readonly url: string
  readonly mail?: { readonly smtp: string; readonly from: string; readonly replies?: { readonly host: string; readonly port: number } }
  /** Address of the gateway: see `createSms`. */
  readonly sms?: string
}

interface NotificationNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly secret: Buffer
  readonly settings: NotificationSettings
  /** Told of a ticket that a reply changed. */
  readonly changed: (ticket: string) => void
  readonly failed: (error: unknown) => void
}

const link_ms = 7 * 24 * hour_ms
/** What a mail server answers (RFC 5321). */
const [smtp_taken, smtp_refused] = [250, 550]

/** Calls people to tickets over the channels that this installation has, and takes their answers by mail. */
export async function openNotification(needs: NotificationNeeds) {
  const { database, clock, secret, settings, failed } = needs
  const read: ReadTold = (message) => readTold(needs, message)
  const mail = settings.mail === undefined ? null : createMail({ ...settings.mail, secret }, read)
  const paging = await openPaging({ database, clock, failed, deliver: { ...(mail === null ? {} : { email: mail.deliver }), ...(settings.sms === undefined ? {} : { sms: createSms(settings.sms, read) }) } })
  const replies = settings.mail?.replies === undefined ? null : await startReplies({ ...settings.mail.replies, secret, failed, take: (reply) => takeReply(needs, reply) })
  return {
    changed: paging.changed,
    turn: paging.turn,
    /** Where replies come in. */
    repliesPort: replies?.port ?? null,
    async stop(): Promise<void> {
      await replies?.stop()
      await paging.idle()
      mail?.close()
    },
  }
}

export type Notification = Awaited<ReturnType<typeof openNotification>>

interface Alert { readonly labels: { readonly ticket: string; readonly reason: Told['reason'] }; readonly endsAt: Instant | null }

/** The tickets of a message as they stand, each once. */
async function readTold({ database, clock, secret, settings }: NotificationNeeds, message: Message): Promise<Told[]> {
  const alerts = message.alerts as unknown as readonly Alert[]
  const { rows } = await database.transaction(system, (client) => client.query<{ id: string; state: Ticket }>('SELECT id, state FROM ticket WHERE id = ANY ($1)', [alerts.map(({ labels }) => labels.ticket)]))
  const tickets = new Map(rows.map(({ id, state }) => [id, state]))
  return alerts.flatMap(({ labels, endsAt }, place) => {
    const ticket = tickets.get(labels.ticket)
    if (ticket === undefined) return []
    // A link is for who is concerned; the monitoring centre has its console.
    const link = ticket.operator === message.organisation ? `${settings.url}/t/${linkToken(secret, { ticket: ticket.id, organisation: ticket.operator, contact: message.contact, expiresAt: clock() + link_ms })}` : `${settings.url}/console/`
    return [{ ticket, place, reason: labels.reason, isOver: endsAt !== null, link }]
  })
}

/** A reply is a note of the person's organisation on the ticket that he was told of. The same mail twice is one note. */
async function takeReply({ database, clock, changed, failed }: NotificationNeeds, { message, place, messageId, text }: Reply): Promise<void> {
  const { rows: [told] } = await database.transaction(system, (client) => client.query<{ organisation: string; kind: string; contact: string; alert: Alert | null }>(
    `SELECT message.organisation_id AS organisation, kind, contact_id AS contact, alerts->$2::int AS alert FROM message JOIN notice ON notice.id = notice_id JOIN organisation ON organisation.id = message.organisation_id WHERE message.id = $1`, [message, place]))
  const role = roleOfKind[told?.kind ?? '']
  if (told === undefined || told.alert === null || role === undefined) throw new ReplyRefused('This message is not known any more')
  const { ticket } = told.alert.labels
  const caller = { organisation: told.organisation, role }
  const begun = await writeAct(database, { at: clock(), actor: { ...caller, contact: told.contact }, address: null, method: 'MAIL', path: 'reply', subject: ticket, reason: null, request: null })
  const noted = await command({ database, clock }, caller, ticket, { kind: 'note', text }, undefined, `mail ${messageId}`)
  await writeOutcome(database, begun, { at: clock(), status: noted.ok ? smtp_taken : smtp_refused, made: null }).catch(failed)
  if (noted.ok) return changed(ticket)
  throw new ReplyRefused(noted.error === 'text_too_long' ? 'At most 2,000 characters above the quoted mail' : noted.error === 'not_from_this_status' ? `${ticket} is over: nothing is added to it` : `${ticket} is not yours any more`)
}
