import { Type, type Static, type TSchema } from 'typebox'
import { technologies } from '@kawal/core/atlas/edition.ts'
import { readinessClasses, signalWords } from '@kawal/core/readiness/readiness.ts'
import { StationCode, Timestamp } from './report.ts'

/**
 * Before the day: how ready each station is, better venues, positions, access points, the campaign.
 * Shares are 0 to 1, and null where nothing is known. What a plan says is of the day it was made on.
 */

const nullable = <T extends TSchema>(schema: T, options: { description?: string } = {}) => Type.Union([schema, Type.Null()], options)
const Day = Type.String({ format: 'date', description: 'YYYY-MM-DD' })
const Share = Type.Number({ minimum: 0, maximum: 1 })
const Latitude = Type.Number({ minimum: -90, maximum: 90 })
const Longitude = Type.Number({ minimum: -180, maximum: 180 })
const Note = Type.String({ maxLength: 2_000 })
const VenueId = Type.String({ minLength: 1, maxLength: 200 })
const Class = Type.Enum([...readinessClasses])
const Grade = Type.Enum(['fix', 'venue', 'village'])
const AccessKind = Type.Enum(['ai', 'satellite', 'bts'])
const Decision = Type.Enum(['accepted', 'refused', 'withdrawn'])

const PlanRef = Type.Object({
  id: Type.Integer(),
  madeAt: Timestamp,
  validOn: Day,
  edition: nullable(Type.String({ description: 'edition of the atlas that it was made from' })),
  operators: Type.Array(Type.String(), { description: 'in the order of every row' }),
})

/** The words are KPU's own four grades of signal, and one for what nobody knows. */
const OperatorReadiness = Type.Object({
  operator: Type.String(),
  usable: nullable(Share),
  weak: nullable(Share),
  word: Type.Enum([...signalWords]),
})

const AssignedAccess = Type.Object({
  id: Type.String(), name: Type.String(), kind: AccessKind,
  latitude: nullable(Type.Number()), longitude: nullable(Type.Number()),
  working: nullable(Type.Boolean({ description: 'what BAKTI said last; null when it never said' })),
  distanceKm: nullable(Type.Number()),
  travelMin: nullable(Type.Number()),
  slotStartMin: nullable(Type.Number({ description: 'minutes after officers leave their stations' })),
  slotMin: nullable(Type.Number()),
})

export const DecisionView = Type.Object({ venue: Type.String(), decision: Decision, validFrom: Day, decidedAt: Timestamp, decidedBy: Type.String(), note: Type.String() })

/** Where a station lies, in codes of its own digits and in names. */
const place = { station: StationCode, village: Type.String(), district: Type.String(), regency: Type.String(), province: Type.String() }

export const ReadinessRow = Type.Object({
  ...place,
  latitude: nullable(Type.Number()),
  longitude: nullable(Type.Number()),
  positionGrade: nullable(Grade),
  voters: nullable(Type.Integer()),
  class: Class,
  reason: Type.String(),
  basis: Type.Enum(['fix', 'venue', 'village', 'none'], { description: 'what it was judged over' }),
  cells: Type.Integer({ description: 'how many national cells that was' }),
  operators: Type.Array(OperatorReadiness),
  best: nullable(Type.String()),
  second: nullable(Type.String()),
  access: nullable(AssignedAccess),
  accessReason: nullable(Type.String()),
  move: nullable(Type.Object({
    venue: Type.String(), venueName: Type.String(), gain: Type.Number(), classAfter: Class, walkKm: Type.Number(),
    decision: nullable(DecisionView),
  })),
})
export const ReadinessPage = Type.Object({ plan: PlanRef, total: Type.Integer(), next: nullable(Type.String({ description: 'cursor: give it as ?page=' })), rows: Type.Array(ReadinessRow) })

