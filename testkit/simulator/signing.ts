import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { Ed25519Verify } from '@kawal/core/ledger/signature.ts'

/** Keys of a run, as Node has them: they are few, and asked for often. */
const keys = new Map<string, KeyObject>()
const keys_max = 2_000

function keyOf(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url')
  const known = keys.get(x)
  if (known !== undefined) return known
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  if (keys.size >= keys_max) keys.clear()
  keys.set(x, key)
  return key
}

/** Ed25519 of Node as server/src/ledger/cryptography.ts has it. */
export const verifyEd25519: Ed25519Verify = (publicKey, message, signature) => {
  try {
    return verify(null, message, keyOf(publicKey), signature)
  } catch {
    return false
  }
}
