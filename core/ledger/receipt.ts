import { fail, ok, type Result } from '../kernel/result.ts'
import { readCheckpoint, type CheckpointFault } from './checkpoint.ts'
import { leafHash, type Sha256Sync } from './merkle.ts'
import { readNote, type NoteFault } from './note.ts'
import { isQuorum, type Policy } from './policy.ts'
import { readProof, type ProofFault } from './proof.ts'
import { verifyNote, type Ed25519Verify } from './signature.ts'
import { verifyInclusion, type InclusionFault } from './verify.ts'

interface Verified {
  readonly index: number
  /** Entries of the log when it signed. */
  readonly size: number
  /** The policy's witnesses that signed, by their names in it, with what each says when; s since 1970. */
  readonly witnesses: readonly { readonly name: string; readonly at_s: number }[]
}

/**
 * The step that failed. `origin_other`: of a log that the policy does not name; `log_unsigned`: not by its key; `witnesses_few`: all
 * that is signed holds, and it is no quorum.
 */
type ReceiptFault = ProofFault | NoteFault | CheckpointFault | 'origin_other' | 'log_unsigned' | 'log_signature_wrong' | 'witness_signature_wrong' | 'witnesses_few' | InclusionFault

interface Cryptography { readonly sha256: Sha256Sync; readonly verify: Ed25519Verify }

/**
 * Whether a receipt proves that the log holds this entry, without asking anybody (https://c2sp.org/tlog-proof, *Verifying*).
 * @param text as `formatProof` writes it
 */
export async function verifyReceipt(entry: Uint8Array, text: string, policy: Policy, { sha256, verify }: Cryptography): Promise<Result<Verified, ReceiptFault>> {
  const proof = readProof(text)
  if (!proof.ok) return proof
  const note = readNote(proof.value.checkpoint)
  if (!note.ok) return note
  const checkpoint = readCheckpoint(note.value.text)
  if (!checkpoint.ok) return checkpoint
  const { origin, size, root } = checkpoint.value
  const logs = policy.logs.map(({ key }) => key).filter(({ name }) => name === origin)
  if (logs.length === 0) return fail('origin_other')
  const log = await verifyNote(note.value, logs, verify)
  if (!log.ok) return fail(log.error === 'signature_unknown' ? 'log_unsigned' : 'log_signature_wrong')
  const cosigned = await verifyNote(note.value, policy.witnesses.map(({ key }) => key), verify)
  if (!cosigned.ok && cosigned.error === 'signature_wrong') return fail('witness_signature_wrong')
  // one that signed twice counts once
  const times = new Map((cosigned.ok ? cosigned.value : []).map(({ key, at_s }) => [key, at_s ?? 0]))
  const witnesses = policy.witnesses.flatMap(({ name, key }) => (times.has(key) ? [{ name, at_s: times.get(key) as number }] : []))
  if (!isQuorum(policy, new Set(witnesses.map(({ name }) => name)))) return fail('witnesses_few')
  const { index, hashes } = proof.value
  const included = verifyInclusion({ index, size, leaf: leafHash(entry, sha256), root }, hashes, sha256)
  return included.ok ? ok({ index, size, witnesses }) : included
}