const ClassCounts = Type.Object({ a: Type.Integer(), b: Type.Integer(), c: Type.Integer(), d: Type.Integer(), e: Type.Integer(), unknown: Type.Integer() })
const AreaCounts = {
  stations: Type.Integer(),
  classes: ClassCounts,
  voters: nullable(Type.Integer({ description: 'of stations whose voters are known; null when none are' })),
  checked: Type.Integer({ description: 'stations with a report in the 30 days before `countedAt`' }),
  fixes: Type.Integer({ description: 'stations whose position is a fix' }),
}
export const ReadinessArea = Type.Object({ code: Type.String(), name: Type.String(), ...AreaCounts })
export const ReadinessSummary = Type.Object({
  plan: PlanRef,
  level: Type.Enum(['province', 'regency', 'district']),
  countedAt: Type.String({ format: 'date-time', description: 'when checked and fixes were counted' }),
  total: Type.Object({ ...AreaCounts, unknownReasons: Type.Record(Type.String(), Type.Integer()) }),
  areas: Type.Array(ReadinessArea),
})

/** What an edition says of one operator's network of one technology at a station's place. */
export const Evidence = Type.Object({
  operator: Type.String(),
  technology: Type.Enum([...technologies]),
  usable: nullable(Share), claimed: nullable(Share), predicted: nullable(Share), measured: nullable(Share),
  samples: Type.Integer(),
  newestOn: nullable(Day),
  contradicted: Type.Boolean({ description: 'claimed to be covered, and measured not to be' }),
  challenged: Type.Boolean(),
})

/** One way to send, best first. What it does not speak of it leaves out. */
export const LadderStep = Type.Object({
  kind: Type.Enum(['other_operator', 'better_spot', 'village_wifi', 'access_point', 'covered_place', 'offline']),
  available: Type.Boolean(),
  operator: Type.Optional(Type.String()),
  distanceKm: Type.Optional(Type.Number()),
  bearingDeg: Type.Optional(Type.Number({ description: 'from the station, clockwise from north' })),
  latitude: Type.Optional(Type.Number()), longitude: Type.Optional(Type.Number()),
  place: Type.Optional(Type.String({ description: 'name of an access point; H3 cell of a spot or a covered place' })),
  parameters: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), { description: 'for the words of the screen' }),
})

export const PositionFix = Type.Object({
  id: Type.String(),
  ...place,
  latitude: Type.Number(), longitude: Type.Number(),
  accuracyM: nullable(Type.Number()),
  source: Type.Enum(['kpu', 'officer']),
  status: Type.Enum(['open', 'accepted', 'refused']),
  remark: Type.String(),
  givenAt: Timestamp,
  decidedAt: nullable(Timestamp),
  validFrom: nullable(Day),
  insideVillage: nullable(Type.Boolean({ description: 'null when the area of the village is not known' })),
  distanceKm: nullable(Type.Number({ description: "from the village's point" })),
})
export const PositionFixes = Type.Object({ total: Type.Integer(), rows: Type.Array(PositionFix, { description: 'at most 500, oldest first' }) })

/** `GET /v1/stations/CODE/readiness`: everything that is known of a station before the day. */
export const StationReadiness = Type.Object({
  plan: nullable(PlanRef),
  row: nullable(ReadinessRow),
  ...place,
  voters: nullable(Type.Integer()),
  position: nullable(Type.Object({ latitude: Type.Number(), longitude: Type.Number(), grade: Grade, since: Day })),
  history: Type.Array(Type.Object({ latitude: nullable(Type.Number()), longitude: nullable(Type.Number()), grade: nullable(Grade), validFrom: Day, validTo: nullable(Day) }), { description: 'versions, newest first; one of a later day than today is planned' }),
  neighbours: Type.Array(Type.Object({ station: StationCode, class: Class }), { description: 'the other stations of the village' }),
  edition: nullable(Type.Object({ id: Type.String(), name: Type.String(), validOn: Day })),
  evidence: Type.Array(Evidence),
  ladder: Type.Array(LadderStep),
  decisions: Type.Array(DecisionView, { description: 'newest first' }),
  fixes: Type.Array(PositionFix, { description: 'positions given for it, newest first' }),
  checks: Type.Array(Type.Object({ operator: nullable(Type.String()), lastAt: Timestamp }), { description: 'reports seen, newest first' }),
  remindedAt: nullable(Timestamp),
})

