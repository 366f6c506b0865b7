import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

/** Web push (RFC 8030): the browsers of a person on which calls and announcements show, also while no page is open. */

const base64url = (bytes: number): string => `^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`

/** What a browser's `PushSubscription` says of itself, and the language to write in. */
export const PushGiven = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 2_000, description: 'https, at a public address' }),
    keys: Type.Object({
      p256dh: Type.String({ pattern: base64url(65), description: 'a point of P-256, uncompressed, in base64url' }), auth: Type.String({ pattern: base64url(16), description: '16 bytes in base64url' }),
    }, { additionalProperties: false }),
    language: Type.Optional(Type.Enum(['id', 'en'])),
  },
  { additionalProperties: false },
)
export type PushGiven = Static<typeof PushGiven>

export const PushRow = Type.Object({
  id: Type.String({ format: 'uuid' }), endpoint: Type.String(), label: Type.String({ description: 'browser and system, as the browser named them' }), language: Type.Enum(['id', 'en']), madeAt: Timestamp,
  failedAt: Type.Union([Timestamp, Type.Null()], { description: 'when the push service refused last, or did not answer; null since it took one' }),
})
export type PushRow = Static<typeof PushRow>

/** `GET /v1/push`. */
export const PushState = Type.Object({
  publicKey: Type.Union([Type.String(), Type.Null()], { description: "the browser's applicationServerKey (RFC 8292); null where this server calls nobody: it was started without --url" }),
  rows: Type.Array(PushRow, { description: "the caller's own" }),
})
export type PushState = Static<typeof PushState>

/** What came of a try: `gone` says that the browser has ended the subscription, and so has the server. */
export const PushTried = Type.Object({ outcome: Type.Enum(['sent', 'gone', 'failed']), error: Type.Union([Type.String(), Type.Null()]) })
export type PushTried = Static<typeof PushTried>
