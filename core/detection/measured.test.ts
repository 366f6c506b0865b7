import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { around, confirmed, morning, phones, start, turnsOf, type Deed, type Phone } from '@kawal/testkit/small-nation.ts'
import { minute_ms } from '../kernel/clock.ts'
import { countStations, weigh, whoCanLook, type StationCount } from './measured.ts'
import { seconds, type DetectionState, type Ongoing } from './state.ts'

const at = (station: string, good: number, bad: number, silent: number): StationCount => ({ station, good, bad, silent })

test('three devices say something, fewer nothing; well is well at half of the stations that have devices', () => {
  for (const [stations, says] of [
    [[], 'unknown'], [[at('a', 2, 0, 0)], 'unknown'], [[at('a', 3, 0, 0)], 'well'], [[at('a', 1, 0, 0), at('b', 2, 0, 0)], 'well'],
    [[at('a', 9, 0, 0), at('b', 0, 0, 0), at('c', 0, 0, 0)], 'unknown'], [[at('a', 9, 0, 0), at('b', 0, 0, 0)], 'well'],
    [[at('a', 0, 0, 2)], 'unknown'], [[at('a', 0, 1, 2)], 'broken'], [[at('a', 90, 0, 0), at('b', 0, 0, 3)], 'broken'],
  ] as const) assert.equal(weigh(stations, 16).says, says, JSON.stringify(stations))
  assert.deepEqual([weigh([at('a', 2, 0, 0)], 2).says, weigh([at('a', 0, 1, 0)], 1).says, weigh([at('a', 2, 0, 0)], 0).says], ['well', 'broken', 'unknown'], 'of a fault that hit fewer, all')
  assert.deepEqual(weigh([at('a', 1, 0, 1), at('b', 0, 1, 2), at('c', 4, 0, 0)], 16).broken, [at('b', 0, 1, 2), at('a', 1, 0, 1)])
})

test('who says nothing never turns a verdict into another one than unknown', () => {
  const counts = fc.array(fc.record({ station: fc.string(), good: fc.nat(5), bad: fc.nat(5), silent: fc.nat(5) }), { maxLength: 12 })
  fc.assert(fc.property(counts, fc.nat(30), fc.nat(9), (stations, hit, quiet) => {
    const more = [...stations, ...Array.from({ length: quiet }, (_, index) => at(`quiet ${index}`, 0, 0, 0))]
    const [before, after] = [weigh(stations, hit).says, weigh(more, hit).says]
    assert.ok(after === before || (before === 'well' && after === 'unknown'), `${before}, then ${after}`)
  }))
})

const quiet_min = 40
const place = around(4, 5, 12)
const isHit = (phone: Phone): boolean => place.has(phone.station) && phone.operator === 'telkomsel'
const away = (deed: Deed) => (phone: Phone): Deed => (isHit(phone) ? deed : 'good')
const heldOf = (state: DetectionState): Ongoing => {
  const [each] = state.ongoing.filter((open) => open !== null)
  assert.ok(each !== undefined)
  return each
}

test('a disturbance whose officers have all gone home has not ended, and ends when some are back and well', () => {
  const day = morning()
  day.until(quiet_min)
  day.until(quiet_min + 15, away(null))
  const [row] = confirmed(day.told)
  assert.equal(row?.stage, 'confirmed')
  day.until(quiet_min + 90, away('goodbye'))
  assert.deepEqual(confirmed(day.told).map(({ stage, evidence }) => [stage, evidence.devicesSilent + evidence.devicesBad]), [['recovering', 0]])
  assert.equal(weigh(countStations(day.state, heldOf(day.state), 0, seconds(day.now())), 16).says, 'unknown')
  const asked = whoCanLook(day.state, row?.stations ?? [], 'telkomsel', seconds(day.now()))
  const near = asked.filter((code) => !row?.stations.includes(code))
  assert.ok(near.length > 0 && near.length <= 20 && near.every((code) => phones.some(({ station, operator }) => station === code && operator === 'telkomsel')), near.join())
  assert.deepEqual(turnsOf(day.told, row?.id ?? '').filter((turn) => turn === 'ended' || turn === 'retracted'), [])
  // Other officers come on duty at the same stations, with phones that were not there before.
  const fresh = phones.filter(isHit).map((phone) => ({ ...phone, device: phone.device + phones.length }))
  const promise = (phone: Phone): void => day.late(phone, day.now(), 'good')
  for (const phone of fresh.slice(0, 2)) promise(phone)
  day.until(quiet_min + 92)
  assert.equal(confirmed(day.told)[0]?.stage, 'recovering', 'two phones are not enough')
  for (const phone of fresh) promise(phone)
  assert.deepEqual(whoCanLook(day.state, row?.stations ?? [], 'telkomsel', seconds(day.now())), row?.stations, 'who is there looks himself')
  day.until(quiet_min + 94)
  assert.deepEqual(confirmed(day.told).map(({ stage }) => stage), ['ended'])
})

test('what was silent for hours says nothing any more: it neither holds a disturbance open against others, nor ends it', () => {
  const day = morning()
  day.until(quiet_min)
  day.until(quiet_min + 150, away(null))
  const each = heldOf(day.state)
  const counts = countStations(day.state, each, 0, seconds(day.now()))
  assert.ok(counts.length > 10 && counts.every(({ bad, silent }) => bad + silent === 0), JSON.stringify(counts.slice(0, 3)))
  assert.deepEqual([each.found.stage, weigh(counts, each.devicesMost).says, (day.now() - start) / minute_ms], ['confirmed', 'unknown', quiet_min + 150])
  const fresh = phones.filter(isHit).filter(({ device }) => device % 3 !== 0).map((phone) => ({ ...phone, device: phone.device + phones.length }))
  for (const phone of fresh) day.late(phone, day.now(), 'good')
  day.until(quiet_min + 153, away(null))
  assert.deepEqual(confirmed(day.told).map(({ stage }) => stage), ['ended'])
})
