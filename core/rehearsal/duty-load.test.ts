import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute_ms, second_ms } from '../kernel/clock.ts'
import { dutyLoad } from './duty-load.ts'

const million = { seed: 6, devices: 1_000_000 }

test('a million phones show no synchronised peak: through an outage of a third, a new configuration, a restart', () => {
  const load = dutyLoad(million)
  assert.ok(load.requests > 20_000_000, String(load.requests))
  assert.ok(Math.abs(load.mean_per_s / (1_000_000 / 300) - 1) < 0.02, String(load.mean_per_s))
  assert.ok(load.quiet_peak <= 1.3, `quiet ${load.quiet_peak}`)
  for (const event of ['start_peak', 'network_peak', 'config_peak', 'restart_peak', 'knock_peak'] as const) assert.ok(load[event] <= 2, `${event} ${load[event]}`)
})

test('without spreading every one of these peaks is there', () => {
  const load = dutyLoad({ ...million, plain: true })
  assert.ok(load.quiet_peak > 4 && load.start_peak > 4, `quiet ${load.quiet_peak}, start ${load.start_peak}`)
  assert.ok(load.network_peak > 50 && load.restart_peak > 200 && load.config_peak > 4, JSON.stringify(load))
})

test('each part of it is needed: the spread after an event, and a long first wait after a failure', () => {
  assert.ok(dutyLoad({ ...million, spread_ms: minute_ms }).network_peak > 2.3)
  assert.ok(dutyLoad({ ...million, backoff: { base_ms: 2 * second_ms, cap_ms: 10 * minute_ms } }).restart_peak > 5)
})

test('the same seed gives the same day, another seed another one', () => {
  const day = (seed: number): string => JSON.stringify(dutyLoad({ seed, devices: 10_000 }))
  assert.equal(day(1), day(1))
  assert.notEqual(day(1), day(2))
})
