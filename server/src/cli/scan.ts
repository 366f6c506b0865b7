import { scanLocations_max, scanRetrospective } from '@kawal/core/detection/kulldorff.ts'
import { distance_km } from '@kawal/core/geo/distance.ts'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'
import { calendarDate } from '@kawal/core/register/rows.ts'
import { connect, migrate, system, type Database } from '../adapters/postgres/database.ts'
import { csvLines, type FlatRow } from '../readiness/ask.ts'
import { loadNames } from '../register/lookup.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { numberOption, type Options } from './options.ts'
import { byOperator, placesOf, sumOf, type Place, type Places, type Rollup } from './scan-places.ts'

/** A thousand drawings over this many places, a quarter of their reports in the largest circle, take some 10 s; over a nation's 7,000 districts a minute. */
const places_max = 4_000
const replications = 999
const rollup_ms = 5 * 60_000
const window_ms_max = 24 * 60 * 60_000

interface Asked { readonly from: number; readonly to: number; readonly operator: string | undefined; readonly province: string | undefined; readonly share_max: number; readonly p_max: number }

interface Cluster {
  readonly rank: number
  readonly p: number
  readonly llr: number
  readonly relativeRisk: number | null
  readonly bad: number
  readonly reports: number
  readonly expected: number
  readonly latitude: number
  readonly longitude: number
  readonly radius_km: number
  /** The smallest area that all of it lies in, and the districts it touches. */
  readonly area: string | null
  readonly name: string
  readonly districts: readonly { readonly code: string; readonly name: string; readonly stations: number }[]
  readonly operators: readonly { readonly operator: string | null; readonly reports: number; readonly bad: number }[]
  readonly stations: readonly { readonly code: string; readonly reports: number; readonly bad: number }[]
}

/** `kawal scan`: where reports were bad more than chance explains, over a window of the past. */
export async function scanAction(options: Options): Promise<void> {
  const asked = askedBy(options)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      const names = await loadNames(database)
      await refuseUnknown(database, asked, names)
      const places = await read(database, asked)
      process.stderr.write(`scanning ${places.places.length} ${places.grain === 'position' ? 'places' : `${places.grain}s`} of stations\n`)
      const { clusters, clump } = scan(places, asked, names)
      if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ ...summaryOf(places, asked), clump, clusters })}\n`)
      else if (options['csv'] !== undefined) for await (const lines of csvLines(columns, rowsOf(clusters, names))) process.stdout.write(lines)
      else process.stdout.write(text(places, asked, clump, clusters))
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

function askedBy(options: Options): Asked {
  if (options['json'] !== undefined && options['csv'] !== undefined) throw new CommandFailure(exits.usage, 'Either --json or --csv, not both.')
  const [from, to] = ['from', 'to'].map((name) => instantOption(options, name)) as [number, number]
  if (to <= from) throw new CommandFailure(exits.usage, `--to ${options['to']} is not after --from ${options['from']}.`)
  if (to - from > window_ms_max) throw new CommandFailure(exits.usage, 'A scan looks at 24 hours at most: over a longer time a fault is a small part of everything. Take the hours it is about.')
  const { operator, province } = options
  if (province !== undefined && !/^\d{2}$/.test(province)) throw new CommandFailure(exits.usage, `--province takes the two digits of a province's code, not ${province}.`)
  // a rollup is of five minutes: what the window cuts is taken whole
  return {
    from: Math.floor(from / rollup_ms) * rollup_ms, to: Math.ceil(to / rollup_ms) * rollup_ms, operator, province,
    share_max: numberOption(options, 'share', 1), p_max: numberOption(options, 'p', 1),
  }
}

/** @throws CommandFailure for anything but a date and a time of day with their offset: one without would be guessed wrong in two zones of three */
function instantOption(options: Options, name: string): number {
  const given = options[name] ?? ''
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(given) && calendarDate(given.slice(0, 10)) !== null ? Date.parse(given) : NaN
  if (Number.isNaN(at)) throw new CommandFailure(exits.usage, `--${name} takes an instant with its offset, as 2029-02-14T14:00+07:00, not ${given === '' ? 'nothing' : given}.`)
  return at
}

