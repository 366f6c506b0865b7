import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encode } from 'cborg'
import { Compile } from 'typebox/compile'
import { decodeBatch, decodeSample, encodeBatch } from '@kawal/contract/compact.ts'
import { ReportBatch, Sample } from '@kawal/contract/report.ts'
import { radioFault } from '@kawal/core/measurement/validate.ts'
import { addSample, makeBatch, row_bytes_max, type MeasuredBatch } from './measured.ts'
import { createCompactReader } from './read-compact.ts'

const base = Date.UTC(2029, 1, 14, 2)
const at = (ms: number): string => new Date(ms).toISOString()
const reach = fc.constantFrom('ok' as const, 'timeout' as const, 'offline' as const, 'portal' as const, 'http_error' as const, 'wrong_clock' as const, 'untested' as const)
const rate = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 1_000_000 }), fc.double({ noNaN: true, min: 0, max: 1e9 }))
const level = (min: number, max: number) => fc.oneof(fc.constant(null), fc.integer({ min, max }), fc.double({ noNaN: true, min, max }))
/** Valid samples of plain texts, with radio values that their technology can have. */
const samples: fc.Arbitrary<Sample> = fc.record({
  sequence: fc.integer({ min: 1, max: 2_147_483_647 }), eventAt: fc.integer({ min: 0, max: 253_402_000_000_000 }).map(at), sim: fc.option(fc.stringMatching(/^[0-9]{5,6}$/)),
  access: fc.constantFrom('cellular' as const, 'wifi' as const, 'wired' as const, 'none' as const, 'unknown' as const), accessPoint: fc.option(fc.stringMatching(/^[ -~]{0,64}$/)),
  technology: fc.constantFrom('lte' as const),
  radio: fc.option(fc.record({ source: fc.stringMatching(/^[ -~]{0,32}$/), ageMs: fc.integer({ min: 0, max: 86_400_000 }), rsrpDbm: level(-140, -43), rsrqDb: level(-34, 3), sinrDb: level(-20, 30), rssiDbm: level(-120, -20), bars: fc.integer({ min: 0, max: 4 }) }, { requiredKeys: ['source', 'ageMs', 'rsrpDbm', 'rsrqDb', 'sinrDb', 'rssiDbm'] })),
  rttMs: fc.array(fc.integer({ min: 1, max: 600_000 }).map((tenths) => tenths / 10), { maxLength: 20 }), timeouts: fc.integer({ min: 0, max: 20 }), downKbps: rate, upKbps: rate,
  reach: fc.record({ internet: reach, election: reach, platform: reach }), charging: fc.option(fc.boolean()), nextDueAt: fc.option(fc.integer({ min: 0, max: 86_400_000 })),
}, { noNullPrototype: true }).map(({ nextDueAt, ...rest }) => ({ ...rest, nextDueAt: nextDueAt === null ? null : at(Date.parse(rest.eventAt) + nextDueAt) }))
const bodies = fc.record({ station: fc.stringMatching(/^[0-9]{13}$/), sentAt: fc.option(fc.integer({ min: 0, max: 253_402_000_000_000 }).map(at)), samples: fc.array(samples, { minLength: 1, maxLength: 5 }) }, { noNullPrototype: true })
  .map(({ sentAt, ...rest }): { station: string; sentAt?: string; samples: Sample[] } => (sentAt === null ? rest : { ...rest, sentAt }))

const timesOf = ({ eventAt, nextDueAt }: Sample) => ({ eventAt: Date.parse(eventAt), dueAt: nextDueAt === null ? null : Date.parse(nextDueAt) })
const reader = createCompactReader()
const [batchForm, sampleForm] = [Compile(ReportBatch), Compile(Sample)]
const never = (): boolean => false
// -0 has no JSON of its own
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** What the reader makes of the samples, in the words of the contract. */
function told(batch: MeasuredBatch): unknown[] {
  return batch.samples.slice(0, batch.count).map((each) => ({
    sequence: each.sequence, eventAt: at(each.eventAt), sim: each.sim, access: each.access, accessPoint: each.accessPoint, technology: each.technology, rsrpDbm: each.radio?.rsrpDbm ?? null, rssiDbm: each.radio?.rssiDbm ?? null,
    rttMs: each.rttMs, timeouts: each.timeouts, reach: each.reach, charging: each.charging, nextDueAt: each.promise_ms < 0 ? null : at(each.eventAt + each.promise_ms),
  }))
}
const wanted = (all: readonly Sample[]): unknown[] => all.map(({ sequence, eventAt, sim, access, accessPoint, technology, radio, rttMs, timeouts, reach: reached, charging, nextDueAt }) => ({
  sequence, eventAt, sim, access, accessPoint, technology, rsrpDbm: radio?.rsrpDbm ?? null, rssiDbm: radio?.rssiDbm ?? null, rttMs, timeouts, reach: reached, charging, nextDueAt,
}))

