import { fail, ok, type Result } from '../kernel/result.ts'
import { joinBytes, utf8Of } from './bytes.ts'
import type { SignerKey, VerifierKey } from './key.ts'
import type { Note, NoteSignature } from './note.ts'

/**
 * Who signed a note, and signing. A log signs the text itself; a witness signs it with the time at which it saw the log
 * consistent (https://c2sp.org/tlog-cosignature). Ed25519 is given by whoever asks, since a browser's is asynchronous.
 */

/** Signs with the key that it stands for. @returns 64 bytes */
export type Ed25519Sign = (message: Uint8Array<ArrayBuffer>) => Uint8Array | Promise<Uint8Array>
/** Says false, and does not throw, for a key or a signature that it cannot read. */
export type Ed25519Verify = (publicKey: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => boolean | Promise<boolean>

/** `signature_unknown`: of none of these keys; `signature_wrong`: of one of them, and it does not hold. */
type SignatureFault = 'signature_unknown' | 'signature_wrong'

interface Signed {
  readonly key: VerifierKey
  /** When a witness says that it looked, in s since 1970; null of an `ed25519` key, which says no time. */
  readonly at_s: number | null
}

const signature_bytes = 64
const time_bytes = 8

/** Signs a note's text as its author. */
export async function signText(text: string, { name, id }: Pick<SignerKey, 'name' | 'id'>, sign: Ed25519Sign): Promise<NoteSignature> {
  return { name, id, signature: Uint8Array.from(await sign(utf8Of(text))) }
}

/**
 * Signs a checkpoint's text as a witness: that at this time it is the largest tree that the witness saw of this log, and
 * the end of all that it saw before.
 * @param at_s s since 1970, an integer
 */
export async function cosignText(text: string, { name, id }: Pick<SignerKey, 'name' | 'id'>, at_s: number, sign: Ed25519Sign): Promise<NoteSignature> {
  return { name, id, signature: joinBytes([timeBytes(at_s), await sign(cosignatureMessage(at_s, text))]) }
}

/**
 * Holds a note's signatures against known keys. Those of other keys are passed over; one of a known key that does not hold
 * spoils the note. A key that signed twice is named twice.
 */
export async function verifyNote({ text, signatures }: Note, keys: readonly VerifierKey[], verify: Ed25519Verify): Promise<Result<readonly Signed[], SignatureFault>> {
  const signed: Signed[] = []
  for (const { name, id, signature } of signatures) for (const key of keys) {
    if (key.name !== name || key.id !== id) continue
    const at_s = key.algorithm === 'cosignature' ? timeOf(signature) : null
    if (signature.length !== signature_bytes + (at_s === null ? 0 : time_bytes) || !isTime(at_s ?? 0)) return fail('signature_wrong')
    const message = at_s === null ? utf8Of(text) : cosignatureMessage(at_s, text)
    if (!(await verify(key.publicKey, message, signature.slice(-signature_bytes)))) return fail('signature_wrong')
    signed.push({ key, at_s })
  }
  return signed.length === 0 ? fail('signature_unknown') : ok(signed)
}

const cosignatureMessage = (at_s: number, text: string): Uint8Array<ArrayBuffer> => utf8Of(`cosignature/v1\ntime ${at_s}\n${text}`)

/** Later times than a number tells apart are no times: they lie millions of years ahead. */
const isTime = (at_s: number): boolean => Number.isSafeInteger(at_s) && at_s >= 0

const timeOf = (signature: Uint8Array): number => signature.subarray(0, time_bytes).reduce((time, byte) => time * 256 + byte, 0)

/** 64 bits, the highest byte first. */
function timeBytes(at_s: number): Uint8Array {
  if (!isTime(at_s)) throw new RangeError(`${at_s} is no time in whole seconds since 1970`)
  const bytes = new Uint8Array(time_bytes)
  for (let [at, rest] = [time_bytes - 1, at_s]; rest > 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256
  return bytes
}
