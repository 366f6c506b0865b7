import { Type, type Static } from 'typebox'
import { disputeKinds } from '@kawal/core/ticket/dispute.ts'
import { attachments_max, relationTypes } from '@kawal/core/ticket/relation.ts'
import { GivenFile } from './file.ts'
import { Timestamp } from './report.ts'

/**
 * The resources of TM Forum TMF621 Trouble Ticket v5.0.1 that the ticket interface uses. Names and
 * required fields are the standard's; what we refuse to take is narrower than what it allows.
 */

const TroubleTicketStatusType = Type.Enum(['acknowledged', 'rejected', 'pending', 'held', 'inProgress', 'cancelled', 'closed', 'resolved'],
)

const Text = Type.String({ maxLength: 2_000 })

const Note = Type.Object({
  '@type': Type.Literal('Note'),
  id: Type.Optional(Type.String({ maxLength: 64 })),
  author: Type.Optional(Type.String({ maxLength: 200 })),
  date: Type.Optional(Timestamp),
  text: Type.Optional(Text),
})

const StatusChange = Type.Object({
  '@type': Type.Literal('StatusChange'),
  statusChangeDate: Timestamp,
  statusChangeReason: Type.Optional(Type.String()),
  status: TroubleTicketStatusType,
})

const EntityRef = Type.Object({
  '@type': Type.String({ maxLength: 64 }),
  id: Type.String({ maxLength: 200 }),
  href: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  '@referredType': Type.Optional(Type.String()),
})

const RelatedEntity = Type.Object({
  '@type': Type.Literal('RelatedEntity'),
  role: Type.String({ maxLength: 64, description: 'disturbance, place or accessPoint' }),
  entity: EntityRef,
})

const RelatedParty = Type.Object({
  '@type': Type.Literal('RelatedPartyRefOrPartyRoleRef'),
  role: Type.String({ maxLength: 64, description: 'operator or originator' }),
  partyOrPartyRole: EntityRef,
})

const ExternalIdentifier = Type.Object({
  '@type': Type.Literal('ExternalIdentifier'),
  id: Type.String({ minLength: 1, maxLength: 200 }),
  owner: Type.Optional(Type.String({ maxLength: 200 })),
  externalIdentifierType: Type.Optional(Type.String({ maxLength: 64 })),
})

/** What the other ticket is to this one: mergedInto, it covers what this one covered; splitInto, it covers a part of what this one covered. */
const TroubleTicketRelationship = Type.Object({
  '@type': Type.Literal('TroubleTicketRelationship'),
  relationshipType: Type.Enum([...relationTypes]),
  id: Type.String(),
  href: Type.String(),
  name: Type.Optional(Type.String({ description: "the other's title, where both are one operator's" })),
  '@referredType': Type.Optional(Type.String()),
})

/** A relation in a patch: those that are there are left alone. A new mergedInto, parent or child names a ticket, a new splitInto none: it goes with the disturbance that gets one. */
const RelationshipGiven = Type.Object({
  '@type': Type.Literal('TroubleTicketRelationship'),
  relationshipType: Type.Enum([...relationTypes]),
  id: Type.Optional(Type.String({ maxLength: 200 })),
  href: Type.Optional(Type.String({ maxLength: 500 })),
  name: Type.Optional(Type.String({ maxLength: 500 })),
  '@referredType': Type.Optional(Type.String({ maxLength: 64 })),
})

const Attachment = Type.Object({
  '@type': Type.Literal('Attachment'),
  id: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  mimeType: Type.String(),
  attachmentType: Type.Optional(Type.String()),
  url: Type.String({ description: 'where the content is' }),
  size: Type.Object({ amount: Type.Integer(), units: Type.Literal('byte') }),
})

