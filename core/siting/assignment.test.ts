import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { assign } from './assignment.ts'

/** The slow obvious twin: every assignment there is. */
function bestSlowly(worth: readonly (readonly number[])[], capacity: readonly number[], row = 0): number {
  const own = worth[row]
  if (own === undefined) return 0
  let best = bestSlowly(worth, capacity, row + 1)
  own.forEach((value, column) => {
    if (value > 0 && (capacity[column] ?? 0) > 0) best = Math.max(best, value + bestSlowly(worth, capacity.map((room, c) => room - Number(c === column)), row + 1))
  })
  return best
}

/** A twin for sizes beyond trying everything: augments along the longest path that Bellman and Ford find, until none is worth it. */
function bestByPaths(worth: readonly (readonly number[])[], capacity: readonly number[]): number {
  const [rows, columns] = [worth.length, capacity.length]
  const column_of = new Array<number>(rows).fill(-1)
  for (;;) {
    const gain = new Array<number>(columns).fill(-Infinity)
    const by = new Array<number>(columns).fill(-1)
    for (let round = 0, changed = true; changed; round++) {
      assert.ok(round <= rows + columns, 'no circle gains')
      changed = false
      worth.forEach((own, row) => own.forEach((value, column) => {
        const at = column_of[row] ?? -1
        const reached = value <= 0 || column === at ? -Infinity : at < 0 ? value : (gain[at] ?? 0) + value - (own[at] ?? 0)
        if (reached <= (gain[column] ?? 0)) return
        gain[column] = reached
        by[column] = row
        changed = true
      }))
    }
    const free = capacity.map((room, column) => (column_of.filter((each) => each === column).length < room ? (gain[column] ?? 0) : -Infinity))
    let end = free.indexOf(Math.max(...free))
    if (!((free[end] ?? 0) > 0)) return column_of.reduce((sum, column, row) => sum + (worth[row]?.[column] ?? 0), 0)
    while (end >= 0) {
      const row = by[end] ?? -1
      const left = column_of[row] ?? -1
      column_of[row] = end
      end = left
    }
  }
}

function valueOf(worth: readonly (readonly number[])[], capacity: readonly number[]): number {
  const column_of = assign(Float64Array.from(worth.flat()), worth.length, capacity.length, Int32Array.from(capacity))
  capacity.forEach((room, column) => assert.ok(column_of.filter((each) => each === column).length <= room, 'no column holds more than it can'))
  let value = 0
  column_of.forEach((column, row) => {
    if (column < 0) return
    assert.ok((worth[row]?.[column] ?? 0) > 0, 'no row takes a column that is worth nothing to it')
    value += worth[row]?.[column] ?? 0
  })
  return value
}

const field = (rows_max: number, columns_max: number): fc.Arbitrary<[number[][], number[]]> => fc.integer({ min: 1, max: columns_max }).chain((columns) => fc.tuple(
  fc.array(fc.array(fc.integer({ min: -3, max: 12 }), { minLength: columns, maxLength: columns }), { maxLength: rows_max }),
  fc.array(fc.integer({ min: 0, max: 3 }), { minLength: columns, maxLength: columns })))

test('property: as good as the best of all assignments', () => {
  fc.assert(fc.property(field(6, 4), ([worth, capacity]) => {
    assert.equal(valueOf(worth, capacity), bestSlowly(worth, capacity))
  }), { numRuns: 500 })
})

test('as good as the best by paths where there are too many to try', () => {
  const random = seeded(41)
  for (let round = 0; round < 60; round++) {
    const [rows, columns, range] = [10 + Math.floor(random() * 30), 2 + Math.floor(random() * 9), round % 2 === 0 ? 8 : 1e6]
    const worth = Array.from({ length: rows }, () => Array.from({ length: columns }, () => Math.floor((random() - 0.3) * range)))
    const capacity = Array.from({ length: columns }, () => Math.floor(random() * 5))
    assert.equal(valueOf(worth, capacity), bestByPaths(worth, capacity))
  }
})

test('a row makes room for another that gains more by it, along a chain', () => {
  assert.deepEqual([...assign(Float64Array.from([9, 8, 0, 0, 9, 8, 9, 0, 0]), 3, 3, Int32Array.from([1, 1, 1]))], [1, 2, 0])
  assert.deepEqual([...assign(Float64Array.from([3, 5]), 2, 1, Int32Array.from([1]))], [-1, 0])
  assert.deepEqual([...assign(new Float64Array(0), 0, 0, new Int32Array(0))], [])
})
