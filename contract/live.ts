import { Type, type Static } from 'typebox'
import { causes, stages } from '@kawal/core/detection/disturbance.ts'
import { disputeKinds } from '@kawal/core/ticket/dispute.ts'
import { relationTypes } from '@kawal/core/ticket/relation.ts'
import { verificationStates } from '@kawal/core/ticket/verification.ts'
import { StationCode, Timestamp } from './report.ts'

/**
 * What the console shows, live. `GET /v1/live` is a stream of server-sent events: one `snapshot`
 * (all of Live), then a `delta` at most once a second (LiveDelta: changed rows whole, by key).
 */

const Status = Type.Enum(['ok', 'watch', 'degraded', 'down', 'unknown'])
const Counts = Type.Object({ ok: Type.Integer(), watch: Type.Integer(), degraded: Type.Integer(), down: Type.Integer(), unknown: Type.Integer() })

export const LiveArea = Type.Object({
  code: Type.String({ description: 'region code: province, regency, district or village' }),
  level: Type.Enum(['province', 'regency', 'district', 'village']),
  name: Type.String(),
  latitude: Type.Union([Type.Number(), Type.Null()]),
  longitude: Type.Union([Type.Number(), Type.Null()]),
  counts: Counts,
})

const Cause = Type.Enum([...causes], { description: 'power: several operators, chargers off; access: one operator, service gone; backhaul: its radio is good and data is dead; core: one operator, many provinces; ingest: our own intake' })
const Stage = Type.Enum([...stages], { description: 'suspected: the evidence grows and is not beyond chance; retracted: later evidence says that there was none' })

/** What a disturbance does to the election, and the arithmetic of its priority: `points` of the terms add up to it. */
export const LiveImpact = Type.Object({
  priority: Type.Number(),
  voters: Type.Union([Type.Integer(), Type.Null()]),
  withoutAlternative: Type.Integer({ description: 'stations hit whose other networks are not known to work' }),
  unsentRecaps: Type.Union([Type.Integer(), Type.Null()], { description: 'null: not counted here' }),
  deadlineAt: Type.Union([Timestamp, Type.Null()], { description: 'the next deadline of the stations hit; null when all have passed' }),
  deadlineName: Type.Union([Type.String(), Type.Null()]),
  minutesToDeadline: Type.Union([Type.Integer(), Type.Null()]),
  terms: Type.Array(Type.Object({ term: Type.String(), value: Type.Number(), weight: Type.Number(), points: Type.Number() })),
})

export const LiveDisturbance = Type.Object({
  id: Type.String(),
  stage: Stage,
  severity: Type.Union([Type.Literal('degraded'), Type.Literal('down')]),
  cause: Cause,
  confidence: Type.Number({ description: '0..1, of the cause' }),
  operator: Type.Union([Type.String(), Type.Null()], { description: 'organisation concerned; null when it is nobody in particular' }),
  isEverybody: Type.Optional(Type.Boolean({ description: "several operators' devices are hit: whoever is concerned, it is not his alone" })),
  areaCode: Type.String(),
  areaName: Type.String(),
  latitude: Type.Union([Type.Number(), Type.Null()]),
  longitude: Type.Union([Type.Number(), Type.Null()]),
  stations: Type.Array(StationCode),
  startedAt: Timestamp,
  suspectedAt: Timestamp,
  foundAt: Type.Union([Timestamp, Type.Null()], { description: 'when it was confirmed' }),
  endedAt: Type.Union([Timestamp, Type.Null()]),
  parent: Type.Union([Type.String(), Type.Null()], { description: 'the disturbance that holds this one back, or that it was merged into' }),
  plannedWork: Type.Union([Type.String(), Type.Null()], { description: 'announced work that explains it' }),
  overran: Type.Optional(Type.String({ description: 'announced work that explained it until that overran' })),
  alarms: Type.Array(Type.String(), { description: "alarms of the operator's own systems that tell of the same fault" }),
  evidence: Type.Object({
    devicesExpected: Type.Integer(), devicesSilent: Type.Integer(), devicesBad: Type.Integer(), devicesGood: Type.Integer(),
    witnessesGood: Type.Integer({ description: "devices of other operators at the same stations that report well" }),
    score: Type.Number({ description: 'nats above what the devices\' own habits explain' }), threshold: Type.Number(), rule: Type.String(),
    causes: Type.Array(Type.Object({ cause: Cause, nats: Type.Number() })),
    signs: Type.Array(Type.Object({ sign: Type.String(), count: Type.Number(), of: Type.Number() })),
  }),
  impact: Type.Union([LiveImpact, Type.Null()]),
  ticketId: Type.Union([Type.String(), Type.Null()]),
  comments: Type.Optional(Type.Integer({ description: 'how many people wrote; left out where nobody did' })),
})

