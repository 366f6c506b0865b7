import type { RecapCounts, RecapOverview } from '@kawal/contract/recap-overview.ts'
import { zoneOf } from '@kawal/core/register/zone.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import type { Due, DueStations } from './due.ts'
import { createSums } from './sums.ts'

interface OverviewNeeds {
  readonly database: Database
  readonly clock: () => number
  readonly due: Due
  readonly names: ReadonlyMap<string, string>
  /** In the order of the form's own. */
  readonly contests: readonly string[]
  readonly hasReceiver: boolean
  readonly asOf: () => number | null
}

interface Counted { readonly area: string; readonly contest: string; readonly reason: string; readonly records: number; readonly recorded: number; readonly delivered: number; readonly whole: number; readonly conflicts: number }
type Sum = Omit<RecapCounts, 'expected' | 'due' | 'overdue'>

/** Digits of the areas in an area. */
export const below: Readonly<Record<number, number>> = { 0: 2, 2: 4, 4: 6, 6: 10, 10: 13 }

/**
 * Recaps by the areas in one. Counts are kept by village (counts.ts); the stations of a village are counted each time.
 */
export function createOverview(needs: OverviewNeeds) {
  const { database, asOf } = needs
  const sums = createSums<readonly Counted[]>(asOf)
  const sumsOf = (caller: Caller, area: string, digits: number): Promise<readonly Counted[]> =>
    digits === 13 ? ask(caller, count_stations, [area]) : sums(caller, area, () => ask(caller, sum_villages, [area, digits]))
  const ask = (caller: Caller, text: string, values: readonly unknown[]): Promise<readonly Counted[]> => database.transaction(caller, async (client) => (await client.query<Counted>(text, [...values])).rows)

  return async (caller: Caller, area: string, contest: string | null): Promise<RecapOverview> => {
    const digits = below[area.length] ?? 13
    return shown(needs, await sumsOf(caller, area, digits), area, digits, contest)
  }
}

function shown({ clock, due, names, contests, hasReceiver, asOf }: OverviewNeeds, counted: readonly Counted[], area: string, digits: number, contest: string | null): RecapOverview {
  const now = clock()
  const { areas, zones } = due.count(area, digits, now)
  const asked = contest === null ? contests : contests.filter((each) => each === contest)
  const [byArea, byZone, byContest, total, unplaced] = [new Map<string, Sum>(), new Map<string, Sum>(), new Map<string, Sum>(), noSum(), noSum()]
  for (const row of counted) {
    if (row.contest !== '' && contests.includes(row.contest)) addTo(sumOf(byContest, row.contest), row)
    if (contest !== null && row.contest !== contest) continue
    if (!areas.has(row.area)) {
      addTo(unplaced, row)
      continue
    }
    for (const sum of [total, sumOf(byArea, row.area), sumOf(byZone, zoneOf(row.area) ?? '')]) addTo(sum, row)
  }
  const stations = [...areas.values()].reduce<DueStations>(plus, { stations: 0, ended: null, due: null })
  const named = (code: string): { code: string; name: string } => ({ code, name: names.get(code) ?? code })
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
  const station = digits === 13
  return {
    now: new Date(now).toISOString(), asOf: station ? new Date(now).toISOString() : iso(asOf()), receiver: hasReceiver, area: area === '' ? { code: '', name: '' } : named(area),
    above: [2, 4, 6].filter((length) => length < area.length).map((length) => named(area.slice(0, length))), contest, day: due.day(now), stations: stations.stations,
    total: { ...expected(stations, asked.length), ...total },
    contests: contests.map((each) => ({ contest: each, ...expected(stations, 1), ...(byContest.get(each) ?? noSum()) })),
    zones: [...zones].map(([zone, each]) => {
      const { ended, due: dueAt } = due.instants(zone, now)
      return { zone, stations: each.stations, countingFrom: iso(ended), resultsDueAt: iso(dueAt), ...expected(each, asked.length), ...(byZone.get(zone) ?? noSum()) }
    }),
    rows: [...areas].map(([code, each]) => ({ ...(station ? { code, name: code } : named(code)), zone: each.zone, stations: each.stations, ...expected(each, asked.length), ...(byArea.get(code) ?? noSum()) })),
    unplaced: unplaced.quarantine,
  }
}

/** Codes of one area, by whatever the database sorts: all digits. The first parameter is the area. */
export const within = (column: string, digits: number): string => `${column} >= rpad($1::text, ${digits}, '0') AND ${column} <= rpad($1::text, ${digits}, '9')`

const sum_villages = `
  SELECT left(village, $2::integer) AS area, contest, reason, sum(records)::integer AS records, sum(recorded)::integer AS recorded, sum(delivered)::integer AS delivered, sum(whole)::integer AS whole, sum(conflicts)::integer AS conflicts
  FROM recap_count WHERE ($1::text = '' OR ${within('village', 10)}) GROUP BY 1, 2, 3`

const count_stations = `
  WITH held AS (
    SELECT station_code, contest, reason, delivered, whole,
      NOT EXISTS (SELECT FROM recap later WHERE later.replaces = recap.hash AND later.reason IS NULL AND later.station_code = recap.station_code AND later.contest = recap.contest AND later.side = recap.side) AS newest
    FROM recap WHERE ${within('station_code', 13)} AND (reason IS NOT NULL OR side = 'officer'))
  SELECT station_code AS area, coalesce(contest, '') AS contest, coalesce(reason, '') AS reason, count(*)::integer AS records, (reason IS NULL)::integer AS recorded, (reason IS NULL AND bool_and(delivered))::integer AS delivered,
    (reason IS NULL AND bool_and(whole) FILTER (WHERE newest))::integer AS whole, (reason IS NULL AND count(*) FILTER (WHERE newest) > 1)::integer AS conflicts
  FROM held GROUP BY station_code, held.contest, held.reason`

const noSum = (): Sum => ({ recorded: 0, delivered: 0, photosWhole: 0, conflicts: 0, quarantine: {} })

function sumOf(sums: Map<string, Sum>, key: string): Sum {
  const held = sums.get(key) ?? noSum()
  sums.set(key, held)
  return held
}

function addTo(sum: Sum, { reason, records, recorded, delivered, whole, conflicts }: Counted): void {
  if (reason !== '') sum.quarantine[reason] = (sum.quarantine[reason] ?? 0) + records
  else {
    sum.recorded += recorded
    sum.delivered += delivered
    sum.photosWhole += whole
    sum.conflicts += conflicts
  }
}

const add = (one: number | null, other: number | null): number | null => (one === null && other === null ? null : (one ?? 0) + (other ?? 0))
const plus = (one: DueStations, other: DueStations): DueStations => ({ stations: one.stations + other.stations, ended: add(one.ended, other.ended), due: add(one.due, other.due) })

/** Slots of these stations. */
function expected({ stations, ended, due }: DueStations, contests: number): Pick<RecapCounts, 'expected' | 'due' | 'overdue'> {
  return { expected: stations * contests, due: ended === null ? null : ended * contests, overdue: due === null ? null : due * contests }
}
