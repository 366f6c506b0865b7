import { fail, ok, type Result } from '../kernel/result.ts'
import { joinBytes, sameBytes } from '../ledger/bytes.ts'
import type { Sha256Sync } from '../ledger/merkle.ts'
import type { Sha256 } from './bytes.ts'
import { readCbor, writeCbor, type Cbor, type CborFault } from './cbor.ts'

/**
 * COSE_Sign1 (RFC 9052, section 4.2), and our profile of it: tag 18, protected header with `alg` and `kid` alone, empty
 * unprotected header, the payload inside, no external data. Signing and verifying are arguments: WebCrypto on a phone,
 * node:crypto on a server.
 */

/** RFC 9053, sections 2.1 and 2.2: ECDSA with P-256 and SHA-256; EdDSA, for us with Ed25519 alone. */
const algorithms = { ES256: -7, EdDSA: -8 } as const
export type Algorithm = keyof typeof algorithms
/** r and s of 32 bytes each behind each other (P1363), or R and S of Ed25519. */
const signature_bytes = 64
/** `typ` (RFC 9596) says what a signed thing is, where it is no record of a recap. */
const header = { alg: 1, crit: 2, kid: 4, typ: 16 } as const
const tag_sign1 = 0xd2
/** More than any signed record has. */
export const signed_bytes_max = 8_192
/** The first bytes of a key's thumbprint. */
const kid_bytes = 8

type Sign1Fault =
  | CborFault
  /** No tag 18, or not `[bytes, map, bytes, bytes]`; a payload that is elsewhere (`nil`) is none. */
  | 'not_sign1'
  /** The protected header is no map, or has no `alg` that is ours. */
  | 'alg_unknown'
  /** The header asks to be understood (`crit`): we understand none of it. */
  | 'critical_unknown'
  /** Not 64 bytes. */
  | 'signature_form'
  /** r or s of ES256 is 0 or not below the order, or s is above half of it: the other of two signatures that mean the same. */
  | 'signature_range'

interface Sign1 {
  readonly algorithm: Algorithm
  /** The protected header as it is signed. */
  readonly protected: Uint8Array
  readonly headers: ReadonlyMap<number | string, Cbor>
  readonly unprotected: ReadonlyMap<number | string, Cbor>
  readonly payload: Uint8Array
  readonly signature: Uint8Array<ArrayBuffer>
}

/** Any COSE_Sign1 in deterministic CBOR that one of our algorithms signed. Whether it is of our profile says `readEnvelope`. */
export function readSign1(bytes: Uint8Array): Result<Sign1, Sign1Fault> {
  if (bytes.length > signed_bytes_max) return fail('too_long')
  if (bytes[0] !== tag_sign1) return fail('not_sign1')
  const read = readCbor(bytes.subarray(1), signed_bytes_max)
  if (!read.ok) return read
  if (!Array.isArray(read.value) || read.value.length !== 4) return fail('not_sign1')
  const [protectedBytes, unprotected, payload, signature] = read.value as readonly Cbor[]
  if (!(protectedBytes instanceof Uint8Array) || !(unprotected instanceof Map) || !(payload instanceof Uint8Array) || !(signature instanceof Uint8Array)) return fail('not_sign1')
  // a header of no bytes is an empty map, and has no alg
  const headers = protectedBytes.length === 0 ? fail('alg_unknown' as const) : readCbor(protectedBytes, signed_bytes_max)
  if (!headers.ok) return headers
  if (!(headers.value instanceof Map)) return fail('alg_unknown')
  const algorithm = (Object.keys(algorithms) as Algorithm[]).find((name) => algorithms[name] === (headers.value as ReadonlyMap<unknown, Cbor>).get(header.alg))
  if (algorithm === undefined) return fail('alg_unknown')
  if (headers.value.has(header.crit)) return fail('critical_unknown')
  if (signature.length !== signature_bytes) return fail('signature_form')
  if (algorithm === 'ES256' && !isInRange(signature)) return fail('signature_range')
  return ok({ algorithm, protected: protectedBytes, headers: headers.value as ReadonlyMap<number | string, Cbor>, unprotected: unprotected as ReadonlyMap<number | string, Cbor>, payload, signature: Uint8Array.from(signature) })
}

export interface Envelope extends Sign1 { readonly kid: Uint8Array }
/** `headers_other`: headers beside `alg`, `kid` and the `typ` that is asked for, another `typ`, or one of them in the unprotected header, where nobody signs it. */
export type EnvelopeFault = Sign1Fault | 'headers_other'

/**
 * A COSE_Sign1 of our profile. Of one payload, key and signature there is exactly one writing.
 * @param typ what it is to be, since the signature covers it; null for a record of a recap, which has none: neither is ever taken for the other
 */
