import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distance_km } from './distance.ts'
import { elevationAt_m, profile, type Raster } from './terrain.ts'

const unknown = -32768

/** Tiles of a degree with `side` samples, from a function of the sample's place; a tile that is not `has` is missing. */
function degrees(west: number, north: number, columns: number, rows: number, side: number, elevation: (latitude: number, longitude: number) => number, has = (_tile: number): boolean => true): Raster {
  const samples: number[] = []
  const starts: number[] = []
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      starts.push(has(row * columns + column) ? samples.length : -1)
      if (!has(row * columns + column)) continue
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) samples.push(elevation(north - row - y / (side - 1), west + column + x / (side - 1)))
    }
  return {
    projection: 'geographic', registration: 'node', west, north, tilesEast: 1, tilesSouth: 1, columns, rows, starts: Int32Array.from(starts),
    widths: new Int32Array(columns * rows).fill(side), heights: new Int32Array(columns * rows).fill(side), samples_m: Float32Array.from(samples), unknown, resolution_m: 111_000 / (side - 1),
  }
}

/** Four Mercator tiles of zoom 7 around the equator and 106.875 E, as images are. */
function mercator(elevation: (x: number, y: number) => number): Raster {
  const sides = [5, 7, 7, 5]
  const starts: number[] = []
  const samples: number[] = []
  sides.forEach((side, tile) => {
    starts.push(samples.length)
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) samples.push(elevation(101 + (tile % 2) + (x + 0.5) / side, 63 + Math.floor(tile / 2) + (y + 0.5) / side))
  })
  return {
    projection: 'mercator', registration: 'area', west: 101, north: 63, tilesEast: 128, tilesSouth: 128, columns: 2, rows: 2, starts: Int32Array.from(starts),
    widths: Int32Array.from(sides), heights: Int32Array.from(sides), samples_m: Int16Array.from(samples), unknown, resolution_m: 50_000,
  }
}

const plane = (latitude: number, longitude: number): number => 100 + 20 * (latitude + 8) - 13 * (longitude - 110)
const within = fc.record({ latitude: fc.double({ min: -9.99, max: -7.01, noNaN: true }), longitude: fc.double({ min: 110.01, max: 113.99, noNaN: true }) })

test('bilinear sampling of a twisted surface is exact within a cell, and goes on over the seams of tiles', () => {
  const terrain = [degrees(110, -7, 4, 3, 11, plane)]
  fc.assert(fc.property(within, ({ latitude, longitude }) => assert.ok(Math.abs(elevationAt_m(terrain, latitude, longitude) - plane(latitude, longitude)) < 1e-3)), { seed: 3 })
  // one cell, twisted: the slow formula by areas
  const corners = [10, 20, 50, 900] as const
  const cell = [degrees(0, 1, 1, 1, 2, (latitude, longitude) => corners[(latitude === 1 ? 0 : 2) + longitude] ?? NaN)]
  const [a, b, c, d] = corners
  const share = fc.double({ min: 0, max: 0.999, noNaN: true })
  fc.assert(fc.property(share, share, (x, y) => {
    const slow = a * (1 - x) * (1 - y) + b * x * (1 - y) + c * (1 - x) * y + d * x * y
    assert.ok(Math.abs(elevationAt_m(cell, 1 - y, x) - slow) < 1e-9)
  }), { seed: 4 })
})

test('Mercator tiles of different sizes lie where their numbers say', () => {
  const terrain = [mercator((x, y) => Math.round(1000 * (x - 101) + 4000 * (y - 63)))]
  // 102 / 128 of the way round is 106.875 E; the equator is the top of row 64
  assert.ok(Math.abs(elevationAt_m(terrain, -1.4, 106.875 + 1.4) - (1500 + 4000 * 1.498)) < 15)
  assert.ok(Math.abs(elevationAt_m(terrain, 1.4, 106.875 - 1.4) - (500 + 4000 * 0.502)) < 15)
  // the outermost samples go on up to the edge
  assert.equal(elevationAt_m(terrain, 2.811, 104.063), 1000 * 0.1 + 4000 * 0.1)
  assert.ok(Number.isNaN(elevationAt_m(terrain, 2.9, 105)))
  assert.ok(Number.isNaN(elevationAt_m(terrain, 0, 109.7)))
})

