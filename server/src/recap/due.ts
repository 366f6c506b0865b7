import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { clockFinder, clocksOf, no_clock, zones, type Contest, type Deadline } from '@kawal/core/impact/deadline.ts'

export interface DueStation { readonly code: string; readonly village: string; readonly zone: string }

/** Of stations: how many there are, at how many voting has ended, and at how many results are due. Null where no day of voting is configured. */
export interface DueStations { stations: number; ended: number | null; due: number | null }

/** By area and by zone. */
interface Counted { readonly areas: ReadonlyMap<string, DueStations & { readonly zone: string }>; readonly zones: ReadonlyMap<string, DueStations> }

interface Village { readonly code: string; readonly zone: string; readonly byClock: ReadonlyMap<number, number> }

/** Deadlines by these names say when counting begins, and when it is to be done (core/impact/defaults.ts). */
const ended_name = 'voting_ends'
const due_name = 'recaps_due'
/** Areas whose answer is kept. */
const answered_max = 2_000

/**
 * What is due where and when, of the day of voting that began last, or of the next where none has.
 * @param stations by code, ascending
 */
export function createDue(stations: readonly DueStation[], contests: readonly Contest[]) {
  let contest: Contest | null | undefined
  let clocks: readonly (readonly Deadline[])[] = []
  let villages: readonly Village[] = []

  function take(now: Instant): void {
    const next = contestOf(contests, now)
    if (next === contest) return
    contest = next
    clocks = clocksOf(next)
    villages = villagesOf(stations, next)
  }
  const answered = new Map<string, Counted>()
  let answeredIn = -1
  const at = (clock: number, name: string): Instant | null => clocks[clock]?.find((each) => each.name === name)?.at ?? null

  return {
    day(now: Instant): string | null {
      take(now)
      return contest?.day ?? null
    },
    /** When a deadline of the contest's own day is in a zone. */
    instants(zone: string, now: Instant): { readonly ended: Instant | null; readonly due: Instant | null } {
      take(now)
      const index = zones.findIndex((each) => each === zone)
      return { ended: at(index, ended_name), due: at(index, due_name) }
    },
    /** Stations of an area behind this one where voting has ended, by code; none where no day of voting is configured. */
    *ended(area: string, after: string, now: Instant): Generator<DueStation> {
      take(now)
      if (contest === null || contest === undefined) return
      const find = clockFinder(contest)
      for (const station of inArea(stations, area, after)) if ((at(find(station.code, station.zone), ended_name) ?? Infinity) <= now) yield station
    },
    /** By the areas of so many digits in one, and by zone; of a village its stations. Deadlines are of a minute: within one the answer is the same. */
    count(area: string, digits: number, now: Instant): Counted {
      const minute = Math.floor(now / minute_ms)
      if (minute !== answeredIn || answered.size >= answered_max) answered.clear()
      answeredIn = minute
      const known = answered.get(area) ?? counted(area, digits, now)
      answered.set(area, known)
      return known
    },
  }

  function counted(area: string, digits: number, now: Instant): Counted {
    take(now)
    const areas = new Map<string, DueStations & { readonly zone: string }>()
    const byZone = new Map<string, DueStations>()
    const add = (code: string, zone: string, clock: number, many: number): void => {
      const [ended, due] = [at(clock, ended_name), at(clock, due_name)]
      for (const into of [held(areas, code, { zone, ...noStations() }), held(byZone, zone, noStations())]) {
        into.stations += many
        if (ended !== null) into.ended = (into.ended ?? 0) + (ended <= now ? many : 0)
        if (due !== null) into.due = (into.due ?? 0) + (due <= now ? many : 0)
      }
    }
    if (digits > 10) {
      const find = clockFinder(contest ?? null)
      for (const { code, zone } of inArea(stations, area)) add(code, zone, find(code, zone), 1)
    } else for (const { code, zone, byClock } of inArea(villages, area)) for (const [clock, many] of byClock) add(code.slice(0, digits), zone, clock, many)
    return { areas, zones: byZone }
  }
}

export type Due = ReturnType<typeof createDue>

/** The contest whose day began last somewhere; else the first to come. */
function contestOf(contests: readonly Contest[], now: Instant): Contest | null {
  const sorted = [...contests].sort((one, other) => (one.day < other.day ? -1 : 1))
  const began = (contest: Contest): boolean => clocksOf(contest).flat().some(({ from }) => from <= now)
  return sorted.findLast(began) ?? sorted[0] ?? null
}

function villagesOf(stations: readonly DueStation[], contest: Contest | null): Village[] {
  const find = clockFinder(contest)
  const villages: Village[] = []
  for (let row = 0; row < stations.length;) {
    const { village, zone } = stations[row] as DueStation
    const byClock = new Map<number, number>()
    for (; stations[row]?.village === village; row++) {
      const station = stations[row] as DueStation
      const clock = contest === null ? no_clock : find(station.code, station.zone)
      byClock.set(clock, (byClock.get(clock) ?? 0) + 1)
    }
    villages.push({ code: village, zone, byClock })
  }
  return villages
}

/** Rows of an area behind a code, found by their codes, which ascend. */
function* inArea<Row extends { readonly code: string }>(rows: readonly Row[], area: string, after = ''): Generator<Row> {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { code } = rows[middle] as Row
    if (code < area || code <= after) low = middle + 1
    else high = middle
  }
  for (let row = rows[low]; row?.code.startsWith(area) === true; row = rows[++low]) yield row
}

const noStations = (): DueStations => ({ stations: 0, ended: null, due: null })

function held<Key, Value>(map: Map<Key, Value>, key: Key, made: Value): Value {
  const known = map.get(key)
  if (known === undefined) map.set(key, made)
  return known ?? made
}
