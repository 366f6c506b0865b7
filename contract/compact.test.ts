import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { build } from 'vite'
import { Compile } from 'typebox/compile'
import { decodeBatch, decodeReceipt, encodeBatch, encodeReceipt } from './compact.ts'
import { ReportBatch, Sample } from './report.ts'

const runs = { numRuns: 2_000, seed: 20290214 }
const base = Date.UTC(2029, 1, 14, 2)
const at = (ms: number): string => new Date(ms).toISOString()
const reach = fc.constantFrom('ok' as const, 'timeout' as const, 'offline' as const, 'portal' as const, 'http_error' as const, 'wrong_clock' as const, 'untested' as const)
const level = fc.oneof(fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true, min: -200, max: 50 }), fc.integer({ min: -156, max: 30 }))
const rate = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 1_000_000 }), fc.double({ noNaN: true, min: 0, max: 1e9 }))
/** Any valid sample: rates and levels as fine as they come, round-trip times in tenths, all radio values named. */
const samples: fc.Arbitrary<Sample> = fc.record({
  sequence: fc.integer({ min: 1, max: 2_147_483_647 }), eventAt: fc.integer({ min: 0, max: 253_402_000_000_000 }).map(at), sim: fc.option(fc.stringMatching(/^[0-9]{5,6}$/)),
  access: fc.constantFrom('cellular' as const, 'wifi' as const, 'wired' as const, 'none' as const, 'unknown' as const), accessPoint: fc.option(fc.string({ maxLength: 64, unit: 'grapheme-ascii' })),
  technology: fc.option(fc.constantFrom('gsm' as const, 'umts' as const, 'lte' as const, 'nr' as const)),
  radio: fc.option(fc.record({ source: fc.string({ maxLength: 32 }), ageMs: fc.integer({ min: 0, max: 86_400_000 }), rsrpDbm: level, rsrqDb: level, sinrDb: level, rssiDbm: level, bars: fc.integer({ min: 0, max: 4 }) }, { requiredKeys: ['source', 'ageMs', 'rsrpDbm', 'rsrqDb', 'sinrDb', 'rssiDbm'] })),
  rttMs: fc.array(fc.integer({ min: 1, max: 600_000 }).map((tenths) => tenths / 10), { maxLength: 20 }), timeouts: fc.integer({ min: 0, max: 20 }), downKbps: rate, upKbps: rate,
  reach: fc.record({ internet: reach, election: reach, platform: reach }), charging: fc.option(fc.boolean()), nextDueAt: fc.option(fc.integer({ min: 0, max: 253_402_000_000_000 }).map(at)),
}, { noNullPrototype: true })
const batches = fc.record({ station: fc.stringMatching(/^[0-9]{13}$/), sentAt: fc.option(fc.integer({ min: 0, max: 253_402_000_000_000 }).map(at)), samples: fc.array(samples, { minLength: 1, maxLength: 5 }) }, { noNullPrototype: true })
  .map(({ sentAt, ...rest }) => (sentAt === null ? rest : { ...rest, sentAt }))

const routine: Sample = {
  sequence: 141, eventAt: at(base), sim: '51010', access: 'unknown', accessPoint: null, technology: null, radio: null, rttMs: [48.2, 51.7, 149.9, 60.3, 47.1], timeouts: 0,
  downKbps: null, upKbps: null, reach: { internet: 'untested', election: 'untested', platform: 'ok' }, charging: null, nextDueAt: at(base + 291_412),
}

test('what was encoded is what comes back, and it is valid', () => {
  const [batchForm, sampleForm] = [Compile(ReportBatch), Compile(Sample)]
  // -0 has no JSON of its own
  const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
  fc.assert(fc.property(batches, (batch) => {
    const read = decodeBatch(encodeBatch(batch))
    assert.ok(read.ok)
    assert.ok(batchForm.Check(read.value) && read.value.samples.every((sample) => sampleForm.Check(sample)))
    assert.deepEqual(asJson(read.value), asJson(batch))
  }), runs)
})

test('a radio value that is left out is unknown, as null is', () => {
  const read = decodeBatch(encodeBatch({ station: '7571011001003', samples: [{ ...routine, radio: { source: 'modem', ageMs: 5, rsrpDbm: -97 } }] }))
  assert.deepEqual(read.ok && (read.value.samples[0] as Sample).radio, { source: 'modem', ageMs: 5, rsrpDbm: -97, rsrqDb: null, sinrDb: null, rssiDbm: null })
})

test('a routine sample takes at most 110 bytes, and each further one less', () => {
  const one = encodeBatch({ station: '7571011001003', sentAt: at(base + 900), samples: [routine] }).length
  const two = encodeBatch({ station: '7571011001003', sentAt: at(base + 900), samples: [routine, { ...routine, sequence: 142, radio: { source: 'android', ageMs: 800, rsrpDbm: -97, rsrqDb: -11, sinrDb: 4.5 } }] }).length
  assert.ok(one <= 110 && two - one <= 110, `${one} bytes, then ${two - one}`)
  assert.equal(one, 71)
})

