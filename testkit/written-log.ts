import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { emptyEdge, grow, type Edge } from '@kawal/core/ledger/growth.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { frontierOf, hashesOf, inclusionSpans, rootOf } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { formatProof } from '@kawal/core/ledger/proof.ts'
import { cosignText, signText } from '@kawal/core/ledger/signature.ts'
import { edgeOf, hashFromTiles, tilePath } from '@kawal/core/ledger/tiles.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import type { noteKey } from './ed25519.ts'

type Voice = ReturnType<typeof noteKey>

/** Who signs a log. */
export interface Voices { readonly log: Voice; readonly witnesses: readonly Voice[]; /** When witnesses look, s since 1970. */ readonly at_s: number }

/** A log as anybody can download it, when it had so many entries. */
export interface WrittenState {
  readonly size: number
  /** Its signed checkpoint. */
  readonly note: string
  /** By their paths, with `checkpoint` and `key`: full tiles and bundles, and the partial ones of this size. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** A log as it was at each of these sizes, ascending. */
export async function writtenLog(entries: readonly Uint8Array[], sizes: readonly number[], voices: Voices): Promise<WrittenState[]> {
  const states: WrittenState[] = []
  const full = new Map<string, Uint8Array>([['key', Buffer.from(`${formatVerifierKey(voices.log.key)}\n`)]])
  let edge: Edge = emptyEdge
  for (const size of sizes) {
    const grown = grow(edge, entries.slice(edge.size, size), sha256)
    if (!grown.ok) throw new Error(grown.error)
    ;({ edge } = grown.value)
    for (const { tile, bytes } of grown.value.files) if (tile.width === 256) full.set(tilePath(tile), bytes)
    const files = new Map(full)
    for (const tile of edgeOf(size)) files.set(tilePath(tile), (tile.level === 'entries' ? edge.bundle : edge.tiles[tile.level]) ?? new Uint8Array())
    const hashAt = hashFromTiles(size, (tile) => files.get(tilePath(tile)) ?? new Uint8Array(), sha256)
    const note = await signed(formatCheckpoint({ origin: voices.log.key.name, size, root: rootOf(frontierOf(size, hashAt), sha256), extensions: [] }), voices)
    states.push({ size, note, files: files.set('checkpoint', Buffer.from(note)) })
  }
  return states
}

async function signed(text: string, { log, witnesses, at_s }: Voices): Promise<string> {
  const signatures = [await signText(text, log.key, log.signBy)]
  for (const { key, signBy } of witnesses) signatures.push(await cosignText(text, key, at_s, signBy))
  return formatNote({ text, signatures })
}

/** The receipt of an entry, as a tlog-proof. */
export function receiptOf({ size, note, files }: WrittenState, index: number): string {
  const hashAt = hashFromTiles(size, (tile) => files.get(tilePath(tile)) ?? new Uint8Array(), sha256)
  return formatProof({ index, hashes: hashesOf(inclusionSpans(index, size), hashAt, sha256), extra: null, checkpoint: note })
}

export function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
}
