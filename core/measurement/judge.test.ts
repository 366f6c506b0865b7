import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { judge, medianRtt, rtt_ms_bad, type JudgedSample } from './judge.ts'

const well: JudgedSample = { access: 'cellular', rttMs: [40, 50, 60], timeouts: 0, reach: { internet: 'ok', election: 'ok', platform: 'ok' } }
const quality = (change: Partial<JudgedSample>): string => judge({ ...well, ...change }).quality

test('slow, lossy, offline and without a network are bad', () => {
  assert.equal(quality({}), 'good')
  assert.equal(quality({ rttMs: [rtt_ms_bad] }), 'good')
  assert.equal(quality({ rttMs: [rtt_ms_bad + 1] }), 'bad')
  assert.equal(quality({ rttMs: [50, 50, 50], timeouts: 1 }), 'good')
  assert.equal(quality({ rttMs: [50, 50], timeouts: 1 }), 'bad')
  assert.equal(quality({ access: 'none' }), 'bad')
  assert.equal(quality({ reach: { ...well.reach, internet: 'timeout' } }), 'bad')
})

test('a goodbye that measured nothing says nothing of the network', () => {
  const untested = { internet: 'untested', election: 'untested', platform: 'untested' }
  assert.equal(quality({ rttMs: [], reach: untested }), 'unknown')
  assert.equal(quality({ rttMs: [], reach: { ...untested, platform: 'ok' } }), 'good')
})

test('the election server alone never makes a network bad', () => {
  fc.assert(fc.property(fc.constantFrom('ok', 'timeout', 'offline', 'portal', 'http_error', 'wrong_clock', 'untested'), (election) => {
    assert.equal(quality({ reach: { ...well.reach, election } }), 'good')
  }))
})

test('what was not tested, and a wrong clock, is unknown: neither reached nor missed', () => {
  assert.deepEqual(judge({ ...well, reach: { internet: 'untested', election: 'wrong_clock', platform: 'ok' } }).targets, { internet: null, election: null, platform: true })
})

test('the median by rank is the one by sorting', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.double({ min: 0.1, max: 60_000, noNaN: true })), { maxLength: 20 }), (rttMs) => {
    assert.equal(medianRtt(rttMs), rttMs.toSorted((a, b) => a - b)[rttMs.length >> 1] ?? null)
  }))
})
