import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, verdict, type Measured } from './src/verdict.ts'

const well: Measured = { rttMs: [80, 90, 100], timeouts: 0, upKbps: 900, reach: { internet: 'untested', election: 'ok', platform: 'ok' } }

test('each fault gets its own word and reason', () => {
  assert.deepEqual(verdict(well, true), { advice: 'send', reason: 'fine' })
  assert.deepEqual(verdict(well, false), { advice: 'move', reason: 'phone_offline' })
  assert.deepEqual(verdict({ ...well, reach: { ...well.reach, election: 'timeout' } }, true), { advice: 'wait', reason: 'election_server' })
  assert.deepEqual(verdict({ ...well, reach: { internet: 'ok', election: 'timeout', platform: 'timeout' } }, true), { advice: 'wait', reason: 'platform' })
  assert.deepEqual(verdict({ ...well, rttMs: [], timeouts: 5, reach: { internet: 'untested', election: 'timeout', platform: 'timeout' } }, true), { advice: 'move', reason: 'no_answer' })
  assert.deepEqual(verdict({ ...well, timeouts: 3 }, true), { advice: 'move', reason: 'lossy' })
  assert.deepEqual(verdict({ ...well, rttMs: [1500, 1600, 1700] }, true), { advice: 'wait', reason: 'slow' })
  assert.deepEqual(verdict({ ...well, upKbps: 20 }, true), { advice: 'wait', reason: 'slow' })
})

test('the median of nothing is unknown', () => {
  assert.equal(median([]), null)
  assert.equal(median([3, 1, 2]), 2)
})
