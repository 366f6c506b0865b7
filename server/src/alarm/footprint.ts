import { distance_km, insideIndonesiasFrame, indonesia, type Position } from '@kawal/core/geo/distance.ts'

interface StationPlace {
  readonly code: string
  readonly latitude: number | null
  readonly longitude: number | null
}

/** What an alarm concerns, small enough to keep: a province is two digits here, and 50,000 stations only at the hand-over. */
export interface Extent {
  /** Codes of areas and stations. */
  readonly areas: readonly string[]
  readonly points: readonly { readonly latitude: number; readonly longitude: number; readonly radiusM: number }[]
}

/** Which stations an area, a point or an alarm's extent holds. */
export interface Footprint {
  /** Codes of the stations of an area, or the station itself; in order, empty for a code that no station has. Given again, not made again. */
  inArea(code: string): readonly string[]
  /** Codes of all stations concerned, in order, each once. */
  stationsOf(extent: Extent): readonly string[]
}

/** A tenth of a degree is 11 km: the largest default radius takes nine squares. */
const square_deg = 0.1
const columns = Math.ceil((indonesia.east - indonesia.west) / square_deg)
const rows = Math.ceil((indonesia.north - indonesia.south) / square_deg)
/** Lists of areas that are remembered: all provinces, regencies and the districts of a storm. */
const remembered_max = 2_000

const rowOf = (latitude: number): number => Math.min(rows - 1, Math.max(0, Math.floor((latitude - indonesia.south) / square_deg)))
const columnOf = (longitude: number): number => Math.min(columns - 1, Math.max(0, Math.floor((longitude - indonesia.west) / square_deg)))

/** @param stations sorted by code; those without a position are found by code alone */
export function createFootprint(stations: readonly StationPlace[]): Footprint {
  const codes = stations.map((station) => station.code)
  const grid = squaresOf(stations)
  const remembered = new Map<string, readonly string[]>()

  const inArea = (code: string): readonly string[] => {
    const known = remembered.get(code)
    if (known !== undefined) return known
    // codes are digits: what follows every code that begins with this one begins with ':'
    const found = code === '' ? [] : codes.slice(firstFrom(codes, code), firstFrom(codes, `${code}:`))
    if (remembered.size >= remembered_max) remembered.delete(remembered.keys().next().value ?? '')
    remembered.set(code, found)
    return found
  }

  const around = (centre: Position, radius_m: number, found: Set<string>): void => {
    const radius_km = radius_m / 1000
    const high = radius_km / 111
    const wide = high / Math.max(0.1, Math.cos((centre.latitude * Math.PI) / 180))
    for (let row = rowOf(centre.latitude - high); row <= rowOf(centre.latitude + high); row++)
      for (let column = columnOf(centre.longitude - wide); column <= columnOf(centre.longitude + wide); column++) {
        const square = row * columns + column
        for (let at = grid.starts[square] ?? 0; at < (grid.starts[square + 1] ?? 0); at++) {
          const station = stations[grid.members[at] ?? -1]
          if (station === undefined || station.latitude === null || station.longitude === null) continue
          if (distance_km(centre, { latitude: station.latitude, longitude: station.longitude }) <= radius_km) found.add(station.code)
        }
      }
  }

  return {
    inArea,
    stationsOf({ areas, points }) {
      const [only] = areas
      if (points.length === 0 && areas.length === 1 && only !== undefined) return inArea(only)
      const found = new Set<string>()
      for (const code of areas) for (const station of inArea(code)) found.add(station)
      for (const point of points) around(point, point.radiusM, found)
      return [...found].sort()
    },
  }
}

/** The index of the first code that is not before this text. */
function firstFrom(codes: readonly string[], text: string): number {
  let low = 0
  let high = codes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((codes[middle] ?? '') < text) low = middle + 1
    else high = middle
  }
  return low
}

/** Stations by the square they lie in: `members[starts[square]] .. members[starts[square + 1] - 1]`. */
function squaresOf(stations: readonly StationPlace[]): { starts: Int32Array; members: Int32Array } {
  const square = Int32Array.from(stations, ({ latitude, longitude }) => (latitude === null || longitude === null || !insideIndonesiasFrame({ latitude, longitude }) ? -1 : rowOf(latitude) * columns + columnOf(longitude)))
  const starts = new Int32Array(rows * columns + 1)
  for (const each of square) if (each >= 0) starts[each + 1] = (starts[each + 1] ?? 0) + 1
  for (let at = 1; at < starts.length; at++) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0)
  const members = new Int32Array(starts.at(-1) ?? 0)
  const next = starts.slice()
  square.forEach((each, station) => {
    if (each < 0) return
    members[next[each] ?? 0] = station
    next[each] = (next[each] ?? 0) + 1
  })
  return { starts, members }
}
