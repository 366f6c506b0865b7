import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minute_ms, second_ms, type Instant } from '../kernel/clock.ts'
import { hash32, seeded } from '../kernel/random.ts'
import { adopt, forgive, hitDevices, step, type Finding } from './detector.ts'
import { startDetection, type DetectionState, type DetectionStation, type Evidence, type FoundDisturbance } from './state.ts'
import { explainStation, stationStatus } from './status.ts'

const start = 1_800_000_000_000
const interval_ms = 5 * minute_ms
const sweep_ms = 30 * second_ms
const operators = ['telkomsel', 'indosat', 'xlsmart']

interface Phone { readonly id: string; readonly station: string; readonly operator: string; readonly phase_ms: number }
/** What a phone does at an instant: a good report, a bad one, none, or one without the election server. */
type Deed = 'good' | 'bad' | 'none' | 'no_election'

/** 6 x 8 villages of one station on a grid, in two regencies. */
const stations: DetectionStation[] = Array.from({ length: 48 }, (_, index) => {
  const village = `75${index % 8 < 4 ? '01' : '02'}01${1000 + index}`
  return { code: `${village}001`, village, latitude: 0.5 + 0.015 * Math.floor(index / 8), longitude: 122 + 0.015 * (index % 8) }
})
const phones: Phone[] = stations.flatMap((station) => operators.map((operator) => {
  const id = `${station.code} ${operator}`
  return { id, station: station.code, operator, phase_ms: Math.floor(seeded(hash32(id))() * 300) * second_ms }
}))
/** Four by four villages in the middle. */
const middle = new Set(stations.filter((_, index) => Math.floor(index / 8) < 4 && index % 8 >= 2 && index % 8 < 6).map((station) => station.code))

function evidence(phone: Phone, at: Instant, deed: Deed): Evidence {
  return {
    device: phone.id, station: phone.station, operator: phone.operator, eventAt: at, receivedAt: at, quality: deed === 'bad' ? 'bad' : 'good',
    targets: { internet: true, election: deed !== 'no_election', platform: true }, charging: null, nextDueAt: at + interval_ms,
  }
}

/** Runs from one minute to another; reports of each half minute, put in order by `arrange`, then a sweep. */
function run(state: DetectionState, from: number, to: number, deed: (phone: Phone, at: Instant) => Deed, arrange: (reports: Evidence[], now: Instant) => Evidence[] = (reports) => reports): Finding[] {
  const findings: Finding[] = []
  for (let now = start + from * minute_ms + sweep_ms; now <= start + to * minute_ms; now += sweep_ms) {
    const reports = phones.flatMap((phone) => {
      const at = now - ((now - start - phone.phase_ms) % interval_ms + interval_ms) % interval_ms
      if (at <= now - sweep_ms) return []
      const done = deed(phone, at)
      return done === 'none' ? [] : [evidence(phone, at, done)]
    })
    for (const report of arrange(reports, now)) findings.push(...step(state, { report }, now))
    findings.push(...step(state, { sweep: true }, now))
  }
  return findings
}

const good = (): Deed => 'good'
const inMiddle = (deed: Deed, operator: string | null = null) => (phone: Phone): Deed => (middle.has(phone.station) && (operator === null || phone.operator === operator) ? deed : 'good')
const ofKind = (findings: readonly Finding[], kind: Finding['kind']): FoundDisturbance[] => findings.flatMap((each) => (each.kind === kind && 'disturbance' in each ? [each.disturbance] : []))
const found = (findings: readonly Finding[]): FoundDisturbance[] => ofKind(findings, 'disturbance_found')

function afterQuiet(): DetectionState {
  const state = startDetection(stations)
  assert.deepEqual(found(run(state, 0, 20, good)), [])
  return state
}

