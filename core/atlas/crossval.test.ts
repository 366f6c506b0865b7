import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blocksOf, foldsOf, partFold } from './crossval.ts'

const coordinate = fc.double({ min: -5, max: 5, noNaN: true })

test('property: samples in one block are held out together, and every sample is held out once', () => {
  fc.assert(fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 80 }), fc.integer(), (points, seed) => {
    const x = Float64Array.from(points, (point) => point[0])
    const y = Float64Array.from(points, (point) => point[1])
    const blocks = blocksOf(x, y, 0.3)
    const folds = foldsOf(blocks, 5, seed)
    points.forEach((a, i) => points.forEach((b, j) => {
      const together = Math.floor(a[0] / 0.3) === Math.floor(b[0] / 0.3) && Math.floor(a[1] / 0.3) === Math.floor(b[1] / 0.3)
      assert.equal(blocks[i] === blocks[j], together)
      if (together) assert.equal(folds[i], folds[j])
    }))
    const held = [0, 1, 2, 3, 4].flatMap((fold) => {
      const { inside, outside } = partFold(folds, fold)
      assert.equal(inside.length + outside.length, points.length)
      return [...inside]
    })
    assert.deepEqual(held.sort((a, b) => a - b), points.map((_, i) => i))
  }))
})

test('folds hold equally many blocks, a seed replays them, another seed draws others', () => {
  const blocks = Int32Array.from({ length: 100 }, (_, i) => i >> 1)
  const folds = foldsOf(blocks, 5, 7)
  for (let fold = 0; fold < 5; fold++) assert.equal(partFold(folds, fold).inside.length, 20)
  assert.deepEqual(foldsOf(blocks, 5, 7), folds)
  assert.notDeepEqual(foldsOf(blocks, 5, 8), folds)
})
