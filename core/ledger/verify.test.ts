import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '@kawal/testkit/ed25519.ts'
import { consistencySpans, frontierOf, hashesOf, inclusionSpans, leafHash, nodeHash, rootOf, type HashAt } from './merkle.ts'
import { verifyConsistency, verifyInclusion } from './verify.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/merkle')
const skip = existsSync(suite) ? false : 'SKIPPED: ../shared/suites/merkle is not there'
const cases = <T>(folder: string): T[] => readdirSync(join(suite, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(join(suite, folder, name), 'utf8')) as T)
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))

interface Case { readonly proof: readonly string[] | null; readonly desc: string; readonly wantErr: boolean }

test('inclusion is judged as the vectors want', { skip }, () => {
  const all = cases<Case & { leafIdx: number; treeSize: number; root: string; leafHash: string }>('inclusion')
  assert.equal(all.length, 98)
  assert.equal(all.filter((each) => !each.wantErr).length, 6)
  for (const { leafIdx, treeSize, root, leafHash: leaf, proof, desc, wantErr } of all) {
    const judged = verifyInclusion({ index: leafIdx, size: treeSize, leaf: bytesOf(leaf), root: bytesOf(root) }, (proof ?? []).map(bytesOf), sha256)
    assert.equal(judged.ok, !wantErr, `${desc}: leaf ${leafIdx} of ${treeSize}`)
  }
})

test('consistency is judged as the vectors want', { skip }, () => {
  const all = cases<Case & { size1: number; size2: number; root1: string; root2: string }>('consistency')
  assert.equal(all.length, 98)
  assert.equal(all.filter((each) => !each.wantErr).length, 6)
  for (const { size1, size2, root1, root2, proof, desc, wantErr } of all) {
    const judged = verifyConsistency({ older: size1, size: size2, olderRoot: bytesOf(root1), root: bytesOf(root2) }, (proof ?? []).map(bytesOf), sha256)
    assert.equal(judged.ok, !wantErr, `${desc}: ${size1} of ${size2}`)
  }
})

const leaves = Array.from({ length: 600 }, (_, index) => leafHash(Buffer.from(`entry ${index}`), sha256))
const known = new Map<string, Uint8Array>()
const hashAt: HashAt = (level, index) => {
  const made = known.get(`${level} ${index}`) ?? (level === 0 ? leaves[index] ?? assert.fail() : nodeHash(hashAt(level - 1, 2 * index), hashAt(level - 1, 2 * index + 1), sha256))
  known.set(`${level} ${index}`, made)
  return made
}
const rootAt = (size: number): Uint8Array => rootOf(frontierOf(size, hashAt), sha256)
const leafAt = (index: number): Uint8Array => leaves[index] ?? assert.fail()

/** Every list that differs from this one in one bit. */
function* flipped(hashes: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (const [at, hash] of hashes.entries()) for (let bit = 0; bit < hash.length * 8; bit++)
    yield hashes.with(at, hash.map((byte, place) => (place === Math.floor(bit / 8) ? byte ^ (1 << (bit % 8)) : byte)))
}

/** Every list that is one hash longer, shorter or in another order. */
function* reshaped(hashes: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (const hash of [leafAt(0), leafAt(599), ...hashes.slice(0, 1), ...hashes.slice(-1)]) for (let at = 0; at <= hashes.length; at++) yield hashes.toSpliced(at, 0, hash)
  for (let at = 0; at < hashes.length; at++) {
    yield hashes.toSpliced(at, 1)
    if (at > 0) yield hashes.toSpliced(at - 1, 2, hashes[at] ?? leafAt(0), hashes[at - 1] ?? leafAt(0))
  }
}

const size_any = fc.integer({ min: 1, max: leaves.length })

test('every inclusion proof holds; no bit, leaf, place or hash of it can be another', () => {
  fc.assert(fc.property(size_any, fc.nat(), (size, pick) => {
    const index = pick % size
    const claim = { index, size, leaf: leafAt(index), root: rootAt(size) }
    const proof = hashesOf(inclusionSpans(index, size), hashAt, sha256)
    assert.deepEqual(verifyInclusion(claim, proof, sha256), { ok: true, value: true })
    for (const other of flipped(proof)) assert.deepEqual(verifyInclusion(claim, other, sha256), { ok: false, error: 'root_other' })
    for (const other of reshaped(proof)) assert.ok(!verifyInclusion(claim, other, sha256).ok)
    for (const [leaf] of flipped([claim.leaf])) assert.ok(!verifyInclusion({ ...claim, leaf: leaf ?? claim.leaf }, proof, sha256).ok)
    for (let other = 0; other < size; other++) if (other !== index) {
      assert.ok(!verifyInclusion({ ...claim, index: other }, proof, sha256).ok, `leaf ${index} of ${size} as ${other}`)
      assert.ok(!verifyInclusion({ ...claim, leaf: leafAt(other) }, proof, sha256).ok)
    }
  }), { numRuns: 25 })
})

