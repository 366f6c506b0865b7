import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accessPoint, bad, charging, fieldOf, fixed, onBattery, unreached, weak } from '../detection/evidence.ts'
import { gammaFactors, smooth } from './nation-chance.ts'
import { makeWorld, worldDefaults, type World, type WorldOptions } from './nation.ts'
import type { WorldPlace } from './nation-ground.ts'

const startAt_s = 1_865_721_600
/** Six provinces of three islands, 80 villages each, 1 to 30 stations a village; the last of each has no position. */
const places: readonly WorldPlace[] = ['31', '32', '33', '63', '64', '91'].flatMap((province, block) => Array.from({ length: 80 }, (_, index): WorldPlace => ({
  code: `${province}01${String(1 + (index % 8)).padStart(2, '0')}${String(1001 + index)}`, latitude: index === 79 ? null : -2 + 0.05 * (index % 10) + 0.001 * index,
  longitude: index === 79 ? null : 106 + 3 * block + 0.05 * Math.floor(index / 10), stations: 1 + ((index * 7) % 30),
})).sort((a, b) => (a.code < b.code ? -1 : 1)))
const stations = places.reduce((sum, place) => sum + place.stations, 0)
const options = (more: Partial<WorldOptions> = {}): WorldOptions => ({ ...worldDefaults, seed: 11, startAt_s, faults: 40, serverFailures: 2, ingestFailures: 1, crowds: 2, ...more })

type Report = readonly [device: number, eventAt_s: number, receivedAt_s: number, dueAt_s: number, bits: number]
function live(world: World, hours: number, steps_s: readonly number[] = [30]): Report[] {
  const reports: Report[] = []
  const end_s = startAt_s + hours * 3600
  for (let now_s = startAt_s, turn = 0; now_s < end_s; turn++) {
    const before_s = now_s
    now_s = Math.min(end_s, now_s + (steps_s[turn % steps_s.length] ?? 30))
    world.advance(now_s, (...report) => {
      assert.ok(report[2] > before_s && report[2] <= now_s, 'it is told in the step in which it arrives')
      reports.push(report)
    })
  }
  return reports
}
const local = (world: World): World['faults'] => world.faults.filter(({ kind }) => kind !== 'election_server' && kind !== 'ingest')

test('a world is its seed and options, however its time is cut', () => {
  const once = live(makeWorld(places, options()), 3)
  assert.ok(once.length > 100_000, `${once.length} reports`)
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }), (steps_s) => {
    assert.deepEqual(live(makeWorld(places, options()), 3, steps_s), once)
  }), { numRuns: 5, seed: 1 })
  assert.notDeepEqual(live(makeWorld(places, options({ seed: 12 })), 3).length, once.length)
})

test('reports come in order of arrival, made before they arrive, with a later promise or none', () => {
  let last_s = 0
  for (const [, eventAt_s, receivedAt_s, dueAt_s] of live(makeWorld(places, options()), 17)) {
    assert.ok(receivedAt_s >= last_s && eventAt_s <= receivedAt_s && (dueAt_s === 0 || (dueAt_s >= eventAt_s + 150 && dueAt_s <= eventAt_s + 450)))
    last_s = receivedAt_s
  }
})

test('a fault changes nothing elsewhere', () => {
  const [with_, without] = [makeWorld(places, options()), makeWorld(places, options({ faults: 0 }))]
  const touched = new Set(local(with_).flatMap((fault) => [...fault.stations]))
  assert.ok(touched.size > 0.2 * stations && touched.size < 0.95 * stations, `${touched.size} of ${stations} stations are touched`)
  const [ours, twin] = [live(with_, 17), live(without, 17)]
  const of = (reports: readonly Report[], isTouched: boolean): Report[] => reports.filter(([device]) => touched.has(with_.station[device] ?? -1) === isTouched)
  assert.ok(of(ours, false).length > 10_000)
  assert.deepEqual(of(ours, false), of(twin, false))
  assert.notDeepEqual(of(ours, true), of(twin, true))
})

