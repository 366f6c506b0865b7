import type { SignerFolder } from '@kawal/server/src/ledger/signer.ts'
import { FsyncFailed } from '@kawal/server/src/durable.ts'
import type { PhotoFiles } from '@kawal/server/src/recap/photo-store.ts'
import type { Random } from '@kawal/core/kernel/random.ts'
import type { Io } from './world.ts'

/** A file: its bytes, and how many of them outlive a loss of power. */
interface File { bytes: Buffer; synced: number }

/**
 * One folder on a disk. A file's bytes outlive a loss of power up to its last sync, and a name when the folder was synced since it was given or taken. What was not may
 * be there afterwards or not: any beginning of the bytes, and any beginning of the changes of names, as file systems with a journal have it.
 */
export interface Disk {
  files: Map<string, File>
  /** Names as a loss of power leaves them. */
  named: Map<string, File>
  /** Changes of names since, in their order. */
  changes: ((named: Map<string, File>) => void)[]
}

export const createDisk = (): Disk => ({ files: new Map(), named: new Map(), changes: [] })

function change(disk: Disk, work: (files: Map<string, File>) => void): void {
  work(disk.files)
  disk.changes.push(work)
}
function syncNames(disk: Disk): void {
  for (const work of disk.changes.splice(0)) work(disk.named)
}

/** The power is gone and comes back. */
export function losePower(disk: Disk, random: Random): void {
  for (const work of disk.changes.splice(0, Math.floor(random() * (disk.changes.length + 1)))) work(disk.named)
  disk.changes = []
  for (const file of disk.named.values()) {
    const unsynced = file.bytes.length - file.synced
    if (unsynced <= 0) continue
    const kept = file.synced + Math.floor(random() * (unsynced + 1))
    file.bytes = file.bytes.subarray(0, kept)
    file.synced = file.bytes.length
  }
  disk.files = new Map(disk.named)
}

/** The signer's folder on such a disk. @param fails whether this operation fails, before it has done anything */
export function signerFolderOn(disk: Disk, io: Io, path: string, fails: () => boolean = () => false): SignerFolder {
  const mayFail = (): void => {
    if (fails()) throw new Error('EMFILE: too many open files')
  }
  return {
    path,
    names: () => io.look(() => {
      mayFail()
      return [...disk.files.keys()]
    }),
    read: (name) => io.look(() => disk.files.get(name)?.bytes.toString('utf8') ?? null),
    place: (name, text) => io.change(() => {
      mayFail()
      if (disk.files.has(name)) return false
      const file = { bytes: Buffer.from(text), synced: Buffer.byteLength(text) }
      change(disk, (files) => void files.set(name, file))
      return true
    }),
    remove: (name) => io.change(() => {
      mayFail()
      if (!disk.files.has(name)) throw new Error(`${name} is not there`)
      change(disk, (files) => void files.delete(name))
    }),
    sync: () => io.change(() => {
      mayFail()
      syncNames(disk)
    }),
  }
}

/** Photos on such a disk. @param fails whether this sync fails: then nobody knows what is on disk */
export function photoFilesOn(disk: Disk, io: Io, fails: () => boolean = () => false): PhotoFiles {
  return {
    size: (name) => io.look(() => disk.files.get(name)?.bytes.length ?? null),
    read: (name, from, to) => io.look(() => {
      const piece = Uint8Array.from(disk.files.get(name)?.bytes.subarray(from, to) ?? [])
      if (piece.length !== to - from) throw new Error(`${name} has ${from + piece.length} bytes, and ${to} were kept`)
      return piece
    }),
    append: (name, isNew) => io.change(() => {
      if (!disk.files.has(name)) {
        const made = { bytes: Buffer.alloc(0), synced: 0 }
        change(disk, (files) => void files.set(name, made))
      }
      const file = disk.files.get(name) as File
      return {
        write: (pieces) => io.change(() => void (file.bytes = Buffer.concat([file.bytes, ...pieces]))),
        sync: () => io.change(() => {
          if (fails()) throw new FsyncFailed('fsync failed: nobody knows what is on disk')
          file.synced = file.bytes.length
          if (isNew) syncNames(disk)
        }),
        close: () => Promise.resolve(),
      }
    }),
    sync: (name) => io.change(() => {
      const file = disk.files.get(name)
      if (file === undefined) throw new Error(`${name} is not there`)
      if (fails()) throw new FsyncFailed('fsync failed: nobody knows what is on disk')
      file.synced = file.bytes.length
      syncNames(disk)
    }),
    rename: (from, to) => io.change(() => {
      const file = disk.files.get(from)
      if (file === undefined) throw new Error(`${from} is not there`)
      change(disk, (files) => {
        files.set(to, file)
        files.delete(from)
      })
      syncNames(disk)
    }),
    close: () => Promise.resolve(),
  }
}
