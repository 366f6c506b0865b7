import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'
import type { Sha256Sync } from '@kawal/core/ledger/merkle.ts'
import type { Ed25519Verify } from '@kawal/core/ledger/signature.ts'

/** Node's cryptography in the form that the core's ledger takes it. */

/** A view of Node's own memory is cut loose: a hash that is kept shall not keep 8 KB of others. */
export const sha256: Sha256Sync = (bytes) => Uint8Array.from(hash('sha256', bytes, 'buffer'))

/** PKCS #8 of RFC 8410, section 7, up to the seed. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** @param seed 32 bytes, the private key of RFC 8032 */
const privateKeyOf = (seed: Uint8Array): KeyObject => createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })

export const publicKeyOf = (seed: Uint8Array): Uint8Array => Buffer.from(createPublicKey(privateKeyOf(seed)).export({ format: 'jwk' }).x ?? '', 'base64url')

export const signerOf = (seed: Uint8Array): (message: Uint8Array) => Uint8Array => {
  const key = privateKeyOf(seed)
  return (message) => sign(null, message, key)
}

export const verifyEd25519: Ed25519Verify = (publicKey, message, signature) => {
  try {
    return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' }), signature)
  } catch {
    return false
  }
}
