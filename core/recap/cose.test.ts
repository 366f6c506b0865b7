import assert from 'node:assert/strict'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { joinBytes } from '../ledger/bytes.ts'
import { hexOf } from './bytes.ts'
import { writeCbor, type Cbor } from './cbor.ts'
import { keyId, readEnvelope, signedBytes, signEnvelope, verifyEnvelope, type Algorithm, type Signer } from './cose.ts'
import { readSignedRecap, signRecap } from './envelope.ts'
import { writeRecap } from './record.ts'
import { nodeVerify, presidential, recaps, sha256, signAlike, testKey } from '@kawal/testkit/recaps.ts'

const algorithms = ['EdDSA', 'ES256'] as const
const keys = { EdDSA: await testKey('EdDSA'), ES256: await testKey('ES256') }
const payload = writeRecap(presidential)
const made = { EdDSA: await signEnvelope(payload, keys.EdDSA.signer), ES256: await signEnvelope(payload, keys.ES256.signer) }
const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'))
const protectedOf = (alg: Cbor, kid: Cbor): Uint8Array => writeCbor(new Map([[1, alg], [4, kid]]))
const joined = (...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> => joinBytes(parts.map((part) => Uint8Array.from(part)))
const sign1 = (parts: readonly Cbor[]): Uint8Array<ArrayBuffer> => joined([0xd2], writeCbor(parts))
const faultOf = (bytes: Uint8Array): string => {
  const read = readEnvelope(bytes)
  return read.ok ? 'taken' : read.error
}

test('what a key signed is verified by that key alone, in both algorithms', async () => {
  for (const algorithm of algorithms) {
    const read = readEnvelope(made[algorithm])
    assert.ok(read.ok)
    assert.equal(hexOf(read.value.payload), hexOf(payload))
    assert.deepEqual(await verifyEnvelope(read.value, keys[algorithm].verifying, nodeVerify), { ok: true, value: null })
    const { privateKey, publicKey } = algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
    assert.ok(privateKey)
    assert.deepEqual(await verifyEnvelope(read.value, { ...keys[algorithm].verifying, key: publicKey }, nodeVerify), { ok: false, error: 'signature_wrong' })
    assert.deepEqual(await verifyEnvelope(read.value, { ...keys[algorithm].verifying, kid: new Uint8Array(8) }, nodeVerify), { ok: false, error: 'key_other' })
  }
})

test('the algorithm is the key\'s, whatever a header says: the verifier is not even asked', async () => {
  const read = readEnvelope(made.EdDSA)
  assert.ok(read.ok)
  let asked = 0
  assert.deepEqual(await verifyEnvelope(read.value, { ...keys.EdDSA.verifying, algorithm: 'ES256' }, () => ++asked > 0), { ok: false, error: 'key_other' })
  assert.equal(asked, 0)
})

test('one byte of a signed record changed, added or taken away: it is not read, or its signature is wrong', async () => {
  for (const algorithm of algorithms) {
    const good = made[algorithm]
    let verified = 0
    const damaged = Array.from(good, (byte, at) => [1, 0x20, 0x80, 0xff].map((mask) => Uint8Array.from(good, (each, place) => (place === at ? byte ^ mask : each)))).flat()
    const lengths = [good.subarray(0, -1), joined(good, [0]), good.subarray(1), joined([0xd2], good)]
    for (const bytes of [...damaged, ...lengths]) {
      const read = readEnvelope(bytes)
      if (!read.ok) continue
      verified++
      const kept = { ...keys[algorithm].verifying, kid: read.value.kid, algorithm: read.value.algorithm }
      const outcome = await verifyEnvelope(read.value, kept, (_, key, message, signature) => nodeVerify(algorithm, key, message, signature))
      assert.deepEqual(outcome, { ok: false, error: 'signature_wrong' }, hexOf(bytes))
    }
    assert.ok(verified > good.length, `${verified} were asked of the verifier`)
  }
})

test('an envelope outside the profile is refused, and says why', () => {
  const kid = new Uint8Array(8)
  const signature = new Uint8Array(64).fill(1)
  const good = [protectedOf(-8, kid), new Map(), payload, signature] as const
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [sign1(good), 'taken'], [sign1(good).subarray(1), 'not_sign1'], [joined([0xd8, 98], sign1(good).subarray(1)), 'not_sign1'], [joined([0xd8, 18], sign1(good).subarray(1)), 'not_sign1'], [sign1([...good, 0]), 'not_sign1'],
    [sign1([good[0], good[1], null, good[3]]), 'not_sign1'], [sign1([new Map(), good[1], good[2], good[3]]), 'not_sign1'], [sign1([writeCbor(1), ...good.slice(1)]), 'alg_unknown'],
    [sign1([new Uint8Array(), ...good.slice(1)]), 'alg_unknown'], [sign1([writeCbor(new Map([[4, kid]])), ...good.slice(1)]), 'alg_unknown'], [sign1([protectedOf(-7, kid), ...good.slice(1)]), 'taken'],
    [sign1([protectedOf(-257, kid), ...good.slice(1)]), 'alg_unknown'], [sign1([protectedOf('EdDSA', kid), ...good.slice(1)]), 'alg_unknown'], [sign1([writeCbor(new Map<number, Cbor>([[1, -8], [2, [4]], [4, kid]])), ...good.slice(1)]), 'critical_unknown'],
    [sign1([writeCbor(new Map<number, Cbor>([[1, -8], [3, 0], [4, kid]])), ...good.slice(1)]), 'headers_other'], [sign1([protectedOf(-8, new Uint8Array(9)), ...good.slice(1)]), 'headers_other'], [sign1([protectedOf(-8, 'x'), ...good.slice(1)]), 'headers_other'],
    [sign1([good[0], new Map([[4, kid]]), good[2], good[3]]), 'headers_other'], [sign1([hex('a2012604480000'), ...good.slice(1)]), 'not_cbor'],
    [sign1([hex('a2044800000000000000000127'), ...good.slice(1)]), 'not_deterministic'], [sign1([hex('a201380704480000000000000000'), ...good.slice(1)]), 'not_deterministic'],
    [sign1([...good.slice(0, 3), signature.subarray(1)]), 'signature_form'], [joined(sign1(good), [0]), 'not_cbor'], [joined([0xd2, 0x98, 4], sign1(good).subarray(2)), 'not_deterministic'], [new Uint8Array(8_193).fill(0xd2), 'too_long'],
  ]
  for (const [bytes, fault] of cases) assert.equal(faultOf(bytes), fault, hexOf(bytes).slice(0, 60))
})

