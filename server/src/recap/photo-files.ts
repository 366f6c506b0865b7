import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFile, syncFolder } from '../durable.ts'
import type { PhotoFiles } from './photo-store.ts'

/** Photos on disk, in folders by the first two digits of their names. */
export function photoFiles(folder: string): PhotoFiles {
  const folders = new Set<string>()
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
    size: (name) => stat(pathOf(name)).then(({ size }) => size, (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    }),
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
      const file = await open(pathOf(name), 'a', 0o600)
      return {
        write: async (pieces) => void (await file.writev(pieces)),
        async sync() {
          await syncFile(file)
          if (isNew) await syncFolder(folderOf(name))
        },
        close: () => file.close(),
      }
    },
    async sync(name) {
      const file = await open(pathOf(name))
      try {
        await syncFile(file)
      } finally {
        await file.close()
      }
    },
    async rename(from, to) {
      await rename(pathOf(from), pathOf(to))
      await syncFolder(folderOf(to))
    },
  }
}
