import { degree_km, type Position } from '../geo/distance.ts'
import { hash32, seeded, type Random } from '../kernel/random.ts'
import { parentOf, stationCode, type Level } from './codes.ts'
import { zoneOf, type Zone } from './zone.ts'

/** A region by code and name, as a list of names gives it. */
export interface NamedRegion {
  readonly code: string
  readonly level: Level
  readonly name: string
}

/** Everything here is made up but names and codes: whoever stores or shows it says so. */
export interface SyntheticRegister {
  readonly regions: readonly (NamedRegion & { readonly parent: string | null; readonly latitude: number; readonly longitude: number })[]
  readonly stations: readonly {
    readonly code: string
    readonly village: string
    readonly number: number
    readonly latitude: number
    readonly longitude: number
    readonly zone: Zone
    readonly voters: number
  }[]
}

/** Whether a made-up position may lie here; the caller knows the coast. */
type Plausible = (position: Position) => boolean

const voters_max = 300
const tries_max = 60

/** A point near another, evenly over the disc, on plausible ground when some is found in 60 tries. */
function near(centre: Position, radius_km: number, random: Random, plausible: Plausible): Position {
  for (let tries = 0; tries < tries_max; tries++) {
    // the disc shrinks slowly: an inland centre always finds ground at last
    const distance = radius_km * Math.sqrt(random()) * (1 - tries / (2 * tries_max))
    const angle = 2 * Math.PI * random()
    const point = {
      latitude: round(centre.latitude + (distance * Math.sin(angle)) / degree_km),
      longitude: round(centre.longitude + (distance * Math.cos(angle)) / (degree_km * Math.cos((centre.latitude * Math.PI) / 180))),
    }
    if (plausible(point)) return point
  }
  return { latitude: round(centre.latitude), longitude: round(centre.longitude) }
}

const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6

/**
 * A register of one province with made-up positions, 1-8 stations a village and made-up voters. Regencies
 * spread over the province's extent, districts cluster in them and villages in those. The same seed makes
 * the same register; each region draws from its own stream, so that one more village moves no other.
 *
 * @param names the province's regions of all four levels
 * @param extent the province's rough centre and radius in km
 */
export function syntheticRegister(names: readonly NamedRegion[], extent: Position & { readonly radius_km: number }, plausible: Plausible, seed: number): SyntheticRegister {
  const places = new Map<string, Position>()
  const regions: SyntheticRegister['regions'][number][] = []
  const stations: SyntheticRegister['stations'][number][] = []
  const regencies = Math.max(1, names.filter((name) => name.level === 'regency').length)
  const reach_km: Readonly<Record<Level, number>> = {
    province: 0, regency: extent.radius_km, district: (extent.radius_km / Math.sqrt(regencies)) * 0.8, village: Math.min(8, extent.radius_km / 6),
  }
  for (const region of [...names].sort((a, b) => a.code.length - b.code.length || (a.code < b.code ? -1 : 1))) {
    const random = seeded(hash32(`${seed} ${region.code}`))
    const parent = parentOf(region.code)
    const centre = (parent === null ? undefined : places.get(parent)) ?? extent
    const place = near(centre, reach_km[region.level], random, plausible)
    places.set(region.code, place)
    regions.push({ ...region, parent, ...place })
    const zone = zoneOf(region.code)
    if (region.level !== 'village' || zone === null) continue
    const count = 1 + Math.floor(8 * random() ** 1.5)
    for (let number = 1; number <= count; number++) {
      const position = near(place, 0.8, random, plausible)
      const voters = voters_max - Math.floor(120 * random())
      stations.push({ code: stationCode(region.code, number), village: region.code, number, ...position, zone, voters })
    }
  }
  return { regions, stations }
}
