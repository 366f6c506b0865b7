import { placesAround } from './beside.ts'
import { hit, nothing, seenAs, visit } from './extent.ts'
import { field, onDuty, type DetectionState, type Ongoing } from './state.ts'

/** What devices show at one station of a disturbance: those of its operator, of everybody's fault those of all. */
export interface StationCount { readonly station: string; readonly good: number; readonly bad: number; readonly silent: number }

/**
 * What the reports say of a disturbance that somebody calls resolved. `well`: enough devices report well; `broken`:
 * enough are silent or report badly still; `unknown`: too few either way, and nobody may guess.
 */
export interface Verdict {
  readonly says: 'well' | 'broken' | 'unknown'
  readonly good: number
  readonly bad: number
  readonly silent: number
  /** Stations that are hit still, the worst first; at most 20. */
  readonly broken: readonly StationCount[]
}

/** One phone may be wrong, and two may be one officer's: three are independent. Of a fault that hit fewer, all. */
const devices_min = 3
/** Of the stations hit that have devices so many must be well: three phones of one street say nothing of a district. */
const stations_share = 0.5
/** So many stations are named. */
export const broken_max = 20
/** Who was not heard for longer says nothing by his silence: he may be at home by now, or his battery empty, s. */
export const silence_says_s = 2 * 3600

type Counts = { -readonly [K in keyof StationCount]: StationCount[K] }

/**
 * What its devices show, station by station. A station with devices that say nothing, or that have left meanwhile, has zeros:
 * what others report well elsewhere says nothing of it.
 * @param from_s good reports made earlier do not count, Unix seconds: they tell of the time before
 */
export function countStations(state: DetectionState, each: Ongoing, from_s: number, now_s: number): StationCount[] {
  const found = new Map<number, Counts>()
  const { devices, pairs, stations, options: { grace_s } } = state
  for (const place of each.places)
    visit(state, each, place, (at) => {
      const seen = seenAs(state, each, at, now_s)
      const lastAt = devices[at + field.lastAt] as number
      const hasLeft = ((devices[at + field.flags] as number) & onDuty) === 0 && lastAt >= each.since_s && now_s - lastAt <= silence_says_s
      if (seen === nothing && !hasLeft) return
      const station = pairs.station[devices[at + field.pair] as number] as number
      const counts = found.get(station) ?? { station: stations[station]?.code ?? '', good: 0, bad: 0, silent: 0 }
      found.set(station, counts)
      if (seen === nothing) return
      if (seen !== hit) counts.good += Number(lastAt >= from_s)
      else if (now_s > (devices[at + field.dueAt] as number) + grace_s) counts.silent += Number(now_s - lastAt <= silence_says_s)
      else counts.bad++
    })
  return [...found.values()].sort((a, b) => (a.station < b.station ? -1 : 1))
}

const totalOf = (stations: readonly StationCount[], pick: 'good' | 'bad' | 'silent'): number => stations.reduce((sum, each) => sum + each[pick], 0)
/** @param devicesHit 0 where it is not known any more */
const enoughOf = (devicesHit: number): number => (devicesHit === 0 ? devices_min : Math.min(devices_min, devicesHit))

/** Enough devices report well, at enough of the stations that have any. Nobody left to report is not well. */
export function isWell(stations: readonly StationCount[], devicesHit: number): boolean {
  const wellAt = stations.filter(({ good, bad, silent }) => good > 0 && good >= bad + silent)
  return totalOf(stations, 'good') >= enoughOf(devicesHit) && wellAt.length >= stations_share * stations.length
}

/** @param devicesHit how many it hit at most */
export function weigh(stations: readonly StationCount[], devicesHit: number): Verdict {
  const [good, bad, silent] = [totalOf(stations, 'good'), totalOf(stations, 'bad'), totalOf(stations, 'silent')]
  const says = bad + silent >= enoughOf(devicesHit) ? 'broken' : isWell(stations, devicesHit) ? 'well' : 'unknown'
  const broken = stations.filter((each) => each.bad + each.silent > 0).sort((a, b) => b.bad + b.silent - a.bad - a.silent || (a.station < b.station ? -1 : 1)).slice(0, broken_max)
  return { says, good, bad, silent, broken }
}

/** Of a large fault no more of its places are looked around, and no more stations beside it are named. */
const looked_max = 50
const near_max = 20

/**
 * Stations whose officers can look: those given, and where none of them has a device of the operator on duty the nearest
 * ones that have.
 * @param operator null: anybody's
 */
export function whoCanLook(state: DetectionState, codes: readonly string[], operator: string | null, now_s: number): string[] {
  const index = operator === null ? -1 : state.operators.indexOf(operator)
  if (operator !== null && index < 0) return [...codes]
  const hitPlaces = new Set(codes.flatMap((code) => state.stationIndex.get(code) ?? []).map((station) => state.places.of[station] as number))
  const onDutyAt = (place: number): string[] => {
    const found = new Set<string>()
    visit(state, { operator: index }, place, (at) => {
      const isHere = ((state.devices[at + field.flags] as number) & onDuty) !== 0 && now_s <= (state.devices[at + field.dueAt] as number) + state.options.grace_s
      if (isHere) found.add(state.stations[state.pairs.station[state.devices[at + field.pair] as number] as number]?.code ?? '')
    })
    return [...found].sort()
  }
  if ([...hitPlaces].some((place) => onDutyAt(place).length > 0)) return [...codes]
  const near = new Set<string>()
  for (const centre of [...hitPlaces].slice(0, looked_max)) {
    for (const place of placesAround(state, centre)) {
      if (near.size >= near_max) break
      if (!hitPlaces.has(place)) for (const code of onDutyAt(place)) near.add(code)
    }
  }
  return [...codes, ...[...near].slice(0, near_max)]
}
