import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { audit } from './audit.ts'

const stored = (...reports: readonly (readonly [number, number])[]): Float64Array => Float64Array.from(reports, ([key, sequence]) => key * 65_536 + sequence)

test('what is acknowledged and not stored is lost, what is stored twice is doubled; what nobody acknowledged may be there', () => {
  const acks = Uint32Array.of(1, 4, 1, 1, 5, 2, 2, 9, 1)
  assert.deepEqual(audit(acks, stored([2, 9], [1, 4], [1, 5], [1, 6], [7, 1])), { acknowledged: 4, lost: 0, doubled: 0 })
  assert.deepEqual(audit(acks, stored([1, 4], [1, 6], [2, 9])), { acknowledged: 4, lost: 1, doubled: 0 })
  assert.deepEqual(audit(acks, stored([1, 4], [1, 5], [1, 6], [2, 9], [2, 9], [2, 9])), { acknowledged: 4, lost: 0, doubled: 2 })
  assert.deepEqual(audit(Uint32Array.of(1, 4, 1, 1, 4, 1), stored()), { acknowledged: 1, lost: 1, doubled: 0 }, 'acknowledged twice is one report')
})

test('the count agrees with sets', () => {
  const report = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 12 }))
  fc.assert(fc.property(fc.array(fc.tuple(report, fc.integer({ min: 1, max: 4 }))), fc.array(report), (acknowledged, kept) => {
    const wanted = new Set(acknowledged.flatMap(([[key, first], samples]) => Array.from({ length: samples }, (_, i) => `${key}.${first + i}`)))
    const there = kept.map(([key, sequence]) => `${key}.${sequence}`)
    const set = new Set(there)
    assert.deepEqual(audit(Uint32Array.from(acknowledged.flatMap(([[key, first], samples]) => [key, first, samples])), stored(...kept)),
      { acknowledged: wanted.size, lost: [...wanted].filter((each) => !set.has(each)).length, doubled: there.length - set.size })
  }))
})
