import { createHmac, timingSafeEqual } from 'node:crypto'
import { second_ms, type Instant } from '@kawal/core/kernel/clock.ts'

/** What a link says: which ticket, whose, who was told, and until when. */
export interface TicketLink {
  readonly ticket: string
  readonly organisation: string
  /** A UUID. */
  readonly contact: string
  /** In whole seconds: what is less is dropped. */
  readonly expiresAt: Instant
}

/** Half of SHA-256's output, the least that RFC 2104 (section 5) advises: every byte counts in an SMS. */
const mark_bytes = 16
const contact_bytes = 16
const expiry_bytes = 4
const fixed_bytes = mark_bytes + contact_bytes + expiry_bytes + 2
const name_bytes_max = 255

/** A key of its own: what is signed here can be nothing else's proof, nor the other way round. */
const keyOf = (deployment: Buffer): Buffer => createHmac('sha256', deployment).update('ticket link').digest()
const markOf = (deployment: Buffer, said: Buffer): Buffer => createHmac('sha256', keyOf(deployment)).update(said).digest().subarray(0, mark_bytes)

/**
 * A token that proves its own link, in base64url: nothing is kept of it. Its expiry ends it, the ticket's going to
 * somebody else, and the end of the contact that it was sent to. Laid out as mark, contact, expiry (seconds since 1970), and each name behind its length.
 * @param secret the deployment's
 * @throws RangeError for a contact that is no UUID, a name of no or more than 255 bytes, an expiry after 2106
 */
export function linkToken(secret: Buffer, { ticket, organisation, contact, expiresAt }: TicketLink): string {
  const who = Buffer.from(contact.replaceAll('-', ''), 'hex')
  if (who.length !== contact_bytes || uuidOf(who) !== contact.toLowerCase()) throw new RangeError(`${contact} is no UUID`)
  const until = Buffer.alloc(expiry_bytes)
  until.writeUInt32BE(Math.floor(expiresAt / second_ms))
  const said = Buffer.concat([who, until, named(ticket), named(organisation)])
  return Buffer.concat([markOf(secret, said), said]).toString('base64url')
}

function named(name: string): Buffer {
  const bytes = Buffer.from(name)
  if (bytes.length === 0 || bytes.length > name_bytes_max) throw new RangeError(`${name} has ${bytes.length} bytes`)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

const uuidOf = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** @returns null when the token is not one of ours, or over at `now` */
export function readLinkToken(secret: Buffer, token: string, now: Instant): TicketLink | null {
  const bytes = Buffer.from(token, 'base64url')
  // Node skips what is no base64url: one link has one text
  if (bytes.length <= fixed_bytes || bytes.toString('base64url') !== token) return null
  const said = bytes.subarray(mark_bytes)
  if (!timingSafeEqual(bytes.subarray(0, mark_bytes), markOf(secret, said))) return null
  const expiresAt = said.readUInt32BE(contact_bytes) * second_ms
  if (now >= expiresAt) return null
  const first = contact_bytes + expiry_bytes
  const second = first + 1 + said.readUInt8(first)
  return { ticket: said.toString('utf8', first + 1, second), organisation: said.toString('utf8', second + 1), contact: uuidOf(said.subarray(0, contact_bytes)), expiresAt }
}
