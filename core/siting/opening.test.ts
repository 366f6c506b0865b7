import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assignOpening } from './opening.ts'

/** The slow obvious twin: every assignment there is, each charged for the columns it opens. */
function bestSlowly(worth: readonly (readonly number[])[], capacity: readonly number[], opening: readonly number[], row = 0, used: readonly number[] = capacity.map(() => 0)): number {
  const own = worth[row]
  if (own === undefined) return 0 - opening.reduce((sum, cost, column) => sum + ((used[column] ?? 0) > 0 ? cost : 0), 0)
  let best = bestSlowly(worth, capacity, opening, row + 1, used)
  own.forEach((value, column) => {
    if (value > 0 && (used[column] ?? 0) < (capacity[column] ?? 0)) best = Math.max(best, value + bestSlowly(worth, capacity, opening, row + 1, used.map((count, c) => count + Number(c === column))))
  })
  return best
}

const numbers = (min: number, max: number, length: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min, max }), { minLength: length, maxLength: length })
const field = fc.integer({ min: 1, max: 4 }).chain((columns) => fc.tuple(fc.array(numbers(-3, 12, columns), { maxLength: 6 }), numbers(0, 4, columns), numbers(0, 20, columns)))

function valueOf(worth: readonly (readonly number[])[], opening: readonly number[], column_of: Int32Array): number {
  const opened = new Set([...column_of].filter((column) => column >= 0))
  return column_of.reduce((sum, column, row) => sum + (worth[row]?.[column] ?? 0), 0) - [...opened].reduce((sum, column) => sum + (opening[column] ?? 0), 0)
}

function solve(worth: readonly number[][], capacity: readonly number[], opening: readonly number[], branches_max: number): ReturnType<typeof assignOpening> {
  return assignOpening(Float64Array.from(worth.flat()), worth.length, capacity.length, Int32Array.from(capacity), Float64Array.from(opening), branches_max)
}

test('property: with opening costs, as good as the best of all assignments', () => {
  fc.assert(fc.property(field, ([worth, capacity, opening]) => {
    const found = solve(worth, capacity, opening, 10_000)
    assert.equal(found.value, bestSlowly(worth, capacity, opening))
    assert.equal(found.bound, found.value)
    assert.equal(found.value, valueOf(worth, opening, found.column_of))
  }), { numRuns: 400 })
})

test('property: stopped early, the bound still holds the best, and what is given back is worth what it says', () => {
  let open_ends = 0
  fc.assert(fc.property(field, fc.integer({ min: 1, max: 3 }), ([worth, capacity, opening], branches_max) => {
    const found = solve(worth, capacity, opening, branches_max)
    const best = bestSlowly(worth, capacity, opening)
    assert.ok(found.value <= best && best <= found.bound, `${found.value} <= ${best} <= ${found.bound}`)
    assert.equal(found.value, valueOf(worth, opening, found.column_of))
    if (found.value < found.bound) open_ends++
  }), { numRuns: 300 })
  assert.ok(open_ends > 0, 'some were stopped early')
})

test('property: where nothing costs, one branch proves it', () => {
  fc.assert(fc.property(field, ([worth, capacity, opening]) => {
    const found = solve(worth, capacity, opening.map(() => 0), 1)
    assert.equal(found.bound, found.value)
  }))
})

test('two rows share a place that neither would open alone', () => {
  assert.deepEqual([...solve([[6, 5], [6, 5]], [1, 2], [4, 6], 100).column_of], [1, 1])
  assert.deepEqual([...solve([[6, 5]], [1, 2], [7, 6], 100).column_of], [-1])
})
