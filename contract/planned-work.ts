import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

/** Work that an operator announces before it begins: what falls silent in its area and time is expected. */

const Title = Type.String({ minLength: 1, maxLength: 200 })
const Reason = Type.String({ minLength: 1, maxLength: 2_000 })
const Areas = Type.Array(Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10}|[0-9]{13})$' }), { minItems: 1, maxItems: 500, description: 'codes of areas (2, 4, 6 or 10 digits) and of polling stations (13)' })
const Operator = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 })

export const PlannedWorkCreate = Type.Object(
  { title: Title, from: Timestamp, to: Timestamp, areas: Areas, reason: Reason, operator: Type.Optional(Type.String({ ...Operator, description: 'whose work it is; the monitoring centre must say, an operator need not' })) },
  { additionalProperties: false },
)
export type PlannedWorkCreate = Static<typeof PlannedWorkCreate>

/** What is left out stays as it is. */
export const PlannedWorkPatch = Type.Object({ title: Type.Optional(Title), from: Type.Optional(Timestamp), to: Type.Optional(Timestamp), areas: Type.Optional(Areas), reason: Type.Optional(Reason) }, { additionalProperties: false })
export type PlannedWorkPatch = Static<typeof PlannedWorkPatch>

export const plannedWorkStates = ['upcoming', 'running', 'ended', 'withdrawn'] as const

const Names = Type.Array(Type.String(), { description: 'numbers of disturbances' })

/** What was lost during a work, of what the reader may see. All of it empty: no measured impact. */
export const PlannedWorkMeasured = Type.Object({
  stations: Type.Integer({ description: 'stations of its areas that were lost during it' }),
  disturbances: Names,
  outside: Type.Array(Type.Object({
    disturbance: Type.String(), kind: Type.Enum(['area', 'operator'], { description: 'area: its operator lost stations of the same district that it did not announce; operator: others lost stations of its areas' }),
    operator: Type.Union([Type.String(), Type.Null()]), stations: Type.Integer(),
  }), { maxItems: 20, description: 'loss that began during it, and that it does not explain' }),
  overrun: Type.Union([Type.Object({ disturbances: Names, minutes: Type.Integer({ description: 'from its end on' }) }), Type.Null()], { description: 'loss that went on after its end, and got its ticket' }),
})
export type PlannedWorkMeasured = Static<typeof PlannedWorkMeasured>

export const PlannedWorkRow = Type.Object({
  id: Type.String(), operator: Operator, title: Title, from: Timestamp, to: Timestamp, areas: Areas, reason: Reason,
  state: Type.Enum([...plannedWorkStates]),
  announcedAt: Timestamp, announcedBy: Type.String({ description: 'organisation' }), withdrawnAt: Type.Union([Timestamp, Type.Null()]),
  version: Type.Integer({ minimum: 1 }),
  measured: Type.Union([PlannedWorkMeasured, Type.Null()], { description: 'null before it begins, and in the answer to a change' }),
})
export type PlannedWorkRow = Static<typeof PlannedWorkRow>
export const PlannedWorkRows = Type.Object({ total: Type.Integer(), rows: Type.Array(PlannedWorkRow) })

/** With all that was said of it, in order. */
export const PlannedWorkDetail = Type.Object({
  ...PlannedWorkRow.properties,
  history: Type.Array(Type.Object({ version: Type.Integer(), at: Timestamp, by: Type.String(), kind: Type.Enum(['announced', 'changed', 'withdrawn']), title: Title, from: Timestamp, to: Timestamp, areas: Areas, reason: Reason })),
})

/** What became of each line of a pasted calendar; `line` counts from 1, the header included. */
export const PlannedWorkReceipt = Type.Object({
  added: Type.Integer(), known: Type.Integer({ description: 'announced before, word for word' }), refused: Type.Integer(),
  rows: Type.Array(Type.Object({
    line: Type.Integer(), status: Type.Enum(['added', 'known', 'refused']), id: Type.Union([Type.String(), Type.Null()]),
    from: Type.Union([Timestamp, Type.Null()], { description: 'as it was read' }), to: Type.Union([Timestamp, Type.Null()]), reason: Type.Union([Type.String(), Type.Null()]),
  })),
})
export type PlannedWorkReceipt = Static<typeof PlannedWorkReceipt>
