import { distance_km, type Position } from '../geo/distance.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import type { ReadinessClass } from '../readiness/readiness.ts'
import { assignOpening } from './opening.ts'

/** A station with where it stands now. */
export interface SitingStation {
  readonly code: string
  readonly class: ReadinessClass
  /** The chance, 0..1, that each operator's uplink is usable there; empty where nobody's is. */
  readonly usable: readonly number[]
  readonly position: Position | null
  /** What `position` is worth; 'village': the village's point, which says little of the walk. */
  readonly grade: 'fix' | 'venue' | 'village'
  readonly voters: number | null
  /** The id of the venue it is in now; null where it is in none of them. */
  readonly venue: string | null
}

export interface SitingVenue {
  readonly id: string
  readonly village: string
  /** As in `stations_per_venue_max`: 'SD', 'SMP', 'hall'. */
  readonly kind: string
  readonly position: Position
  /** As a station's, at the venue. */
  readonly usable: readonly number[]
}

interface Pair { readonly station: string; readonly venue: string }

export interface SitingVillage {
  readonly code: string
  /** Stands in for the position of a station that has none. */
  readonly position: Position | null
  readonly stations: readonly SitingStation[]
  readonly venues: readonly SitingVenue[]
  /** Moves that are decided: they stand whatever the limits say, and take up their venue's room. */
  readonly accepted: readonly Pair[]
  /** Moves that are not wanted: never proposed again. Those of stations or venues that are gone are passed over. */
  readonly refused: readonly Pair[]
}

export interface SitingConfig {
  /** The walk from the old place to the new one. */
  readonly walk_km_max: number
  /** Way on the ground over the great circle. */
  readonly detour: number
  /** The least that a move must add to the chance of at least one usable operator. */
  readonly gain_min: number
  /** What a second usable operator is worth, the first being 1. */
  readonly second_operator: number
  /** What one km of walk costs a full station, in gain. */
  readonly walk_cost_per_km: number
  /** What a venue that hosts no station yet costs, in gain. Above 0 the optimum is proven unless `branches_max` are used up. */
  readonly opening_cost: number
  readonly branches_max: number
  /** By kind of venue; `other` for the rest. */
  readonly stations_per_venue_max: { readonly other: number; readonly [kind: string]: number }
  /** The contest's: 300 in February 2024, 600 in November 2024. */
  readonly voters_per_station_max: number
}

/**
 * Engineering defaults, ours: no rule names a walk. Ballou, Rahardja and Sakai (Transportation Research A 36(9), 2002) measured detours of
 * 1.12 to 2.10 by country. The ceiling of voters is the contest's, so it has no default.
 */
export const sitingDefaults: Omit<SitingConfig, 'voters_per_station_max'> = {
  walk_km_max: 1.5, detour: 1.4, gain_min: 0.1, second_operator: 0.1, walk_cost_per_km: 0.1, opening_cost: 0, branches_max: 1_000, stations_per_venue_max: { other: 4 },
}

export interface Move {
  readonly station: string
  readonly venue: string
  readonly class_before: ReadinessClass
  readonly class_after: ReadinessClass
  /** Added to the chance of at least one usable operator, and of at least two. */
  readonly gain: number
  readonly gain_second: number
  /** null where the station has no position at all. */
  readonly walk_km: number | null
  /** What the walk was measured from: the station's own place, or its village's point. */
  readonly distance_grade: 'fix' | 'village' | null
  /** Voters times km; null where either is unknown. */
  readonly walk_voter_km: number | null
  /** The walk in gain: `walk_cost_per_km` times km times the station's share of a full one; 0 where the walk is unknown. */
  readonly cost: number
  /** Decided before: not this plan's proposal. */
  readonly accepted: boolean
}

type KeepReason =
  | 'already good' | 'nothing known' | 'too many voters' | 'no venue known' | 'position unknown' | 'no better venue' | 'too far' | 'refused' | 'venue full' | 'not worth opening'

/** Both lists are in the order of the stations' codes. */
export interface SitingPlan {
  readonly moves: readonly Move[]
  readonly kept: readonly { readonly station: string; readonly reason: KeepReason }[]
  readonly totals: {
    readonly stations: number
    /** Of class c, d or e. */
    readonly weak: number
    readonly accepted: number
    readonly proposed: number
    /** Of the proposed, those whose walk was measured from the village's point. */
    readonly proposed_by_village: number
    readonly venues_opened: number
    /** Sums over the proposed moves. */
    readonly gain: number
    readonly cost: number
    /** What the proposed moves are worth in millionths of gain, and what no other proposal could exceed: equal where it is a best one. */
    readonly value: number
    readonly bound: number
  }
}

interface SitingError {
  readonly problem: 'station twice' | 'venue twice' | 'outside the village' | 'unknown station' | 'unknown venue' | 'accepted twice' | 'accepted and refused'
  /** The code or id it is about. */
  readonly id: string
}

