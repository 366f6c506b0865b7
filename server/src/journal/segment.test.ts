import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addEntry, clearDraft, createDraft, decodeSegment, draft_reports_max, encodeSegment, type Way } from './segment.ts'

const instant = fc.oneof(fc.integer({ min: 0, max: 253_402_300_799_999 }), fc.integer({ min: -253_402_300_799_999, max: 0 }), fc.constantFrom(0, 4_294_967_295, 4_294_967_296, -1))
const ways: fc.Arbitrary<Way> = fc.record({ operator: fc.option(fc.string()), sim: fc.option(fc.string()), network: fc.option(fc.string()), offset_ms: fc.integer() }, { noNullPrototype: true })
const reports = fc.record({
  device: fc.nat(2_147_483_647), sequence: fc.integer({ min: 1, max: 2_147_483_647 }), station: fc.integer({ min: 0, max: 9_999_999_999_999 }), eventAt: instant, receivedAt: instant,
  promise_ms: fc.option(fc.nat(86_400_000)), bits: fc.nat(65_535), rtt: fc.nat(60_000), way: fc.nat(9), sample: fc.uint8Array({ maxLength: 300 }),
})

test('what was put into a segment is what comes out, and a draft that is used again begins anew', () => {
  const draft = createDraft()
  fc.assert(fc.property(fc.array(ways, { minLength: 10, maxLength: 10 }), fc.array(reports, { minLength: 1, maxLength: 60 }), (all, entries) => {
    clearDraft(draft)
    draft.ways.push(...all)
    // due at 0 is goodbye
    const wanted = entries.map(({ promise_ms, ...entry }) => ({ ...entry, dueAt: promise_ms === null || entry.eventAt + promise_ms === 0 ? 0 : entry.eventAt + promise_ms }))
    for (const { way, sample, ...entry } of wanted) addEntry(draft, entry, way, Buffer.from(sample), 0, sample.length)
    const read = decodeSegment(7, encodeSegment(draft))
    const samples = read.samples()
    assert.deepEqual(read.ways, all)
    const got = wanted.map((_, i) => ({
      device: read.device[i], sequence: read.sequence[i], station: read.station[i], eventAt: read.eventAt[i], receivedAt: read.receivedAt[i], dueAt: read.dueAt[i], bits: read.bits[i], rtt: read.rtt[i], way: read.way[i], sample: [...(samples[i] ?? [])],
    }))
    assert.deepEqual(got, wanted.map(({ sample, ...entry }) => ({ ...entry, dueAt: entry.dueAt, sample: [...sample] })))
    assert.deepEqual([read.count, samples.length], [wanted.length, wanted.length])
  }), { numRuns: 300, seed: 20290214 })
})

test('a full draft refuses more, and bytes that are no segment are an error that names it', () => {
  const draft = createDraft()
  draft.ways.push({ operator: null, sim: null, network: null, offset_ms: 0 })
  const entry = { device: 1, sequence: 1, station: 7501011001001, eventAt: 1, receivedAt: 1, dueAt: 0, bits: 0, rtt: 0 }
  for (let i = 0; i < draft_reports_max; i++) addEntry(draft, entry, 0, Buffer.from('abc'), 0, 3)
  assert.throws(() => addEntry(draft, entry, 0, Buffer.alloc(0), 0, 0), RangeError)
  const whole = encodeSegment(draft)
  assert.equal(decodeSegment(1, whole).count, draft_reports_max)
  for (const bytes of [Buffer.alloc(0), whole.subarray(0, whole.length - 1), Buffer.concat([whole, Buffer.alloc(1)]), Buffer.from('KWJ2'.padEnd(40))]) assert.throws(() => decodeSegment(9, bytes), /segment 9: expected/)
})
