import { beside_count, nearestPlaces } from './places.ts'
import { nodeAt, type DetectionState } from './state.ts'

const near_max = 128
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
  if (list === undefined) known.set(centre, (list = Int32Array.from([centre, ...nearestPlaces(state.places, centre, near_max)])))
  return list
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
