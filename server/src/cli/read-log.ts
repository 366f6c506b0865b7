import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'

/** A log as somebody else holds it. */
interface ReadLog {
  /** Name that its key has. */
  readonly origin: string
  readonly size: number
  /** Whether the key came from the log itself, and so proves less. */
  readonly isKeyOwn: boolean
}

/**
 * Every entry of a log, in its order, from its address or from a folder with the same files.
 * @param key `NAME+ID+KEY`; without it the log's own
 * @throws CommandFailure where it does not answer, or is not what its key signed: what was told before that is then worth nothing
 */
export async function readLog(where: string, key: string | undefined, told: (index: number, entry: Uint8Array) => void): Promise<ReadLog> {
  const place = where.replace(/\/+$/, '')
  const verifier = keyOf(key ?? (await textAt(place, 'key')).trim())
  const checkpoint = await checkpointAt(place, verifier)
  let frontier = emptyFrontier
  while (frontier.size < checkpoint.size) {
    const width = Math.min(tile_width, checkpoint.size - frontier.size)
    const index = frontier.size / tile_width
    const entries = readBundle(await eitherAt(place, tilePath({ level: 'entries', index, width }), tilePath({ level: 'entries', index, width: tile_width })))
    if (!entries.ok || entries.value.length < width) throw broken(`${place} does not hold the ${width} entries from ${frontier.size} on.`)
    for (const entry of entries.value.slice(0, width)) {
      told(frontier.size, entry)
      frontier = appendLeaf(frontier, leafHash(entry, sha256), sha256)
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${verifier.name}: ${frontier.size} of ${checkpoint.size} entries`)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  if (!sameBytes(rootOf(frontier, sha256), checkpoint.root)) throw broken(`The ${checkpoint.size} entries of ${place} are not those that ${verifier.name} signed: their root is another.`)
  return { origin: verifier.name, size: checkpoint.size, isKeyOwn: key === undefined }
}

const broken = (sentence: string): CommandFailure => new CommandFailure(exits.found, sentence)

function keyOf(text: string): VerifierKey {
  const key = readVerifierKey(text, sha256)
  if (!key.ok || key.value.algorithm !== 'ed25519') throw new CommandFailure(exits.rejected, `${text.slice(0, 100)} is no key of a log (${key.ok ? 'of a witness' : key.error}). It is written as NAME+ID+KEY.`)
  return key.value
}

async function checkpointAt(place: string, key: VerifierKey): Promise<{ readonly size: number; readonly root: Uint8Array }> {
  const note = readNote(await textAt(place, 'checkpoint'))
  const checkpoint = note.ok ? readCheckpoint(note.value.text) : note
  if (!note.ok || !checkpoint.ok) throw broken(`The checkpoint of ${place} cannot be read (${checkpoint.ok ? 'note' : checkpoint.error}).`)
  const signed = await verifyNote(note.value, [key], verifyEd25519)
  if (!signed.ok || checkpoint.value.origin !== key.name) throw broken(`The checkpoint of ${checkpoint.value.origin} is not signed by ${key.name}.`)
  return checkpoint.value
}

const textAt = async (place: string, path: string): Promise<string> => Buffer.from(await eitherAt(place, path, path)).toString('utf8')

/** A partial tile may be gone once it is full: the full one begins with the same. */
async function eitherAt(place: string, path: string, other: string): Promise<Uint8Array> {
  const bytes = await bytesAt(place, path) ?? await bytesAt(place, other)
  if (bytes === null) throw new CommandFailure(exits.missing, `${place} has no ${path}.`)
  return bytes
}

async function bytesAt(place: string, path: string): Promise<Uint8Array | null> {
  if (!/^https?:\/\//.test(place)) {
    return readFile(join(place, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw new CommandFailure(exits.missing, `${join(place, path)} cannot be read: ${error.message}.`)
    })
  }
  const answer = await fetch(`${place}/${path}`).catch((error: Error) => {
    throw new CommandFailure(exits.missing, `${place}/${path} does not answer: ${error.message}.`)
  })
  if (answer.ok) return new Uint8Array(await answer.arrayBuffer())
  await answer.body?.cancel()
  if (answer.status === 404) return null
  throw new CommandFailure(exits.missing, `${place}/${path} answered ${answer.status}.`)
}
