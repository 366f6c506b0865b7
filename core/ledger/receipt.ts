import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of } from './bytes.ts'
import { readCheckpoint, type CheckpointFault } from './checkpoint.ts'
import type { VerifierKey } from './key.ts'
import { leafHash, type Sha256Sync } from './merkle.ts'
import { readNote, type NoteFault } from './note.ts'
import { readProof, type ProofFault } from './proof.ts'
import { verifyNote, type Ed25519Verify } from './signature.ts'
import { verifyInclusion, type InclusionFault } from './verify.ts'

/** Whom to believe: the log's key, and so many of these witnesses. A witness keeps a log from showing two histories. */
export interface LedgerTrust {
  /** Its name is the log's origin. */
  readonly log: VerifierKey
  /** Of the algorithm `cosignature`, each with a key of its own. */
  readonly witnesses: readonly VerifierKey[]
  readonly witnesses_min: number
}

interface Verified {
  readonly index: number
  /** Entries of the log when it signed. */
  readonly size: number
  /** Names of the trusted witnesses that signed, with what each says when; s since 1970. */
  readonly witnesses: readonly { readonly name: string; readonly at_s: number }[]
}

/**
 * The step that failed. `trust_wrong`: witnesses that are none, are one, or are fewer than asked for; `origin_other`: of another
 * log; `log_unsigned`: not by this key; `witnesses_few`: all that is signed holds, and it is not enough.
 */
type ReceiptFault = 'trust_wrong' | ProofFault | NoteFault | CheckpointFault | 'origin_other' | 'log_unsigned' | 'log_signature_wrong' | 'witness_signature_wrong' | 'witnesses_few' | InclusionFault

interface Cryptography { readonly sha256: Sha256Sync; readonly verify: Ed25519Verify }

/**
 * Whether a receipt proves that the log holds this entry, without asking anybody (https://c2sp.org/tlog-proof, *Verifying*).
 * @param text as `formatProof` writes it
 */
export async function verifyReceipt(entry: Uint8Array, text: string, trust: LedgerTrust, { sha256, verify }: Cryptography): Promise<Result<Verified, ReceiptFault>> {
  if (!isMeetable(trust)) return fail('trust_wrong')
  const proof = readProof(text)
  if (!proof.ok) return proof
  const note = readNote(proof.value.checkpoint)
  if (!note.ok) return note
  const checkpoint = readCheckpoint(note.value.text)
  if (!checkpoint.ok) return checkpoint
  const { origin, size, root } = checkpoint.value
  if (origin !== trust.log.name) return fail('origin_other')
  const log = await verifyNote(note.value, [trust.log], verify)
  if (!log.ok) return fail(log.error === 'signature_unknown' ? 'log_unsigned' : 'log_signature_wrong')
  const cosigned = await verifyNote(note.value, trust.witnesses, verify)
  if (!cosigned.ok && cosigned.error === 'signature_wrong') return fail('witness_signature_wrong')
  // one that signed twice counts once
  const witnesses = new Map((cosigned.ok ? cosigned.value : []).map(({ key, at_s }) => [key.name, at_s ?? 0]))
  if (witnesses.size < trust.witnesses_min) return fail('witnesses_few')
  const { index, hashes } = proof.value
  const included = verifyInclusion({ index, size, leaf: leafHash(entry, sha256), root }, hashes, sha256)
  return included.ok ? ok({ index, size, witnesses: [...witnesses].map(([name, at_s]) => ({ name, at_s })) }) : included
}

/** A key that stands for two witnesses, or for the log and a witness, would be two voices of one mouth. */
function isMeetable({ log, witnesses, witnesses_min }: LedgerTrust): boolean {
  const keys = new Set([log, ...witnesses].map(({ publicKey }) => base64Of(publicKey)))
  const names = new Set(witnesses.map(({ name }) => name))
  return witnesses.every(({ algorithm }) => algorithm === 'cosignature') && keys.size === witnesses.length + 1 && names.size === witnesses.length &&
    Number.isSafeInteger(witnesses_min) && witnesses_min >= 0 && witnesses_min <= witnesses.length
}
