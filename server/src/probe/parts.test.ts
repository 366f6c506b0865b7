import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { accessOf, chargingOf } from './box.ts'
import { means, routine_cost_bytes, throughput_cost_bytes } from './budget.ts'
import type { Check } from './check.ts'
import { roundTrips } from './round-trips.ts'
import { untested, type Reach, type TargetResult } from './target.ts'
import { verdict } from './verdict.ts'

const target = (reach: Reach): TargetResult => (reach === 'untested' ? untested : { reach, steps: [{ step: 'http', ok: reach === 'ok', ms: 1, detail: null, code: null }], failed: reach === 'ok' ? null : 'http', status: null, bytes: 0 })
function checked(internet: Reach, election: Reach, platform: Reach, change: Partial<Check> = {}): Check {
  const rttMs = platform === 'ok' ? [50, 60, 55] : []
  return { means: 'routine', targets: { internet: target(internet), election: target(election), platform: target(platform) }, rttMs, timeouts: 0, roundTrips: roundTrips(rttMs), downKbps: null, upKbps: null, electionFromPlatform: null, clockOffset_ms: null, bytes: () => 0, line: null, ...change }
}

test('whose fault it is', () => {
  const said = (...given: Parameters<typeof checked>): string => {
    const { advice, blame } = verdict(checked(...given))
    return `${advice} ${blame}`
  }
  assert.equal(said('ok', 'ok', 'ok'), 'send nobody')
  assert.equal(said('untested', 'untested', 'ok'), 'send nobody')
  assert.equal(said('ok', 'http_error', 'ok'), 'wait election_server')
  assert.equal(said('ok', 'ok', 'timeout'), 'wait platform')
  assert.equal(said('timeout', 'timeout', 'timeout'), 'move network')
  assert.equal(said('portal', 'timeout', 'portal'), 'move network')
  assert.equal(said('offline', 'offline', 'offline'), 'move box')
  assert.equal(said('ok', 'wrong_clock', 'wrong_clock'), 'wait box')
  assert.equal(said('ok', 'ok', 'ok', { rttMs: [50], timeouts: 3 }), 'move network')
  assert.equal(said('ok', 'ok', 'ok', { roundTrips: roundTrips([1_500, 1_600]) }), 'wait network')
  assert.equal(said('ok', 'ok', 'ok', { upKbps: 20 }), 'wait network')
  assert.equal(said('untested', 'untested', 'untested', { means: 'nothing' }), 'wait nobody')
})

test('when all but the election server answers, nobody else is blamed, whatever it says', () => {
  fc.assert(fc.property(fc.constantFrom<Reach>('timeout', 'http_error', 'portal', 'offline'), fc.constantFrom<Reach>('ok', 'untested'), fc.constantFrom('ok' as const, 'down' as const, null), (election, internet, seen) => {
    assert.equal(verdict(checked(internet, election, 'ok', { electionFromPlatform: seen })).blame, 'election_server')
  }))
})

test('median and 95th percentile are values that were measured; jitter is as RFC 3550 has it', () => {
  assert.deepEqual(roundTrips([]), { median_ms: null, p95_ms: null, jitter_ms: null })
  assert.deepEqual(roundTrips([7]), { median_ms: 7, p95_ms: 7, jitter_ms: null })
  assert.deepEqual(roundTrips([10, 26, 10]), { median_ms: 10, p95_ms: 26, jitter_ms: 1.94 }) // 16/16 = 1; 1 + (16 - 1)/16 = 1.9375
  const twenty = Array.from({ length: 20 }, (_, index) => index + 1)
  assert.deepEqual([roundTrips(twenty).median_ms, roundTrips(twenty).p95_ms], [10, 19])
})

test('what a check may cost is never begun past the limit', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 30_000_000 }), fc.integer({ min: 0, max: 30_000_000 }), fc.option(fc.integer({ min: 0, max: 1e9 })), (spent, limit, last) => {
    const may = means({ day: 'd', bytes: spent }, 1e9, 'd', limit, last)
    const cost = may === 'nothing' ? 0 : routine_cost_bytes + (may === 'throughput' ? throughput_cost_bytes : 0)
    assert.ok(cost === 0 || spent + cost <= limit)
  }))
  assert.equal(means({ day: 'yesterday', bytes: 9e9 }, 0, 'today', 5_000_000, null), 'throughput')
  assert.equal(means({ day: 'd', bytes: 0 }, 1e9, 'd', 5_000_000, 1e9 - 60_000), 'routine')
})

test('how a box reaches the world, and whether it has mains', () => {
  const root = mkdtempSync(join(tmpdir(), 'kawal-box-'))
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const route = (name: string, metric: number, flags = '0003'): string => `${name}\t00000000\t0101A8C0\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0\n`
  const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
  try {
    assert.deepEqual([accessOf(root), chargingOf(root)], ['none', null])
    put('proc/net/route', head + route('eth0', 100) + route('wwan0', 700))
    assert.equal(accessOf(root), 'wired')
    put('proc/net/route', head + route('eth0', 100, '0002') + route('wwan0', 700))
    assert.equal(accessOf(root), 'cellular')
    put('proc/net/route', head + route('wlp2s0', 600))
    put('sys/class/net/wlp2s0/wireless/x', '')
    assert.equal(accessOf(root), 'wifi')
    put('proc/net/route', head + route('tun0', 1))
    assert.equal(accessOf(root), 'unknown')
    put('proc/net/route', head)
    put('proc/net/ipv6_route', `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} ffffffff 00000001 00000000 00200200       lo\n${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe80${'0'.repeat(28)} 00000400 00000001 00000000 00000003     enp1s0\n`)
    assert.equal(accessOf(root), 'wired')
    put('sys/class/power_supply/AC/type', 'Mains\n')
    put('sys/class/power_supply/AC/online', '0\n')
    put('sys/class/power_supply/BAT0/type', 'Battery\n')
    assert.equal(chargingOf(root), false)
    put('sys/class/power_supply/AC/online', '1\n')
    assert.equal(chargingOf(root), true)
  } finally {
    rmSync(root, { recursive: true })
  }
})
