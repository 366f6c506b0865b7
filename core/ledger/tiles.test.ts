import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '@kawal/testkit/ed25519.ts'
import { bundleOf, entry_bytes_max, readBundle } from './bundle.ts'
import { emptyEdge, grow, readEdge, type Edge } from './growth.ts'
import { appendLeaf, consistencySpans, emptyFrontier, frontierOf, hashesOf, inclusionSpans, leafHash, nodeHash, rootOf, type Span } from './merkle.ts'
import { edgeOf, hashFromTiles, readTilePath, tileOf, tilePath, tilesOf, type Tile } from './tiles.ts'
import { verifyConsistency, verifyInclusion } from './verify.ts'

const entryOf = (index: number): Uint8Array => Buffer.from(`entry ${index}`.padEnd(8 + (index % 5), '.'))
const entriesOf = (from: number, to: number): Uint8Array[] => Array.from({ length: to - from }, (_, at) => entryOf(from + at))

/** A log's files by their paths, as they are after it grew to each of these sizes. What is written again must be the same. */
function written(sizes: readonly number[], entries: (from: number, to: number) => readonly Uint8Array[] = entriesOf): { files: Map<string, Uint8Array>; edge: Edge } {
  const files = new Map<string, Uint8Array>()
  let edge = emptyEdge
  for (const size of sizes) {
    const grown = grow(edge, entries(edge.size, size), sha256)
    assert.ok(grown.ok)
    for (const { tile, bytes } of grown.value.files) {
      assert.ok(!files.has(tilePath(tile)), `${tilePath(tile)} is written once`)
      files.set(tilePath(tile), bytes)
    }
    edge = grown.value.edge
    assert.equal(edge.size, size)
  }
  return { files, edge }
}
const readerOf = (files: ReadonlyMap<string, Uint8Array>) => (tile: Tile): Uint8Array => files.get(tilePath(tile)) ?? assert.fail(`${tilePath(tile)} is not there`)

