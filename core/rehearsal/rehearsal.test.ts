import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceBits } from '../detection/bits.ts'
import { sweep } from '../detection/detector.ts'
import type { FoundDisturbance } from '../detection/disturbance.ts'
import { takeInEvidence } from '../detection/intake.ts'
import { startDetection } from '../detection/state.ts'
import { minute_ms } from '../kernel/clock.ts'
import { seeded } from '../kernel/random.ts'
import { startOfficers } from './officers.ts'
import { score } from './score.ts'
import { makeScript, parseScript, type Script, type ScriptStation } from './script.ts'

const startAt = 1_800_000_000_000
const plmn: Readonly<Record<string, string>> = { '51010': 'telkomsel', '51001': 'indosat', '51011': 'xlsmart' }

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

const stations = province(90)

/** The stations nearest to one corner: one place, and not all of the province. */
const corner = (count: number): string[] =>
  [...stations].sort((a, b) => (a.latitude ?? 0) + (a.longitude ?? 0) - (b.latitude ?? 0) - (b.longitude ?? 0)).slice(0, count).map((station) => station.code)

function rehearse(script: Script, seed: number, arrange: <T>(items: T[]) => T[] = (items) => items): { found: FoundDisturbance[]; log: string } {
  const officers = startOfficers(script, stations, { seed, devicesPerStation: 2 })
  const state = startDetection(stations)
  const found = new Map<string, FoundDisturbance>()
  const numbers = new Map(stations.flatMap(({ code }) => [`${code}-1`, `${code}-2`]).map((name, number) => [name, number]))
  const log: string[] = []
  for (let now = script.startAt; now <= script.endAt; now += 30_000) {
    for (const { device, station, receivedAt, clockAhead_ms, sample } of arrange(officers.advance(now))) {
      const operator = plmn[sample.sim] ?? 'unknown'
      takeInEvidence(state, {
        device: numbers.get(device) ?? NaN, station, operator, eventAt: Date.parse(sample.eventAt) - clockAhead_ms, receivedAt,
        nextDueAt: sample.nextDueAt === null ? null : Date.parse(sample.nextDueAt) - clockAhead_ms, bits: evidenceBits(sample, operator),
      })
    }
    for (const finding of sweep(state, now)) {
      log.push(JSON.stringify(finding))
      found.set(finding.disturbance.id, finding.disturbance)
    }
  }
  return { found: [...found.values()].filter(({ foundAt }) => foundAt !== null), log: log.join('\n') }
}

function written(fault: object): Script {
  const read = parseScript({ faults: [{ startMinute: 45, endMinute: 80, ...fault }], hours: 2 }, stations, startAt)
  assert.ok(read.ok, JSON.stringify(read))
  return read.value
}

for (const [kind, operator, count] of [['operator', 'telkomsel', 60], ['power', null, 40], ['congestion', 'telkomsel', 60], ['election_server', null, 0]] as const)
  test(`a scripted fault of kind ${kind} is found under its own cause, ends after its repair, and nothing else is found`, () => {
    const script = written({ kind, ...(operator === null ? {} : { operator }), ...(count === 0 ? {} : { stations: corner(count) }) })
    const { found } = rehearse(script, 7)
    const result = score(script, found)
    assert.deepEqual([result.found, result.falseFound, result.causeRight], [1, 0, 1], JSON.stringify(found))
    const repairAt = startAt + 80 * minute_ms
    for (const row of found) assert.ok(row.endedAt !== null && row.endedAt > repairAt && row.endedAt < repairAt + 20 * minute_ms, `${row.id} ended at minute ${((row.endedAt ?? NaN) - startAt) / minute_ms}`)
  })

test('nothing is found on quiet mornings', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const script = makeScript(seed, stations, { startAt, hours: 3, disturbances: 0, devicesPerStation: 2 })
    assert.deepEqual(rehearse(script, seed).found, [], `seed ${seed}`)
  }
})

test('the same seed gives the same day to the last finding, another seed another one', () => {
  const day = (seed: number): string => rehearse(makeScript(seed, stations, { startAt, hours: 2, disturbances: 2, devicesPerStation: 2 }), seed).log
  assert.equal(day(11), day(11))
  assert.notEqual(day(11), day(12))
})

test('the order in which the phones of one instant are heard changes nothing that is found', () => {
  const script = makeScript(3, stations, { startAt, hours: 3, disturbances: 3, devicesPerStation: 2 })
  const random = seeded(9)
  const shuffled = rehearse(script, 3, (items) => items.map((item) => ({ item, key: random() })).sort((a, b) => a.key - b.key).map(({ item }) => item))
  assert.ok(shuffled.found.length >= 3)
  assert.deepEqual(shuffled.found, rehearse(script, 3).found)
})

test('a script by hand names every wrong fault, not only the first', () => {
  const read = parseScript({ faults: [{ kind: 'flood', startMinute: 1 }, { kind: 'operator', startMinute: 1, area: '75' }, { kind: 'power', startMinute: 5, endMinute: 5, area: '75' }, { kind: 'power', startMinute: 5, area: '11' }] }, stations, startAt)
  assert.ok(!read.ok)
  assert.deepEqual(read.error.map((line) => line.slice(0, 7)), ['fault 1', 'fault 2', 'fault 3', 'fault 4'])
})
