import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jitter, median, p95 } from './src/check/probe.ts'
import { reasons, up_kbps_min, verdict, type Facts, type Reach } from './src/check/verdict.ts'

const well: Facts = { reach: { internet: 'ok', election: 'ok', platform: 'ok' }, electionSeen: 'ok', onAccessPoint: false, clockWrong: false, probes: 10, lost: 0, rttMedianMs: 80, upAtMostKbps: 900 }
const reach = (internet: Reach, election: Reach, platform: Reach): Partial<Facts> => ({ reach: { internet, election, platform } })
const said = (change: Partial<Facts>): string => {
  const { advice, blame, reason } = verdict({ ...well, ...change })
  return `${advice} ${blame} ${reason}`
}

const table: readonly (readonly [change: Partial<Facts>, expected: string])[] = [
  [{}, 'send nobody fine'],
  [reach('untested', 'untested', 'ok'), 'send nobody fine'],
  [reach('untested', 'untested', 'untested'), 'wait nobody unmeasured'],
  [{ clockWrong: true }, 'send phone wrong_clock'],
  [{ ...reach('wrong_clock', 'wrong_clock', 'wrong_clock'), clockWrong: true }, 'wait phone wrong_clock'],
  [{ ...reach('ok', 'wrong_clock', 'ok'), clockWrong: true }, 'wait phone wrong_clock'],
  [reach('offline', 'offline', 'offline'), 'move phone phone_offline'],
  [reach('timeout', 'timeout', 'timeout'), 'move operator no_answer'],
  [{ ...reach('timeout', 'timeout', 'timeout'), onAccessPoint: true }, 'move access_point no_answer'],
  [reach('untested', 'untested', 'timeout'), 'move operator no_answer'],
  [reach('portal', 'portal', 'portal'), 'wait operator portal'],
  [{ ...reach('portal', 'timeout', 'portal'), onAccessPoint: true }, 'wait access_point portal'],
  [{ ...reach('portal', 'timeout', 'timeout'), onAccessPoint: true }, 'wait access_point portal'],
  [reach('ok', 'ok', 'timeout'), 'wait platform platform'],
  [reach('ok', 'timeout', 'timeout'), 'wait platform platform'],
  [reach('timeout', 'http_error', 'timeout'), 'wait platform platform'],
  [reach('untested', 'untested', 'http_error'), 'wait platform platform'],
  [reach('ok', 'http_error', 'ok'), 'wait election_server election_down'],
  [{ electionSeen: 'down' }, 'wait election_server election_down'],
  [{ ...reach('ok', 'timeout', 'ok'), electionSeen: 'down' }, 'wait election_server election_down'],
  [reach('ok', 'timeout', 'ok'), 'wait election_server election_unreachable'],
  [{ ...reach('ok', 'timeout', 'ok'), electionSeen: null }, 'wait election_server election_silent'],
  [reach('timeout', 'timeout', 'ok'), 'move operator partial'],
  [{ ...reach('timeout', 'timeout', 'ok'), electionSeen: null }, 'wait election_server election_silent'],
  [reach('timeout', 'ok', 'ok'), 'send nobody fine'],
  [{ lost: 1 }, 'send nobody fine'],
  [{ lost: 2 }, 'wait operator lossy'],
  [{ lost: 5 }, 'move operator lossy'],
  [{ lost: 5, onAccessPoint: true }, 'move access_point lossy'],
  [{ lost: 5, electionSeen: 'down' }, 'wait election_server election_down'],
  [{ rttMedianMs: 1_001 }, 'wait operator slow'],
  [{ rttMedianMs: 1_000 }, 'send nobody fine'],
  [{ upAtMostKbps: up_kbps_min - 1 }, 'wait operator slow'],
  [{ upAtMostKbps: up_kbps_min }, 'send nobody fine'],
  [{ upAtMostKbps: null, rttMedianMs: null }, 'send nobody fine'],
]

test('each fault gets its own word, culprit and reason', () => {
  for (const [change, expected] of table) assert.equal(said(change), expected, JSON.stringify(change))
})

test('the table has every reason', () => {
  const seen = new Set(table.map(([, expected]) => expected.split(' ')[2]))
  assert.deepEqual(reasons.filter((reason) => !seen.has(reason)), [])
})

const anyReach = fc.constantFrom<Reach>('ok', 'timeout', 'offline', 'portal', 'http_error', 'wrong_clock', 'untested')
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  reach: fc.record({ internet: anyReach, election: anyReach, platform: anyReach }), electionSeen: fc.constantFrom('ok', 'down', null), onAccessPoint: fc.boolean(), clockWrong: fc.boolean(),
  probes: fc.integer({ min: 0, max: 20 }), lost: fc.integer({ min: 0, max: 20 }), rttMedianMs: fc.option(fc.double({ min: 0.1, max: 60_000, noNaN: true })), upAtMostKbps: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
})

test('it is total: every fact gets one of three words and a known reason', () => {
  fc.assert(fc.property(anyFacts, (facts) => {
    const { advice, blame, reason } = verdict(facts)
    assert.ok(['send', 'wait', 'move'].includes(advice) && reasons.includes(reason))
    // an access point's network is not the operator's, nor the other way round
    assert.notEqual(blame, facts.onAccessPoint ? 'operator' : 'access_point')
  }), { numRuns: 2_000 })
})

test('an election server that fails alone is never the fault of operator, phone or access point', () => {
  fc.assert(fc.property(anyFacts, fc.constantFrom<Reach>('timeout', 'http_error', 'offline'), fc.constantFrom('ok', 'down', null), (facts, election, electionSeen) => {
    const { blame, advice } = verdict({ ...facts, reach: { internet: 'ok', election, platform: 'ok' }, electionSeen, lost: 0, rttMedianMs: 100, upAtMostKbps: 1_000 })
    assert.equal(blame, 'election_server')
    assert.equal(advice, 'wait')
  }), { numRuns: 1_000 })
})

test('nobody is sent on by a platform that was not reached', () => {
  fc.assert(fc.property(anyFacts, (facts) => {
    if (verdict(facts).advice === 'send') assert.ok(facts.reach.platform === 'ok' || facts.reach.platform === 'untested')
  }), { numRuns: 2_000 })
})

test('median, 95th percentile by nearest rank, jitter by RFC 3550', () => {
  assert.equal(median([]), null)
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
  assert.equal(p95([]), null)
  assert.equal(p95([5, 1, 3]), 5)
  assert.equal(p95(Array.from({ length: 20 }, (_, i) => i + 1)), 19)
  assert.equal(p95(Array.from({ length: 100 }, (_, i) => i + 1)), 95)
  assert.equal(jitter([]), null)
  assert.equal(jitter([50]), null)
  assert.equal(jitter([50, 50, 50]), 0)
  // J = 16/16 = 1, then 1 + (32 - 1) / 16
  assert.equal(jitter([10, 26, 58]), 2.94)
})
