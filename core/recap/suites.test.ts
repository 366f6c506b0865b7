import assert from 'node:assert/strict'
import { createPublicKey, webcrypto, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decode } from 'cborg'
import { joinBytes } from '../ledger/bytes.ts'
import { hexOf } from './bytes.ts'
import { writeCbor } from './cbor.ts'
import { readEnvelope, readSign1, signEnvelope, signedBytes, type Algorithm } from './cose.ts'
import { nodeVerify } from '@kawal/testkit/recaps.ts'

const suites = join(import.meta.dirname, '../../../shared/suites')
const skipOf = (folder: string): string | false => (existsSync(join(suites, folder)) ? false : `SKIPPED: ../shared/suites/${folder} is not there`)
const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'))

interface CoseKey { readonly kty: 'EC' | 'OKP'; readonly crv: string; readonly x?: string; readonly y?: string; readonly x_hex?: string }
interface CoseCase {
  readonly fail?: boolean
  readonly input: { readonly sign0?: { readonly key: CoseKey; readonly external?: string } }
  readonly intermediates: { readonly ToBeSign_hex?: string }
  readonly output: { readonly cbor: string }
}

/** What each says of us. `verified` and `signature_wrong`: of our kind, and the signature decides; all else is refused before a key is asked. */
const expected: Readonly<Record<string, readonly [outcome: string, why: string]>> = {
  'RFC8152/Appendix_C_2_1': ['verified', 'ES256'],
  'eddsa-examples/eddsa-sig-01': ['verified', 'Ed25519'],
  'sign1-tests/sign-fail-01': ['not_sign1', 'must fail: tag 998'],
  'sign1-tests/sign-fail-02': ['signature_wrong', 'must fail: another payload'],
  'sign1-tests/sign-fail-03': ['alg_unknown', 'must fail: alg -999'],
  'sign1-tests/sign-fail-04': ['alg_unknown', 'must fail: alg "unknown"'],
  'sign1-tests/sign-fail-06': ['signature_wrong', 'must fail: a protected header added'],
  'sign1-tests/sign-fail-07': ['signature_range', 'must fail: a protected header removed; its s is the higher one too'],
  'sign1-tests/sign-pass-01': ['alg_unknown', 'outside: alg in the unprotected header, where nobody signs it'],
  'sign1-tests/sign-pass-02': ['signature_wrong', 'outside: external data'],
  'sign1-tests/sign-pass-03': ['not_sign1', 'outside: no tag'],
  'eddsa-examples/eddsa-01': ['not_sign1', 'outside: COSE_Sign, tag 98'],
  'eddsa-examples/eddsa-02': ['not_sign1', 'outside: COSE_Sign, tag 98'],
  'eddsa-examples/eddsa-sig-02': ['signature_form', 'outside: Ed448'],
}

const keyOf = ({ kty, crv, x, y, x_hex }: CoseKey): KeyObject =>
  createPublicKey({ key: kty === 'EC' ? { kty, crv, x: x ?? '', y: y ?? '' } : { kty, crv, x: Buffer.from(x_hex ?? '', 'hex').toString('base64url') }, format: 'jwk' })
const readCase = (name: string): CoseCase => JSON.parse(readFileSync(join(suites, 'cose', `${name}.json`), 'utf8')) as CoseCase

function outcomeOf({ input, output }: CoseCase): string {
  const read = readSign1(hex(output.cbor))
  if (!read.ok) return read.error
  assert.ok(input.sign0)
  return nodeVerify(read.value.algorithm, keyOf(input.sign0.key), signedBytes(read.value), read.value.signature) ? 'verified' : 'signature_wrong'
}

test('the examples of the COSE working group: what is of our kind verifies or fails as they say, the rest is refused with its reason', { skip: skipOf('cose') }, () => {
  const names = ['sign1-tests', 'eddsa-examples'].flatMap((folder) => readdirSync(join(suites, 'cose', folder)).map((file) => `${folder}/${file.replace('.json', '')}`))
  assert.deepEqual(['RFC8152/Appendix_C_2_1', ...names].sort(), Object.keys(expected).sort())
  const count = { verified: 0, failed: 0, outside: 0 }
  for (const [name, [outcome, why]] of Object.entries(expected)) {
    const given = readCase(name)
    assert.equal(outcomeOf(given), outcome, `${name}: ${why}`)
    assert.equal(given.fail === true, why.startsWith('must fail'))
    count[outcome === 'verified' ? 'verified' : given.fail === true ? 'failed' : 'outside']++
    // all of them name the key in the unprotected header: none is of our profile
    const profile = readEnvelope(hex(given.output.cbor))
    assert.equal(profile.ok ? 'taken' : profile.error, ['verified', 'signature_wrong'].includes(outcome) ? 'headers_other' : outcome, name)
  }
  assert.deepEqual(count, { verified: 2, failed: 6, outside: 6 })
})

