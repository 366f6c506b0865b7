import { distance_km } from '../geo/distance.ts'
import { makeNearestTree, nearestSome } from '../geo/nearest.ts'
import { accessPoint, cellular, fixed } from '../detection/evidence.ts'
import { hash32, seeded } from '../kernel/random.ts'
import { zoneOf } from '../register/zone.ts'
import { factorOf, gammaFactors, mix32, nextDraw, unit } from './nation-chance.ts'

/** A village, or an urban ward, as the register has it; its stations are numbered from 0 in the order of the places. */
export interface WorldPlace {
  /** 10 digits. */
  readonly code: string
  /** Degrees; null where nobody knows. */
  readonly latitude: number | null
  readonly longitude: number | null
  readonly stations: number
}

/** Who stands where with which phone: what stays as it is all day. */
export interface Ground {
  readonly places: readonly WorldPlace[]
  readonly provinces: readonly string[]
  /** By place. */
  readonly provinceOf: Uint8Array
  /** By place, hours ahead of WIB: 0, 1 or 2. */
  readonly zoneOf_h: Uint8Array
  /** The stations of place p are stationStart[p] to stationStart[p + 1]; of devices by station the same. */
  readonly stationStart: Int32Array
  readonly placeOf: Int32Array
  readonly deviceStart: Int32Array
  readonly devices: number
  /** By device. */
  readonly station: Int32Array
  readonly operator: Uint8Array
  readonly key: Int32Array
  readonly way: Uint8Array
  /** Access points, each with the places that it serves. */
  readonly points: readonly Int32Array[]
}

export const worldOperators = ['telkomsel', 'indosat', 'xlsmart', 'other', 'bakti'] as const
export const bakti = worldOperators.indexOf('bakti')

const officers_per_station = 7
const point_share = 0.04
const fixed_share = 0.04 / (1 - point_share)
const point_places_max = 3
const point_reach_km = 10

/** Shares of the first four operators by the first digit of a province's code, that is by island group; ours, plausible, not measured. */
const shares: Readonly<Record<string, readonly number[]>> = {
  1: [0.55, 0.2, 0.2, 0.05], 2: [0.55, 0.2, 0.2, 0.05], 3: [0.42, 0.28, 0.26, 0.04], 5: [0.6, 0.2, 0.17, 0.03],
  6: [0.58, 0.21, 0.18, 0.03], 7: [0.65, 0.16, 0.16, 0.03], 8: [0.75, 0.1, 0.13, 0.02], 9: [0.75, 0.09, 0.14, 0.02],
}

