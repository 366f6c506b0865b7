import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '@kawal/testkit/ed25519.ts'
import { appendLeaf, consistencySpans, emptyFrontier, frontierOf, hashesOf, inclusionSpans, leafHash, nodeHash, rootOf, spanNodes, type HashAt } from './merkle.ts'
import { verifyConsistency, verifyInclusion } from './verify.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const leafOf = (index: number): Uint8Array => leafHash(Buffer.from(`entry ${index}`), sha256)

/** RFC 6962, section 2.1, word for word: the slow twin. */
const largestPowerBelow = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1)
const mth = (leaves: readonly Uint8Array[]): Uint8Array => {
  if (leaves.length < 2) return leaves[0] ?? sha256(new Uint8Array())
  const k = largestPowerBelow(leaves.length)
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)), sha256)
}
const path = (m: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (leaves.length === 1) return []
  const k = largestPowerBelow(leaves.length)
  return m < k ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k))] : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k))]
}
const subproof = (m: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] => {
  if (m === leaves.length) return whole ? [] : [mth(leaves)]
  const k = largestPowerBelow(leaves.length)
  return m <= k ? [...subproof(m, leaves.slice(0, k), whole), mth(leaves.slice(k))] : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))]
}
const hashAtOf = (leaves: readonly Uint8Array[]): HashAt => (level, index) => {
  assert.ok((index + 1) * 2 ** level <= leaves.length, `subtree ${index} of level ${level} is not complete`)
  return mth(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
}

const suite = join(import.meta.dirname, '../../../shared/suites/tlog/rfc6962-reference-tree.json')
interface Reference { readonly leafInputsHex: readonly string[]; readonly leafHashesHex: readonly string[]; readonly level1Hex: readonly string[]; readonly level2Hex: readonly string[]; readonly level3Hex: readonly string[]; readonly rootHashesBySizeHex: readonly string[] }

test('the reference tree of RFC 6962: leaves, nodes and heads', { skip: existsSync(suite) ? false : 'SKIPPED: ../shared/suites/tlog is not there' }, () => {
  const { leafInputsHex, leafHashesHex, level1Hex, level2Hex, level3Hex, rootHashesBySizeHex } = JSON.parse(readFileSync(suite, 'utf8')) as Reference
  assert.equal(rootHashesBySizeHex.length, 9)
  const leaves = leafInputsHex.map((text) => leafHash(Buffer.from(text, 'hex'), sha256))
  assert.deepEqual(leaves.map(hex), leafHashesHex)
  const hashAt = hashAtOf(leaves)
  for (const [level, expected] of [level1Hex, level2Hex, level3Hex].entries()) {
    assert.ok(expected.length > 0)
    assert.deepEqual(expected.map((_, index) => hex(hashesOf([{ start: index * 2 ** (level + 1), end: (index + 1) * 2 ** (level + 1) }], hashAt, sha256)[0] ?? sha256(Buffer.of()))), expected)
  }
  let frontier = emptyFrontier
  for (const [size, expected] of rootHashesBySizeHex.entries()) {
    assert.equal(hex(rootOf(frontier, sha256)), expected)
    assert.equal(hex(rootOf(frontierOf(size, hashAt), sha256)), expected)
    frontier = appendLeaf(frontier, leaves[size] ?? sha256(Buffer.of()), sha256)
  }
})

test('heads and proofs are the slow twin\'s, at every size to 70', () => {
  let frontier = emptyFrontier
  const leaves: Uint8Array[] = []
  for (let size = 1; size <= 70; size++) {
    leaves.push(leafOf(size - 1))
    frontier = appendLeaf(frontier, leafOf(size - 1), sha256)
    const hashAt = hashAtOf(leaves)
    assert.equal(hex(rootOf(frontier, sha256)), hex(mth(leaves)))
    assert.deepEqual(frontier, frontierOf(size, hashAt))
    for (let index = 0; index < size; index++) assert.deepEqual(hashesOf(inclusionSpans(index, size), hashAt, sha256).map(hex), path(index, leaves).map(hex), `leaf ${index} of ${size}`)
    for (let older = 1; older <= size; older++) assert.deepEqual(hashesOf(consistencySpans(older, size), hashAt, sha256).map(hex), subproof(older, leaves, true).map(hex), `${older} of ${size}`)
  }
})

/** Entries that are all the same but for one, so that trees of any size have hashes at hand. */
const vast = (odd: number): HashAt => {
  const same: Uint8Array[] = [leafOf(0)]
  const onPath = new Map<number, Uint8Array>([[0, leafOf(1)]])
  const sameAt = (level: number): Uint8Array => (same[level] ??= nodeHash(sameAt(level - 1), sameAt(level - 1), sha256))
  const oddAt = (level: number): Uint8Array => {
    const known = onPath.get(level)
    if (known !== undefined) return known
    const [below, beside] = [oddAt(level - 1), sameAt(level - 1)]
    const hash = Math.floor(odd / 2 ** (level - 1)) % 2 === 0 ? nodeHash(below, beside, sha256) : nodeHash(beside, below, sha256)
    onPath.set(level, hash)
    return hash
  }
  return (level, index) => (Math.floor(odd / 2 ** level) === index ? oddAt(level) : sameAt(level))
}

/** Sizes near powers of two beside any, up to 2^53 - 1. */
const size_any = fc.oneof(fc.maxSafeNat(), fc.tuple(fc.integer({ min: 0, max: 53 }), fc.integer({ min: -3, max: 3 })).map(([power, off]) => 2 ** power + off))
  .map((size) => Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, size)))