test('bytes that are not a batch are an error that says what was expected, and never a throw', () => {
  for (const [body, why] of [
    [new Uint8Array(), /got bytes that are not/], [Buffer.from('{"station":'), /got bytes that are not/], [new Uint8Array(1_000_000).fill(0x81), /got bytes that are not/],
    [encode({}), /Expected \[1, station/], [encode([1, 2, 3]), /Expected \[1, station/], [encode([2, 1, null, []]), /Expected form 1 first, got 2/], [encode([1, '7571011001003', null, []]), /13 digits of the station as an integer/],
    [encode([1, 10 ** 13, null, []]), /13 digits/], [encode([1, 7571011001003, -1, []]), /sentAt in ms/], [encode([1, 7571011001003, null, {}]), /list of at most 500 samples in the fourth place, got a map/], [encode([1, 7571011001003, null, new Array(501).fill(0)]), /at most 500 samples .* got 501/],
  ] as const) {
    const read = decodeBatch(body)
    assert.match(read.ok ? '' : read.error, why)
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void [decodeBatch(bytes), decodeReceipt(bytes)]), runs)
  // one byte wrong in a good body
  const good = encodeBatch({ station: '7571011001003', sentAt: at(base), samples: [routine] })
  fc.assert(fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (place, byte) => {
    const bytes = Uint8Array.from(good)
    bytes[place] = byte
    const read = decodeBatch(bytes)
    if (read.ok) JSON.stringify(read.value)
  }), runs)
})

test('a row that is no sample comes through as it is, and the good ones beside it', () => {
  const rows = [null, 2n ** 60n, new Uint8Array([1, 255]), [1, 2], { deep: [[[[[[[[[[1]]]]]]]]]] }, NaN, [1, -5, null, 0, null, null, null, [], 0, null, null, 0, null, null],
    [1, base, null, 9, null, null, null, [], 0, null, null, 0, null, null], [1, base, null, 0, null, null, null, [], 0, null, null, 777, null, null], [1, base, null, 0, null, null, [1], [], 0, null, null, 0, null, null],
    // a place given as a word, and as maps that have no text
    ...['toString', 'length', { toString: 1, valueOf: 1 }, [[{ toString: 1 }]]].flatMap((place) => [[1, base, null, place, null, null, null, [], 0, null, null, 0, null, null], [1, base, null, 0, null, place, null, [], 0, null, null, 0, null, null]])]
  const wide = [1, base, 2n ** 61n, 0, new Uint8Array([9]), null, null, [], 0, null, null, 0, null, null]
  const [, , , [good]] = decode(encodeBatch({ station: '7571011001003', samples: [routine] })) as [number, number, null, [unknown[]]]
  const body = encode([1, 7571011001003, null, [...rows, wide, good]])
  const read = decodeBatch(body)
  assert.ok(read.ok, read.ok ? '' : read.error)
  const check = Compile(Sample)
  assert.deepEqual(read.value.samples.map((sample) => check.Check(sample)), [...rows.map(() => false), false, true])
  assert.match(JSON.stringify(read.value), /"1152921504606846976","01ff",.*nested deeper.*"2305843009213693952"/)
})

test('a receipt comes back as it was', () => {
  const receipts = fc.record({ accepted: fc.nat(500), duplicates: fc.nat(500), quarantined: fc.array(fc.record({ index: fc.nat(499), code: fc.string(), detail: fc.string() }, { noNullPrototype: true })), nextIntervalS: fc.integer({ min: 30, max: 3_600 }), checkWanted: fc.constant(true) }, { noNullPrototype: true, requiredKeys: ['accepted', 'duplicates', 'quarantined', 'nextIntervalS'] })
  fc.assert(fc.property(receipts, (receipt) => {
    const read = decodeReceipt(encodeReceipt(receipt))
    assert.deepEqual(read.ok && read.value, receipt)
  }), runs)
  assert.equal(encodeReceipt({ accepted: 1, duplicates: 0, quarantined: [], nextIntervalS: 300 }).length, 7)
})

test('it costs a phone little to carry', async () => {
  const input = 'virtual:phone'
  const built = await build({
    configFile: false, logLevel: 'error', root: import.meta.dirname,
    plugins: [{ name: 'phone', resolveId: (id) => (id === input ? id : null), load: (id) => (id === input ? `export { encodeBatch, decodeReceipt } from '${import.meta.dirname}/compact.ts'` : null) }],
    build: { write: false, minify: true, target: 'chrome92', rolldownOptions: { input, preserveEntrySignatures: 'strict', output: { format: 'es' } } },
  })
  const [bundle] = [built].flat()
  assert.ok(bundle !== undefined && 'output' in bundle)
  const bytes = gzipSync(bundle.output[0].code, { level: 9 }).length
  assert.ok(bytes <= 9_000, `${bytes} bytes gz`)
})
