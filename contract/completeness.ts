import { Type, type Static } from 'typebox'

/** What lacks between what is due and what KPU has, as far as the platform itself can know (docs/operating/completeness.md). */

const Instant = Type.String({ format: 'date-time' })
const Whole = Type.Integer({ minimum: 0 })
const none = Type.Null()
const Text = Type.Union([Type.String(), none])
const area = Type.Optional(Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$', description: 'a province, regency, district or village; the whole country without it' }))

/** The worst first, by the names of core/recap/completeness.ts. What only who holds the receiver's list can see is not here. */
export const platformGapKinds = ['custody', 'missing', 'branch', 'quarantine', 'undelivered', 'photos', 'empty'] as const
const Kind = Type.Enum([...platformGapKinds])

export const completenessQuery = { area }
export const gapsQuery = {
  area, kind: Type.Optional(Kind), format: Type.Optional(Type.Literal('csv')),
  page: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'what the page before gave as next' })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
}

const GapCounts = Type.Object({
  custody: Type.Integer({ minimum: 0, description: 'records that boxes say they still carry' }),
  missing: Type.Integer({ minimum: 0, description: 'records that a later one of their phone names, and that are not in the log' }),
  branch: Type.Integer({ minimum: 0, description: 'records whose number another one of their phone had before' }),
  quarantine: Type.Integer({ minimum: 0, description: 'records in the log that do not count' }),
  undelivered: Type.Union([Whole, none], { description: 'slots with a record that counts and that the receiver has not answered for; null: no receiver is configured' }),
  photos: Type.Integer({ minimum: 0, description: 'slots without all their photos' }),
  empty: Type.Union([Whole, none], { description: 'slots of stations where voting has ended, without any record; null: no day of voting is configured' }),
})
export type GapCounts = Static<typeof GapCounts>

/** `GET /v1/recaps/completeness`. */
export const RecapCompleteness = Type.Object({
  now: Instant,
  countedAt: Type.Union([Instant, none], { description: 'until when records are counted; null: not yet' }),
  linkedAt: Type.Union([Instant, none], { description: 'until when it is known how records of a phone follow each other; null: not yet' }),
  area: Type.Object({ code: Type.String({ description: 'empty: the whole country' }), name: Type.String() }),
  above: Type.Array(Type.Object({ code: Type.String(), name: Type.String() })),
  compared: Type.Object({
    day: Type.Union([Type.String(), none], { description: 'of voting, YYYY-MM-DD' }),
    due: Type.Union([Whole, none], { description: 'slots of stations where voting has ended; null: no day of voting is configured' }),
    recorded: Whole, delivered: Whole, entries: Type.Integer({ minimum: 0, description: 'of the ledger, that were read for it' }), boxes: Whole, receiver: Type.Boolean({ description: 'whether a receiver is configured' }),
  }),
  total: GapCounts,
  rows: Type.Array(Type.Intersect([Type.Object({ code: Type.String(), name: Type.String() }), GapCounts]), { description: 'the areas in it where anything lacks' }),
})
export type RecapCompleteness = Static<typeof RecapCompleteness>

const RecapGap = Type.Object({
  kind: Kind,
  mend: Type.Enum(['box', 'officer', 'update', 'register', 'enrol', 'other_phone', 'configure', 'paper', 'receiver'], { description: 'who can mend it (docs/operating/completeness.md)' }),
  station: Text,
  contest: Text,
  hash: Text,
  code: Type.Union([Type.String(), none], { description: 'its receipt code' }),
  phone: Type.Union([Type.String(), none], { description: 'kid of the key, hex' }),
  sequence: Type.Union([Whole, none], { description: "the phone's own count; of several missing ones the first" }),
  until: Type.Union([Whole, none], { description: 'the last of several missing ones' }),
  detail: Type.Union([Type.String(), none], { description: 'reason of quarantine, name of the box, or the hash of the other record' }),
  records: Type.Union([Whole, none], { description: 'of a box: how many' }),
  since: Type.Union([Instant, none], { description: 'when it came in, or when the oldest came to the box' }),
})
export type RecapGap = Static<typeof RecapGap>

/** `GET /v1/recaps/completeness/gaps`: the newest first, slots without a record by station. */
export const RecapGaps = Type.Object({ now: Instant, kind: Kind, next: Type.Union([Type.String(), none]), rows: Type.Array(RecapGap) })
export type RecapGaps = Static<typeof RecapGaps>
