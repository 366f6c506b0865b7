import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { polygonToCells } from 'h3-js'
import { centreOf, inRuns, keyAt, keyOfCell, makeRuns, type Runs } from '../geo/cells.ts'
import { distance_km } from '../geo/distance.ts'
import { makePolygon } from '../geo/polygon.ts'
import { countCells, coverMask, coverPolygon, makeCover, sampleCells, unite, type Mask } from './cover.ts'

const cover = makeCover()
type Ring = [number, number][]

/** The slow twin: h3's own, centre containment. */
function slowly(rings: readonly Ring[]): number[] {
  return polygonToCells(rings as Ring[], 9, true).map((cell) => keyOfCell(cell, 9)).sort((a, b) => a - b)
}

/** Every key of a set, one by one. */
function keysOf(runs: Runs): number[] {
  const keys: number[] = []
  for (let i = 0; i < runs.length; i += 2) for (let key = runs[i] as number; key < (runs[i + 1] as number); key++) if (!key.toString(8).slice(-9).includes('7')) keys.push(key)
  return keys
}

/** A star around a place: simple, with teeth, its radius up to 0.06 degrees; sizes down to a tenth of a cell. */
const star = fc.record({
  longitude: fc.double({ min: 95, max: 141, noNaN: true }), latitude: fc.double({ min: -11, max: 6, noNaN: true }),
  size: fc.constantFrom(0.0003, 0.003, 0.02, 0.06), radii: fc.array(fc.double({ min: 0.2, max: 1, noNaN: true }), { minLength: 3, maxLength: 24 }),
}).map(({ longitude, latitude, size, radii }): Ring => radii.map((radius, i) => {
  const angle = (2 * Math.PI * i) / radii.length
  return [longitude + size * radius * Math.cos(angle), latitude + size * radius * Math.sin(angle)]
}))

test('property: the cells of a polygon are those h3 gives, and the runs are the ones of these cells', () => {
  fc.assert(fc.property(star, (ring) => {
    const wanted = slowly([[...ring, ring[0] as [number, number]]])
    const runs = coverPolygon(cover, makePolygon([ring]))
    assert.deepEqual(keysOf(runs), wanted)
    assert.deepEqual(runs, makeRuns(wanted.map((key) => [key, key + 1])))
    assert.equal(countCells(runs), wanted.length)
  }), { numRuns: 150 })
})

test('property: a hole is left out, and degrees in whole hundredths are no trouble', () => {
  const whole = fc.integer({ min: 1, max: 9 })
  fc.assert(fc.property(fc.integer({ min: 9500, max: 14000 }), fc.integer({ min: -1000, max: 500 }), whole, whole, (x, y, w, h) => {
    const box = (a: number, b: number, c: number, d: number): Ring => [[a / 100, b / 100], [c / 100, b / 100], [c / 100, d / 100], [a / 100, d / 100], [a / 100, b / 100]]
    const rings = [box(x, y, x + w + 2, y + h + 2), box(x + 1, y + 1, x + w + 1, y + h + 1)]
    assert.deepEqual(keysOf(coverPolygon(cover, makePolygon(rings))), slowly(rings))
  }), { numRuns: 60 })
})

test('a province in one piece is covered as h3 does it', () => {
  const ring: Ring = Array.from({ length: 400 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 400
    const radius = 0.35 + 0.05 * Math.sin(angle * 37) + 0.03 * Math.sin(angle * 91)
    return [107 + radius * Math.cos(angle), -7 + radius * Math.sin(angle)]
  })
  assert.deepEqual(keysOf(coverPolygon(cover, makePolygon([ring]))), slowly([[...ring, ring[0] as [number, number]]]))
})

