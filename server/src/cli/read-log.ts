import { setTimeout as after } from 'node:timers/promises'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { readHead } from '@kawal/core/ledger/head.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { NoAnswer, note_bytes_max, readTileFrom, sourceOf } from '../verify/source.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenKey } from './given.ts'

/** A log as somebody else holds it. */
interface ReadLog {
  /** Name that its key has. */
  readonly origin: string
  readonly size: number
  /** Whether the key came from the log itself, and so proves less. */
  readonly isKeyOwn: boolean
}

/** @param rootNow of the tree that ends with this entry */
type Told = (index: number, entry: Uint8Array, rootNow: () => Uint8Array) => void

/**
 * Every entry of a log, in its order, from its address or from a folder with the same files.
 * @param key `NAME+ID+KEY`; without it the log's own
 * @throws CommandFailure where it does not answer, or is not what its key signed: what was told before that is then worth nothing
 */
export async function readLog(where: string, key: string | undefined, told: Told): Promise<ReadLog> {
  const source = sourceOf(where, after)
  const read = async <T>(work: () => Promise<T | null>, what: string): Promise<T> => {
    const found = await work().catch((error: unknown) => {
      throw error instanceof NoAnswer ? new CommandFailure(exits.missing, error.message) : error
    })
    if (found === null) throw new CommandFailure(exits.missing, `${source.place} has no ${what}.`)
    return found
  }
  const text = async (path: string): Promise<string> => Buffer.from(await read(() => source.read(path, note_bytes_max), path)).toString('utf8')
  const verifier = givenKey(key ?? (await text('key')).trim())
  const head = await readHead(await text('checkpoint'), { logs: [{ key: verifier }], witnesses: [], isEnough: () => true }, verifyEd25519)
  if (!head.ok) throw broken(`The checkpoint of ${source.place} is not one that ${verifier.name} signed (${head.error}).`)
  const { size, root } = head.value.checkpoint
  let frontier = emptyFrontier
  const rootNow = (): Uint8Array => rootOf(frontier, sha256)
  while (frontier.size < size) {
    const tile = { level: 'entries', index: frontier.size / tile_width, width: Math.min(tile_width, size - frontier.size) } as const
    const entries = readBundle((await read(() => readTileFrom(source, tile), tilePath(tile))).bytes)
    if (!entries.ok || entries.value.length < tile.width) throw broken(`${source.place} does not hold the ${tile.width} entries from ${frontier.size} on.`)
    for (const entry of entries.value.slice(0, tile.width)) {
      const index = frontier.size
      frontier = appendLeaf(frontier, leafHash(entry, sha256), sha256)
      told(index, entry, rootNow)
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${verifier.name}: ${frontier.size} of ${size} entries`)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  if (!sameBytes(rootNow(), root)) throw broken(`The ${size} entries of ${source.place} are not those that ${verifier.name} signed: their root is another.`)
  return { origin: verifier.name, size, isKeyOwn: key === undefined }
}

const broken = (sentence: string): CommandFailure => new CommandFailure(exits.found, sentence)