test('a batch in which all is well is read fast, and says what the slow reader says', () => {
  const batch = makeBatch()
  fc.assert(fc.property(bodies, (body) => {
    const bytes = Buffer.from(encodeBatch(body))
    const head = reader.read(bytes, batch, never)
    assert.deepEqual(head, { station: Number(body.station), sentAt: body.sentAt === undefined ? null : Date.parse(body.sentAt) })
    assert.deepEqual(asJson(told(batch)), asJson(wanted(body.samples)))
    assert.deepEqual(asJson(batch.samples.slice(0, batch.count).map(({ from, to }) => decodeSample(bytes.subarray(from, to)))), asJson(body.samples))
  }), { numRuns: 2_000, seed: 20290214 })
})

/** Bytes spoilt: some changed, the end cut off or something behind it. */
const spoilt = fc.tuple(bodies, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }), fc.integer({ min: -3, max: 3 })).map(([body, changes, length]) => {
  const bytes = Buffer.from(encodeBatch(body))
  for (const [place, value] of changes) bytes[place % bytes.length] = value
  return length < 0 ? bytes.subarray(0, bytes.length + length) : Buffer.concat([bytes, Buffer.alloc(length)])
})

test('whatever the bytes, the fast reader takes nothing that the slow one and the schema refuse, and never throws', () => {
  const batch = makeBatch()
  let [taken, given] = [0, 0]
  fc.assert(fc.property(spoilt, (bytes) => {
    given++
    const head = reader.read(bytes, batch, never)
    if (head === null) return
    taken++
    const read = decodeBatch(bytes)
    assert.ok(read.ok && batchForm.Check(read.value))
    assert.equal(Number(read.value.station), head.station)
    for (const sample of read.value.samples) {
      assert.ok(sampleForm.Check(sample), JSON.stringify(sample))
      assert.ok(sample.radio === null || radioFault(sample.technology, sample.radio) === null)
    }
    assert.deepEqual(asJson(told(batch)), asJson(wanted(read.value.samples as Sample[])))
  }), { numRuns: 30_000, seed: 20290214 })
  assert.ok(taken > 2_000 && taken < given, `${taken} of ${given} taken`)
})

test('rows of other shapes are left to the slow reader: floats for integers, long texts, words that are none', () => {
  const row = [1, base, '51010', 0, null, 2, ['android', 1, -97, null, null, null], [482], 0, null, null, 60, null, 300_000]
  const body = (change: (row: unknown[]) => unknown[]): Buffer => Buffer.from(encode([1, 7571011001003, base, [change([...row])]]))
  const batch = makeBatch()
  assert.notEqual(reader.read(body((all) => all), batch, never), null)
  const put = (place: number, value: unknown) => (all: unknown[]): unknown[] => all.with(place, value)
  for (const change of [
    put(0, 0), put(0, 2 ** 31), put(1, -1), put(2, '5101'), put(2, '5101a'), put(3, 5), put(3, -1), put(4, 'é'), put(4, 'x'.repeat(65)), put(4, 'a\0b'), put(5, 4), put(6, ['android', 1, 7, null, null, null]), put(6, []), put(7, [0]), put(7, [48.2]), put(7, Array(21).fill(1)),
    put(8, 21), put(9, -1), put(9, NaN), put(10, Infinity), put(11, 707), put(11, 1000), put(12, 1), put(13, -1), put(13, 86_400_001), (all: unknown[]) => all.slice(1), (all: unknown[]) => [...all, 1],
  ]) assert.equal(reader.read(body(change), batch, never), null, JSON.stringify(change([...row])))
})

test('a sample from JSON is kept in the compact form, and comes back as it was but for what that form rounds', () => {
  const batch = makeBatch()
  fc.assert(fc.property(samples, (sample) => {
    batch.count = 0
    batch.bytes = Buffer.alloc(row_bytes_max)
    const end = addSample(batch, sample, timesOf(sample), 3, 0)
    assert.deepEqual(asJson(decodeSample(batch.bytes.subarray(0, end))), asJson(sample))
    assert.deepEqual(asJson(told(batch)), asJson(wanted([sample])))
  }), { numRuns: 2_000, seed: 20290214 })
})

test('the largest sample there is fits the room for it', () => {
  const batch = makeBatch()
  batch.bytes = Buffer.alloc(row_bytes_max)
  const wide = '\u{ffff}'
  const sample: Sample = {
    sequence: 2_147_483_647, eventAt: at(253_402_300_799_999), sim: '999999', access: 'unknown', accessPoint: wide.repeat(64), technology: 'nr', radio: { source: wide.repeat(32), ageMs: 86_400_000, rsrpDbm: -97.123, rsrqDb: -11.123, sinrDb: 4.567, rssiDbm: -60.123, bars: 4 },
    rttMs: Array.from({ length: 20 }, () => 60_000), timeouts: 20, downKbps: 1e300, upKbps: 1.5e300, reach: { internet: 'untested', election: 'untested', platform: 'untested' }, charging: true, nextDueAt: at(253_402_300_799_999),
  }
  const end = addSample(batch, sample, timesOf(sample), 0, 0)
  assert.ok(end <= row_bytes_max, `${end} bytes`)
  assert.deepEqual(decodeSample(batch.bytes.subarray(0, end)), sample)
})
