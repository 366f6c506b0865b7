import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { gained, topOf } from '@kawal/core/ledger/audit.ts'
import type { TileFile } from '@kawal/core/ledger/growth.ts'
import { tilePath } from '@kawal/core/ledger/tiles.ts'
import { syncFolder, writeDurably } from '../durable.ts'
import { folderSource, note_bytes_max, type LogSource } from './source.ts'

/** A copy of a log as files, which any web server can serve and anybody verify again. */
export interface Mirror {
  readonly source: LogSource
  /** The newest checkpoint that all files are there for; null for none. */
  checkpoint(): Promise<string | null>
  /** Takes files that were proved. They are on disk when `finish` resolves. */
  keep(files: readonly TileFile[]): Promise<void>
  /** Shows a checkpoint, whose files were all kept; it had `older` entries before. */
  finish(note: string, key: string, older: number, size: number): Promise<void>
}

/** Each waits for the disk. */
const writing_max = 16
/** A web server reads them. */
const mode = 0o644

/** A file is there whole or not at all, so whatever an interrupted copy left can be built on. */
export function openMirror(folder: string): Mirror {
  const writing = new Set<Promise<void>>()
  const unsynced = new Set<string>()
  let failed: unknown = null

  async function write(path: string, bytes: string | Uint8Array): Promise<void> {
    const target = join(folder, path)
    const made = await mkdir(dirname(target), { recursive: true })
    // a new folder's own name is in the one above
    for (let each = dirname(target); made !== undefined && each.length >= made.length; each = dirname(each)) unsynced.add(dirname(each))
    const draft = `.${basename(target)}-${randomUUID()}`
    await writeDurably(dirname(target), draft, bytes, mode)
    await rename(join(dirname(target), draft), target)
    unsynced.add(dirname(target))
  }
  async function settle(): Promise<void> {
    await Promise.all(writing)
    if (failed !== null) throw failed
    for (const each of unsynced) await syncFolder(each)
    unsynced.clear()
  }

  return {
    source: folderSource(folder),
    checkpoint: async () => {
      const bytes = await folderSource(folder).read('checkpoint', note_bytes_max)
      return bytes === null ? null : Buffer.from(bytes).toString('utf8')
    },
    async keep(files) {
      for (const { tile, bytes } of files) {
        if (existsSync(join(folder, tilePath(tile)))) continue
        if (writing.size >= writing_max) await Promise.race(writing)
        if (failed !== null) throw failed
        const one: Promise<void> = write(tilePath(tile), bytes).catch((error: unknown) => void (failed = error)).finally(() => writing.delete(one))
        writing.add(one)
      }
    },
    async finish(note, key, older, size) {
      await settle()
      if (!existsSync(join(folder, 'key'))) await write('key', `${key}\n`)
      await write('checkpoint', note)
      await settle()
      // the full tile stands for those that were partial
      for (const level of ['entries' as const, ...Array.from({ length: topOf(size) + 1 }, (_, at) => at)])
        for (const tile of gained(level === 'entries' ? 0 : level, older, size)) await rm(join(folder, `${tilePath({ ...tile, level })}.p`), { recursive: true, force: true })
    },
  }
}
