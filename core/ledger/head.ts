import { fail, ok, type Result } from '../kernel/result.ts'
import { readCheckpoint, type Checkpoint, type CheckpointFault } from './checkpoint.ts'
import type { VerifierKey } from './key.ts'
import { readNote, type NoteFault } from './note.ts'
import { verifyNote, type Ed25519Verify } from './signature.ts'

/** Whom a reader of checkpoints believes. */
export interface HeadTrust {
  /** Their names are the logs' origins. */
  readonly logs: readonly { readonly key: VerifierKey }[]
  readonly witnesses: readonly { readonly name: string; readonly key: VerifierKey }[]
  /** Whether these witnesses, by their names here, are enough. */
  readonly isEnough: (names: ReadonlySet<string>) => boolean
}

/** A checkpoint that its log signed, as it was shown. */
export interface Head {
  /** With all signatures: what can be shown to others. */
  readonly note: string
  readonly checkpoint: Checkpoint
  /** Witnesses that are believed, with what each says when it looked; s since 1970. */
  readonly witnesses: readonly { readonly name: string; readonly at_s: number }[]
  /** Names of signers whose keys are not known here: nothing was checked of them. */
  readonly others: readonly string[]
}

/** `origin_other`: of another log; `log_unsigned`: not by its key; `witnesses_few`: all that is signed holds, and it is not enough. */
export type HeadFault = NoteFault | CheckpointFault | 'origin_other' | 'log_unsigned' | 'log_signature_wrong' | 'witness_signature_wrong' | 'witnesses_few'

/** Reads a signed checkpoint and holds it against the keys that are believed. */
export async function readHead(text: string, { logs, witnesses, isEnough }: HeadTrust, verify: Ed25519Verify): Promise<Result<Head, HeadFault>> {
  const note = readNote(text)
  if (!note.ok) return note
  const checkpoint = readCheckpoint(note.value.text)
  if (!checkpoint.ok) return checkpoint
  const keys = logs.map(({ key }) => key).filter(({ name }) => name === checkpoint.value.origin)
  if (keys.length === 0) return fail('origin_other')
  const signed = await verifyNote(note.value, keys, verify)
  if (!signed.ok) return fail(signed.error === 'signature_unknown' ? 'log_unsigned' : 'log_signature_wrong')
  const cosigned = await verifyNote(note.value, witnesses.map(({ key }) => key), verify)
  if (!cosigned.ok && cosigned.error === 'signature_wrong') return fail('witness_signature_wrong')
  const times = new Map((cosigned.ok ? cosigned.value : []).map(({ key, at_s }) => [key, at_s ?? 0]))
  const seenBy = witnesses.flatMap(({ name, key }) => (times.has(key) ? [{ name, at_s: times.get(key) ?? 0 }] : []))
  if (!isEnough(new Set(seenBy.map(({ name }) => name)))) return fail('witnesses_few')
  const known = [...keys, ...witnesses.map(({ key }) => key)]
  const others = note.value.signatures.filter(({ name, id }) => !known.some((key) => key.name === name && key.id === id)).map(({ name }) => name)
  return ok({ note: text, checkpoint: checkpoint.value, witnesses: seenBy, others })
}
