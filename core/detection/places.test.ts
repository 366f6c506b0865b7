import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ellipsesAround, places_max, placesAround } from './beside.ts'
import { beside_count, buildPlaces, nearestPlaces, type DetectionStation, type Places } from './places.ts'
import { startDetection } from './state.ts'

const stationsOf = fc.array(fc.record({ village: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3 })), latitude: fc.integer({ min: 0, max: 80 }), longitude: fc.integer({ min: 0, max: 80 }), hasPosition: fc.integer({ min: 0, max: 400 }).map((draw) => draw > 0) }), { minLength: 1, maxLength: 200, size: 'max' })
  .map((rows) => rows.map(({ village, latitude, longitude, hasPosition }, index): DetectionStation => ({
    code: `7501${String(1 + (village % 3)).padStart(2, '0')}${1000 + village}${String(index).padStart(3, '0')}`, village: `7501${String(1 + (village % 3)).padStart(2, '0')}${1000 + village}`,
    latitude: hasPosition ? -1 + latitude / 100 : null, longitude: hasPosition ? 120 + longitude / 100 : null,
  })))

const membersOf = ({ members, start }: Places, place: number): number[] => [...members.subarray(start[place], start[place + 1])]

test('every station is in one place, of its own village, and a place of positions that differ is small', () => {
  fc.assert(fc.property(stationsOf, (stations) => {
    const places = buildPlaces(stations)
    assert.deepEqual([...places.members].sort((a, b) => a - b), [...stations.keys()])
    for (let place = 0; place < places.count; place++) {
      const members = membersOf(places, place)
      assert.ok(members.length > 0)
      for (const station of members) assert.equal(places.of[station], place)
      const [village, ...others] = new Set(members.map((station) => stations[station]?.village))
      assert.deepEqual(others, [])
      assert.equal(places.district[place], Number(village?.slice(0, 6)))
      const known = members.every((station) => stations[station]?.latitude !== null)
      assert.ok(members.length <= 12 || !known, `${members.length} stations`)
    }
  }), { numRuns: 400 })
})

test('a large village at one position is cut by the numbers of its stations, and its parts lie beside each other', () => {
  const village = (code: string, count: number, longitude: number): DetectionStation[] => Array.from({ length: count }, (_, index) => ({ code: `${code}${String(index + 1).padStart(3, '0')}`, village: code, latitude: -6, longitude }))
  const stations = [...village('3171011001', 40, 106.8), ...village('3171011002', 5, 106.801)]
  const places = buildPlaces(stations)
  assert.deepEqual(Array.from({ length: places.count }, (_, place) => membersOf(places, place).map((each) => Number(stations[each]?.code.slice(10)))), [
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20], [21, 22, 23, 24, 25, 26, 27, 28, 29, 30], [31, 32, 33, 34, 35, 36, 37, 38, 39, 40], [1, 2, 3, 4, 5],
  ])
  assert.deepEqual(nearestPlaces(places, 0, 4), [1, 2, 3, 4])
})

test('an ellipse takes the same places in as the circle, along its angle first', () => {
  const stations = Array.from({ length: 400 }, (_, index): DetectionStation => ({ code: `7501011${String(1000 + index).slice(1)}001`, village: `7501011${String(1000 + index).slice(1)}`, latitude: 0.01 * Math.floor(index / 20), longitude: 120 + 0.01 * (index % 20) }))
  const state = startDetection(stations)
  const centre = state.places.of[10 * 20 + 10] ?? NaN
  const around = placesAround(state, centre)
  const lists = ellipsesAround(state, centre)
  assert.equal(around.length, places_max)
  for (const list of lists) assert.deepEqual([list[0], [...list].sort((a, b) => a - b)], [centre, [...around].sort((a, b) => a - b)])
  // How far the first 21 reach east, north, north-east and south-east, in steps of the grid.
  const reach = lists.map((list) => {
    const steps = [...list.subarray(0, 21)].map((place) => [(place % 20) - 10, Math.floor(place / 20) - 10] as const)
    return [([x]: readonly [number, number]) => x, ([, y]: readonly [number, number]) => y, ([x, y]: readonly [number, number]) => x + y, ([x, y]: readonly [number, number]) => x - y].map((far) => Math.max(...steps.map(far)))
  })
  assert.deepEqual(reach.map((each) => each.indexOf(Math.max(...each))), [0, 2, 1, 3])
})

test('places stand in the order of their villages, in whatever order the stations come', () => {
  fc.assert(fc.property(stationsOf, fc.func(fc.integer()), (stations, key) => {
    const mixed = stations.map((station) => ({ station, key: key(station.code) })).sort((a, b) => a.key - b.key).map(({ station }) => station)
    const codes = (of: readonly DetectionStation[]): string[][] => {
      const places = buildPlaces(of)
      return Array.from({ length: places.count }, (_, place) => membersOf(places, place).map((station) => of[station]?.code ?? '').sort())
    }
    const found = codes(mixed)
    assert.deepEqual(found, codes(stations))
    const villages = found.map(([first = '']) => first.slice(0, 10))
    assert.deepEqual(villages, villages.toSorted())
  }), { numRuns: 200 })
})

test('the nearest places are those that a look at all of them gives', () => {
  fc.assert(fc.property(stationsOf, fc.integer({ min: 1, max: 20 }), (stations, count) => {
    const places = buildPlaces(stations)
    const { latitude, longitude } = places
    for (let centre = 0; centre < places.count; centre++) {
      const scale = Math.cos(((latitude[centre] ?? 0) * Math.PI) / 180)
      const away = (place: number): number => ((latitude[place] ?? 0) - (latitude[centre] ?? 0)) ** 2 + (((longitude[place] ?? 0) - (longitude[centre] ?? 0)) * scale) ** 2
      const all = Number.isNaN(latitude[centre]) ? [] : Array.from({ length: places.count }, (_, place) => place).filter((place) => place !== centre && !Number.isNaN(latitude[place])).sort((a, b) => away(a) - away(b) || a - b)
      assert.deepEqual(nearestPlaces(places, centre, count), all.slice(0, count))
      assert.deepEqual([...places.beside.subarray(centre * beside_count, (centre + 1) * beside_count)].filter((place) => place >= 0), all.slice(0, beside_count))
    }
  }), { numRuns: 200 })
})
