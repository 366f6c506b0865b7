import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { radioFault } from '@kawal/core/measurement/validate.ts'
import { readRadio, sampleRadio, type RadioReading as Read, type SampledRadio } from '@kawal/core/measurement/radio-reading.ts'
import { RadioReading } from './radio.ts'
import { Sample } from './report.ts'

interface Example { readonly about: string; readonly now: string; readonly schema?: false; readonly given: unknown; readonly cells?: readonly (readonly Record<string, unknown>[])[]; readonly sample: SampledRadio }
const folder = join(import.meta.dirname, '../spec/radio-bridge')
/** Those of `android/` are what the shell's own reader answers, recorded by its tests. */
const examples = [...readdirSync(folder), ...readdirSync(join(folder, 'android')).map((name) => `android/${name}`)].filter((name) => name.endsWith('.json')).map((name) => ({ name, ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Example) }))

/** A reading of ours is one of the contract, to the compiler too. */
const published = (reading: Read): RadioReading => ({ ...reading, slots: reading.slots.map((slot) => ({ ...slot, cells: slot.cells.map((cell) => ({ ...cell, censored: { ...cell.censored } as Record<string, 'below' | 'above'>, invalid: [...cell.invalid] })) })) })
const valid = { sequence: 1, eventAt: '2029-02-14T01:55:13.000Z', access: 'cellular', accessPoint: null, rttMs: [], timeouts: 0, downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: null }

/** What a sample takes from it is a sample that is kept: by its form, and by the ranges. */
function isKept({ technology, radio, sim }: SampledRadio): boolean {
  return Value.Check(Sample, { ...valid, technology, radio, sim }) && (radio === null || radioFault(technology, { ...radio }) === null)
}

test('there are examples of what platforms hand over, and what the shell answers', () => {
  assert.ok(examples.length >= 30)
  assert.ok(examples.filter(({ name }) => name.startsWith('android/')).length >= 12)
})

for (const example of examples)
  test(`bridge: ${example.name}`, () => {
    assert.equal(Value.Check(RadioReading, example.given), example.schema !== false, 'held against the schema')
    const read = readRadio(example.given)
    assert.ok(read.ok, read.ok ? '' : read.error)
    assert.ok(Value.Check(RadioReading, published(read.value)), 'what was read is of the schema')
    assert.doesNotMatch(JSON.stringify(read.value), /imsi|imei|510101234567890|2147483647/)
    example.cells?.forEach((cells, slot) => cells.forEach((expected, index) => assert.partialDeepStrictEqual({ ...read.value.slots[slot]?.cells[index] }, expected)))
    const sampled = sampleRadio(read.value, Date.parse(read.value.readAt), Date.parse(example.now))
    assert.deepEqual(JSON.parse(JSON.stringify(sampled)), example.sample)
    assert.ok(isKept(sampled))
  })

test('whatever a bridge gives nothing throws, and what a sample takes is always kept by the platform', () => {
  const odd = fc.oneof(fc.constantFrom(null, -1, 0, 7, 99, 255, -200, 32_767, 65_535, 2_147_483_647, -2_147_483_648, 9.3e18, -1.7e308, NaN, 'x'), fc.integer({ min: -160, max: 60 }), fc.double({ min: -160, max: 60, noNaN: true }))
  const cell = fc.record({
    registered: fc.constantFrom(true, true, false, null), secondary: fc.constantFrom(true, false, null, undefined), technology: fc.constantFrom('gsm', 'umts', 'lte', 'nr', 'cdma'),
    rsrpDbm: odd, rsrqDb: odd, sinrDb: odd, rscpDbm: odd, ecioDb: odd, rssiDbm: odd, tac: odd, lac: odd, cellId: odd, pci: odd, channel: odd, ageMs: fc.oneof({ weight: 1, arbitrary: odd }, { weight: 5, arbitrary: fc.integer({ min: 0, max: 150_000 }) }),
    censored: fc.constantFrom(undefined, {}, { rsrpDbm: 'below', rsrqDb: 'above' }, { rssiDbm: 'above', sinrDb: 'above' }, null),
  })
  const given = fc.oneof({ weight: 1, arbitrary: fc.anything() }, { weight: 5, arbitrary: fc.record({
    readAt: fc.constant('2029-02-14T01:55:12.000Z'), source: fc.constantFrom('android', 'modem', 'at', 'officer'), airplane: fc.constantFrom(true, false, false, null, null), bars: odd,
    slots: fc.array(fc.record({ slot: odd, dataSim: fc.constantFrom(true, false, null), plmn: fc.constantFrom('51010', null, '5', 51_010), cells: fc.array(cell, { minLength: 1, maxLength: 4 }) }), { minLength: 1, maxLength: 2 }),
  }) })
  let sampled = 0
  fc.assert(fc.property(given, fc.integer({ min: -200_000, max: 200_000 }), (reading, late) => {
    const read = readRadio(reading)
    if (!read.ok) return assert.ok(read.error.length > 10)
    assert.ok(Value.Check(RadioReading, published(read.value)))
    const taken = sampleRadio(read.value, 1_000_000, 1_000_000 + late)
    assert.ok(isKept(taken), JSON.stringify(taken))
    if (taken.radio !== null) sampled++
  }), { numRuns: 3_000 })
  assert.ok(sampled > 100, `only ${sampled} had values`)
})
