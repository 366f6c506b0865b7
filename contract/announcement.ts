import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

const Audience = Type.Array(Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 }), { minItems: 1, maxItems: 2_000, description: 'ids of organisations, or kinds: ministry, kpu, bawaslu, apjii, bakti, operator, isp, helpdesk; all is everybody' })

export const AnnouncementGiven = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 200 }), text: Type.String({ minLength: 1, maxLength: 4_000 }), audience: Audience,
    mustAcknowledge: Type.Optional(Type.Boolean({ default: true })), until: Timestamp,
  },
  { additionalProperties: false },
)
export type AnnouncementGiven = Static<typeof AnnouncementGiven>

export const AnnouncementRow = Type.Object({
  id: Type.String(), by: Type.String(), byName: Type.String(), title: Type.String(), text: Type.String(), audience: Audience, mustAcknowledge: Type.Boolean(), at: Timestamp, until: Timestamp,
  acknowledgedAt: Type.Union([Timestamp, Type.Null()], { description: 'by your organisation' }),
  receipts: Type.Union([Type.Object({ acknowledged: Type.Integer(), addressed: Type.Integer() }), Type.Null()], { description: 'of your own announcements; of all for who reads all receipts' }),
})
export type AnnouncementRow = Static<typeof AnnouncementRow>
export const AnnouncementRows = Type.Object({ rows: Type.Array(AnnouncementRow) })
export type AnnouncementRows = Static<typeof AnnouncementRows>

/** `GET /v1/announcements/ID/receipts`: every organisation that is addressed, and when somebody of it said that it was read. */
export const AnnouncementReceipts = Type.Object({ rows: Type.Array(Type.Object({ organisation: Type.String(), name: Type.String(), acknowledgedAt: Type.Union([Timestamp, Type.Null()]), acknowledgedBy: Type.Union([Type.String(), Type.Null()]) })) })
export type AnnouncementReceipts = Static<typeof AnnouncementReceipts>
