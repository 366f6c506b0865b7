import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { difference, type DifferenceKind } from './difference.ts'
import { nothing, stepOf, type Grid } from './edition.ts'

type Layer = Map<number, number>
const layer = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(nothing, 60, 99, 100, 101, 140))), { maxLength: 20 }).map((rows): Layer => new Map(rows))

function side(values: Layer): { grid: Grid; usable: Uint8Array } {
  const keys = [...values.keys()].sort((a, b) => a - b)
  return { grid: { resolution: 8, cells: Float64Array.from(keys) }, usable: Uint8Array.from(keys, (key) => values.get(key) ?? nothing) }
}

/** The slow obvious twin, in shares. */
function slowly(before: Layer, after: Layer): Map<number, DifferenceKind> {
  const found = new Map<number, DifferenceKind>()
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b)) {
    const [was, is] = [before, after].map((values) => (values.get(key) ?? nothing) === nothing ? null : (values.get(key) ?? 0))
    if (was === null && is !== null) found.set(key, 'became_known')
    else if (was !== null && is === null) found.set(key, 'became_unknown')
    else if (typeof was === 'number' && typeof is === 'number') {
      if (was < 100 && is >= 100) found.set(key, 'gained')
      else if (was >= 100 && is < 100) found.set(key, 'lost')
      else if (Math.abs(is - was) / 200 >= 0.2) found.set(key, 'moved')
    }
  }
  return found
}

test('property: the difference is what a cell-by-cell look finds, ascending, and the counts are of all cells', () => {
  fc.assert(fc.property(layer, layer, (before, after) => {
    const found: [number, DifferenceKind][] = []
    const counts = difference(side(before), side(after), (key, kind) => found.push([key, kind]))
    const expected = [...slowly(before, after)]
    assert.deepEqual(found, expected)
    assert.equal(Object.values(counts).reduce((sum, count) => sum + count, 0), new Set([...before.keys(), ...after.keys()]).size)
    for (const kind of ['became_known', 'became_unknown', 'gained', 'lost', 'moved'] as const) assert.equal(counts[kind], expected.filter((each) => each[1] === kind).length)
  }))
})

test('property: looked at from the other side, what was gained is lost', () => {
  const mirror: Record<DifferenceKind, DifferenceKind> = { gained: 'lost', lost: 'gained', became_known: 'became_unknown', became_unknown: 'became_known', moved: 'moved' }
  fc.assert(fc.property(layer, layer, (before, after) => {
    const there: [number, DifferenceKind, number, number][] = []
    const back: [number, DifferenceKind, number, number][] = []
    difference(side(before), side(after), (...row) => there.push(row))
    difference(side(after), side(before), (...row) => back.push(row))
    assert.deepEqual(back, there.map(([key, kind, was, is]) => [key, mirror[kind], is, was]))
  }))
})

test('half is usable, a fifth is far, and unknown is not zero', () => {
  const found: unknown[] = []
  difference(side(new Map([[1, stepOf(0.495)], [2, nothing], [3, 0], [4, 140], [5, 140]])), side(new Map([[1, stepOf(0.5)], [2, 0], [3, nothing], [4, 180], [5, 179]])), (...row) => found.push(row))
  assert.deepEqual(found, [[1, 'gained', 99, 100], [2, 'became_known', nothing, 0], [3, 'became_unknown', 0, nothing], [4, 'moved', 140, 180]])
})
