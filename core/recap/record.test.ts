import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'cborg'
import fc from 'fast-check'
import { hash_bytes, hexOf } from './bytes.ts'
import { writeCbor, type Cbor } from './cbor.ts'
import { readRecap, record_bytes_max, writeRecap, type Recap } from './record.ts'
import { presidential, recaps } from '@kawal/testkit/recaps.ts'

const runs = { numRuns: 1_000, seed: 20290214 }
const faultOf = (bytes: Uint8Array): string => {
  const read = readRecap(bytes)
  return read.ok ? 'taken' : `${read.error.code} ${read.error.field ?? ''}`.trim()
}
/** The ordinary record as a map, with some of its keys changed or (undefined) taken out. */
const changed = (change: Readonly<Record<number, Cbor | undefined>>): Uint8Array => {
  const map = new Map(fields)
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) map.delete(Number(key))
    else map.set(Number(key), value)
  }
  return writeCbor(map)
}
const fields: readonly [number, Cbor][] = [
  [0, 1], [1, 7571011001003], [2, 0], [3, 1], [4, 3], [5, 300], [6, presidential.totals], [7, []], [8, presidential.photos], [9, presidential.madeAt], [10, -1250], [11, 2], [12, presidential.previous ?? null], [14, presidential.build], [15, [53712, 12305981, 14]],
]

test('what was written is what is read, and it is written again to the last bit', () => {
  fc.assert(fc.property(recaps, (recap) => {
    const bytes = writeRecap(recap)
    const read = readRecap(bytes)
    assert.ok(read.ok)
    assert.deepEqual(read.value, recap)
    assert.equal(hexOf(writeRecap(read.value)), hexOf(bytes))
  }), runs)
})

test('the places of the fields are those that are published', () => {
  assert.equal(hexOf(writeRecap(presidential)), hexOf(changed({})))
})

test('of all writings of a record one is taken', () => {
  const good = writeRecap(presidential)
  assert.equal(faultOf(good), 'taken')
  const writings: [string, Uint8Array][] = [
    ['a longer length of the map', Uint8Array.from([0xb8, 15, ...good.subarray(1)])],
    ['a longer integer', Uint8Array.from([...good.subarray(0, 2), 0x18, 1, ...good.subarray(3)])],
    ['another order of the keys', encode(new Map([...fields].reverse()), { mapSorter: () => 0 })],
    ['an open end', Uint8Array.from([0xbf, ...good.subarray(1), 0xff])],
    ['a key twice', Uint8Array.from([0xb0, 0, 1, ...good.subarray(1)])],
    ['a float for an integer', Uint8Array.from([...good.subarray(0, 2), 0xf9, 0x3c, 0, ...good.subarray(3)])],
    ['something behind the end', Uint8Array.from([...good, 0])],
    ['a tag before it', Uint8Array.from([0xd9, 0xd9, 0xf7, ...good])],
  ]
  for (const [name, bytes] of writings) assert.match(faultOf(bytes), /^not_(cbor|deterministic)$/, name)
})