test('no bytes make the reader throw', () => {
  const start = [...made.EdDSA.subarray(0, 20)]
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void [readSignedRecap(bytes), readSignedRecap(joined([0xd2, 0x84], bytes)), readSignedRecap(joined(start, bytes))]), { numRuns: 2_000, seed: 20290214 })
})

test('any record is signed, read and verified, and its bytes are one writing', async () => {
  await fc.assert(fc.asyncProperty(recaps, fc.constantFrom(...algorithms), async (recap, algorithm) => {
    const read = readSignedRecap(await signRecap(recap, keys[algorithm].signer))
    assert.ok(read.ok)
    assert.deepEqual(read.value.recap, recap)
    assert.ok((await verifyEnvelope(read.value.envelope, keys[algorithm].verifying, nodeVerify)).ok)
  }), { numRuns: 60, seed: 20290214 })
})

test('of the two signatures that ECDSA has for each, the lower is written and the other refused', async () => {
  // RFC 6979, appendix A.2.5: SHA-256 of "sample", whose s is the higher
  const r = 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716'
  assert.equal(hexOf(signAlike(Buffer.from('sample'))), `${r}f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8`)
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  let high = 0
  for (let at = 0; at < 20; at++) {
    const bytes = await signEnvelope(payload.subarray(0, payload.length - at), keys.ES256.signer)
    const read = readEnvelope(bytes)
    assert.ok(read.ok)
    assert.ok((await verifyEnvelope(read.value, keys.ES256.verifying, nodeVerify)).ok)
    if (hexOf(signAlike(signedBytes(read.value))) !== hexOf(read.value.signature)) high++
    const other = (order - BigInt(`0x${hexOf(read.value.signature.subarray(32))}`)).toString(16).padStart(64, '0')
    const forged = joined(bytes.subarray(0, -32), hex(other))
    assert.ok(nodeVerify('ES256', keys.ES256.verifying.key, signedBytes(read.value), forged.slice(-64)), 'the platform takes both')
    assert.equal(faultOf(forged), 'signature_range')
  }
  assert.ok(high > 3, `${high} of 20 were the higher one`)
})

test('a key is known by the thumbprint of its COSE_Key', async () => {
  // RFC 9679, section 6
  const raw = hex('0465eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c')
  assert.equal(hexOf(await keyId('ES256', raw, sha256)), '496bd8afadf307e5')
  for (const algorithm of algorithms) assert.equal(hexOf(await keyId(algorithm, keys[algorithm].raw, sha256)), hexOf(keys[algorithm].signer.kid))
  for (const [algorithm, bytes] of [['EdDSA', raw], ['ES256', raw.subarray(1)], ['ES256', joined([2], raw.subarray(1))]] as const) await assert.rejects(keyId(algorithm, bytes, sha256), RangeError)
})

test('WebCrypto signs and verifies as its argument, with keys that cannot be taken out', async () => {
  for (const algorithm of algorithms) {
    const name = algorithm === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const pair = await webcrypto.subtle.generateKey(name, false, ['sign', 'verify']) as webcrypto.CryptoKeyPair
    const kid = await keyId(algorithm, new Uint8Array(await webcrypto.subtle.exportKey('raw', pair.publicKey)), async (bytes) => new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes)))
    const signer: Signer = { algorithm, kid, sign: async (message) => new Uint8Array(await webcrypto.subtle.sign(name, pair.privateKey, message)) }
    const read = readSignedRecap(await signRecap(presidential, signer))
    assert.ok(read.ok)
    const check = (_: Algorithm, key: webcrypto.CryptoKey, message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean> => webcrypto.subtle.verify(name, key, signature, message)
    assert.ok((await verifyEnvelope(read.value.envelope, { algorithm, kid, key: pair.publicKey }, check)).ok)
  }
})

test('a signer that gives no signature is a bug', async () => {
  for (const length of [0, 63, 65, 70]) for (const algorithm of algorithms) await assert.rejects(signEnvelope(payload, { algorithm, kid: new Uint8Array(8), sign: () => Promise.resolve(new Uint8Array(length)) }), RangeError)
  await assert.rejects(signEnvelope(payload, { ...keys.EdDSA.signer, kid: new Uint8Array(7) }), RangeError)
})
