import { stationAt, type DetectionState, type OpenDisturbance } from './state.ts'

interface Box { readonly south: number; readonly north: number; readonly west: number; readonly east: number }

/** Stations this near, in degrees (about 2 km), may belong to the same fault. */
const beside_deg = 0.02
/** Candidates this near, in degrees (about 5 km), are the same fault. */
const same_deg = 0.05

function box(state: DetectionState, stations: Iterable<number>, margin_deg: number): Box {
  let [south, north, west, east] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const index of stations) {
    const { latitude, longitude } = stationAt(state, index)
    if (latitude === null || longitude === null) continue
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
  }
  return { south: south - margin_deg, north: north + margin_deg, west: west - margin_deg, east: east + margin_deg }
}

/** Stations with devices inside or right beside the box of these. */
export function stationsBeside(state: DetectionState, stations: Iterable<number>): number[] {
  const { south, north, west, east } = box(state, stations, beside_deg)
  const within: number[] = []
  for (const index of state.byStation.keys()) {
    const { latitude, longitude } = stationAt(state, index)
    if (latitude !== null && longitude !== null && latitude >= south && latitude <= north && longitude >= west && longitude <= east) within.push(index)
  }
  return within
}

/** The `count` stations of a pool nearest to one of them, itself the first; all where there are fewer. */
export function nearestOf(state: DetectionState, centre: number, pool: readonly number[], count: number): number[] {
  const at = stationAt(state, centre)
  const scale = Math.cos(((at.latitude ?? 0) * Math.PI) / 180)
  const far = (index: number): number => {
    const { latitude, longitude } = stationAt(state, index)
    return ((latitude ?? 99) - (at.latitude ?? 0)) ** 2 + (((longitude ?? 999) - (at.longitude ?? 0)) * scale) ** 2
  }
  const best: { index: number; away: number }[] = []
  for (const index of pool) {
    const away = far(index)
    if (best.length === count && away >= (best.at(-1)?.away ?? 0)) continue
    const place = best.findIndex((each) => each.away > away)
    best.splice(place < 0 ? best.length : place, 0, { index, away })
    if (best.length > count) best.pop()
  }
  return best.map((each) => each.index)
}

/** Whether new stations belong to the same fault: they touch the box of the open one. */
export function isNear(state: DetectionState, each: OpenDisturbance, stations: Iterable<number>): boolean {
  const a = box(state, each.stations, same_deg)
  const b = box(state, stations, 0)
  return a.south <= b.north && b.south <= a.north && a.west <= b.east && b.west <= a.east
}

/** The smallest administrative area that holds them all; '' when they share no province. @param codes sorted */
export function areaOf(codes: readonly string[]): string {
  const first = codes[0] ?? ''
  const last = codes.at(-1) ?? ''
  const length = [10, 6, 4, 2].find((each) => first.slice(0, each) === last.slice(0, each)) ?? 0
  return first.slice(0, length)
}