test('paths are those of the specification, and are read back', () => {
  const tiles: readonly (readonly [Tile, string])[] = [
    [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'], [{ level: 0, index: 0, width: 256 }, 'tile/0/000'], [{ level: 2, index: 999, width: 1 }, 'tile/2/999.p/1'],
    [{ level: 1, index: 1000, width: 255 }, 'tile/1/x001/000.p/255'], [{ level: 'entries', index: 273, width: 112 }, 'tile/entries/273.p/112'], [{ level: 'entries', index: 1_000_000, width: 256 }, 'tile/entries/x001/x000/000'],
  ]
  for (const [tile, path] of tiles) {
    assert.equal(tilePath(tile), path)
    assert.deepEqual(readTilePath(path), tile)
  }
  fc.assert(fc.property(fc.constantFrom('entries' as const, 0, 1, 6), fc.integer({ min: 0, max: 2 ** 45 - 1 }), fc.integer({ min: 1, max: 256 }), (level, index, width) => assert.deepEqual(readTilePath(tilePath({ level, index, width })), { level, index, width })))
})

test('what is no path of a tile is none', () => {
  for (const path of ['', 'tile/0', 'tile/00/000', 'tile/0/0', 'tile/0/x000/001', 'tile/0/001/000', 'tile/0/x001', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/01', 'tile/0/000.p/', 'tile/0/000/', '/tile/0/000',
    'tile/0/000\n', 'tile/-1/000', 'tile/entry/000', 'tile/0/x999/x999/x999/x999/999', 'tile/0/../000', 'tile/0/000.p/1/2', 'tile/100/000']) assert.equal(readTilePath(path), null, path)
})

test('a tree of 70,000 has the tiles of the specification\'s example; one of 256 a full tile and one hash above it', () => {
  const paths = (size: number): string[] => edgeOf(size).map(tilePath)
  assert.deepEqual(paths(70_000), ['tile/entries/273.p/112', 'tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1'])
  assert.deepEqual(paths(256), ['tile/1/000.p/1'])
  assert.deepEqual(paths(65_536), ['tile/2/000.p/1'])
  assert.deepEqual(paths(0), [])
  assert.deepEqual(tileOf(0, 272, 70_000), { level: 0, index: 272, width: 256 })
  assert.throws(() => tileOf(0, 274, 70_000), RangeError)
  assert.throws(() => tileOf(0, 1, 256), RangeError)
  assert.equal(edgeOf(Number.MAX_SAFE_INTEGER).at(-1)?.level, 6)
  const { files } = written([70_000], (from, to) => Array.from({ length: to - from }, () => Buffer.of(7)))
  assert.deepEqual([...files.keys()].sort(), [...Array.from({ length: 273 }, (_, index) => ['entries', 0].map((level) => `tile/${level}/${String(index).padStart(3, '0')}`)).flat(), 'tile/1/000', ...paths(70_000)].sort())
})

test('each bundle holds its own entries, and hashes to the tile beside it', () => {
  const { files } = written([3, 256, 300, 511, 512, 700])
  const paths = [...files.keys()].filter((path) => path.startsWith('tile/entries/'))
  assert.deepEqual(paths, ['000.p/3', '000', '001.p/44', '001.p/255', '001', '002.p/188'].map((path) => `tile/entries/${path}`))
  for (const path of paths) {
    const { index, width } = readTilePath(path) ?? assert.fail(path)
    const entries = readBundle(files.get(path) ?? assert.fail(path))
    assert.ok(entries.ok, path)
    assert.deepEqual(entries.value.map((entry) => Buffer.from(entry).toString()), entriesOf(index * 256, index * 256 + width).map((entry) => Buffer.from(entry).toString()), path)
    assert.deepEqual(Buffer.concat(entries.value.map((entry) => leafHash(entry, sha256))), Buffer.from(files.get(path.replace('entries', '0')) ?? assert.fail(path)), path)
  }
})

test('however the entries come, the same tree has the same tiles', () => {
  const size = 2 * 256 + 44
  const all = written(Array.from({ length: size }, (_, at) => at + 1)).files
  fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: size - 1 }), { maxLength: 8 }), (cuts) => {
    const { files, edge } = written([...cuts.sort((a, b) => a - b), size])
    for (const [path, bytes] of files) assert.deepEqual(Buffer.from(bytes), Buffer.from(all.get(path) ?? assert.fail(path)), path)
    for (const path of all.keys()) if (!path.includes('.p/')) assert.ok(files.has(path), path)
    for (const cut of [...cuts, size]) for (const tile of edgeOf(cut)) assert.ok(files.has(tilePath(tile)), tilePath(tile))
    assert.deepEqual(readEdge(size, readerOf(files)), edge)
  }), { numRuns: 30 })
})

/** Straight from the definition: hash `i` of tile `n` of a level is the tree head over its 256^level leaves. */
test('a tile is what the specification defines, over three levels', () => {
  const size = 256 * 256 + 256 + 3
  const { files } = written([1, 255, 256, 257, 70, size].sort((a, b) => a - b))
  let frontier = emptyFrontier
  let group = emptyFrontier
  const level1: Uint8Array[] = []
  for (let index = 0; index < size; index++) {
    const leaf = leafHash(entryOf(index), sha256)
    frontier = appendLeaf(frontier, leaf, sha256)
    group = appendLeaf(group, leaf, sha256)
    if (group.size === 256) level1.push(rootOf(group, sha256))
    if (group.size === 256) group = emptyFrontier
    if (index === 999) assert.deepEqual(Buffer.from(files.get('tile/0/003') ?? Buffer.of()).subarray(231 * 32, 232 * 32), Buffer.from(leaf))
  }
  assert.deepEqual(Buffer.concat([files.get('tile/1/000') ?? Buffer.of(), files.get('tile/1/001.p/1') ?? Buffer.of()]), Buffer.concat(level1))
  assert.deepEqual([...files.keys()].filter((path) => path.startsWith('tile/2')), ['tile/2/000.p/1'])
  const pairs = (hashes: readonly Uint8Array[]): Uint8Array => (hashes.length === 1 ? hashes[0] ?? assert.fail() : pairs(hashes.flatMap((hash, at) => (at % 2 === 0 ? [nodeHash(hash, hashes[at + 1] ?? assert.fail(), sha256)] : []))))
  assert.deepEqual(Buffer.from(files.get('tile/2/000.p/1') ?? Buffer.of()), Buffer.from(pairs(level1.slice(0, 256))))
  assert.deepEqual(frontierOf(size, hashFromTiles(size, readerOf(files), sha256)), frontier)
})

