import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { factor, solveLower, solveUpper } from './cholesky.ts'

/** B B' of random numbers, `rank` columns wide. */
function gram(size: number, rank: number, seed: number): Float64Array {
  const random = seeded(seed)
  const b = Float64Array.from({ length: size * rank }, () => random() - 0.5)
  return Float64Array.from({ length: size * size }, (_, at) => {
    let sum = 0
    for (let k = 0; k < rank; k++) sum += (b[Math.floor(at / size) * rank + k] ?? 0) * (b[(at % size) * rank + k] ?? 0)
    return sum
  })
}

const times = (a: Float64Array, size: number, x: Float64Array): Float64Array => x.map((_, i) => x.reduce((sum, each, j) => sum + (a[i * size + j] ?? 0) * each, 0))
const near = (a: Float64Array, b: Float64Array, within: number): void => a.forEach((each, i) => assert.ok(Math.abs(each - (b[i] ?? NaN)) <= within, `${each} is not ${b[i]}`))

test('property: what is solved, multiplied, is the right-hand side, and rows carried along are solved as by themselves', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 23 }), fc.integer(), (size, seed) => {
    const a = gram(size, size + 2, seed)
    const right = Float64Array.from({ length: size }, seeded(seed + 1))
    const l = new Float64Array((size + 1) * size)
    l.set(a)
    l.set(right, size * size)
    assert.equal(factor(l, size, size, size + 1), size)
    const x = right.slice()
    solveLower(l, size, size, x, 0)
    near(l.slice(size * size), x, 1e-9)
    solveUpper(l, size, size, x)
    near(times(a, size, x), right, 1e-6)
  }))
})

test('a singular matrix has a defined answer: rows that others explain take no part', () => {
  const size = 6
  const a = gram(size, 3, 5)
  const right = times(a, size, Float64Array.from([1, 2, 3, 4, 5, 6]))
  const l = a.slice()
  assert.equal(factor(l, size, size, size), 3)
  const x = right.slice()
  solveLower(l, size, size, x, 0)
  solveUpper(l, size, size, x)
  near(x.slice(3), new Float64Array(3), 0)
  near(times(a, size, x), right, 1e-9)
})
