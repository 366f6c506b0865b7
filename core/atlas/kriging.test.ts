import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { krige, weighInverseDistance, type KrigingOptions, type Samples } from './kriging.ts'
import type { Variogram } from './variogram.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/kriging')
const skip = existsSync(suite) ? false : `the kriging suite is missing: ${suite} is not there`

function readTable(file: string): (name: string) => Float64Array {
  const [header = '', ...lines] = readFileSync(join(suite, file), 'utf8').replaceAll('"', '').trim().split('\n')
  const rows = lines.map((line) => line.split(',').map(Number))
  return (name) => Float64Array.from(rows, (row) => row[header.split(',').indexOf(name)] ?? NaN)
}

function same(found: Float64Array, expected: Float64Array, within: number): void {
  assert.equal(found.length, expected.length)
  found.forEach((each, i) => assert.ok(Math.abs(each - (expected[i] ?? NaN)) <= within, `${i}: ${each} is not ${expected[i]}`))
}

test('ordinary, local and universal kriging and inverse distances are those of R gstat on 3,103 points', { skip }, () => {
  const meuse = readTable('meuse.csv')
  const grid = readTable('meuse_grid_expected.csv')
  const targets = { x: grid('x'), y: grid('y'), covariates: [grid('dist').map(Math.sqrt)] }
  const samples = { x: meuse('x'), y: meuse('y'), value: meuse('zinc').map(Math.log) }
  const spherical: Variogram = { shape: 'spherical', nugget: 0.05, sill: 0.59, range: 897 }
  const check = (name: string, { mean, variance }: ReturnType<typeof krige>): void => {
    same(mean, grid(name), 1e-6)
    same(variance, grid(`${name}_var`), 1e-6)
  }
  check('ok', krige(samples, targets, spherical))
  check('ok16', krige(samples, targets, spherical, { neighbours_max: 16 }))
  check('uk', krige({ ...samples, covariates: [meuse('dist').map(Math.sqrt)] }, targets, { shape: 'exponential', nugget: 0.05, sill: 0.2, range: 300 }))
  same(weighInverseDistance(samples, targets), grid('idw2'), 1e-6)
})

/** The textbook's bordered system of semivariances (Cressie 1993, 3.2.13 to 3.2.16), by Gauss with the largest pivot: slow and obvious. */
function krigeSlowly(points: readonly Point[], toX: number, toY: number, { nugget, sill, range }: Variogram): { mean: number; variance: number; weights: number[] } {
  const gamma = (ax: number, ay: number, bx: number, by: number): number => (ax === bx && ay === by ? 0 : nugget + sill * (1 - Math.exp(-Math.hypot(ax - bx, ay - by) / range)))
  const n = points.length
  const right = [...points.map(([x, y]) => gamma(x, y, toX, toY)), 1]
  const rows = [...points.map(([x, y]) => [...points.map(([bx, by]) => gamma(x, y, bx, by)), 1]), [...points.map(() => 1), 0]].map((row, i) => [...row, right[i] ?? 0])
  for (let i = 0; i <= n; i++) {
    const pivot = rows.slice(i).reduce((best, row) => (Math.abs(row[i] ?? 0) > Math.abs(best[i] ?? 0) ? row : best))
    rows[rows.indexOf(pivot)] = rows[i] ?? []
    rows[i] = pivot
    for (const row of rows) {
      if (row === pivot) continue
      const share = (row[i] ?? 0) / (pivot[i] ?? 1)
      for (let k = i; k <= n + 1; k++) row[k] = (row[k] ?? 0) - share * (pivot[k] ?? 0)
    }
  }
  const solution = rows.map((row, i) => (row[n + 1] ?? 0) / (row[i] ?? 1))
  const weights = solution.slice(0, n)
  return { mean: weights.reduce((sum, w, i) => sum + w * (points[i]?.[2] ?? 0), 0), variance: solution.reduce((sum, w, i) => sum + w * (right[i] ?? 0), 0), weights }
}

