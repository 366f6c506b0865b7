import { Type, type Static, type TSchema } from 'typebox'
import { Timestamp } from './report.ts'

/** How people log in, and what of it is a person's own: passkeys and sessions. */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const base64url = (chars_max: number) => Type.String({ minLength: 1, maxLength: chars_max, pattern: '^[A-Za-z0-9_-]+$' })

/** `GET /v1/session/ways`. */
export const LogInWays = Type.Object({
  passkey: nullable(Type.String({ description: 'the one origin at which passkeys work, as https://kawal.example; null where there is none' })),
  providers: Type.Array(Type.Object({ id: Type.String(), label: Type.String({ description: 'as people call it' }) })),
})
export type LogInWays = Static<typeof LogInWays>

/** PublicKeyCredentialCreationOptionsJSON and PublicKeyCredentialRequestOptionsJSON of WebAuthn level 3: what the browser reads. */
export const PasskeyOptions = Type.Object({ challenge: base64url(200) }, { description: 'for PublicKeyCredential.parseCreationOptionsFromJSON() or parseRequestOptionsFromJSON()' })

/** A credential's id has at most 1,023 bytes. */
const credential = { id: base64url(1_364), rawId: base64url(1_364), type: Type.Literal('public-key') }

/** AuthenticationResponseJSON of WebAuthn level 3; what else a browser puts in is not looked at. */
export const PasskeyAssertion = Type.Object({
  ...credential,
  response: Type.Object({ clientDataJSON: base64url(8_000), authenticatorData: base64url(8_000), signature: base64url(4_000), userHandle: Type.Optional(nullable(base64url(86))) }),
}, { description: 'what PublicKeyCredential.toJSON() gives of an assertion' })
export type PasskeyAssertion = Static<typeof PasskeyAssertion>

const Name = Type.String({ minLength: 1, maxLength: 60, pattern: '\\S', description: 'as its person calls it' })
/** RegistrationResponseJSON of WebAuthn level 3, likewise. */
const Created = Type.Object({
  ...credential,
  response: Type.Object({ clientDataJSON: base64url(8_000), attestationObject: base64url(40_000) }),
}, { description: 'what PublicKeyCredential.toJSON() gives of a new credential' })
export type PasskeyCreated = Static<typeof Created>
export const PasskeyGiven = Type.Object({ name: Name, credential: Created }, { additionalProperties: false })
export const PasskeyPatch = Type.Object({ name: Name }, { additionalProperties: false })

export const PasskeyRow = Type.Object({ id: Type.String({ format: 'uuid' }), name: Name, madeAt: Timestamp, lastUsedAt: nullable(Timestamp) })
export type PasskeyRow = Static<typeof PasskeyRow>
export const Passkeys = Type.Object({
  rows: Type.Array(PasskeyRow),
  otherWay: Type.Boolean({ description: 'whether this person can come back without a passkey or a new link: by a provider' }),
})
export type Passkeys = Static<typeof Passkeys>

const SessionWay = Type.Enum(['link', 'passkey', 'provider'])
export type Way = Static<typeof SessionWay>
export const SessionRow = Type.Object({
  id: Type.String({ pattern: '^s-[0-9a-f]{10}$' }), way: SessionWay, agent: nullable(Type.String({ description: 'browser and system, as the browser says' })), madeAt: Timestamp, lastUsedAt: Timestamp,
  expiresAt: Type.String({ format: 'date-time', description: 'at the latest; sooner where nobody uses it' }), current: Type.Boolean({ description: 'the one that asks' }),
})
export type SessionRow = Static<typeof SessionRow>
export const SessionRows = Type.Array(SessionRow)

/** Where the browser goes to log in at a provider. */
export const ProviderAddress = Type.Object({ url: Type.String({ format: 'uri' }) })
export type ProviderAddress = Static<typeof ProviderAddress>
/** What the provider sent the browser back with: the query of its address, as it stands. Not called an answer: that would be somebody's words to the audit. */
export const ProviderAnswer = Type.Object({ query: Type.String({ minLength: 1, maxLength: 8_000 }) }, { additionalProperties: false })
