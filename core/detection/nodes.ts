/**
 * The places at which a fault may sit: a binary tree that halves the stations by position, from
 * about eight stations up to all of them, and the administrative areas. A fault is found by the
 * node nearest to its own size, so there must be one of every size (docs: detection study).
 */
export interface NodeStation {
  readonly code: string
  readonly village: string
  readonly latitude: number | null
  readonly longitude: number | null
}

export interface Nodes {
  readonly count: number
  /** For station s, its nodes are members[start[s]] .. members[start[s + 1] - 1]. */
  readonly start: Uint32Array
  readonly members: Uint32Array
}

const leaf_stations = 8

/** Builds the nodes of these stations. Stations without a position take part by their areas only. */
export function buildNodes(stations: readonly NodeStation[]): Nodes {
  const lists: number[][] = stations.map(() => [])
  let count = 0
  const areas = new Map<string, number>()
  stations.forEach((station, index) => {
    for (const length of [2, 4, 6, 10]) {
      const area = station.village.slice(0, length)
      const known = areas.get(area) ?? count++
      areas.set(area, known)
      lists[index]?.push(known)
    }
  })
  const placed = stations.flatMap((station, index) => (station.latitude === null || station.longitude === null ? [] : [index]))
  const at = (index: number, axis: 'latitude' | 'longitude'): number => stations[index]?.[axis] ?? 0
  const todo: number[][] = placed.length > 0 ? [placed] : []
  for (let group = todo.pop(); group !== undefined; group = todo.pop()) {
    const node = count++
    for (const index of group) lists[index]?.push(node)
    if (group.length <= leaf_stations) continue
    const axis = extent(group, at, 'latitude') > extent(group, at, 'longitude') ? 'latitude' : 'longitude'
    const sorted = [...group].sort((a, b) => at(a, axis) - at(b, axis) || a - b)
    todo.push(sorted.slice(0, sorted.length >> 1), sorted.slice(sorted.length >> 1))
  }
  return flatten(lists, count)
}

function extent(group: readonly number[], at: (index: number, axis: 'latitude' | 'longitude') => number, axis: 'latitude' | 'longitude'): number {
  let least = Infinity
  let most = -Infinity
  for (const index of group) {
    const value = at(index, axis)
    if (value < least) least = value
    if (value > most) most = value
  }
  return most - least
}

function flatten(lists: readonly (readonly number[])[], count: number): Nodes {
  const start = new Uint32Array(lists.length + 1)
  lists.forEach((list, index) => (start[index + 1] = (start[index] ?? 0) + list.length))
  return { count, start, members: Uint32Array.from(lists.flat()) }
}
