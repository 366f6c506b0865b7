/**
 * The places that faults are looked for in: a place is a village, or one of the parts of at most a dozen stations that
 * a larger village falls into: by the positions of its stations, and where those are one and the same by their numbers,
 * which run through the village. Places stand in the order of their codes, so that every
 * administrative area is a run of them.
 */
export interface DetectionStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
}

export interface Places {
  readonly count: number
  /** Place of each station, and the stations of place p: members[start[p]] .. members[start[p + 1] - 1]. */
  readonly of: Int32Array
  readonly start: Int32Array
  readonly members: Int32Array
  /** Stations in the order of their codes, and the rank of each in it. */
  readonly order: Int32Array
  readonly rank: Int32Array
  /** Degrees; NaN where no station of the place has a position. Parts by number lie in a row around their village's position. */
  readonly latitude: Float64Array
  readonly longitude: Float64Array
  /** Digits of district, regency and province as numbers. */
  readonly district: Int32Array
  /** The `beside_count` places nearest to each, nearest first, itself not among them; -1 where there are fewer. */
  readonly beside: Int32Array
  readonly grid: Grid
}

export const beside_count = 8
const part_stations_max = 12
/** From part to part by number, degrees: nearer to each other than to any other village. */
const row_step_deg = 0.0005

export function buildPlaces(stations: readonly DetectionStation[]): Places {
  const order = Array.from(stations.keys()).sort((a, b) => compare(stations[a]?.code, stations[b]?.code))
  const rank = new Int32Array(stations.length)
  order.forEach((station, at) => (rank[station] = at))
  const parts: number[][] = []
  const offsets: number[] = []
  for (let from = 0; from < order.length;) {
    const village = stations[order[from] as number]?.village
    let to = from + 1
    while (to < order.length && stations[order[to] as number]?.village === village) to++
    for (const part of split(order.slice(from, to), stations)) {
      const row = byNumber(part, stations)
      parts.push(...row)
      offsets.push(...row.map((_, rank) => row_step_deg * (rank - (row.length - 1) / 2)))
    }
    from = to
  }
  const start = new Int32Array(parts.length + 1)
  parts.forEach((part, index) => (start[index + 1] = (start[index] ?? 0) + part.length))
  const of = new Int32Array(stations.length)
  parts.forEach((part, index) => part.forEach((station) => (of[station] = index)))
  const latitude = Float64Array.from(parts, (part) => mean(part.map((each) => stations[each]?.latitude ?? NaN)))
  const longitude = Float64Array.from(parts, (part, index) => mean(part.map((each) => stations[each]?.longitude ?? NaN)) + (offsets[index] ?? 0))
  const grid = buildGrid(latitude, longitude)
  const beside = new Int32Array(parts.length * beside_count).fill(-1)
  for (let place = 0; place < parts.length; place++) nearestPlaces({ latitude, longitude, grid }, place, beside_count).forEach((near, rank) => (beside[place * beside_count + rank] = near))
  return {
    count: parts.length, of, start, members: Int32Array.from(parts.flat()), order: Int32Array.from(order), rank, latitude, longitude, grid, beside,
    district: Int32Array.from(parts, (part) => Number(stations[part[0] as number]?.village.slice(0, 6))),
  }
}

const compare = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0)
const mean = (values: readonly number[]): number => {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}

/** Cuts a part that positions could not cut small enough into equal ones by the numbers of its stations. Without positions nothing says what lies beside it: it stays one. */
function byNumber(part: number[], stations: readonly DetectionStation[]): number[][] {
  const count = part.every((each) => stations[each]?.latitude !== null) ? Math.ceil(part.length / part_stations_max) : 1
  const bound = (rank: number): number => Math.round((rank * part.length) / count)
  return Array.from({ length: count }, (_, rank) => part.slice(bound(rank), bound(rank + 1)))
}

/** Halves a village by the wider axis until no part is too large; stations at one and the same position stay together. */
function split(village: number[], stations: readonly DetectionStation[]): number[][] {
  const todo = [village]
  const done: number[][] = []
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    const [latitudes, longitudes] = (['latitude', 'longitude'] as const).map((axis) => part.map((each) => stations[each]?.[axis] ?? NaN)) as [number[], number[]]
    const [high, wide] = [range(latitudes), range(longitudes)]
    if (part.length <= part_stations_max || !(high > 0 || wide > 0)) {
      done.push(part)
      continue
    }
    const values = high > wide ? latitudes : longitudes
    const middle = [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
    const low = part.filter((_, index) => (values[index] ?? 0) < middle)
    const rest = part.filter((_, index) => !((values[index] ?? 0) < middle))
    if (low.length === 0 || rest.length === 0) done.push(part)
    else todo.push(rest, low)
  }
  return done
}

/** NaN as soon as one of them has no position: such a village is one place. */
const range = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), -Infinity) - values.reduce((least, value) => Math.min(least, value), Infinity)

const cell_deg = 0.05
interface Grid { readonly bins: ReadonlyMap<number, Int32Array> }
const keyOf = (row: number, column: number): number => row * 16_384 + column
const rowOf = (latitude: number): number => Math.floor((latitude + 90) / cell_deg)
const columnOf = (longitude: number): number => Math.floor((longitude + 180) / cell_deg)

function buildGrid(latitude: Float64Array, longitude: Float64Array): Grid {
  const lists = new Map<number, number[]>()
  for (let place = 0; place < latitude.length; place++) {
    if (Number.isNaN(latitude[place])) continue
    const key = keyOf(rowOf(latitude[place] ?? 0), columnOf(longitude[place] ?? 0))
    const list = lists.get(key)
    if (list === undefined) lists.set(key, [place])
    else list.push(place)
  }
  return { bins: new Map([...lists].map(([key, list]) => [key, Int32Array.from(list)])) }
}

/** Neighbours are looked for within this many cells of the grid (about 130 km). */
const rings_max = 24

/** The `count` places nearest to one of them, nearest first, itself left out; none for a place without a position. */
export function nearestPlaces(places: Pick<Places, 'latitude' | 'longitude' | 'grid'>, centre: number, count: number): number[] {
  const [latitude, longitude] = [places.latitude[centre] ?? NaN, places.longitude[centre] ?? NaN]
  if (Number.isNaN(latitude)) return []
  const scale = Math.cos((latitude * Math.PI) / 180)
  const [row, column] = [rowOf(latitude), columnOf(longitude)]
  const found: { place: number; away: number }[] = []
  for (let ring = 0; ring <= rings_max; ring++) {
    for (let down = -ring; down <= ring; down++) {
      const step = Math.abs(down) === ring || ring === 0 ? 1 : 2 * ring
      for (let right = -ring; right <= ring; right += step)
        for (const place of places.grid.bins.get(keyOf(row + down, column + right)) ?? [])
          if (place !== centre) found.push({ place, away: ((places.latitude[place] ?? 0) - latitude) ** 2 + (((places.longitude[place] ?? 0) - longitude) * scale) ** 2 })
    }
    // What lies within the rings that are whole is nearer than anything outside them.
    const sure = (ring * cell_deg * scale) ** 2
    if (found.length >= count && found.reduce((sum, { away }) => sum + Number(away <= sure), 0) >= count) break
  }
  return found.sort((a, b) => a.away - b.away || a.place - b.place).slice(0, count).map(({ place }) => place)
}
