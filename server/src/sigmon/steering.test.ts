import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSteering } from './steering.ts'

test('devices are slowed at once when reports pile up, and quickened only after ten minutes of calm', () => {
  let now = 0
  const told: number[] = []
  const load = createSteering({ clock: () => now, steer: (next) => told.push(next) })
  assert.deepEqual([load(0), load(9_999)], [1, 1])
  assert.deepEqual([load(10_000), load(26_000), load(3)], [2, 4, 4])
  now += 9 * 60_000
  assert.equal(load(25_000), 4)
  now += 9 * 60_000
  assert.equal(load(0), 4)
  now += 60_000
  assert.deepEqual([load(0), load(0)], [1, 1])
  assert.deepEqual([load(50_000), told], [8, [2, 4, 1, 8]])
})