export const MoveRow = Type.Object({
  ...place,
  voters: nullable(Type.Integer()),
  venue: Type.String(), venueName: Type.String(), venueKind: Type.String(),
  latitude: nullable(Type.Number({ description: "the venue's" })), longitude: nullable(Type.Number()),
  gain: Type.Number({ description: 'added to the chance of at least one usable operator' }),
  classBefore: Class, classAfter: Class,
  walkKm: nullable(Type.Number()),
  walkGrade: nullable(Type.Enum(['fix', 'village'], { description: "what the walk was measured from: the station's place, or its village's point" })),
  cost: Type.Number({ description: 'the walk, in gain' }),
  decision: nullable(DecisionView),
})
export const MovesPage = Type.Object({ plan: PlanRef, total: Type.Integer(), next: nullable(Type.String()), rows: Type.Array(MoveRow) })

const pair = { station: StationCode, venue: VenueId }
export const SitingDecisions = Type.Array(
  Type.Object({ ...pair, decision: Decision, validFrom: Day, note: Type.Optional(Note) }, { additionalProperties: false }),
  { minItems: 1, maxItems: 1_000 },
)
export const SitingResults = Type.Object({
  accepted: Type.Integer({ description: 'items that were done' }),
  results: Type.Array(Type.Object({
    ...pair,
    done: Type.Boolean(),
    refusal: nullable(Type.Enum(['station_unknown', 'venue_unknown', 'venue_without_position', 'venue_elsewhere', 'nothing_to_withdraw', 'accepted_already', 'station_moves_already', 'version_later', 'not_your_area'])),
    detail: Type.String({ description: 'what was done, or why not and how to mend it' }),
  })),
})

export const SitingQuestion = Type.Object(
  {
    area: Type.String({ pattern: '^([0-9]{4}|[0-9]{6}|[0-9]{10})$', description: 'regency, district or village' }),
    walkKmMax: Type.Optional(Type.Number({ minimum: 0, maximum: 50 })),
    gainMin: Type.Optional(Share),
    secondOperator: Type.Optional(Type.Number({ minimum: 0, maximum: 10 })),
    walkCostPerKm: Type.Optional(Type.Number({ minimum: 0, maximum: 10 })),
    openingCost: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    stationsPerVenueMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    votersPerStationMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    pinned: Type.Optional(Type.Array(Type.Object(pair, { additionalProperties: false }), { maxItems: 2_000, description: 'moves that stand, beside those accepted already' })),
    refused: Type.Optional(Type.Array(Type.Object(pair, { additionalProperties: false }), { maxItems: 2_000 })),
  },
  { additionalProperties: false },
)
export const SitingAnswer = Type.Object({
  area: Type.String(),
  edition: nullable(Type.String()),
  moves: Type.Array(MoveRow, { description: 'worst stations first; those pinned or accepted too' }),
  kept: Type.Record(Type.String(), Type.Integer(), { description: 'stations that keep their place, by reason' }),
  totals: Type.Object({ stations: Type.Integer(), weak: Type.Integer(), accepted: Type.Integer(), proposed: Type.Integer(), proposedByVillage: Type.Integer(), venuesOpened: Type.Integer(), gain: Type.Number(), proven: Type.Boolean({ description: 'no other proposal is worth more' }) }),
})

/** A position given by KPU. */
export const PositionGiven = Type.Object(
  { latitude: Latitude, longitude: Longitude, validFrom: Day, remark: Type.Optional(Note), sure: Type.Optional(Type.Boolean({ description: 'true takes a position more than 50 km from the village too' })) },
  { additionalProperties: false },
)
/** A position given by an officer's device, which keeps only its newest. */
export const PositionMeasured = Type.Object(
  { latitude: Latitude, longitude: Longitude, accuracyM: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }), givenAt: Timestamp },
  { additionalProperties: false },
)
export const PositionReceipt = Type.Object({
  id: Type.String(),
  station: StationCode,
  status: Type.Enum(['open', 'accepted', 'refused']),
  warnings: Type.Array(Type.Enum(['outside_village', 'far_from_village', 'inaccurate', 'placed_already', 'version_later', 'village_unplaced'])),
  distanceKm: nullable(Type.Number({ description: "from the village's point" })),
})
export const PositionDecision = Type.Object({ decision: Type.Enum(['accepted', 'refused']), validFrom: Type.Optional(Day), remark: Type.Optional(Note) }, { additionalProperties: false })