test('each field is held to its bounds, and named when it is wrong', () => {
  const hash = new Uint8Array(hash_bytes)
  const cases: readonly [Readonly<Record<number, Cbor | undefined>>, string][] = [
    [{ 0: 2 }, 'version_unknown version'], [{ 0: undefined }, 'version_unknown version'], [{ 1: 10 ** 13 }, 'field_invalid station'], [{ 1: 7571011001000 }, 'field_invalid station'], [{ 1: '7571011001003' }, 'field_invalid station'],
    [{ 2: 5 }, 'contest_unknown contest'], [{ 2: -1 }, 'field_invalid contest'], [{ 3: 0 }, 'field_invalid form'], [{ 3: 256 }, 'field_invalid form'], [{ 4: 0 }, 'field_invalid ballot'], [{ 4: 101 }, 'field_invalid ballot'], [{ 4: [1, 2] }, 'field_invalid ballot'],
    [{ 2: 1 }, 'field_invalid ballot'], [{ 2: 1, 4: [2, 5, 1, 5] }, 'field_invalid ballot'], [{ 2: 1, 4: [1, 5, 2] }, 'field_invalid ballot'], [{ 2: 1, 4: [1, 31] }, 'field_invalid ballot'], [{ 2: 1, 4: [] }, 'field_invalid ballot'], [{ 2: 1, 4: [1, 30, 99, 0] }, 'taken'],
    [{ 5: 0 }, 'field_invalid ceiling'], [{ 6: [1_000_000] }, 'field_invalid totals'], [{ 6: [-1] }, 'field_invalid totals'], [{ 6: [1.5] }, 'field_invalid totals'], [{ 6: new Array(1_001).fill(0) as number[] }, 'field_invalid totals'], [{ 6: [null, 999_999] }, 'taken'],
    [{ 7: [1, 1] }, 'field_invalid warned'], [{ 7: [2, 1] }, 'field_invalid warned'], [{ 7: [0, 3] }, 'taken'], [{ 8: hash.subarray(1) }, 'field_invalid photos'], [{ 8: undefined }, 'field_missing photos'], [{ 9: 253_402_300_800_000 }, 'field_invalid madeAt'],
    [{ 10: undefined }, 'taken'], [{ 10: null }, 'field_invalid clockOffset'], [{ 11: 1 }, 'field_invalid previous'], [{ 12: undefined }, 'field_missing previous'], [{ 11: 1, 12: undefined }, 'taken'], [{ 11: 0, 12: undefined }, 'field_invalid sequence'], [{ 11: 2 ** 31 }, 'field_invalid sequence'],
    [{ 13: hash }, 'taken'], [{ 13: new Uint8Array(20) }, 'field_invalid replaces'], [{ 14: hash.subarray(16) }, 'field_invalid build'], [{ 15: undefined }, 'taken'], [{ 15: [9_000_001, 0, 1] }, 'field_invalid place'], [{ 15: [0, 0] }, 'field_invalid place'],
    [{ [-1]: 0 }, 'critical_unknown -1'], [{ 16: 'x' }, 'taken'],
  ]
  for (const [change, fault] of cases) assert.equal(faultOf(changed(change)), fault, JSON.stringify(change))
  assert.equal(faultOf(writeCbor([])), 'not_recap')
  assert.equal(faultOf(writeCbor(new Map([['x', 1]]))), 'not_recap x')
  assert.equal(faultOf(changed(Object.fromEntries(Array.from({ length: 17 }, (_, at) => [16 + at, 0])))), 'field_invalid later')
  assert.equal(faultOf(new Uint8Array(record_bytes_max + 1)), 'too_long')
})

test('an old program keeps what a later one wrote, and hands on the same bytes', () => {
  const bytes = changed({ 16: 'kode', 40: new Map<number | string, Cbor>([[1, [null, true]], ['a', new Uint8Array(3)]]), 70_000: 2n ** 60n })
  const read = readRecap(bytes)
  assert.ok(read.ok)
  assert.deepEqual([...read.value.later.keys()], [16, 40, 70_000])
  assert.equal(hexOf(writeRecap(read.value)), hexOf(bytes))
  // but nothing that two programs may read differently
  for (const value of [new Map([[new Uint8Array(1), 1]]), [[[[[[[[[1]]]]]]]]]] as unknown as Cbor[]) assert.match(faultOf(changed({ 16: value })), /^(not_cbor|too_deep)$/)
})

test('whoever writes what no reader takes has a bug, and hears of it', () => {
  const wrong: Partial<Recap>[] = [{ station: '75' }, { totals: [1_000_000] }, { sequence: 1 }, { photos: new Uint8Array(5) }, { place: { latitude: 91, longitude: 0, accuracy_m: 1 } }, { later: new Map([[3, 1]]) }, { later: new Map([[-3, 1]]) }, { ballot: { kind: 'parties', parties: [] } }]
  for (const change of wrong) assert.throws(() => writeRecap({ ...presidential, ...change }), RangeError, JSON.stringify(change))
})

test('no bytes make the reader throw, and what it takes from damaged bytes is written again as it came', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readRecap(bytes)), runs)
  for (const bytes of [new Uint8Array(4_000).fill(0x81), new Uint8Array(4_000).fill(0xa1), Uint8Array.from([0x9b, 0, 0, 0, 1, 0, 0, 0, 0]), Uint8Array.from([0x5b, 0, 31, 255, 255, 255, 255, 255, 255])]) assert.match(faultOf(bytes), /^(not_cbor|too_deep)$/)
  let taken = 0
  fc.assert(fc.property(recaps, fc.nat(), fc.integer({ min: 0, max: 255 }), (recap, place, byte) => {
    const bytes = writeRecap(recap)
    bytes[place % bytes.length] = byte
    const read = readRecap(bytes)
    if (!read.ok) return
    taken++
    assert.equal(hexOf(writeRecap(read.value)), hexOf(bytes))
  }), runs)
  assert.ok(taken > 100, `${taken} taken`)
})
