import { fail, ok, type Result } from '../kernel/result.ts'
import { base64Of, readBase64 } from './bytes.ts'
import { readCount } from './checkpoint.ts'
import { hash_bytes } from './merkle.ts'
import { note_chars_max } from './note.ts'

/** A receipt as text (https://c2sp.org/tlog-proof): that an entry is in a log, for whoever trusts the log's and its witnesses' keys. */
interface TlogProof {
  readonly index: number
  /** From the leaf's sibling to the root's child. */
  readonly hashes: readonly Uint8Array[]
  /** Nothing vouches for it. */
  readonly extra: Uint8Array | null
  /** The signed note, as the log gave it. */
  readonly checkpoint: string
}

/** `proof_cut`: no empty line, or nothing after it. */
export type ProofFault = 'proof_header' | 'proof_long' | 'proof_cut' | 'extra_form' | 'index_form' | 'hash_form'

const header = 'c2sp.org/tlog-proof@v1'
/** Twice what a note may have: an extra may be as long as one. */
const proof_chars_max = 2 * note_chars_max

export function readProof(text: string): Result<TlogProof, ProofFault> {
  if (text.length > proof_chars_max) return fail('proof_long')
  if (!text.startsWith(`${header}\n`)) return fail('proof_header')
  const end = text.indexOf('\n\n')
  if (end < 0 || end + 2 === text.length) return fail('proof_cut')
  const lines = text.slice(header.length + 1, end).split('\n')
  const extra_text = lines[0]?.startsWith('extra ') === true ? lines.shift()?.slice('extra '.length) : undefined
  const extra = extra_text === undefined ? null : readBase64(extra_text)
  // of no extra there is no line
  if (extra_text !== undefined && (extra === null || extra.length === 0)) return fail('extra_form')
  const [index_line = '', ...hash_lines] = lines
  const index = readCount(index_line.startsWith('index ') ? index_line.slice('index '.length) : '')
  if (!index.ok) return fail('index_form')
  const hashes: Uint8Array[] = []
  for (const line of hash_lines) {
    const hash = readBase64(line)
    if (hash?.length !== hash_bytes) return fail('hash_form')
    hashes.push(hash)
  }
  return ok({ index: index.value, hashes, extra, checkpoint: text.slice(end + 2) })
}

/** @throws RangeError for what no reader would take */
export function formatProof({ index, hashes, extra, checkpoint }: TlogProof): string {
  const lines = [header, ...(extra === null ? [] : [`extra ${base64Of(extra)}`]), `index ${index}`, ...hashes.map(base64Of), '', checkpoint]
  const text = lines.join('\n')
  const read = readProof(text)
  if (!read.ok) throw new RangeError(`no proof: ${read.error}`)
  return text
}
