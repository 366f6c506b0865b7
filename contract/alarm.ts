import { Type, type Static } from 'typebox'
import { causes } from '@kawal/core/detection/disturbance.ts'
import { Timestamp } from './report.ts'

/**
 * Alarms of operators' own systems: TM Forum TMF642 Alarm Management v4.0.0, Alertmanager's webhook (version 4),
 * and what became of them. Names and required fields are the standards'. Fields that are not named here are
 * taken, kept with the message and not given back.
 */

const Text = Type.String({ maxLength: 2_000 })
const Name = Type.String({ maxLength: 256 })
const Latitude = Type.Number({ minimum: -90, maximum: 90 })
const Longitude = Type.Number({ minimum: -180, maximum: 180 })
const Radius = Type.Number({ exclusiveMinimum: 0, maximum: 100_000, description: 'metres around the point that are concerned' })

const AlarmedObject = Type.Object({ id: Type.Optional(Name), href: Type.Optional(Text), '@type': Type.Optional(Name), '@referredType': Type.Optional(Name) })
const AffectedService = Type.Object({ id: Type.Optional(Name), href: Type.Optional(Text), '@type': Type.Optional(Name) })
const Reference = Type.Object({ id: Name, href: Type.Optional(Text), name: Type.Optional(Name), '@type': Type.Optional(Name), '@referredType': Type.Optional(Name) })
const Comment = Type.Object({ comment: Type.Optional(Text), systemId: Type.Optional(Name), time: Type.Optional(Timestamp), userId: Type.Optional(Name), '@type': Type.Optional(Name) })
const CrossedThreshold = Type.Object({
  direction: Type.Optional(Name), granularity: Type.Optional(Name), indicatorName: Type.Optional(Name), indicatorUnit: Type.Optional(Name), observedValue: Type.Optional(Name), thresholdCrossingDescription: Type.Optional(Text),
})

/** The standard's reference to a place, and the ways to say where it is: a code as `id`, or a position. */
const Place = Type.Object({
  id: Type.Optional(Type.String({ maxLength: 256, description: 'code of an area (2, 4, 6 or 10 digits) or a polling station (13)' })),
  href: Type.Optional(Text), name: Type.Optional(Name),
  role: Type.Optional(Name), '@type': Type.Optional(Name), '@referredType': Type.Optional(Name),
  latitude: Type.Optional(Latitude), longitude: Type.Optional(Longitude), radiusM: Type.Optional(Radius),
  geometry: Type.Optional(Type.Unknown({ description: 'a point of GeoJSON, or of TMF675: x is longitude, y latitude' })),
})

const attributes = {
  externalAlarmId: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "the alarm's id in the source system: the same id is the same alarm" })),
  alarmType: Name, perceivedSeverity: Name, probableCause: Name, specificProblem: Type.Optional(Text), alarmDetails: Type.Optional(Type.String({ maxLength: 8_000 })),
  alarmedObject: AlarmedObject, alarmedObjectType: Type.Optional(Name), sourceSystemId: Name, reportingSystemId: Type.Optional(Name), state: Name,
  alarmRaisedTime: Timestamp, alarmReportingTime: Type.Optional(Timestamp), alarmChangedTime: Type.Optional(Timestamp), alarmClearedTime: Type.Optional(Timestamp),
  ackState: Type.Optional(Name), ackSystemId: Type.Optional(Name), ackUserId: Type.Optional(Name), clearSystemId: Type.Optional(Name), clearUserId: Type.Optional(Name),
  alarmEscalation: Type.Optional(Type.Boolean()), isRootCause: Type.Optional(Type.Boolean()), serviceAffecting: Type.Optional(Type.Boolean()),
  plannedOutageIndicator: Type.Optional(Name), proposedRepairedActions: Type.Optional(Text), crossedThresholdInformation: Type.Optional(CrossedThreshold),
  affectedService: Type.Optional(Type.Array(AffectedService, { maxItems: 500 })), place: Type.Optional(Type.Array(Place, { maxItems: 500 })),
  parentAlarm: Type.Optional(Type.Array(Reference, { maxItems: 100 })), correlatedAlarm: Type.Optional(Type.Array(Reference, { maxItems: 500 })),
  comment: Type.Optional(Type.Array(Comment, { maxItems: 100 })),
  '@type': Type.Optional(Name), '@baseType': Type.Optional(Name), '@schemaLocation': Type.Optional(Text),
}

