import { crc32, inflateRawSync } from 'node:zlib'
import { cursorOf, Unreadable, type Cursor } from './cursor.ts'

/** A file in a zip, as its directory has it. */
interface ZipEntry {
  readonly name: string
  readonly isDeflated: boolean
  readonly crc: number
  /** In the zip, and unpacked. */
  readonly packed_bytes: number
  readonly bytes: number
  /** Of its own header. */
  readonly at: number
}

export interface Zip {
  readonly entries: ReadonlyMap<string, ZipEntry>
  /** Where the directory begins, and where what stands behind it does. */
  readonly directoryAt: number
  readonly endAt: number
}

const end_bytes = 22
const unpacked_bytes_max = 8 * 1024 * 1024
/** Of a file that is encrypted. */
const encrypted = 0x0001

/**
 * The directory of a zip (PKWARE APPNOTE.TXT 6.3.10), as strictly as packages are written: no comment, no zip64, no name twice, nothing between the directory and its end.
 * @throws Unreadable
 */
export function readZip(bytes: Buffer): Zip {
  if (bytes.length < end_bytes || bytes.readUInt32LE(0) !== 0x0403_4b50) throw new Unreadable('This is no Android package: it does not begin as a zip does.')
  const endAt = bytes.length - end_bytes
  const end = cursorOf(bytes.subarray(endAt), 'The end of the zip')
  if (end.u32() !== 0x0605_4b50) throw new Unreadable('This is no whole Android package: the zip has no end, or something stands behind it. Was it cut off on its way?')
  const disks = [end.u16(), end.u16()]
  const [here, count] = [end.u16(), end.u16()]
  const [length, directoryAt] = [end.u32(), end.u32()]
  if (disks.some((disk) => disk !== 0) || here !== count || end.u16() !== 0) throw new Unreadable('The zip is in several parts, or has a comment: packages have neither.')
  if (directoryAt + length !== endAt) throw new Unreadable(`The directory of the zip is to stand at ${directoryAt}, with ${length} bytes, and its end is at ${endAt}.`)
  return { entries: readDirectory(cursorOf(bytes.subarray(directoryAt, endAt), 'The directory of the zip'), count), directoryAt, endAt }
}

function readDirectory(directory: Cursor, count: number): ReadonlyMap<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>()
  let unpacked_bytes = 0
  for (let nth = 0; nth < count; nth++) {
    const entry = readListed(directory)
    if (entries.has(entry.name)) throw new Unreadable(`The zip has ${entry.name} twice.`)
    if ((unpacked_bytes += entry.bytes) > unpacked_bytes_max) throw new Unreadable(`The files of the zip have more than ${unpacked_bytes_max} bytes.`)
    entries.set(entry.name, entry)
  }
  directory.end()
  return entries
}

function readListed(directory: Cursor): ZipEntry {
  if (directory.u32() !== 0x0201_4b50) throw new Unreadable('The directory of the zip has something else than a file in it.')
  directory.take(4)
  const [flags, method] = [directory.u16(), directory.u16()]
  directory.take(4)
  const [crc, packed_bytes, bytes] = [directory.u32(), directory.u32(), directory.u32()]
  const [nameLength, extraLength, commentLength] = [directory.u16(), directory.u16(), directory.u16()]
  directory.take(8)
  const at = directory.u32()
  const name = directory.take(nameLength).toString('utf8')
  directory.take(extraLength + commentLength)
  if ((flags & encrypted) !== 0 || (method !== 0 && method !== 8)) throw new Unreadable(`${printable(name)} is encrypted, or packed by method ${method}: phones read stored and deflated files.`)
  return { name: printable(name), isDeflated: method === 8, crc, packed_bytes, bytes, at }
}

const printable = (name: string): string => name.replace(/[^\x21-\x7e]/g, '?').slice(0, 100)

/** A file's content. @param before which it must end: what stands behind is no file. @throws Unreadable */
export function unzip(bytes: Buffer, { name, isDeflated, crc, packed_bytes, bytes: length, at }: ZipEntry, before: number): Buffer {
  const head = cursorOf(bytes.subarray(Math.min(at, before), before), name)
  if (head.u32() !== 0x0403_4b50) throw new Unreadable(`${name} does not stand where the directory says.`)
  head.take(22)
  const [nameLength, extraLength] = [head.u16(), head.u16()]
  if (head.take(nameLength).toString('utf8') !== name) throw new Unreadable(`${name} has another name where it stands.`)
  head.take(extraLength)
  const content = unpacked(head.take(packed_bytes), isDeflated, length, name)
  if (content.length !== length || crc32(content) !== crc) throw new Unreadable(`${name} is not what the directory says: length or CRC-32 differ.`)
  return content
}

function unpacked(packed: Buffer, isDeflated: boolean, length: number, name: string): Buffer {
  if (!isDeflated) return packed
  try {
    return inflateRawSync(packed, { maxOutputLength: length + 1 })
  } catch {
    throw new Unreadable(`${name} cannot be unpacked.`)
  }
}