export function readEnvelope(bytes: Uint8Array, typ: string | null = null): Result<Envelope, EnvelopeFault> {
  const read = readSign1(bytes)
  if (!read.ok) return read
  const { headers, unprotected } = read.value
  const kid = headers.get(header.kid)
  const isTyped = typ === null ? headers.size === 2 : headers.size === 3 && headers.get(header.typ) === typ
  return isTyped && unprotected.size === 0 && kid instanceof Uint8Array && kid.length === kid_bytes ? ok({ ...read.value, kid }) : fail('headers_other')
}

/** What is signed (RFC 9052, section 4.4): `["Signature1", protected, external, payload]`, external always empty. */
export function signedBytes({ protected: protectedBytes, payload }: Pick<Sign1, 'protected' | 'payload'>): Uint8Array<ArrayBuffer> {
  return writeCbor(['Signature1', protectedBytes, new Uint8Array(), payload])
}

export interface Signer {
  readonly algorithm: Algorithm
  /** Of `keyId`. */
  readonly kid: Uint8Array
  /** @returns 64 bytes: raw r and s for ES256, as WebCrypto gives them */
  readonly sign: (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>
}

/**
 * Signs once. Of the two signatures that ECDSA allows for each, the one with the lower s is written: else whoever
 * holds a record could make other bytes of it that verify too.
 * @throws {RangeError} where the signer gives no such signature, or the kid is not 8 bytes: a bug
 */
export async function signEnvelope(payload: Uint8Array, { algorithm, kid, sign }: Signer, typ: string | null = null): Promise<Uint8Array<ArrayBuffer>> {
  const protectedBytes = writeCbor(new Map<number, Cbor>([[header.alg, algorithms[algorithm]], [header.kid, kid], ...(typ === null ? [] : [[header.typ, typ] as const])]))
  const made = await sign(signedBytes({ protected: protectedBytes, payload }))
  const signature = algorithm === 'ES256' ? lowered(made) : made
  const bytes = joinBytes([Uint8Array.of(tag_sign1), writeCbor([protectedBytes, new Map(), payload, signature])])
  const read = readEnvelope(bytes, typ)
  if (!read.ok) throw new RangeError(`the signer made no envelope: ${read.error}`)
  return bytes
}

/** A key that somebody enrolled: it signs by one algorithm, whatever a header says. */
export interface VerifyingKey<Key> { readonly algorithm: Algorithm; readonly kid: Uint8Array; readonly key: Key }
export type Verify<Key> = (algorithm: Algorithm, key: Key, message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => Promise<boolean> | boolean

/** @param verify false for a signature that is not the key's; it may throw for a key that it cannot use: a bug */
export async function verifyEnvelope<Key>(envelope: Envelope, { algorithm, kid, key }: VerifyingKey<Key>, verify: Verify<Key>): Promise<Result<null, 'key_other' | 'signature_wrong'>> {
  if (envelope.algorithm !== algorithm || !sameBytes(envelope.kid, kid)) return fail('key_other')
  return (await verify(algorithm, key, signedBytes(envelope), envelope.signature)) ? ok(null) : fail('signature_wrong')
}

/**
 * The first 8 bytes of a key's COSE thumbprint (RFC 9679): SHA-256 over its COSE_Key with the parameters that it needs.
 * @param publicKey as WebCrypto exports it raw: 32 bytes of Ed25519, or 4, x and y (65 bytes) of P-256; anything else is a bug and throws
 */
export async function keyId(algorithm: Algorithm, publicKey: Uint8Array, sha256: Sha256): Promise<Uint8Array> {
  return (await sha256(coseKey(algorithm, publicKey))).slice(0, kid_bytes)
}

/** The same of a key that the log enrolled, at once; its length says its algorithm. */
export const keyIdNow = (publicKey: Uint8Array, sha256: Sha256Sync): Uint8Array => sha256(coseKey(publicKey.length === 32 ? 'EdDSA' : 'ES256', publicKey)).slice(0, kid_bytes)

function coseKey(algorithm: Algorithm, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const [length, first] = algorithm === 'EdDSA' ? [32, publicKey[0]] : [65, 4]
  if (publicKey.length !== length || publicKey[0] !== first) throw new RangeError(`no raw public key of ${algorithm}`)
  return writeCbor(algorithm === 'EdDSA'
    ? new Map<number, Cbor>([[1, 1], [-1, 6], [-2, publicKey]])
    : new Map<number, Cbor>([[1, 2], [-1, 1], [-2, publicKey.subarray(1, 33)], [-3, publicKey.subarray(33)]]))
}

/** The order of P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)

function isInRange(signature: Uint8Array): boolean {
  const [r, s] = [numberOf(signature.subarray(0, 32)), numberOf(signature.subarray(32))]
  return r > 0n && r < order && s > 0n && s <= order >> 1n
}

function lowered(signature: Uint8Array): Uint8Array {
  const s = numberOf(signature.subarray(32))
  if (signature.length !== signature_bytes || s <= order >> 1n || s >= order) return signature
  let rest = order - s
  const low = new Uint8Array(32)
  for (let at = 31; at >= 0; at--, rest >>= 8n) low[at] = Number(rest & 0xffn)
  return joinBytes([signature.subarray(0, 32), low])
}
