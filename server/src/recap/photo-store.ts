import { createHash, type Hash } from 'node:crypto'

/** A photo by its content: who names another size names another photo. */
export interface PhotoId {
  /** Hex. */
  readonly sha256: string
  readonly size: number
}

/** What is there is not what the sender thinks. */
export class OffsetConflict extends Error {
  readonly offset: number
  constructor(offset: number) {
    super(`${offset} bytes are there`)
    this.offset = offset
  }
}
/** All bytes came, and their hash is another: the next ones begin at 0. */
export class PhotoOther extends Error {}
/** Another request brings bytes of the same photo. */
export class UploadLocked extends Error {}
/** More bytes than the photo has. */
export class PhotoTooLong extends Error {}

interface Appended {
  /** Bytes that are on disk. */
  readonly offset: number
  /** Why the sender's bytes ended before their end; null when they did not. */
  readonly broken: unknown
}

/** A file that bytes are added to. */
interface PhotoFile {
  /** Behind those that are there. A stop may leave any beginning of what was not synced. */
  write(pieces: readonly Buffer[]): Promise<void>
  /** All that was written, and of a new file its name, outlives any stop. @throws FsyncFailed */
  sync(): Promise<void>
  /** It may be held open for its next piece, unless something failed. */
  close(): Promise<void>
}

/** The files of photos, by the names that the store gives them. */
export interface PhotoFiles {
  /** @returns null where there is none */
  size(name: string): Promise<number | null>
  /** Bytes `from` to before `to`. @throws Error where the file has fewer */
  read(name: string, from: number, to: number): Promise<Uint8Array<ArrayBuffer>>
  /** Opens a file to add to it. @param isNew it is made */
  append(name: string, isNew: boolean): Promise<PhotoFile>
  /** All bytes that it has now, and its name, outlive any stop. @throws FsyncFailed */
  sync(name: string): Promise<void>
  /** At each instant it has one name or the other; the new one outlives any stop when this resolves. */
  rename(from: string, to: string): Promise<void>
  /** Lets go of what is open; nothing of it waits for the disk. */
  close(): Promise<void>
}

/** Bytes are written to disk in pieces of this size: a phone sends as many in one request. */
const piece_bytes = 262_144
/** Hashes of uploads under way; one that is not remembered is made again from the file. */
const hashes_max = 4_096

/**
 * Photos as files, named by their hash. What a request brought is on disk when it is answered, also where its line broke in the middle;
 * a photo stands under its own name only when all of it is on disk and its hash is right.
 */
export function createPhotoStore(files: PhotoFiles) {
  const locked = new Set<string>()
  const hashes = new Map<string, { readonly hash: Hash; readonly at: number }>()

  const nameOf = ({ sha256, size }: PhotoId): string => `${sha256}-${size}`
  const partOf = (photo: PhotoId): string => `${nameOf(photo)}.part`

  /** Of what is on disk up to there. */
  async function hashUpTo(photo: PhotoId, at: number): Promise<Hash> {
    const known = hashes.get(nameOf(photo))
    if (known?.at === at) return known.hash
    const hash = createHash('sha256')
    for (let from = 0; from < at; from += piece_bytes) hash.update(await files.read(partOf(photo), from, Math.min(at, from + piece_bytes)))
    return hash
  }

  function remember(photo: PhotoId, hash: Hash, at: number): void {
    hashes.delete(nameOf(photo))
    if (hashes.size >= hashes_max) hashes.delete(hashes.keys().next().value as string)
    hashes.set(nameOf(photo), { hash, at })
  }

  /** All bytes are on disk: under its own name it goes, or aside. */
  async function finish(photo: PhotoId, hash: Hash): Promise<void> {
    hashes.delete(nameOf(photo))
    const isRight = hash.digest('hex') === photo.sha256
    await files.rename(partOf(photo), isRight ? nameOf(photo) : `${nameOf(photo)}.other`)
    if (!isRight) throw new PhotoOther('other bytes than the hash names')
  }

  async function withLock<T>(photo: PhotoId, work: () => Promise<T>): Promise<T> {
    const name = nameOf(photo)
    if (locked.has(name)) throw new UploadLocked('under way')
    locked.add(name)
    try {
      return await work()
    } finally {
      locked.delete(name)
    }
  }

  /** How many bytes are on disk. A stop between the last byte and the name is made good here. */
  async function bytesThere(photo: PhotoId): Promise<number> {
    const size = await files.size(partOf(photo))
    if (size === null) return (await files.size(nameOf(photo))) === photo.size ? photo.size : 0
    // What a program wrote that ended before it synced looks as what is on disk; so does a first piece that failed, whose file may have no name after a stop.
    if (size > 0 && hashes.get(nameOf(photo))?.at !== size) await files.sync(partOf(photo))
    if (size < photo.size) return size
    return finish(photo, await hashUpTo(photo, photo.size)).then(() => photo.size, (error: unknown) => {
      if (error instanceof PhotoOther) return 0
      throw error
    })
  }

  async function append(photo: PhotoId, from: number, body: AsyncIterable<Buffer>): Promise<Appended> {
    const there = await bytesThere(photo)
    if (there !== from) throw new OffsetConflict(there)
    if (there === photo.size) return { offset: there, broken: null }
    const hash = await hashUpTo(photo, from)
    const file = await files.append(partOf(photo), from === 0)
    let offset = from
    let broken: unknown = null
    try {
      let [held, length]: [Buffer[], number] = [[], 0]
      const write = async (): Promise<void> => {
        if (length === 0) return
        await file.write(held)
        for (const each of held) hash.update(each)
        offset += length
        ;[held, length] = [[], 0]
      }
      try {
        for await (const bytes of body) {
          if (offset + length + bytes.length > photo.size) throw new PhotoTooLong('more bytes than the photo has')
          held.push(bytes)
          length += bytes.length
          if (length >= piece_bytes) await write()
        }
      } catch (error) {
        if (error instanceof PhotoTooLong || isOfDisk(error)) throw error
        broken = error
      }
      await write()
      await file.sync()
    } catch (error) {
      // What was written of it, the file says; its hash is made again.
      hashes.delete(nameOf(photo))
      throw error
    } finally {
      await file.close()
    }
    if (offset === photo.size) await finish(photo, hash)
    else remember(photo, hash, offset)
    return { offset, broken }
  }

  return {
    /** @throws UploadLocked */
    offset: (photo: PhotoId): Promise<number> => withLock(photo, () => bytesThere(photo)),
    /**
     * Adds bytes behind those that are there; on disk when it resolves, also where the sender broke off.
     * @throws OffsetConflict, PhotoOther, PhotoTooLong, UploadLocked, FsyncFailed
     */
    append: (photo: PhotoId, from: number, body: AsyncIterable<Buffer>): Promise<Appended> => withLock(photo, () => append(photo, from, body)),
    /** Of one that is whole. */
    read: (photo: PhotoId, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> => files.read(nameOf(photo), from, to),
    close: files.close,
  }
}

export type PhotoStore = ReturnType<typeof createPhotoStore>

const isOfDisk = (error: unknown): boolean => error instanceof Error && 'syscall' in error && (error as NodeJS.ErrnoException).syscall?.startsWith('write') === true
