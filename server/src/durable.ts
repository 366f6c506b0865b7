import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** After an error of fsync nobody knows what is on disk, and asking again says that all is well: the process must end (PostgreSQL does the same). */
export class FsyncFailed extends Error {}

/** Bytes and length; times may come later. @throws FsyncFailed */
export async function syncFile(file: FileHandle): Promise<void> {
  try {
    await file.datasync()
  } catch (error) {
    throw new FsyncFailed('fsync failed: nobody knows what is on disk', { cause: error })
  }
}

/** What a folder names is on disk only when the folder is. @throws FsyncFailed */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await syncFile(handle)
  } finally {
    await handle.close()
  }
}

/** Writes a file whose bytes are on disk when this resolves; its name is not, before `syncFolder`. */
export async function writeDurably(folder: string, name: string, bytes: string | Uint8Array, mode = 0o600): Promise<void> {
  const file = await open(join(folder, name), 'w', mode)
  try {
    await file.writeFile(bytes)
    await syncFile(file)
  } finally {
    await file.close()
  }
}
