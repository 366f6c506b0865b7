import { Type, type Static } from 'typebox'
import { Sample, StationCode } from './report.ts'
import { SigmonConfig, VerifyingKeys } from './sigmon.ts'

/** What the page and the native shell around it say to each other: see spec/shell.md. Instants are ms since 1970; fields are added, never changed. */
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const Instant = Type.Integer({ minimum: 0, description: 'ms since 1970' })
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Sequence = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
const Count = Type.Integer({ minimum: 0 })

export const About = Type.Object({
  versionCode: Type.Integer({ minimum: 1 }), versionName: Type.String({ maxLength: 40 }),
  sha256: Type.String({ ...Hash, description: 'of the package file that is installed' }), certificate: Type.String({ ...Hash, description: 'SHA-256 of the certificate that signed it' }),
  platform: Type.String({ maxLength: 64, description: 'as `android 14`' }),
})

const Permission = Type.Enum(['granted', 'askable', 'blocked'], { description: 'blocked: only the settings help' })
export const Permissions = Type.Object({
  location: Permission, notifications: Permission,
  precise: Type.Boolean({ description: 'without it Android gives no cells' }), locationOn: Type.Boolean({ description: "the phone's switch" }),
  batteryFree: Type.Boolean({ description: 'the phone does not put the app to sleep' }),
})

export const DutyOrder = Type.Object({
  station: StationCode, zone: Type.String({ description: 'IANA: in its days the budget counts' }), token: Type.String(),
  sequence: Type.Object({ from: Sequence, to: Sequence }, { description: 'the block, both included' }),
  sim: nullable(Type.String({ pattern: '^[0-9]{5,6}$' })), accessPoint: nullable(Type.String({ maxLength: 64 })),
  config: SigmonConfig, keys: VerifyingKeys.properties.keys,
  intervalS: nullable(Type.Integer({ minimum: 1, description: 'as the last receipt said' })),
  budget: Type.Object({ dailyBytes: Count, spentBytes: Type.Integer({ minimum: 0, description: 'by the page, today' }), metered: Type.Boolean() }),
  language: Type.Enum(['id', 'en']),
})

export const DutyState = Type.Object({
  on: Type.Boolean(), since: nullable(Instant), nextDueAt: nullable(Instant),
  station: nullable(StationCode), sequence: nullable(Type.Object({ next: Sequence, to: Sequence })),
  held: nullable(Type.Enum(['battery', 'budget', 'token', 'block'], { description: 'why it measures nothing now' })),
  full: Type.Boolean({ description: "the phone's storage is full: samples wait in memory, without a number" }),
  gap: nullable(Type.Enum(['permission', 'location_off', 'no_sim', 'no_modem', 'modem_off', 'no_answer'], { description: 'why samples have no radio values' })),
  counts: Type.Object({ made: Count, sent: Count, waiting: Count, refused: Count }),
  newest: Type.Array(Type.Object({
    sample: Sample, state: Type.Enum(['waiting', 'sent', 'refused']),
    sentAt: nullable(Instant), reason: nullable(Type.String()),
  }), { maxItems: 30, description: 'the newest first' }),
  sending: nullable(Type.Object({ status: Type.Integer({ description: '0: no answer' }), retryAt: Instant })),
  bytesToday: Count, day: nullable(Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })),
})

export type About = Static<typeof About>
export type Permissions = Static<typeof Permissions>
export type DutyOrder = Static<typeof DutyOrder>
export type DutyState = Static<typeof DutyState>
