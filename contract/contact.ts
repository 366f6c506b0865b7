import { Type, type Static, type TSchema } from 'typebox'
import { email_chars_max, lacks, level_max, name_chars_max } from '@kawal/core/organisation/contacts.ts'
import { Timestamp } from './report.ts'

/** Duty contacts: whom to reach at an organisation, and in which order. */

const Organisation = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 })
const Level = Type.Integer({ minimum: 1, maximum: level_max, description: 'place in the escalation: 1 is told first' })
const Language = Type.Enum(['id', 'en'])
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** What is left out is empty; one of e-mail and phone must be there. PUT replaces the whole contact. */
export const ContactGiven = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: name_chars_max, description: 'of a person or of a duty, such as Piket NOC' }), level: Level,
    email: Type.Optional(nullable(Type.String({ maxLength: email_chars_max }))),
    phone: Type.Optional(nullable(Type.String({ maxLength: 40, description: 'E.164; the national form 08... becomes +628...' }))),
    language: Type.Optional(Language),
  },
  { additionalProperties: false },
)
export type ContactGiven = Static<typeof ContactGiven>

export const ContactRow = Type.Object({
  id: Type.String({ format: 'uuid' }), organisation: Organisation, name: Type.String(), level: Level,
  email: nullable(Type.String()), phone: nullable(Type.String({ description: 'E.164' })), language: Language, createdAt: Timestamp,
})
export type ContactRow = Static<typeof ContactRow>
export const ContactRows = Type.Object({ total: Type.Integer(), rows: Type.Array(ContactRow) })
export type ContactRows = Static<typeof ContactRows>

export const contactsQuery = { organisation: Type.Optional(Organisation), offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })), limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 500, default: 100 })) }

const Lack = Type.Enum([...lacks])
/** Of each organisation what its duty contacts lack: nothing where `lacks` is empty. */
export const ContactCompleteness = Type.Object({
  counts: Type.Object({ organisations: Type.Integer(), complete: Type.Integer(), no_contact: Type.Integer(), no_first_level: Type.Integer(), one_person_only: Type.Integer(), no_phone: Type.Integer() }),
  rows: Type.Array(Type.Object({ organisation: Organisation, name: Type.String(), kind: Type.String(), contacts: Type.Integer(), lacks: Type.Array(Lack) })),
})
export type ContactCompleteness = Static<typeof ContactCompleteness>
