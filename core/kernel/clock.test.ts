import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rfc3339 } from './clock.ts'

test('an instant reads as the platform itself would write it', () => {
  fc.assert(fc.property(fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(9999, 11, 31) }), (at) => assert.equal(rfc3339(at), new Date(at).toISOString())))
})