export const AccessPoint = Type.Object({
  id: Type.String(), kind: AccessKind, name: Type.String(),
  latitude: nullable(Type.Number()), longitude: nullable(Type.Number()),
  villageCode: nullable(Type.String()),
  village: Type.String(), district: Type.String(), regency: Type.String(), province: Type.String(),
  organisation: Type.String(),
  source: Type.String({ description: 'the list that it comes from' }),
  working: nullable(Type.Boolean({ description: 'null when nobody said' })),
  uplinkMbps: nullable(Type.Number()),
  note: Type.String(),
  saidAt: nullable(Timestamp),
  stations: Type.Integer({ description: 'assigned to it in the newest plan' }),
  voters: nullable(Type.Integer()),
  busyMin: Type.Number({ description: 'its slots of the newest plan, added up' }),
  lastSlotEndMin: nullable(Type.Number({ description: 'when its last slot ends, in minutes after officers leave their stations' })),
})
export const AccessPoints = Type.Object({ plan: nullable(PlanRef), total: Type.Integer(), next: nullable(Type.String()), rows: Type.Array(AccessPoint) })
export const AccessState = Type.Object({ working: Type.Boolean(), uplinkMbps: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100_000 })), note: Type.Optional(Note) }, { additionalProperties: false })
/** What was said is kept. Of a point that fails: who depended on it, and what takes its place. */
export const AccessStateAnswer = Type.Object({
  point: AccessPoint,
  dependants: Type.Array(Type.Object({ station: StationCode, voters: nullable(Type.Integer()) }), { description: 'stations that the newest plan assigned to it; none while it works' }),
  reassigned: nullable(Type.Array(Type.Object({
    station: StationCode,
    access: nullable(Type.Object({ id: Type.String(), name: Type.String(), distanceKm: nullable(Type.Number()), travelMin: nullable(Type.Number()) }, { description: 'null when no other point is in reach' })),
  })), { description: 'stations of the point that failed, and those that make room for them; null when the point works, or nothing can be worked out. The next plan makes it hold' }),
})