test('heads and proofs come from tiles, from those that were named, and from full ones where partial ones are gone', () => {
  const size = 1_234
  const { files } = written([100, 300, 700, size])
  let frontier = emptyFrontier
  const roots = [rootOf(frontier, sha256)]
  for (const entry of entriesOf(0, size)) roots.push(rootOf(frontier = appendLeaf(frontier, leafHash(entry, sha256), sha256), sha256))
  const root = (at: number): Uint8Array => roots[at] ?? assert.fail()
  fc.assert(fc.property(fc.constantFrom(100, 300, 700, size), fc.nat(), fc.nat(), (tree, pick, pick_older) => {
    const [index, older] = [pick % tree, 1 + (pick_older % tree)]
    const proofOf = (spans: readonly Span[]): Uint8Array[] => {
      const named = new Set(tilesOf(spans, tree).map(tilePath))
      const full = (tile: Tile): Uint8Array => files.get(tilePath({ ...tile, width: 256 })) ?? readerOf(files)(tile)
      return hashesOf(spans, hashFromTiles(tree, (tile) => (named.has(tilePath(tile)) ? full(tile) : assert.fail(`${tilePath(tile)} was not named`)), sha256), sha256)
    }
    assert.ok(verifyInclusion({ index, size: tree, leaf: leafHash(entryOf(index), sha256), root: root(tree) }, proofOf(inclusionSpans(index, tree)), sha256).ok)
    assert.ok(verifyConsistency({ older, olderRoot: root(older), size: tree, root: root(tree) }, proofOf(consistencySpans(older, tree)), sha256).ok)
    const edge = new Set(edgeOf(tree).map(tilePath))
    assert.deepEqual(rootOf(frontierOf(tree, hashFromTiles(tree, (tile) => (edge.has(tilePath(tile)) ? readerOf(files)(tile) : assert.fail()), sha256)), sha256), root(tree))
  }))
})

test('hashes that a tree has not, and tiles that are cut, are refused', () => {
  const { files } = written([300])
  const hashAt = hashFromTiles(300, readerOf(files), sha256)
  assert.equal(hashAt(8, 0).length, 32)
  for (const [level, index] of [[0, 300], [8, 1], [9, 0], [2, 75], [16, 0]] as const) assert.throws(() => hashAt(level, index), RangeError, `${level} ${index}`)
  const cut = hashFromTiles(300, (tile) => readerOf(files)(tile).subarray(1), sha256)
  assert.throws(() => cut(0, 299), /tile\/0\/001\.p\/44 has 1407 bytes, not 1408/)
})

test('bundles say each length in two bytes; an entry over 65,535 bytes is refused, and nothing is written', () => {
  const long = new Uint8Array(entry_bytes_max).fill(7)
  const entries = [Buffer.from(''), Buffer.from('a'), long, Buffer.alloc(256)]
  const bundle = bundleOf(entries)
  assert.ok(bundle.ok)
  assert.deepEqual([...bundle.value.subarray(0, 7)], [0, 0, 0, 1, 97, 255, 255])
  const read = readBundle(bundle.value)
  assert.ok(read.ok)
  assert.deepEqual(read.value.map((each) => Buffer.from(each)), entries.map((each) => Buffer.from(each)))
  assert.deepEqual(bundleOf([new Uint8Array(entry_bytes_max + 1)]), { ok: false, error: 'entry_too_long' })
  assert.deepEqual(grow(emptyEdge, [...entriesOf(0, 300), new Uint8Array(entry_bytes_max + 1)], sha256), { ok: false, error: 'entry_too_long' })
  for (const cut of [1, 2, 3, 5, bundle.value.length - 1]) assert.deepEqual(readBundle(bundle.value.subarray(0, cut)), cut === 2 ? { ok: true, value: [new Uint8Array()] } : cut === 5 ? { ok: true, value: [new Uint8Array(), Uint8Array.of(97)] } : { ok: false, error: 'bundle_cut' }, String(cut))
  assert.deepEqual(readBundle(new Uint8Array()), { ok: false, error: 'bundle_width' })
  assert.deepEqual(readBundle(new Uint8Array(2 * 257)), { ok: false, error: 'bundle_width' })
  assert.equal(readBundle(new Uint8Array(2 * 256)).ok, true)
})
