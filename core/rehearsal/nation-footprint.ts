import { degree_km } from '../geo/distance.ts'
import { makeNearestTree, nearestSome } from '../geo/nearest.ts'
import type { Random } from '../kernel/random.ts'
import type { Ground } from './nation-ground.ts'

/** Where something happens: whole villages, or the first stations of one. */
export interface Footprint {
  readonly places: Int32Array
  readonly stations: Int32Array
  /** Places around it, in which nothing else may happen at the time. */
  readonly margin: Int32Array
  readonly provinces: readonly string[]
}

export interface Finder {
  /** `count` villages around a random one. */
  villages(random: Random, count: number): Footprint
  /** About `count` stations around a random one, in a shape `aspect` times as long as wide. */
  stations(random: Random, count: number, aspect: number): Footprint
  /** The villages of one access point; null where there is none. */
  point(random: Random): Footprint | null
  /** `count` villages of access points, as one satellite beam serves them; null where there are not twice as many. */
  beam(random: Random, count: number): Footprint | null
  /** `count` provinces that lie together, at most half of all; null where half of all are fewer than three. */
  core(random: Random, count: number): Footprint | null
  /** Codes of `count` provinces that lie together; all where there are fewer. */
  provinces(random: Random, count: number): string[]
}

const ascending = (values: readonly number[]): Int32Array => Int32Array.from(values).sort()

/** Finds places for what happens, by position; places without one take part in whole provinces only. */
export function createFinder(ground: Ground): Finder {
  const { places, stationStart, placeOf } = ground
  const latitudes = Float64Array.from(places, ({ latitude }) => latitude ?? NaN)
  const longitudes = Float64Array.from(places, ({ longitude }) => longitude ?? NaN)
  const placed = Int32Array.from(places.flatMap(({ latitude, longitude }, place) => (latitude === null || longitude === null ? [] : [place])))
  const served = Int32Array.from(ground.points.flatMap((point) => [...point])).sort()
  const [all, remote] = [makeNearestTree(latitudes, longitudes, placed), makeNearestTree(latitudes, longitudes, served)]
  const size = (place: number): number => (stationStart[place + 1] ?? 0) - (stationStart[place] ?? 0)
  const near = (tree: typeof all, centre: number, count: number): number[] =>
    [...nearestSome(tree, latitudes.subarray(centre, centre + 1), longitudes.subarray(centre, centre + 1), count).index].filter((place) => place >= 0)

  /** A station's village, so that many stations weigh more; one with a position. */
  const centreOf = (random: Random): number => {
    const place = placeOf[Math.floor(random() * placeOf.length)] ?? 0
    return Number.isNaN(latitudes[place] ?? NaN) ? (placed[Math.floor(random() * placed.length)] ?? 0) : place
  }
  const whole = (chosen: readonly number[], margin: readonly number[], provinces: readonly string[] = []): Footprint => ({
    places: ascending(chosen), margin: Int32Array.from(margin), provinces,
    stations: ascending(chosen.flatMap((place) => Array.from({ length: size(place) }, (_, index) => (stationStart[place] ?? 0) + index))),
  })

  function stretched(candidates: readonly number[], centre: number, aspect: number, bearing: number): number[] {
    const [x0, y0] = [longitudes[centre] ?? 0, latitudes[centre] ?? 0]
    const across = Math.cos((y0 * Math.PI) / 180)
    const metric = (place: number): number => {
      const [x, y] = [((longitudes[place] ?? 0) - x0) * degree_km * across, ((latitudes[place] ?? 0) - y0) * degree_km]
      const along = x * Math.sin(bearing) + y * Math.cos(bearing)
      return along ** 2 / aspect + (x * Math.cos(bearing) - y * Math.sin(bearing)) ** 2 * aspect
    }
    return candidates.map((place) => ({ place, far: metric(place) })).sort((a, b) => a.far - b.far || a.place - b.place).map(({ place }) => place)
  }

  function together(random: Random, count: number): string[] {
    const centres = ground.provinces.map((code, province) => {
      const own = placed.filter((place) => ground.provinceOf[place] === province)
      const mean = (values: Float64Array): number => own.reduce((sum, place) => sum + (values[place] ?? 0), 0) / Math.max(1, own.length)
      return { code, latitude: mean(latitudes), longitude: mean(longitudes) }
    })
    const first = centres[Math.floor(random() * centres.length)]
    if (first === undefined) return []
    const far = (each: (typeof centres)[number]): number => (each.latitude - first.latitude) ** 2 + (each.longitude - first.longitude) ** 2
    return centres.sort((a, b) => far(a) - far(b) || (a.code < b.code ? -1 : 1)).slice(0, count).map(({ code }) => code)
  }

  return {
    villages: (random, count) => whole(near(all, centreOf(random), count), []),
    stations(random, count, aspect) {
      const [centre, bearing] = [centreOf(random), Math.PI * random()]
      if (size(centre) > count) {
        const from = (stationStart[centre] ?? 0) + Math.floor(random() * (size(centre) - count + 1))
        return { places: Int32Array.of(centre), stations: Int32Array.from({ length: count }, (_, index) => from + index), margin: Int32Array.from(near(all, centre, 7)), provinces: [] }
      }
      for (let wanted = Math.ceil(count / 5) * aspect + 8; ; wanted *= 2) {
        const ordered = stretched(near(all, centre, Math.min(wanted, placed.length)), centre, aspect, bearing)
        let [stations, used] = [0, 0]
        while (stations < count && used < ordered.length) stations += size(ordered[used++] ?? 0)
        const margin = Math.max(6, used >> 1)
        // an ellipse of the candidates' own circle is whole only where it takes a part of them
        if (used * aspect + margin <= ordered.length || wanted >= placed.length) return whole(ordered.slice(0, used), ordered.slice(used, used + margin))
      }
    },
    point(random) {
      const point = ground.points[Math.floor(random() * ground.points.length)]
      return point === undefined ? null : whole([...point], near(remote, point[0] ?? 0, point.length + 3))
    },
    beam: (random, count) => (served.length < 2 * count ? null : whole(near(remote, served[Math.floor(random() * served.length)] ?? 0, count), [])),
    core(random, count) {
      if (ground.provinces.length < 6) return null
      const codes = together(random, Math.min(count, ground.provinces.length >> 1))
      const chosen = places.flatMap(({ code }, place) => (codes.includes(code.slice(0, 2)) ? [place] : []))
      return whole(chosen, [], codes)
    },
    provinces: together,
  }
}
