import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minute_ms } from '../kernel/clock.ts'
import { seeded } from '../kernel/random.ts'
import { backoff, dailyDraw, firstDue, nextDue, resumeDelay } from './schedule.ts'

const pace = { interval_ms: 5 * minute_ms, jitter_share: 0.5 }

test('the next report lies within the jitter and never now or before', () => {
  fc.assert(fc.property(fc.integer(), fc.integer({ min: 1, max: 3_600_000 }), fc.double({ min: -1, max: 2, noNaN: true }), (seed, interval_ms, jitter_share) => {
    const random = seeded(seed)
    const wait = nextDue(1_000, { interval_ms, jitter_share }, random) - 1_000
    const share = Math.min(0.5, Math.max(0, jitter_share))
    assert.ok(wait >= 1 && wait >= interval_ms * (1 - share) - 1 && wait <= interval_ms * (1 + share) + 1, String(wait))
  }))
  assert.equal(nextDue(0, { ...pace, jitter_share: 0 }, () => 0.9), 5 * minute_ms)
})

test('the mean of many intervals is the interval, and the first is spread over one evenly', () => {
  const random = seeded(1)
  let sum = 0
  const tenths = new Array<number>(10).fill(0)
  for (let i = 0; i < 100_000; i++) {
    sum += nextDue(0, pace, random)
    const tenth = Math.min(9, Math.floor((10 * firstDue(0, pace, random)) / pace.interval_ms))
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  assert.ok(Math.abs(sum / 100_000 / pace.interval_ms - 1) < 0.005)
  for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 500, String(count))
})

test('a wait after a failure doubles its bound up to the cap, begins at nothing, and stays finite for ever', () => {
  const highest = (attempt: number): number => backoff(attempt, 1_000, 600_000, () => 1 - 2 ** -32)
  assert.deepEqual([1, 2, 3, 11, 5_000].map(highest), [999, 1_999, 3_999, 599_999, 599_999])
  assert.equal(backoff(9, 1_000, 600_000, () => 0), 0)
  assert.equal(resumeDelay(0, () => 0.5), 0)
  assert.equal(resumeDelay(120_000, () => 0.5), 60_000)
})

test('the daily draw takes its share, answers the same again, and takes others the next day', () => {
  for (const share of [0, 0.01, 0.2, 1]) {
    const drawn = (day: string): boolean[] => Array.from({ length: 50_000 }, (_, i) => dailyDraw(`device-${String(i).padStart(6, '0')}`, day, share))
    const today = drawn('2024-02-14')
    const found = today.filter(Boolean).length / today.length
    assert.ok(Math.abs(found - share) < 5 * Math.sqrt((share * (1 - share)) / today.length) + 1e-9, `${share}: ${found}`)
    assert.deepEqual(drawn('2024-02-14'), today)
    const both = drawn('2024-02-15').filter((each, i) => each && today[i]).length / today.length
    assert.ok(Math.abs(both - share * share) < 0.01, `${share}: ${both} on both days`)
  }
})
