import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { consistencySpans, emptyFrontier, frontierOf, hashesOf, leafHash, nodeHash, rootOf, type HashAt } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { signText } from '@kawal/core/ledger/signature.ts'
import { formatAsked } from '@kawal/core/ledger/witness.ts'
import { noteKey, sha256 } from './ed25519.ts'

/** A log in memory, whose entry at each index is that index and a word: another word is another history. */
export function smallLog(origin: string, word = 'entry', from = 0) {
  const { key, signBy } = noteKey(origin)
  const hashAt: HashAt = (level, index) => (level === 0 ? leafHash(Buffer.from(`${index < from ? 'entry' : word} ${index}`), sha256) : nodeHash(hashAt(level - 1, 2 * index), hashAt(level - 1, 2 * index + 1), sha256))
  const root = (size: number): Uint8Array => rootOf(size === 0 ? emptyFrontier : frontierOf(size, hashAt), sha256)
  const proof = (older: number, size: number): Uint8Array[] => (older === 0 || older > size ? [] : hashesOf(consistencySpans(older, size), hashAt, sha256))
  const noteOf = async (size: number, by = { key, signBy }, hash = root(size)): Promise<string> => {
    const text = formatCheckpoint({ origin, size, root: hash, extensions: [] })
    return formatNote({ text, signatures: [await signText(text, by.key, by.signBy)] })
  }
  return { key, root, proof, note: noteOf, ask: async (older: number, size: number): Promise<string> => formatAsked({ older, proof: proof(older, size), note: await noteOf(size) }) }
}
