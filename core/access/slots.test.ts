import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { capacityOf, giveSlots, slotDefaults, type PointKind } from './slots.ts'

test('by default a slot has four minutes and a satellite point serves 240 stations', () => {
  const lengthOf = (kind: PointKind, config: typeof slotDefaults): number | undefined => giveSlots(Int32Array.of(0), Float64Array.of(0), [kind], [kind], config).length_min[0]
  assert.equal(lengthOf('satellite', slotDefaults), 4)
  assert.equal(capacityOf('satellite', slotDefaults), 240)
  assert.ok(capacityOf('bts', slotDefaults) > 2 * capacityOf('satellite', slotDefaults))
  assert.equal(capacityOf('satellite', { ...slotDefaults, window_min: 3.9 }), 0)
  const narrow = { uplink_mbit_s: 1, usable_share: 0.5, senders_at_once: 5 }
  // 3 + 1.25 MB over 0.1 Mbit/s: 100 s
  assert.equal(lengthOf('ai', { ...slotDefaults, points: { ...slotDefaults.points, ai: narrow }, bytes_per_station: 1_250_000 }), 5)
})

const kinds: PointKind[] = ['satellite', 'bts', 'ai']

test('property: never more send at once than may, nobody before arriving, the first first, and no place stands idle', () => {
  let crowded = 0
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(-1, 0, 0, 0, 1, 2), fc.double({ min: 0, max: 30, noNaN: true })), { maxLength: 60, size: 'max' }), (stations) => {
    const config = { ...slotDefaults, window_min: 24 }
    const point = Int32Array.from(stations, ([at]) => at)
    const travel_min = Float64Array.from(stations, ([at, time]) => (at < 0 ? NaN : time))
    const { start_min, length_min, late } = giveSlots(point, travel_min, kinds, ['satellite'], config)
    const mine = [...point.keys()].filter((station) => point[station] === 0)
    const sending = (minute: number): number => mine.filter((station) => (start_min[station] ?? 0) <= minute && minute < (start_min[station] ?? 0) + (length_min[station] ?? 0)).length
    for (const station of point.keys()) assert.equal(Number.isNaN(start_min[station]), point[station] !== 0)
    for (const station of mine) {
      const start = start_min[station] ?? NaN
      const arrival = Math.ceil(travel_min[station] ?? NaN)
      assert.equal(length_min[station], 4)
      assert.ok(start >= arrival && sending(start) <= 4)
      for (let minute = arrival; minute < start; minute++) assert.equal(sending(minute), 4, 'who waits, waits for a place')
      for (const other of mine) if ((travel_min[other] ?? 0) < (travel_min[station] ?? 0)) assert.ok((start_min[other] ?? 0) <= start)
      assert.equal(late.includes(station), start + 4 > 24)
    }
    if (mine.some((station) => (start_min[station] ?? 0) > Math.ceil(travel_min[station] ?? 0))) crowded++
    assert.deepEqual(late, late.toSorted((a, b) => a - b))
  }))
  assert.ok(crowded > 10, `in ${crowded} cases somebody waited`)
})
