import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone, readPolicy } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'

/** `unknown`: no key of a ledger is known here yet. */
type Proven = 'holds' | 'wrong' | 'unknown'

/** RFC 8032 to the letter, as the server verifies. */
function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false
  }
}

/**
 * Whether a receipt proves that the ledger holds these signed bytes; no network is asked. Browsers of 2021 have no Ed25519, and
 * none has a SHA-256 that answers at once: both are a library's.
 * @param ledgerKey `NAME+ID+KEY`: of the signed configuration, or of a box
 */
export const proves = (envelope: Uint8Array, receipt: string, ledgerKey: string | null): Promise<Proven> => provesEntry(writeEntry({ kind: 'recap', envelope }), receipt, ledgerKey)

/** The same of any entry, as bytes. */
export async function provesEntry(entry: Uint8Array, receipt: string, ledgerKey: string | null): Promise<Proven> {
  const log = ledgerKey === null ? null : readVerifierKey(ledgerKey, sha256)
  if (log?.ok !== true) return 'unknown'
  const verified = await verifyReceipt(entry, receipt, logAlone(log.value), { sha256, verify })
  return verified.ok ? 'holds' : 'wrong'
}

/** Which witnesses have seen the ledger with a record, and when as each says (s since 1970), if a receipt shows a quorum of the policy; null where it does not. */
export async function seenBy(envelope: Uint8Array, receipt: string, policy: string): Promise<readonly { readonly name: string; readonly at_s: number }[] | null> {
  const read = readPolicy(policy, sha256)
  if (!read.ok) return null
  const verified = await verifyReceipt(writeEntry({ kind: 'recap', envelope }), receipt, read.value, { sha256, verify })
  return verified.ok ? verified.value.witnesses : null
}
