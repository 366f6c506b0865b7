import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlation, experimentalVariogram, fitVariogram } from './variogram.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/kriging')
const skip = existsSync(suite) ? false : `the kriging suite is missing: ${suite} is not there`

function column(file: string, name: string): Float64Array {
  const [header = '', ...lines] = readFileSync(join(suite, file), 'utf8').replaceAll('"', '').trim().split('\n')
  return Float64Array.from(lines, (line) => Number(line.split(',')[header.split(',').indexOf(name)]))
}

test('the experimental variogram of meuse is that of gstat, and so is the fit', { skip }, () => {
  const found = experimentalVariogram(column('meuse.csv', 'x'), column('meuse.csv', 'y'), column('meuse.csv', 'zinc').map(Math.log))
  assert.deepEqual(found.pairs, column('meuse_variogram_expected.csv', 'np'))
  const near = (a: Float64Array, b: Float64Array, within: number): void => a.forEach((each, i) => assert.ok(Math.abs(each / (b[i] ?? NaN) - 1) < within))
  near(found.distance, column('meuse_variogram_expected.csv', 'dist'), 1e-12)
  near(found.semivariance, column('meuse_variogram_expected.csv', 'gamma'), 1e-12)
  // gstat stops its iteration a little earlier: ours leaves no more squares
  const { nugget, sill, range } = fitVariogram(found, 'spherical')
  near(Float64Array.of(nugget, sill, range), Float64Array.of(0.0506624268192143, 0.590607802210119, 897.020909797001), 1e-4)
})

test('a pair on the border of two classes belongs to the nearer, and one beyond the cutoff to none', () => {
  const { pairs, distance, semivariance } = experimentalVariogram(Float64Array.of(0, 1, 2, 9), new Float64Array(4), Float64Array.of(0, 2, 6, 0), 2, 2)
  assert.deepEqual([pairs, distance, semivariance], [Float64Array.of(2, 1), Float64Array.of(1, 2), Float64Array.of(5, 18)])
})

test('a model is found again from its own semivariances', () => {
  const distance = Float64Array.from({ length: 15 }, (_, i) => 0.1 * (i + 0.5))
  for (const shape of ['spherical', 'exponential'] as const)
    for (const [nugget, sill, range] of [[0, 60, 0.3], [20, 40, 0.7], [5, 1, 0.2]] as const) {
      const semivariance = distance.map((h) => nugget + sill * (1 - correlation(shape === 'spherical', range, h)))
      const found = fitVariogram({ pairs: distance.map(() => 100), distance, semivariance }, shape)
      assert.ok(Math.abs(found.nugget - nugget) < 1e-4 && Math.abs(found.sill - sill) < 1e-3 && Math.abs(found.range - range) < 1e-4, JSON.stringify(found))
    }
})

test('without any difference, or any pair, it is flat; a falling variogram is all nugget', () => {
  const x = Float64Array.of(0, 1, 2, 3)
  const zero = new Float64Array(4)
  for (const experimental of [experimentalVariogram(x, zero, zero.map(() => 7)), experimentalVariogram(x.slice(0, 1), x.slice(0, 1), x.slice(0, 1)), experimentalVariogram(zero, zero, x)]) {
    const { nugget, sill, range } = fitVariogram(experimental, 'exponential')
    assert.deepEqual([nugget, sill], [0, 0])
    assert.ok(range > 0)
  }
  const falling = fitVariogram({ pairs: Float64Array.of(10, 10, 10), distance: Float64Array.of(1, 2, 3), semivariance: Float64Array.of(3, 2, 1) }, 'exponential')
  assert.ok(falling.nugget > 0 && falling.sill >= 0 && falling.sill < 1e-6)
})
