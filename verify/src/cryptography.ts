import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Ed25519Verify } from '@kawal/core/ledger/signature.ts'
import type { Verify } from '@kawal/core/recap/cose.ts'

/**
 * A library's, never the browser's: one of 2021 has no Ed25519, and a page from a file may have no cryptography at all.
 * One path for every browser is one path to look at.
 */
export { sha256 }

/** RFC 8032 to the letter, as the server verifies. */
export const verifyEd25519: Ed25519Verify = (publicKey, message, signature) => orFalse(() => ed25519.verify(signature, message, publicKey, { zip215: false }))

/** By the raw public key: 32 bytes of Ed25519, or 65 of P-256. */
export const verifySigned: Verify<Uint8Array<ArrayBuffer>> = (algorithm, key, message, signature) =>
  algorithm === 'EdDSA' ? verifyEd25519(key, message, signature) : orFalse(() => p256.verify(signature, message, key, { lowS: true }))

/** The library throws for what is no key. */
function orFalse(verify: () => boolean): boolean {
  try {
    return verify()
  } catch {
    return false
  }
}