async function refuseUnknown(database: Database, { operator, province }: Asked, names: ReadonlyMap<string, string>): Promise<void> {
  if (province !== undefined && !names.has(province)) throw new CommandFailure(exits.rejected, `The register has no province ${province}.`)
  if (operator === undefined) return
  const { rowCount } = await database.pool.query('SELECT FROM organisation WHERE id = $1', [operator])
  if (rowCount === 0) throw new CommandFailure(exits.rejected, `There is no organisation ${operator}. "kawal org list" names them.`)
}

async function read(database: Database, asked: Asked): Promise<Places> {
  const rollups = await readRollups(database, asked)
  const { rows } = await database.pool.query<{ code: string; latitude: number | null; longitude: number | null }>(
    `SELECT station.code, coalesce(station.latitude, village.latitude) AS latitude, coalesce(station.longitude, village.longitude) AS longitude
     FROM station_now AS station LEFT JOIN region_now AS village ON village.code = station.village_code
     WHERE $1::text IS NULL OR station.code LIKE $1 || '%'`, [asked.province ?? null])
  const positions = new Map(rows.map(({ code, latitude, longitude }) => [code, latitude === null || longitude === null ? null : { latitude, longitude }]))
  const places = placesOf(rollups, positions, { places_max, districts_max: scanLocations_max })
  if (places === null) throw new CommandFailure(exits.rejected, `Reports came from more than ${scanLocations_max} districts: ask of one province with --province.`)
  if (places.places.length === 0) throw new CommandFailure(exits.rejected, `No reports${asked.operator === undefined ? '' : ` of ${asked.operator}`} are kept of ${spanOf(asked)}${rollups.length > 0 ? ' but of stations without a position' : ''}.`)
  return places
}

/** Sums over the window of what was judged: a report that measured nothing says nothing of the network. Late reports have rows of their own. */
function readRollups(database: Database, { from, to, operator, province }: Asked): Promise<Rollup[]> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<Rollup>(
      `SELECT lpad(s.station::text, 13, '0') AS station, coalesce(operator_id, '') AS operator, sum(s.good + s.bad)::int4 AS reports, sum(s.bad)::int4 AS bad
       FROM rollup, LATERAL unnest(rollup.station, rollup.good, rollup.bad) AS s (station, good, bad)
       WHERE five_minutes >= $1 AND five_minutes < $2 AND ($3::text IS NULL OR operator_id = $3) AND ($4::text IS NULL OR regency LIKE $4 || '%')
       GROUP BY 1, 2 HAVING sum(s.good + s.bad) > 0`, [new Date(from), new Date(to), operator ?? null, province ?? null])
    return rows
  })
}

function scan({ places, locations }: Places, { from, to, operator = '', province = '', share_max, p_max }: Asked, names: ReadonlyMap<string, string>): { clump: number; clusters: Cluster[] } {
  // the same question gives the same answer
  const random = seeded(hash32(`${from} ${to} ${operator} ${province}`))
  const { clusters, clump } = scanRetrospective(locations, { share_max, cases_min: 2, replications, random, clump: null })
  return {
    clump, clusters: clusters.filter(({ p }) => (p ?? 1) <= p_max).map(({ centre, members, cases, expected, relativeRisk, llr, p }, index) => {
      const inside = [...members].flatMap((member) => places[member] ?? [])
      const { latitude = NaN, longitude = NaN } = places[centre] ?? {}
      return {
        rank: index + 1, p: p ?? 1, llr, relativeRisk: Number.isFinite(relativeRisk) ? relativeRisk : null, bad: cases, expected, latitude, longitude,
        radius_km: inside.reduce((most, place) => Math.max(most, distance_km({ latitude, longitude }, place)), 0), ...whatIsIn(inside, names),
      }
    }),
  }
}

function whatIsIn(places: readonly Place[], names: ReadonlyMap<string, string>): Pick<Cluster, 'reports' | 'area' | 'name' | 'districts' | 'operators' | 'stations'> {
  const rows = places.flatMap((place) => place.rows)
  const stations = new Map<string, { code: string; reports: number; bad: number }>()
  for (const { station, reports, bad } of rows) {
    const sum = stations.get(station)
    stations.set(station, { code: station, reports: (sum?.reports ?? 0) + reports, bad: (sum?.bad ?? 0) + bad })
  }
  const codes = [...stations.keys()].sort()
  const area = [10, 6, 4, 2].map((digits) => codes[0]?.slice(0, digits) ?? '').find((code) => code !== '' && codes.every((each) => each.startsWith(code))) ?? null
  const districts = [...Map.groupBy(codes, (code) => code.slice(0, 6))].map(([code, { length }]) => ({ code, name: names.get(code) ?? code, stations: length })).sort((a, b) => b.stations - a.stations)
  return {
    reports: sumOf(rows, 'reports'), area, name: area === null ? 'several provinces' : (names.get(area) ?? area), districts,
    operators: [...byOperator(rows)].map(([operator, sum]) => ({ operator: operator === '' ? null : operator, ...sum })).sort((a, b) => b.bad - a.bad),
    stations: codes.flatMap((code) => stations.get(code) ?? []),
  }
}