test('a null day has the rates of spec/device-model.md', () => {
  const world = makeWorld(places, options({ faults: 0, serverFailures: 0, ingestFailures: 0, crowds: 0 }))
  assert.ok(Math.abs(world.devices / (stations * 7 * 0.2) - 1) < 0.05, `${world.devices} devices`)
  const dueAt = new Int32Array(world.devices)
  const count = { promises: 0, broken: 0, reports: 0, bad: 0, goodbyes: 0, chargingKnown: 0, charging: 0, radioKnown: 0, fixed: 0, point: 0, tested: 0, failed: 0 }
  for (const [device, eventAt_s, , dueAt_s, bits] of live(world, 11)) {
    const due_s = dueAt[device] ?? 0
    if (due_s > 0 && eventAt_s > startAt_s + 5400) {
      count.promises++
      // after a lost goodbye it comes back later than any late wake
      if (eventAt_s > due_s + 30 && eventAt_s <= due_s + 541) count.broken++
    }
    dueAt[device] = dueAt_s
    if (dueAt_s === 0) count.goodbyes++
    else {
      count.reports++
      count.bad += Number(fieldOf(bits, 'quality') === bad)
      count.radioKnown += Number(fieldOf(bits, 'radio') !== 0)
      count.tested += Number(fieldOf(bits, 'election') !== 0)
      count.failed += Number(fieldOf(bits, 'election') === unreached)
    }
    count.chargingKnown += Number(fieldOf(bits, 'charging') !== 0)
    count.charging += Number(fieldOf(bits, 'charging') === charging)
    count.fixed += Number(fieldOf(bits, 'way') === fixed)
    count.point += Number(fieldOf(bits, 'way') === accessPoint)
  }
  const near = (what: string, value: number, wanted: number, tolerance: number): void => assert.ok(Math.abs(value - wanted) <= tolerance, `${what}: ${value}, wanted ${wanted}`)
  near('broken', count.broken / count.promises, 0.06, 0.008)
  near('bad', count.bad / count.reports, 0.012, 0.002)
  near('charging known', count.chargingKnown / (count.reports + count.goodbyes), 0.7, 0.03)
  near('charging', count.charging / count.chargingKnown, 0.25, 0.03)
  near('radio known', count.radioKnown / count.reports, 0.35 * 0.92, 0.04)
  near('fixed', count.fixed / count.reports, 0.04, 0.015)
  near('access points', count.point / count.reports, 0.04, 0.03)
  near('tested', count.tested / count.reports, 1 / 3, 0.005)
  assert.equal(count.failed, 0)
  // 0.2 an hour, twice that for two hours of thirteen; seven of ten are heard
  near('goodbyes an hour of duty', count.goodbyes / ((count.reports * 300) / 3600), 0.7 * 0.235, 0.03)
})

test('faults keep apart in place and time, and begin where our own intake hears them', () => {
  for (const seed of [1, 2, 3]) {
    const world = makeWorld(places, options({ seed, faults: 60, ingestFailures: 2 }))
    const faults = local(world)
    assert.equal(new Set(faults.map(({ kind }) => kind)).size, 7, 'every kind is there')
    const until = new Map<number, number>()
    for (const fault of faults) {
      assert.deepEqual([...fault.stations], [...new Set(fault.stations)].sort((a, b) => a - b))
      assert.ok(fault.endAt_s - fault.startAt_s >= 1200 && fault.startAt_s >= startAt_s + 1800 && fault.endAt_s <= startAt_s + 17 * 3600 && fault.share >= 0.5 && fault.share <= 1)
      for (const ours of world.faults) if (ours.kind === 'ingest') assert.ok(fault.startAt_s <= ours.startAt_s - 720 || fault.startAt_s >= ours.endAt_s + 720)
      for (const place of fault.places) {
        assert.ok((until.get(place) ?? 0) + 4200 <= fault.startAt_s, `${fault.kind} at place ${place} follows too soon`)
        until.set(place, fault.endAt_s)
      }
    }
  }
})

/** Reports of the devices concerned with a fault, made while it lasted. */
const during = (world: World, reports: readonly Report[], fault: World['faults'][number]): Report[] => {
  const inside = new Set(fault.stations)
  return reports.filter(([device, eventAt_s]) => inside.has(world.station[device] ?? -1) && (fault.operator < 0 || world.operator[device] === fault.operator) && eventAt_s > fault.startAt_s + fault.grow_s && eventAt_s < fault.endAt_s - fault.grow_s)
}

