import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of, readBase64 } from './bytes.ts'
import { hash_bytes } from './merkle.ts'

/** The text of a checkpoint (https://c2sp.org/tlog-checkpoint): which log, how many entries, and the root of its tree. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  /** Lines that the log may add; nobody watches them. */
  readonly extensions: readonly string[]
}

/** `size_beyond`: 2^53 or more; `root_form`: no base64; `root_length`: not 32 bytes. */
export type CheckpointFault = 'lines_few' | 'origin_empty' | 'size_form' | 'size_beyond' | 'root_form' | 'root_length' | 'extension_empty'

/** @param text with its last newline, as a note has it */
export function readCheckpoint(text: string): Result<Checkpoint, CheckpointFault> {
  const [origin = '', size_text = '', root_text = '', ...others] = text.split('\n')
  const rest = others.pop()
  if (rest !== '') return fail('lines_few')
  if (origin === '') return fail('origin_empty')
  const size = readCount(size_text)
  if (!size.ok) return size
  const root = readBase64(root_text)
  if (root === null || root.length === 0) return fail('root_form')
  if (root.length !== hash_bytes) return fail('root_length')
  return others.includes('') ? fail('extension_empty') : ok({ origin, size: size.value, root, extensions: others })
}

/** @throws RangeError for what would be read as another checkpoint, or as none */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = [origin, size, base64Of(root), ...extensions].map((line) => `${line}\n`).join('')
  const read = readCheckpoint(text)
  if (!read.ok || read.value.origin !== origin || read.value.extensions.length !== extensions.length) throw new RangeError(`no checkpoint: ${read.ok ? 'a newline within a line' : read.error}`)
  return text
}

/** An ASCII decimal without leading zeroes. */
export function readCount(text: string): Result<number, 'size_form' | 'size_beyond'> {
  if (!/^(0|[1-9]\d*)$/.test(text)) return fail('size_form')
  return Number.isSafeInteger(Number(text)) ? ok(Number(text)) : fail('size_beyond')
}
