import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hexOf } from './bytes.ts'
import { writeCbor, type Cbor } from './cbor.ts'
import { page_max, photo_bytes_max, photo_kinds, photos_max, photosHash, readPhotos, shot_max, writePhotos, type Photo } from './photo.ts'
import { sha256 } from '@kawal/testkit/recaps.ts'

const runs = { numRuns: 500, seed: 20290214 }
const photos: fc.Arbitrary<Photo[]> = fc.uniqueArray(fc.record({
  page: fc.integer({ min: 1, max: page_max }), shot: fc.integer({ min: 1, max: shot_max }), kind: fc.constantFrom(...photo_kinds), size_bytes: fc.integer({ min: 1, max: photo_bytes_max }), sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
}, { noNullPrototype: true }), { maxLength: 30, selector: ({ page, shot, kind }) => `${page} ${shot} ${kind}` })

test('a list of photos is read as it was written, whatever order they were given in', () => {
  fc.assert(fc.property(photos, (given) => {
    const bytes = writePhotos(given)
    assert.equal(hexOf(writePhotos([...given].reverse())), hexOf(bytes))
    const read = readPhotos(bytes)
    assert.ok(read.ok)
    assert.equal(hexOf(writePhotos(read.value)), hexOf(bytes))
    assert.deepEqual(new Set(read.value.map((photo) => JSON.stringify(photo))), new Set(given.map((photo) => JSON.stringify(photo))))
    const order = read.value.map(({ page, shot, kind }) => `${String(page).padStart(3, '0')} ${String(shot).padStart(2, '0')} ${photo_kinds.indexOf(kind)}`)
    assert.deepEqual(order, [...order].sort())
  }), runs)
})

test('the hash holds each photo by its bytes, its size and its place', async () => {
  const one: Photo = { page: 1, shot: 1, kind: 'preview', size_bytes: 40_000, sha256: new Uint8Array(32) }
  const hashes = await Promise.all([[], [one], [{ ...one, page: 2 }], [{ ...one, shot: 2 }], [{ ...one, kind: 'original' as const }], [{ ...one, size_bytes: 40_001 }], [{ ...one, sha256: new Uint8Array(32).fill(1) }]].map((given) => photosHash(given, sha256)))
  assert.equal(new Set(hashes.map(hexOf)).size, 7)
  assert.equal(hexOf(await photosHash([one], (bytes) => Promise.resolve(sha256(bytes)))), hexOf(sha256(writePhotos([one]))))
})

test('a list that is none is refused, and says why', () => {
  const row = (change: readonly [number, Cbor]): Cbor => [1, 1, 0, 40_000, new Uint8Array(32)].map((each, at) => (at === change[0] ? change[1] : each))
  const faultOf = (value: Cbor): string => {
    const read = readPhotos(writeCbor(value))
    return read.ok ? 'taken' : read.error
  }
  assert.equal(faultOf([1, [row([0, 1])]]), 'taken')
  for (const change of [[0, 0], [0, 101], [1, 0], [1, 21], [2, 2], [3, 0], [3, 50_000_001], [4, new Uint8Array(31)], [4, 'x']] as const) assert.equal(faultOf([1, [row(change)]]), 'photo_invalid', JSON.stringify(change))
  for (const value of [[1], [1, [], 0], [1, 1], [1, [1]], [1, [[1, 1, 0, 40_000]]], [1, Array.from({ length: photos_max + 1 }, () => 0)]]) assert.equal(faultOf(value), 'photo_invalid')
  assert.deepEqual([faultOf([2, []]), faultOf(1), faultOf(new Map())], ['version_unknown', 'not_cbor', 'not_cbor'])
  assert.equal(faultOf([1, [row([0, 2]), row([0, 1])]]), 'order')
  assert.equal(faultOf([1, [row([0, 1]), row([3, 5])]]), 'order', 'the same place twice')
  assert.equal(readPhotos(Uint8Array.from([0x82, 1, 0x98, 0])).ok, false)
  assert.throws(() => writePhotos(Array.from({ length: 2 }, () => ({ page: 1, shot: 1, kind: 'preview', size_bytes: 1, sha256: new Uint8Array(32) }))), RangeError)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readPhotos(bytes)), runs)
})