/** Classes a and b ask for this chance, class c for the other; below it a place is blank. */
const usable_min = 0.9
const weak_min = 0.5
/** Worth is counted in whole millionths of gain, so that comparisons are exact. */
const whole = 1e6

/**
 * Proposes better venues for the weak stations of one village, never across its border.
 *
 * A place is worth P(at least one operator usable) + `second_operator` x P(at least two), operators taken as independent; a move is worth the
 * difference less its walk. The plan is one whose moves together, less what opening costs, are worth most; with `opening_cost` 0 that is
 * proven at every size. A move goes to a place that is not blank, gains `gain_min`, lies within the walk and is worth more than nothing.
 *
 * A venue hosts at most its kind's number of stations. Each mover has at most `voters_per_station_max` voters, and who is there already takes as
 * many places as its voters ask for, so a venue of n places hosts at most n times that many voters. The place that a mover leaves is
 * not given away in the same plan: any part of the moves can be accepted without the others.
 *
 * A station that is known by its village alone is measured from the village's point, and its move says so.
 * The order of stations and venues changes nothing. A chance outside 0..1 throws.
 */
export function planSiting(village: SitingVillage, config: SitingConfig): Result<SitingPlan, SitingError> {
  const error = check(village)
  if (error !== null) return fail(error)
  const stations = village.stations.toSorted((a, b) => (a.code < b.code ? -1 : 1))
  const accepted = new Map(village.accepted.map((pair) => [pair.station, pair.venue]))
  const movers = stations.filter((station) => isWeak(station) && !accepted.has(station.code) && (station.voters ?? 0) <= config.voters_per_station_max)
  const rows = new Map(movers.map((station, row) => [station.code, row]))
  const candidates = movers.length + accepted.size === 0 ? [] : candidatesOf(village, config, accepted)
  const field = fieldOf(village, config, movers, candidates)
  const capacity = Int32Array.from(candidates, (candidate) => candidate.room)
  const opening = Float64Array.from(candidates, (candidate) => (candidate.held > 0 ? 0 : Math.round(config.opening_cost * whole)))
  const { column_of, value, bound } = assignOpening(field.worth, movers.length, candidates.length, capacity, opening, config.branches_max)

  const moves: Move[] = []
  const kept: { station: string; reason: KeepReason }[] = []
  for (const station of stations) {
    const row = rows.get(station.code)
    const decided = accepted.get(station.code)
    const candidate = row === undefined ? candidates.find((each) => each.venue.id === decided) : candidates[column_of[row] ?? -1]
    if (candidate !== undefined) moves.push(moveOf(village, config, station, candidate, row === undefined))
    else kept.push({ station: station.code, reason: row === undefined ? reasonAside(station) : reasonOf(village, field, row, station, column_of, capacity) })
  }
  const proposed = moves.filter((move) => !move.accepted)
  const totals = {
    stations: stations.length, weak: stations.filter(isWeak).length, accepted: accepted.size,
    proposed: proposed.length, proposed_by_village: proposed.filter((move) => move.distance_grade === 'village').length,
    venues_opened: candidates.filter((candidate, column) => candidate.held === 0 && column_of.includes(column)).length,
    gain: proposed.reduce((sum, move) => sum + move.gain, 0), cost: proposed.reduce((sum, move) => sum + move.cost, 0), value, bound,
  }
  return ok({ moves, kept, totals })
}

const isWeak = (station: SitingStation): boolean => station.class === 'c' || station.class === 'd' || station.class === 'e'

function check({ code, stations, venues, accepted, refused }: SitingVillage): SitingError | null {
  const codes = new Set<string>()
  for (const station of stations) {
    if (codes.has(station.code)) return { problem: 'station twice', id: station.code }
    if (!station.code.startsWith(code)) return { problem: 'outside the village', id: station.code }
    codes.add(station.code)
  }
  const ids = new Set<string>()
  for (const venue of venues) {
    if (ids.has(venue.id)) return { problem: 'venue twice', id: venue.id }
    if (venue.village !== code) return { problem: 'outside the village', id: venue.id }
    ids.add(venue.id)
  }
  const decided = new Set<string>()
  for (const { station, venue } of accepted) {
    if (!codes.has(station)) return { problem: 'unknown station', id: station }
    if (!ids.has(venue)) return { problem: 'unknown venue', id: venue }
    if (decided.has(station)) return { problem: 'accepted twice', id: station }
    if (refused.some((pair) => pair.station === station && pair.venue === venue)) return { problem: 'accepted and refused', id: station }
    decided.add(station)
  }
  return null
}

interface Place { readonly first: number; readonly second: number }

/** P(at least one usable) and P(at least two). */
function placeOf(usable: readonly number[]): Place {
  let none = 1
  let one = 0
  for (const p of usable) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`a chance of ${p}`)
    one = one * (1 - p) + none * p
    none *= 1 - p
  }
  return { first: 1 - none, second: Math.max(0, 1 - none - one) }
}

/** A venue with what it is worth, the stations it holds and has room for. */
interface Candidate {
  readonly venue: SitingVenue
  readonly place: Place
  readonly class: 'a' | 'b' | 'c' | null
  readonly held: number
  readonly room: number
}

