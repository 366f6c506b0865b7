import { Type, type Static } from 'typebox'
import { SideText } from './recap.ts'

/** Recaps over an area: what is due and what came, what is stuck and why, what conflicts, and what boxes still carry. */

const Instant = Type.String({ format: 'date-time' })
const Whole = Type.Integer({ minimum: 0 })
const none = Type.Null()
export const area = Type.Optional(Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$', description: 'a province, regency, district or village; the whole country without it' }))
export const contest = Type.Optional(Type.String({ pattern: '^[a-z_]{1,20}$', description: 'of this contest alone; of all without it' }))
export const page = { page: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'what the page before gave as next' })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) }

export const recapOverviewQuery = { area, contest, format: Type.Optional(Type.Literal('csv')) }
const stuckKinds = ['quarantine', 'delivery', 'photos'] as const
export const stuckQuery = { area, kind: Type.Optional(Type.Enum([...stuckKinds])), ...page, format: Type.Optional(Type.Literal('csv')) }
export const conflictsQuery = { area, ...page }

/** Of slots: one contest at one station each. */
const RecapCounts = Type.Object({
  expected: Type.Integer({ minimum: 0, description: 'stations times contests' }),
  due: Type.Union([Whole, none], { description: 'of these, where voting has ended by the time of the place; null: no day of voting is configured' }),
  overdue: Type.Union([Whole, none], { description: 'of these, where results are due by the time of the place' }),
  recorded: Type.Integer({ minimum: 0, description: 'with a record that counts' }),
  delivered: Type.Integer({ minimum: 0, description: 'whose records that count were all taken by the receiver' }),
  photosWhole: Type.Integer({ minimum: 0, description: 'whose photos are all here' }),
  conflicts: Type.Integer({ minimum: 0, description: 'with several records that nothing corrects' }),
  quarantine: Type.Record(Type.String(), Whole, { description: 'records that do not count, by reason' }),
})
export type RecapCounts = Static<typeof RecapCounts>

const AreaRecaps = Type.Intersect([Type.Object({ code: Type.String(), name: Type.String(), zone: Type.Union([Type.String(), none]), stations: Whole }), RecapCounts])
export type AreaRecaps = Static<typeof AreaRecaps>

/** `GET /v1/recaps/overview`. */
export const RecapOverview = Type.Object({
  now: Instant,
  asOf: Type.Union([Instant, none], { description: 'when the counts were last brought up to date; null: not yet, and nothing is known' }),
  receiver: Type.Boolean({ description: 'whether a receiver is configured: without it nothing is delivered' }),
  area: Type.Object({ code: Type.String({ description: 'empty: the whole country' }), name: Type.String() }),
  above: Type.Array(Type.Object({ code: Type.String(), name: Type.String() }), { description: 'the areas that it lies in, the largest first' }),
  contest: Type.Union([Type.String(), none]),
  day: Type.Union([Type.String(), none], { description: 'of voting, YYYY-MM-DD' }),
  stations: Whole,
  total: RecapCounts,
  contests: Type.Array(Type.Intersect([Type.Object({ contest: Type.String() }), RecapCounts])),
  zones: Type.Array(Type.Intersect([Type.Object({
    zone: Type.String(), stations: Whole,
    countingFrom: Type.Union([Instant, none], { description: 'when voting ends there' }),
    resultsDueAt: Type.Union([Instant, none]),
  }), RecapCounts])),
  rows: Type.Array(AreaRecaps, { description: 'the areas in it, or the stations of a village' }),
  unplaced: Type.Record(Type.String(), Whole, { description: 'records in quarantine that name no station of these areas, by reason' }),
})
export type RecapOverview = Static<typeof RecapOverview>

export const StuckRecap = Type.Object({
  kind: Type.Enum([...stuckKinds]),
  hash: Type.String(),
  code: Type.String({ description: 'its receipt code' }),
  station: Type.Union([Type.String(), none]),
  contest: Type.Union([Type.String(), none]),
  madeAt: Type.Union([Instant, none]),
  since: Type.String({ format: 'date-time', description: 'when it came in' }),
  side: Type.Union([SideText, none], { description: 'null: no key says it' }),
  reason: Type.Union([Type.String(), none], { description: 'of quarantine' }),
  detail: Type.Union([Type.String(), none]),
  mend: Type.Enum(['update', 'register', 'enrol', 'other_phone', 'configure', 'paper', 'receiver', 'officer'], { description: 'what mends it: a newer program, the register, enrolling the phone, a phone whose key was not revoked, the contests of the server, the paper, the receiver, or the officer who holds the photos' }),
  tries: Whole,
  nextTryAt: Type.Union([Instant, none]),
  photosKept: Type.Union([Whole, none], { description: 'null: the list of its photos has not come' }),
  photosListed: Type.Union([Whole, none]),
})
export type StuckRecap = Static<typeof StuckRecap>

/** `GET /v1/recaps/stuck`: the oldest first. */
export const StuckRecaps = Type.Object({ now: Instant, kind: Type.Enum([...stuckKinds]), receiver: Type.Boolean(), after_min: Type.Integer({ description: 'what is younger than so many minutes is not stuck yet' }), next: Type.Union([Type.String(), none]), rows: Type.Array(StuckRecap) })
export type StuckRecaps = Static<typeof StuckRecaps>

const ConflictRecord = Type.Object({
  hash: Type.String(), code: Type.String(), madeAt: Instant, receivedAt: Instant,
  device: Type.Union([Type.Integer(), none], { description: 'which of the devices of the station made it, in the order of enrolment' }),
  totals: Type.Union([Type.Record(Type.String(), Type.Union([Whole, none])), none]),
})
/** `GET /v1/recaps/conflicts`: slots with several records of officers that nothing corrects. */
export const RecapConflicts = Type.Object({
  now: Instant, asOf: Type.Union([Instant, none]), next: Type.Union([Type.String(), none]),
  rows: Type.Array(Type.Object({ station: Type.String(), contest: Type.String(), sameTotals: Type.Boolean(), records: Type.Array(ConflictRecord) })),
})
export type RecapConflicts = Static<typeof RecapConflicts>

/** `PUT /v1/boxes/self`: what a box at an access point says of itself. */
export const BoxTold = Type.Object({
  at: Type.String({ format: 'date-time', description: "by the box's clock" }),
  origin: Type.String({ minLength: 1, maxLength: 200, description: 'name of its log' }),
  key: Type.String({ minLength: 1, maxLength: 300, description: 'of its log, as C2SP signed-note writes it' }),
  entries: Whole,
  records: Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'not carried yet, as what follows' }),
  lists: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
  photoBytes: Whole,
  oldestAt: Type.Union([Instant, none], { description: 'when the oldest of these came in; null: nothing is left' }),
}, { additionalProperties: false })
export type BoxTold = Static<typeof BoxTold>

/** `GET /v1/boxes`. */
export const BoxRows = Type.Object({
  now: Instant, stale_min: Type.Integer({ description: 'a box that has not been heard for longer says nothing of now' }),
  rows: Type.Array(Type.Intersect([Type.Omit(BoxTold, ['at']), Type.Object({
    device: Type.Integer(), station: Type.String(), place: Type.String({ description: 'village, district, regency' }), accessPoint: Type.Union([Type.Object({ id: Type.String(), name: Type.String() }), none], { description: "the newest plan's for its station" }),
    toldAt: Instant, clockOff_ms: Type.Integer({ description: "its clock less the platform's" }), isStale: Type.Boolean(),
  })])),
})
export type BoxRows = Static<typeof BoxRows>
export const boxesQuery = { area }
