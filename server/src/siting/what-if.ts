import type pg from 'pg'
import type { MoveRow, SitingAnswer, SitingQuestion } from '@kawal/contract/readiness.ts'
import { nothing } from '@kawal/core/atlas/edition.ts'
import { makeShares } from '@kawal/core/readiness/assess.ts'
import { planSiting, type Move, type SitingConfig, type SitingStation, type SitingVenue, type SitingVillage } from '@kawal/core/siting/siting.ts'
import { ProblemError } from '../problem.ts'
import { sharesOfPosition } from '../readiness/places.ts'
import { planOf, type Plan } from '../readiness/plans.ts'
import type { PresentEdition } from '../readiness/present.ts'
import { decisionOf, inArea, placeColumns, placeOf } from '../readiness/read.ts'

interface Pair { readonly station: string; readonly venue: string }

type Wrong = Extract<ReturnType<typeof planSiting>, { ok: false }>['error']['problem']
const wrong: Readonly<Record<Wrong, string>> = {
  'station twice': 'comes twice', 'venue twice': 'comes twice', 'outside the village': "lies outside its station's village", 'unknown station': 'is no station of this area',
  'unknown venue': "is no venue of its station's village whose position is known", 'accepted twice': 'has two moves that stand: pin one', 'accepted and refused': 'is pinned and refused',
}

/**
 * Proposals for an area as they would be under other limits; nothing is kept. The classes of its stations
 * are the newest plan's, its venues are looked up in the same edition.
 */
export async function answerWhatIf(client: pg.ClientBase, question: SitingQuestion, edition: PresentEdition | null): Promise<SitingAnswer> {
  const plan = await planOf(client)
  if (edition === null || plan.edition !== edition.id)
    throw new ProblemError('state_conflict', `The newest plan was made from edition ${plan.edition ?? 'none'}, and ${edition?.id ?? 'none'} is present: its chances would be compared with others. Make a plan first: kawal plan.`)
  const config = configOf(question, plan)
  const words = await wordsOf(client, question.area)
  const accepted = [...words.accepted, ...(question.pinned ?? []).filter((pin) => !words.accepted.some((each) => each.station === pin.station && each.venue === pin.venue))]
  const stood = new Set(accepted.map((pair) => `${pair.station} ${pair.venue}`))
  const refused = [...words.refused, ...(question.refused ?? [])].filter((pair) => !stood.has(`${pair.station} ${pair.venue}`))
  const villages = await villagesOf(client, question.area, plan, edition, accepted, refused)
  refuseStrangers([...(question.pinned ?? [])], villages)
  const totals = { stations: 0, weak: 0, accepted: 0, proposed: 0, proposedByVillage: 0, venuesOpened: 0, gain: 0, proven: true }
  const kept: Record<string, number> = {}
  const moves: Move[] = []
  for (const village of villages.values()) {
    const planned = planSiting(village, config)
    if (!planned.ok) throw new ProblemError('body_invalid', `${planned.error.id} ${wrong[planned.error.problem]}.`)
    moves.push(...planned.value.moves)
    for (const { reason } of planned.value.kept) kept[reason] = (kept[reason] ?? 0) + 1
    const more = planned.value.totals
    totals.stations += more.stations
    totals.weak += more.weak
    totals.accepted += more.accepted
    totals.proposed += more.proposed
    totals.proposedByVillage += more.proposed_by_village
    totals.venuesOpened += more.venues_opened
    totals.gain += more.gain
    totals.proven &&= more.value === more.bound
  }
  return { area: question.area, edition: edition.id, moves: await wireMoves(client, question.area, villages, moves), kept, totals }
}

function configOf(question: SitingQuestion, plan: Plan): SitingConfig {
  const { siting } = plan.config
  return {
    ...siting, voters_per_station_max: question.votersPerStationMax ?? siting.voters_per_station_max, walk_km_max: question.walkKmMax ?? siting.walk_km_max, gain_min: question.gainMin ?? siting.gain_min,
    second_operator: question.secondOperator ?? siting.second_operator, walk_cost_per_km: question.walkCostPerKm ?? siting.walk_cost_per_km, opening_cost: question.openingCost ?? siting.opening_cost,
    stations_per_venue_max: question.stationsPerVenueMax === undefined ? siting.stations_per_venue_max : { other: question.stationsPerVenueMax },
  }
}

/** The newest word on every pair of the area. */
async function wordsOf(client: pg.ClientBase, area: string): Promise<{ accepted: Pair[]; refused: Pair[] }> {
  const { rows } = await client.query<Pair & { decision: string }>(
    `SELECT DISTINCT ON (station_code, venue_id) station_code AS station, venue_id AS venue, decision FROM siting_decision WHERE ${inArea('station_code', '$1')} ORDER BY station_code, venue_id, id DESC`, [area])
  const of = (decision: string): Pair[] => rows.filter((row) => row.decision === decision).map(({ station, venue }) => ({ station, venue }))
  return { accepted: of('accepted'), refused: of('refused') }
}

type StationRow = { code: string; class: SitingStation['class']; usable: (number | null)[]; latitude: number | null; longitude: number | null; grade: SitingStation['grade'] | null; voters: number | null }
type VenueRow = { id: string; kind: string; village: string; latitude: number; longitude: number }

