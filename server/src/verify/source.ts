import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TileRead } from '@kawal/core/ledger/audit.ts'
import { entry_bytes_max } from '@kawal/core/ledger/bundle.ts'
import { note_chars_max } from '@kawal/core/ledger/note.ts'
import { hash_bytes } from '@kawal/core/ledger/merkle.ts'
import { tilePath, tile_width, type Tile } from '@kawal/core/ledger/tiles.ts'

/** Where a log's files come from (spec/ledger.md, *Addresses*). Null is what is not there. @throws NoAnswer */
export interface LogSource {
  /** For people. */
  readonly place: string
  read(path: string, bytes_max: number): Promise<Uint8Array | null>
}

/** Whoever keeps the log does not answer, or not what can be made sense of. */
export class NoAnswer extends Error {}

/** UTF-8 has up to 4 bytes a character. */
export const note_bytes_max = 4 * note_chars_max
const tile_bytes_max = tile_width * hash_bytes
const bundle_bytes_max = tile_width * (2 + entry_bytes_max)
const answer_ms = 30_000
/** A line that fails once mostly holds the next time; what is down for longer is told. */
const attempts = 3
const first_pause_ms = 300

/** A tile or a bundle; the full one where the partial one is gone. */
export async function readTileFrom(source: LogSource, tile: Tile): Promise<TileRead | null> {
  const bytes_max = tile.level === 'entries' ? bundle_bytes_max : tile_bytes_max
  const bytes = await source.read(tilePath(tile), bytes_max)
  if (bytes !== null) return { bytes, width: tile.width }
  const full = tile.width === tile_width ? null : await source.read(tilePath({ ...tile, width: tile_width }), bytes_max)
  return full === null ? null : { bytes: full, width: tile_width }
}

/** @param where an address, or a folder as path or `file:` */
export function sourceOf(where: string, pause: (ms: number) => Promise<unknown>): LogSource {
  if (/^https?:\/\//.test(where)) return httpSource(where.replace(/\/+$/, ''), pause)
  return folderSource(where.startsWith('file:') ? fileURLToPath(where) : where)
}

export function folderSource(place: string): LogSource {
  return {
    place,
    async read(path, bytes_max) {
      try {
        const bytes = await readFile(join(place, path))
        return bytes.length > bytes_max ? bytes.subarray(0, bytes_max + 1) : bytes
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
        throw new NoAnswer(`${join(place, path)} cannot be read: ${(error as Error).message}.`)
      }
    },
  }
}

/** What is there already, and what is not from elsewhere. */
export const firstOf = (near: LogSource, far: LogSource): LogSource => ({ place: far.place, read: async (path, bytes_max) => (await near.read(path, bytes_max)) ?? far.read(path, bytes_max) })

function httpSource(place: string, pause: (ms: number) => Promise<unknown>): LogSource {
  return {
    place,
    async read(path, bytes_max) {
      for (let attempt = 1; ; attempt++) try {
        return await ask(`${place}/${path}`, bytes_max)
      } catch (error) {
        if (attempt === attempts || !(error instanceof NoAnswer)) throw error
        await pause(first_pause_ms * 2 ** (attempt - 1))
      }
    },
  }
}

async function ask(address: string, bytes_max: number): Promise<Uint8Array | null> {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(answer_ms) })
    if (answer.ok) return await bodyOf(answer, bytes_max)
    await answer.body?.cancel()
    if (answer.status === 404 || answer.status === 410) return null
    throw new NoAnswer(`${address} answered ${answer.status}.`)
  } catch (error) {
    throw error instanceof NoAnswer ? error : new NoAnswer(`${address} does not answer: ${(error as Error).message}.`)
  }
}

/** One byte more than may be is enough to see that it is too long. */
async function bodyOf(answer: Response, bytes_max: number): Promise<Uint8Array> {
  if (answer.body === null) return new Uint8Array()
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
    parts.push(part)
    length += part.length
    if (length > bytes_max) break
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
}
