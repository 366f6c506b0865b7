import { beside_count, nearestPlaces } from './places.ts'
import { nodeAt, type DetectionState } from './state.ts'

/** Places of a list: one, and those around it. */
export const places_max = 129
const lists = new WeakMap<object, Map<number, Int32Array>>()
const besides = new WeakMap<object, Map<number, { readonly nodes: number; readonly list: Int32Array }>>()

function mapOf<T>(maps: WeakMap<object, Map<number, T>>, of: object): Map<number, T> {
  let map = maps.get(of)
  if (map === undefined) maps.set(of, (map = new Map<number, T>()))
  return map
}

/** The places around one, nearest first, itself before them; looked up once. */
export function placesAround(state: DetectionState, centre: number): Int32Array {
  const known = mapOf(lists, state.places)
  let list = known.get(centre)
  if (list === undefined) known.set(centre, (list = Int32Array.from([centre, ...nearestPlaces(state.places, centre, places_max - 1)])))
  return list
}

/** Three times as long as wide, at these angles from east. */
const angles = [0, 45, 90, 135].map((degrees) => (degrees * Math.PI) / 180)
const longer = 3
/** Orders of a place's list, as ranks: half a kilobyte a place, also when a whole nation has been looked at. */
const orders = new WeakMap<object, Map<number, readonly Uint8Array[]>>()

/** The places around one by how soon a growing ellipse takes them in, a list for each of four angles. */
export function ellipsesAround(state: DetectionState, centre: number): Int32Array[] {
  const around = placesAround(state, centre)
  const known = mapOf(orders, state.places)
  let ranks = known.get(centre)
  if (ranks === undefined) known.set(centre, (ranks = angles.map((angle) => orderOf(state, around, angle))))
  return ranks.map((order) => Int32Array.from(order, (rank) => around[rank] as number))
}

function orderOf({ places: { latitude, longitude } }: DetectionState, around: Int32Array, angle: number): Uint8Array {
  const [y, x] = [latitude[around[0] as number] as number, longitude[around[0] as number] as number]
  const scale = Math.cos((y * Math.PI) / 180)
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const far = Array.from(around, (place) => {
    const [east, north] = [((longitude[place] as number) - x) * scale, (latitude[place] as number) - y]
    return ((east * cos + north * sin) / longer) ** 2 + (north * cos - east * sin) ** 2
  })
  // A place without a position is alone in its list.
  return Uint8Array.from(around.keys()).sort((a, b) => (far[a] as number) - (far[b] as number) || a - b)
}

/**
 * The eight nearest places at which an operator has devices (-1: anybody's): the neighbours that can say something. Few
 * use an access point, and those who do are far from each other.
 */
export function placesBeside(state: DetectionState, place: number, operator: number): Int32Array {
  const known = mapOf(besides, state.nodes)
  const key = (operator + 1) * 1_048_576 + place
  const before = known.get(key)
  // Looked up again when places have come to be heard of.
  if (before !== undefined && before.nodes * 1.02 >= state.nodes.count) return before.list
  const list: number[] = []
  for (const other of placesAround(state, place)) {
    if (other === place || nodeAt(state, other, operator) < 0) continue
    list.push(other)
    if (list.length === beside_count) break
  }
  const found = { nodes: state.nodes.count, list: Int32Array.from(list) }
  known.set(key, found)
  return found.list
}
