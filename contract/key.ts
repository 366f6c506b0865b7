import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

/** API keys of an organisation: at most two are valid, so that a new one can take an old one's place without a gap. */

const Scope = Type.Enum(['all', 'read'], { description: 'read asks by GET alone' })
export type KeyScope = Static<typeof Scope>

export const KeyGiven = Type.Object({ scope: Type.Optional(Scope) }, { additionalProperties: false })

const fields = { id: Type.String({ pattern: '^k-[0-9a-f]{10}$', description: 'public: it names the key in lists and in the audit' }), scope: Scope, createdAt: Timestamp, lastUsedAt: Type.Union([Timestamp, Type.Null()], { description: 'to the minute' }) }
export const KeyRow = Type.Object(fields)
export type KeyRow = Static<typeof KeyRow>
export const KeyRows = Type.Array(KeyRow)

/** Of a new key: the only answer that ever holds it. */
export const KeyMade = Type.Object({ ...fields, key: Type.String({ description: 'shown this once' }) })
export type KeyMade = Static<typeof KeyMade>
