import { Type, type Static } from 'typebox'
import { technologies } from '@kawal/core/atlas/edition.ts'
import { differenceKinds } from '@kawal/core/atlas/difference.ts'
import { Timestamp } from './report.ts'

/** The coverage atlas: editions, what they say of a cell, how two differ, and what is said against one. */

const EditionId = Type.String({ pattern: '^[0-9a-f]{12}$', description: 'head of the SHA-256 of the header' })
const CalendarDate = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })
const Operator = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 })
const Technology = Type.Enum([...technologies])
const Cell = Type.String({ pattern: '^8[89][0-9a-f]{13}$', description: 'H3 index of resolution 8 or 9, 15 hexadecimal digits' })
const Share = Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], { description: 'null is unknown' })
const NoText = Type.Union([Type.String(), Type.Null()])

const Layers = Type.Array(Type.Object({ operator: Operator, technology: Technology }))

export const EditionEntry = Type.Object({
  id: EditionId,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  name: Type.String(),
  validOn: CalendarDate,
  publishedAt: Timestamp,
  layers: Layers,
  cells: Type.Object({ national: Type.Integer(), fine: Type.Integer() }),
})

export const Edition = Type.Object({
  id: EditionId,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  publishedAt: Timestamp,
  layers: Layers,
  whole: Type.Boolean({ description: 'whether the header is the one whose hash the edition bears; who reads its own layers alone gets a part' }),
  header: Type.Object({
    format: Type.Literal(1),
    name: Type.String(),
    validOn: CalendarDate,
    facts: Type.Unknown(),
    columns: Type.Array(Type.Object({ name: Type.String(), operator: NoText, technology: NoText, rows: Type.Integer(), sha256: Type.String() })),
  }),
})

export const CellViews = Type.Object({
  edition: EditionId,
  cell: Cell,
  resolution: Type.Integer({ description: 'that the edition answers in: 8 where it has no fine cell' }),
  latitude: Type.Number(),
  longitude: Type.Number(),
  layers: Type.Array(Type.Object({
    operator: Operator, technology: Technology,
    usable: Share, claimed: Share, predicted: Share, measured: Share,
    samples: Type.Integer({ minimum: 0 }),
    date: Type.Union([CalendarDate, Type.Null()], { description: 'of the newest evidence' }),
    source: Type.Enum(['measured', 'predicted', 'claimed', 'none']),
    contradicted: Type.Boolean(), challenged: Type.Boolean(),
  })),
})

const DifferenceKind = Type.Enum([...differenceKinds])
export const Difference = Type.Object({
  from: EditionId, to: EditionId, operator: Operator, technology: Technology,
  counts: Type.Object(Object.fromEntries([...differenceKinds, 'same' as const].map((kind) => [kind, Type.Integer()]))),
  cells: Type.Array(Type.Object({ cell: Cell, kind: DifferenceKind, before: Share, after: Share })),
  truncated: Type.Boolean({ description: 'more cells differ than are listed; CSV lists all' }),
})

const Evidence = Type.String({ minLength: 10, maxLength: 4_000 })
const Says = Type.Enum(['covered', 'not_covered'])

export const ChallengeCreate = Type.Object(
  {
    edition: EditionId,
    cell: Type.Optional(Cell),
    station: Type.Optional(Type.String({ pattern: '^[0-9]{13}$' })),
    operator: Operator,
    technology: Technology,
    says: Says,
    evidence: Evidence,
  },
  { additionalProperties: false },
)

export const ChallengeDecision = Type.Object({ status: Type.Enum(['accepted', 'refused']), answer: Type.String({ minLength: 1, maxLength: 4_000 }) }, { additionalProperties: false })

export const Challenge = Type.Object({
  id: Type.String({ format: 'uuid' }),
  edition: EditionId,
  organisation: Type.String({ description: 'who challenges' }),
  operator: Operator,
  technology: Technology,
  cell: Type.Union([Cell, Type.Null()]),
  station: NoText,
  says: Says,
  evidence: Evidence,
  status: Type.Enum(['open', 'accepted', 'refused']),
  openedAt: Timestamp,
  decidedAt: Type.Union([Timestamp, Type.Null()]),
  decidedBy: NoText,
  answer: NoText,
})

export type EditionEntry = Static<typeof EditionEntry>
export type Edition = Static<typeof Edition>
export type CellViews = Static<typeof CellViews>
export type ChallengeCreate = Static<typeof ChallengeCreate>
export type Challenge = Static<typeof Challenge>