const spanOf = ({ from, to }: Asked): string => `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`

function summaryOf({ grain, places, unplaced }: Places, asked: Asked): Record<string, unknown> {
  const rows = places.flatMap((place) => place.rows)
  return {
    from: new Date(asked.from).toISOString(), to: new Date(asked.to).toISOString(), operator: asked.operator ?? null, province: asked.province ?? null, grain, places: places.length,
    stations: new Set(rows.map(({ station }) => station)).size, reports: sumOf(rows, 'reports'), bad: sumOf(rows, 'bad'),
    unplacedStations: new Set(unplaced.map(({ station }) => station)).size, unplacedReports: sumOf(unplaced, 'reports'),
  }
}

const columns = ['cluster', 'p', 'llr', 'relative_risk', 'station', 'village', 'district', 'regency', 'province', 'reports', 'bad']

/** One row a station: a cluster's own figures stand in each. */
function* rowsOf(clusters: readonly Cluster[], names: ReadonlyMap<string, string>): Generator<FlatRow> {
  for (const { rank, p, llr, relativeRisk, stations } of clusters)
    for (const { code, reports, bad } of stations) {
      const [village, district, regency, province] = [10, 6, 4, 2].map((digits) => names.get(code.slice(0, digits)) ?? null)
      yield { cluster: rank, p, llr, relative_risk: relativeRisk, station: code, village, district, regency, province, reports, bad } as FlatRow
    }
}

const districts_shown = 4

function text(places: Places, asked: Asked, clump: number, clusters: readonly Cluster[]): string {
  const { reports, bad, stations, unplacedStations, unplacedReports } = summaryOf(places, asked) as Record<string, number>
  const share = (part: number, of: number): string => `${((100 * part) / of).toFixed(1)} %`
  const list = clusters.map((cluster) => {
    const { districts, operators } = cluster
    const more = districts.length - districts_shown
    return `\n${cluster.rank}. ${cluster.name}: ${cluster.bad} of ${cluster.reports} reports bad (${share(cluster.bad, cluster.reports)}), ${cluster.expected.toFixed(1)} expected\n` +
      `   relative risk ${cluster.relativeRisk?.toFixed(2) ?? 'infinite'}, log-likelihood ratio ${cluster.llr.toFixed(2)}, p ${cluster.p.toFixed(3)}\n` +
      `   ${cluster.stations.length} stations within ${cluster.radius_km.toFixed(1)} km of ${cluster.latitude.toFixed(4)}, ${cluster.longitude.toFixed(4)}\n` +
      `   ${districts.slice(0, districts_shown).map(({ code, name, stations }) => `${code} ${name} (${stations})`).join(', ')}${more > 0 ? ` and ${more} more districts` : ''}\n` +
      `   ${operators.map(({ operator, reports, bad }) => `${operator ?? 'unknown'} ${bad} of ${reports}`).join(', ')}\n`
  }).join('')
  return `${spanOf(asked)}${asked.operator === undefined ? '' : `, ${asked.operator}`}: ${bad} of ${reports} reports bad (${share(bad ?? 0, reports ?? 0)}) at ${stations} stations, ` +
    `${places.places.length} ${places.grain === 'position' ? 'places' : `${places.grain}s`}; bad ones come ${clump.toFixed(1)} together\n` +
    (unplacedStations === 0 ? '' : `not looked at: ${unplacedReports} reports of ${unplacedStations} stations without a position\n`) +
    (clusters.length === 0 ? `\nNothing beyond chance (p at most ${asked.p_max}).\n` : list) +
    '\nStations that sent nothing are not in these figures: see kawal export disturbances.\n'
}
