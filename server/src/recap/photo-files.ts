import { statSync } from 'node:fs'
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFile, syncFolder } from '../durable.ts'
import type { PhotoFiles } from './photo-store.ts'

/** Files of uploads under way that are held open for their next piece: to open and close for each costs as much as its hash. */
const open_max = 256

/** Photos on disk, in folders by the first two digits of their names. */
export function photoFiles(folder: string): PhotoFiles {
  const folders = new Set<string>()
  const held = createHeld()
  const folderOf = (name: string): string => join(folder, name.slice(0, 2))
  const pathOf = (name: string): string => join(folderOf(name), name)

  async function makeFolder(path: string): Promise<void> {
    if (folders.has(path)) return
    await mkdir(path, { recursive: true, mode: 0o700 })
    await syncFolder(folder)
    await syncFolder(dirname(folder))
    folders.add(path)
  }

  return {
    // At once: of a photo that is on its way the kernel has it in memory, and asking through a thread costs ten times as much.
    size: async (name) => Promise.resolve(statSync(pathOf(name), { throwIfNoEntry: false })?.size ?? null),
    async read(name, from, to) {
      const path = pathOf(name)
      const file = await open(path)
      try {
        const piece = new Uint8Array(to - from)
        const { bytesRead } = await file.read(piece, 0, piece.length, from)
        if (bytesRead !== piece.length) throw new Error(`${path} has ${from + bytesRead} bytes, and ${to} were kept`)
        return piece
      } finally {
        await file.close()
      }
    },
    async append(name, isNew) {
      await makeFolder(folderOf(name))
      const file = await held.take(name, pathOf(name), isNew)
      let isSound = true
      const tried = (work: Promise<unknown>): Promise<void> => work.then(() => undefined, (error: unknown) => {
        isSound = false
        throw error
      })
      return {
        write: (pieces) => tried(file.writev(pieces)),
        sync: () => tried((async () => {
          await syncFile(file)
          if (isNew) await syncFolder(folderOf(name))
        })()),
        close: () => (isSound ? held.keep(name, file) : file.close()),
      }
    },
    async sync(name) {
      const file = await open(pathOf(name))
      try {
        await syncFile(file)
      } finally {
        await file.close()
      }
      await syncFolder(folderOf(name))
    },
    async rename(from, to) {
      await held.drop(from)
      await rename(pathOf(from), pathOf(to))
      await syncFolder(folderOf(to))
    },
    close: held.close,
  }
}

/** Whoever takes a file has it alone until he keeps or closes it. */
function createHeld() {
  const files = new Map<string, FileHandle>()
  const drop = async (name: string): Promise<void> => {
    const file = files.get(name)
    files.delete(name)
    await file?.close()
  }
  return {
    drop,
    /** @param isNew the first piece goes into a file of its own, whatever was open */
    async take(name: string, path: string, isNew: boolean): Promise<FileHandle> {
      if (isNew) await drop(name)
      const file = files.get(name)
      files.delete(name)
      return file ?? open(path, 'a', 0o600)
    },
    async keep(name: string, file: FileHandle): Promise<void> {
      await drop(name)
      files.set(name, file)
      const [oldest] = files.keys()
      if (files.size > open_max && oldest !== undefined) await drop(oldest)
    },
    async close(): Promise<void> {
      for (const name of [...files.keys()]) await drop(name)
    },
  }
}