/** An attachment in a body: with an id that is there already it is left alone; else name, mimeType and content are needed. */
const AttachmentGiven = Type.Object({
  '@type': Type.Literal('Attachment'),
  id: Type.Optional(Type.String({ maxLength: 64 })),
  href: Type.Optional(Type.String({ maxLength: 500 })),
  name: Type.Optional(GivenFile.properties.name),
  description: Type.Optional(Text),
  mimeType: Type.Optional(GivenFile.properties.mimeType),
  attachmentType: Type.Optional(Type.String({ maxLength: 64, description: "what it is for, in the sender's words" })),
  content: Type.Optional(GivenFile.properties.content),
  url: Type.Optional(Type.String({ maxLength: 500, description: 'nothing is fetched from it' })),
  size: Type.Optional(Type.Object({ amount: Type.Optional(Type.Number()), units: Type.Optional(Type.String({ maxLength: 64 })) })),
})

export const Characteristic = Type.Object({
  '@type': Type.Enum(['StringCharacteristic', 'StringArrayCharacteristic', 'IntegerCharacteristic', 'ObjectCharacteristic', 'ObjectArrayCharacteristic']),
  name: Type.String(),
  valueType: Type.String(),
  value: Type.Unknown({ description: 'lifecycle, cause, problem, startedAt, foundAt: string; stations: strings; reopened: integer; evidence, restoreClock, repairClock, dispute, verification: object; covered: objects, of a ticket that covers several disturbances; overranWork: string' }),
})

const saidBy = { '@type': Type.Literal('StringCharacteristic'), valueType: Type.Optional(Type.String({ maxLength: 64 })) }
/** What a patch may say by a characteristic: the standard's own place for what a kind of ticket needs beside its fields. */
const PatchCharacteristic = Type.Union([
  Type.Object({ ...saidBy, name: Type.Literal('disputeKind'), value: Type.Enum([...disputeKinds]) }, { description: 'with the status rejected: whose fault it is instead; not_ours without it' }),
  Type.Object({ ...saidBy, name: Type.Literal('disputeAnswer'), value: Type.Enum(['uphold', 'reject']) },
    { description: "the monitoring centre's answer: uphold goes with another operator as related party or with the status cancelled, reject with a statusChangeReason" }),
])

export const TroubleTicket = Type.Object({
  '@type': Type.Literal('TroubleTicket'),
  id: Type.String(),
  href: Type.String(),
  name: Type.String(),
  description: Type.String(),
  severity: Type.String({ description: "critical, major; minor: an officer's problem, which nobody has measured; of a request as it was sent" }),
  ticketType: Type.String({ description: 'electionNetworkDisturbance, officerProblem; of a request as it was sent' }),
  priority: Type.String(),
  externalIdentifier: Type.Optional(Type.Array(ExternalIdentifier)),
  creationDate: Timestamp,
  lastUpdate: Timestamp,
  requestedResolutionDate: Type.Optional(Type.String({ format: 'date-time', description: "due instant of the restore clock; an officer's problem has no clocks" })),
  expectedResolutionDate: Type.Optional(Type.String({ format: 'date-time', description: "the operator's own estimate" })),
  resolutionDate: Type.Optional(Timestamp),
  status: TroubleTicketStatusType,
  statusChangeDate: Timestamp,
  statusChangeReason: Type.Optional(Type.String()),
  statusChangeHistory: Type.Array(StatusChange),
  note: Type.Array(Note),
  attachment: Type.Array(Attachment),
  relatedEntity: Type.Array(RelatedEntity),
  relatedParty: Type.Array(RelatedParty),
  troubleTicketRelationship: Type.Array(TroubleTicketRelationship),
  troubleTicketCharacteristic: Type.Array(Characteristic),
})

/**
 * POST: a ticket for a disturbance that was found, named as related entity with the role `disturbance`; without one, what
 * the caller's organisation asks of the monitoring centre.
 */
export const TroubleTicketCreate = Type.Object(
  {
    '@type': Type.Literal('TroubleTicket'),
    '@baseType': Type.Optional(Type.String()),
    '@schemaLocation': Type.Optional(Type.String()),
    name: Type.Optional(Type.String({ maxLength: 200 })),
    description: Text,
    severity: Type.String({ maxLength: 64 }),
    ticketType: Type.String({ maxLength: 64 }),
    externalIdentifier: Type.Optional(Type.Array(ExternalIdentifier, { maxItems: 1, description: "a request's number in the caller's own system" })),
    priority: Type.Optional(Type.String({ maxLength: 64 })),
    note: Type.Optional(Type.Array(Note, { maxItems: 20 })),
    attachment: Type.Optional(Type.Array(AttachmentGiven, { maxItems: attachments_max })),
    relatedEntity: Type.Optional(Type.Array(RelatedEntity, { maxItems: 20 })),
    relatedParty: Type.Optional(Type.Array(RelatedParty, { maxItems: 20 })),
  },
  { additionalProperties: false },
)

