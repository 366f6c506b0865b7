import type { NotificationSettings } from '../notification/open.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

const usage = (text: string): CommandFailure => new CommandFailure(exits.usage, text)

/** How people are called, from --url, --mail, --mail-from, --mail-replies and --sms; with --url alone by push. @returns undefined where nobody is to be */
export function notificationOf(options: Options): NotificationSettings | undefined {
  const { url, mail: smtp, mailFrom: from, mailReplies: replies, sms } = options
  if (smtp === undefined && sms === undefined) {
    if (from !== undefined || replies !== undefined) throw usage('--mail-from and --mail-replies are of mail: give --mail too.')
    if (url === undefined) return undefined
  }
  if (url === undefined || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw usage('Messages hold links: say with --url where people find the server, as https://kawal.example.')
  if (smtp !== undefined && !(URL.canParse(smtp) && /^smtps?:$/.test(new URL(smtp).protocol))) throw usage('--mail takes smtp://HOST:PORT or smtps://HOST:PORT, with USER:PASSWORD@ before the host where the server asks for them.')
  if (sms !== undefined && !(URL.canParse(sms) && /^https?:$/.test(new URL(sms).protocol))) throw usage('--sms takes the address of a gateway, as https://gateway.example/send.')
  return {
    url: url.replace(/\/+$/, ''), ...(sms === undefined ? {} : { sms }),
    ...(smtp === undefined ? {} : { mail: { smtp, from: senderOf(from), ...(replies === undefined ? {} : { replies: listenerOf(replies) }) } }),
  }
}

function senderOf(from: string | undefined): string {
  if (from === undefined || !/^[^\s@<>+]{1,20}@[^\s@<>]+\.[^\s@<>]+$/.test(from)) throw usage('--mail needs --mail-from with the address of the sender, as tiket@kawal.example: at most 20 characters before the @, and no plus.')
  return from
}

function listenerOf(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) throw usage(`--mail-replies takes host:port, as 127.0.0.1:2525, not ${text}.`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
