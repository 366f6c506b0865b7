import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indexPositions, makeFound, nearest } from './nearest.ts'

test('property: the tree finds what sorting all distances finds, ties and equal positions included', () => {
  const coordinate = fc.integer({ min: 0, max: 12 })
  fc.assert(fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 120 }), fc.tuple(coordinate, coordinate), fc.integer({ min: 1, max: 20 }), fc.integer({ min: -1, max: 5 }), (points, [toX, toY], most, except) => {
    const x = Float64Array.from(points, (point) => point[0])
    const y = Float64Array.from(points, (point) => point[1])
    const squared = (id: number): number => (toX - (x[id] ?? 0)) ** 2 + (toY - (y[id] ?? 0)) ** 2
    const slowly = points.map((_, id) => id).filter((id) => id !== except).sort((a, b) => squared(a) - squared(b) || a - b).slice(0, most)
    const found = makeFound(most)
    const count = nearest(indexPositions(x, y), toX, toY, found, except)
    assert.deepEqual([...found.ids.subarray(0, count)], slowly)
    assert.deepEqual([...found.squared.subarray(0, count)], slowly.map(squared))
  }), { numRuns: 300 })
})
