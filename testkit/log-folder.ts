import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { emptyEdge, grow } from '@kawal/core/ledger/growth.ts'
import { formatVerifierKey, verifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { signText } from '@kawal/core/ledger/signature.ts'
import { tilePath } from '@kawal/core/ledger/tiles.ts'
import { writeEntry, type Entry } from '@kawal/core/recap/entry.ts'
import { publicKeyOf, sha256, signerOf } from '@kawal/server/src/ledger/cryptography.ts'

/** A log as anybody holds it who copied its files (spec/ledger.md). @returns its key, NAME+ID+KEY */
export async function writeLogFolder(folder: string, origin: string, entries: readonly Entry[]): Promise<string> {
  const seed = Uint8Array.from(createHash('sha256').update(origin).digest())
  const key = verifierKey(origin, 'ed25519', publicKeyOf(seed), sha256)
  if (!key.ok) throw new Error(key.error)
  const bytes = entries.map(writeEntry)
  const grown = grow(emptyEdge, bytes, sha256)
  if (!grown.ok) throw new Error(grown.error)
  const put = (path: string, content: Uint8Array | string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  for (const file of grown.value.files) put(tilePath(file.tile), file.bytes)
  const frontier = bytes.reduce((before, entry) => appendLeaf(before, leafHash(entry, sha256), sha256), emptyFrontier)
  const text = formatCheckpoint({ origin, size: bytes.length, root: rootOf(frontier, sha256), extensions: [] })
  put('checkpoint', formatNote({ text, signatures: [await signText(text, key.value, signerOf(seed))] }))
  put('key', `${formatVerifierKey(key.value)}\n`)
  return formatVerifierKey(key.value)
}