/** `GET /v1/disturbances/ID/turns`: every turn it took, with its reason, in order. */
export const DisturbanceTurns = Type.Array(Type.Object({
  number: Type.Integer(),
  at: Timestamp,
  turn: Type.Enum(['suspected', 'confirmed', 'grown', 'attributed', 'recovering', 'relapsed', 'ended', 'retracted', 'merged', 'split', 'held', 'released', 'alarm']),
  /** What it was after the turn. */
  stage: Stage,
  cause: Cause,
  confidence: Type.Number(),
  stations: Type.Integer(),
  silent: Type.Integer(), bad: Type.Integer(), good: Type.Integer(), score: Type.Number(), threshold: Type.Number(),
  other: Type.Union([Type.String(), Type.Null()], { description: 'the disturbance, alarm or planned work that the turn is about' }),
}))

const ClockName = Type.Union([Type.Literal('restore'), Type.Literal('repair')])
const ClockState = Type.Enum(['running', 'paused', 'at_risk', 'overdue', 'met'])
export const LiveClock = Type.Object({
  name: ClockName,
  state: ClockState,
  dueAt: Timestamp,
  pausedReason: Type.Union([Type.String(), Type.Null()]),
})

const DisputeKind = Type.Enum([...disputeKinds], { description: 'power: the mains; not_ours: the network is well; access_point: who owns it; election_server: the server' })
const DeviceCounts = Type.Object({ expected: Type.Integer(), silent: Type.Integer(), bad: Type.Integer(), good: Type.Integer() })

/** An operator's word that a ticket is not his, with what was measured at that instant, and the monitoring centre's answer. */
export const LiveDispute = Type.Object({
  kind: DisputeKind,
  text: Type.String(),
  by: Type.String(),
  since: Timestamp,
  counts: DeviceCounts,
  answer: Type.Union([Type.Object({ word: Type.Enum(['upheld', 'rejected']), reason: Type.String(), by: Type.String(), at: Timestamp }), Type.Null()]),
})

/** What became of the last word `resolved`. */
export const LiveVerification = Type.Object({
  state: Type.Enum([...verificationStates], { description: 'asked: nobody measured, officers near by are asked to look; unverified: nobody could; verified, refused: measured' }),
  claimedAt: Timestamp,
  since: Timestamp,
  good: Type.Integer(), bad: Type.Integer(), silent: Type.Integer(),
  broken: Type.Array(Type.Object({ station: StationCode, good: Type.Integer(), bad: Type.Integer(), silent: Type.Integer() }), { maxItems: 20, description: 'stations hit still, the worst first' }),
  disturbances: Type.Optional(Type.Array(Type.String(), { description: 'of a ticket that covers several: those of which nobody can tell' })),
})

const Relation = Type.Object({ type: Type.Enum([...relationTypes], { description: 'what the other ticket is to this one' }), ticket: Type.String() })
const Attachment = Type.Object({ name: Type.String(), bytes: Type.Integer(), url: Type.String() })