test('beside an unknown sample the nearest one counts, and what one raster lacks another gives', () => {
  const holed = degrees(110, -7, 1, 1, 3, (latitude, longitude) => (latitude === -7.5 && longitude === 110.5 ? unknown : 100))
  assert.equal(elevationAt_m([holed], -7.2, 110.2), 100)
  assert.ok(Number.isNaN(elevationAt_m([holed], -7.4, 110.4)))
  const coarse = degrees(109, -6, 3, 3, 2, () => 7)
  assert.equal(elevationAt_m([holed, coarse], -7.4, 110.4), 7)
  assert.equal(elevationAt_m([holed, coarse], -7.2, 110.2), 100)
  const partly = degrees(110, -7, 2, 1, 2, () => 50, (tile) => tile !== 1)
  assert.ok(Number.isNaN(elevationAt_m([partly], -7.5, 111.5)))
  assert.equal(elevationAt_m([], -7, 110), NaN)
})

test('a profile is what its great circle crosses, evenly spaced; a slow twin walks it point by point', () => {
  const terrain = [degrees(110, -7, 4, 3, 11, plane)]
  const radian = Math.PI / 180
  const vector = ({ latitude, longitude }: { latitude: number; longitude: number }): number[] => [Math.cos(latitude * radian) * Math.cos(longitude * radian), Math.cos(latitude * radian) * Math.sin(longitude * radian), Math.sin(latitude * radian)]
  fc.assert(fc.property(within, within, fc.integer({ min: 2, max: 90 }), fc.nat(5), (from, to, intervals, offset) => {
    const into = new Float64Array(intervals + 1 + offset + 1).fill(-1)
    assert.equal(profile(terrain, from.latitude, from.longitude, to.latitude, to.longitude, intervals, into, offset), 0)
    assert.ok(into.subarray(0, offset).every((value) => value === -1) && into.at(-1) === -1)
    const angle = distance_km(from, to) / 6371.0088
    const [a, b] = [vector(from), vector(to)]
    for (let i = 0; i <= intervals; i++) {
      const share = i / intervals
      const [wa, wb] = angle < 1e-9 ? [1 - share, share] : [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)]
      const [x = 0, y = 0, z = 0] = a.map((value, axis) => wa * value + wb * (b[axis] ?? 0))
      const slow = plane(Math.asin(Math.min(1, z)) / radian, Math.atan2(y, x) / radian)
      // the plane climbs 24 m a degree: 0.005 m are some 20 m on the ground
      assert.ok(Math.abs((into[offset + i] ?? NaN) - slow) < 0.005, `${i}: ${into[offset + i]} and ${slow}`)
    }
  }), { seed: 5, numRuns: 200 })
})

test('what a profile does not know is counted and lies at the level of the sea', () => {
  const west = degrees(110, -7, 1, 1, 3, () => 300)
  const into = new Float64Array(11)
  assert.equal(profile([west], -7.5, 110.5, -7.5, 111.5, 10, into, 0), 6)
  assert.deepEqual([...into], [300, 300, 300, 300, 300, 0, 0, 0, 0, 0, 0])
  assert.equal(profile([west, degrees(111, -7, 1, 1, 3, () => 40)], -7.5, 110.5, -7.5, 111.5, 10, into, 0), 0)
  assert.deepEqual([...into], [300, 300, 300, 300, 300, 40, 40, 40, 40, 40, 40])
  // the finer raster lies over the coarse one
  assert.equal(profile([west, degrees(109, -6, 3, 3, 2, () => 40)], -7.5, 110.5, -7.5, 111.5, 10, into, 0), 0)
  assert.deepEqual([...into], [300, 300, 300, 300, 300, 40, 40, 40, 40, 40, 40])
  assert.equal(profile([], 0, 110, 0, 111, 10, into, 0), 11)
})