for (const [name, deed, cause, operator, severity] of [
  ['one operator falls silent', inMiddle('none', 'telkomsel'), 'operator', 'telkomsel', 'down'],
  ['everybody falls silent in one place', inMiddle('none'), 'power', null, 'down'],
  ['one operator reports badly', inMiddle('bad', 'indosat'), 'congestion', 'indosat', 'degraded'],
] as const)
  test(`${name}: ${cause}, found within 10 minutes, where it is, and measured well again`, () => {
    const state = afterQuiet()
    const rows = found(run(state, 20, 40, deed))
    assert.deepEqual(rows.map((row) => [row.cause, row.operator, row.severity]), [[cause, operator, severity]])
    const [row] = rows as [FoundDisturbance]
    assert.ok(row.foundAt - start <= 30 * minute_ms, `found at minute ${(row.foundAt - start) / minute_ms}`)
    const last = state.open[0]?.found.stations ?? []
    assert.deepEqual(last, [...middle].sort())
    for (const code of last) assert.equal(stationStatus(state, code), severity)
    const repaired = run(state, 40, 60, good)
    assert.deepEqual(ofKind(repaired, 'disturbance_recovered').map((each) => each.id), [row.id])
    assert.deepEqual(found(repaired), [])
    for (const station of stations) assert.equal(stationStatus(state, station.code), 'ok')
  })

test('a fault that nobody has measured well again stays open, however long it is silent', () => {
  const state = afterQuiet()
  const findings = run(state, 20, 180, inMiddle('none'))
  assert.equal(found(findings).length, 1)
  assert.deepEqual(ofKind(findings, 'disturbance_recovered'), [])
})

test('the election server fails: no operator is blamed', () => {
  const state = afterQuiet()
  const rows = found(run(state, 20, 40, () => 'no_election'))
  assert.deepEqual(rows.map((row) => [row.cause, row.operator]), [['election_server', null]])
  assert.deepEqual(ofKind(run(state, 40, 60, good), 'disturbance_recovered').map((row) => row.cause), ['election_server'])
})

test('our own ingest fails: nobody is blamed, at no sweep', () => {
  const state = afterQuiet()
  const rows = found(run(state, 20, 45, () => 'none'))
  assert.deepEqual(rows.map((row) => [row.cause, row.operator]), [['ingest', null]])
  const back = run(state, 45, 65, good)
  assert.deepEqual(ofKind(back, 'disturbance_recovered').map((row) => row.cause), ['ingest'])
  assert.deepEqual(found(back), [])
})

test('goodbyes are no silence', () => {
  const state = afterQuiet()
  for (const phone of phones) step(state, { report: { ...evidence(phone, start + 20 * minute_ms, 'good'), nextDueAt: null } }, start + 20 * minute_ms)
  assert.deepEqual(found(run(state, 20, 60, () => 'none')), [])
})

test('a silence that late good reports explain is taken back', () => {
  const state = afterQuiet()
  const rows = found(run(state, 20, 29, inMiddle('none', 'telkomsel')))
  assert.equal(rows.length, 1)
  const now = start + 29 * minute_ms
  for (const phone of phones.filter((each) => middle.has(each.station) && each.operator === 'telkomsel')) {
    const eventAt = now - 3 * minute_ms
    step(state, { report: { ...evidence(phone, eventAt, 'good'), receivedAt: now } }, now)
  }
  const later = run(state, 29, 31, inMiddle('none', 'telkomsel'))
  assert.deepEqual(ofKind(later, 'disturbance_recovered').map((row) => row.id), rows.map((row) => row.id))
  assert.deepEqual(found(later), [])
})

test('unknown is never ok: nobody heard, long gone, or not in the register', () => {
  const state = startDetection(stations)
  for (const station of stations) assert.equal(stationStatus(state, station.code), 'unknown')
  run(state, 0, 20, good)
  const quiet = (stations[47] as DetectionStation).code
  assert.equal(stationStatus(state, quiet), 'ok')
  for (const phone of phones.filter((each) => each.station === quiet)) step(state, { report: { ...evidence(phone, start + 20 * minute_ms, 'good'), nextDueAt: null } }, start + 20 * minute_ms)
  run(state, 20, 60, (phone) => (phone.station === quiet ? 'none' : 'good'))
  assert.equal(stationStatus(state, quiet), 'unknown')
  assert.equal(stationStatus(state, '9999999999999'), 'unknown')
})

test('reports between two sweeps commute', () => {
  const deed = (phone: Phone, at: Instant): Deed => (at > start + 16 * minute_ms && at < start + 30 * minute_ms ? inMiddle('none', 'telkomsel')(phone) : 'good')
  const whole = (arrange?: (reports: Evidence[], now: Instant) => Evidence[]): Finding[] => run(startDetection(stations), 0, 40, deed, arrange)
  const straight = whole()
  assert.ok(found(straight).length > 0)
  fc.assert(fc.property(fc.integer(), (seed) => {
    const random = seeded(seed)
    const shuffled = whole((reports) => reports.map((report) => ({ report, key: random() })).sort((a, b) => a.key - b.key).map(({ report }) => report))
    assert.deepEqual(byName(shuffled), byName(straight))
  }), { numRuns: 12 })
})

