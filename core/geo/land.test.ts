import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distance_km } from './distance.ts'
import { makeLand, onLand, shoreDistance_km, type Ring } from './land.ts'

/** The slow obvious twin: every edge, no bins. */
function onLandSlowly(rings: readonly Ring[], x: number, y: number): boolean {
  let inside = false
  for (const ring of rings)
    for (const [i, [x1, y1]] of ring.entries()) {
      const [x2, y2] = ring[(i + 1) % ring.length] ?? [0, 0]
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside
    }
  return inside
}

const point = fc.tuple(fc.double({ min: 120, max: 121, noNaN: true }), fc.double({ min: -9, max: -8, noNaN: true }))

test('property: the binned land answers as the slow one', () => {
  fc.assert(fc.property(fc.array(fc.array(point, { minLength: 3, maxLength: 8 }), { minLength: 1, maxLength: 3 }), point, (rings, [longitude, latitude]) => {
    assert.equal(onLand(makeLand(rings), { latitude, longitude }), onLandSlowly(rings, longitude, latitude))
  }))
})

test('the shore of a square is as far as it is', () => {
  const land = makeLand([[[120, -9], [121, -9], [121, -8], [120, -8]]])
  assert.ok(onLand(land, { latitude: -8.5, longitude: 120.5 }))
  assert.ok(!onLand(land, { latitude: -8.5, longitude: 119.95 }))
  const km = shoreDistance_km(land, { latitude: -8.5, longitude: 119.95 })
  assert.ok(Math.abs(km - distance_km({ latitude: -8.5, longitude: 119.95 }, { latitude: -8.5, longitude: 120 })) < 0.01)
  assert.equal(shoreDistance_km(land, { latitude: -8.5, longitude: 118 }), Infinity)
})

test('one degree of latitude is 111.2 km', () => {
  assert.ok(Math.abs(distance_km({ latitude: 0, longitude: 110 }, { latitude: 1, longitude: 110 }) - 111.195) < 0.01)
})
