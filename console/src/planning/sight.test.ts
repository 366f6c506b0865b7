import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isInRing, placeAt, tileOnFrame, tilesIn } from './sight.ts'

const frame = { width: 1200, height: 800 }
const worldPx = 512
/** A map as MapLibre has it: the slow way, by the formulas of Web Mercator. */
function mapAt(longitude: number, latitude: number, zoom: number) {
  const size = worldPx * 2 ** zoom
  const mercator = (degrees: number): number => (1 - Math.asinh(Math.tan((degrees * Math.PI) / 180)) / Math.PI) / 2
  const back = (height: number): number => (Math.atan(Math.sinh(Math.PI * (1 - 2 * height))) * 180) / Math.PI
  const [cx, cy] = [((longitude + 180) / 360) * size, mercator(latitude) * size]
  return {
    project: (lon: number, lat: number) => ({ x: ((lon + 180) / 360) * size - cx + frame.width / 2, y: mercator(lat) * size - cy + frame.height / 2 }),
    sight: {
      west: ((cx - frame.width / 2) / size) * 360 - 180, east: ((cx + frame.width / 2) / size) * 360 - 180,
      north: back((cy - frame.height / 2) / size), south: back((cy + frame.height / 2) / size),
    },
  }
}
const somewhere = fc.record({ longitude: fc.double({ min: 95, max: 141, noNaN: true }), latitude: fc.double({ min: -11, max: 6, noNaN: true }), zoom: fc.double({ min: 4, max: 14, noNaN: true }) })

test('a point of the frame and its place are each other', () => {
  fc.assert(fc.property(somewhere, fc.integer({ min: 0, max: 1200 }), fc.integer({ min: 0, max: 800 }), ({ longitude, latitude, zoom }, x, y) => {
    const map = mapAt(longitude, latitude, zoom)
    const place = placeAt(map.sight, frame, x, y)
    const back = map.project(place.longitude, place.latitude)
    // five decimals are 1.2 pixels at zoom 14 and a hair more in latitude
    assert.ok(Math.hypot(back.x - x, back.y - y) < 1.3, `${back.x} ${back.y} for ${x} ${y}`)
  }))
})

test('the tiles in sight hold every corner of it, and are not many', () => {
  fc.assert(fc.property(somewhere, ({ longitude, latitude, zoom }) => {
    const map = mapAt(longitude, latitude, zoom)
    const tiles = tilesIn(map.sight, zoom)
    assert.ok(tiles.length >= 1 && tiles.length <= 24)
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
    for (const tile of tiles) {
      const on = tileOnFrame(tile, 4096, map.project)
      left = Math.min(left, on.left)
      top = Math.min(top, on.top)
      right = Math.max(right, on.left + on.unit * 4096)
      bottom = Math.max(bottom, on.top + on.unit * 4096)
      assert.ok(on.unit > 0)
    }
    assert.ok(left <= 0.01 && top <= 0.01 && right >= frame.width - 0.01 && bottom >= frame.height - 0.01, `${left} ${top} ${right} ${bottom}`)
  }))
})

test('inside and outside of a ring', () => {
  const hexagon = [10, 0, 5, 9, -5, 9, -10, 0, -5, -9, 5, -9]
  assert.ok(isInRing(hexagon, 0, 0) && isInRing(hexagon, 9, 0.1) && isInRing(hexagon, -4, 8))
  assert.ok(!isInRing(hexagon, 9, 5) && !isInRing(hexagon, 11, 0) && !isInRing(hexagon, 0, -10))
})
