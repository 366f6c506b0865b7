import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { seeded, type Random } from '@kawal/core/kernel/random.ts'
import { applyPack, canonicalJson, joinPackFile, makePatch, mergePatch, packVersion, splitPackFile } from './pack.ts'
import type { Pack, PackDelta } from './sigmon.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

test("RFC 7396: its own examples, appendix A and section 3", () => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }], [{ a: 'b' }, { a: null }, {}], [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }], [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }], [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }], [['a', 'b'], ['c', 'd'], ['c', 'd']], [{ a: 'b' }, ['c'], ['c']], [{ a: 'foo' }, null, null], [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: 'b', c: null }, { a: 'b' }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ title: 'Goodbye!', author: { givenName: 'John', familyName: 'Doe' }, tags: ['example', 'sample'], content: 'This will be unchanged' },
      { title: 'Hello!', phoneNumber: '+01-123-456-7890', author: { familyName: null }, tags: ['example'] },
      { title: 'Hello!', author: { givenName: 'John' }, tags: ['example'], content: 'This will be unchanged', phoneNumber: '+01-123-456-7890' }],
  ]
  for (const [target, patch, result] of examples) {
    const before = canonicalJson(target)
    assert.deepEqual(mergePatch(target, patch), result)
    assert.equal(canonicalJson(target), before, 'the target is left as it was')
  }
})

/** Documents with few names, so that two of them meet; nulls within arrays, as rows have them. */
function arbitrary(random: Random, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 6 : 4))
  if (kind === 0) return Math.floor(random() * 3)
  if (kind === 1) return 'xyz'[Math.floor(random() * 3)]
  if (kind === 2) return random() < 0.5
  if (kind === 3 || kind === 4) return Array.from({ length: Math.floor(random() * 3) }, () => (random() < 0.3 ? null : arbitrary(random, depth - 1)))
  return object(random, depth - 1)
}
function object(random: Random, depth: number): object {
  return JSON.parse(`{${['a', 'b', 'c', '__proto__', 'constructor'].filter(() => random() < 0.5).map((name) => `"${name}":${JSON.stringify(arbitrary(random, depth))}`).join(',')}}`) as object
}

test('the patch from one document to another makes the other, and no change is an empty one', () => {
  const random = seeded(11)
  for (let round = 0; round < 3_000; round++) {
    const [from, to] = [object(random, 3), object(random, 3)]
    const patch = makePatch(from, to)
    assert.equal(canonicalJson(mergePatch(from, JSON.parse(JSON.stringify(patch)))), canonicalJson(to))
    assert.deepEqual(makePatch(to, JSON.parse(JSON.stringify(to))), {})
  }
})

test('what a merge patch cannot say is not said: a member that becomes null', () => {
  assert.equal(makePatch({ a: 1 }, { a: null }), null)
  assert.equal(makePatch({}, { a: { b: null } }), null)
  assert.deepEqual(makePatch({ a: null, b: 1 }, { a: null, b: 2 }), { b: 2 })
  assert.deepEqual(makePatch({ a: null }, { a: 5 }), { a: 5 })
})

test('canonical JSON: RFC 8785, section 3.2', () => {
  const value = JSON.parse('{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}') as unknown
  assert.equal(canonicalJson(value), '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}')
})

const pack = (change: Partial<Pack> = {}): Pack => ({
  district: '750101', madeAt: '2029-02-01T00:00:00.000Z',
  head: { name: 'Paguyaman', regency: 'Boalemo', province: 'Gorontalo', zone: 'Asia/Makassar', edition: null, editionOn: null, plan: 1, operators: [['telkomsel', 'Telkomsel']], helpLines: [], forms: [] },
  villages: { 2001: ['Mustika', 60_000, 12_290_000] },
  stations: { 2001001: [60_000, 12_290_000, 'fix', 'a', 'k', 0, null, 'a1b2c3', null, null, null, null, null, null, 'd4e5f6'] },
  access: {}, ...change,
})

test('a delta leads to the version it names, from the version it names; anything else is refused', async () => {
  const from = pack()
  const to = pack({ madeAt: '2029-02-02T00:00:00.000Z', stations: { ...from.stations, 2001002: [null, null, null, 'e', 't', null, null, '00ff00', 'AI-1', 0, 15, null, null, null, 'ff0000'] }, access: { 'AI-1': ['ai', 'Balai', 60_100, 12_290_100, true, null, 'kunci di Pak RT', null] } })
  const delta: PackDelta = { district: '750101', from: await packVersion(from, sha256), to: await packVersion(to, sha256), madeAt: to.madeAt, patch: makePatch({ ...from, madeAt: undefined }, { ...to, madeAt: undefined }) }
  assert.deepEqual(await applyPack(from, JSON.parse(JSON.stringify(delta)) as PackDelta, sha256), { ok: true, value: to })
  assert.equal(await packVersion(pack({ madeAt: '2030-01-01T00:00:00.000Z' }), sha256), delta.from, 'when it was made is no part of its version')
  assert.deepEqual(await applyPack(to, delta, sha256), { ok: false, error: 'pack_other' })
  assert.deepEqual(await applyPack(from, { ...delta, patch: { access: null } }, sha256), { ok: false, error: 'pack_wrong' })
})

test('a file is taken apart as it was put together; what is no file is told', () => {
  const file = { kind: 'delta', kid: '0123456789abcdef', signature: new Uint8Array(64).fill(7), body: Uint8Array.of(31, 139, 1) } as const
  const bytes = joinPackFile(file)
  assert.equal(Buffer.from(bytes.subarray(0, 20)).toString('latin1'), 'KSD10123456789abcdef')
  assert.deepEqual(splitPackFile(bytes), file)
  for (const other of [new Uint8Array(0), bytes.subarray(0, 84), Uint8Array.from(Buffer.from('<!doctype html>'.repeat(20)))]) assert.equal(splitPackFile(other), null)
  assert.throws(() => joinPackFile({ ...file, kid: 'short' }), RangeError)
})