/** @param onDutyShare of the seven officers of a station, those with the app on duty */
export function makeGround(places: readonly WorldPlace[], seed: number, onDutyShare: number): Ground {
  const provinces = [...new Set(places.map(({ code }) => code.slice(0, 2)))]
  const stationStart = new Int32Array(places.length + 1)
  places.forEach(({ stations }, place) => (stationStart[place + 1] = (stationStart[place] ?? 0) + stations))
  const stations = stationStart[places.length] ?? 0
  const placeOf = new Int32Array(stations)
  places.forEach((_, place) => placeOf.fill(place, stationStart[place], stationStart[place + 1]))
  const points = makePoints(places, seed)
  return {
    places, provinces, stationStart, placeOf, points,
    provinceOf: Uint8Array.from(places, ({ code }) => provinces.indexOf(code.slice(0, 2))),
    zoneOf_h: Uint8Array.from(places, ({ code }) => ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura'].indexOf(zoneOf(code) ?? 'Asia/Jakarta')),
    ...makeDevices(places, placeOf, points, seed, onDutyShare),
  }
}

type Devices = Pick<Ground, 'deviceStart' | 'devices' | 'station' | 'operator' | 'key' | 'way'>

function makeDevices(places: readonly WorldPlace[], placeOf: Int32Array, points: readonly Int32Array[], seed: number, onDutyShare: number): Devices {
  const served = new Uint8Array(places.length)
  for (const point of points) for (const place of point) served[place] = 1
  const salt = hash32(`${seed} officers`)
  const keyOf = (station: number, officer: number): number => mix32((station * officers_per_station + officer) ^ salt)
  const hasApp = (key: number): boolean => unit(nextDraw(key)) < onDutyShare
  const deviceStart = new Int32Array(placeOf.length + 1)
  for (let station = 0; station < placeOf.length; station++) {
    let count = 0
    for (let officer = 0; officer < officers_per_station; officer++) if (hasApp(keyOf(station, officer))) count++
    deviceStart[station + 1] = (deviceStart[station] ?? 0) + count
  }
  const devices = deviceStart[placeOf.length] ?? 0
  const made = { deviceStart, devices, station: new Int32Array(devices), operator: new Uint8Array(devices), key: new Int32Array(devices), way: new Uint8Array(devices) }
  const weights = operatorWeights(places, seed)
  for (let station = 0, device = 0; station < placeOf.length; station++)
    for (let officer = 0; officer < officers_per_station; officer++) {
      const key = keyOf(station, officer)
      if (!hasApp(key)) continue
      const place = placeOf[station] ?? 0
      const draw = nextDraw(nextDraw(key))
      made.station[device] = station
      made.key[device] = key
      made.operator[device] = served[place] === 1 ? bakti : pick(weights, place * 4, unit(draw))
      made.way[device] = served[place] === 1 ? accessPoint : unit(nextDraw(draw)) < fixed_share ? fixed : cellular
      device++
    }
  return made
}

/** Four shares a place: its province's, each moved by the province (cv 0.1) and by the village (cv 0.4). */
function operatorWeights(places: readonly WorldPlace[], seed: number): Float32Array {
  const [ofProvince, ofPlace] = [gammaFactors(0.1), gammaFactors(0.4)]
  const weights = new Float32Array(places.length * 4)
  places.forEach(({ code }, place) => {
    const table = shares[code[0] ?? ''] ?? [0.5, 0.25, 0.2, 0.05]
    for (let operator = 0; operator < 4; operator++) {
      const moved = (name: string, factors: Float32Array): number => factorOf(factors, mix32(hash32(`${seed} share ${operator} ${name}`)))
      weights[place * 4 + operator] = (table[operator] ?? 0) * moved(code.slice(0, 2), ofProvince) * moved(code, ofPlace)
    }
  })
  return weights
}

function pick(weights: Float32Array, from: number, share: number): number {
  let left = share * ((weights[from] ?? 0) + (weights[from + 1] ?? 0) + (weights[from + 2] ?? 0) + (weights[from + 3] ?? 0))
  for (let operator = 0; operator < 3; operator++) {
    left -= weights[from + operator] ?? 0
    if (left < 0) return operator
  }
  return 3
}

/** The loneliest villages, with some chance, are served by access points; a point serves up to three that lie near. */
function makePoints(places: readonly WorldPlace[], seed: number): Int32Array[] {
  const placed = places.flatMap(({ latitude, longitude }, place) => (latitude === null || longitude === null ? [] : [{ place, latitude, longitude }]))
  const [latitudes, longitudes] = [Float64Array.from(placed, (each) => each.latitude), Float64Array.from(placed, (each) => each.longitude)]
  const far = nearestSome(makeNearestTree(latitudes, longitudes), latitudes, longitudes, 6).distance_km
  const random = seeded(hash32(`${seed} points`))
  const lonely = placed.map((each, index) => ({ ...each, score: Math.min(far[index * 6 + 5] ?? 0, 1e4) * random() }))
    .sort((a, b) => b.score - a.score || a.place - b.place).slice(0, Math.round(point_share * places.length)).sort((a, b) => a.place - b.place)
  const points: { first: (typeof lonely)[number]; places: number[] }[] = []
  for (const each of lonely) {
    const last = points.at(-1)
    if (last !== undefined && last.places.length < point_places_max && distance_km(last.first, each) < point_reach_km) last.places.push(each.place)
    else points.push({ first: each, places: [each.place] })
  }
  return points.map((point) => Int32Array.from(point.places))
}
