import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { base64Of, joinBytes, readBase64, sameBytes, utf8Of } from './bytes.ts'

test('base64 is what Node writes, and is read back', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const text = base64Of(bytes)
    assert.equal(text, Buffer.from(bytes).toString('base64'))
    assert.deepEqual(readBase64(text), Uint8Array.from(bytes))
  }))
})

test('what Node would let pass is no base64 here', () => {
  for (const text of ['A', 'AA', 'AAA', 'AA=', 'AB==', 'AAB=', '=', '====', 'A===', 'AA==AA==', 'AA-_', 'AAAA\n', ' AAA', 'AAAA====', 'ÄAAA']) assert.equal(readBase64(text), null, text)
  assert.equal(readBase64('')?.length, 0)
  fc.assert(fc.property(fc.base64String({ maxLength: 40 }), (text) => {
    const read = readBase64(text)
    assert.equal(read === null ? null : base64Of(read), Buffer.from(text, 'base64').toString('base64') === text ? text : null)
  }))
})

test('UTF-8 is what Node writes; half a surrogate pair is none', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.deepEqual(utf8Of(text), new Uint8Array(Buffer.from(text)))))
  assert.deepEqual([...utf8Of('%41 — é 🗳')], [...Buffer.from('%41 — é 🗳')])
  assert.throws(() => utf8Of('\ud800'), URIError)
})

test('bytes are joined in order, and the same only where all are', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 5 })), (parts) => assert.deepEqual([...joinBytes(parts)], parts.flatMap((part) => [...part]))))
  assert.ok(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
  for (const other of [Uint8Array.of(1), Uint8Array.of(1, 3), Uint8Array.of(1, 2, 0), Uint8Array.of()]) assert.ok(!sameBytes(Uint8Array.of(1, 2), other))
})
