import type { Instant } from '@kawal/core/kernel/clock.ts'
import { clockFinder, clocksOf, no_clock, zones, type Contest, type Deadline } from '@kawal/core/impact/deadline.ts'

export interface DueStation { readonly code: string; readonly village: string; readonly zone: string }

/** Of stations: how many there are, at how many voting has ended, and at how many results are due. Null where no day of voting is configured. */
export interface DueStations { stations: number; ended: number | null; due: number | null }

interface Village { readonly code: string; readonly zone: string; readonly stations: number; readonly byClock: ReadonlyMap<number, number> }

/** Deadlines by these names say when counting begins, and when it is to be done (core/impact/defaults.ts). */
const ended_name = 'voting_ends'
const due_name = 'recaps_due'

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
    /** By the areas of so many digits in one, and by zone; of a village its stations. */
    count(area: string, digits: number, now: Instant): { readonly areas: ReadonlyMap<string, DueStations & { readonly zone: string }>; readonly zones: ReadonlyMap<string, DueStations> } {
      take(now)
      const areas = new Map<string, DueStations & { readonly zone: string }>()
      const byZone = new Map<string, DueStations>()
      const add = (into: DueStations, clock: number, many: number): void => {
        into.stations += many
        const [ended, due] = [at(clock, ended_name), at(clock, due_name)]
        if (ended !== null) into.ended = (into.ended ?? 0) + (ended <= now ? many : 0)
        if (due !== null) into.due = (into.due ?? 0) + (due <= now ? many : 0)
      }
      const held = <Key, Value>(map: Map<Key, Value>, key: Key, made: Value): Value => map.get(key) ?? (map.set(key, made), made)
      const of = (code: string, zone: string): DueStations[] => [held(areas, code, { zone, stations: 0, ended: null, due: null }), held(byZone, zone, { stations: 0, ended: null, due: null })]
      if (digits > 10) {
        const find = clockFinder(contest ?? null)
        for (let row = firstAt(stations, area, ({ code }) => code); stations[row]?.code.startsWith(area) === true; row++) {
          const { code, zone } = stations[row] as DueStation
          for (const into of of(code, zone)) add(into, find(code, zone), 1)
        }
        return { areas, zones: byZone }
      }
      for (let row = firstAt(villages, area, ({ code }) => code); villages[row]?.code.startsWith(area) === true; row++) {
        const { code, zone, byClock } = villages[row] as Village
        for (const into of of(code.slice(0, digits), zone)) for (const [clock, many] of byClock) add(into, clock, many)
      }
      return { areas, zones: byZone }
    },
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
    const first = row
    for (; stations[row]?.village === village; row++) {
      const station = stations[row] as DueStation
      const clock = contest === null ? no_clock : find(station.code, station.zone)
      byClock.set(clock, (byClock.get(clock) ?? 0) + 1)
    }
    villages.push({ code: village, zone, stations: row - first, byClock })
  }
  return villages
}

/** The first row whose code is not before the area. */
function firstAt<Row>(rows: readonly Row[], area: string, codeOf: (row: Row) => string): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (codeOf(rows[middle] as Row) < area) low = middle + 1
    else high = middle
  }
  return low
}
