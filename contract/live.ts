import { Type, type Static } from 'typebox'
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

export const LiveDisturbance = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.Literal('open'), Type.Literal('recovered')]),
  severity: Type.Union([Type.Literal('degraded'), Type.Literal('down')]),
  cause: Type.Enum(['operator', 'power', 'congestion', 'election_server', 'ingest']),
  operator: Type.Union([Type.String(), Type.Null()], { description: 'organisation concerned; null when it is nobody in particular' }),
  areaCode: Type.String(),
  areaName: Type.String(),
  latitude: Type.Union([Type.Number(), Type.Null()]),
  longitude: Type.Union([Type.Number(), Type.Null()]),
  stations: Type.Array(StationCode),
  voters: Type.Union([Type.Integer(), Type.Null()]),
  startedAt: Timestamp,
  foundAt: Timestamp,
  endedAt: Type.Union([Timestamp, Type.Null()]),
  evidence: Type.Object({
    devicesExpected: Type.Integer(), devicesSilent: Type.Integer(), devicesBad: Type.Integer(), devicesGood: Type.Integer(),
    witnessesGood: Type.Integer({ description: "devices of other operators at the same stations that report well" }),
    score: Type.Number(), threshold: Type.Number(), rule: Type.String(),
  }),
  ticketId: Type.Union([Type.String(), Type.Null()]),
})

const ClockName = Type.Union([Type.Literal('restore'), Type.Literal('repair')])
const ClockState = Type.Enum(['running', 'paused', 'at_risk', 'overdue', 'met'])
export const LiveClock = Type.Object({
  name: ClockName,
  state: ClockState,
  dueAt: Timestamp,
  pausedReason: Type.Union([Type.String(), Type.Null()]),
})

export const LiveTicket = Type.Object({
  id: Type.String(),
  disturbanceId: Type.Union([Type.String(), Type.Null()], { description: "null: an officer's problem" }),
  problem: Type.Union([Type.Object({ kind: Type.Enum(['signal', 'access_point', 'election_server', 'app', 'position', 'other']), text: Type.String(), station: StationCode, areaName: Type.String() }), Type.Null()]),
  status: Type.Enum(['acknowledged', 'inProgress', 'pending', 'resolved', 'closed', 'submitted', 'reopened', 'cancelled']),
  operator: Type.String(),
  operatorName: Type.String(),
  title: Type.String(),
  stationCount: Type.Integer(),
  openedAt: Timestamp,
  clocks: Type.Array(LiveClock),
  reopened: Type.Integer({ description: 'how often measurements refused a resolution' }),
  history: Type.Array(Type.Object({
    at: Timestamp, by: Type.String(), kind: Type.String(), text: Type.String(),
    counts: Type.Union([Type.Object({ expected: Type.Integer(), silent: Type.Integer(), bad: Type.Integer(), good: Type.Integer() }), Type.Null()], { description: 'devices behind the event' }),
    clock: Type.Union([Type.Object({ name: ClockName, state: ClockState }), Type.Null()], { description: 'the clock that the event warns of' }),
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
  may: Type.Array(Type.String({ description: 'resource:action, or resource:action:own where it reaches what is the organisation\'s own alone' })),
})

export type Live = Static<typeof Live>
export type LiveDelta = Static<typeof LiveDelta>
export type LiveArea = Static<typeof LiveArea>
export type LiveDisturbance = Static<typeof LiveDisturbance>
export type LiveTicket = Static<typeof LiveTicket>
export type LiveClock = Static<typeof LiveClock>
export type StationRow = Static<typeof StationRow>
export type StationRows = Static<typeof StationRows>
export type StationDetail = Static<typeof StationDetail>
export type Session = Static<typeof Session>
