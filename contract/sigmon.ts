import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

/**
 * What the platform tells the officers' app, besides receipts: the signed configuration, and the pack of a
 * district. Both are read by phones of years past: fields are added, never changed. See spec/sigmon.md.
 */
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const HelpLine = Type.Object({
  name: Type.String({ maxLength: 80 }),
  kind: Type.Enum(['tel', 'sms', 'whatsapp']),
  number: Type.String({ pattern: '^\\+?[0-9]{3,15}$' }),
})

/** Public keys that configuration and packs are signed with: ECDSA P-256 with SHA-256 (RFC 7518 ES256), as JWK. */
const VerifyingKey = Type.Object({
  kid: Type.String({ pattern: '^[0-9a-z]{16}$', description: 'first 80 bits of the JWK thumbprint (RFC 7638, SHA-256), in Crockford base32' }),
  x: Type.String({ maxLength: 64 }), y: Type.String({ maxLength: 64 }),
})
/** `GET /v1/sigmon/keys`: pinned by a phone at first sight, or named by the letter's QR. */
export const VerifyingKeys = Type.Object({ keys: Type.Array(VerifyingKey, { minItems: 1, maxItems: 8 }) })

/** The payload of the signed configuration: `GET /v1/sigmon/config` answers a JWS in compact form (RFC 7515, ES256). */
export const SigmonConfig = Type.Object({
  version: Type.Integer({ minimum: 1, description: 'rises with each change: a phone never goes back' }),
  issuedAt: Timestamp,
  validUntil: Timestamp,
  keys: Type.Array(VerifyingKey, { description: 'those to trust from now on: how keys are changed' }),
  intervalS: Type.Integer({ minimum: 30, maximum: 3_600, description: 'how often a device on duty reports' }),
  jitterShare: Type.Number({ minimum: 0, maximum: 0.5, description: 'each interval is drawn from interval x (1 +- this)' }),
  spreadS: Type.Integer({ minimum: 0, maximum: 900, description: 'after something that many phones see at once (a network comes back), wait a random part of this' }),
  probes: Type.Object({
    routine: Type.Integer({ minimum: 1, maximum: 10 }), check: Type.Integer({ minimum: 3, maximum: 20 }),
    timeoutMs: Type.Integer({ minimum: 500, maximum: 30_000 }),
    reachEvery: Type.Integer({ minimum: 1, maximum: 1_000, description: 'each so many routine reports also try the internet and the election server' }),
  }),
  targets: Type.Object({ internet: nullable(Type.String()), election: nullable(Type.String()) }),
  fullTestShare: Type.Number({ minimum: 0, maximum: 1, description: 'the share of devices that run a full test on a day without being asked, on unmetered networks' }),
  budget: Type.Object({
    dailyBytes: Type.Integer({ minimum: 0, description: 'what measuring may cost a day; the officer may set less or more' }),
    checkDownBytes: Type.Integer({ minimum: 0, maximum: 150_000 }), checkUpBytes: Type.Integer({ minimum: 0, maximum: 75_000 }),
    fullTestBytes: Type.Integer({ minimum: 0, description: 'at most, both ways together; the server enforces it by the admission token' }),
  }),
  helpLines: Type.Array(HelpLine, { maxItems: 10 }),
  ledgerKey: Type.Optional(nullable(Type.String({ maxLength: 200, description: 'key of the ledger that receipts are verified with (NAME+ID+KEY, spec/ledger.md); null or not there: no recaps are taken' }))),
  ledgerPolicy: Type.Optional(Type.String({ maxLength: 20_000, description: 'whom to believe of witnesses (C2SP tlog-policy, spec/ledger.md): the ledger, and a quorum that witnessed receipts are verified with; not there: no witnesses are asked' })),
  custody: Type.Optional(nullable(Type.String({ pattern: '^https?://[^/?#]+$', maxLength: 200, description: 'address of the box that an access point may have; its own network alone knows the name, everywhere else nothing answers. null or not there: no access point has one' }))),
})

/**
 * `GET /v1/packs/DISTRICT`: what a phone of that district needs without a network. As a file: 4 bytes `KSP1`,
 * 16 bytes `kid` (ASCII), 64 bytes signature (r, s) over what follows, then JSON of this, gzipped. A delta
 * (`?since=VERSION`) is the same with the magic `KSD1` and a `PackDelta`. Rows are positional and hold no
 * objects, so that a delta can be a JSON merge patch (RFC 7396): a row is replaced whole, null takes it away.
 * Row texts and numbers that are not known are null inside the row.
 */
