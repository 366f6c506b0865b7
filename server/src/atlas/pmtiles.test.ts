import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { PMTiles, zxyToTileId, type Source } from 'pmtiles'
import { makeColumns } from '@kawal/core/atlas/edition.ts'
import { keyAt } from '@kawal/core/geo/cells.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { exportPmtiles, tileId, writePmtiles } from './pmtiles.ts'
import { makeLevels } from './pyramid.ts'
import { drawTile, tileAt } from './tile.ts'

const folder = mkdtempSync(join(tmpdir(), 'kawal-pmtiles-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** The reader of the format's own authors. */
function archive(file: string): PMTiles {
  const bytes = readFileSync(file)
  const source: Source = { getKey: () => file, getBytes: (offset, length) => Promise.resolve({ data: new Uint8Array(bytes.subarray(offset, offset + length)).buffer }) }
  return new PMTiles(source)
}
const frame = { west: 95, south: -11, east: 141, north: 6 }

test('property: tiles are numbered as the format numbers them', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 14 }), fc.nat(), fc.nat(), (z, x, y) => {
    assert.equal(tileId(z, x % 2 ** z, y % 2 ** z), zxyToTileId(z, x % 2 ** z, y % 2 ** z))
  }))
})

test('an archive of 20,000 tiles, with leaves, and one of three, without, are read by the reader of the format', async () => {
  for (const count of [3, 20_000]) {
    const file = join(folder, `${count}.pmtiles`)
    const random = seeded(count)
    const places = Array.from({ length: count }, () => ({ z: 9, x: Math.floor(random() * 511), y: Math.floor(random() * 511) }))
    const unique = [...new Map(places.map((place) => [tileId(place.z, place.x, place.y), place])).entries()].sort(([a], [b]) => a - b).map(([, place]) => place)
    const content = (place: { x: number; y: number }): string => `${place.x} ${place.y} ${Math.sin(place.x * place.y).toString().repeat(place.x % 17)}`
    const made = await writePmtiles(file, { bounds: frame, zooms: [9, 9], metadata: { name: 'a', vector_layers: [] } }, unique.map((place) => ({ ...place, bytes: Buffer.from(content(place)) })))
    const read = archive(file)
    const header = await read.getHeader()
    assert.deepEqual([header.specVersion, header.minZoom, header.maxZoom, header.clustered, header.numAddressedTiles, header.minLon, header.maxLat], [3, 9, 9, true, unique.length, 95, 6])
    assert.deepEqual([made.tiles, made.bytes, header.leafDirectoryLength === 0], [unique.length, readFileSync(file).length, count === 3])
    assert.deepEqual(await read.getMetadata(), { name: 'a', vector_layers: [] })
    for (let i = 0; i < unique.length; i += Math.ceil(unique.length / 200)) {
      const place = unique[i] as { z: number; x: number; y: number }
      const tile = await read.getZxy(place.z, place.x, place.y)
      assert.equal(Buffer.from(tile?.data ?? new ArrayBuffer(0)).toString(), content(place))
    }
    assert.equal(await read.getZxy(9, 511, 511), undefined)
  }
})

test('tiles that come out of order are refused', async () => {
  const tile = (x: number): { z: number; x: number; y: number; bytes: Uint8Array } => ({ z: 3, x, y: 0, bytes: new Uint8Array(1) })
  await assert.rejects(writePmtiles(join(folder, 'order.pmtiles'), { bounds: frame, zooms: [3, 3], metadata: {} }, [tile(1), tile(0)]), /3\/0\/0 comes out of order/)
})

test('a layer as an archive: every tile that the server would draw, and what edition it is of', async () => {
  const keys = new Set<number>()
  for (let i = 0; i < 30; i++) for (let j = 0; j < 30; j++) keys.add(keyAt(0.4 + i * 0.01, 122.6 + j * 0.01, 8))
  const cells = Float64Array.from(keys).sort()
  const columns = makeColumns(cells.length)
  columns.usable.fill(120)
  const drawing = { national: makeLevels(cells, 8), fine: makeLevels(new Float64Array(0), 9), nationalColumns: columns, fineColumns: makeColumns(0), coarser: new Map() }
  const file = join(folder, 'layer.pmtiles')
  const provenance = { edition: '0123456789ab', sha256: 'f'.repeat(64), name: 'June', valid_on: '2028-06-01', licence: 'CC BY-SA 4.0' }
  const made = await exportPmtiles(file, provenance, { operator: 'telkomsel', technology: 'lte', drawing }, () => undefined)
  const read = archive(file)
  const metadata = (await read.getMetadata()) as { edition: object; attribution: string; vector_layers: { id: string }[] }
  assert.deepEqual([metadata.edition, metadata.attribution, metadata.vector_layers[0]?.id], [provenance, 'CC BY-SA 4.0', 'cells'])
  let tiles = 0
  for (let z = 4; z <= 10; z++) {
    const { x, y } = tileAt(z, 0.55, 122.75)
    for (let dx = -3; dx <= 3; dx++) for (let dy = -3; dy <= 3; dy++) {
      if (y + dy < 0 || x + dx < 0 || y + dy >= 2 ** z || x + dx >= 2 ** z) continue
      const drawn = drawTile(drawing, z, x + dx, y + dy)
      const kept = await read.getZxy(z, x + dx, y + dy)
      assert.deepEqual(kept === undefined ? '' : Buffer.from(kept.data).toString('hex'), Buffer.from(drawn).toString('hex'), `${z}/${x + dx}/${y + dy}`)
      if (drawn.length > 0) tiles++
    }
  }
  assert.equal(made.tiles, tiles)
  const head = readFileSync(file)
  assert.equal(gunzipSync(head.subarray(Number(head.readBigUInt64LE(24)), Number(head.readBigUInt64LE(24) + head.readBigUInt64LE(32)))).toString().includes('0123456789ab'), true)
})
