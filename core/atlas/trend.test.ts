import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../kernel/random.ts'
import { fitTrend, trendAt } from './trend.ts'

const random = seeded(2)
const count = 300
const logDistance = Float64Array.from({ length: count }, () => random() - 1)
const attenuation_db = Float64Array.from({ length: count }, () => 30 * random())
const value = logDistance.map((each, i) => 130 + 35 * each + 0.8 * (attenuation_db[i] ?? 0))
const rows = Int32Array.from(value, (_, i) => i)
const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`)

test('without a ridge it is least squares: 35 dB a decade and the antenna are found', () => {
  const trend = fitTrend([logDistance, attenuation_db], value, rows, 0)
  close(trend.slope[0] ?? 0, 35)
  close(trend.slope[1] ?? 0, 0.8)
  close(trendAt(trend, [logDistance, attenuation_db], 7), value[7] ?? 0)
})

test('a ridge of 1 halves the slope of a lone column, and keeps the mean', () => {
  const free = fitTrend([logDistance], value, rows, 0)
  const held = fitTrend([logDistance], value, rows, 1)
  close(held.slope[0] ?? 0, (free.slope[0] ?? 0) / 2)
  close(held.mean, value.reduce((sum, each) => sum + each, 0) / count)
})

test('a weight of 2 is a sample twice; columns that say nothing or the same twice do no harm', () => {
  const twice = fitTrend([logDistance], value, Int32Array.of(0, 1, 2, 2), 0.3)
  const weighted = fitTrend([logDistance], value, Int32Array.of(0, 1, 2), 0.3, Float64Array.of(1, 1, 2))
  close(weighted.slope[0] ?? 0, twice.slope[0] ?? NaN)
  const idle = fitTrend([logDistance, logDistance, new Float64Array(count).fill(4)], value, rows, 0)
  assert.ok(idle.slope.every(Number.isFinite))
  close(trendAt(idle, [logDistance, logDistance, new Float64Array(count).fill(4)], 5), trendAt(fitTrend([logDistance], value, rows, 0), [logDistance], 5))
})

test('without samples it is 0 everywhere', () => {
  assert.equal(trendAt(fitTrend([logDistance], value, new Int32Array(0), 1), [logDistance], 0), 0)
})