export const PackStation = Type.Tuple([
  nullable(Type.Integer({ description: 'latitude, 1e-5 degrees' })), nullable(Type.Integer({ description: 'longitude, 1e-5 degrees' })),
  nullable(Type.Enum(['fix', 'venue', 'village'])),
  nullable(Type.Enum(['a', 'b', 'c', 'd', 'e', 'unknown'], { description: 'readiness' })),
  Type.String({ pattern: '^[ksltu]*$', description: 'per operator of the pack: kuat, sedang, lemah, tidak_ada (t), tanpa_data (u)' }),
  nullable(Type.Integer({ description: 'index of the operator whose SIM to carry' })), nullable(Type.Integer({ description: 'and of the second' })),
  Type.String({ pattern: '^[0-9a-f]{6}$', description: "verifier of the letter's code, see spec/sigmon.md" }),
  nullable(Type.String({ description: 'assigned access point' })), nullable(Type.Integer({ description: 'its slot begins, minutes after the stations are left' })), nullable(Type.Integer({ description: 'and lasts, minutes' })),
  nullable(Type.Integer({ description: 'nearest better spot or covered place: latitude, 1e-5 degrees' })), nullable(Type.Integer({ description: 'longitude' })), nullable(Type.Integer({ description: 'its operator' })),
  Type.String({ pattern: '^[0-9a-f]{6}$', description: "verifier of the code in its supervisor's letter; not there in packs of an older version" }),
])
export const PackAccessPoint = Type.Tuple([
  Type.Enum(['ai', 'satellite', 'bts']), Type.String({ description: 'name' }),
  Type.Integer({ description: 'latitude, 1e-5 degrees' }), Type.Integer({ description: 'longitude' }),
  nullable(Type.Boolean({ description: 'working, as last said' })), nullable(Timestamp), Type.String({ description: 'opening note' }), nullable(Type.Number({ description: 'uplink, Mbit/s' })),
])
export const PackForm = Type.Object({
  contest: Type.String({ maxLength: 40 }), version: Type.String({ maxLength: 20 }), title: Type.String({ maxLength: 120 }),
  votersMax: nullable(Type.Integer({ description: 'ceiling of voters at one station in this contest' })), pages: Type.Integer({ minimum: 1, maximum: 100 }),
  ballot: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 100 }), Type.Array(Type.Integer({ minimum: 0, maximum: 99 }), { maxItems: 80 })], { description: 'as a record has it (spec/recap.md, key 4): pairs or candidates, or party number and its candidates in turn; without it no recap of this contest is made' })),
})
export const Pack = Type.Object({
  district: Type.String({ pattern: '^[0-9]{6}$' }),
  madeAt: Timestamp,
  head: Type.Object({
    name: Type.String(), regency: Type.String(), province: Type.String(), zone: Type.String({ description: 'IANA' }),
    edition: nullable(Type.String()), editionOn: nullable(Type.String()), plan: nullable(Type.Integer()),
    operators: Type.Array(Type.Tuple([Type.String({ description: 'id' }), Type.String({ description: 'name' })])),
    helpLines: Type.Array(HelpLine), forms: Type.Array(PackForm),
  }),
  villages: Type.Record(Type.String({ pattern: '^[0-9]{4}$' }), Type.Tuple([Type.String(), nullable(Type.Integer()), nullable(Type.Integer())]), { description: 'last 4 digits of the code: name, and its point in 1e-5 degrees' }),
  stations: Type.Record(Type.String({ pattern: '^[0-9]{7}$' }), PackStation, { description: 'last 7 digits of the code' }),
  access: Type.Record(Type.String(), PackAccessPoint, { description: 'of the district and 25 km around; by id' }),
})
/** `version` of a pack: the first 16 hex digits of SHA-256 over its canonical JSON without `madeAt` (keys sorted, no spaces). */
export const PackDelta = Type.Object({
  district: Type.String({ pattern: '^[0-9]{6}$' }), from: Type.String(), to: Type.String(), madeAt: Timestamp,
  patch: Type.Unknown({ description: 'JSON merge patch (RFC 7396) that makes the content of `to` from that of `from`' }),
})

/** What an officer reports as a problem; it becomes a ticket. */
export const OfficerProblemGiven = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'drawn by the phone: sending it again makes no second one' }),
    kind: Type.Enum(['signal', 'access_point', 'election_server', 'app', 'position', 'other']),
    text: Type.String({ maxLength: 500 }),
    accessPoint: nullable(Type.String({ maxLength: 64 })),
    givenAt: Timestamp,
  },
  { additionalProperties: false },
)
export const OfficerProblem = Type.Object({
  id: Type.String(), kind: Type.String(), text: Type.String(), givenAt: Timestamp,
  ticket: Type.String({ description: 'its number, to say on the telephone' }),
  status: Type.Enum(['submitted', 'acknowledged', 'inProgress', 'pending', 'resolved', 'closed', 'cancelled']),
  with: Type.String({ description: 'name of the organisation that has it' }),
  answer: nullable(Type.String({ description: 'what was last written to the officer' })),
  changedAt: Timestamp,
})
export const OfficerProblems = Type.Array(OfficerProblem, { maxItems: 50 })
/** The officer's word on a problem that is said to be resolved. */
export const OfficerProblemWord = Type.Object({ word: Type.Enum(['fixed', 'still']) }, { additionalProperties: false })

export type VerifyingKeys = Static<typeof VerifyingKeys>
export type SigmonConfig = Static<typeof SigmonConfig>
export type Pack = Static<typeof Pack>
export type PackForm = Static<typeof PackForm>
/** `POST /v1/supervisor-letters`; the answer is CSV, with a code and a link for each station. */
export const SupervisorLetters = Type.Object({ area: Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10}|[0-9]{13})$', description: 'a province, regency, district, village or station' }) }, { additionalProperties: false })
export type SupervisorLetters = Static<typeof SupervisorLetters>
export type PackStation = Static<typeof PackStation>
export type PackAccessPoint = Static<typeof PackAccessPoint>
export type PackDelta = Static<typeof PackDelta>
export type OfficerProblemGiven = Static<typeof OfficerProblemGiven>
export type OfficerProblem = Static<typeof OfficerProblem>
export type OfficerProblemWord = Static<typeof OfficerProblemWord>
