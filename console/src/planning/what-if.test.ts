import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MoveRow } from '@kawal/contract/readiness.ts'
import { compareMoves, limitsOf } from './what-if.ts'

const row = (station: string, venue: string): MoveRow => ({
  station, village: '', district: '', regency: '', province: '', voters: null, venue, venueName: venue, venueKind: 'school', latitude: null, longitude: null,
  gain: 0.3, classBefore: 'e', classAfter: 'b', walkKm: 1, walkGrade: 'fix', cost: 0.1, decision: null,
})
const plan = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3 })), { selector: ([station]) => station, maxLength: 20 }).map((list) => list.map(([station, venue]) => row(String(station), `v${venue}`)))

test('every proposal of either side is told once: added, dropped, changed or the same', () => {
  fc.assert(fc.property(plan, plan, (stored, asked) => {
    const { added, dropped, changed, same } = compareMoves(stored, asked)
    assert.equal(added.length + changed.length + same, asked.length)
    assert.equal(dropped.length + changed.length + same, stored.length)
    for (const { before, after } of changed) assert.ok(before.station === after.station && before.venue !== after.venue)
    for (const each of added) assert.ok(!stored.some((old) => old.station === each.station))
  }))
  assert.equal(compareMoves([row('1', 'a')], [row('1', 'a')]).same, 1)
  assert.deepEqual(compareMoves([row('1', 'a')], [row('1', 'b')]).changed, [{ before: row('1', 'a'), after: row('1', 'b') }])
})

test('limits: a comma is a point, empty is not given, beyond the range is said', () => {
  assert.deepEqual(limitsOf({ walkKmMax: '1,5', gainMin: ' ', stationsPerVenueMax: '3' }), { given: { walkKmMax: 1.5, stationsPerVenueMax: 3 }, wrong: [] })
  assert.deepEqual(limitsOf({ walkKmMax: '51', gainMin: 'x', stationsPerVenueMax: '1.5' }).wrong, ['walkKmMax', 'gainMin', 'stationsPerVenueMax'])
})
