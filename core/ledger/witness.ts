import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of, readBase64, sameBytes } from './bytes.ts'
import { readCheckpoint, readCount, type Checkpoint } from './checkpoint.ts'
import type { VerifierKey } from './key.ts'
import { emptyFrontier, hash_bytes, rootOf, type Sha256Sync } from './merkle.ts'
import { readNote, type Note, type NoteSignature } from './note.ts'
import { verifyNote, type Ed25519Verify } from './signature.ts'
import { verifyConsistency } from './verify.ts'

/**
 * What a log asks of a witness, and what a witness answers (https://c2sp.org/tlog-witness, *add-checkpoint*). Nothing here
 * keeps anything: what was cosigned last is an argument.
 */
interface Asked {
  /** Entries that the witness has seen of this log, as whoever asks knows it; 0 for none. */
  readonly older: number
  /** That the checkpoint begins with them. */
  readonly proof: readonly Uint8Array[]
  /** The signed checkpoint, as the log gave it. */
  readonly note: string
}

/** `old_form`: no size in the first line; `proof_many`: over 63 hashes; `hash_form`: one that is none; `body_cut`: no empty line, or nothing after it. */
type AskedFault = 'old_form' | 'proof_many' | 'hash_form' | 'body_cut'

/** A tree of this size with this root was seen. */
export interface SeenTree { readonly size: number; readonly root: Uint8Array }

/**
 * Why nothing is cosigned, with the status that the specification gives it.
 *
 * 400 `malformed`, `older_above`: no request, or one that goes back. 403 `unsigned`: none of the log's keys signed it, or a
 * signature of one does not hold. 404 `origin_unknown`. 409 `other_size`: another size was cosigned last. 422 `root_other`: the
 * same size with another root, or none of the empty tree; `proof_wrong`.
 */
export type Refusal = 'malformed' | 'older_above' | 'unsigned' | 'origin_unknown' | 'other_size' | 'root_other' | 'proof_wrong'
export const refusalStatus: Readonly<Record<Refusal, number>> = { malformed: 400, older_above: 400, unsigned: 403, origin_unknown: 404, other_size: 409, root_other: 422, proof_wrong: 422 }

/** What is to be kept, and then cosigned: the text, and the signatures of the log that hold. */
interface Cosignable {
  readonly text: string
  readonly checkpoint: Checkpoint
  readonly signatures: readonly NoteSignature[]
}

interface Cryptography { readonly sha256: Sha256Sync; readonly verify: Ed25519Verify }

const proof_max = 63

export function formatAsked({ older, proof, note }: Asked): string {
  return [`old ${older}`, ...proof.map(base64Of), '', note].join('\n')
}

function readAsked(body: string): Result<Asked, AskedFault> {
  const end = body.indexOf('\n\n')
  if (end < 0 || end + 2 === body.length) return fail('body_cut')
  const [first = '', ...lines] = body.slice(0, end).split('\n')
  const older = readCount(first.startsWith('old ') ? first.slice('old '.length) : '')
  if (!older.ok) return fail('old_form')
  if (lines.length > proof_max) return fail('proof_many')
  const proof = lines.map(readBase64)
  if (!proof.every((hash) => hash?.length === hash_bytes)) return fail('hash_form')
  return ok({ older: older.value, proof: proof as Uint8Array[], note: body.slice(end + 2) })
}

/** A request whose checkpoint can be read; who signed it is not looked at. */
interface Readable { readonly asked: Asked; readonly note: Note; readonly checkpoint: Checkpoint }

/** Up to whose log it is: what was cosigned of that one is to be fetched. */
export function readRequest(body: string): Result<Readable, 'malformed'> {
  const asked = readAsked(body)
  const note = asked.ok ? readNote(asked.value.note) : asked
  const checkpoint = note.ok ? readCheckpoint(note.value.text) : note
  return asked.ok && note.ok && checkpoint.ok ? ok({ asked: asked.value, note: note.value, checkpoint: checkpoint.value }) : fail('malformed')
}

/**
 * Decides in the order of the specification.
 * @param logs keys of logs that are watched
 * @param seen what was cosigned last of the checkpoint's log; null for nothing
 */
export async function decide({ asked: { older, proof }, note, checkpoint }: Readable, logs: readonly VerifierKey[], seen: SeenTree | null, { sha256, verify }: Cryptography): Promise<Result<Cosignable, Refusal>> {
  const keys = logs.filter(({ name }) => name === checkpoint.origin)
  if (keys.length === 0) return fail('origin_unknown')
  const signed = await verifyNote(note, keys, verify)
  if (!signed.ok) return fail('unsigned')
  const { size, root } = checkpoint
  if (older > size) return fail('older_above')
  if (older !== (seen?.size ?? 0)) return fail('other_size')
  const empty = rootOf(emptyFrontier, sha256)
  if (size === 0 && !sameBytes(root, empty)) return fail('root_other')
  if (older === 0 && proof.length > 0) return fail('proof_wrong')
  if (older > 0) {
    const consistent = verifyConsistency({ older, olderRoot: seen?.root ?? empty, size, root }, proof, sha256)
    if (!consistent.ok) return fail(older === size && proof.length === 0 ? 'root_other' : 'proof_wrong')
  }
  return ok({ text: note.text, checkpoint, signatures: note.signatures.filter(({ name, id }) => signed.value.some(({ key }) => key.name === name && key.id === id)) })
}

/** The lines that a witness answers with, or a fault where they are none. @param text of the checkpoint that was asked for */
export function readCosignatures(lines: string, text: string): Result<readonly NoteSignature[], 'malformed'> {
  const note = readNote(`${text}\n${lines}`)
  return note.ok && note.value.text === text ? ok(note.value.signatures) : fail('malformed')
}

/** `409 Conflict` says the size that was cosigned last, on a line. */
export function readSize(body: string): number | null {
  const size = readCount(body.endsWith('\n') ? body.slice(0, -1) : body)
  return size.ok ? size.value : null
}
