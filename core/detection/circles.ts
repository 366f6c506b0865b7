import { stationAt, type DetectionState, type Device } from './state.ts'

/** What happened to a device in a window, and how likely its own habit makes it (in millionths). */
export interface DeviceEvent { readonly device: Device; readonly hit: boolean; readonly habit: number }

/** A hit device and its nearest neighbours: the smallest place that the evidence can be gathered from. */
interface Circle { readonly centre: number; readonly stations: readonly number[]; readonly score: number }

/** Circles hold at most this many devices; larger faults are found by the nodes of their size. */
const devices_max = 48
/** A centre is looked at further only when this many of its first neighbours were hit: others lie nearer to the middle. */
const first = { devices: 12, hits_min: 4 }
const cell_deg = 0.02
/** Neighbours are looked for within this many cells (about 22 km). */
const rings_max = 10

const keyOf = (row: number, column: number): number => row * 32_768 + column
const rowOf = (latitude: number): number => Math.floor((latitude + 90) / cell_deg)
const columnOf = (longitude: number): number => Math.floor((longitude + 180) / cell_deg)

/**
 * The circle with the highest score around any hit device: Kulldorff's circular scan, centred where
 * something happened and counted in devices. A fault lies whole in a circle of its size, while the cuts
 * of a tree may go through it.
 * @param events of the devices of one operator, or of everybody, in one window
 * @param score of `hits` among `devices` where `expected` were likely; below `least` it does not count
 * @param isPassed says of which centres nothing is wanted
 */
export function strongestCircle(
  state: DetectionState, events: readonly DeviceEvent[], score: (hits: number, devices: number, expected: number) => number, least: number, isPassed: (centre: number) => boolean,
): Circle | null {
  const grid = binned(state, events)
  let best: Circle | null = null
  const centres = new Set<number>()
  for (const { device, hit } of events) if (hit) centres.add(device.station)
  for (const centre of [...centres].sort((a, b) => a - b)) {
    if (isPassed(centre)) continue
    const beside = nearest(state, grid, centre, first.devices)
    if (beside.reduce((sum, { event }) => sum + Number(event.hit), 0) < first.hits_min) continue
    const near = nearest(state, grid, centre, devices_max)
    let [hits, expected] = [0, 0]
    for (const [index, { event, away }] of near.entries()) {
      if (event.hit) hits++
      expected += event.habit
      // Devices equally far are in or out together: their order is that of their arrival.
      if (near[index + 1]?.away === away) continue
      const found = score(hits, index + 1, expected / 1e6)
      if (found > Math.max(least, best?.score ?? 0)) best = { centre, stations: stationsOf(near.slice(0, index + 1)), score: found }
    }
  }
  return best
}

interface Placed { readonly event: DeviceEvent; readonly latitude: number; readonly longitude: number }
interface Near { readonly event: DeviceEvent; readonly away: number }
type Grid = ReadonlyMap<number, readonly Placed[]>

const stationsOf = (near: readonly Near[]): number[] => [...new Set(near.map(({ event }) => event.device.station))].sort((a, b) => a - b)

function binned(state: DetectionState, events: readonly DeviceEvent[]): Grid {
  const grid = new Map<number, Placed[]>()
  for (const event of events) {
    const { latitude, longitude } = stationAt(state, event.device.station)
    if (latitude === null || longitude === null) continue
    const key = keyOf(rowOf(latitude), columnOf(longitude))
    const bin = grid.get(key)
    if (bin === undefined) grid.set(key, [{ event, latitude, longitude }])
    else bin.push({ event, latitude, longitude })
  }
  return grid
}

/** The `count` devices nearest to a station, nearest first, and those as far as the last: ring by ring, until no further ring can hold a nearer one. */
function nearest(state: DetectionState, grid: Grid, centre: number, count: number): Near[] {
  const { latitude, longitude } = stationAt(state, centre)
  if (latitude === null || longitude === null) return []
  const scale = Math.cos((latitude * Math.PI) / 180)
  const [row, column] = [rowOf(latitude), columnOf(longitude)]
  const found: Near[] = []
  for (let ring = 0; ring <= rings_max; ring++) {
    for (let down = -ring; down <= ring; down++) {
      const step = Math.abs(down) === ring || ring === 0 ? 1 : 2 * ring
      for (let right = -ring; right <= ring; right += step)
        for (const at of grid.get(keyOf(row + down, column + right)) ?? [])
          found.push({ event: at.event, away: (at.latitude - latitude) ** 2 + ((at.longitude - longitude) * scale) ** 2 })
    }
    if (found.length < count) continue
    const sure = (ring * cell_deg * scale) ** 2
    let sureCount = 0
    for (const { away } of found) if (away <= sure) sureCount++
    if (sureCount >= count) break
  }
  found.sort((a, b) => a.away - b.away)
  const last = found[count - 1]?.away ?? Infinity
  return found.filter(({ away }) => away <= last)
}
