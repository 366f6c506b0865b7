import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyAt, makeRuns, ancestorOf } from '../geo/cells.ts'
import { flag, makeColumns, nothing, shareOf, type Grid } from './edition.ts'
import { claimedColumn, fuse, recordOf, weights, wilson, type Measured } from './fuse.ts'

const key = keyAt(-8.6, 121.1, 8)
const grid: Grid = { resolution: 8, cells: Float64Array.from([key, key + 1, key + 2]) }
const whole = makeRuns([[key * 8, key * 8 + 8]])

function measuredOf(share: number, weight: number): Measured {
  const rows = grid.cells.length
  return {
    share: new Float32Array(rows).fill(share), weight: new Float32Array(rows).fill(weight), level: new Float32Array(rows).fill(NaN), known: new Float32Array(rows),
    samples: new Uint16Array(rows).fill(weight > 0 ? 9 : 0), day: new Uint16Array(rows).fill(20_000),
  }
}

function usableOf(evidence: { claimed?: boolean; predicted?: number; complete?: boolean; measured?: Measured }, reliability: number = weights.claimed): (number | null)[] {
  const columns = makeColumns(grid.cells.length)
  fuse(grid, {
    claim: evidence.claimed === true ? { runs: whole, day: 19_000 } : null,
    prediction: evidence.predicted === undefined ? null : { usable: new Uint8Array(3).fill(evidence.predicted), complete: evidence.complete ?? false, day: 19_000 }, measured: evidence.measured ?? null,
  }, reliability, columns)
  return [...columns.usable].map(shareOf)
}

test('without evidence there is no value, and never a zero', () => {
  assert.deepEqual(usableOf({}), [null, null, null])
  assert.deepEqual(usableOf({ predicted: nothing }), [null, null, null])
})

test('a crowd-sourced list says nothing where it predicts nothing; a whole one does', () => {
  assert.deepEqual(usableOf({ predicted: 20 }), [null, null, null])
  assert.ok((usableOf({ predicted: 20, complete: true })[0] as number) < 0.3)
  assert.equal(usableOf({ predicted: nothing, complete: true })[0], weights.unclaimed)
})

test('a claim alone never makes a place ready; its own record, a prediction or measurements do', () => {
  const [inside = 0, outside] = usableOf({ claimed: true })
  assert.ok(inside !== null && inside < 0.9 && inside > 0.5)
  assert.equal(outside, weights.unclaimed)
  assert.ok((usableOf({ claimed: true }, 0.97)[0] as number) > 0.9)
  assert.ok((usableOf({ claimed: true, predicted: 199 })[0] as number) > 0.9)
  assert.ok((usableOf({ claimed: true, measured: measuredOf(1, 20) })[0] as number) > 0.9)
})

test('a claim that measurements contradict is flagged and counted, and lowers the operator', () => {
  const columns = makeColumns(3)
  const evidence = { claim: { runs: whole, day: 1 }, prediction: null, measured: measuredOf(0, 5) }
  fuse(grid, evidence, weights.claimed, columns)
  assert.deepEqual([...columns.flags], [flag.contradicted, 0, 0])
  const record = recordOf(columns.claimed, evidence.measured)
  assert.deepEqual([record.claimed_cells, record.tested_cells, record.contradicted_cells, record.over_claim_rate], [1, 1, 1, 1])
  assert.ok(record.reliability < weights.claimed)
  assert.equal(recordOf(columns.claimed, null).over_claim_rate, null)
})

test('three bad samples do not contradict yet, four do', () => {
  const flagged = (weight: number): number => {
    const columns = makeColumns(3)
    fuse(grid, { claim: { runs: whole, day: 1 }, prediction: null, measured: measuredOf(0, weight) }, weights.claimed, columns)
    return columns.flags[0] as number
  }
  assert.deepEqual([flagged(3), flagged(4)], [0, flag.contradicted])
})

test('property: more good evidence never lowers, more bad never raises', () => {
  fc.assert(fc.property(fc.boolean(), fc.integer({ min: 0, max: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.1, max: 50, noNaN: true }), (claimed, predicted, share, weight) => {
    const at = (s: number): number => usableOf({ claimed, predicted, complete: true, measured: measuredOf(s, weight) })[0] as number
    assert.ok(at(1) >= at(share) && at(share) >= at(0))
  }))
})

test('a partly covered cell is covered by as many sevenths', () => {
  const runs = makeRuns([[ancestorOf(key * 8, 0), key * 8 + 3]])
  assert.deepEqual([...claimedColumn(grid, runs)].map((step) => Math.round(step * 7 / 200)), [3, 0, 0])
  assert.deepEqual([...claimedColumn({ resolution: 9, cells: Float64Array.from([key * 8 + 2, key * 8 + 3]) }, runs)], [200, 0])
})

test("Wilson's interval as published: 81 of 263 is 0.255 to 0.366 (Newcombe 1998, table I)", () => {
  const [low, high] = wilson(81 / 263, 263)
  assert.deepEqual([low.toFixed(4), high.toFixed(4)], ['0.2553', '0.3662'])
})