function candidatesOf(village: SitingVillage, config: SitingConfig, accepted: ReadonlyMap<string, string>): Candidate[] {
  const held = new Map<string, number>()
  for (const { code, voters, venue } of village.stations) {
    const places = Math.max(1, Math.ceil((voters ?? 0) / config.voters_per_station_max))
    for (const id of new Set([venue, accepted.get(code) ?? null])) if (id !== null) held.set(id, (held.get(id) ?? 0) + places)
  }
  return village.venues.map((venue): Candidate => {
    const good = venue.usable.reduce((sum, p) => sum + Number(p >= usable_min), 0)
    const hosts = held.get(venue.id) ?? 0
    return {
      venue, place: placeOf(venue.usable), held: hosts, class: good >= 2 ? 'a' : good === 1 ? 'b' : venue.usable.some((p) => p >= weak_min) ? 'c' : null,
      room: Math.max(0, stationsMax(config, venue.kind) - hosts),
    }
  }).sort((a, b) => (a.venue.id < b.venue.id ? -1 : 1))
}

const stationsMax = ({ stations_per_venue_max: max }: SitingConfig, kind: string): number => (Object.hasOwn(max, kind) ? max[kind] : undefined) ?? max.other

/** What each mover gains by each candidate, in whole millionths; and of each mover how many candidates are better, and how many fell out as refused. */
interface Field { readonly worth: Float64Array; readonly better: Int32Array; readonly refused: Int32Array }

function fieldOf(village: SitingVillage, config: SitingConfig, movers: readonly SitingStation[], candidates: readonly Candidate[]): Field {
  const worth = new Float64Array(movers.length * candidates.length)
  const better = new Int32Array(movers.length)
  const refused = new Int32Array(movers.length)
  const refusals = new Set(village.refused.map((pair) => `${pair.station} ${pair.venue}`))
  movers.forEach((station, row) => {
    const here = placeOf(station.usable)
    const from = station.position ?? village.position
    if (from === null) return
    candidates.forEach((candidate, column) => {
      const gain = candidate.place.first - here.first
      if (candidate.class === null || Math.round(whole * gain) < Math.round(whole * config.gain_min) || candidate.venue.id === station.venue) return
      better[row] = (better[row] ?? 0) + 1
      const walk_km = distance_km(from, candidate.venue.position) * config.detour
      const score = gain + config.second_operator * (candidate.place.second - here.second) - walkCost(config, station, walk_km)
      const millionths = Math.round(whole * score)
      if (walk_km > config.walk_km_max || millionths <= 0) return
      if (refusals.has(`${station.code} ${candidate.venue.id}`)) refused[row] = (refused[row] ?? 0) + 1
      else worth[row * candidates.length + column] = millionths
    })
  })
  return { worth, better, refused }
}

/** Unknown voters count as a full station's. */
const walkCost = (config: SitingConfig, { voters }: SitingStation, walk_km: number): number => config.walk_cost_per_km * walk_km * ((voters ?? config.voters_per_station_max) / config.voters_per_station_max)

function moveOf(village: SitingVillage, config: SitingConfig, station: SitingStation, candidate: Candidate, accepted: boolean): Move {
  const here = placeOf(station.usable)
  const from = station.position ?? village.position
  const walk_km = from === null ? null : distance_km(from, candidate.venue.position) * config.detour
  return {
    station: station.code, venue: candidate.venue.id, class_before: station.class,
    // Only a decided move can lead to a blank place; whether an access point is in reach there is not known here.
    class_after: candidate.class ?? (station.class === 'd' ? 'd' : 'e'),
    gain: candidate.place.first - here.first, gain_second: candidate.place.second - here.second,
    walk_km, distance_grade: walk_km === null ? null : station.position === null || station.grade === 'village' ? 'village' : 'fix',
    walk_voter_km: walk_km === null || station.voters === null ? null : walk_km * station.voters, cost: walk_km === null ? 0 : walkCost(config, station, walk_km), accepted,
  }
}

/** Of a station that takes no part. */
const reasonAside = (station: SitingStation): KeepReason => (station.class === 'unknown' ? 'nothing known' : isWeak(station) ? 'too many voters' : 'already good')

function reasonOf(village: SitingVillage, field: Field, row: number, station: SitingStation, column_of: Int32Array, capacity: Int32Array): KeepReason {
  if (capacity.length === 0) return 'no venue known'
  if (station.position === null && village.position === null) return 'position unknown'
  let wanted = false
  for (let c = 0; c < capacity.length; c++) {
    if ((field.worth[row * capacity.length + c] ?? 0) <= 0) continue
    wanted = true
    let room = capacity[c] ?? 0
    for (const taken of column_of) if (taken === c) room--
    if (room > 0) return 'not worth opening'
  }
  if (wanted) return 'venue full'
  if ((field.refused[row] ?? 0) > 0) return 'refused'
  return (field.better[row] ?? 0) > 0 ? 'too far' : 'no better venue'
}
