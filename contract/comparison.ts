import { Type, type Static } from 'typebox'
import { area, contest, page } from './recap-overview.ts'
import { RecapRecord, SideText, StationRecaps } from './recap.ts'

/** The second sender: what officers of KPU and supervisors of Bawaslu each say of the same forms, side by side. */

const Instant = Type.String({ format: 'date-time' })
const Whole = Type.Integer({ minimum: 0 })
const none = Type.Null()
const Figure = Type.Union([Whole, none], { description: 'null: nothing is filled in' })

const kinds = ['agree', 'differ', 'officer_only', 'supervisor_only', 'conflict', 'quarantine'] as const
const Kind = Type.Enum([...kinds], { description: 'agree; differ; the one or the other alone; conflict and quarantine: not comparable yet, since records of one side differ from each other, or since what may be the side that is not there is in quarantine' })

export const comparisonQuery = { area, contest, format: Type.Optional(Type.Literal('csv')) }
export const comparedSlotsQuery = { area, contest, kind: Type.Optional(Kind), ...page, format: Type.Optional(Type.Literal('csv')) }

/** Of slots: one contest at one station each. They add up to `expected`. */
const ComparisonCounts = Type.Object({
  expected: Type.Integer({ minimum: 0, description: 'stations times contests' }),
  agree: Whole, differ: Whole, officer_only: Whole, supervisor_only: Whole, conflict: Whole, quarantine: Whole,
  neither: Type.Integer({ minimum: 0, description: 'of which nothing is here' }),
})
export type ComparisonCounts = Static<typeof ComparisonCounts>

/** `GET /v1/recaps/comparison`. */
export const RecapComparison = Type.Object({
  now: Instant,
  asOf: Type.Union([Instant, none], { description: 'when the counts were last brought up to date; null: not yet, and nothing is known' }),
  area: Type.Object({ code: Type.String({ description: 'empty: the whole country' }), name: Type.String() }),
  above: Type.Array(Type.Object({ code: Type.String(), name: Type.String() }), { description: 'the areas that it lies in, the largest first' }),
  contest: Type.Union([Type.String(), none]),
  stations: Whole,
  total: ComparisonCounts,
  contests: Type.Array(Type.Intersect([Type.Object({ contest: Type.String() }), ComparisonCounts])),
  rows: Type.Array(Type.Intersect([Type.Object({ code: Type.String(), name: Type.String(), stations: Whole }), ComparisonCounts]), { description: 'the areas in it, or the stations of a village' }),
})
export type RecapComparison = Static<typeof RecapComparison>

const Difference = Type.Object({
  field: Type.String({ description: 'of the form (spec/recap.md)' }),
  officer: Figure,
  supervisor: Figure,
  misreading: Type.Union([Type.Enum(['digit', 'swapped']), none], { description: 'how one may be the other misread: by one digit, or by two neighbours swapped' }),
  fits: Type.Union([SideText, none], { description: 'with whose number the checks hold that the other one breaks' }),
})

const Compared = Type.Object({
  kind: Type.Enum([...kinds, 'neither']),
  isOtherForm: Type.Boolean({ description: 'both are of other versions or ballots, and no field is comparable' }),
  differences: Type.Array(Difference, { description: 'in the order of the form' }),
})

/** `GET /v1/recaps/comparison/slots`. */
export const ComparedSlots = Type.Object({
  now: Instant, asOf: Type.Union([Instant, none]), kind: Kind, next: Type.Union([Type.String(), none]),
  rows: Type.Array(Type.Intersect([Type.Object({
    station: Type.String(), place: Type.String({ description: 'village, district, regency' }), contest: Type.String(),
    records: Type.Array(Type.Object({ side: Type.Union([SideText, none]), hash: Type.String(), code: Type.String({ description: 'its receipt code' }), receivedAt: Instant, reason: Type.Union([Type.String(), none], { description: 'of quarantine' }) }), { description: 'that nothing of their side corrects, and those in quarantine' }),
  }), Compared])),
})
export type ComparedSlots = Static<typeof ComparedSlots>

/** `GET /v1/recaps/slots/{station}/{contest}`: everything of one slot, and nothing that decides. */
export const RecapSlot = Type.Intersect([Type.Object({
  now: Instant, station: Type.String(), place: Type.String(), contest: Type.String(),
  fields: Type.Array(Type.String(), { description: "of the form, in its order; empty where none is known" }),
  slots: StationRecaps.properties.slots,
  records: Type.Array(Type.Intersect([RecapRecord, Type.Object({
    publicKey: Type.Union([Type.String({ description: 'that signed, in base64url' }), none]),
    keyEntry: Type.Union([Whole, none], { description: 'where the ledger says whose key it is: an entry of kind 2 or 5' }),
    receipt: Type.Union([Type.String(), none], { description: 'tlog-proof (spec/ledger.md); null: no signed checkpoint holds it yet' }),
  })]), { description: 'of both sides, in the order of the ledger, those in quarantine too' }),
}), Compared])
export type RecapSlot = Static<typeof RecapSlot>
