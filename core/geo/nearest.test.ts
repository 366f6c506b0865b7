import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { distance_km, type Position } from './distance.ts'
import { makeNearestTree, nearestAll, nearestSome } from './nearest.ts'

const columns = (positions: readonly Position[]): [Float64Array, Float64Array] =>
  [Float64Array.from(positions, (position) => position.latitude), Float64Array.from(positions, (position) => position.longitude)]

/** The slow obvious twin: every distance, sorted; equally far (to a tenth of a millimetre) by number. */
function nearestSlowly(points: readonly Position[], query: Position, k: number): { index: number; km: number }[] {
  return points.map((point, index) => ({ index, km: distance_km(point, query) })).sort((a, b) => (Math.abs(a.km - b.km) < 1e-7 ? a.index - b.index : a.km - b.km)).slice(0, k)
}

/** Of a coarse grid, so that points coincide and lie equally far. */
const onGrid = fc.record({ latitude: fc.integer({ min: -8, max: 8 }), longitude: fc.integer({ min: 172, max: 188 }) })
const anywhere = fc.record({ latitude: fc.double({ min: -90, max: 90, noNaN: true }), longitude: fc.double({ min: -180, max: 180, noNaN: true }) })

/** Within 15 km of the antipode the haversine's arcsine is asked at 1, where its last digit is metres. */
const tolerance_km = (km: number): number => (km > 20_000 ? 0.1 : 1e-6)

test('property: the k nearest are the slow ones, anywhere on the sphere', () => {
  fc.assert(fc.property(fc.array(anywhere, { maxLength: 60 }), fc.array(anywhere, { maxLength: 10 }), fc.integer({ min: 1, max: 5 }), (points, queries, k) => {
    const { index, distance_km: km } = nearestSome(makeNearestTree(...columns(points)), ...columns(queries), k)
    queries.forEach((query, at) => {
      const slow = nearestSlowly(points, query, k)
      for (let rank = 0; rank < k; rank++) {
        const found = index[at * k + rank] ?? -2
        assert.equal(found === -1, slow[rank] === undefined)
        assert.ok(found === -1 ? km[at * k + rank] === Infinity : Math.abs((km[at * k + rank] ?? NaN) - (slow[rank]?.km ?? NaN)) < tolerance_km(slow[rank]?.km ?? 0))
        if (found !== -1) assert.ok(Math.abs(distance_km(points[found] ?? query, query) - (slow[rank]?.km ?? NaN)) < tolerance_km(slow[rank]?.km ?? 0))
      }
    })
  }))
})

test('property: of points at one position the lowest number is given, whatever was asked before', () => {
  fc.assert(fc.property(fc.array(onGrid, { minLength: 1, maxLength: 200 }), fc.array(onGrid, { minLength: 1, maxLength: 30 }), (points, queries) => {
    const tree = makeNearestTree(...columns(points))
    const { index, distance_km: km } = nearestAll(tree, ...columns(queries))
    queries.forEach((query, at) => {
      const found = points[index[at] ?? -1] ?? assert.fail('nothing was found')
      assert.equal(index[at], points.findIndex((point) => point.latitude === found.latitude && point.longitude === found.longitude))
      assert.ok(Math.abs((km[at] ?? NaN) - (nearestSlowly(points, query, 1)[0]?.km ?? NaN)) < 1e-6)
    })
  }))
})

test('of points equally far to the last bit the lowest number is given', () => {
  // Mirrored at the equator: the squares are the same in every bit.
  const points = [{ latitude: 9, longitude: 0 }, ...Array.from({ length: 40 }, (_, i) => ({ latitude: i % 2 === 0 ? 1 : -1, longitude: 0 }))]
  const { index } = nearestSome(makeNearestTree(...columns(points)), Float64Array.of(0), Float64Array.of(0), 4)
  assert.deepEqual([...index], [1, 2, 3, 4])
  // All at the queries' own position, on every plane of the tree.
  const heap = makeNearestTree(new Float64Array(100).fill(-3), new Float64Array(100).fill(120))
  assert.deepEqual([...nearestSome(heap, Float64Array.of(-3, -3), Float64Array.of(120, 120), 4).index], [0, 1, 2, 3, 0, 1, 2, 3])
})

test('queries that creep from one point to the next change over where they must', () => {
  const random = seeded(11)
  const points = Array.from({ length: 300 }, () => ({ latitude: -8 + 2 * random(), longitude: 120 + 3 * random() }))
  const queries = Array.from({ length: 2000 }, (_, step) => ({ latitude: -8 + step / 1000, longitude: 120 + step / 680 + 0.01 * random() }))
  const { index } = nearestAll(makeNearestTree(...columns(points)), ...columns(queries))
  const slow = queries.map((query) => points.reduce((best, point, at) => (distance_km(point, query) < distance_km(points[best] ?? query, query) ? at : best), 0))
  assert.deepEqual([...index], slow)
  assert.ok(new Set(slow).size > 20)
})

test('only members are found, under their own numbers', () => {
  const points = [{ latitude: 0, longitude: 100 }, { latitude: 0, longitude: 101 }, { latitude: 0, longitude: 110 }]
  const [latitudes, longitudes] = columns(points)
  const found = (members: Int32Array): number[] => [...nearestAll(makeNearestTree(latitudes, longitudes, members), Float64Array.of(0, NaN), Float64Array.of(100.9, 100)).index]
  assert.deepEqual(found(Int32Array.of(2, 0)), [0, -1])
  assert.deepEqual(found(Int32Array.of(2)), [2, -1])
  assert.deepEqual(found(Int32Array.of()), [-1, -1])
  assert.throws(() => makeNearestTree(latitudes, Float64Array.of(1)), /3 latitudes and 1 longitudes/)
  assert.throws(() => nearestSome(makeNearestTree(latitudes, longitudes), latitudes, longitudes, 0), /no search/)
})
