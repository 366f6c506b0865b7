import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clocksOf, deadlinesOf, zones } from '../impact/deadline.ts'
import { contestOn } from '../impact/defaults.ts'
import { hour_ms, minute_ms } from '../kernel/clock.ts'
import { budgetsBy, resultsDue } from './level.ts'

const contest = contestOn('2029-02-14', 'a test')
const [wib = [], wita = [], wit = []] = zones.map((zone) => deadlinesOf(zone, contest.day, contest.deadlines))
const at = (text: string): number => Date.parse(text)
const iso = (due: number | null): string | null => (due === null ? null : new Date(due).toISOString())
const agreed = { restore: 30 * minute_ms, repair: 4 * hour_ms }
const restore = (dueAt: number | null, now: number, level = agreed): number => budgetsBy(level, dueAt, now).restore

test('results are due at 20:00 of the stations\' own time, then at noon of the next day; to the millisecond', () => {
  const dueOf = (places: (typeof wib)[], now: string): string | null => iso(resultsDue(places, at(now)))
  assert.deepEqual([wib, wita, wit].map((place) => dueOf([place], '2029-02-14T02:00:00Z')), ['2029-02-14T13:00:00.000Z', '2029-02-14T12:00:00.000Z', '2029-02-14T11:00:00.000Z'])
  assert.equal(dueOf([wib], '2029-02-14T12:59:59.999Z'), '2029-02-14T13:00:00.000Z')
  assert.equal(dueOf([wib], '2029-02-14T13:00:00.000Z'), '2029-02-15T05:00:00.000Z', 'due is over')
  assert.equal(dueOf([wib], '2029-02-15T04:59:59.999Z'), '2029-02-15T05:00:00.000Z')
  assert.equal(dueOf([wib], '2029-02-15T05:00:00.000Z'), null)
  assert.equal(dueOf([wib], '2029-02-13T16:30:00.000Z'), '2029-02-14T13:00:00.000Z', 'the evening before already')
})

test('of stations in several zones the first counts, also when only one of theirs is over', () => {
  assert.equal(iso(resultsDue([wib, wit, wita], at('2029-02-14T02:00:00Z'))), '2029-02-14T11:00:00.000Z')
  assert.equal(iso(resultsDue([wib, wit], at('2029-02-14T11:30:00Z'))), '2029-02-14T13:00:00.000Z', 'WIT\'s first is over, WIB\'s is before WIT\'s second')
  assert.equal(iso(resultsDue([wib, wit], at('2029-02-14T20:00:00Z'))), '2029-02-15T03:00:00.000Z')
  assert.equal(resultsDue([], 0), null)
  assert.equal(resultsDue(clocksOf(null), 0), null)
})

test('voting that begins or ends shortens nothing', () => {
  for (const now of ['2029-02-13T23:55:00Z', '2029-02-14T05:55:00Z']) assert.equal(restore(resultsDue([wib], at(now)), at(now)), agreed.restore)
})

test('agreed, until an hour before results are due; then what is left up to half an hour before, and 5 minutes at the least', () => {
  const due = at('2029-02-14T13:00:00Z')
  const left = (before_ms: number): number => restore(due, due - before_ms)
  assert.deepEqual([left(hour_ms + 1), left(hour_ms), left(hour_ms - 1)], [30 * minute_ms, 30 * minute_ms, 30 * minute_ms - 1])
  assert.deepEqual([left(35 * minute_ms + 1), left(35 * minute_ms), left(35 * minute_ms - 1), left(1)], [5 * minute_ms + 1, 5 * minute_ms, 5 * minute_ms, 5 * minute_ms])
  assert.deepEqual(budgetsBy(agreed, due, due - 40 * minute_ms), { restore: 10 * minute_ms, repair: agreed.repair }, 'a repair may outlast the day')
  assert.equal(budgetsBy(agreed, due, due - 40 * minute_ms, 0).restore, agreed.restore, 'without a margin')
})

test('across midnight: an agreement of hours ends before noon of the next day', () => {
  const long = { restore: 14 * hour_ms, repair: 24 * hour_ms }
  const now = at('2029-02-14T16:59:59.999Z') // 23:59:59.999 WIB
  const due = resultsDue([wib], now)
  assert.equal(restore(due, now, long), 11 * hour_ms + 30 * minute_ms + 1)
  assert.equal(restore(resultsDue([wib], now + 1), now + 1, long), 11 * hour_ms + 30 * minute_ms)
  assert.deepEqual([wita, wit].map((place) => restore(resultsDue([place], now + 1), now + 1, long)), [10.5 * hour_ms, 9.5 * hour_ms])
  assert.equal(restore(null, now, long), long.restore, 'nothing is due')
})

test('whenever it opens: never more than agreed, never under 5 minutes, over at the margin wherever there is time', () => {
  const start = at('2029-02-13T00:00:00Z')
  fc.assert(fc.property(fc.nat(72 * hour_ms), fc.integer({ min: 5 * minute_ms, max: 20 * hour_ms }), fc.subarray([wib, wita, wit]), (after, restore_ms, places) => {
    const now = start + after
    // The slow twin: every instant of the list, one by one.
    const due = places.flatMap((place) => place.filter(({ name }) => name === 'recaps_due' || name === 'count_ends').map((each) => each.at)).filter((each) => each > now).sort((a, b) => a - b)[0] ?? null
    assert.equal(resultsDue(places, now), due)
    const budget = restore(due, now, { restore: restore_ms, repair: 24 * hour_ms })
    assert.ok(budget <= restore_ms && budget >= 5 * minute_ms)
    if (due !== null && budget > 5 * minute_ms) assert.ok(now + budget <= due - 30 * minute_ms)
    if (due === null || now + restore_ms <= due - 30 * minute_ms) assert.equal(budget, restore_ms)
  }))
})
