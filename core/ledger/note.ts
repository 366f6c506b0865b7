import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of, joinBytes, readBase64 } from './bytes.ts'

/** Signed notes of C2SP (https://c2sp.org/signed-note): a text, an empty line, and who signed the text. */
export interface Note {
  /** With its last newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  readonly name: string
  /** The key's id, 32 bits. With the name it tells the key and how it signs. */
  readonly id: number
  /** What the key's algorithm made; 1 byte or more. */
  readonly signature: Uint8Array<ArrayBuffer>
}

/**
 * `note_long`: over a million characters; `note_characters`: a control character, or half a surrogate pair; `note_unsigned`: no
 * empty line with signatures after it; `signature_line`: not of their form; `signature_many`: over 100.
 */
export type NoteFault = 'note_long' | 'note_characters' | 'note_unsigned' | 'signature_line' | 'signature_many'

/** Who reads a note must take at least 16 signatures; one that withstands quantum computers has nearly 5,000 bytes. */
const signatures_max = 100
export const note_chars_max = 1_000_000

export function readNote(note: string): Result<Note, NoteFault> {
  if (note.length > note_chars_max) return fail('note_long')
  if (/[\u0000-\u0009\u000b-\u001f]|\p{Surrogate}/u.test(note)) return fail('note_characters')
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || end + 2 === note.length || !note.endsWith('\n')) return fail('note_unsigned')
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > signatures_max) return fail('signature_many')
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = readSignature(line)
    if (signature === null) return fail('signature_line')
    signatures.push(signature)
  }
  return ok({ text: note.slice(0, end + 1), signatures })
}

/** @throws RangeError for a text or a signature that no reader would take */
export function formatNote({ text, signatures }: Note): string {
  const note = `${text}\n${signatures.map(({ name, id, signature }) => `— ${name} ${base64Of(joinBytes([idBytes(id), signature]))}\n`).join('')}`
  const read = readNote(note)
  if (!read.ok || read.value.text !== text || read.value.signatures.length !== signatures.length) throw new RangeError(`a text that is no note, or a signature of a wrong form: ${read.ok ? 'read as another' : read.error}`)
  return note
}

/** Names of keys have no spaces, of whatever script, and no plus. */
export const isKeyName = (name: string): boolean => /^[^\p{White_Space}\p{Control}\p{Surrogate}+]+$/u.test(name)

export const idBytes = (id: number): Uint8Array => Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id)

/** The first four bytes as a number from 0 on. */
export const idOf = (bytes: Uint8Array): number => bytes.subarray(0, 4).reduce((id, byte) => id * 256 + byte, 0)

function readSignature(line: string): NoteSignature | null {
  const [dash, name = '', text = '', ...rest] = line.split(' ')
  const bytes = readBase64(text)
  if (dash !== '—' || rest.length > 0 || !isKeyName(name) || bytes === null || bytes.length < 5) return null
  return { name, id: idOf(bytes), signature: bytes.slice(4) }
}
