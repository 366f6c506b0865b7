import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encode } from 'fast-png'
import { elevationAt_m } from '@kawal/core/geo/terrain.ts'
import { readTerrain, terrainPlus } from './terrain-files.ts'

const national = join(import.meta.dirname, '../../../../shared/data/terrain/de15')

async function withFolder(files: Readonly<Record<string, Uint8Array>>, then: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-terrain-'))
  try {
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    }
    await then(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function png(width: number, height: number, grey: (x: number, y: number) => number): Uint8Array {
  return encode({ width, height, channels: 1, depth: 8, data: Uint8Array.from({ length: width * height }, (_, i) => grey(i % width, Math.floor(i / width))) })
}

function hgt(metres: (x: number, y: number) => number): Buffer {
  const bytes = Buffer.alloc(1201 * 1201 * 2)
  for (let y = 0; y < 1201; y++) for (let x = 0; x < 1201; x++) bytes.writeInt16BE(metres(x, y), (y * 1201 + x) * 2)
  return bytes
}

/** An uncompressed GeoTIFF 1.0 of 32-bit floats in EPSG:4326, a hundredth of a degree a sample. */
function geotiff(width: number, height: number, west: number, north: number, metres: (x: number, y: number) => number): Buffer {
  const [short, long, double] = [3, 4, 12]
  const tags: [tag: number, type: number, values: number[]][] = [
    [256, short, [width]], [257, short, [height]], [258, short, [32]], [259, short, [1]], [262, short, [1]], [273, long, [0]], [277, short, [1]], [278, short, [height]],
    [279, long, [width * height * 4]], [339, short, [3]], [33550, double, [0.01, 0.01, 0]], [33922, double, [0, 0, 0, west, north, 0]],
    [34735, short, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326]],
  ]
  const head = Buffer.alloc(8 + 2 + tags.length * 12 + 4)
  head.write('II*\0', 'latin1')
  head.writeUInt32LE(8, 4)
  head.writeUInt16LE(tags.length, 8)
  const extra: Buffer[] = []
  let end = head.length
  const size = (type: number): number => (type === short ? 2 : type === long ? 4 : 8)
  const data_at = head.length + tags.reduce((sum, [, type, values]) => sum + (values.length * size(type) > 4 ? values.length * size(type) : 0), 0)
  tags.forEach(([tag, type, values], i) => {
    const at = 10 + i * 12
    const bytes = Buffer.alloc(values.length * size(type))
    values.forEach((value, k) => {
      if (type === short) bytes.writeUInt16LE(value, k * 2)
      else if (type === long) bytes.writeUInt32LE(tag === 273 ? data_at : value, k * 4)
      else bytes.writeDoubleLE(value, k * 8)
    })
    head.writeUInt16LE(tag, at)
    head.writeUInt16LE(type, at + 2)
    head.writeUInt32LE(values.length, at + 4)
    if (bytes.length <= 4) bytes.copy(head, at + 8)
    else {
      head.writeUInt32LE(end, at + 8)
      end += bytes.length
      extra.push(bytes)
    }
  })
  const data = Buffer.alloc(width * height * 4)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.writeFloatLE(metres(x, y), (y * width + x) * 4)
  return Buffer.concat([head, ...extra, data])
}

test('tiles become metres by the given scale, at the zoom at which they lie in Indonesia', async () => {
  const tile = png(4, 4, (x) => (x < 2 ? 2 : 12))
  await withFolder({ '105/66.png': tile, '106/66.png': png(3, 3, () => 2), '106/67.png': new Uint8Array([1, 2, 3]), '105/67.png': tile.subarray(0, 50), 'readme.txt': new Uint8Array(3) }, async (folder) => {
    const { terrain, files, issues } = await readTerrain(folder, { grey: terrainPlus })
    assert.equal(files, 4)
    assert.deepEqual(issues.map(({ file }) => file).sort(), ['105/67.png', '106/67.png'])
    assert.ok(issues.every(({ problem }) => /fetch the tile again/.test(problem)))
    const longitude = (x: number): number => (x / 128) * 360 - 180
    assert.equal(elevationAt_m(terrain, -7, longitude(105.1)), 0)
    assert.equal(elevationAt_m(terrain, -7, longitude(105.9)), Math.round(12 * 31.65 - 49.52))
    assert.equal(elevationAt_m(terrain, -7, longitude(106.5)), 0)
    assert.ok(Number.isNaN(elevationAt_m(terrain, -9.5, longitude(106.5))))
    assert.ok(terrain[0]?.samples_m.buffer instanceof SharedArrayBuffer)
    // the tile of one value is one sample
    assert.equal(terrain[0]?.samples_m.length, 4 * 4 + 1)
    // elsewhere in the world the zoom must be said
    assert.match((await readTerrain(folder)).issues[0]?.problem ?? '', /grey values/)
    assert.equal((await readTerrain(folder, { grey: terrainPlus, zoom: 8 })).terrain[0]?.tilesEast, 256)
  })
  await withFolder({ '1/1.png': tile }, async (folder) => assert.match((await readTerrain(folder, { grey: terrainPlus })).issues[0]?.problem ?? '', /zoom/))
  await withFolder({ '9/1/1.png': tile }, async (folder) => assert.equal((await readTerrain(folder, { grey: terrainPlus })).terrain[0]?.tilesEast, 512))
})

test('SRTM squares lie by their names, packed or not; a broken one is told, and the others are read', async () => {
  const square = hgt((x, y) => (x === 600 && y === 600 ? -32768 : x - y))
  await withFolder({ 'S08E110.hgt': square, 'S08E111.hgt.gz': gzipSync(hgt(() => 5)), 'S07E110.hgt': square.subarray(2), 'S07E111.hgt.gz': gzipSync(square).fill(0, 100, 200), 'java.hgt': square }, async (folder) => {
    const { terrain, issues } = await readTerrain(folder)
    assert.deepEqual(issues.map(({ file }) => file).sort(), ['S07E110.hgt', 'S07E111.hgt.gz', 'java.hgt'])
    assert.match(issues.find(({ file }) => file === 'S07E110.hgt')?.problem ?? '', /2884800 bytes/)
    assert.equal(elevationAt_m(terrain, -8 + 1 - 300 / 1200, 110 + 900 / 1200), 900 - 300)
    assert.equal(elevationAt_m(terrain, -7.5, 111.5), 5)
    assert.ok(Number.isNaN(elevationAt_m(terrain, -7.5, 110.5)))
    assert.ok(Number.isNaN(elevationAt_m(terrain, -6.5, 110.5)))
  })
})

test('a GeoTIFF lies over coarser terrain where it has elevations', async () => {
  const image = geotiff(30, 20, 110.2, -7.1, (x, y) => 1000 + x + 100 * y)
  await withFolder({ 'fine/dem.tif': image, 'broken.tif': new Uint8Array(100), 'S08E110.hgt': hgt(() => 5) }, async (folder) => {
    const { terrain, issues } = await readTerrain(folder)
    assert.deepEqual(issues.map(({ file }) => file), ['broken.tif'])
    assert.equal(terrain.length, 2)
    const finest = terrain.map((raster) => raster.resolution_m)
    assert.ok((finest[0] ?? 0) < (finest[1] ?? 0))
    // here the SRTM square is the finer one
    assert.equal(elevationAt_m(terrain, -7.155, 110.255), 5)
    const alone = terrain.filter((raster) => raster.registration === 'area')
    assert.ok(Math.abs(elevationAt_m(alone, -7.1 - 0.055, 110.2 + 0.105) - (1000 + 10 + 500)) < 0.01)
    assert.ok(Number.isNaN(elevationAt_m(alone, -7.5, 110.3)))
  })
})

test('national tiles: the highest summits are where they stand', { skip: existsSync(national) ? false : `the national terrain is missing: ${national} is not there` }, async () => {
  // two of 18 columns, for the test's speed
  const columns = await Promise.all(['100', '104'].map((column) => readTerrain(join(national, column), { grey: terrainPlus, zoom: 7 })))
  assert.deepEqual(columns.map(({ files }) => files), [8, 8])
  assert.deepEqual(columns.flatMap(({ issues }) => issues), [])
  const terrain = columns.flatMap((column) => column.terrain)
  const summits: [string, number, number, number][] = [['Semeru', -8.108, 112.922, 3676], ['Kerinci', -1.697, 101.264, 3805], ['Arjuno', -7.765, 112.59, 3339]]
  for (const [name, latitude, longitude, height] of summits) {
    let highest = 0
    for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) highest = Math.max(highest, elevationAt_m(terrain, latitude + dy * 0.004, longitude + dx * 0.004))
    // 15 arc seconds flatten a summit
    assert.ok(highest > height - 300 && highest < height + 50, `${name}: ${highest}`)
  }
  assert.equal(elevationAt_m(terrain, -5, 112.6), 0)
})
