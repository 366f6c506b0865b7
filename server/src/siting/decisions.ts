import type pg from 'pg'
import type { SitingDecisions, SitingResults } from '@kawal/contract/readiness.ts'
import type { Caller } from '../adapters/postgres/database.ts'
import { elsewhere, whoDecidesThere } from '../organisation/area.ts'
import { placeStation } from '../register/positions.ts'

type Item = SitingDecisions[number]
type Outcome = SitingResults['results'][number]
type Refusal = NonNullable<Outcome['refusal']>

/** Who decides takes turns: what one reads of a station the other must not change. */
const decision_lock = 5108

const refusals: Readonly<Record<Refusal, string>> = {
  station_unknown: 'There is no such station in the register today.',
  venue_unknown: 'There is no such venue in the register.',
  venue_without_position: 'The position of this venue is not known: give it in a file of venues first.',
  venue_elsewhere: "The venue lies in another village: a move never leaves the station's own.",
  nothing_to_withdraw: 'This move is not accepted at present.',
  accepted_already: 'This move is accepted already. Withdraw it first.',
  station_moves_already: 'Another move of this station is accepted. Withdraw that one first.',
  not_your_area: `The station lies outside the area of your office. ${whoDecidesThere}`,
  version_later: 'The station has a version from a later day already. Give that day or a later one.',
}

interface Placement { readonly latitude: number; readonly longitude: number }
interface Stored { readonly venue: string; readonly decision: Item['decision']; readonly valid_from: string; readonly latitude: number | null; readonly longitude: number | null; readonly latitude_before: number | null; readonly longitude_before: number | null; readonly grade_before: 'fix' | 'venue' | 'village' | null }

/** What a station looks like to somebody who decides: the version that is open, and the newest word on each of its pairs. */
interface Known {
  readonly open: { readonly latitude: number | null; readonly longitude: number | null; readonly grade: 'fix' | 'venue' | 'village' | null }
  readonly words: readonly Stored[]
}

/**
 * Decides moves one by one, in the caller's transaction: an item that cannot be done says why and leaves
 * the others alone. An accepted move makes the station's version from its day on; a withdrawn one makes
 * another that takes it back. Every word is kept.
 */
export async function decideMoves(client: pg.ClientBase, caller: Caller, items: SitingDecisions, now: number): Promise<SitingResults> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [decision_lock])
  const others = await elsewhere(client, items.map(({ station }) => station))
  const results = new Map<Item, Outcome>()
  // rows of stations are locked in one order, whoever else places them
  for (const item of [...items].sort((a, b) => (a.station < b.station ? -1 : a.station > b.station ? 1 : 0))) {
    const told = others.has(item.station) ? 'not_your_area' : await decide(client, caller, item, now)
    const refusal = told in refusals ? (told as Refusal) : null
    results.set(item, { station: item.station, venue: item.venue, done: refusal === null, refusal, detail: refusal === null ? told : refusals[refusal] })
  }
  const inOrder = items.flatMap((item) => results.get(item) ?? [])
  return { accepted: inOrder.filter((result) => result.done).length, results: inOrder }
}

async function known(client: pg.ClientBase, station: string): Promise<Known | null> {
  const { rows: [open] } = await client.query<Known['open']>('SELECT latitude, longitude, position_grade AS grade FROM station WHERE code = $1 AND valid_to IS NULL', [station])
  if (open === undefined) return null
  const { rows: words } = await client.query<Stored>(
    `SELECT DISTINCT ON (venue_id) venue_id AS venue, decision, valid_from::text, latitude, longitude, latitude_before, longitude_before, grade_before
     FROM siting_decision WHERE station_code = $1 ORDER BY venue_id, id DESC`, [station])
  return { open, words }
}

/** @returns a refusal, or what was done in a sentence */
async function decide(client: pg.ClientBase, caller: Caller, item: Item, now: number): Promise<string> {
  const station = await known(client, item.station)
  if (station === null) return 'station_unknown'
  const word = station.words.find((each) => each.venue === item.venue)
  if (item.decision === 'withdrawn') return withdraw(client, caller, item, station, word, now)
  if (word?.decision === 'accepted') return 'accepted_already'
  const { rows: [venue] } = await client.query<Placement & { village_code: string | null }>('SELECT latitude, longitude, village_code FROM venue WHERE id = $1 AND valid_to IS NULL', [item.venue])
  if (venue === undefined) return 'venue_unknown'
  if (item.decision === 'refused') {
    await keep(client, caller, item, item.validFrom, now, null, null)
    return 'Refused: it is not proposed again.'
  }
  if (venue.village_code !== item.station.slice(0, 10)) return 'venue_elsewhere'
  if (venue.latitude === null || venue.longitude === null) return 'venue_without_position'
  if (station.words.some((each) => each.decision === 'accepted')) return 'station_moves_already'
  const placed = await placeStation(client, item.station, venue, 'venue', item.validFrom)
  if (placed === 'version_later' || placed === 'station_unknown') return placed
  await keep(client, caller, item, item.validFrom, now, venue, station.open)
  return `Accepted: the station stands there from ${item.validFrom} on.`
}

/** The place before comes back, unless the station was placed elsewhere meanwhile. A withdrawal cannot begin before the move. */
async function withdraw(client: pg.ClientBase, caller: Caller, item: Item, { open }: Known, word: Stored | undefined, now: number): Promise<string> {
  if (word?.decision !== 'accepted') return 'nothing_to_withdraw'
  const day = item.validFrom < word.valid_from ? word.valid_from : item.validFrom
  const stands = open.grade === 'venue' && open.latitude === word.latitude && open.longitude === word.longitude
  if (stands) {
    const back = await placeBack(client, item.station, word, day)
    if (back === 'version_later') return 'version_later'
  }
  await keep(client, caller, item, day, now, null, null)
  return stands ? `Withdrawn: the station stands where it stood before, from ${day} on.` : 'Withdrawn: its position was changed since, and stays.'
}

async function placeBack(client: pg.ClientBase, station: string, before: Stored, day: string): Promise<string> {
  const { rows } = await client.query<{ placed: string }>('SELECT kawal_place_station($1, $2, $3, $4, $5) AS placed', [station, before.latitude_before, before.longitude_before, before.grade_before, day])
  return rows[0]?.placed ?? 'station_unknown'
}

async function keep(client: pg.ClientBase, caller: Caller, item: Item, day: string, now: number, placed: Placement | null, before: Known['open'] | null): Promise<void> {
  await client.query(
    `INSERT INTO siting_decision (station_code, venue_id, decision, valid_from, decided_at, decided_by, note, latitude, longitude, latitude_before, longitude_before, grade_before)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [item.station, item.venue, item.decision, day, new Date(now), caller.organisation, item.note ?? '', placed?.latitude ?? null, placed?.longitude ?? null, before?.latitude ?? null, before?.longitude ?? null, before?.grade ?? null])
}
