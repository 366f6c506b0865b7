import nodemailer from 'nodemailer'
import { second_ms } from '@kawal/core/kernel/clock.ts'
import type { Ticket } from '@kawal/core/ticket/ticket.ts'
import type { Deliver, Message } from './messages.ts'
import { replyAddress } from './reply-address.ts'
import { emailOf, smsOf, type Told } from './text.ts'

/** What a message's alerts are about, as the tickets stand when it is sent. */
export type ReadTold = (message: Message) => Promise<Told[]>

const answer_timeout_ms = 20 * second_ms
/** More tickets than this are not a thread each. */
const threads_max = 10

interface MailSettings {
  /** smtp://USER:PASSWORD@HOST:PORT or smtps://. */
  readonly smtp: string
  /** Sender: its domain names messages, and replies come to its local part with more behind a plus. */
  readonly from: string
  /** The deployment's. */
  readonly secret: Buffer
}

/** The ids that thread mails of one ticket (RFC 5322, 3.6.4). */
const threadOf = (ticket: Ticket, domain: string): string => `<${ticket.id}@${domain}>`

/** E-mail by SMTP: one mail a ticket, so that each is a thread and a reply belongs to one. */
export function createMail({ smtp, from, secret }: MailSettings, read: ReadTold): { deliver: Deliver; close(): void } {
  const transport = nodemailer.createTransport({ url: smtp, connectionTimeout: answer_timeout_ms, greetingTimeout: answer_timeout_ms, socketTimeout: answer_timeout_ms, disableFileAccess: true, disableUrlAccess: true })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    async deliver(message, to) {
      for (const told of (await read(message)).slice(0, threads_max)) {
        const thread = threadOf(told.ticket, domain)
        await transport.sendMail({
          from: { name: 'Kawal Sinyal', address: from }, to: { name: message.name, address: to }, replyTo: replyAddress(secret, from, { message: message.id, place: told.place }), ...emailOf(told, message),
          // The same for every attempt: mail systems drop a repetition by it.
          messageId: `<${told.ticket.id}.${message.id}@${domain}>`, references: [thread], inReplyTo: thread,
          headers: { 'Auto-Submitted': 'auto-generated' },
        })
      }
    },
    close: () => transport.close(),
  }
}

/**
 * Short messages by a gateway of the installation's choice. The contract: POST to its address, application/json
 * `{"id", "to", "text"}`, `to` as E.164 has it; 2xx says that the gateway has it, and a repetition has the same `id`.
 */
export function createSms(gateway: string, read: ReadTold): Deliver {
  return async (message, to) => {
    const answer = await fetch(gateway, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ id: `kawal-${message.id}`, to, text: smsOf(await read(message), message) }),
      redirect: 'error', signal: AbortSignal.timeout(answer_timeout_ms),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
  }
}
