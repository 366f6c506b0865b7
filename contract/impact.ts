import { Type, type Static } from 'typebox'
import { late_max } from '@kawal/core/impact/deadline.ts'
import { Timestamp } from './report.ts'

/** How a priority is worked out: weights and deadlines, as a deployment sets them and as the console shows them. */

const Points = (piece: string) => Type.Number({ minimum: 0, maximum: 1_000_000, description: `points ${piece}: 0 to 1,000,000, two decimals at most` })
const Taken = (when: string) => Type.Number({ minimum: -1, maximum: 0, description: `share taken off ${when}: -1 to 0, two decimals at most, such as -0.5` })

/** Named by the terms of LiveImpact that they weigh. */
export const ImpactWeights = Type.Object({
  stations_without_alternative: Points('a station that has no other way to send'),
  stations_alternative_unknown: Points('a station of which nobody knows whether it has'),
  stations_with_alternative: Points('a station that has another way that works'),
  voters_thousand: Points('a thousand voters, where they are known'),
  stations_voters_unknown: Points('a station whose voters are not known'),
  recaps_unsent: Points('a recap that is not sent yet'),
  stations_recaps_unknown: Points('a station whose recaps are not known'),
  urgency: Points('a station that is not known to have another way, when its deadline is due'),
  degraded: Taken('when it is degraded, not down'),
  suspected: Taken('when it is only suspected'),
  recovering: Taken('when it is recovering'),
}, { additionalProperties: false })

const Day = Type.String({ pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', description: 'YYYY-MM-DD' })
const Citation = Type.String({ minLength: 1, maxLength: 500, description: 'where it is from: 1 to 500 letters' })

const DeadlineRule = Type.Object({
  name: Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$', description: 'small letters, digits and _, at most 40' }),
  at: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: "HH:MM in the station's own time" }),
  daysAfter: Type.Integer({ minimum: 0, maximum: 60, description: 'days after the day of voting: 0 to 60' }),
  riseMin: Type.Integer({ minimum: 1, maximum: 10_080, description: 'minutes before it at which urgency begins to rise: 1 to 10,080' }),
  share: Type.Number({ minimum: 0, maximum: 1, description: 'what urgency has risen to when it is due: 0 to 1' }),
  citation: Citation,
}, { additionalProperties: false })

export const ImpactContest = Type.Object({
  day: Day,
  citation: Citation,
  late: Type.Array(Type.Object({
    day: Day,
    areas: Type.Array(Type.String({ pattern: '^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10}|[0-9]{13})$', description: 'code of an area (2, 4, 6 or 10 digits) or a station (13)' }), { minItems: 1, maxItems: 10_000, description: '1 to 10,000 codes' }),
  }, { additionalProperties: false }), { maxItems: late_max, description: `at most ${late_max} late days, each with its areas` }),
  deadlines: Type.Array(DeadlineRule, { maxItems: 20, description: 'at most 20 deadlines' }),
}, { additionalProperties: false })

/** `GET /v1/impact/settings`. */
export const ImpactInForce = Type.Object({
  weights: ImpactWeights,
  contest: Type.Union([ImpactContest, Type.Null()], { description: 'under way, or the next; null when none is to come: then nothing is urgent' }),
  deadlines: Type.Array(Type.Object({
    zone: Type.Enum(['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura']),
    day: Day,
    areas: Type.Array(Type.String(), { description: "that vote on this day; none: all that vote on the contest's own" }),
    name: Type.String(),
    at: Timestamp,
  }), { description: 'every deadline of the contest at every zone, as instants' }),
  plan: Type.Union([Type.Object({ id: Type.Integer(), madeAt: Timestamp, stations: Type.Integer({ description: 'watched stations that it says something of' }) }), Type.Null()], { description: 'where alternatives are read from; null: none is made, and they are unknown' }),
  operators: Type.Array(Type.String(), { description: 'told apart as alternatives, from the plan and from reports' }),
})

export type ImpactInForce = Static<typeof ImpactInForce>