type Point = readonly [number, number, number]
/** On a lattice, so that no two are nearly but not quite at one place. */
const place = fc.integer({ min: 0, max: 30 }).map((each) => each / 10)
const points = (least: number) => fc.uniqueArray(fc.tuple(place, place, fc.double({ min: -120, max: -60, noNaN: true })), { minLength: least, maxLength: 20, selector: ([x, y]) => `${x} ${y}` })
const model = fc.record({ shape: fc.constant('exponential' as const), nugget: fc.double({ min: 0, max: 20, noNaN: true }), sill: fc.double({ min: 1, max: 60, noNaN: true }), range: fc.double({ min: 0.1, max: 2, noNaN: true }) })
const column = (list: readonly Point[], k: 0 | 1 | 2): Float64Array => Float64Array.from(list, (each) => each[k])
const samplesOf = (list: readonly Point[]): Samples => ({ x: column(list, 0), y: column(list, 1), value: column(list, 2) })
const at = (list: readonly Point[], x: number, y: number, variogram: Variogram, options?: KrigingOptions): { mean: number; variance: number } => {
  const { mean, variance } = krige(samplesOf(list), { x: Float64Array.of(x), y: Float64Array.of(y) }, variogram, options)
  return { mean: mean[0] ?? NaN, variance: variance[0] ?? NaN }
}
const close = (a: number, b: number, within = 1e-6): void => assert.ok(Math.abs(a - b) <= within, `${a} is not ${b}`)

test('property: as the slow twin, whose weights sum to 1; a shift of all values shifts the answer; no variance is negative', () => {
  fc.assert(fc.property(points(1), place, place, model, (list, x, y, variogram) => {
    const slow = krigeSlowly(list, x, y, variogram)
    const fast = at(list, x, y, variogram)
    close(fast.mean, slow.mean)
    close(fast.variance, Math.max(0, slow.variance))
    close(slow.weights.reduce((sum, each) => sum + each, 0), 1)
    close(at(list.map(([px, py, value]) => [px, py, value + 50]), x, y, variogram).mean, fast.mean + 50)
    assert.ok(fast.variance >= 0)
  }))
})

test('property: without a nugget it goes through the samples, with one that belongs to the field too; an error is smoothed', () => {
  fc.assert(fc.property(points(2), model, (list, variogram) => {
    const [x, y, value] = list[0] ?? [0, 0, 0]
    for (const exact of [at(list, x, y, { ...variogram, nugget: 0 }), at(list, x, y, variogram)]) {
      close(exact.mean, value)
      close(exact.variance, 0)
      assert.ok(exact.variance >= 0)
    }
    const smoothed = at(list, x, y, { ...variogram, nugget: 5 }, { nugget: 'error' })
    assert.ok(smoothed.variance >= 5 - 1e-9, 'one more measurement has its own error')
  }))
})

test('property: the order of samples, and of targets, changes nothing', () => {
  fc.assert(fc.property(points(2), model, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 19 }), (list, variogram, neighbours_max, turn) => {
    const options = { neighbours_max, nugget: 'error' } as const
    const targets = samplesOf(list.map(([x, y]) => [x + 0.05, y, 0]))
    const turned = [...list.slice(turn % list.length), ...list.slice(0, turn % list.length)].reverse()
    const first = krige(samplesOf(list), targets, variogram, options)
    assert.deepEqual(krige(samplesOf(turned), targets, variogram, options), first)
    const last = krige(samplesOf(list), { x: targets.x.slice().reverse(), y: targets.y.slice().reverse() }, variogram, options)
    same(last.mean.reverse(), first.mean, 1e-6)
    same(last.variance.reverse(), first.variance, 1e-6)
  }))
})

test('property: as many neighbours as samples is all samples, and moving from target to target is starting afresh', () => {
  fc.assert(fc.property(points(4), model, fc.array(fc.tuple(place, place), { minLength: 1, maxLength: 12 }), (list, variogram, to) => {
    const targets = { x: Float64Array.from(to, ([x]) => x), y: Float64Array.from(to, ([, y]) => y) }
    assert.deepEqual(krige(samplesOf(list), targets, variogram, { neighbours_max: list.length }), krige(samplesOf(list), targets, variogram))
    const { mean } = krige(samplesOf(list), targets, variogram, { neighbours_max: 3 })
    to.forEach(([x, y], i) => close(mean[i] ?? NaN, at(list, x, y, variogram, { neighbours_max: 3 }).mean))
  }))
})

const variogram: Variogram = { shape: 'spherical', nugget: 1, sill: 9, range: 1 }

