import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minute_ms } from '../kernel/clock.ts'
import { clockFinder, clocksOf, contestAt, deadlinesOf, nearness, nextDeadline, no_clock, zones, type Contest } from './deadline.ts'
import { contestOn, impactDefaults } from './defaults.ts'

const [general] = impactDefaults.contests
const rules = contestOn('2029-02-14', 'a test').deadlines
const iso = (at: number): string => new Date(at).toISOString()
/** The slow twin: the platform's own calendar and zones. */
const local = (at: number, zone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at)

test('07:00, 13:00, 20:00 and noon of the next day, in WIB, WITA and WIT', () => {
  const at = zones.map((zone) => deadlinesOf(zone, '2024-02-14', rules).map((each) => iso(each.at)))
  assert.deepEqual(at, [
    ['2024-02-14T00:00:00.000Z', '2024-02-14T06:00:00.000Z', '2024-02-14T13:00:00.000Z', '2024-02-15T05:00:00.000Z'],
    ['2024-02-13T23:00:00.000Z', '2024-02-14T05:00:00.000Z', '2024-02-14T12:00:00.000Z', '2024-02-15T04:00:00.000Z'],
    ['2024-02-13T22:00:00.000Z', '2024-02-14T04:00:00.000Z', '2024-02-14T11:00:00.000Z', '2024-02-15T03:00:00.000Z'],
  ])
})

test('on any day, leap days and turns of the year too, a deadline is at its own local time and day', () => {
  fc.assert(fc.property(fc.date({ min: new Date('1970-01-02'), max: new Date('2400-12-30'), noInvalidDate: true }), fc.constantFrom(...zones), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 3 }), (date, zone, hour, minute, daysAfter) => {
    const day = iso(date.getTime()).slice(0, 10)
    const at = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
    const [found] = deadlinesOf(zone, day, [{ name: 'x', at, daysAfter, riseMin: 60, share: 1, citation: 'x' }])
    const wanted = iso(Date.parse(`${day}T00:00:00Z`) + daysAfter * 86_400_000).slice(0, 10)
    assert.equal(local(found?.at ?? NaN, zone), `${wanted} ${at}`)
    assert.equal(local(found?.from ?? NaN, zone), `${day} 00:00`)
  }))
})

test('the day begins at its own midnight, and what is due after midnight is still ahead then', () => {
  for (const zone of zones) {
    const deadlines = deadlinesOf(zone, '2029-02-14', rules)
    const [first, , , last] = deadlines
    const midnight = first?.from ?? NaN
    assert.equal(nextDeadline(deadlines, midnight - 1), null, 'the day before is no day of voting')
    assert.equal(nearness(deadlines, midnight - 1), 0)
    assert.equal(nextDeadline(deadlines, midnight)?.name, 'voting_starts')
    // 23:59 and 00:01: the same deadline, two minutes nearer
    const before = midnight + 24 * 60 * minute_ms - minute_ms
    assert.deepEqual([before, before + 2 * minute_ms].map((now) => nextDeadline(deadlines, now)?.name), ['count_ends', 'count_ends'])
    assert.ok(nearness(deadlines, before + 2 * minute_ms) > nearness(deadlines, before))
    assert.equal(nextDeadline(deadlines, last?.at ?? NaN), null, 'due is over')
    assert.equal(nearness(deadlines, last?.at ?? NaN), 0)
    assert.equal(nearness(deadlines, (last?.at ?? NaN) + 30 * 86_400_000), 0)
  }
})

test('the same instant is another hour in each zone', () => {
  const now = Date.parse('2029-02-14T05:30:00Z') // 12:30 WIB, 13:30 WITA, 14:30 WIT
  assert.deepEqual(zones.map((zone) => nextDeadline(deadlinesOf(zone, '2029-02-14', rules), now)?.name), ['voting_ends', 'recaps_due', 'recaps_due'])
})

test('nearness never falls until a deadline passes, stays in 0 to 1, and reaches the share', () => {
  const deadlines = deadlinesOf('Asia/Makassar', '2029-02-14', rules)
  const start = deadlines[0]?.from ?? NaN
  const next = (now: number): number => nextDeadline(deadlines, now)?.at ?? Infinity
  fc.assert(fc.property(fc.integer({ min: -600, max: 3_000 }), fc.integer({ min: 0, max: 600 }), (from, later) => {
    const [a, b] = [start + from * minute_ms, start + (from + later) * minute_ms]
    const [near, nearer] = [nearness(deadlines, a), nearness(deadlines, b)]
    assert.ok(near >= 0 && near <= 1)
    if (next(a) === next(b) || b < next(a)) assert.ok(nearer >= near, `${from} ${later}`)
  }))
  for (const each of deadlines) assert.ok(nearness(deadlines, each.at - 1) >= each.share - 1e-6, each.name)
})

test('late areas vote on their own day, by the longest code; a station of no zone has no clock', () => {
  const contest: Contest = { ...contestOn('2029-02-14', 'a test'), late: [{ day: '2029-02-24', areas: ['3321', '9401011001002'] }, { day: '2029-02-20', areas: ['332101'] }] }
  const find = clockFinder(contest)
  const clocks = clocksOf(contest)
  const day = (code: string, zone: string): string | undefined => {
    const from = clocks[find(code, zone)]?.[0]?.from
    return from === undefined ? undefined : local(from, zone)
  }
  assert.equal(day('3201011001001', 'Asia/Jakarta'), '2029-02-14 00:00')
  assert.equal(day('3321021001001', 'Asia/Jakarta'), '2029-02-24 00:00')
  assert.equal(day('3321011001001', 'Asia/Jakarta'), '2029-02-20 00:00', 'the district holds, not its regency')
  assert.equal(day('9401011001002', 'Asia/Jayapura'), '2029-02-24 00:00', 'one station')
  assert.equal(day('9401011001001', 'Asia/Jayapura'), '2029-02-14 00:00')
  assert.equal(find('3201011001001', 'Asia/Dili'), no_clock)
  assert.equal(clockFinder(null)('3201011001001', 'Asia/Jakarta'), no_clock)
})

test('the contest in force is the next whose last deadline is to come, late days included', () => {
  const late: Contest = { ...contestOn('2029-02-14', 'a test'), late: [{ day: '2029-02-24', areas: ['33'] }] }
  const after = contestOn('2029-11-27', 'a test')
  const at = (now: string): string | undefined => contestAt([after, late], Date.parse(now))?.day
  assert.equal(at('2028-01-01T00:00:00Z'), '2029-02-14')
  assert.equal(at('2029-02-25T04:59:00Z'), '2029-02-14', 'before noon WIB of the day after the last late day')
  assert.equal(at('2029-02-25T05:00:00Z'), '2029-11-27')
  assert.equal(at('2030-01-01T00:00:00Z'), undefined)
  assert.equal(contestAt([], 0), null)
  assert.equal(general?.day, '2024-02-14')
})