/** Findings of one sweep are a set. */
const byName = (findings: readonly Finding[]): string[] => findings.map((each) => JSON.stringify(each)).sort()

test('the explanation counts what the status rests on', () => {
  const state = afterQuiet()
  run(state, 20, 32, inMiddle('none', 'telkomsel'))
  const [code] = [...middle] as [string]
  const rows = explainStation(state, code, start + 32 * minute_ms).operators
  assert.deepEqual(rows.map((row) => [row.operator, row.status, row.silent]), [['indosat', 'ok', 0], ['telkomsel', 'down', 1], ['xlsmart', 'ok', 0]])
})

test('a restart in the middle of an outage: it stays open under its id until its devices report well', () => {
  const before = afterQuiet()
  const [row] = found(run(before, 20, 30, inMiddle('none', 'telkomsel'))) as [FoundDisturbance]
  const open = before.open[0]?.found as FoundDisturbance
  const after = startDetection(stations)
  adopt(after, open, hitDevices(before, row.id))
  // The recent reports are given once more; the outage began long before them.
  const silent = run(after, 90, 140, inMiddle('none', 'telkomsel'))
  assert.deepEqual([found(silent), ofKind(silent, 'disturbance_recovered')], [[], []])
  for (const code of open.stations) assert.equal(stationStatus(after, code), 'down')
  const repaired = run(after, 140, 155, good)
  assert.deepEqual(ofKind(repaired, 'disturbance_recovered').map((each) => each.id), [row.id])
})

test('promises that came due while nobody could be heard are due again; who stays silent after that is found', () => {
  const state = afterQuiet()
  const now = start + 50 * minute_ms
  forgive(state, state.heardAt, now, interval_ms)
  const rows = found(run(state, 50, 62, inMiddle('none', 'telkomsel')))
  assert.deepEqual(rows.map((row) => [row.cause, row.operator]), [['operator', 'telkomsel']])
})

test('one station alone is no disturbance, however many of its devices fall silent', () => {
  const state = afterQuiet()
  const [station] = [...middle] as [string]
  const crowd = Array.from({ length: 12 }, (_, index): Phone => ({ id: `crowd ${index}`, station, operator: 'telkomsel', phase_ms: 0 }))
  for (const phone of crowd) step(state, { report: evidence(phone, start + 20 * minute_ms, 'good') }, start + 20 * minute_ms)
  assert.deepEqual(found(run(state, 20, 45, good)), [])
})

test('a device first heard by a late report belongs to its own operator', () => {
  const state = afterQuiet()
  const phone: Phone = { id: 'late', station: (stations[0] as DetectionStation).code, operator: 'xlsmart', phase_ms: 0 }
  const now = start + 21 * minute_ms
  step(state, { report: { ...evidence(phone, now - 3 * minute_ms, 'good'), receivedAt: now } }, now)
  assert.deepEqual(explainStation(state, phone.station, now).operators.map((row) => [row.operator, row.devices]), [['indosat', 1], ['telkomsel', 1], ['xlsmart', 2]])
})

test('in a small place the silence of all is our own intake, and blames nobody', () => {
  const few = phones.filter((phone) => middle.has(phone.station)).slice(0, 24)
  const state = startDetection(stations)
  const only = (deed: Deed) => (phone: Phone): Deed => (few.includes(phone) ? deed : 'none')
  assert.deepEqual(found(run(state, 0, 20, only('good'))), [])
  assert.deepEqual(found(run(state, 20, 40, only('none'))).map((row) => row.cause), ['ingest'])
})

test('an operator in the middle of a thousand is found all the same', () => {
  const state = startDetection(stations)
  for (let index = 0; index < 1_000; index++) {
    const phone: Phone = { id: `isp ${index}`, station: (stations[index % stations.length] as DetectionStation).code, operator: `isp-${index}`, phase_ms: 0 }
    step(state, { report: { ...evidence(phone, start, 'good'), nextDueAt: null } }, start)
  }
  assert.deepEqual(found(run(state, 0, 20, good)), [])
  assert.deepEqual(found(run(state, 20, 40, inMiddle('none', 'indosat'))).map((row) => row.operator), ['indosat'])
})