test('each kind of fault shows as the model says', () => {
  const world = makeWorld(places, options({ faults: 60, ingestFailures: 0 }))
  const reports = live(world, 17)
  const seen = new Map<string, { made: number; late: number; lateUnreached: number; bad: number; weak: number; charging: number }>()
  for (const fault of local(world)) {
    const sum = seen.get(fault.kind) ?? { made: 0, late: 0, lateUnreached: 0, bad: 0, weak: 0, charging: 0 }
    seen.set(fault.kind, sum)
    for (const [, eventAt_s, receivedAt_s, , bits] of during(world, reports, fault)) {
      sum.made++
      const isLate = receivedAt_s - eventAt_s > 1
      sum.late += Number(isLate)
      sum.lateUnreached += Number(isLate && fieldOf(bits, 'internet') === unreached)
      sum.bad += Number(!isLate && fieldOf(bits, 'quality') === bad)
      sum.weak += Number(fieldOf(bits, 'radio') === weak)
      sum.charging += Number(fieldOf(bits, 'charging') === charging)
    }
  }
  for (const [kind, { made, late, lateUnreached, bad: badNow, weak: radioWeak, charging: onMains }] of seen) {
    const silencing = kind !== 'congestion' && kind !== 'degradation'
    assert.ok(made > 50, `${kind}: ${made} reports`)
    assert.ok(silencing ? late > 0.15 * made : late === 0, `${kind}: ${late} late of ${made}`)
    assert.ok(lateUnreached > 0.8 * late || late === 0, `${kind}: ${lateUnreached} of ${late} late ones say that the internet was not reached`)
    if (!silencing) assert.ok(badNow > 0.35 * made, `${kind}: ${badNow} bad of ${made}`)
    if (kind === 'power') assert.equal(onMains, 0, 'nobody charges in a power cut')
    if (kind === 'access') assert.ok(radioWeak > 0.12 * made, `${kind}: ${radioWeak} weak of ${made}`)
    if (kind === 'backhaul' || kind === 'core') assert.ok(radioWeak < 0.12 * made, `${kind}: ${radioWeak} weak of ${made}`)
  }
})

test('the truth counts the devices that were on duty and fell silent, and no others', () => {
  let [counted, expected] = [0, 0]
  for (const seed of [1, 2]) {
    const more = { seed, serverFailures: 0, ingestFailures: 0, crowds: 0 }
    const world = makeWorld(places, options({ ...more, faults: 60 }))
    const [reports, twin] = [live(world, 17), live(makeWorld(places, options({ ...more, faults: 0 })), 17)]
    for (const fault of local(world)) {
      if (fault.kind === 'congestion' || fault.kind === 'degradation' || fault.kind === 'power') continue
      const inside = new Set(fault.stations)
      const isConcerned = (device: number): boolean => inside.has(world.station[device] ?? -1) && world.operator[device] === fault.operator
      // on duty is who, in a world without the fault, is heard again before a late wake would be over
      const promise = new Map<number, number>()
      const onDuty = new Set<number>()
      for (const [device, eventAt_s, , dueAt_s] of twin) {
        if (!isConcerned(device)) continue
        if (eventAt_s < fault.startAt_s) promise.set(device, dueAt_s)
        else if (promise.has(device)) {
          if (eventAt_s <= (promise.get(device) ?? 0) + 541) onDuty.add(device)
          promise.delete(device)
        }
      }
      // good, or goodbye, while it lasts: spared. What gets through from the edge is bad
      for (const [device, eventAt_s, receivedAt_s, , bits] of reports) if (receivedAt_s - eventAt_s <= 1 && eventAt_s >= fault.startAt_s && receivedAt_s < fault.endAt_s && fieldOf(bits, 'quality') !== bad) onDuty.delete(device)
      expected += onDuty.size
      counted += fault.lost
    }
  }
  assert.ok(counted > 500, `${counted} devices lost service`)
  // a goodbye that nobody would have heard looks like rest
  assert.ok(Math.abs(counted / expected - 1) < 0.015, `${counted} counted, ${expected} seen from outside`)
})