/** POST: a new alarm, or the present state of one that is known by its `externalAlarmId`. */
export const AlarmCreate = Type.Object(attributes)
export type AlarmCreate = Static<typeof AlarmCreate>
/** The attributes that are kept and given back. */
const alarmAttributes = Object.keys(attributes) as readonly (keyof typeof attributes)[]

/** PATCH (merge patch): null takes an optional attribute away. */
export const AlarmPatch = Type.Object(Object.fromEntries(alarmAttributes.map((name) => [name, Type.Optional(Type.Union([attributes[name], Type.Null()]))])))

/** A text, as TMF630 and the conformance kit have it: the published file of version 4.0.0 says integer. */
const alarmId = Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: 'ours' })

/** An alarm as TMF642 gives it back. */
export const Alarm = Type.Object({
  id: alarmId, href: Type.String(), '@type': Type.String(),
  ...Object.fromEntries(alarmAttributes.filter((name) => !name.startsWith('@')).map((name) => [name, Type.Optional(attributes[name])])),
  state: Type.Enum(['raised', 'updated', 'cleared']), perceivedSeverity: Type.Enum(['critical', 'major', 'minor', 'warning', 'indeterminate', 'cleared']),
  alarmRaisedTime: Timestamp, alarmChangedTime: Timestamp, alarmReportingTime: Timestamp,
})

const pattern = {
  id: Type.Optional(Type.Union([alarmId, Type.Integer({ minimum: 1 })])), externalAlarmId: Type.Optional(Name), alarmType: Type.Optional(Name), perceivedSeverity: Type.Optional(Name), probableCause: Type.Optional(Name), specificProblem: Type.Optional(Text),
  alarmedObject: Type.Optional(Type.Object({ id: Name }, { additionalProperties: false })), alarmedObjectType: Type.Optional(Name), sourceSystemId: Type.Optional(Name), reportingSystemId: Type.Optional(Name), ackState: Type.Optional(Name), state: Type.Optional(Name),
  '@type': Type.Optional(Name),
}
/** An alarm matches when every attribute of a pattern is equal to its own. What is not listed is refused: a slip must not clear everything. */
const AlarmPattern = Type.Object(pattern, { additionalProperties: false })
export type AlarmPattern = Static<typeof AlarmPattern>

const alarmPattern = Type.Array(AlarmPattern, { minItems: 1, maxItems: 100 })
const alarmRefs = (description: string) => Type.Array(Type.Object({ id: alarmId, href: Type.String() }), { description })
const task = { id: Type.String({ format: 'uuid' }), href: Type.String(), '@type': Type.String(), state: Type.Literal('done'), alarmPattern: Type.Array(Type.Unknown()) }
const acknowledger = { ackSystemId: Name, ackUserId: Name, ackTime: Type.Optional(Timestamp) }

export const AckAlarmsCreate = Type.Object({ ...acknowledger, alarmPattern })
export const AckAlarms = Type.Object({ ...task, ...acknowledger, ackedAlarm: alarmRefs('acknowledged now') })
export const UnAckAlarms = Type.Object({ ...task, ...acknowledger, unAckedAlarm: alarmRefs('no longer acknowledged') })
export const ClearAlarmsCreate = Type.Object({ clearSystemId: Name, clearUserId: Name, alarmClearedTime: Timestamp, alarmPattern })
export const ClearAlarms = Type.Object({ ...task, clearSystemId: Name, clearUserId: Name, alarmClearedTime: Timestamp, clearedAlarm: alarmRefs('cleared now') })
export const CommentAlarmsCreate = Type.Object({ comment: Comment, alarmPattern })
export const CommentAlarms = Type.Object({ ...task, comment: Comment, commentedAlarm: alarmRefs('commented now') })

const Labels = Type.Record(Type.String(), Type.String({ maxLength: 8_000 }))

/** One alert of a group; each is checked by itself, so that a bad one holds up no good one. */
export const Alert = Type.Object({
  status: Type.Enum(['firing', 'resolved']), labels: Labels, annotations: Type.Optional(Labels), startsAt: Timestamp,
  endsAt: Type.Optional(Type.String({ maxLength: 40, description: 'RFC 3339; year 1 while it fires' })),
  generatorURL: Type.Optional(Text), fingerprint: Type.String({ pattern: '^[0-9a-f]{1,32}$' }),
})
export type Alert = Static<typeof Alert>