export const LiveTicket = Type.Object({
  id: Type.String(),
  disturbanceId: Type.Union([Type.String(), Type.Null()], { description: "null: an officer's problem, or a request" }),
  covers: Type.Array(Type.String(), { description: 'further disturbances, of tickets that were merged into it' }),
  relations: Type.Array(Relation),
  problem: Type.Union([Type.Object({ kind: Type.Enum(['signal', 'access_point', 'election_server', 'app', 'position', 'other']), text: Type.String(), station: StationCode, areaName: Type.String() }), Type.Null()]),
  request: Type.Union([Type.Object({ description: Type.String(), severity: Type.String(), ticketType: Type.String(), externalId: Type.Union([Type.String(), Type.Null()]) }), Type.Null()], { description: 'what the organisation asks of the monitoring centre' }),
  status: Type.Enum(['acknowledged', 'inProgress', 'pending', 'resolved', 'closed', 'submitted', 'reopened', 'cancelled']),
  operator: Type.String(),
  operatorName: Type.String(),
  title: Type.String(),
  stationCount: Type.Integer(),
  openedAt: Timestamp,
  clocks: Type.Array(LiveClock),
  reopened: Type.Integer({ description: 'how often measurements refused a resolution' }),
  dispute: Type.Union([LiveDispute, Type.Null()], { description: 'the last one' }),
  verification: Type.Optional(LiveVerification),
  overran: Type.Optional(Type.String({ description: 'announced work that held the disturbance back until it overran' })),
  history: Type.Array(Type.Object({
    at: Timestamp, by: Type.String(), kind: Type.String(), text: Type.String(),
    counts: Type.Union([DeviceCounts, Type.Null()], { description: 'devices behind the event' }),
    clock: Type.Union([Type.Object({ name: ClockName, state: ClockState }), Type.Null()], { description: 'the clock that the event warns of' }),
    dispute: Type.Union([DisputeKind, Type.Null()], { description: 'what the event disputes' }),
    relation: Type.Optional(Relation),
    attachment: Type.Optional(Attachment),
    disturbances: Type.Optional(Type.Array(Type.String(), { description: 'of a ticket that covers several: those that the event is about' })),
  })),
})

export const Live = Type.Object({
  sequence: Type.Integer(),
  now: Timestamp,
  rehearsal: Type.Boolean(),
  areas: Type.Array(LiveArea),
  disturbances: Type.Array(LiveDisturbance),
  tickets: Type.Array(LiveTicket),
  reportsPerMinute: Type.Number(),
  devicesOnDuty: Type.Integer(),
})
export const LiveDelta = Type.Partial(Live)

/** `GET /v1/stations?area=CODE[&bbox=w,s,e,n]`: at most 20,000 rows, worst first. */
export const StationRow = Type.Object({
  code: StationCode,
  latitude: Type.Union([Type.Number(), Type.Null()]),
  longitude: Type.Union([Type.Number(), Type.Null()]),
  positionGrade: Type.Union([Type.Enum(['fix', 'venue', 'village']), Type.Null()]),
  status: Status,
  disturbanceId: Type.Union([Type.String(), Type.Null()]),
})
export const StationRows = Type.Object({ now: Timestamp, total: Type.Integer(), stations: Type.Array(StationRow) })

/** `GET /v1/stations/CODE`: why a station has its status. */
export const StationDetail = Type.Object({
  code: StationCode,
  village: Type.String(), district: Type.String(), regency: Type.String(), province: Type.String(),
  zone: Type.String(),
  status: Status,
  rule: Type.String(),
  operators: Type.Array(Type.Object({
    operator: Type.String(), status: Status,
    devices: Type.Integer(), silent: Type.Integer(), bad: Type.Integer(), lastReportAt: Type.Union([Timestamp, Type.Null()]),
  })),
})

export const Session = Type.Object({
  organisation: Type.String(),
  organisationName: Type.String(),
  role: Type.String(),
  name: Type.String(),
  expiresAt: Timestamp,
  area: Type.Optional(Type.String({ description: 'code of the area that the organisation is there for: of an office of KPU, of a helpdesk' })),
  may: Type.Array(Type.String({ description: 'resource:action, or resource:action:own where it reaches what is the organisation\'s own alone' })),
})

export type Live = Static<typeof Live>
export type LiveDelta = Static<typeof LiveDelta>
export type LiveArea = Static<typeof LiveArea>
export type LiveImpact = Static<typeof LiveImpact>
export type DisturbanceTurns = Static<typeof DisturbanceTurns>
export type LiveDisturbance = Static<typeof LiveDisturbance>
export type LiveDispute = Static<typeof LiveDispute>
export type LiveVerification = Static<typeof LiveVerification>
export type LiveTicket = Static<typeof LiveTicket>
export type LiveClock = Static<typeof LiveClock>
export type StationRow = Static<typeof StationRow>
export type StationRows = Static<typeof StationRows>
export type StationDetail = Static<typeof StationDetail>
export type Session = Static<typeof Session>
