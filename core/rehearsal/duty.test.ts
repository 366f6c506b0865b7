import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hour_ms, minute_ms } from '../kernel/clock.ts'
import { dutyDay, dutyDefaults, type DutyDay } from './duty.ts'

const startAt = 1_800_000_000_000
const offline = [{ from: startAt, to: startAt + 12 * hour_ms }]

/** Everything that must hold of a day, whatever happened in it. */
function faultsOf(day: DutyDay): string[] {
  const faults: string[] = []
  const held = new Set(day.held)
  const thinned = new Set(day.thinned)
  const sent = new Set(day.batches.flatMap((batch) => batch.samples.map((sample) => sample.sequence)))
  day.made.forEach((entry, index) => {
    const { sequence, access, nextDueAt } = entry.sample
    const [before, next] = [day.made[index - 1], day.made[index + 1]]
    if (sequence !== index + 1) faults.push(`sequence ${sequence} in place ${index + 1}`)
    if (before !== undefined && before.at > entry.at) faults.push(`${sequence} lies before ${sequence - 1}`)
    const turned = before === undefined || before.sample.access !== access
    if ((turned || nextDueAt === null) && !held.has(sequence)) faults.push(`${sequence} begins or ends something and is not held`)
    if (held.has(sequence) === (thinned.has(sequence) && !sent.has(sequence))) faults.push(`${sequence} is lost without being thinned`)
    if (next === undefined) return
    const openedAfter = day.openings.some((at) => at > entry.at && at <= next.at)
    if (nextDueAt === null && !openedAfter) faults.push(`${next.sample.sequence} follows a goodbye, and nobody opened the app`)
    const killed = day.kills.some((at) => at >= entry.at && at <= next.at)
    if (entry.promise !== null && next.at > entry.promise && !killed) faults.push(`the promise of ${sequence} was broken`)
  })
  if (day.held.length !== sent.size || day.held.some((sequence) => !sent.has(sequence))) faults.push('held is not what was sent')
  if (day.made.at(-1)?.sample.nextDueAt !== null) faults.push('the day does not end with a goodbye')
  return faults
}

const anyDay = fc.record({
  seed: fc.integer(), outages: fc.array(fc.tuple(fc.nat(11 * 60), fc.integer({ min: 1, max: 240 })), { maxLength: 4 }), queue_max: fc.integer({ min: 5, max: 300 }),
  goodbye_lost_share: fc.double({ min: 0, max: 1, noNaN: true }), killed_share: fc.double({ min: 0, max: 1, noNaN: true }), answer_lost_share: fc.double({ min: 0, max: 0.7, noNaN: true }),
  front: fc.integer({ min: 1, max: 300 }), away: fc.integer({ min: 1, max: 200 }), clockAhead_ms: fc.integer({ min: -3_600_000, max: 3_600_000 }),
})

test('whatever the day: starts and ends of outages are held, sequences rise, no promise follows a goodbye, nothing is lost but what was thinned', () => {
  fc.assert(fc.property(anyDay, ({ outages, front, away, ...rest }) => {
    const windows = outages.map(([from, minutes]) => ({ from: startAt + from * minute_ms, to: startAt + (from + minutes) * minute_ms }))
    const day = dutyDay({ ...dutyDefaults, ...rest, startAt, outages: windows, front_ms_max: front * minute_ms, away_ms_max: away * minute_ms })
    assert.deepEqual(faultsOf(day), [])
  }), { numRuns: 300 })
})

test('a duty of 12 hours: about twelve reports an hour while it is in front, and some are sent twice', () => {
  const day = dutyDay({ ...dutyDefaults, seed: 1, startAt, outages: [{ from: startAt + 3 * hour_ms, to: startAt + 4 * hour_ms }] })
  assert.deepEqual(faultsOf(day), [])
  assert.ok(day.made.length > 90 && day.made.length < 220, String(day.made.length))
  assert.deepEqual([day.thinned, day.held.length], [[], day.made.length])
  assert.ok(day.batches.flatMap((batch) => batch.samples).length > day.made.length, 'goodbyes and lost answers come twice')
  assert.ok(day.openings.length > 5)
})

test('a full offline day is all there in the evening, thinned where it is longest past', () => {
  const whole = dutyDay({ ...dutyDefaults, seed: 2, startAt, outages: offline, front_ms_max: 12 * hour_ms })
  assert.deepEqual(faultsOf(whole), [])
  assert.ok(whole.batches.every((batch) => batch.at >= startAt + 12 * hour_ms), 'nothing arrives before there is a network')
  assert.deepEqual(whole.held.length, whole.made.length)
  const small = dutyDay({ ...dutyDefaults, seed: 2, startAt, outages: offline, front_ms_max: 12 * hour_ms, queue_max: 60 })
  assert.deepEqual(faultsOf(small), [])
  assert.equal(small.held.length, 60)
  const of = (from: number): number => small.made.filter((entry) => entry.at >= startAt + from * hour_ms && entry.at < startAt + (from + 2) * hour_ms && small.held.includes(entry.sample.sequence)).length
  assert.ok(of(10) > 2 * of(0) && of(0) > 0, `${of(0)} of the first two hours, ${of(10)} of the last two`)
})

test('a day replays from its seed, and another seed is another day', () => {
  const day = (seed: number): string => JSON.stringify(dutyDay({ ...dutyDefaults, seed, startAt, outages: offline.slice(0, 0) }))
  assert.equal(day(7), day(7))
  assert.notEqual(day(7), day(8))
  const out = (seed: number): string => JSON.stringify(dutyDay({ ...dutyDefaults, seed, startAt, outages: offline, queue_max: 50 }))
  assert.equal(out(7), out(7))
})

test('a wrong clock is in every time that the phone writes, and in none that the world has', () => {
  const right = dutyDay({ ...dutyDefaults, seed: 3, startAt })
  const wrong = dutyDay({ ...dutyDefaults, seed: 3, startAt, clockAhead_ms: 25 * minute_ms })
  assert.deepEqual(wrong.batches.map((batch) => batch.at), right.batches.map((batch) => batch.at))
  assert.ok(wrong.made.every((entry, index) => Date.parse(entry.sample.eventAt) - Date.parse(right.made[index]?.sample.eventAt ?? '') === 25 * minute_ms))
})
