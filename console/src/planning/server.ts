import type { CellViews, Challenge, ChallengeCreate, Edition, EditionEntry } from '@kawal/contract/atlas.ts'
import type {
  AccessPoints, Campaign, CampaignStations, MovesPage, PositionFixes, PositionGiven, PositionReceipt, ReadinessPage, ReadinessSummary, Reminded, ReminderOrder,
  SitingAnswer, SitingDecisions, SitingQuestion, SitingResults, StationReadiness,
} from '@kawal/contract/readiness.ts'
import type { Difference } from './atlas.ts'
import { call, json, type Answer } from '../server.ts'

const part = encodeURIComponent
const withQuery = (path: string, query: Readonly<Record<string, string | null>> | URLSearchParams): string => {
  const given = query instanceof URLSearchParams ? query : new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null))
  const text = given.toString()
  return text === '' ? path : `${path}?${text}`
}
/** Nothing is sent again after a page was left, so a body is kept alive past it. */
const last = (body: unknown): RequestInit => ({ ...json(body), keepalive: true })

type Asked<Value> = Promise<Answer<Value>>
type Level = ReadinessSummary['level']

/** The address of a list as CSV. */
export function csvAddress(path: string, query: URLSearchParams): string {
  const given = new URLSearchParams(query)
  given.delete('page')
  given.set('format', 'csv')
  return `${path}?${given.toString()}`
}

export const plans = {
  rows: (query: URLSearchParams, signal: AbortSignal): Asked<ReadinessPage> => call(withQuery('/v1/readiness', query), { signal }),
  summary: (level: Level, area: string | null, signal?: AbortSignal): Asked<ReadinessSummary> => call(withQuery('/v1/readiness/summary', { level, area }), signal === undefined ? {} : { signal }),
  station: (code: string, signal: AbortSignal): Asked<StationReadiness> => call(`/v1/stations/${part(code)}/readiness`, { signal }),
  moves: (query: URLSearchParams, signal: AbortSignal): Asked<MovesPage> => call(withQuery('/v1/siting/moves', query), { signal }),
  decide: (decisions: SitingDecisions): Asked<SitingResults> => call('/v1/siting/decisions', last(decisions)),
  whatIf: (question: SitingQuestion, signal: AbortSignal): Asked<SitingAnswer> => call('/v1/siting/what-if', { ...json(question), signal }),
  place: (code: string, given: PositionGiven): Asked<PositionReceipt> => call(`/v1/stations/${part(code)}/position`, json(given)),
  fixes: (area: string | null, signal: AbortSignal): Asked<PositionFixes> => call(withQuery('/v1/positions', { status: 'open', area }), { signal }),
  decideFix: (id: string, decision: 'accepted' | 'refused', validFrom: string): Asked<unknown> => call(`/v1/positions/${part(id)}/decision`, json(decision === 'accepted' ? { decision, validFrom } : { decision })),
  points: (area: string | null, signal: AbortSignal): Asked<AccessPoints> => call(withQuery('/v1/access-points', { area }), { signal }),
  campaign: (level: string, area: string | null, signal: AbortSignal): Asked<Campaign> => call(withQuery('/v1/campaign', { level, area }), { signal }),
  unchecked: (area: string | null, page: string | null, signal: AbortSignal): Asked<CampaignStations> => call(withQuery('/v1/campaign/stations', { area, state: 'unchecked', page }), { signal }),
  remind: (order: ReminderOrder): Asked<Reminded> => call('/v1/campaign/reminders', json(order)),
}

const edition = (id: string): string => `/v1/atlas/editions/${part(id)}`

/** Challenges of one answer: the server gives at most 500. */
export const challengesMax = 200

export const atlases = {
  editions: (signal: AbortSignal): Asked<EditionEntry[]> => call('/v1/atlas/editions', { signal }),
  edition: (id: string, signal: AbortSignal): Asked<Edition> => call(edition(id), { signal }),
  cell: (id: string, cell: string, signal: AbortSignal): Asked<CellViews> => call(`${edition(id)}/cell/${part(cell)}`, { signal }),
  difference: (id: string, other: string, operator: string, technology: string, signal: AbortSignal): Asked<Difference> =>
    call(withQuery(`${edition(id)}/difference/${part(other)}`, { operator, technology }), { signal, headers: { accept: 'application/json' } }),
  challenges: (status: string | null, signal: AbortSignal): Asked<Challenge[]> => call(withQuery('/v1/atlas/challenges', { status, limit: String(challengesMax) }), { signal }),
  challenge: (given: ChallengeCreate): Asked<Challenge> => call('/v1/atlas/challenges', json(given)),
  decideChallenge: (id: string, decision: { status: 'accepted' | 'refused'; answer: string }): Asked<Challenge> => call(`/v1/atlas/challenges/${part(id)}/decision`, json(decision)),
  tileAddress: (id: string, operator: string, technology: string, z: number, x: number, y: number): string => `${edition(id)}/tiles/${part(operator)}/${part(technology)}/${z}/${x}/${y}.mvt`,
}
