import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { createAsks } from './asks.ts'

const here = '7501011001001'
const there = '7501011002001'

test('twenty devices of a ticket are asked in ten minutes, each once, with the SIM that is meant', () => {
  let now = 0
  const asks = createAsks(() => now)
  assert.deepEqual([asks.isAt(here), asks.take(1, here, null)], [false, false])
  asks.renew([{ ticket: 'TT-1', stations: [here], operator: 'telkomsel' }])
  assert.deepEqual([asks.isAt(here), asks.isAt(there)], [true, false])
  assert.deepEqual([asks.take(1, here, 'indosat'), asks.take(1, here, 'telkomsel'), asks.take(1, here, 'telkomsel'), asks.take(2, there, 'telkomsel')], [false, true, false, false])
  const asked = Array.from({ length: 40 }, (_, index) => asks.take(100 + index, here, null)).filter(Boolean)
  assert.equal(asked.length, 19)
  now += 9 * minute_ms
  asks.renew([{ ticket: 'TT-1', stations: [here], operator: 'telkomsel' }])
  assert.equal(asks.take(500, here, null), false)
  now += minute_ms
  asks.renew([{ ticket: 'TT-1', stations: [here], operator: 'telkomsel' }])
  assert.deepEqual([asks.take(500, here, null), asks.take(1, here, 'telkomsel')], [true, true])
})

test("everybody's fault asks any SIM; two tickets at one station are two rounds in time, and what is over asks nobody", () => {
  let now = 0
  const asks = createAsks(() => now)
  asks.renew([{ ticket: 'TT-1', stations: [here], operator: null }, { ticket: 'TT-2', stations: [here, there], operator: null }])
  assert.deepEqual([asks.take(1, here, 'indosat'), asks.take(1, there, 'indosat'), asks.take(2, there, 'xlsmart')], [true, false, true])
  now += minute_ms
  asks.renew([])
  assert.deepEqual([asks.isAt(here), asks.take(3, here, null)], [false, false])
})
