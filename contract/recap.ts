import { Type, type Static } from 'typebox'

/** Records of recaps (spec/recap.md) and what became of them. */

export const SideText = Type.Enum(['officer', 'supervisor'], { description: "whose it is, by the role of the key that signed: the officers' of KPU, or the supervisor's of Bawaslu" })
const HashText = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the signed record' })

export const PhotoState = Type.Object({
  page: Type.Integer(), shot: Type.Integer(), kind: Type.Enum(['preview', 'original']), size: Type.Integer({ description: 'bytes' }), sha256: HashText,
  kept: Type.Boolean({ description: 'the whole of it is here, and it is what its hash says' }),
})
export type PhotoState = Static<typeof PhotoState>

/** `GET /v1/recaps/{hash}`. */
export const RecapState = Type.Object({
  hash: HashText,
  entry: Type.Integer({ minimum: 0, description: "the record's place in the ledger" }),
  receivedAt: Type.String({ format: 'date-time' }),
  state: Type.Enum(['waiting', 'counts', 'quarantine'], { description: 'waiting: not judged yet' }),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'why it is in quarantine: record_unreadable, station_unknown, key_unknown, key_elsewhere, key_revoked, contest_unknown, form_unknown, totals_impossible' }),
  detail: Type.Union([Type.String(), Type.Null()]),
  side: Type.Union([SideText, Type.Null()], { description: 'null: not judged yet, or in quarantine and no key says it' }),
  deliveredAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: "when the receiver took it; null: not yet, or never, since a supervisor's is not handed to it" }),
  photos: Type.Union([Type.Array(PhotoState), Type.Null()], { description: 'null: its list has not come, or the record was not judged yet' }),
})
export type RecapState = Static<typeof RecapState>

const Count = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'null: nothing is filled in, or it cannot be read' })

/** A record as people read it. What does not add up is shown beside, and refuses nothing: the paper counts. */
export const RecapRecord = Type.Object({
  hash: HashText,
  code: Type.String({ description: 'its receipt code, ten symbols, 5-5' }),
  entry: Type.Integer({ minimum: 0 }),
  receivedAt: Type.String({ format: 'date-time' }),
  contest: Type.Union([Type.String(), Type.Null()], { description: 'ppwp, dpr, dpd, dprd_provinsi or dprd_kabkota; null where it cannot be read' }),
  madeAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description: "by the phone's clock" }),
  replaces: Type.Union([HashText, Type.Null()], { description: 'the record that it corrects' }),
  totals: Type.Union([Type.Record(Type.String(), Count), Type.Null()], { description: 'by the names of the form (spec/recap.md); null where its form is not known' }),
  warnings: Type.Array(Type.Object({ kind: Type.Enum(['fields', 'missing', 'sum', 'same', 'above', 'ceiling']), field: Type.Union([Type.String(), Type.Null()]), value: Count, expected: Count })),
  slips: Type.Array(Type.Object({ field: Type.String(), value: Type.Integer(), meant: Type.Integer() }), { description: 'a field in which one digit read otherwise, or two neighbours swapped, makes its checks hold: a hint to look at the paper' }),
  side: Type.Union([SideText, Type.Null()]),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'why it is in quarantine; null: it counts, or was not judged yet' }),
  detail: Type.Union([Type.String(), Type.Null()]),
  deliveredAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  photos: Type.Union([Type.Array(PhotoState), Type.Null()]),
})
export type RecapRecord = Static<typeof RecapRecord>

/** `GET /v1/stations/{code}/recaps`. */
export const StationRecaps = Type.Object({
  station: Type.String(),
  slots: Type.Array(Type.Object({
    contest: Type.String(),
    side: SideText,
    state: Type.Enum(['single', 'corrected', 'conflict'], { description: 'conflict: several records that nothing corrects' }),
    sameTotals: Type.Boolean({ description: 'whether all records that nothing corrects have the same totals' }),
    chains: Type.Array(Type.Array(HashText), { description: 'each a record that nothing corrects, then what it corrects, back to the first' }),
    loose: Type.Array(Type.Object({ hash: HashText, replaces: HashText, why: Type.Enum(['absent', 'elsewhere', 'other_side'], { description: 'absent: not here yet; elsewhere: of another slot; other_side: of the other side, whose records it cannot correct' }) }), { description: 'corrections of what is not among the records of this side' }),
  })),
  records: Type.Array(RecapRecord, { description: 'in the order of the ledger, those in quarantine too' }),
})
export type StationRecaps = Static<typeof StationRecaps>
