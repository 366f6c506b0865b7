import type { Random } from '@kawal/core/kernel/random.ts'
import { bundleOf, readBundle } from '@kawal/core/ledger/bundle.ts'
import { joinBytes, sameBytes } from '@kawal/core/ledger/bytes.ts'
import { emptyEdge, grow } from '@kawal/core/ledger/growth.ts'
import { tileOf, tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { receiptOf, type WrittenState } from '@kawal/testkit/written-log.ts'
import { randomBytes } from './entries.ts'

/** A log that was honest until somebody took it in hand. */
export interface World {
  /** What was seen before. */
  readonly older: WrittenState
  readonly now: WrittenState
  /** The same key's other history, of about the same size: one of the entries that were seen is another there. */
  readonly fork: WrittenState
  /** By their places. */
  readonly records: ReadonlyMap<number, Uint8Array>
}

/** What an auditor is shown. */
export type Shown =
  | { readonly kind: 'log'; readonly files: ReadonlyMap<string, Uint8Array>; readonly seen: string }
  | { readonly kind: 'receipt'; readonly receipt: Uint8Array; readonly record: Uint8Array }

export const ways = ['flip', 'delete', 'insert', 'swap', 'truncate', 'roll back', 'fork'] as const
type Way = (typeof ways)[number]

const files = {
  'full bundle': /^tile\/entries\/[\dx/]+$/, 'partial bundle': /^tile\/entries\/.*\.p\//, 'full tile of level 0': /^tile\/0\/[\dx/]+$/, 'partial tile of level 0': /^tile\/0\/.*\.p\//,
  'full tile of level 1': /^tile\/1\/[\dx/]+$/, 'partial tile of level 1': /^tile\/1\/.*\.p\//, 'tile of level 2': /^tile\/2\//,
} as const
const lines = { 'origin': 0, 'size': 1, 'root': 2, 'empty line': 3, 'signature of the log': 4, 'signature of a witness': 5, 'signature of another witness': 6 } as const
type FileTarget = keyof typeof files
type LineTarget = keyof typeof lines
/** What somebody changes who knows how a log is made: the files agree with each other, and not with what was signed. */
const rewritten = ['bundle and its tile', 'bundle and all tiles above it'] as const
const receipt_parts = ['header', 'index', 'hash', 'gap', ...Object.keys(lines), 'record'] as const

/** Everything of a log that there is to tamper with: its files, each line of its checkpoint, each line of a receipt. */
export const targets: readonly string[] = [...Object.keys(files), ...rewritten, ...Object.keys(lines), ...receipt_parts.map((part) => `receipt: ${part}`)]
/** Trees of 65,536 entries and more have them: an audit of these takes a hundred times as long as one of the others. */
export const isOfTall = (target: string): boolean => target === 'full tile of level 1' || target === 'tile of level 2'

/** @returns null where this world has no such thing, or nothing would be changed */
export function tampered(world: World, target: string, way: Way, random: Random): Shown | null {
  if (target.startsWith('receipt: ')) return tamperedReceipt(world, target.slice('receipt: '.length), way, random)
  const { now, older, fork } = world
  if (target in lines) {
    // a checkpoint that is not changed as text is another's as it is, over the files that go with it
    if (way === 'roll back' && target === 'size') return older.size === now.size ? null : { kind: 'log', files: older.files, seen: now.note }
    if (way === 'fork' && target === 'root') return fork.note === now.note ? null : { kind: 'log', files: fork.files, seen: pick([older.note, now.note], random) }
    const bytes = tamperedLine(Buffer.from(now.note), lines[target as LineTarget], way, { older: Buffer.from(older.note), fork: Buffer.from(fork.note) }, random)
    return bytes === null ? null : { kind: 'log', files: new Map(now.files).set('checkpoint', bytes), seen: older.note }
  }
  if (target === rewritten[0] || target === rewritten[1]) return rewrittenLog(world, target === rewritten[0], way, random)
  const paths = [...now.files.keys()].filter((path) => files[target as FileTarget].test(path))
  if (paths.length === 0) return null
  const path = pick(paths, random)
  const bytes = now.files.get(path) as Uint8Array
  if (way === 'delete' && random() < 0.3) return without(now, path, older)
  const changed = way === 'roll back' ? likeIn(older, path, bytes) : way === 'fork' ? likeIn(fork, path, bytes) : target.endsWith('bundle') && random() < 0.5 ? tamperedBundle(bytes, way, random) : tamperedBytes(bytes, target.includes('tile') ? 32 : 1, way, random)
  return changed === null || sameBytes(changed, bytes) ? null : { kind: 'log', files: new Map(now.files).set(path, changed), seen: older.note }
}

function without(now: WrittenState, path: string, older: WrittenState): Shown {
  const rest = new Map(now.files)
  rest.delete(path)
  return { kind: 'log', files: rest, seen: older.note }
}

/** The log made anew from entries of which some are others, under the checkpoint that was signed. */
function rewrittenLog({ now, older, fork }: World, onlyLowest: boolean, way: Way, random: Random): Shown | null {
  const entries = entriesOf(way === 'fork' ? fork : now)
  const at = Math.floor(random() * entries.length)
  const entry = entries[at]
  if (entry === undefined || entries.length < now.size || way === 'roll back') return null
  if (way === 'flip' || way === 'truncate') entries[at] = tamperedBytes(entry, 1, way, random) ?? entry
  if (way === 'delete') entries.push(...entries.splice(at, 1), randomBytes(40, random))
  if (way === 'insert') entries.splice(at, 0, randomBytes(40, random))
  if (way === 'swap') entries.push(...entries.splice(at, 1))
  const grown = grow(emptyEdge, entries.slice(0, now.size), sha256)
  if (!grown.ok) return null
  const made = new Map(now.files)
  for (const { tile, bytes } of grown.value.files) {
    const [path, before] = [tilePath(tile), now.files.get(tilePath(tile))]
    if (before !== undefined && !sameBytes(before, bytes) && (!onlyLowest || tile.level === 0 || tile.level === 'entries')) made.set(path, bytes)
  }
  return [...made].every(([path, bytes]) => now.files.get(path) === bytes) ? null : { kind: 'log', files: made, seen: older.note }
}

function entriesOf({ size, files: all }: WrittenState): Uint8Array[] {
  return Array.from({ length: Math.ceil(size / tile_width) }, (_, index) => readBundle(all.get(tilePath(tileOf('entries', index, size))) ?? new Uint8Array())).flatMap((read) => (read.ok ? read.value : []))
}

/** The same file, or the partial one in its place, of another state. */
function likeIn(state: WrittenState, path: string, bytes: Uint8Array): Uint8Array | null {
  const stem = path.replace(/\.p\/\d+$/, '')
  const found = [...state.files].find(([other, content]) => (other === stem || other.startsWith(`${stem}.p/`)) && !sameBytes(content, bytes))
  return found?.[1] ?? null
}

/** Whole hashes where `step` is their length, half of the time; else any bytes. */
function tamperedBytes(bytes: Uint8Array, step: number, way: Way, random: Random): Uint8Array | null {
  const unit = random() < 0.5 ? step : 1
  const places = Math.floor(bytes.length / unit)
  if (places === 0) return null
  const at = Math.floor(random() * places) * unit
  switch (way) {
    case 'flip': return bytes.map((byte, place) => (place === at ? byte ^ (1 << Math.floor(random() * 8)) : byte))
    case 'delete': return joinBytes([bytes.subarray(0, at), bytes.subarray(at + unit)])
    case 'insert': return joinBytes([bytes.subarray(0, at), randomBytes(unit, random), bytes.subarray(at)])
    case 'swap': {
      const other = Math.floor(random() * places) * unit
      const [left, right] = [Math.min(at, other), Math.max(at, other)]
      return left === right ? null : joinBytes([bytes.subarray(0, left), bytes.subarray(right, right + unit), bytes.subarray(left + unit, right), bytes.subarray(left, left + unit), bytes.subarray(right + unit)])
    }
    case 'truncate': return bytes.slice(0, at)
    default: return null
  }
}

/** Whole entries, so that the bundle stays one. */
function tamperedBundle(bytes: Uint8Array, way: Way, random: Random): Uint8Array | null {
  const read = readBundle(bytes)
  if (!read.ok) return null
  const entries = [...read.value]
  const at = Math.floor(random() * entries.length)
  const entry = entries[at] ?? new Uint8Array()
  if (way === 'flip') entries[at] = tamperedBytes(entry, 1, 'flip', random) ?? randomBytes(1, random)
  if (way === 'delete') entries.splice(at, 1)
  if (way === 'insert') entries.splice(at, 0, randomBytes(60, random))
  if (way === 'truncate') entries.pop()
  if (way === 'swap') {
    const other = Math.floor(random() * entries.length)
    ;[entries[at], entries[other]] = [entries[other] ?? entry, entry]
  }
  const made = bundleOf(entries)
  return made.ok ? made.value : null
}

interface Others { readonly older: Uint8Array; readonly fork: Uint8Array }

/** One line of a text, with its newline; rolled back and forked are the line of another. */
function tamperedLine(text: Uint8Array, nth: number, way: Way, { older, fork }: Others, random: Random): Uint8Array | null {
  const [from, to] = lineAt(text, nth)
  const line = text.subarray(from, to)
  if (from === to) return null
  const other = way === 'roll back' ? older : way === 'fork' ? fork : null
  const [other_from, other_to] = other === null ? [0, 0] : lineAt(other, nth)
  const changed = other === null ? (way === 'flip' && random() < 0.3 ? respelt(line) : null) ?? tamperedBytes(line, line.length, way, random) : other.subarray(other_from, other_to)
  if (changed === null) return null
  const whole = way === 'truncate' ? joinBytes([text.subarray(0, from), changed]) : joinBytes([text.subarray(0, from), changed, text.subarray(to)])
  return sameBytes(whole, text) ? null : whole
}

/** Another writing of the same base64: the last letter has bits that mean nothing. */
function respelt(line: Uint8Array): Uint8Array | null {
  const [, before = '', letter = '', end = ''] = /^([^]*)([A-Za-z0-9+/])(=+\n)$/.exec(Buffer.from(line).toString()) ?? []
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return letter === '' ? null : Buffer.from(`${before}${letters[letters.indexOf(letter) ^ 1] ?? ''}${end}`)
}

function lineAt(text: Uint8Array, nth: number): [number, number] {
  let from = 0
  for (let passed = 0; passed < nth; passed++) {
    const end = text.indexOf(10, from)
    if (end < 0) return [0, 0]
    from = end + 1
  }
  const end = text.indexOf(10, from)
  return [from, end < 0 ? text.length : end + 1]
}

function tamperedReceipt({ now, older, fork, records }: World, part: string, way: Way, random: Random): Shown | null {
  const indices = [...records.keys()].filter((index) => index < now.size)
  if (indices.length === 0) return null
  const index = pick(indices, random)
  const record = records.get(index) as Uint8Array
  const receipt = Buffer.from(receiptOf(now, index))
  if (part === 'record') {
    const other = way === 'roll back' || way === 'fork' ? records.get(pick(indices, random)) ?? null : tamperedBytes(record, 1, way, random)
    return other === null || sameBytes(other, record) ? null : { kind: 'receipt', receipt, record: other }
  }
  const hashes = receipt.toString().split('\n\n')[0]?.split('\n').length ?? 0
  if (part === 'hash' && hashes < 3) return null
  const nth = part === 'header' ? 0 : part === 'index' ? 1 : part === 'hash' ? 2 + Math.floor(random() * (hashes - 2)) : part === 'gap' ? hashes : hashes + 1 + lines[part as LineTarget]
  const others = { older: like(older, index), fork: like(fork, index) }
  // the checkpoint of another state, whole, over the proof of this one
  const changed = part === 'root' && (way === 'roll back' || way === 'fork') ? spliced(receipt, way === 'fork' ? fork.note : older.note)
    : part === 'hash' && way === 'swap' ? swappedHashes(receipt, hashes, random) : tamperedLine(receipt, nth, way, others, random)
  return changed === null || sameBytes(changed, receipt) ? null : { kind: 'receipt', receipt: changed, record }
}

/** The receipt of the same place in another state, as long as it has one. */
const like = (state: WrittenState, index: number): Uint8Array => (index < state.size ? Buffer.from(receiptOf(state, index)) : new Uint8Array())

const spliced = (receipt: Buffer, note: string): Uint8Array => Buffer.from(`${receipt.toString().split('\n\n')[0]}\n\n${note}`)

function swappedHashes(receipt: Buffer, hashes: number, random: Random): Uint8Array | null {
  if (hashes < 4) return null
  const rows = receipt.toString().split('\n')
  const at = 2 + Math.floor(random() * (hashes - 3))
  ;[rows[at], rows[at + 1]] = [rows[at + 1] ?? '', rows[at] ?? '']
  return Buffer.from(rows.join('\n'))
}

function pick<T>(all: readonly T[], random: Random): T {
  const one = all[Math.floor(random() * all.length)]
  if (one === undefined) throw new RangeError('nothing to choose from')
  return one
}
