import { base64Of } from '@kawal/core/ledger/bytes.ts'
import { readCheckpoint, type Checkpoint } from '@kawal/core/ledger/checkpoint.ts'
import { leafHash } from '@kawal/core/ledger/merkle.ts'
import { readNote, type Note } from '@kawal/core/ledger/note.ts'
import { isQuorum, type Policy } from '@kawal/core/ledger/policy.ts'
import { readProof } from '@kawal/core/ledger/proof.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { verifyInclusion } from '@kawal/core/ledger/verify.ts'
import { sha256, verifyEd25519 } from './cryptography.ts'
import { stepOf, type Step } from './step.ts'

/** A proof as far as it can be read, without a judgement. */
export interface ReadProof {
  readonly text: string
  readonly index: number
  readonly hashes: readonly Uint8Array[]
  /** The entry that it carries itself; null for a receipt, whose entry is made of the record. */
  readonly extra: Uint8Array | null
  readonly note: Note
  readonly checkpoint: Checkpoint
}

/** @returns the code of what is wrong where it cannot be read */
export function readTlogProof(text: string): ReadProof | string {
  const proof = readProof(text)
  if (!proof.ok) return proof.error
  const signed = readSigned(proof.value.checkpoint)
  return typeof signed === 'string' ? signed : { text, ...proof.value, ...signed }
}

export function readSigned(text: string): { readonly note: Note; readonly checkpoint: Checkpoint } | string {
  const note = readNote(text)
  if (!note.ok) return note.error
  const checkpoint = readCheckpoint(note.value.text)
  return checkpoint.ok ? { note: note.value, checkpoint: checkpoint.value } : checkpoint.error
}

export const includes = ({ index, hashes, checkpoint: { size, root } }: ReadProof, entry: Uint8Array): boolean => verifyInclusion({ index, size, leaf: leafHash(entry, sha256), root }, hashes, sha256).ok

/** The four steps of one proof of an entry. That they say yes together is asked of the core as a whole, too. */
export async function proofSteps(proof: ReadProof, entry: Uint8Array, trust: Policy): Promise<readonly Step[]> {
  const { index, hashes, checkpoint: { size, root } } = proof
  const log = await logStep(proof, trust)
  const seen = await witnessStep(proof, trust)
  const included = verifyInclusion({ index, size, leaf: leafHash(entry, sha256), root }, hashes, sha256)
  const whole = await verifyReceipt(entry, proof.text, trust, { sha256, verify: verifyEd25519 })
  const agree = whole.ok === (log.state === 'holds' && included.ok && seen.state !== 'wrong' && seen.state !== 'short')
  const inclusion = !included.ok ? stepOf('inclusion', 'includedNot', {}, included.error)
    : !agree ? stepOf('inclusion', 'includedNot', {}, whole.ok ? 'steps_differ' : whole.error)
      // Whoever writes a tree himself has any entry in it: without the log's signature this says nothing.
      : log.state !== 'holds' ? stepOf('inclusion', 'includedUnsigned', { index, size }) : stepOf('inclusion', 'included', { index, size, root: base64Of(root) })
  return [stepOf('proof', 'proofRead', { index, size }), log, inclusion, seen]
}

/** Of a text that is no proof nothing further can be looked at. */
export const unreadProof = (fault: string): readonly Step[] => [stepOf('proof', 'proofUnread', {}, fault), stepOf('log', 'logUnread'), stepOf('inclusion', 'includedUnread'), stepOf('witnesses', 'witnessesUnread')]

export async function logStep({ note, checkpoint: { origin } }: Pick<ReadProof, 'note' | 'checkpoint'>, { logs }: Policy): Promise<Step> {
  if (logs.length === 0) return stepOf('log', 'logUnknown', { origin })
  const keys = logs.map(({ key }) => key).filter(({ name }) => name === origin)
  if (keys.length === 0) return stepOf('log', 'logOther', { origin, trusted: logs.map(({ key }) => key.name).join(', ') }, 'origin_other')
  const signed = await verifyNote(note, keys, verifyEd25519)
  if (signed.ok) return stepOf('log', 'logSigned', { origin, id: hexId(signed.value[0]?.key.id ?? 0) })
  return stepOf('log', 'logSignedNot', { origin }, signed.error === 'signature_unknown' ? 'log_unsigned' : 'log_signature_wrong')
}

export async function witnessStep({ note }: Pick<ReadProof, 'note'>, trust: Policy): Promise<Step> {
  if (trust.quorum === null) return stepOf('witnesses', 'witnessesNone')
  const signed = await verifyNote(note, trust.witnesses.map(({ key }) => key), verifyEd25519)
  if (!signed.ok && signed.error === 'signature_wrong') return stepOf('witnesses', 'witnessedNot', {}, 'witness_signature_wrong')
  const keys = new Set((signed.ok ? signed.value : []).map(({ key }) => key))
  const names = trust.witnesses.filter(({ key }) => keys.has(key)).map(({ name }) => name)
  const values = { count: names.length, names: names.join(', '), of: trust.witnesses.length, quorum: trust.quorum }
  return isQuorum(trust, new Set(names)) ? stepOf('witnesses', 'witnessed', values) : stepOf('witnesses', 'witnessedFew', values, 'witnesses_few')
}

export const hexId = (id: number): string => id.toString(16).padStart(8, '0')
