import { hash_bytes } from './bytes.ts'
import { contests, type Contest } from './form.ts'
import { recapKeys } from './record.ts'

/** Of a signed record what says where it belongs; `kid` and the hashes are views of the bytes. */
export interface Glance {
  readonly kid: Uint8Array
  readonly station: number
  readonly contest: Contest
  readonly madeAt: number
  readonly sequence: number
  readonly previous: Uint8Array | null
  readonly replaces: Uint8Array | null
  readonly photos: Uint8Array
}

/** An envelope begins with tag 18, a list of four, and a header of 13 bytes: {1: alg, 4: kid}; then {} and the record. */
const before_kid = [0xd2, 0x84, 0x4d, 0xa2, 0x01, null, 0x04, 0x48]
const kid_bytes = 8
const depth_max = 8
const entry_parts_max = 16

/**
 * Reads over a record without making sure that it is one: a tenth of what `readSignedRecap` takes, for who counts millions that others have read already. Of
 * what that takes, it says the same.
 * @returns null for what does not look like one
 */
export function glanceAt(envelope: Uint8Array): Glance | null {
  if (before_kid.some((byte, at) => byte !== null && envelope[at] !== byte) || envelope[before_kid.length + kid_bytes] !== 0xa0) return null
  const reader: Reader = { bytes: envelope, at: before_kid.length + kid_bytes + 1 }
  const payload = head(reader)
  if (payload === null || payload.major !== 2) return null
  const map = head(reader)
  if (map === null || map.major !== 5) return null
  const numbers = new Map<number, number>()
  const parts = new Map<number, Uint8Array>()
  for (let left = map.value; left > 0; left--) {
    const key = head(reader)
    if (key === null || key.major !== 0 || !readValue(reader, key.value, numbers, parts)) return null
  }
  const contest = contests[numbers.get(recapKeys.contest) ?? -1]
  const [station, madeAt, sequence, photos] = [numbers.get(recapKeys.station), numbers.get(recapKeys.madeAt), numbers.get(recapKeys.sequence), parts.get(recapKeys.photos)]
  if (contest === undefined || station === undefined || madeAt === undefined || sequence === undefined || photos === undefined) return null
  return { kid: envelope.subarray(before_kid.length, before_kid.length + kid_bytes), station, contest, madeAt, sequence, previous: parts.get(recapKeys.previous) ?? null, replaces: parts.get(recapKeys.replaces) ?? null, photos }
}

/** What stands in an entry: its kind, then whole numbers and bytes, which are views. */
interface EntryGlance { readonly kind: number; readonly parts: readonly (number | Uint8Array)[] }

/** Reads over an entry of the ledger in the same way. @returns null for one that holds anything else, and for what is none */
export function glanceAtEntry(entry: Uint8Array): EntryGlance | null {
  const reader: Reader = { bytes: entry, at: 0 }
  const list = head(reader)
  if (list === null || list.major !== 4 || list.value > entry_parts_max) return null
  const parts: (number | Uint8Array)[] = []
  for (let left = list.value; left > 0; left--) {
    const part = head(reader)
    if (part === null || (part.major !== 0 && part.major !== 2)) return null
    if (part.major === 0) parts.push(part.value)
    else {
      parts.push(entry.subarray(reader.at, reader.at + part.value))
      reader.at += part.value
    }
  }
  const [kind, ...rest] = parts
  return typeof kind === 'number' && reader.at === entry.length ? { kind, parts: rest } : null
}

interface Reader { readonly bytes: Uint8Array; at: number }
interface Head { readonly major: number; readonly value: number }

/** Keeps whole numbers and hashes of the record's own map, and steps over everything else. */
function readValue(reader: Reader, key: number, numbers: Map<number, number>, parts: Map<number, Uint8Array>): boolean {
  const from = reader.at
  const read = head(reader)
  if (read === null) return false
  if (read.major === 0) numbers.set(key, read.value)
  else if (read.major === 2 && read.value === hash_bytes) parts.set(key, reader.bytes.subarray(reader.at, reader.at + hash_bytes))
  reader.at = from
  return skip(reader, 0)
}

function skip(reader: Reader, depth: number): boolean {
  const read = head(reader)
  if (read === null || depth > depth_max) return false
  if (read.major === 2 || read.major === 3) reader.at += read.value
  else if (read.major === 4 || read.major === 5) {
    for (let left = read.major === 4 ? read.value : 2 * read.value; left > 0; left--) if (!skip(reader, depth + 1)) return false
  } else if (read.major === 6) return false
  return reader.at <= reader.bytes.length
}

/** First byte and argument (RFC 8949, section 3); null behind the end, or for lengths that are not written. */
function head(reader: Reader): Head | null {
  const { bytes } = reader
  const first = bytes[reader.at++]
  if (first === undefined) return null
  const [major, info] = [first >> 5, first & 31]
  if (info < 24) return { major, value: info }
  if (info > 27) return null
  let value = 0
  for (let left = 1 << (info - 24); left > 0; left--) value = value * 256 + (bytes[reader.at++] ?? Number.NaN)
  return Number.isNaN(value) ? null : { major, value }
}