/** PATCH (merge patch): what the operator concerned may change. */
export const TroubleTicketPatch = Type.Object(
  {
    '@type': Type.Literal('TroubleTicket'),
    '@baseType': Type.Optional(Type.String()),
    '@schemaLocation': Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
    href: Type.Optional(Type.String()),
    status: Type.Optional(TroubleTicketStatusType),
    statusChangeReason: Type.Optional(Text),
    expectedResolutionDate: Type.Optional(Timestamp),
    relatedParty: Type.Optional(Type.Array(RelatedParty, { maxItems: 20, description: 'another operator: transfers the ticket to it; the monitoring centre alone may' })),
    troubleTicketCharacteristic: Type.Optional(Type.Array(PatchCharacteristic, { maxItems: 1 })),
    note: Type.Optional(Type.Array(Note, { maxItems: 500 })),
    attachment: Type.Optional(Type.Array(AttachmentGiven, { maxItems: 2 * attachments_max })),
    troubleTicketRelationship: Type.Optional(Type.Array(RelationshipGiven, { maxItems: 100, description: 'merges, splits or links tickets; the monitoring centre alone may' })),
    relatedEntity: Type.Optional(Type.Array(RelatedEntity, { maxItems: 200, description: 'with a new splitInto: the disturbance that gets a ticket of its own' })),
  },
  { additionalProperties: false },
)

export const HubCreate = Type.Object(
  {
    '@type': Type.Optional(Type.String({ maxLength: 64 })),
    callback: Type.String({ maxLength: 500, description: 'address that events are posted to: https, or a host that the installation names' }),
    query: Type.Optional(Type.String({ maxLength: 500, description: 'eventType=TroubleTicketStatusChangeEvent,TroubleTicketResolvedEvent&event.troubleTicket.severity=critical and the like; all events without it' })),
  },
  { additionalProperties: false },
)
export const Hub = Type.Object({ '@type': Type.Literal('Hub'), id: Type.String(), href: Type.String(), callback: Type.String(), query: Type.Optional(Type.String()),
  secret: Type.Optional(Type.String({ description: 'of Standard Webhooks, in the answer that makes the hub and never again' })) })

export const ticketEventTypes = ['TroubleTicketCreateEvent', 'TroubleTicketStatusChangeEvent', 'TroubleTicketAttributeValueChangeEvent', 'TroubleTicketResolvedEvent', 'TroubleTicketInformationRequiredEvent', 'TroubleTicketDeleteEvent'] as const

const TroubleTicketRef = Type.Object({ '@type': Type.Literal('TroubleTicketRef'), id: Type.String(), href: Type.String(), name: Type.String() })
/** What is asked of who gets the event, as an operation of JSON Patch (RFC 6902) on the ticket. */
const InformationRequired = Type.Object({ op: Type.Enum(['add', 'replace']), path: Type.String() })

/** What is posted to a hub's callback. `eventId` stays the same when a delivery is repeated. */
export const TroubleTicketEvent = Type.Object({
  '@type': Type.Enum([...ticketEventTypes]),
  eventId: Type.String(),
  eventTime: Timestamp,
  eventType: Type.Enum([...ticketEventTypes]),
  event: Type.Object({ troubleTicket: Type.Union([TroubleTicket, TroubleTicketRef]), informationRequired: Type.Optional(InformationRequired) }),
})

const Text1 = Type.String({ minLength: 1, maxLength: 2_000 })
const NoteV2 = Type.Object({ author: Type.Optional(Type.String({ maxLength: 200 })), date: Type.Optional(Timestamp), text: Text1 })
const aside = { '@type': Type.Optional(Type.String({ maxLength: 64 })), '@baseType': Type.Optional(Type.String({ maxLength: 64 })), '@schemaLocation': Type.Optional(Type.String({ maxLength: 500 })) }

