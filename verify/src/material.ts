import { readPhotos } from '@kawal/core/recap/photo.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { sha256 } from './cryptography.ts'

/** What somebody gives to be verified is told apart by what is in it; a name is looked at only where the content says nothing. */
type Kind =
  /** A signed record. */
  | 'record'
  /** A receipt, or a proof of KPU's answer: a tlog-proof. */
  | 'proof'
  /** A list of photos. */
  | 'list'
  /** A signed note of a log. */
  | 'checkpoint'
  | 'photo'
  /** KPU's answer, or what is of no use here. */
  | 'file'

export interface Item {
  readonly kind: Kind
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** SHA-256, hex. */
  readonly hash: string
  /** The public key that came with a record, raw; null for none. */
  readonly key: Uint8Array<ArrayBuffer> | null
}

const proof_start = 'c2sp.org/tlog-proof@'
/** A text with more than this is no link, receipt or note. */
const text_bytes_max = 2_100_000

/** One file, or a text as somebody pasted or scanned it: a link holds several things. */
export function readItems(name: string, bytes: Uint8Array<ArrayBuffer>): Item[] {
  const kind = kindOf(bytes)
  if (kind !== null) return [itemOf(kind, name, bytes)]
  const text = bytes.length > text_bytes_max ? null : textOf(bytes)
  const linked = text === null ? [] : readLinked(name, text)
  if (linked.length > 0) return linked
  // A damaged file is told by its ending what it was meant to be, and fails at that.
  const [, ending = ''] = /\.([a-z0-9-]+)$/i.exec(name) ?? []
  return [itemOf(endings[ending.toLowerCase()] ?? 'file', name, bytes)]
}

/** Everything is there once; a record that comes again with its key has it from then on. */
export function addItems(held: readonly Item[], more: readonly Item[]): Item[] {
  const all = new Map(held.map((item) => [`${item.kind} ${item.hash}`, item]))
  for (const item of more) {
    const before = all.get(`${item.kind} ${item.hash}`)
    if (before === undefined || (before.key === null && item.key !== null)) all.set(`${item.kind} ${item.hash}`, before === undefined ? item : { ...before, key: item.key })
  }
  return [...all.values()]
}

/**
 * Behind `#`: `rekap=RECORD&kunci=KEY`, as the QR of a record has it, with any number of `bukti=PROOF` and a `daftar=LIST`, all in
 * base64url. Words around a link, as a message has them, are passed over.
 */
function readLinked(name: string, text: string): Item[] {
  const [, fragment] = /#((?:rekap|kunci|bukti|daftar)=[\w\-=&]+)/.exec(text) ?? []
  if (fragment === undefined) return []
  const values = new URLSearchParams(fragment)
  const key = readBase64Url(values.get('kunci') ?? '')
  const read = (part: string, kind: Kind): Item[] => values.getAll(part).flatMap((each) => {
    const bytes = readBase64Url(each)
    return bytes === null ? [] : [itemOf(kind, name, bytes, kind === 'record' && key !== null && isRawKey(key) ? key : null)]
  })
  return [...read('rekap', 'record'), ...read('bukti', 'proof'), ...read('daftar', 'list')]
}

export const isRawKey = (key: Uint8Array): boolean => key.length === 32 || (key.length === 65 && key[0] === 4)

/** @returns null for what is no base64url, or empty */
export function readBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
  } catch {
    return null
  }
}

export const textOf = (bytes: Uint8Array<ArrayBuffer>): string | null => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

const itemOf = (kind: Kind, name: string, bytes: Uint8Array<ArrayBuffer>, key: Item['key'] = null): Item => ({ kind, name, bytes, hash: hexOf(sha256(bytes)), key })

/** @returns null where the content does not say */
function kindOf(bytes: Uint8Array<ArrayBuffer>): Kind | null {
  if (bytes[0] === 0xd2) return 'record'
  if (isPicture(bytes)) return 'photo'
  if (readPhotos(bytes).ok) return 'list'
  const text = bytes.length > text_bytes_max ? null : textOf(bytes)
  if (text?.startsWith(proof_start) === true) return 'proof'
  return text !== null && /\n\n— \S+ \S+\n/.test(text) ? 'checkpoint' : null
}

const endings: Readonly<Record<string, Kind>> = { cose: 'record', 'tlog-proof': 'proof', cbor: 'list', checkpoint: 'checkpoint', jpg: 'photo', jpeg: 'photo', png: 'photo', webp: 'photo', heic: 'photo' }

/** JPEG, PNG, WebP, and HEIC by its box `ftyp`. */
function isPicture(bytes: Uint8Array): boolean {
  const starts = (at: number, ...values: number[]): boolean => values.every((value, index) => bytes[at + index] === value)
  return starts(0, 0xff, 0xd8, 0xff) || starts(0, 0x89, 0x50, 0x4e, 0x47) || (starts(0, 0x52, 0x49, 0x46, 0x46) && starts(8, 0x57, 0x45, 0x42, 0x50)) || (starts(4, 0x66, 0x74, 0x79, 0x70) && starts(8, 0x68, 0x65))
}
