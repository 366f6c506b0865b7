import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distance_km } from '@kawal/core/geo/distance.ts'
import { createFootprint } from './footprint.ts'

const stationArb = fc.record({
  code: fc.tuple(fc.constantFrom('53', '7501', '750101', '7501011001'), fc.stringMatching(/^[0-9]{13}$/)).map(([start, rest]) => (start + rest).slice(0, 13)),
  latitude: fc.option(fc.double({ min: -11, max: 6, noNaN: true })), longitude: fc.double({ min: 95, max: 141, noNaN: true }),
}).map(({ code, latitude, longitude }) => ({ code, latitude, longitude: latitude === null ? null : longitude }))
const near = fc.record({ code: fc.stringMatching(/^7501011001[0-9]{3}$/), latitude: fc.double({ min: 0.4, max: 0.7, noNaN: true }), longitude: fc.double({ min: 122.9, max: 123.2, noNaN: true }) })
const register = fc.uniqueArray(fc.oneof(stationArb, near), { selector: (station) => station.code, maxLength: 60 }).map((list) => list.toSorted((a, b) => (a.code < b.code ? -1 : 1)))
const point = fc.record({ latitude: fc.double({ min: 0.3, max: 0.8, noNaN: true }), longitude: fc.double({ min: 122.8, max: 123.3, noNaN: true }), radiusM: fc.double({ min: 1, max: 100_000, noNaN: true }) })

test('an extent holds the stations that a look at each of them finds', () => {
  fc.assert(fc.property(register, fc.array(fc.constantFrom('53', '75', '7501', '750101', '7501011001', '7501011001001', '99', ''), { maxLength: 3 }), fc.array(point, { maxLength: 3 }), (stations, areas, points) => {
    const slow = stations.filter(({ code, latitude, longitude }) => areas.some((area) => area !== '' && code.startsWith(area))
      || (latitude !== null && longitude !== null && points.some((each) => distance_km(each, { latitude, longitude }) <= each.radiusM / 1000))).map(({ code }) => code)
    const footprint = createFootprint(stations)
    assert.deepEqual(footprint.stationsOf({ areas, points }), slow)
    assert.deepEqual(footprint.stationsOf({ areas, points }), slow, 'and when it is remembered')
  }))
})

test('a province is made once, however many alarms name it', () => {
  const footprint = createFootprint([{ code: '7501011001001', latitude: null, longitude: null }])
  assert.equal(footprint.stationsOf({ areas: ['75'], points: [] }), footprint.inArea('75'))
})
