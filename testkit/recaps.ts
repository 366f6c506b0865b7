import { createECDH, createHash, createHmac, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { keyId, type Algorithm, type Signer, type Verify, type VerifyingKey } from '@kawal/core/recap/cose.ts'
import { contests, formOf, isOfParties, type Ballot, type Contest, type Form } from '@kawal/core/recap/form.ts'
import type { Cbor } from '@kawal/core/recap/cbor.ts'
import type { Recap } from '@kawal/core/recap/record.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest())

/** A key for tests: everybody knows its private half. */
interface TestKey { readonly raw: Uint8Array; readonly signer: Signer; readonly verifying: VerifyingKey<KeyObject> }

export const nodeVerify: Verify<KeyObject> = (algorithm, key, message, signature) => verify(algorithm === 'EdDSA' ? null : 'sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)

/** RFC 8032, section 7.1, test 1. */
const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
/** RFC 6979, appendix A.2.5. */
const scalar = Buffer.from('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721', 'hex')

export async function testKey(algorithm: Algorithm): Promise<TestKey> {
  const key = algorithm === 'EdDSA' ? edKey() : ecKey()
  const kid = await keyId(algorithm, key.raw, sha256)
  return { raw: key.raw, signer: { algorithm, kid, sign: (message) => Promise.resolve(key.sign(message)) }, verifying: { algorithm, kid, key: key.publicKey } }
}

interface Key { readonly raw: Uint8Array; readonly publicKey: KeyObject; readonly sign: (message: Uint8Array) => Uint8Array }

function edKey(): Key {
  // PKCS #8 of an Ed25519 seed (RFC 8410)
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  return { raw: Uint8Array.from(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')), publicKey, sign: (message) => sign(null, message, privateKey) }
}

function ecKey(): Key {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(scalar)
  const raw = Uint8Array.from(ecdh.getPublicKey())
  const part = (from: number): string => Buffer.from(raw.subarray(from, from + 32)).toString('base64url')
  return { raw, publicKey: createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: part(1), y: part(33) }, format: 'jwk' }), sign: signAlike }
}

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')

/** ECDSA with P-256 and SHA-256 that signs the same each time (RFC 6979): published vectors can be made again. For tests alone. */
export function signAlike(message: Uint8Array): Uint8Array {
  const hash = numberOf(sha256(message))
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => createHmac('sha256', key).update(Buffer.concat(parts)).digest()
  const given = [scalar, bytesOf(hash % order)]
  let [k, v]: [Uint8Array, Uint8Array] = [new Uint8Array(32), new Uint8Array(32).fill(1)]
  for (const round of [0, 1]) {
    k = hmac(k, v, Buffer.from([round]), ...given)
    v = hmac(k, v)
  }
  v = hmac(k, v)
  const nonce = numberOf(v)
  if (nonce === 0n || nonce >= order) throw new Error('one message in 2^32 needs another round')
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(v)
  const r = numberOf(ecdh.getPublicKey().subarray(1, 33)) % order
  return Buffer.concat([bytesOf(r), bytesOf((inverse(nonce) * (hash + r * numberOf(scalar))) % order)])
}

/** By Fermat: nonce^(order - 2). */
function inverse(number: bigint): bigint {
  let [result, base, exponent] = [1n, number, order - 2n]
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % order) if (exponent & 1n) result = (result * base) % order
  return result
}

export const pairs: Ballot = { kind: 'candidates', candidates: 3 }
const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text))

export function mustForm(contest: Contest, ballot: Ballot): Form {
  const form = formOf(contest, ballot)
  if (!form.ok) throw new Error(form.error)
  return form.value
}

/** A form on which every check holds. */
export const soundTotals: readonly number[] = [127, 145, 272, 104, 119, 223, 3, 2, 5, 4, 6, 10, 111, 127, 238, 278, 238, 2, 38, 1, 2, 3, 128, 71, 33, 232, 6, 238]

/** A presidential record with everything that an ordinary one has. */
export const presidential: Recap = {
  station: '7571011001003', contest: 'ppwp', form: 1, ballot: pairs, ceiling: 300, totals: soundTotals, warned: [], photos: hashOf('photos'), madeAt: Date.UTC(2029, 1, 14, 9, 30),
  clockOffset_ms: -1_250, sequence: 2, previous: hashOf('previous'), replaces: null, build: hashOf('build'), place: { latitude: 0.53712, longitude: 123.05981, accuracy_m: 14 }, later: new Map(),
}

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const ballots: Record<'candidates' | 'parties', fc.Arbitrary<Ballot>> = {
  candidates: fc.record({ kind: fc.constant('candidates' as const), candidates: fc.integer({ min: 1, max: 60 }) }, { noNullPrototype: true }),
  parties: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 24 }).chain((numbers) => fc.array(fc.integer({ min: 0, max: 12 }), { minLength: numbers.length, maxLength: numbers.length })
    .map((candidates) => ({ kind: 'parties' as const, parties: [...numbers].sort((a, b) => a - b).map((number, at) => ({ number, candidates: candidates[at] ?? 0 })) }))),
}
export const ballotOf = (contest: Contest): fc.Arbitrary<Ballot> => ballots[isOfParties(contest) ? 'parties' : 'candidates']
const places = fc.uniqueArray(fc.nat(400), { maxLength: 30 }).map((numbers) => numbers.sort((a, b) => a - b))
const values: fc.Arbitrary<Cbor> = fc.oneof(fc.maxSafeInteger(), fc.string(), fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 40 }), fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 5 }),
  fc.array(fc.tuple(fc.oneof(fc.integer(), fc.string()), fc.integer()), { maxLength: 4 }).map((entries) => new Map(entries)))
const later = fc.uniqueArray(fc.tuple(fc.integer({ min: 16, max: 70_000 }), values), { maxLength: 5, selector: ([key]) => key }).map((entries) => new Map(entries))

/** Any record within the bounds, of any contest, with and without what may be left out. */
export const recaps: fc.Arbitrary<Recap> = fc.constantFrom(...contests).chain((contest) => fc.record({
  station: fc.tuple(fc.stringMatching(/^[0-9]{10}$/), fc.integer({ min: 1, max: 999 })).map(([village, number]) => village + String(number).padStart(3, '0')),
  contest: fc.constant(contest), form: fc.integer({ min: 1, max: 255 }), ballot: ballotOf(contest), ceiling: fc.integer({ min: 1, max: 100_000 }),
  totals: fc.array(fc.option(fc.integer({ min: 0, max: 999_999 })), { maxLength: 400 }), warned: places, photos: hash, madeAt: fc.integer({ min: 0, max: 253_402_300_799_999 }),
  clockOffset_ms: fc.option(fc.integer({ min: -3_155_760_000_000, max: 3_155_760_000_000 })), sequence: fc.integer({ min: 2, max: 2_147_483_647 }), previous: hash, replaces: fc.option(hash),
  build: hash, place: fc.option(fc.record({
    latitude: fc.integer({ min: -9_000_000, max: 9_000_000 }).map((step) => step / 100_000), longitude: fc.integer({ min: -18_000_000, max: 18_000_000 }).map((step) => step / 100_000), accuracy_m: fc.nat(1_000_000),
  }, { noNullPrototype: true })), later,
}, { noNullPrototype: true }))
  .chain((recap) => fc.boolean().map((isFirst) => (isFirst ? { ...recap, sequence: 1, previous: null } : recap)))
