import { Type, type Static, type TSchema } from 'typebox'
import { Timestamp } from './report.ts'

/** The audit: who did what, when, from where and why. */

const Organisation = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 })
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Text = nullable(Type.String())
const auditRows_max = 1_000

/** One action. Who is told by at most one of `staff`, `key` and `contact`; by none where a log-in failed, or a command ran. */
export const AuditRow = Type.Object({
  id: Type.Integer({ description: 'rises with each action' }), at: Timestamp,
  organisation: Type.String({ description: 'whose action; kawal for commands, and for whoever could not say who he is' }), role: Text,
  staff: nullable(Type.String({ format: 'uuid' })), name: nullable(Type.String({ description: 'the person as he was called then; of a command the user of the machine' })),
  key: nullable(Type.String({ description: 'id of an API key' })), contact: nullable(Type.String({ format: 'uuid', description: 'the contact that a link to a ticket was sent to' })),
  address: nullable(Type.String({ description: 'IP address' })), method: Type.String({ description: 'of HTTP; CLI for a command, MAIL for a reply by mail' }), path: Type.String({ description: 'without the query, and without any secret' }),
  subject: nullable(Type.String({ description: 'what the path names' })), reason: Text,
  status: nullable(Type.Integer({ description: 'of HTTP, of a command its exit code, of a mail that of SMTP; null when it was begun and nobody wrote what came of it' })), endedAt: nullable(Timestamp),
  made: nullable(Type.String({ description: 'id of what the action made' })), request: nullable(Type.String({ description: 'by which the log of the server tells it' })),
  facts: nullable(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null(), Type.Array(Type.String())]), { description: 'what everybody may know of it beside its words: areas and times of planned work, the status of a ticket, settings of a start' })),
  entry: nullable(Type.Integer({ description: 'where the log of acts has it (spec/acts.md); null: not yet' })), salt: Type.String({ description: '32 bytes in base64, which open the commitment of its entry' }),
  outcomeEntry: nullable(Type.Integer({ description: 'where the log of acts has what came of it' })), outcomeSalt: Text,
})
export type AuditRow = Static<typeof AuditRow>
export const AuditRows = Type.Object({ rows: Type.Array(AuditRow), next: nullable(Type.Integer({ description: 'give it as `before` for the rows that follow; null at the end' })) })
export type AuditRows = Static<typeof AuditRows>

export const auditQuery = {
  from: Type.Optional(Timestamp), to: Type.Optional(Timestamp), organisation: Type.Optional(Organisation), subject: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'what the action was about, or what it made' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: auditRows_max, default: 100 })), before: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'csv gives all rows; so does Accept: text/csv' })),
}

export const proofQuery = { of: Type.Optional(Type.Enum(['act', 'outcome'], { default: 'act', description: 'what came of it has an entry of its own' })) }