/** What Alertmanager posts to a webhook. */
export const AlertGroup = Type.Object({
  version: Type.Literal('4'), groupKey: Type.Optional(Type.String()), truncatedAlerts: Type.Optional(Type.Integer({ minimum: 0 })), status: Type.Optional(Type.String()), receiver: Type.Optional(Type.String()),
  externalURL: Type.Optional(Type.String()), alerts: Type.Array(Type.Unknown(), { maxItems: 10_000 }),
})

/** Names of the labels that say where an alert's fault is, how grave and what; each may be named otherwise in the webhook's address. */
export const labelNames = {
  site: 'site', cell: 'cell', station: 'station', village: 'village', district: 'district', regency: 'regency', province: 'province', area: 'area',
  latitude: 'latitude', longitude: 'longitude', radius: 'radius_m', technology: 'technology', severity: 'severity', cause: 'cause', type: 'alarm_type',
} as const
export type LabelNames = Readonly<Record<keyof typeof labelNames, string>>

const RefusedAlarm = Type.Object({ place: Type.Integer({ minimum: 1, description: 'in the group, from 1' }), fingerprint: Type.Union([Type.String(), Type.Null()]), reason: Type.String() })
export const AlertReceipt = Type.Object({
  kept: Type.Integer({ description: 'raised, changed or cleared by this message' }),
  unchanged: Type.Integer({ description: 'known as it is, or overtaken by something later' }),
  truncated: Type.Integer({ description: "alerts that Alertmanager left out (max_alerts of its webhook): nobody knows of them here" }),
  refused: Type.Array(RefusedAlarm),
})
export type AlertReceipt = Static<typeof AlertReceipt>

const Cause = Type.Enum([...causes])
const placedBy = ['station', 'cell', 'site', 'access_point', 'point', 'area'] as const
export type PlacedBy = (typeof placedBy)[number]
const unplacedReasons = ['nothing_named', 'code_unknown', 'cell_unknown', 'site_unknown', 'ambiguous'] as const
export type UnplacedReason = (typeof unplacedReasons)[number]

/** An alarm as the console lists it. */
export const AlarmRow = Type.Object({
  id: Type.String(), operator: Type.String({ description: 'the organisation whose system sent it' }), source: Type.Enum(['tmf642', 'alertmanager']), externalId: Type.String(),
  title: Type.String(), object: Type.Union([Type.String(), Type.Null()], { description: 'the alarmed thing, in the operator\'s words' }),
  severity: Type.Enum(['critical', 'major', 'minor', 'warning', 'indeterminate'], { description: 'the last before it was cleared' }),
  state: Type.Enum(['active', 'cleared']),
  probableCause: Type.String(), suggests: Type.Union([Cause, Type.Null()], { description: 'the cause of ours that it speaks for' }),
  raisedAt: Timestamp, changedAt: Timestamp, clearedAt: Type.Union([Timestamp, Type.Null()]), receivedAt: Type.String({ format: 'date-time', description: 'when it was first heard of here' }),
  raisedCount: Type.Integer({ description: 'how often it was raised' }), acknowledged: Type.Boolean(),
  placedBy: Type.Union([Type.Enum([...placedBy]), Type.Null()], { description: 'null: unplaced, and evidence for nobody' }),
  unplacedReason: Type.Union([Type.Enum([...unplacedReasons]), Type.Null()]),
  areas: Type.Array(Type.String(), { description: 'codes of areas and stations' }),
  points: Type.Array(Type.Object({ latitude: Latitude, longitude: Longitude, radiusM: Radius })),
  stations: Type.Integer({ description: 'polling stations concerned' }),
})
export const AlarmRows = Type.Object({ total: Type.Integer(), rows: Type.Array(AlarmRow) })
const AlarmTurnKind = Type.Enum(['raised', 'changed', 'cleared', 'raised_again', 'acknowledged', 'unacknowledged', 'commented'])
/** One alarm with every message that changed it, as it came. */
export const AlarmDetail = Type.Object({ ...AlarmRow.properties, history: Type.Array(Type.Object({ number: Type.Integer(), at: Timestamp, kind: AlarmTurnKind, message: Type.String() })) })
export const RefusedAlarms = Type.Array(Type.Object({ id: Type.String(), operator: Type.String(), source: Type.String(), at: Timestamp, reason: Type.String(), message: Type.String() }))

export type AlarmRow = Static<typeof AlarmRow>
export type AlarmTurnKind = Static<typeof AlarmTurnKind>
