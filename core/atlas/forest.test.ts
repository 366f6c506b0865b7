import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { growForest, predictForest, type Columns } from './forest.ts'

function draw(seed: number, count: number, value: (x: number, y: number) => number): Columns {
  const random = seeded(seed)
  const x = Float64Array.from({ length: count }, random)
  const y = Float64Array.from({ length: count }, random)
  return { features: [x, y, Float64Array.from({ length: count }, () => 3)], value: x.map((each, i) => value(each, y[i] ?? 0)) }
}

const all = ({ value }: Columns): Int32Array => Int32Array.from(value, (_, i) => i)
const options = { seed: 1, trees: 30, tries: 2, leaf_min: 1 }

test('a step is learnt, also where nothing was measured; a constant feature is no split', () => {
  const columns = draw(3, 400, (x, y) => (x > 0.5 ? -110 : -70) + (y > 0.5 ? 3 : 0))
  const { mean } = predictForest(growForest(columns, all(columns), options), [Float64Array.of(0.1, 0.9), Float64Array.of(0.2, 0.8), Float64Array.of(9, -9)], Int32Array.of(0, 1))
  assert.ok(Math.abs((mean[0] ?? 0) + 70) < 1 && Math.abs((mean[1] ?? 0) + 107) < 1, mean.join())
  assert.ok(growForest(columns, all(columns), options).feature.every((name) => name < 2))
})

test('property: the mean and spread are those of the single trees, walked by hand', () => {
  fc.assert(fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4 }), (seed, count, leaf_min) => {
    const columns = draw(seed, count, (x, y) => 10 * x - 5 * y)
    const { roots, child, feature, threshold, value, ...rest } = growForest(columns, all(columns), { ...options, trees: 4, leaf_min })
    const walk = (node: number, row: number): number => (child[node] === 0 ? (value[node] ?? NaN) : walk((child[node] ?? 0) + ((columns.features[feature[node] ?? 0]?.[row] ?? NaN) < (threshold[node] ?? NaN) ? 0 : 1), row))
    const { mean, spread } = predictForest({ roots, child, feature, threshold, value, ...rest }, columns.features, all(columns))
    for (let row = 0; row < count; row++) {
      const single = [...roots].map((root) => walk(root, row))
      const average = single.reduce((sum, each) => sum + each, 0) / single.length
      assert.ok(Math.abs((mean[row] ?? NaN) - average) < 1e-9)
      assert.ok(Math.abs((spread[row] ?? NaN) - Math.sqrt(single.reduce((sum, each) => sum + (each - average) ** 2, 0) / single.length)) < 1e-6)
    }
  }))
})

test('property: no leaf has fewer samples than asked, the root holds the weighted mean of all, and a seed replays the trees', () => {
  fc.assert(fc.property(fc.integer(), fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 9 }), (seed, count, leaf_min) => {
    const drawn = draw(seed, count, (x, y) => Math.sin(9 * x) + y)
    const columns = { ...drawn, weight: drawn.value.map((_, i) => 1 + (i % 3)) }
    const forest = growForest(columns, all(columns), { ...options, trees: 2, leaf_min })
    assert.deepEqual(growForest(columns, all(columns), { ...options, trees: 2, leaf_min }), forest)
    const counts = new Map<number, number>()
    for (const row of all(columns)) {
      let node = forest.roots[0] ?? 0
      while ((forest.child[node] ?? 0) > 0) node = (forest.child[node] ?? 0) + Number((columns.features[forest.feature[node] ?? 0]?.[row] ?? 0) >= (forest.threshold[node] ?? 0))
      counts.set(node, (counts.get(node) ?? 0) + 1)
    }
    for (const held of counts.values()) assert.ok(held >= Math.min(leaf_min, count))
    const weights = columns.weight.reduce((sum, each) => sum + each, 0)
    assert.ok(Math.abs((forest.value[0] ?? NaN) - columns.value.reduce((sum, each, i) => sum + each * (columns.weight[i] ?? 0), 0) / weights) < 1e-9)
  }))
})

test('rows that were not given are not looked at', () => {
  const columns = draw(5, 100, (x) => x)
  const rows = all(columns).filter((row) => row % 2 === 0)
  const blind = { ...columns, value: columns.value.map((each, row) => (row % 2 === 0 ? each : NaN)) }
  assert.deepEqual(growForest(blind, rows, options), growForest(columns, rows, options))
})
