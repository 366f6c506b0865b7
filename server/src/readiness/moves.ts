import { setImmediate } from 'node:timers/promises'
import type pg from 'pg'
import { nothing } from '@kawal/core/atlas/edition.ts'
import { planSiting, type Move, type SitingConfig, type SitingStation, type SitingVenue } from '@kawal/core/siting/siting.ts'
import { copyRows, type Field } from '../register/copy.ts'
import { grades, type Stations, type Venues, type Villages } from './nation.ts'
import type { StationShares } from './places.ts'
import type { Outcome } from './store.ts'

interface MovesInput {
  readonly stations: Stations
  readonly villages: Villages
  /** Of `weakVillages`, ascending, as the venues are. */
  readonly weak: readonly number[]
  readonly shares: StationShares
  readonly outcome: Outcome
  readonly venues: Venues
  /** P(usable) 0..1, venue by venue, operator by operator. */
  readonly usable: Float32Array
  readonly decisions: Decisions
  readonly config: SitingConfig
}

interface Pair { readonly station: string; readonly venue: string }

type Decisions = ReadonlyMap<string, { readonly accepted: readonly Pair[]; readonly refused: readonly Pair[] }>

/** What KPU decided last of each pair, as far as it stands: accepted and refused moves by village. */
export async function readDecisions(client: pg.ClientBase): Promise<Decisions> {
  const { rows } = await client.query<Pair & { decision: string }>(
    'SELECT DISTINCT ON (station_code, venue_id) station_code AS station, venue_id AS venue, decision FROM siting_decision ORDER BY station_code, venue_id, id DESC')
  const found = new Map<string, { accepted: Pair[]; refused: Pair[] }>()
  for (const { station, venue, decision } of rows) {
    if (decision === 'withdrawn') continue
    const village = found.get(station.slice(0, 10)) ?? { accepted: [], refused: [] }
    found.set(station.slice(0, 10), village)
    village[decision === 'accepted' ? 'accepted' : 'refused'].push({ station, venue })
  }
  return found
}

const weak = new Set(['c', 'd', 'e'])

/** Rows of the villages that have a station to move. */
export function weakVillages({ first, codes }: Villages, { class: of, classes }: Outcome): number[] {
  const isWeak = classes.map((name) => weak.has(name))
  return Array.from(codes.keys()).filter((village) => of.subarray(first[village], first[village + 1]).some((at) => isWeak[at]))
}

/** So many villages are planned before others get a turn: some milliseconds. */
const villages_a_turn = 25

/** Better venues, village by village, for the stations that are weak; what KPU decided stands. It lets the database be fed meanwhile. */
export async function proposeMoves(input: MovesInput): Promise<Move[]> {
  const { stations, villages, venues, config, decisions } = input
  const moves: Move[] = []
  let venue = 0
  for (const [turn, village] of input.weak.entries()) {
    if (turn % villages_a_turn === 0) await setImmediate()
    while (venue < venues.ids.length && (venues.village[venue] as number) < village) venue++
    const firstVenue = venue
    while (venue < venues.ids.length && venues.village[venue] === village) venue++
    const [first = 0, end = 0] = villages.first.subarray(village, village + 2)
    if (firstVenue === venue) continue
    const code = villages.codes[village] as string
    const known = venuesOf(input, firstVenue, venue, code)
    const there = new Set(known.map((each) => each.id))
    const decided = decisions.get(code) ?? { accepted: [], refused: [] }
    // a venue that has gone since takes its decision with it
    const accepted = decided.accepted.filter((pair) => there.has(pair.venue))
    const current = new Map(accepted.map((pair) => [pair.station, pair.venue]))
    const latitude = villages.latitude[village] as number
    const planned = planSiting({
      code, position: Number.isNaN(latitude) ? null : { latitude, longitude: villages.longitude[village] as number },
      stations: Array.from({ length: end - first }, (_, i) => stationOf(input, first + i, current.get(stations.codes[first + i] as string) ?? null, known)), venues: known, accepted, refused: decided.refused,
    }, config)
    if (!planned.ok) throw new Error(`siting of village ${code}: ${planned.error.problem} (${planned.error.id})`)
    for (const move of planned.value.moves) if (!move.accepted) moves.push(move)
  }
  return moves
}

function venuesOf({ venues, usable, shares: { operators } }: MovesInput, from: number, to: number, village: string): SitingVenue[] {
  return Array.from({ length: to - from }, (_, i) => {
    const row = from + i
    return {
      id: venues.ids[row] as string, village, kind: venues.kinds[row] as string, position: { latitude: venues.latitude[row] as number, longitude: venues.longitude[row] as number },
      usable: Array.from(usable.subarray(row * operators, (row + 1) * operators)),
    }
  })
}

/** A station stands in a venue when its position is that venue's. */
function stationOf({ stations, shares, outcome }: MovesInput, row: number, accepted: string | null, venues: readonly SitingVenue[]): SitingStation {
  const latitude = stations.latitude[row] as number
  const longitude = stations.longitude[row] as number
  const grade = grades[stations.grade[row] as number] ?? 'none'
  return {
    code: stations.codes[row] as string, class: outcome.classes[outcome.class[row] as number] ?? 'unknown',
    usable: Array.from(shares.strong.subarray(row * shares.operators, (row + 1) * shares.operators), (step) => (step === nothing ? 0 : step / 200)),
    position: Number.isNaN(latitude) ? null : { latitude, longitude }, grade: grade === 'none' ? 'village' : grade,
    voters: (stations.voters[row] as number) < 0 ? null : (stations.voters[row] as number),
    venue: accepted ?? (grade === 'venue' ? (venues.find(({ position }) => position.latitude === latitude && position.longitude === longitude)?.id ?? null) : null),
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000

export async function writeMoves(client: pg.ClientBase, plan: number, moves: readonly Move[]): Promise<void> {
  await client.query('CREATE TEMP TABLE proposed (LIKE siting_move) ON COMMIT DROP')
  await copyRows(client, 'proposed', moves.map((move): Field[] => [
    plan, move.station, move.venue, round(move.gain), move.class_before, move.class_after, round(move.walk_km ?? 0), move.distance_grade ?? 'village', round(move.cost)]))
  await client.query('INSERT INTO siting_move SELECT * FROM proposed')
}
