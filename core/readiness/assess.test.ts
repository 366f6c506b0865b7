import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeColumns, nothing, type Grid, type Layer, type Technology } from '../atlas/edition.ts'
import { eachNationalCell, keyAt, makeRuns, type Runs } from '../geo/cells.ts'
import { createAreaIntegral, judgePlace, makeShares, reachOf, settleBlank, sharesAt, withReports, type Judged, type PlaceShares, type Reach } from './assess.ts'
import { signalWord, thresholdsOn } from './readiness.ts'

const thresholds = thresholdsOn('2024-02-14')
const blankSheet = (): Judged => ({ class: 'unknown', reason: 'no_evidence', best: -1, second: -1 })
const share = fc.oneof(fc.constant(nothing), fc.integer({ min: 0, max: 200 }))

function place(strong: readonly number[], weak: readonly number[] = strong.map(() => nothing)): PlaceShares {
  return { strong: Uint8Array.from(strong), weak: Uint8Array.from(weak), cells: 1 }
}
const judged = (strong: readonly number[], weak?: readonly number[]): string => {
  const { class: className, reason, best, second } = judgePlace(place(strong, weak), thresholds, blankSheet())
  return [className, reason, best, second].join(' ')
}

test('each class and its reason', () => {
  assert.equal(judged([180, 190, nothing, 3]), 'a two_usable 1 0')
  assert.equal(judged([180, 179, 3, 3]), 'b one_usable 0 1')
  assert.equal(judged([100, 99, 3, 3]), 'c perhaps 0 -1')
  assert.equal(judged([0, 0, 0, 0], [0, 0, 150, 0]), 'c only_2g -1 -1')
  assert.equal(judged([99, 0, 0, 0]), 'blank blank -1 -1')
  assert.equal(judged([0, nothing, 0, 0]), 'unknown partly_known -1 -1')
  assert.equal(judged([nothing, nothing, nothing, nothing]), 'unknown no_evidence -1 -1')
  assert.deepEqual(settleBlank(true, null), { class: 'd', reason: 'blank_with_point' })
  assert.deepEqual(settleBlank(false, 'capacity'), { class: 'e', reason: 'blank_no_capacity' })
  assert.deepEqual(settleBlank(false, 'no_point_in_reach'), { class: 'e', reason: 'blank_no_point' })
})

test('property: more signal never makes a class worse, and unknown is never folded into blank', () => {
  const order = ['a', 'b', 'c', 'blank']
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 5 }), fc.nat(), fc.integer({ min: 0, max: 200 }), (strong, at, more) => {
    const better = strong.map((step, i) => (i === at % strong.length ? Math.min(200, step + more) : step))
    assert.ok(order.indexOf(judged(better).split(' ')[0] as string) <= order.indexOf(judged(strong).split(' ')[0] as string))
    assert.notEqual(judged([...strong, nothing]).split(' ')[0], 'blank')
  }))
})

/** The slow obvious twin: cell by cell, through a map. */
function meanSlowly(grid: Grid, column: Uint8Array, area: Runs): number {
  let [sum, known, whole] = [0, 0, 0]
  eachNationalCell(area, (key, children) => {
    whole += children
    const step = column[grid.cells.indexOf(key)]
    if (step === undefined || step === nothing) return
    sum += step * children
    known += children
  })
  return known > 0 && known >= whole / 2 ? Math.round(sum / known) : nothing
}

test('property: a village is the mean over its area, by any order of villages', () => {
  const first = keyAt(-8.6, 121.1, 6) * 64
  const keys = Array.from({ length: 7 }, (_, i) => Array.from({ length: 7 }, (_unused, j) => first + 8 * i + j)).flat()
  const grid: Grid = { resolution: 8, cells: Float64Array.from(keys.filter((_, i) => i % 5 !== 0)) }
  const fine = fc.array(fc.tuple(fc.nat(48), fc.nat(6)), { minLength: 1, maxLength: 60 })
  fc.assert(fc.property(fc.array(share, { minLength: grid.cells.length, maxLength: grid.cells.length }), fc.array(fine, { minLength: 1, maxLength: 4 }), (steps, villages) => {
    const reach: Reach = { strong: Uint8Array.from(steps), weak: Uint8Array.from(steps).reverse() }
    const integrate = createAreaIntegral(grid, [reach], thresholds)
    const shares = makeShares(1)
    for (const village of villages) {
      const area = makeRuns(village.map(([cell, child]) => [(keys[cell] as number) * 8 + child, (keys[cell] as number) * 8 + child + 1]))
      integrate(area, shares)
      assert.deepEqual([shares.strong[0], shares.weak[0]], [meanSlowly(grid, reach.strong, area), meanSlowly(grid, reach.weak, area)])
    }
  }))
})

test('the best technology counts, 2G apart, and another operator not at all', () => {
  const layer = (operator: string, technology: Technology, step: number): Layer => {
    const national = makeColumns(1)
    national.usable[0] = step
    return { operator, technology, national, fine: makeColumns(0) }
  }
  const layers = [layer('x', 'lte', 60), layer('x', 'nr', 120), layer('x', 'gsm', 199), layer('y', 'lte', 200)]
  const shares = makeShares(2)
  sharesAt([reachOf(layers, 'x', 'national', 1), reachOf(layers, 'z', 'national', 1)], 0, shares)
  assert.deepEqual([...shares.strong, ...shares.weak], [120, nothing, 199, nothing])
})

test("officers' own reports update what the atlas says, and make the unknown known", () => {
  const shares = place([nothing, 100])
  withReports(shares, [{ operator: 0, good: 6, bad: 0 }, { operator: 1, good: 0, bad: 4 }])
  assert.deepEqual([...shares.strong], [175, 50])
})

test("KPU's words, and a fifth for what nobody knows", () => {
  assert.deepEqual([1, 0.9, 0.89, 0.7, 0.3, 0.29, null].map((usable) => signalWord(usable, thresholds)), ['kuat', 'kuat', 'sedang', 'sedang', 'lemah', 'tidak_ada', 'tanpa_data'])
  assert.equal(thresholdsOn('2024-11-27').voters_per_station_max, 600)
  assert.equal(thresholdsOn('2020-01-01').voters_per_station_max, 300)
})
