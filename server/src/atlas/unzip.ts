import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'

/** A zip that cannot be unpacked; the sentence says why. */
export class BadZip extends Error {}

interface Entry {
  readonly name: string
  readonly method: number
  readonly packed: number
  readonly size: number
  readonly at: number
}

/** What a zip may unfold to: a nation's shapefile has some hundred megabytes. */
const unpacked_bytes_max = 4 * 1024 ** 3
const entries_max = 10_000
/** The end record and the longest comment behind it (APPNOTE.TXT 4.3.16). */
const end_bytes_max = 22 + 65_535

/**
 * Unpacks a zip archive (PKWARE APPNOTE.TXT 6.3.10; stored and deflated, no zip64, no encryption) into a folder.
 * @returns the files' paths, in the order of the archive
 * @throws BadZip when it is damaged, too large, or of another kind
 */
export async function unzip(path: string, folder: string): Promise<string[]> {
  const file = await open(path)
  try {
    const entries = await readDirectory(file)
    if (entries.reduce((sum, entry) => sum + entry.size, 0) > unpacked_bytes_max) throw new BadZip('it unfolds to more than 4 GB: unpack it and give the folder')
    const paths: string[] = []
    for (const entry of entries) {
      const target = join(folder, safeName(entry.name))
      if (entry.name.endsWith('/') || /(^|\/)(__MACOSX\/|\.)/.test(entry.name)) continue
      mkdirSync(dirname(target), { recursive: true })
      await unpack(file, path, entry, target)
      paths.push(target)
    }
    return paths
  } finally {
    await file.close()
  }
}

/** A name inside the folder, or none: an archive may not write elsewhere. */
function safeName(name: string): string {
  const plain = normalize(name.replaceAll('\\', '/'))
  if (plain.startsWith('/') || plain.startsWith('..') || /^[a-z]:/i.test(plain)) throw new BadZip(`it holds a file that would lie elsewhere: ${name}`)
  return plain
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
  if (bytesRead < length) throw new BadZip('it is cut off')
  return buffer
}

async function readDirectory(file: FileHandle): Promise<Entry[]> {
  const { size } = await file.stat()
  const tail = await bytesAt(file, Math.max(0, size - end_bytes_max), Math.min(size, end_bytes_max))
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  if (end < 0 || end + 22 > tail.length) throw new BadZip('it is no zip, or cut off')
  const count = tail.readUInt16LE(end + 10)
  const length = tail.readUInt32LE(end + 12)
  const from = tail.readUInt32LE(end + 16)
  if (from === 0xffff_ffff || count === 0xffff) throw new BadZip('it is a zip64, which is not read: unpack it and give the folder')
  if (count > entries_max) throw new BadZip(`it holds ${count} files`)
  const directory = await bytesAt(file, from, length)
  const entries: Entry[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x0201_4b50) throw new BadZip('its directory is damaged')
    const names = directory.readUInt16LE(at + 28)
    if ((directory.readUInt16LE(at + 8) & 1) === 1) throw new BadZip('it is encrypted')
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + names), method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20), size: directory.readUInt32LE(at + 24), at: directory.readUInt32LE(at + 42),
    })
    at += 46 + names + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

async function unpack(file: FileHandle, path: string, entry: Entry, target: string): Promise<void> {
  if (entry.method !== 0 && entry.method !== 8) throw new BadZip(`${entry.name} is packed by method ${entry.method}, which is not read`)
  const local = await bytesAt(file, entry.at, 30)
  const from = entry.at + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
  if (entry.packed === 0) {
    await pipeline([], createWriteStream(target))
    return
  }
  const packed = createReadStream(path, { start: from, end: from + entry.packed - 1 })
  let written = 0
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      // the directory may lie about the size
      written += chunk.length
      if (written > entry.size) throw new BadZip(`${entry.name} is longer than the archive says`)
      yield chunk
    }
  }
  await (entry.method === 8 ? pipeline(packed, createInflateRaw(), counted, createWriteStream(target)) : pipeline(packed, counted, createWriteStream(target)))
  if (written !== entry.size) throw new BadZip(`${entry.name} is cut off`)
}