test('every consistency proof holds; no bit, root, size or hash of it can be another', () => {
  fc.assert(fc.property(size_any, fc.nat(), (size, pick) => {
    const older = 1 + (pick % size)
    const claim = { older, olderRoot: rootAt(older), size, root: rootAt(size) }
    const proof = hashesOf(consistencySpans(older, size), hashAt, sha256)
    assert.deepEqual(verifyConsistency(claim, proof, sha256), { ok: true, value: true })
    for (const other of flipped(proof)) assert.match(JSON.stringify(verifyConsistency(claim, other, sha256)), /root_other/)
    for (const other of reshaped(proof)) assert.ok(!verifyConsistency(claim, other, sha256).ok)
    for (const [root] of flipped([claim.root])) assert.ok(!verifyConsistency({ ...claim, root: root ?? claim.root }, proof, sha256).ok)
    for (const [root] of flipped([claim.olderRoot])) assert.ok(!verifyConsistency({ ...claim, olderRoot: root ?? claim.olderRoot }, proof, sha256).ok)
    for (let other = 1; other < size; other++) if (other !== older) assert.ok(!verifyConsistency({ ...claim, olderRoot: rootAt(other) }, proof, sha256).ok, `${other} as ${older} of ${size}`)
  }), { numRuns: 25 })
})

test('what is malformed is named', () => {
  const inclusion = { index: 2, size: 5, leaf: leafAt(2), root: rootAt(5) }
  const proof = hashesOf(inclusionSpans(2, 5), hashAt, sha256)
  const included = (change: Partial<typeof inclusion>, with_proof = proof): unknown => verifyInclusion({ ...inclusion, ...change }, with_proof, sha256)
  for (const size of [0, -1, 1.5, NaN, 2 ** 53]) assert.deepEqual(included({ size }), { ok: false, error: 'tree_size' }, String(size))
  for (const index of [5, -1, 0.5, NaN, 2 ** 53]) assert.deepEqual(included({ index }), { ok: false, error: 'index_beyond' }, String(index))
  for (const change of [{ leaf: Buffer.of(1) }, { root: Buffer.concat([inclusion.root, Buffer.of(0)]) }]) assert.deepEqual(included(change), { ok: false, error: 'hash_length' })
  assert.deepEqual(included({}, proof.with(1, Buffer.alloc(31))), { ok: false, error: 'hash_length' })
  for (const other of [proof.slice(1), [...proof, leafAt(0)], []]) assert.deepEqual(included({}, other), { ok: false, error: 'proof_length' })
  const consistency = { older: 3, olderRoot: rootAt(3), size: 5, root: rootAt(5) }
  const shown = hashesOf(consistencySpans(3, 5), hashAt, sha256)
  const consistent = (change: Partial<typeof consistency>, with_proof = shown): unknown => verifyConsistency({ ...consistency, ...change }, with_proof, sha256)
  for (const older of [0, -1, 1.5, NaN, 2 ** 53]) assert.deepEqual(consistent({ older }), { ok: false, error: 'tree_size' }, String(older))
  assert.deepEqual(consistent({ older: 6 }), { ok: false, error: 'sizes_reversed' })
  assert.deepEqual(consistent({ olderRoot: Buffer.alloc(33) }), { ok: false, error: 'hash_length' })
  assert.deepEqual(consistent({}, shown.with(0, Buffer.alloc(33))), { ok: false, error: 'hash_length' })
  for (const other of [shown.slice(1), shown.slice(0, -1), shown.slice(0, 1), [...shown, leafAt(0)], []]) assert.deepEqual(consistent({}, other), { ok: false, error: 'proof_length' })
  assert.deepEqual(consistent({ older: 5, olderRoot: rootAt(5) }), { ok: false, error: 'proof_length' })
  assert.deepEqual(consistent({ older: 5, olderRoot: rootAt(4) }, []), { ok: false, error: 'root_other' })
  assert.deepEqual(consistent({ older: 4, olderRoot: rootAt(4) }, []), { ok: false, error: 'proof_length' })
})