async function villagesOf(client: pg.ClientBase, area: string, plan: Plan, edition: PresentEdition, accepted: readonly Pair[], refused: readonly Pair[]): Promise<Map<string, SitingVillage>> {
  const { rows: stations } = await client.query<StationRow>(
    `SELECT r.station_code AS code, r.class, r.usable, s.latitude, s.longitude, s.position_grade AS grade, s.voters
     FROM readiness r JOIN station_now s ON s.code = r.station_code WHERE r.plan_id = $1 AND ${inArea('r.station_code', '$2')} ORDER BY 1`, [plan.id, area])
  const { rows: venues } = await client.query<VenueRow>(
    `SELECT id, kind, village_code AS village, latitude, longitude FROM venue WHERE valid_to IS NULL AND latitude IS NOT NULL AND ${inArea('village_code', '$1')} ORDER BY village_code, id`, [area])
  const { rows: points } = await client.query<{ code: string; latitude: number | null; longitude: number | null }>(
    `SELECT code, latitude, longitude FROM region_now WHERE level = 'village' AND ${inArea('code', '$1')}`, [area])
  const point = new Map(points.map((row) => [row.code, row]))
  const byVillage = new Map<string, { stations: StationRow[]; venues: SitingVenue[] }>()
  for (const station of stations) {
    const code = station.code.slice(0, 10)
    const here = byVillage.get(code) ?? { stations: [], venues: [] }
    byVillage.set(code, here)
    here.stations.push(station)
  }
  const shares = makeShares(plan.operators.length)
  const looker = edition.looker(plan.operators)
  for (const { id, kind, village, latitude, longitude } of venues) {
    sharesOfPosition(edition.atlas, looker, latitude, longitude, shares)
    const usable = Array.from(shares.strong, (step) => (step === nothing ? 0 : step / 200))
    byVillage.get(village)?.venues.push({ id, village, kind, position: { latitude, longitude }, usable })
  }
  return new Map([...byVillage].map(([code, here]): [string, SitingVillage] => {
    const own = (pairs: readonly Pair[]): Pair[] => pairs.filter((pair) => pair.station.startsWith(code))
    const at = point.get(code)
    return [code, {
      code, position: at === undefined || at.latitude === null || at.longitude === null ? null : { latitude: at.latitude, longitude: at.longitude },
      stations: here.stations.map((station) => sitingStation(station, here.venues)), venues: here.venues, accepted: own(accepted), refused: own(refused),
    }]
  }))
}

/** A station stands in a venue when its position is that venue's. */
function sitingStation(row: StationRow, venues: readonly SitingVenue[]): SitingStation {
  const { latitude, longitude } = row
  const position = latitude === null || longitude === null ? null : { latitude, longitude }
  const venue = row.grade !== 'venue' ? undefined : venues.find((each) => each.position.latitude === latitude && each.position.longitude === longitude)
  return { code: row.code, class: row.class, usable: row.usable.flatMap((step) => (step === null ? [] : [step / 200])), position, grade: row.grade ?? 'village', voters: row.voters, venue: venue?.id ?? null }
}

/** A pin that no village of the area takes up would be passed over without a word. */
function refuseStrangers(pinned: readonly Pair[], villages: ReadonlyMap<string, SitingVillage>): void {
  const stranger = pinned.find((pair) => !villages.has(pair.station.slice(0, 10)))
  if (stranger !== undefined) throw new ProblemError('body_invalid', `${stranger.station} ${wrong['unknown station']}.`)
}

const worstFirst = ['e', 'd', 'unknown', 'c', 'b', 'a']

async function wireMoves(client: pg.ClientBase, area: string, villages: ReadonlyMap<string, SitingVillage>, moves: readonly Move[]): Promise<MoveRow[]> {
  const { rows: places } = await client.query<Parameters<typeof placeOf>[0]>(
    `SELECT listed.station, ${placeColumns('listed.station')} FROM unnest($1::text[]) AS listed (station)`, [[...new Set(moves.map((move) => move.station.slice(0, 10)))]])
  const { rows: decided } = await client.query<Parameters<typeof decisionOf>[0] & Pair>(
    `SELECT DISTINCT ON (station_code, venue_id) station_code AS station, venue_id AS venue, decision, decided_at, decided_by, valid_from::text AS decision_from, note
     FROM siting_decision WHERE ${inArea('station_code', '$1')} ORDER BY station_code, venue_id, id DESC`, [area])
  const { rows: names } = await client.query<{ id: string; name: string }>('SELECT id, name FROM venue WHERE valid_to IS NULL AND id = ANY ($1)', [[...new Set(moves.map((move) => move.venue))]])
  const word = new Map(decided.map((row) => [`${row.station} ${row.venue}`, row]))
  const name = new Map(names.map((row) => [row.id, row.name]))
  const place = new Map(places.map((row) => [row.station, row]))
  return moves.map((move): MoveRow => {
    const village = villages.get(move.station.slice(0, 10))
    const venue = village?.venues.find((each) => each.id === move.venue)
    const said = word.get(`${move.station} ${move.venue}`)
    return {
      ...placeOf({ village: null, district: null, regency: null, province: null, ...place.get(move.station.slice(0, 10)), station: move.station }),
      voters: village?.stations.find((each) => each.code === move.station)?.voters ?? null,
      venue: move.venue, venueName: name.get(move.venue) ?? move.venue, venueKind: venue?.kind ?? '', latitude: venue?.position.latitude ?? null, longitude: venue?.position.longitude ?? null,
      gain: move.gain, classBefore: move.class_before, classAfter: move.class_after, walkKm: move.walk_km, walkGrade: move.distance_grade, cost: move.cost, decision: said === undefined ? null : decisionOf(said, move.venue),
    }
  }).sort((a, b) => worstFirst.indexOf(a.classBefore) - worstFirst.indexOf(b.classBefore) || b.gain - a.gain || (a.station < b.station ? -1 : 1))
}