test('in trees of up to 2^53 - 1 leaves every proof holds, and of another leaf, index, size or root none', () => {
  fc.assert(fc.property(size_any, fc.maxSafeNat(), fc.maxSafeNat(), (size, pick, pick_older) => {
    const [index, older] = [pick % size, 1 + (pick_older % size)]
    const hashAt = vast(index)
    const root = rootOf(frontierOf(size, hashAt), sha256)
    const proof = hashesOf(inclusionSpans(index, size), hashAt, sha256)
    assert.ok(proof.length <= 53)
    assert.deepEqual(verifyInclusion({ index, size, leaf: leafOf(1), root }, proof, sha256), { ok: true, value: true })
    assert.ok(!verifyInclusion({ index, size, leaf: leafOf(0), root }, proof, sha256).ok)
    assert.ok(!verifyInclusion({ index: index === 0 ? 1 : index - 1, size, leaf: leafOf(1), root }, proof, sha256).ok)
    const olderRoot = rootOf(frontierOf(older, hashAt), sha256)
    const consistency = hashesOf(consistencySpans(older, size), hashAt, sha256)
    assert.deepEqual(verifyConsistency({ older, olderRoot, size, root }, consistency, sha256), { ok: true, value: true })
    assert.ok(!verifyConsistency({ older, olderRoot: leafOf(9), size, root }, consistency, sha256).ok)
    assert.ok(!verifyConsistency({ older, olderRoot, size, root: leafOf(9) }, consistency, sha256).ok)
  }), { numRuns: 300 })
})

test('appending goes on from any size, and ends at 2^53 - 1', () => {
  fc.assert(fc.property(size_any, (size) => {
    fc.pre(size < Number.MAX_SAFE_INTEGER)
    const hashAt = vast(size)
    assert.deepEqual(appendLeaf(frontierOf(size, hashAt), leafOf(1), sha256), frontierOf(size + 1, hashAt))
  }))
  assert.throws(() => appendLeaf(frontierOf(Number.MAX_SAFE_INTEGER, vast(0)), leafOf(0), sha256), /full/)
})

test('a span is told in complete subtrees, and there is no proof of what is not there', () => {
  assert.deepEqual(spanNodes({ start: 0, end: 13 }), [{ level: 3, index: 0 }, { level: 2, index: 2 }, { level: 0, index: 12 }])
  assert.deepEqual(spanNodes({ start: 5, end: 5 }), [])
  for (const [index, size] of [[0, 0], [1, 1], [-1, 5], [0.5, 5], [0, 2 ** 53], [NaN, 5], [2 ** 53, 2 ** 53]] as const) assert.throws(() => inclusionSpans(index, size), RangeError, `${index} of ${size}`)
  for (const [older, size] of [[0, 0], [0, 1], [2, 1], [-1, 5], [1.5, 5], [1, 2 ** 53]] as const) assert.throws(() => consistencySpans(older, size), RangeError, `${older} of ${size}`)
  assert.throws(() => frontierOf(-1, vast(0)), RangeError)
})
