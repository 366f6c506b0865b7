import { distance_km, type Position } from '../geo/distance.ts'
import { onLand, shoreDistance_km, type Land } from '../geo/land.ts'
import { warn, type Issue } from './issue.ts'

export interface PlacedVillage extends Position {
  readonly code: string
}

/**
 * Natural Earth's 10m coast is off by up to some kilometres and leaves small islands out, so only a
 * position further from its shore than this is called out. Ours, not a standard.
 */
const shore_tolerance_km = 5
/** A registered island this near makes land of what the coarse coast calls sea. */
const island_tolerance_km = 3
/** A village is among another regency's when its nearest neighbour of its own is at least this far. */
const stray_km = 15

/**
 * Oddities of villages' positions that only show beside the others and on a map: shared positions,
 * the sea, a neighbouring country, another regency.
 * @param home Indonesia's land
 * @param abroad the neighbours' land
 * @param islands registered islands, which a coarse coast leaves out
 */
export function* checkPositions(villages: readonly PlacedVillage[], home: Land, abroad: Land, islands: readonly Position[]): Generator<{ village: PlacedVillage; issue: Issue }> {
  yield* sharedPositions(villages)
  yield* strays(villages)
  const nearIsland = islandFinder(islands)
  for (const village of villages) {
    if (onLand(home, village)) continue
    const shore = shoreDistance_km(home, village)
    if (shore <= shore_tolerance_km || nearIsland(village)) continue
    const far = shore === Infinity ? 'no shore within 10 km' : `${shore.toFixed(1)} km from the shore`
    yield { village, issue: warn(onLand(abroad, village) ? 'position_abroad' : 'position_in_sea', `${village.latitude} ${village.longitude}, ${far}`) }
  }
}

const cell_deg = 0.05

function cellOf(position: Position, down = 0, right = 0): number {
  return (Math.floor((position.latitude + 90) / cell_deg) + down) * 8192 + Math.floor((position.longitude + 180) / cell_deg) + right
}

/** Items by cell of 0.05 degrees (5.6 km); `around` gives those of the 3 x 3 cells. */
function binned<Item extends Position>(items: readonly Item[]): { around(position: Position): Item[] } {
  const cells = new Map<number, Item[]>()
  for (const item of items) {
    const here = cells.get(cellOf(item))
    if (here === undefined) cells.set(cellOf(item), [item])
    else here.push(item)
  }
  const steps = [-1, 0, 1]
  return { around: (position) => steps.flatMap((down) => steps.flatMap((right) => cells.get(cellOf(position, down, right)) ?? [])) }
}

function islandFinder(islands: readonly Position[]): (position: Position) => boolean {
  const cells = binned(islands)
  return (position) => cells.around(position).some((island) => distance_km(island, position) <= island_tolerance_km)
}

function* sharedPositions(villages: readonly PlacedVillage[]): Generator<{ village: PlacedVillage; issue: Issue }> {
  const byPlace = new Map<string, PlacedVillage[]>()
  for (const village of villages) {
    const key = `${village.latitude} ${village.longitude}`
    const there = byPlace.get(key)
    if (there === undefined) byPlace.set(key, [village])
    else there.push(village)
  }
  for (const there of byPlace.values()) {
    if (there.length < 2) continue
    for (const village of there) {
      const others = there.filter((other) => other !== village).map((other) => other.code)
      yield { village, issue: warn('position_shared', `${village.latitude} ${village.longitude}, with ${others.slice(0, 3).join(' ')}${others.length > 3 ? ` and ${others.length - 3} more` : ''}`) }
    }
  }
}

/** Villages whose neighbours all belong to another regency while their own regency is far away. */
function* strays(villages: readonly PlacedVillage[]): Generator<{ village: PlacedVillage; issue: Issue }> {
  const cells = binned(villages)
  const regencies = new Map<string, PlacedVillage[]>()
  for (const village of villages) {
    const regency = village.code.slice(0, 4)
    const own = regencies.get(regency)
    if (own === undefined) regencies.set(regency, [village])
    else own.push(village)
  }
  for (const village of villages) {
    const regency = village.code.slice(0, 4)
    const near = cells.around(village)
    if (near.some((other) => other !== village && other.code.startsWith(regency))) continue
    const others = near.filter((other) => other !== village)
    if (others.length < 2) continue
    let own = Infinity
    for (const other of regencies.get(regency) ?? []) if (other !== village) own = Math.min(own, distance_km(village, other))
    if (own < stray_km || own === Infinity) continue
    yield { village, issue: warn('position_other_regency', `among ${others.length} villages of ${[...new Set(others.map((other) => other.code.slice(0, 4)))].join(' ')}, ${own.toFixed(0)} km from the nearest of ${regency}`) }
  }
}
