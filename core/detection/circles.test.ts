import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from '../kernel/random.ts'
import { strongestCircle, type DeviceEvent } from './circles.ts'
import { deviceOf, startDetection, type DetectionState } from './state.ts'

/** Up to 40 stations within some kilometres, several at the very same place, one without a position. */
function place(seed: number): { state: DetectionState; events: DeviceEvent[] } {
  const random = seeded(seed)
  const count = 2 + Math.floor(random() * 38)
  const spots = Array.from({ length: count }, () => ({ latitude: -8 + 0.1 * random(), longitude: 120 + 0.1 * random() }))
  const stations = Array.from({ length: count }, (_, index) => {
    const spot = spots[random() < 0.3 ? 0 : index]
    return { code: `53010120${String(index).padStart(2, '0')}001`, village: `53010120${String(index).padStart(2, '0')}`, latitude: index === 1 ? null : (spot?.latitude ?? null), longitude: index === 1 ? null : (spot?.longitude ?? null) }
  })
  const state = startDetection(stations)
  const share = random()
  const events = Array.from({ length: Math.floor(random() * 120) }, (_, index) => ({ device: deviceOf(state, String(index), Math.floor(random() * count), 'telkomsel'), hit: random() < share, habit: Math.round(1e6 * (0.05 + 0.1 * random())) }))
  return { state, events }
}

const score = (hits: number, devices: number, expected: number): number => (hits < 5 || hits < 0.5 * devices ? 0 : hits * Math.log(hits / (expected + 0.3)))

/** The same question, asked of every device each time. */
function slowly({ state, events }: { state: DetectionState; events: readonly DeviceEvent[] }): number {
  const at = (station: number): { latitude: number; longitude: number } | null => {
    const { latitude = null, longitude = null } = state.stations[station] ?? {}
    return latitude === null || longitude === null ? null : { latitude, longitude }
  }
  let best = 0
  for (const centre of new Set(events.filter(({ hit }) => hit).map(({ device }) => device.station))) {
    const middle = at(centre)
    if (middle === null) continue
    const scale = Math.cos((middle.latitude * Math.PI) / 180)
    const sorted = events.flatMap((event) => {
      const there = at(event.device.station)
      return there === null ? [] : [{ event, away: (there.latitude - middle.latitude) ** 2 + ((there.longitude - middle.longitude) * scale) ** 2 }]
    }).sort((a, b) => a.away - b.away)
    const within = (count: number): typeof sorted => sorted.filter(({ away }) => away <= (sorted[count - 1]?.away ?? Infinity))
    if (within(12).filter(({ event }) => event.hit).length < 4) continue
    const near = within(48)
    for (const edge of new Set(near.map(({ away }) => away))) {
      const inside = near.filter(({ away }) => away <= edge)
      best = Math.max(best, score(inside.filter(({ event }) => event.hit).length, inside.length, inside.reduce((sum, { event }) => sum + event.habit, 0) / 1e6))
    }
  }
  return best
}

test('property: the rings find what the slow way finds, in whatever order the devices came', () => {
  fc.assert(fc.property(fc.integer(), (seed) => {
    const { state, events } = place(seed)
    const found = strongestCircle(state, events, score, 0, () => false)
    assert.equal(found?.score ?? 0, slowly({ state, events }))
    assert.deepEqual(strongestCircle(state, [...events].reverse(), score, 0, () => false), found)
  }), { numRuns: 300 })
})

test('a centre that was passed over is not found again; below the threshold nothing is', () => {
  const { state, events } = place(5)
  const all = events.map((event) => ({ ...event, hit: true }))
  const first = strongestCircle(state, all, score, 0, () => false)
  assert.ok(first !== null)
  assert.notEqual(strongestCircle(state, all, score, 0, (centre) => centre === first.centre)?.centre, first.centre)
  assert.equal(strongestCircle(state, all, score, first.score, () => false), null)
})