test('the reach of a cell holds all its fine centres, over the whole frame', () => {
  const edges = [1281.256011, 483.0568391, 182.5129565, 68.97922179, 26.07175968, 9.85409099, 3.724532667, 1.406475763, 0.531414010]
  let worst = 0
  for (let latitude = -11; latitude <= 6; latitude += 1.7)
    for (let longitude = 95; longitude <= 141; longitude += 2.3)
      for (const resolution of [2, 3, 4, 6, 8]) {
        // the outermost centres are those that go on in one direction, or in two by turns
        const cell = keyAt(latitude, longitude, resolution)
        const centre = centreOf(cell, resolution)
        for (let path = 0; path < 49; path++) {
          let key = cell
          for (let level = resolution; level < 9; level++) key = key * 8 + ((level - resolution) % 2 === 0 ? path % 7 : Math.floor(path / 7))
          let steps = 0
          for (let levels = 1; levels <= 9 - resolution; levels++) steps += 7 ** (-levels / 2)
          worst = Math.max(worst, distance_km(centre, centreOf(key, 9)) / ((edges[resolution] as number) * Math.sqrt(3) * steps))
        }
      }
  assert.ok(worst < 1.15 && worst > 0.9, `${worst} of the average cell's reach; the cover allows 1.2`)
})

test('a whole cell is counted without the numbers that are no cells, however its run is written', () => {
  const key = keyAt(-8.6, 121.1, 6)
  assert.equal(countCells(Float64Array.of(key * 512, (key + 1) * 512)), 343)
  assert.equal(countCells(Float64Array.of(key * 512, key * 512 + 439)), 343)
  assert.equal(countCells(Float64Array.of(key * 512 + 7, key * 512 + 9)), 1)
  assert.equal(countCells(Float64Array.of(key * 512, key * 512 + 0o73)), 49)
})

test('property: a union holds what one of its sets holds', () => {
  fc.assert(fc.property(fc.array(star, { maxLength: 6 }), (rings) => {
    // around one place, so that they overlap
    const sets = rings.map((ring) => coverPolygon(cover, makePolygon([ring.map(([x, y]): [number, number] => [120 + (x % 0.05), -5 + (y % 0.05)])])))
    const wanted = [...new Set(sets.flatMap(keysOf))].sort((a, b) => a - b)
    const runs = unite(sets)
    assert.deepEqual(runs, makeRuns(wanted.map((key) => [key, key + 1])))
    assert.ok(wanted.every((key) => inRuns(runs, key)))
  }), { numRuns: 60 })
})

test('property: a mask covers the cells whose centres lie on its pixels, whatever their size', () => {
  const blob = fc.record({ x: fc.integer({ min: 0, max: 79 }), y: fc.integer({ min: 0, max: 49 }), w: fc.integer({ min: 1, max: 60 }), h: fc.integer({ min: 1, max: 40 }), on: fc.boolean() })
  fc.assert(fc.property(fc.array(blob, { minLength: 1, maxLength: 6 }), fc.constantFrom(0.0002, 0.0007, 0.003), fc.double({ min: 95, max: 140, noNaN: true }), fc.double({ min: -10, max: 5, noNaN: true }), (blobs, pixel, west, north) => {
    const mask: Mask = { width: 80, height: 50, west, north, pixel_width_deg: pixel, pixel_height_deg: pixel * 1.1, covered: new Uint8Array(4000) }
    for (const { x, y, w, h, on } of blobs) for (let row = y; row < Math.min(50, y + h); row++) for (let column = x; column < Math.min(80, x + w); column++) mask.covered[row * 80 + column] = on ? 1 : 0
    const south = north - 50 * pixel * 1.1
    const east = west + 80 * pixel
    const all = slowly([[[west, south], [east, south], [east, north], [west, north], [west, south]]])
    const wanted = all.filter((key) => {
      const { latitude, longitude } = centreOf(key, 9)
      return mask.covered[Math.floor((north - latitude) / (pixel * 1.1)) * 80 + Math.floor((longitude - west) / pixel)] === 1
    })
    assert.deepEqual(coverMask(cover, mask), makeRuns(wanted.map((key) => [key, key + 1])))
  }), { numRuns: 30 })
})

test('property: a sample of a set is of the set, as large as asked, and spread over it', () => {
  fc.assert(fc.property(star, fc.integer({ min: 1, max: 40 }), (ring, wanted) => {
    const runs = coverPolygon(cover, makePolygon([ring]))
    const sample = sampleCells(runs, wanted)
    assert.ok(sample.every((key) => inRuns(runs, key)))
    assert.equal(sample.length, runs.length === 0 ? 0 : wanted)
    if (runs.length > 0 && countCells(runs) > 500 && wanted > 20) assert.ok(new Set(sample).size > wanted / 2)
  }), { numRuns: 60 })
})
