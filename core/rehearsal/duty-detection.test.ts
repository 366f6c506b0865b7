import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceBits } from '../detection/bits.ts'
import { sweep } from '../detection/detector.ts'
import type { FoundDisturbance } from '../detection/disturbance.ts'
import { takeInEvidence } from '../detection/intake.ts'
import { startDetection } from '../detection/state.ts'
import { hour_ms, minute_ms, type Instant } from '../kernel/clock.ts'
import { hash32, seeded } from '../kernel/random.ts'
import { dutyDay, dutyDefaults, type DutySample } from './duty.ts'
import type { ScriptStation } from './script.ts'

const startAt = 1_800_000_000_000
const hours = 5
const plmn: Readonly<Record<string, string>> = { telkomsel: '51010', indosat: '51001', xlsmart: '51011' }

/** Villages in two regencies, two to four stations each. */
function province(villages: number): ScriptStation[] {
  const random = seeded(75)
  return Array.from({ length: villages }, (_, village) => {
    const code = `750${1 + (village % 2)}${String(1 + (village % 5)).padStart(2, '0')}${1000 + village}`
    const [latitude, longitude] = [0.5 + 0.3 * random(), 122 + 0.6 * random()]
    return Array.from({ length: 2 + (village % 3) }, (_unused, number) => ({
      code: `${code}${String(number + 1).padStart(3, '0')}`, village: code, latitude: latitude + 0.003 * random(), longitude: longitude + 0.003 * random(),
    }))
  }).flat()
}
const stations = province(60)
const corner = (count: number): ReadonlySet<string> =>
  new Set([...stations].sort((a, b) => (a.latitude ?? 0) + (a.longitude ?? 0) - (b.latitude ?? 0) - (b.longitude ?? 0)).slice(0, count).map((station) => station.code))

interface Heard { readonly at: Instant; readonly device: string; readonly station: string; readonly operator: string; readonly samples: readonly DutySample[] }
interface Happening {
  readonly outage?: { readonly operator: string; readonly stations: ReadonlySet<string>; readonly from: Instant; readonly to: Instant }
  /** Everybody leaves the app within so long after the third hour, as when voting ends. */
  readonly leaving_ms?: number
}

/** Two phones a station, each with its own day; what they send is heard in the order of its arrival. */
function morning(seed: number, { outage, leaving_ms }: Happening = {}, options: Partial<typeof dutyDefaults> = {}): FoundDisturbance[] {
  const heard = stations.flatMap((station) => [1, 2].flatMap((number): Heard[] => {
    const device = `${station.code}-${number}`
    const random = seeded(hash32(`${seed} ${device}`))
    const [draw, start, leave] = [random(), random(), random()]
    const operator = draw < 0.5 ? 'telkomsel' : draw < 0.77 ? 'xlsmart' : 'indosat'
    const isHit = outage !== undefined && outage.operator === operator && outage.stations.has(station.code)
    const day = dutyDay({
      ...dutyDefaults, ...options, seed: hash32(`${seed} day ${device}`), startAt: startAt + Math.round(start * 2 * minute_ms), hours, sim: plmn[operator] ?? '',
      outages: isHit ? [outage] : [], leavesAt: leaving_ms === undefined ? [] : [startAt + 3 * hour_ms + Math.round(leave * leaving_ms)],
    })
    return day.batches.map(({ at, samples }) => ({ at, device, station: station.code, operator, samples }))
  }))
  return detect(heard.sort((a, b) => a.at - b.at || (a.device < b.device ? -1 : 1)))
}

function detect(heard: readonly Heard[]): FoundDisturbance[] {
  const state = startDetection(stations)
  const found = new Map<string, FoundDisturbance>()
  const numbers = new Map([...new Set(heard.map(({ device }) => device))].sort().map((device, number) => [device, number]))
  let next = 0
  for (let now = startAt; now <= startAt + hours * hour_ms; now += 30_000) {
    for (let each = heard[next]; each !== undefined && each.at <= now; each = heard[++next])
      for (const sample of each.samples) {
        const { device, station, operator, at: receivedAt } = each
        const nextDueAt = sample.nextDueAt === null ? null : Date.parse(sample.nextDueAt)
        takeInEvidence(state, { device: numbers.get(device) ?? NaN, station, operator, eventAt: Date.parse(sample.eventAt), receivedAt, nextDueAt, bits: evidenceBits({ ...sample, charging: null }, operator) })
      }
    for (const { disturbance } of sweep(state, now)) if (disturbance.foundAt !== null) found.set(disturbance.id, disturbance)
  }
  return [...found.values()]
}

const told = (found: readonly FoundDisturbance[]): string => JSON.stringify(found.map(({ cause, operator, stations: at, foundAt }) => [cause, operator, at.length, ((foundAt ?? NaN) - startAt) / minute_ms]))

test('apps that are closed are no outage: nothing is found on a day on which three in ten goodbyes are lost', () => {
  for (const seed of [1, 2, 3, 4]) assert.equal(told(morning(seed)), '[]', `seed ${seed}`)
})

test('without goodbyes it would be one: the day above is found full of faults', () => {
  assert.ok(morning(1, {}, { goodbye_lost_share: 1 }).length > 3)
})

test('a real outage among phones that come and go is found in minutes, under its own operator, and ends', () => {
  const where = corner(40)
  for (const seed of [1, 2, 3, 4]) {
    const found = morning(seed, { outage: { operator: 'telkomsel', stations: where, from: startAt + 2 * hour_ms, to: startAt + 3 * hour_ms } })
    const [first] = found
    assert.deepEqual([found.length, first?.operator], [1, 'telkomsel'], `seed ${seed}: ${told(found)}`)
    assert.match(first?.cause ?? '', /^(access|backhaul)$/)
    const after_min = ((first?.foundAt ?? Infinity) - startAt) / minute_ms - 120
    assert.ok(after_min > 0 && after_min <= 5, `seed ${seed}: found after ${after_min} min`)
    assert.ok((first?.stations.filter((code) => where.has(code)).length ?? 0) >= 0.8 * (first?.stations.length ?? 0), told(found))
    assert.ok(first?.endedAt !== null && (first?.endedAt ?? 0) < startAt + 3 * hour_ms + 15 * minute_ms, 'it ends when the phones are back')
  }
})

test('when all leave within 20 minutes and a third says no goodbye, it is hardly ever taken for a fault', () => {
  const found = [1, 2, 3, 4, 5, 6].flatMap((seed) => morning(seed, { leaving_ms: 20 * minute_ms }))
  assert.ok(found.length <= 2, `${found.length} in six days: ${told(found)}`)
})
