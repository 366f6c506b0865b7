import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeRuns, encodeRuns } from './runs-codec.ts'

const key_max = 2 ** 34 - 1

test('property: runs come back from their bytes as they were', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: key_max }), fc.integer({ min: 2 ** 33, max: 2 ** 33 + 500 })), { maxLength: 200 }), (picked) => {
    const runs = Float64Array.from(picked.slice(0, picked.length - (picked.length % 2))).sort()
    assert.deepEqual(decodeRuns(encodeRuns(runs)), runs)
  }))
})

test('bytes of a thousand neighbours are few', () => {
  const runs = Float64Array.from({ length: 2000 }, (_, i) => 2 ** 33 + i * 9)
  assert.ok(encodeRuns(runs).length < 2010)
})

test('bytes that are cut off, of another version, or touch are no runs', () => {
  const bytes = encodeRuns(Float64Array.of(5, 1000, 2000, 2 ** 34 - 1))
  assert.throws(() => decodeRuns(bytes.subarray(0, bytes.length - 1)), /cut off/)
  assert.throws(() => decodeRuns(bytes.subarray(0, 2)), /cut off/)
  assert.throws(() => decodeRuns(Uint8Array.of(2, 5, 5)), /version 2/)
  assert.throws(() => decodeRuns(new Uint8Array()), /version none/)
  assert.throws(() => decodeRuns(Uint8Array.of(1, 5, 5, 0, 1)), /touch/)
})
