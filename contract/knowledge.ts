import { Type, type Static, type TSchema } from 'typebox'
import { Timestamp } from './report.ts'

/** Who knew what when: one line of time of a disturbance and its ticket, out of what is kept of both. */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/**
 * `measured`: what detection found, from then on shown to everybody who may see it; `ticket`: what became of the ticket, and by whom; `told`, `delivered`, `undelivered`: a person on duty was to be called, was reached at, or was not;
 * `sent`: an organisation's own system took the news; `said`: a comment; `acted`: an act of the audit, with its entry in the log of acts.
 */
const kinds = ['measured', 'ticket', 'told', 'delivered', 'undelivered', 'sent', 'said', 'acted'] as const
export type KnowledgeKind = (typeof kinds)[number]

const KnowledgeRow = Type.Object({
  at: Timestamp, what: Type.Enum([...kinds]), about: Type.String({ description: 'the disturbance or ticket' }),
  organisation: nullable(Type.String({ description: 'whose knowledge or act it is' })), name: nullable(Type.String({ description: 'the person, as far as you may know' })),
  detail: Type.String({ description: 'the turn, the event of the ticket, how somebody was called, or the word of the deed' }), entry: nullable(Type.Integer({ description: 'where the log of acts has it' })),
})
export type KnowledgeRow = Static<typeof KnowledgeRow>
export const Knowledge = Type.Object({ disturbances: Type.Array(Type.String()), tickets: Type.Array(Type.String()), rows: Type.Array(KnowledgeRow) })
export type Knowledge = Static<typeof Knowledge>

export const knowledgeQuery = {
  about: Type.String({ minLength: 1, maxLength: 200, description: 'a disturbance or a ticket' }), from: Type.Optional(Timestamp), to: Type.Optional(Timestamp),
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'csv for a spreadsheet; so does Accept: text/csv' })),
}
