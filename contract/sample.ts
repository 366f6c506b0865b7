import { Type, type Static } from 'typebox'
import { PhotoState } from './recap.ts'

/** Audits by sample (spec/sample.md): stations drawn by thrown dice, and what auditors found there. */

const Instant = Type.String({ format: 'date-time' })
const Whole = Type.Integer({ minimum: 0 })
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const none = Type.Null()
const area_pattern = '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})?$'
const result = Type.Enum(['agrees', 'differs', 'unreadable', 'photo_absent', 'no_record'])
const Contest = Type.String({ pattern: '^[a-z_]{1,20}$' })
const Stratum = Type.Object({ area: Type.String({ pattern: area_pattern, description: 'code of an area; empty: the whole country' }), draw: Type.Integer({ minimum: 1, maximum: 10_000 }) }, { additionalProperties: false })

export const sampleScopeQuery = { areas: Type.Optional(Type.String({ pattern: '^[0-9,]{1,1000}$', description: 'codes of areas, with commas: how many stations each has' })) }
export const sampleQuery = { format: Type.Optional(Type.Literal('csv')) }
export const slotQuery = { totals: Type.Optional(Type.Enum(['true', 'false'], { description: 'whether the numbers of the records come too: not before the auditor has read the photo himself' })) }

/** `GET /v1/audits/scope`: what a draw would be fixed to, to be read out before the dice are thrown. */
export const SampleScope = Type.Object({
  now: Instant,
  roster: Type.Object({ hash: Hash, stations: Whole }),
  areas: Type.Array(Type.Object({ area: Type.String(), name: Type.String(), stations: Whole })),
  contests: Type.Array(Type.String()),
  checkpoint: Type.Object({ size: Whole, root: Hash }),
})
export type SampleScope = Static<typeof SampleScope>

/** `POST /v1/audits`. */
export const SampleGiven = Type.Object({
  seed: Type.String({ maxLength: 300, description: '20 to 100 digits as the dice gave them; spaces do not count' }),
  occasion: Type.String({ minLength: 1, maxLength: 500, description: 'where and when they were thrown, and before whom: everybody can read it' }),
  contests: Type.Array(Contest, { minItems: 1, maxItems: 5 }),
  strata: Type.Array(Stratum, { minItems: 1, maxItems: 600 }),
  roster: Hash,
  checkpoint: Type.Object({ size: Whole, root: Hash }, { additionalProperties: false, description: 'what the log showed before the throw' }),
}, { additionalProperties: false })
export type SampleGiven = Static<typeof SampleGiven>

export const SampleRow = Type.Object({
  id: Type.String({ description: 'SHA-256 of its entry in the ledger' }),
  entry: Whole, at: Instant, organisation: Type.String(), by: Type.String(), seed: Type.String(), occasion: Type.String(), contests: Type.Array(Type.String()), strata: Type.Array(Stratum),
  roster: Hash, checkpoint: Type.Object({ size: Whole, root: Hash }),
  stations: Type.Integer({ description: 'drawn' }),
  slots: Type.Integer({ description: 'stations times contests: what there is to compare' }),
  results: Type.Record(Type.String(), Whole, { description: 'slots by what was found; of several findings the gravest' }),
  open: Type.Integer({ description: 'slots that nobody has compared' }),
  after: Type.Array(Type.String(), { description: 'entries of earlier draws that share an area and a contest: it was drawn again' }),
})
export type SampleRow = Static<typeof SampleRow>
export const SampleRows = Type.Object({ now: Instant, rows: Type.Array(SampleRow) })
export type SampleRows = Static<typeof SampleRows>

const FindingRow = Type.Object({
  entry: Whole, receivedAt: Instant, result, record: Type.Union([Hash, none]), differs: Type.Array(Type.String(), { description: 'fields at which the photo has something else' }),
  remark: Type.String(), by: Type.String(), kid: Type.String({ description: 'of the key that signed, hex' }), counts: Type.Boolean({ description: 'the last of its key for this slot' }),
})
export type FindingRow = Static<typeof FindingRow>
export const SampleDetail = Type.Intersect([SampleRow, Type.Object({
  now: Instant,
  rows: Type.Array(Type.Object({ nth: Whole, station: Type.String(), place: Type.String(), area: Type.String(), ticket: Hash, contests: Type.Array(Type.Object({ contest: Type.String(), result: Type.Union([result, none]), findings: Type.Array(FindingRow) })) })),
})])
export type SampleDetail = Static<typeof SampleDetail>

/** `GET /v1/audits/{id}/slots/{station}/{contest}`: what there is to compare. */
export const SampleSlot = Type.Object({
  now: Instant, station: Type.String(), place: Type.String(), contest: Type.String(),
  records: Type.Array(Type.Object({
    hash: Hash, code: Type.String(), entry: Whole, receivedAt: Instant, madeAt: Type.Union([Instant, none]), device: Type.Union([Type.Integer(), none], { description: 'which of the devices of the station made it' }),
    replaced: Type.Boolean({ description: 'another record that was there before the draw corrects it' }),
    reason: Type.Union([Type.String(), none], { description: 'why it is in quarantine' }),
    photos: Type.Union([Type.Array(PhotoState), none], { description: 'null: the list of its photos has not come' }),
    fields: Type.Union([Type.Array(Type.String()), none], { description: 'of its form, in order; null: of a form that is not known' }),
    mustRead: Type.Array(Type.Integer(), { description: 'places of the fields that are to be read before it may be said to agree' }),
    totals: Type.Union([Type.Array(Type.Union([Whole, none])), none], { description: 'null where they were not asked for' }),
  }), { description: 'those that the draw is over, the newest first' }),
  later: Type.Integer({ description: 'records of the slot that came after the checkpoint of the draw' }),
  findings: Type.Array(FindingRow),
})
export type SampleSlot = Static<typeof SampleSlot>

export const AuditorKeyGiven = Type.Object({ publicKey: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$|^[A-Za-z0-9_-]{87}$', description: '32 bytes of Ed25519 or 65 of P-256, base64url' }) }, { additionalProperties: false })
export const AuditorKeyRow = Type.Object({ publicKey: Type.String(), kid: Type.String(), organisation: Type.String(), name: Type.String(), mine: Type.Boolean(), enrolledAt: Instant, entry: Type.Union([Whole, none]), withdrawnAt: Type.Union([Instant, none]) })
export type AuditorKeyRow = Static<typeof AuditorKeyRow>
export const AuditorKeyRows = Type.Array(AuditorKeyRow)
