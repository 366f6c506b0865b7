import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { verifierKey, type KeyAlgorithm, type VerifierKey } from '@kawal/core/ledger/key.ts'
import type { Ed25519Sign, Ed25519Verify } from '@kawal/core/ledger/signature.ts'

/** Node's cryptography in the form that the core's ledger takes it. */
export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** PKCS #8 of RFC 8410, section 7, up to the seed. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const privateKeyOf = (seed: Uint8Array) => createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })

export const publicKeyOf = (seed: Uint8Array): Uint8Array => Buffer.from(createPublicKey(privateKeyOf(seed)).export({ format: 'jwk' }).x ?? '', 'base64url')
export const signerOf = (seed: Uint8Array): Ed25519Sign => (message) => sign(null, message, privateKeyOf(seed))
export const verifyEd25519: Ed25519Verify = (publicKey, message, signature) =>
  verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' }), signature)

/** A key that is the same in each run. @param secret makes the key; by itself the name */
export function noteKey(name: string, algorithm: KeyAlgorithm = 'ed25519', secret = name): { readonly key: VerifierKey; readonly seed: Uint8Array<ArrayBuffer>; readonly signBy: Ed25519Sign } {
  const seed = Uint8Array.from(sha256(Buffer.from(secret)))
  const key = verifierKey(name, algorithm, publicKeyOf(seed), sha256)
  assert.ok(key.ok)
  return { key: key.value, seed, signBy: signerOf(seed) }
}