/** A ticket as TMF621 v2 (R18.0) has it: what it can say of the one of v5. */
export const TroubleTicketV2 = Type.Object({
  id: Type.String(),
  href: Type.String(),
  externalId: Type.Optional(Type.String()),
  description: Type.String(),
  severity: Type.String(),
  ticketType: Type.String(),
  creationDate: Timestamp,
  lastUpdate: Timestamp,
  requestedResolutionDate: Type.Optional(Timestamp),
  expectedResolutionDate: Type.Optional(Timestamp),
  resolutionDate: Type.Optional(Timestamp),
  status: Type.Enum(['Submitted', 'Acknowledged', 'In Progress', 'Pending', 'Resolved', 'Closed', 'Cancelled']),
  statusChangeDate: Timestamp,
  statusChangeReason: Type.Optional(Type.String()),
  note: Type.Array(Type.Object({ author: Type.String(), date: Timestamp, text: Type.String() })),
  relatedParty: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), role: Type.String() })),
  relatedObject: Type.Array(Type.Object({ id: Type.String(), involvement: Type.String() })),
})

/** POST of v2: what the caller's organisation asks of the monitoring centre. Its status is given here, whatever is sent. */
export const TroubleTicketCreateV2 = Type.Object(
  { ...aside, description: Text1, severity: Type.String({ minLength: 1, maxLength: 64 }), ticketType: Type.String({ minLength: 1, maxLength: 64 }), externalId: Type.Optional(Type.String({ maxLength: 200 })), status: Type.Optional(Type.String({ maxLength: 64 })), note: Type.Optional(Type.Array(NoteV2, { maxItems: 20 })) },
  { additionalProperties: false },
)

/** PATCH of v2. Every note that is sent is added. */
export const TroubleTicketPatchV2 = Type.Object(
  { ...aside, status: Type.Optional(Type.String({ maxLength: 64 })), statusChangeReason: Type.Optional(Text), expectedResolutionDate: Type.Optional(Timestamp), note: Type.Optional(Type.Array(NoteV2, { maxItems: 20 })) },
  { additionalProperties: false },
)

export type TroubleTicketV2 = Static<typeof TroubleTicketV2>
export type TmfStatus = Static<typeof TroubleTicketStatusType>
export type TroubleTicket = Static<typeof TroubleTicket>
export type TroubleTicketCreate = Static<typeof TroubleTicketCreate>
export type AttachmentGiven = Static<typeof AttachmentGiven>
export type TroubleTicketPatch = Static<typeof TroubleTicketPatch>
export type TroubleTicketEvent = Static<typeof TroubleTicketEvent>
export type Characteristic = Static<typeof Characteristic>
export type Hub = Static<typeof Hub>

export const trackRecordQuery = { from: Type.Optional(Timestamp), to: Type.Optional(Timestamp) }
const Spread = Type.Object({ count: Type.Integer(), median_ms: Type.Union([Type.Number(), Type.Null()]), p90_ms: Type.Union([Type.Number(), Type.Null()]) })
/** `GET /v1/track-record`: what operators did about the tickets that were opened in a span of time, each of them its own alone. */
export const TrackRecords = Type.Object({
  from: Type.Union([Timestamp, Type.Null()]), to: Timestamp,
  rows: Type.Array(Type.Object({
    operator: Type.String(), operatorName: Type.String(), tickets: Type.Integer(), open: Type.Integer(), closed: Type.Integer(), cancelled: Type.Integer(),
    acknowledge: Spread, restore: Spread, repair: Spread,
    late: Type.Integer({ description: 'clocks that ran out' }), clocks: Type.Integer(),
    claims: Type.Integer({ description: 'how often it said resolved' }), verified: Type.Integer({ description: 'how often measurement agreed' }),
    unverified: Type.Integer({ description: 'of its words those that nobody could measure: neither agreed with nor refused' }),
    transferred: Type.Integer({ description: 'tickets that went to somebody else' }), disputes: Type.Integer({ description: 'how often it said that a ticket is not its own' }), upheld: Type.Integer({ description: 'how often the monitoring centre agreed' }),
  })),
})
export type TrackRecords = Static<typeof TrackRecords>