test('samples at one position are averaged by their weights, and count as one with these together', () => {
  const apart = { x: Float64Array.of(0, 0, 1), y: Float64Array.of(0, 0, 0), value: Float64Array.of(-80, -90, -100), weight: Float64Array.of(3, 1, 1) }
  const together = { x: Float64Array.of(0, 1), y: Float64Array.of(0, 0), value: Float64Array.of(-82.5, -100), weight: Float64Array.of(4, 1) }
  const targets = { x: Float64Array.of(0, 0.4), y: Float64Array.of(0, 0.1) }
  assert.deepEqual(krige(apart, targets, variogram, { nugget: 'error' }), krige(together, targets, variogram, { nugget: 'error' }))
  close(krige(apart, targets, variogram).mean[0] ?? NaN, -82.5)
})

test('the order of samples at one position changes no bit', () => {
  const three: Point[] = [[0, 0, 0.1], [0, 0, 0.2], [0, 0, 0.7], [1, 0, 0.5]]
  const answer = at(three, 0.3, 0, variogram)
  for (const order of [[1, 0, 2, 3], [2, 1, 0, 3], [3, 1, 2, 0], [0, 2, 1, 3]]) assert.deepEqual(at(order.map((i) => three[i] ?? [0, 0, 0]), 0.3, 0, variogram), answer)
})

test('a sample that stands for many measurements errs less: it draws the answer to itself', () => {
  const samples = { x: Float64Array.of(-0.1, 0.1), y: Float64Array.of(0, 0), value: Float64Array.of(-80, -100) }
  const halfWay = { x: Float64Array.of(0), y: Float64Array.of(0) }
  const noisy: Variogram = { ...variogram, nugget: 20 }
  const mean = (weight: Float64Array): number => krige({ ...samples, weight }, halfWay, noisy, { nugget: 'error' }).mean[0] ?? NaN
  close(mean(Float64Array.of(1, 1)), -90)
  assert.ok(mean(Float64Array.of(100, 1)) > -85)
})

test('one sample, samples on a line, no variation, no samples: each has its answer', () => {
  const lone = at([[0, 0, -90]], 0.5, 0, variogram)
  close(lone.mean, -90)
  close(lone.variance, 2 * (1 + 9 * (1.5 * 0.5 - 0.5 * 0.5 ** 3)))
  const line: Point[] = [[0, 0, 1], [1, 0, 2], [2, 0, 3]]
  assert.ok(Number.isFinite(at(line, 1, 1, variogram).mean))
  const flat = { ...variogram, nugget: 0, sill: 0 }
  close(at([[0, 0, 4], [1, 0, 6]], 5, 5, flat).mean, 5)
  assert.equal(at([[0, 0, 4], [1, 0, 6]], 5, 5, flat).variance, 0)
  assert.deepEqual(at([], 0, 0, variogram), { mean: NaN, variance: NaN })
})

test('a covariate that the samples cannot tell from the constant is left out', () => {
  const samples: Samples = { ...samplesOf([[0, 0, 1], [1, 0, 2], [0, 1, 4]]), covariates: [Float64Array.of(2, 2, 2)] }
  const targets = { x: Float64Array.of(0.5), y: Float64Array.of(0.5), covariates: [Float64Array.of(2)] }
  same(krige(samples, targets, variogram).mean, krige({ x: samples.x, y: samples.y, value: samples.value }, targets, variogram).mean, 1e-9)
})

test('a known mean of 0 draws far places to it; beyond the reach there is no answer', () => {
  close(at([[0, 0, 5], [0.1, 0, 6]], 9, 0, variogram, { mean: 'known' }).mean, 0)
  close(at([[0, 0, 5]], 9, 0, variogram, { mean: 'known' }).variance, 10)
  assert.ok(Number.isNaN(at([[0, 0, 5]], 1.1, 0, variogram, { reach: 1 }).mean))
  assert.ok(Number.isFinite(at([[0, 0, 5]], 0.9, 0, variogram, { reach: 1 }).mean))
})

test('inverse distances: a sample at its own place, the mean half-way', () => {
  const samples = samplesOf([[0, 0, -80], [2, 0, -100]])
  assert.deepEqual(weighInverseDistance(samples, { x: Float64Array.of(0, 1), y: Float64Array.of(0, 0) }), Float64Array.of(-80, -90))
})
