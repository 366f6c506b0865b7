import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nothing, type Grid } from '../atlas/edition.ts'
import { centreOf, keyAt } from '../geo/cells.ts'
import { bearing_deg, distance_km, type Position } from '../geo/distance.ts'
import type { Reach } from './assess.ts'
import { ladderOf, nearestCovered } from './ladder.ts'
import { thresholdsOn } from './readiness.ts'

const thresholds = thresholdsOn('2024-02-14')
const home: Position = { latitude: -8.6, longitude: 121.1 }
const keys = [...new Set(Array.from({ length: 60 }, (_, i) => Array.from({ length: 60 }, (_unused, j) => keyAt(-8.75 + i * 0.005, 120.95 + j * 0.005, 8))).flat())].sort((a, b) => a - b)
const grid: Grid = { resolution: 8, cells: Float64Array.from(keys) }

test('property: the nearest covered cell is the one that a look at every cell finds', () => {
  const step = fc.oneof({ weight: 60, arbitrary: fc.constant(nothing) }, { weight: 30, arbitrary: fc.constant(100) }, { weight: 1, arbitrary: fc.constant(190) })
  fc.assert(fc.property(fc.array(step, { minLength: keys.length, maxLength: keys.length }), fc.constantFrom(0, 1, 3), (steps, from) => {
    const reach: Reach[] = [{ strong: Uint8Array.from(steps), weak: new Uint8Array(keys.length).fill(nothing) }]
    const all = keys.flatMap((key, row) => (steps[row] === 190 ? [distance_km(home, centreOf(key, 8))] : [])).filter((km) => km > from && km <= 12)
    const found = nearestCovered(grid, reach, home, from, 12, 0.9)
    assert.equal(found?.distance_km ?? Infinity, Math.min(Infinity, ...all))
  }), { numRuns: 40 })
})

test('bearings: north, east, south, west', () => {
  for (const [latitude, longitude, wanted] of [[-8.5, 121.1, 0], [-8.6, 121.2, 90], [-8.7, 121.1, 180], [-8.6, 121, 270]] as const)
    assert.ok(Math.abs(bearing_deg(home, { latitude, longitude }) - wanted) < 0.02)
})

test('the ladder holds all six steps, and says which are not there', () => {
  const steps = new Uint8Array(keys.length).fill(10)
  steps[keys.indexOf(keyAt(-8.55, 121.15, 8))] = 195
  const input = {
    position: home, shares: { strong: Uint8Array.from([120, 150, nothing]), weak: new Uint8Array(3).fill(nothing), cells: 1 }, carried: 1, fixed: null,
    point: { id: 'A1', position: { latitude: -8.62, longitude: 121.1 }, travel_min: 20 }, grid, reach: [{ strong: steps, weak: steps }], thresholds,
  }
  const ladder = ladderOf(input)
  assert.deepEqual(ladder.map((each) => `${each.kind} ${each.available}`), ['other_operator true', 'better_spot false', 'village_wifi false', 'access_point true', 'covered_place true', 'offline true'])
  assert.equal(ladder[0]?.kind === 'other_operator' && ladder[0].operator, 0)
  assert.ok(ladder[4]?.kind === 'covered_place' && Math.abs((ladder[4].place?.distance_km ?? 0) - 7.8) < 0.6)
  assert.deepEqual(ladderOf({ ...input, position: null, point: null }).map((each) => each.available), [true, false, false, false, false, true])
})
