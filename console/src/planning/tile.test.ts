import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromGeojsonVt } from '@maplibre/vt-pbf'
import { readTile } from './tile.ts'

type Tags = Record<string, number | string>
const encode = (features: { id: number; ring: [number, number][]; tags: Tags }[], layer = 'cells'): Uint8Array =>
  fromGeojsonVt({ [layer]: { features: features.map(({ id, ring, tags }) => ({ id, type: 3, geometry: [ring], tags })) } } as unknown as Parameters<typeof fromGeojsonVt>[0], { version: 2, extent: 4096 })

const point = fc.tuple(fc.integer({ min: -900, max: 5000 }), fc.integer({ min: -900, max: 5000 }))
const share = fc.option(fc.integer({ min: 0, max: 200 }).map((step) => step / 200), { nil: undefined })
const feature = fc.record({
  id: fc.integer({ min: 0, max: 2 ** 40 }), ring: fc.array(point, { minLength: 3, maxLength: 7 }),
  tags: fc.record({ usable: share, claimed: share, measured: share, samples: fc.option(fc.integer({ min: 1, max: 9e6 }), { nil: undefined }), contradicted: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }) }),
})

test('cells come back as they were encoded: keys above 32 bits, shares, counts, and what is unknown is null', () => {
  fc.assert(fc.property(fc.array(feature, { maxLength: 30 }), (features) => {
    const plain = features.map(({ id, ring, tags }) => ({ id, ring, tags: { resolution: 8, ...Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== undefined)) } as Tags }))
    const { cells, extent } = readTile(encode(plain))
    assert.equal(extent, 4096)
    assert.equal(cells.length, plain.length)
    cells.forEach((cell, at) => {
      const { id, ring, tags } = plain[at] as (typeof plain)[number]
      assert.equal(cell.key, id)
      // the encoder leaves out a last point that repeats the first
      assert.deepEqual(cell.ring, ring.flat().slice(0, cell.ring.length))
      assert.ok(cell.ring.length >= ring.length * 2 - 2)
      for (const name of ['usable', 'claimed', 'measured'] as const) assert.equal(cell[name], tags[name] ?? null)
      assert.equal(cell.samples, tags['samples'] ?? 0)
      assert.equal(cell.contradicted, tags['contradicted'] ?? 0)
    })
  }))
})

test('a prediction counts where nothing stronger is known; other layers are passed over; a cut tile is refused', () => {
  const ring: [number, number][] = [[0, 0], [9, 0], [9, 9]]
  const [predicted, measured] = readTile(encode([{ id: 1, ring, tags: { usable: 0.5, source: 'predicted' } }, { id: 2, ring, tags: { usable: 0.7, source: 'measured' } }])).cells
  assert.deepEqual([predicted?.predicted, measured?.predicted], [0.5, null])
  assert.deepEqual(readTile(encode([{ id: 1, ring, tags: { usable: 1 } }], 'roads')).cells, [])
  assert.deepEqual(readTile(new Uint8Array(0)).cells, [])
  const whole = encode([{ id: 1, ring, tags: { usable: 1 } }])
  assert.throws(() => readTile(whole.subarray(0, whole.length - 3)), RangeError)
  assert.throws(() => readTile(new TextEncoder().encode('<!doctype html>')), RangeError)
})
