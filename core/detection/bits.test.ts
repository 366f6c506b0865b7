import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { judge } from '../measurement/judge.ts'
import { evidenceBits, type TellingSample } from './bits.ts'
import { fieldOf, what } from './evidence.ts'

const words = fc.constantFrom('ok', 'timeout', 'offline', 'portal', 'http_error', 'wrong_clock', 'untested')
const samples = fc.record({
  access: fc.constantFrom('cellular', 'wifi', 'wired', 'none', 'unknown'), rttMs: fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 20 }), timeouts: fc.nat(20), reach: fc.record({ internet: words, election: words, platform: words }),
  accessPoint: fc.option(fc.string()), technology: fc.option(fc.constantFrom('lte', 'nr', 'gsm', 'umts')), radio: fc.option(fc.record({ rsrpDbm: fc.option(fc.integer({ min: -140, max: -44 })), rssiDbm: fc.option(fc.integer({ min: -113, max: -51 })) })), charging: fc.option(fc.boolean()),
})
const known = (value: boolean | null): number => (value === null ? 0 : value ? 1 : 2)

test('bits say what the judgement says, and nothing of what was not measured', () => {
  fc.assert(fc.property(samples, (sample: TellingSample) => {
    const bits = evidenceBits(sample, 'telkomsel')
    const { quality, targets } = judge(sample)
    const sorted = sample.rttMs.toSorted((a, b) => a - b)
    assert.equal(fieldOf(bits, 'quality'), quality === 'unknown' ? 0 : quality === 'good' ? 1 : 2)
    assert.deepEqual([fieldOf(bits, 'internet'), fieldOf(bits, 'election'), fieldOf(bits, 'charging')], [known(targets.internet), known(targets.election), sample.charging === null ? 0 : sample.charging ? 2 : 1])
    assert.equal((bits >> what.slow) & 1, Number((sorted[sorted.length >> 1] ?? 0) > 1_000))
    assert.equal((bits >> what.lossy) & 1, Number(sample.timeouts > 0 && sample.timeouts / (sample.timeouts + sample.rttMs.length) > 0.25))
    assert.ok(bits >= 0 && bits <= 0xffff)
  }), { numRuns: 2_000 })
})

const plain: TellingSample = { access: 'cellular', rttMs: [50], timeouts: 0, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, accessPoint: null, technology: 'lte', radio: null, charging: null }

test('radio is strong or weak by its technology, and unknown without a level that is its own', () => {
  const radio = (technology: string | null, values: TellingSample['radio']): number => fieldOf(evidenceBits({ ...plain, technology, radio: values }, null), 'radio')
  assert.deepEqual([radio('lte', { rsrpDbm: -111 }), radio('lte', { rsrpDbm: -112 }), radio('gsm', { rssiDbm: -101 }), radio('umts', { rssiDbm: -102 }), radio('nr', { rsrpDbm: -80 })], [2, 1, 2, 1, 2])
  assert.deepEqual([radio('lte', { rssiDbm: -60 }), radio('gsm', { rsrpDbm: -60 }), radio(null, { rsrpDbm: -60 }), radio('lte', { rsrpDbm: null }), radio('lte', null)], [0, 0, 0, 0, 0])
})

test('an access point is one, whatever carries to it; no network is no way', () => {
  const way = (change: Partial<TellingSample>, operator: string | null = 'telkomsel'): number => fieldOf(evidenceBits({ ...plain, ...change }, operator), 'way')
  assert.deepEqual([way({}), way({ access: 'wifi' }), way({ access: 'wired' }), way({ access: 'none' }), way({ access: 'unknown' })], [1, 2, 2, 0, 0])
  assert.deepEqual([way({ access: 'wifi', accessPoint: 'ai-1' }), way({ access: 'wifi' }, 'bakti'), way({ access: 'unknown', accessPoint: 'ai-1' })], [3, 3, 3])
})
