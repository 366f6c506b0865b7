import { Type, type Static } from 'typebox'

/** What a device sends: see spec/report.md. Units stand last in each name. */

export const StationCode = Type.String({ pattern: '^[0-9]{13}$', description: 'village (10 digits) + number of the station (3 digits)' })
export const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339' })

const Reach = Type.Enum(['ok', 'timeout', 'offline', 'portal', 'http_error', 'wrong_clock', 'untested'],
  { description: 'what the probe of one target ended in' },
)

const Radio = Type.Object(
  {
    source: Type.String({ maxLength: 32, description: 'who read the values: modem, android, officer' }),
    ageMs: Type.Integer({ minimum: 0, maximum: 86_400_000 }),
    rsrpDbm: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    rsrqDb: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    sinrDb: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    rssiDbm: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    bars: Type.Optional(Type.Integer({ minimum: 0, maximum: 4, description: 'as the officer reads them off the phone; no measure, and compared with nothing' })),
  },
  { additionalProperties: false },
)

export const Sample = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'per device, rises by one a sample' }),
    eventAt: Timestamp,
    sim: Type.Union([Type.String({ pattern: '^[0-9]{5,6}$' }), Type.Null()], { description: 'PLMN code (MCC MNC) the officer declared; null when unknown' }),
    access: Type.Enum(['cellular', 'wifi', 'wired', 'none', 'unknown']),
    accessPoint: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
    technology: Type.Union([Type.Enum(['gsm', 'umts', 'lte', 'nr']), Type.Null()]),
    radio: Type.Union([Radio, Type.Null()]),
    rttMs: Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 60_000 }), { maxItems: 20, description: 'probes that answered' }),
    timeouts: Type.Integer({ minimum: 0, maximum: 20, description: 'probes that did not answer in time' }),
    downKbps: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    upKbps: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], { description: 'timed by the server' }),
    reach: Type.Object({ internet: Reach, election: Reach, platform: Reach }, { additionalProperties: false }),
    charging: Type.Union([Type.Boolean(), Type.Null()]),
    nextDueAt: Type.Union([Timestamp, Type.Null()], { description: 'when the device promises its next report; null is goodbye' }),
  },
  { additionalProperties: false },
)

export const ReportBatch = Type.Object(
  {
    station: StationCode,
    sentAt: Type.Optional(Type.String({ format: 'date-time', description: "the phone's clock at sending: gives each sample's age, and how far that clock is off" })),
    samples: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 500, description: 'each a Sample; a bad one is quarantined beside the good ones' }),
  },
  { additionalProperties: false },
)

export const ReportReceipt = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  quarantined: Type.Array(Type.Object({ index: Type.Integer(), code: Type.String(), detail: Type.String() })),
  nextIntervalS: Type.Integer({ description: 'how often this device shall report from now on' }),
  checkWanted: Type.Optional(Type.Boolean({ description: 'true: an operator says that its network is well again here, and nobody has measured it: a check is asked for now' })),
})

/** `GET /v1/ping`. */
export const Ping = Type.Object({
  now: Timestamp,
  election: Type.Union([Type.Enum(['ok', 'down']), Type.Null()], { description: 'the election server as this platform sees it from where it stands; null when it is not watched, or nothing was seen lately' }),
  electionStatus: Type.Optional(Type.Integer({ description: 'HTTP status that the election server answers, where it is down and answers' })),
})
/** `POST /v1/probe/up`. */
export const UploadTiming = Type.Object({
  bytes: Type.Integer(),
  ms: Type.Number({ description: 'from the first bytes to the last, by the server' }),
  kbps: Type.Union([Type.Integer(), Type.Null()], { description: 'never above the rate of the line; null when it came in one piece, from a buffer on the way, or faster than can be told' }),
})

/** A phone's public key, as JWK (RFC 7517, RFC 8037). */
export const DeviceKey = Type.Object(
  { kty: Type.Enum(['EC', 'OKP']), crv: Type.Enum(['P-256', 'Ed25519']), x: Type.String({ maxLength: 64 }), y: Type.Optional(Type.String({ maxLength: 64 })) },
  { additionalProperties: false },
)
export const Enrolment = Type.Object(
  {
    station: StationCode,
    code: Type.String({ minLength: 6, maxLength: 32, description: 'the code of the appointment letter' }),
    key: Type.Optional(DeviceKey),
    proof: Type.Optional(Type.String({ maxLength: 128, description: 'base64url: signature of `kawal-enrol STATION CODE` by the key; enrolling again with the same key at the same station is the same device' })),
  },
  { additionalProperties: false },
)
export const Enrolled = Type.Object({
  device: Type.String(),
  token: Type.String({ description: 'bearer token of this device; shown once' }),
  station: Type.Object({
    code: StationCode,
    village: Type.String(),
    district: Type.String(),
    regency: Type.String(),
    province: Type.String(),
    zone: Type.String({ description: 'IANA time zone of the station' }),
    latitude: Type.Union([Type.Number(), Type.Null()]),
    longitude: Type.Union([Type.Number(), Type.Null()]),
  }),
  role: Type.Enum(['officer', 'supervisor'], { description: 'whose letter it was: that of the officers of KPU, or that of the supervisor of Bawaslu' }),
})

export type Sample = Static<typeof Sample>
type Radio = Static<typeof Radio>
export type ReportBatch = Static<typeof ReportBatch>
export type ReportReceipt = Static<typeof ReportReceipt>
export type Enrolment = Static<typeof Enrolment>
export type Ping = Static<typeof Ping>
export type UploadTiming = Static<typeof UploadTiming>
export type DeviceKey = Static<typeof DeviceKey>
export type Enrolled = Static<typeof Enrolled>