test('what is signed has the bytes that the working group gives, also of what the profile does not take', { skip: skipOf('cose') }, () => {
  let same = 0
  for (const name of Object.keys(expected)) {
    const { fail, input, intermediates, output } = readCase(name)
    if (fail === true || input.sign0 === undefined) continue
    const bytes = hex(output.cbor)
    const [protectedBytes, , payload] = decode(bytes[0] === 0xd2 ? bytes.subarray(1) : bytes, { useMaps: true }) as [Uint8Array, unknown, Uint8Array]
    // the empty header is signed as no bytes (RFC 9052, section 4.4), and external data behind the header
    const ours = hexOf(signedBytes({ protected: hexOf(protectedBytes) === 'a0' ? new Uint8Array() : protectedBytes, payload }))
    const theirs = (intermediates.ToBeSign_hex ?? '').toLowerCase()
    if (input.sign0.external === undefined) {
      assert.equal(ours, theirs, name)
      same++
    } else {
      assert.notEqual(ours, theirs, name)
      const [key, signature] = [keyOf(input.sign0.key), bytes.subarray(-64)]
      assert.deepEqual([nodeVerify('ES256', key, hex(theirs), signature), nodeVerify('ES256', key, hex(ours), signature)], [true, false], 'it verifies with its external data, and not with none')
    }
  }
  assert.equal(same, 5)
  // the example without a tag, given one, is the one of RFC 8152
  assert.equal(`d2${readCase('sign1-tests/sign-pass-03').output.cbor}`.toLowerCase(), readCase('RFC8152/Appendix_C_2_1').output.cbor.toLowerCase())
})

interface Vector { readonly tcId: number; readonly comment: string; readonly msg: string; readonly sig: string; readonly result: 'valid' | 'invalid' }
interface Group { readonly publicKeyDer: string; readonly tests: readonly Vector[] }

const payload = new Uint8Array(1)
const envelopes = {
  EdDSA: await signEnvelope(payload, { algorithm: 'EdDSA', kid: new Uint8Array(8), sign: () => Promise.resolve(new Uint8Array(64)) }),
  ES256: await signEnvelope(payload, { algorithm: 'ES256', kid: new Uint8Array(8), sign: () => Promise.resolve(new Uint8Array(64).fill(1)) }),
}
/** What our reader says of a signature, whatever it signs: `taken`, or why not. */
function judge(algorithm: Algorithm, signature: Uint8Array): string {
  const read = readEnvelope(joinBytes([envelopes[algorithm].subarray(0, -66), writeCbor(signature)]))
  return read.ok ? 'taken' : read.error
}

/** Both platforms as arguments: node:crypto on servers, WebCrypto in browsers. */
async function platforms(algorithm: Algorithm, der: string): Promise<((message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => Promise<boolean>)[]> {
  const key = createPublicKey({ key: Buffer.from(der, 'hex'), format: 'der', type: 'spki' })
  const name = algorithm === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const webKey = await webcrypto.subtle.importKey('spki', hex(der), name, false, ['verify'])
  return [(message, signature) => Promise.resolve(nodeVerify(algorithm, key, message, signature) === true), (message, signature) => webcrypto.subtle.verify(name, webKey, signature, message)]
}

async function hold(algorithm: Algorithm, file: string): Promise<Record<string, number>> {
  const { testGroups } = JSON.parse(readFileSync(join(suites, 'wycheproof', file), 'utf8')) as { testGroups: readonly Group[] }
  const count: Record<string, number> = {}
  for (const { publicKeyDer, tests } of testGroups) {
    const verifiers = await platforms(algorithm, publicKeyDer)
    for (const { tcId, msg, sig, result } of tests) {
      const ours = judge(algorithm, hex(sig))
      for (const verify of verifiers) {
        const theirs = await verify(hex(msg), hex(sig))
        assert.equal(theirs, result === 'valid', `the platform's answer to ${tcId}`)
        assert.ok(result === 'valid' || !(ours === 'taken' && theirs), `${tcId} is refused`)
      }
      // written by us it would have had the lower s, and that is taken
      if (result === 'valid' && ours === 'signature_range') {
        const lower = (await signEnvelope(payload, { algorithm, kid: new Uint8Array(8), sign: () => Promise.resolve(hex(sig)) })).slice(-64)
        for (const verify of verifiers) assert.ok(await verify(hex(msg), lower), `${tcId} with the lower s`)
      }
      const row = `${result}, ${ours === 'taken' ? "the platform's answer" : `ours: ${ours}`}`
      count[row] = (count[row] ?? 0) + 1
    }
  }
  return count
}

test('Wycheproof, Ed25519: the length is our answer, the rest the platform\'s', { skip: skipOf('wycheproof') }, async () => {
  assert.deepEqual(await hold('EdDSA', 'ed25519_test.json'), { "valid, the platform's answer": 88, "invalid, the platform's answer": 51, 'invalid, ours: signature_form': 12 })
})

test('Wycheproof, ECDSA with P-256: length and range are our answer; a valid signature with the higher s is none of ours', { skip: skipOf('wycheproof') }, async () => {
  assert.deepEqual(await hold('ES256', 'ecdsa_secp256r1_sha256_p1363_test.json'), {
    "valid, the platform's answer": 103, 'valid, ours: signature_range': 70, "invalid, the platform's answer": 9, 'invalid, ours: signature_range': 59, 'invalid, ours: signature_form': 21,
  })
})
