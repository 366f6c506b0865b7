import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Ring } from './land.ts'
import { bordersBetween, centroidOf, crossingOf, gatherEdges, inside, makePolygon } from './polygon.ts'

/** Ten-thousandths of a degree: what lies on an edge does so exactly, and nothing lies within rounding of one. */
const coordinate = (from: number) => fc.integer({ min: 0, max: 10_000 }).map((step) => from + step / 10_000)
const point = fc.tuple(coordinate(120), coordinate(-9))
const rings = fc.array(fc.array(point, { minLength: 3, maxLength: 9 }), { minLength: 1, maxLength: 3 })

/** The slow twin: a ray to the east, by where it meets each edge. */
function insideSlowly(all: readonly Ring[], [x, y]: readonly [number, number]): boolean {
  let within = false
  for (const ring of all)
    for (const [i, [x1, y1]] of ring.entries()) {
      const [x2, y2] = ring[(i + 1) % ring.length] ?? [0, 0]
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) within = !within
    }
  return within
}

/** Not on the line of any edge: there the two ways to ask may round to different sides, and either is right. */
function isClear(all: readonly Ring[], [x, y]: readonly [number, number]): boolean {
  return all.every((ring) => ring.every(([x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length] ?? [0, 0]
    return (x1 === x2 && y1 === y2) || Math.abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) > 1e-10
  }))
}

test('property: inside is what a ray says, and the borders between two positions tell when it changes', () => {
  fc.assert(fc.property(rings, point, point, (all, a, b) => {
    fc.pre(isClear(all, a) && isClear(all, b) && isClear(all, [b[0], a[1]]))
    const polygon = makePolygon(all)
    assert.equal(inside(polygon, a[1], a[0]), insideSlowly(all, a))
    const every = Int32Array.from({ length: polygon.edges.length / 4 }, (_, i) => i * 4)
    assert.equal(bordersBetween(polygon, every, every.length, a[1], a[0], b[1], b[0]), insideSlowly(all, a) !== insideSlowly(all, b))
  }))
})

test('property: the edges near a position are those that a walk along each comes near by', () => {
  fc.assert(fc.property(rings, point, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (all, [x, y], within) => {
    const { edges } = makePolygon(all)
    const every = Int32Array.from({ length: edges.length / 4 }, (_, i) => i * 4)
    const near = new Int32Array(every.length)
    const found = new Set(near.subarray(0, gatherEdges(makePolygon(all), every, every.length, y, x, within, near)))
    for (const e of every) {
      let least = Infinity
      for (let step = 0; step <= 500; step++) {
        const share = step / 500
        const dx = ((edges[e] ?? 0) + share * ((edges[e + 2] ?? 0) - (edges[e] ?? 0)) - x) * Math.cos((y * Math.PI) / 180)
        least = Math.min(least, Math.hypot(dx, (edges[e + 1] ?? 0) + share * ((edges[e + 3] ?? 0) - (edges[e + 1] ?? 0)) - y))
      }
      // a walk in steps is up to half a step too far
      if (least <= within) assert.ok(found.has(e))
      if (least > within + 0.002) assert.ok(!found.has(e))
    }
  }), { numRuns: 50 })
})

test('a ring that crosses itself is seen, one that touches itself or turns back is not', () => {
  assert.ok(crossingOf([[0, 0], [2, 2], [2, 0], [0, 2]]) !== null)
  assert.equal(crossingOf([[0, 0], [2, 0], [2, 2], [0, 2]]), null)
  assert.equal(crossingOf([[0, 0], [2, 0], [1, 1], [2, 2], [0, 2], [1, 1]]), null)
  assert.equal(crossingOf([[0, 0], [2, 0], [2, 2], [2, 0], [0, 2]]), null)
})

test('property: a star does not cross itself, and with two far corners swapped it does', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0.5, max: 1, noNaN: true }), { minLength: 8, maxLength: 40 }), (radii) => {
    const star: [number, number][] = radii.map((radius, i) => [radius * Math.cos((2 * Math.PI * i) / radii.length), radius * Math.sin((2 * Math.PI * i) / radii.length)])
    assert.equal(crossingOf(star), null)
    const half = Math.floor(radii.length / 2)
    const swapped = star.map((at, i) => (i === 1 ? (star[half + 1] as [number, number]) : i === half + 1 ? (star[1] as [number, number]) : at))
    assert.ok(crossingOf(swapped) !== null)
  }))
})

test('the centroid of a square with a hole lies away from the hole, whichever way the rings turn', () => {
  const square: Ring = [[0, 0], [4, 0], [4, 4], [0, 4]]
  const hole: Ring = [[2, 1], [3, 1], [3, 3], [2, 3]]
  const wanted = { longitude: (16 * 2 - 2 * 2.5) / 14, latitude: 2 }
  for (const [a, b] of [[square, hole], [[...square].reverse(), hole], [square, [...hole].reverse()]] as const) {
    const { latitude, longitude, weight } = centroidOf([a, b])
    assert.ok(Math.abs(latitude - wanted.latitude) < 1e-12 && Math.abs(longitude - wanted.longitude) < 1e-12)
    assert.equal(weight, 28)
  }
  assert.deepEqual(centroidOf([[[1, 1], [3, 3]]]), { latitude: 2, longitude: 2, weight: 0 })
})