test('the election server fails for its own tests alone; our own intake only delays', () => {
  const world = makeWorld(places, options({ faults: 0, serverFailures: 6, ingestFailures: 2 }))
  const reports = live(world, 17)
  const twin = live(makeWorld(places, options({ faults: 0, serverFailures: 0, ingestFailures: 0 })), 17)
  const servers = world.faults.filter(({ kind }) => kind === 'election_server')
  assert.equal(servers.length, 6)
  assert.ok(servers.some(({ provinces }) => provinces.length > 0 && provinces.length < 6), 'one is regional')
  const failed = reports.filter(([, , , , bits]) => fieldOf(bits, 'election') === unreached)
  assert.ok(failed.length > 100)
  const provinceOf = places.flatMap(({ code, stations: count }) => Array.from({ length: count }, () => code.slice(0, 2)))
  for (const [device, eventAt_s] of failed)
    assert.ok(servers.some(({ startAt_s: from, endAt_s: to, provinces }) => eventAt_s >= from && eventAt_s < to && (provinces.length === 0 || provinces.includes(provinceOf[world.station[device] ?? -1] ?? ''))))
  // a device makes one report a second at most, with what it promises and measures, the election server apart
  const made = (all: readonly Report[]): number[] => all.map(([device, eventAt_s, , dueAt_s, bits]) => (device * 61_500 + eventAt_s - startAt_s) * 65_536 + ((bits & ~48) ^ (dueAt_s === 0 ? 48 : 0)))
  const late = reports.filter(([, eventAt_s, receivedAt_s]) => receivedAt_s - eventAt_s > 1)
  assert.ok(late.length > 200, `${late.length} late`)
  // what the phones of officers who never came back still hold is all that is missing
  const [ours, theirs] = [new Set(made(reports)), made(twin)]
  const missing = theirs.filter((report) => !ours.has(report))
  assert.ok(missing.length < 0.02 * late.length + 40, `${missing.length} never came`)
  assert.equal(ours.size + missing.length, theirs.length)
})

test('congestion grows, and shrinks; degradation is there at once', () => {
  const world = makeWorld(places, options({ faults: 60, ingestFailures: 0 }))
  const reports = live(world, 17)
  const badShare = (kind: string, from: number, to: number): number => {
    const found = local(world).filter((fault) => fault.kind === kind).flatMap((fault) => {
      const [inside, length_s] = [new Set(fault.stations), kind === 'congestion' ? fault.grow_s : 900]
      return reports.filter(([device, eventAt_s]) => inside.has(world.station[device] ?? -1) && world.operator[device] === fault.operator && eventAt_s >= fault.startAt_s + from * length_s && eventAt_s < fault.startAt_s + to * length_s)
    })
    assert.ok(found.length > 50, `${kind}: ${found.length} reports`)
    return found.filter(([, , , , bits]) => fieldOf(bits, 'quality') === bad).length / found.length
  }
  assert.ok(badShare('congestion', 0, 0.25) < 0.25 && badShare('congestion', 1, 1.5) > 0.5, `${badShare('congestion', 0, 0.25)}, then ${badShare('congestion', 1, 1.5)}`)
  assert.ok(badShare('degradation', 0, 0.25) > 0.45, `${badShare('degradation', 0, 0.25)}`)
})

test('a silent phone keeps its last 24 reports, and sends them the oldest first', () => {
  const world = makeWorld(places, options({ faults: 60, ingestFailures: 0 }))
  const batches = new Map<string, Report[]>()
  for (const report of live(world, 17)) if (report[2] - report[1] > 1) batches.set(`${report[0]} ${report[2]}`, [...(batches.get(`${report[0]} ${report[2]}`) ?? []), report])
  const sizes = [...batches.values()].map((batch) => batch.length)
  assert.equal(sizes.reduce((most, size) => Math.max(most, size), 0), 24)
  for (const batch of batches.values()) batch.forEach((report, index) => assert.ok(index === 0 || report[1] > (batch[index - 1]?.[1] ?? Infinity)))
})

test('in the dark everybody is on battery, bystanders too', () => {
  const world = makeWorld(places, options({ faults: 60, ingestFailures: 0 }))
  const reports = live(world, 17)
  for (const fault of local(world).filter(({ kind }) => kind === 'power')) {
    const there = during(world, reports, fault).filter(([, , , , bits]) => fieldOf(bits, 'charging') !== 0)
    assert.ok(there.every(([, , , , bits]) => fieldOf(bits, 'charging') === onBattery))
    assert.ok(fault.lostAtFirst <= fault.lost)
  }
})

test('factors have mean one and their spread; drift goes through its points', () => {
  for (const cv of [0.1, 0.4, 0.8, 1]) {
    const factors = gammaFactors(cv)
    const mean = factors.reduce((sum, each) => sum + each, 0) / factors.length
    const spread = Math.sqrt(factors.reduce((sum, each) => sum + (each - mean) ** 2, 0) / factors.length)
    assert.ok(Math.abs(mean - 1) < 1e-4 && Math.abs(spread / cv - 1) < 0.03, `cv ${cv}: mean ${mean}, spread ${spread}`)
    assert.ok(factors.every((each, index) => each > 0 && each >= (factors[index - 1] ?? 0)))
  }
  const points = [[5, 0.8], [7, 1.2]] as const
  assert.deepEqual([4, 5, 6, 7, 9].map((hour) => Math.round(smooth(points, hour) * 100) / 100), [0.8, 0.8, 1, 1.2, 1.2])
})
