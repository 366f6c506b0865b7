import { join } from 'node:path'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import type { VerifierKey } from '@kawal/core/ledger/key.ts'
import { formatNote, readNote } from '@kawal/core/ledger/note.ts'
import { cosignText } from '@kawal/core/ledger/signature.ts'
import { decide, readRequest, type Refusal, type SeenTree } from '@kawal/core/ledger/witness.ts'
import { FsyncFailed } from '../durable.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { newestIn, openKey, signerFolder, SignerRefused, swap, type SignerFolder } from '../ledger/signer.ts'

interface WitnessNeeds {
  /** Its key, and a folder for each log with what it cosigned of it last. */
  readonly folder: string
  /** Of a new key; an old one keeps its own. */
  readonly name: string
  /** Keys of the logs that it watches; a log that changes its key has two for a while. */
  readonly logs: readonly VerifierKey[]
  readonly clock: () => number
  /** What is on disk cannot be told any more: the process is to end. */
  readonly fatal: (error: unknown) => void
  /** Where a log's newest checkpoint is kept; a folder on disk without it. */
  readonly folderOf?: (path: string) => SignerFolder
}

export type Answer =
  | { readonly refused: null; readonly lines: string }
  /** `size`: what was cosigned last. */
  | { readonly refused: Refusal | 'too_many'; readonly size: number }

export type Witness = Awaited<ReturnType<typeof openWitness>>

/** At once: each costs an fsync, and a log asks once a second. */
const answering_max = 256

/** Of the empty tree there is nothing to swap. */
const empty_file = 'empty'

/**
 * Cosigns for each log one history. The newest checkpoint of each is swapped on disk (`swap`, which the log's own signer
 * uses too) before its cosignature is answered: a stop in between, or a second witness on the same folder, leaves a
 * size that was never answered for, and never an answer that was forgotten.
 * @throws SignerRefused for a folder that cannot be read
 */
export async function openWitness({ folder, name, logs, clock, fatal, folderOf = signerFolder }: WitnessNeeds) {
  const { key, sign } = await openKey(folderOf(folder), name, 'cosignature')
  const places = new Map(logs.map(({ name: origin }) => [origin, folderOf(join(folder, originHash(origin)))]))
  // What cannot be read is said at the start, and not when the log asks.
  for (const [origin, place] of places) await readSeen(place, origin)
  let answering = 0

  async function answer(request: ReadableRequest): Promise<Answer> {
    const { origin } = request.checkpoint
    const place = places.get(origin)
    const seen = place === undefined ? null : await readSeen(place, origin)
    const decided = await decide(request, logs, seen, { sha256, verify: verifyEd25519 })
    if (!decided.ok || place === undefined) return { refused: decided.ok ? 'origin_unknown' : decided.error, size: seen?.size ?? 0 }
    const { text, checkpoint, signatures } = decided.value
    const cosignature = await cosignText(text, key, Math.max(1, Math.floor(clock() / 1000)), sign)
    try {
      await keep(place, seen, checkpoint.size, formatNote({ text, signatures: [...signatures, cosignature] }))
    } catch (error) {
      if (error instanceof SignerRefused) return { refused: 'other_size', size: (await readSeen(place, origin))?.size ?? 0 }
      if (error instanceof FsyncFailed) fatal(error)
      throw error
    }
    const lines = formatNote({ text, signatures: [cosignature] }).slice(text.length + 1)
    return { refused: null, lines }
  }

  return {
    key,
    origins: [...places.keys()],
    /** @param body as the log sent it */
    async addCheckpoint(body: string): Promise<Answer> {
      const request = readRequest(body)
      if (!request.ok) return { refused: 'malformed', size: 0 }
      if (answering >= answering_max) return { refused: 'too_many', size: 0 }
      answering++
      return answer(request.value).finally(() => answering--)
    },
    /** The newest checkpoint that it cosigned, with the log's signature and its own. @param hash SHA-256 of the origin, hex @returns null where there is none */
    async checkpoint(hash: string): Promise<string | null> {
      const place = [...places].find(([origin]) => originHash(origin) === hash)?.[1]
      return place === undefined ? null : (await newestIn(place))?.text ?? place.read(empty_file)
    },
  }
}

type ReadableRequest = Extract<ReturnType<typeof readRequest>, { ok: true }>['value']

const originHash = (origin: string): string => Buffer.from(sha256(Buffer.from(origin))).toString('hex')

async function keep(place: SignerFolder, seen: SeenTree | null, size: number, note: string): Promise<void> {
  if (size > (seen?.size ?? 0)) return swap(place, seen?.size ?? 0, note)
  if (seen === null) await place.place(empty_file, note)
  // Whoever placed it may have been stopped before it was on disk.
  await place.sync().catch((error: unknown) => {
    throw error instanceof FsyncFailed ? error : new FsyncFailed(`nobody knows whether what ${place.path} names is on disk`, { cause: error })
  })
}

/** What was cosigned last of a log. */
async function readSeen(place: SignerFolder, origin: string): Promise<SeenTree | null> {
  const newest = await newestIn(place)
  if (newest === null) return (await place.read(empty_file)) === null ? null : { size: 0, root: sha256(new Uint8Array()) }
  const note = readNote(newest.text)
  const checkpoint = note.ok ? readCheckpoint(note.value.text) : note
  if (!checkpoint.ok || checkpoint.value.origin !== origin) throw new SignerRefused(`${newest.file} is no checkpoint of ${origin}. Put the one back that was there: without it a second history of that log could be cosigned.`)
  return checkpoint.value
}