const checks = {
  stations: Type.Integer(),
  checked: Type.Integer({ description: 'at least one report since `since`' }),
  operators: Type.Record(Type.String(), Type.Integer(), { description: 'stations checked, by operator; `unknown` where none is known' }),
  lastCheckAt: nullable(Timestamp),
  fixes: Type.Integer(),
  movesAccepted: Type.Integer(),
  reminded: Type.Integer({ description: 'unchecked stations that were reminded since' }),
  notReminded: Type.Integer({ description: 'unchecked stations that were not' }),
}
export const Campaign = Type.Object({
  since: Timestamp,
  countedAt: Timestamp,
  level: Type.Enum(['province', 'regency', 'district', 'village']),
  total: Type.Object(checks),
  areas: Type.Array(Type.Object({ code: Type.String(), name: Type.String(), ...checks })),
})
export const CampaignStation = Type.Object({
  ...place,
  class: nullable(Class),
  positionGrade: nullable(Grade),
  checkedAt: nullable(Timestamp),
  operators: Type.Array(Type.String()),
  remindedAt: nullable(Timestamp),
})
export const CampaignStations = Type.Object({ since: Timestamp, total: Type.Integer(), next: nullable(Type.String()), rows: Type.Array(CampaignStation) })
/** Either an area, of which the unchecked stations are reminded, or stations. */
export const ReminderOrder = Type.Object(
  { area: Type.Optional(Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$' })), stations: Type.Optional(Type.Array(StationCode, { minItems: 1, maxItems: 20_000 })) },
  { additionalProperties: false },
)
/** The stations to send a reminder to: sending it is the election commission's own channel. */
export const Reminded = Type.Object({ remindedAt: Timestamp, total: Type.Integer(), unknown: Type.Array(StationCode, { description: 'asked for, and not in the register' }), stations: Type.Array(Type.Object({ ...place })) })

/** What lists may be asked for, as ?name=value; there are no other names. */
const Area = Type.Optional(Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$', description: 'code of a province, regency, district or village; the nation without it' }))
const Plan = Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'the newest finished one without it' }))
const paging = {
  page: Type.Optional(Type.String({ maxLength: 200, description: '`next` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: '100 without it' })),
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'csv gives all rows; so does Accept: text/csv' })),
}
const Since = Type.Optional(Type.String({ format: 'date-time', description: '30 days ago without it' }))
export const readinessQuery = {
  area: Area, plan: Plan, ...paging,
  class: Type.Optional(Type.String({ pattern: '^(a|b|c|d|e|unknown)(,(a|b|c|d|e|unknown))*$' })),
  operator: Type.Optional(Type.String({ maxLength: 64, description: 'with `word`, the operator that it is said of; alone, the one whose SIM is best' })),
  word: Type.Optional(Type.String({ pattern: '^(kuat|sedang|lemah|tidak_ada|tanpa_data)(,(kuat|sedang|lemah|tidak_ada|tanpa_data))*$' })),
  basis: Type.Optional(Type.String({ pattern: '^(fix|venue|village|none)(,(fix|venue|village|none))*$' })),
  q: Type.Optional(Type.String({ minLength: 2, maxLength: 100, description: 'head of a code, or part of the name of a village, district or regency' })),
  sort: Type.Optional(Type.Enum(['code', 'class', 'voters', 'distance'], { description: 'class: worst first; voters: most first; distance: to the access point, farthest first' })),
}
export const summaryQuery = { level: Type.Optional(Type.Enum(['province', 'regency', 'district'])), area: Area, plan: Plan }
export const movesQuery = { area: Area, ...paging, decision: Type.Optional(Type.Enum(['accepted', 'refused', 'withdrawn', 'open'], { description: 'open: nobody decided' })) }
export const positionsQuery = { status: Type.Optional(Type.Enum(['open', 'accepted', 'refused'])), area: Area }
export const accessQuery = { area: Area, ...paging, kind: Type.Optional(AccessKind), working: Type.Optional(Type.Enum(['yes', 'no', 'unknown'])) }
export const campaignQuery = { level: Type.Optional(Type.Enum(['province', 'regency', 'district', 'village'])), area: Area, since: Since }
export const campaignStationsQuery = { area: Area, since: Since, ...paging, state: Type.Optional(Type.Enum(['checked', 'unchecked', 'reminded', 'not_reminded'], { description: 'reminded and not_reminded are of those unchecked; all stations without it' })) }

export type PlanRef = Static<typeof PlanRef>
export type OperatorReadiness = Static<typeof OperatorReadiness>
export type DecisionView = Static<typeof DecisionView>
export type ReadinessRow = Static<typeof ReadinessRow>
export type ReadinessPage = Static<typeof ReadinessPage>
export type ReadinessArea = Static<typeof ReadinessArea>
export type ReadinessSummary = Static<typeof ReadinessSummary>
export type Evidence = Static<typeof Evidence>
export type LadderStep = Static<typeof LadderStep>
export type StationReadiness = Static<typeof StationReadiness>
export type MoveRow = Static<typeof MoveRow>
export type MovesPage = Static<typeof MovesPage>
export type SitingDecisions = Static<typeof SitingDecisions>
export type SitingResults = Static<typeof SitingResults>
export type SitingQuestion = Static<typeof SitingQuestion>
export type SitingAnswer = Static<typeof SitingAnswer>
export type PositionFix = Static<typeof PositionFix>
export type PositionFixes = Static<typeof PositionFixes>
export type PositionGiven = Static<typeof PositionGiven>
export type PositionMeasured = Static<typeof PositionMeasured>
export type PositionReceipt = Static<typeof PositionReceipt>
export type PositionDecision = Static<typeof PositionDecision>
export type AccessPoint = Static<typeof AccessPoint>
export type AccessPoints = Static<typeof AccessPoints>
export type AccessState = Static<typeof AccessState>
export type AccessStateAnswer = Static<typeof AccessStateAnswer>
export type Campaign = Static<typeof Campaign>
export type CampaignStation = Static<typeof CampaignStation>
export type CampaignStations = Static<typeof CampaignStations>
export type ReminderOrder = Static<typeof ReminderOrder>
export type Reminded = Static<typeof Reminded>
