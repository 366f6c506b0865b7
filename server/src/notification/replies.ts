import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { readReplyAddress, type Answered } from './reply-address.ts'

/** A reply to a mail about a ticket. */
export interface Reply extends Answered {
  /** Of the mail: a second arrival has the same. */
  readonly messageId: string
  /** What was written above the quoted mail. */
  readonly text: string
}
/** Why a mail is not taken, for who sends it. */
export class ReplyRefused extends Error {}

const mail_bytes_max = 5 * 1024 * 1024
const clients_max = 50

/**
 * A mail server that takes replies to mails about tickets, and nothing else. What it answers 250 is on disk.
 * @param take rejects with `ReplyRefused` what cannot be taken; anything else is asked for again later (RFC 5321, 4xx)
 */
export async function startReplies({ host, port, secret, take, failed }: { host: string; port: number; secret: Buffer; take: (reply: Reply) => Promise<void>; failed: (error: unknown) => void }): Promise<{ port: number; stop(): Promise<void> }> {
  const server = new SMTPServer({
    authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'], size: mail_bytes_max, maxClients: clients_max, disableReverseLookup: true, banner: 'Kawal Sinyal',
    onRcptTo({ address }, _, done) {
      // before its text is sent
      done(readReplyAddress(secret, address) === null ? refusal(550, '5.1.1 Only replies to mails about tickets are taken here') : null)
    },
    onData(stream, { envelope }, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
        if (stream.sizeExceeded) return done(refusal(552, '5.3.4 At most 5 MB'))
        void takeAll(Buffer.concat(parts), envelope.rcptTo.flatMap(({ address }) => readReplyAddress(secret, address) ?? []), take).then(() => done(), (error: unknown) => {
          if (!(error instanceof ReplyRefused)) failed(error)
          done(error instanceof ReplyRefused ? refusal(550, `5.6.0 ${error.message}`) : refusal(451, '4.3.0 Try again later'))
        })
      })
    },
  })
  server.on('error', failed)
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  return { port: (server.server.address() as AddressInfo).port, stop: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function takeAll(mail: Buffer, answered: readonly Answered[], take: (reply: Reply) => Promise<void>): Promise<void> {
  const { text, html, messageId, headers } = await PostalMime.parse(mail)
  // Answering machines: a note of theirs would say nothing (RFC 3834).
  if (headers.some(({ key, value }) => key === 'auto-submitted' && value.trim().toLowerCase() !== 'no')) return
  const written = aboveQuote(text ?? (html ?? '').replace(/<[^>]*>/g, ' '))
  if (written === '') throw new ReplyRefused('There is no text above the quoted mail')
  const id = messageId ?? createHash('sha256').update(mail).digest('hex')
  for (const each of answered) await take({ ...each, messageId: id, text: written })
}

const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

/** Lines with which mail programs begin what they quote, in the languages that are used here. */
const quoteBegins = /^(>|-----\s*(Original Message|Pesan Asli)|_{10,}$|On\b.*\bwrote:$|Pada\b.*\bmenulis:$|(From|Dari):\s)/

/** What somebody wrote above the mail that he answers. */
export function aboveQuote(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  const joined = lines.map((line, i) => (/^(On|Pada)\b/.test(line.trim()) && !/:$/.test(line.trim()) ? `${line.trim()} ${lines[i + 1]?.trim() ?? ''}` : line.trim()))
  const quote = joined.findIndex((line) => quoteBegins.test(line))
  const signature = lines.findIndex((line) => /^-- ?$/.test(line))
  const end = Math.min(...[quote, signature].filter((at) => at >= 0), lines.length)
  return lines.slice(0, end).join('\n').trim()
}
