import { createHmac, timingSafeEqual } from 'node:crypto'

/** Which ticket of which message a mail answers. */
export interface Answered { readonly message: number; readonly place: number }

/** In hexadecimal: mail systems may fold a local part, which has at most 64 octets (RFC 5321, 4.5.3.1.1). */
const mark_bytes = 10
const markOf = (deployment: Buffer, said: string): Buffer => createHmac('sha256', createHmac('sha256', deployment).update('mail reply').digest()).update(said).digest().subarray(0, mark_bytes)

/** Where a reply goes: what it answers and a proof of it, behind a plus (RFC 5233). */
export function replyAddress(deployment: Buffer, from: string, { message, place }: Answered): string {
  const at = from.lastIndexOf('@')
  const said = `${message}-${place}`
  return `${from.slice(0, at)}+${said}-${markOf(deployment, said).toString('hex')}${from.slice(at)}`
}

/** @returns null for an address that no mail of ours asked to answer to */
export function readReplyAddress(deployment: Buffer, address: string): Answered | null {
  const [, said, message, place, mark] = /\+((\d{1,15})-(\d{1,4}))-([0-9a-f]{20})@/i.exec(address) ?? []
  if (said === undefined || mark === undefined || !timingSafeEqual(Buffer.from(mark, 'hex'), markOf(deployment, said))) return null
  return { message: Number(message), place: Number(place) }
}
