import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/**
 * A segment is what one group commit keeps: reports column by column, and behind them each sample as it came in the
 * compact form of spec/report.md. Detection and counting read the columns alone. Little-endian:
 *
 *     0  'KWJ1'   4  reports, u32   8  bytes of the columns, u32   12  bytes of the samples, u32   16  columns, then samples
 *
 * Both parts are Zstandard (RFC 8878). Columns: device, sequence, then high and low word of station, event time and time
 * of arrival (i32, u32), promise in ms after the event (u32), way, bits, round trip, bytes of the sample (u16), and the ways as JSON.
 */
const magic = 0x314a574b
const head_bytes = 16
const word_columns = 9
const short_columns = 4
const high_word = 4_294_967_296
const no_promise = 0xffff_ffff
const longest_promise_ms = 0xffff_fffe
/** Level 1 takes 0.2 us a report and leaves 31 of 85 bytes; what it saves PostgreSQL costs as much. */
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Whose network a report came over, and what was added to its times. Many reports share one. */
export interface Way {
  /** Whom the report is about; null when nobody knows. */
  readonly operator: string | null
  readonly sim: string | null
  readonly network: string | null
  readonly offset_ms: number
}

/** Reports in columns; `count` of them, the arrays may be longer. */
export interface Columns {
  readonly count: number
  readonly device: Uint32Array
  readonly sequence: Uint32Array
  /** The 13 digits of the station's code. */
  readonly station: Float64Array
  /** ms since 1970, moved by the phone's clock offset. */
  readonly eventAt: Float64Array
  readonly receivedAt: Float64Array
  /** The promise, moved as `eventAt`; 0 is goodbye. */
  readonly dueAt: Float64Array
  /** Index in `ways`. */
  readonly way: Uint16Array
  /** See core/detection/evidence.ts. */
  readonly bits: Uint16Array
  /** The median round trip in whole ms; 0 where none was measured. */
  readonly rtt: Uint16Array
  readonly ways: readonly Way[]
}

/** One report on its way into a segment. */
export interface Entry {
  device: number
  sequence: number
  station: number
  eventAt: number
  receivedAt: number
  dueAt: number
  bits: number
  rtt: number
}

/** A segment that is being filled; its arrays are used again after `clear`. */
export interface Draft extends Columns {
  count: number
  /** Another after each `clearDraft`. */
  number: number
  ways: Way[]
  readonly rowBytes: Uint16Array
  rows: Buffer
  rowsUsed: number
}

/** Reports of a draft at most; ways are numbered with 16 bits, and each report brings one at most. */
export const draft_reports_max = 8_192
const sample_bytes_max = 65_535

export function createDraft(): Draft {
  const size = draft_reports_max
  return {
    count: 0, number: 0, device: new Uint32Array(size), sequence: new Uint32Array(size), station: new Float64Array(size), eventAt: new Float64Array(size), receivedAt: new Float64Array(size), dueAt: new Float64Array(size),
    way: new Uint16Array(size), bits: new Uint16Array(size), rtt: new Uint16Array(size), ways: [], rowBytes: new Uint16Array(size), rows: Buffer.alloc(64 * 1024), rowsUsed: 0,
  }
}

export function clearDraft(draft: Draft): void {
  draft.count = 0
  draft.number++
  draft.ways = []
  draft.rowsUsed = 0
}

/** The same reports in arrays of their own: a draft's are used again. */
export const copyOf = ({ count, device, sequence, station, eventAt, receivedAt, dueAt, way, bits, rtt, ways }: Columns): Columns => ({
  count, device: device.slice(0, count), sequence: sequence.slice(0, count), station: station.slice(0, count), eventAt: eventAt.slice(0, count), receivedAt: receivedAt.slice(0, count), dueAt: dueAt.slice(0, count),
  way: way.slice(0, count), bits: bits.slice(0, count), rtt: rtt.slice(0, count), ways,
})

/** @param way index of the entry's way in `draft.ways` @throws RangeError when the draft is full */
export function addEntry(draft: Draft, entry: Entry, way: number, sample: Buffer, from: number, to: number): void {
  const at = draft.count
  if (at === draft_reports_max || to - from > sample_bytes_max) throw new RangeError('a draft takes 8,192 reports, and 65,535 bytes a sample')
  draft.count++
  draft.device[at] = entry.device
  draft.sequence[at] = entry.sequence
  draft.station[at] = entry.station
  draft.eventAt[at] = entry.eventAt
  draft.receivedAt[at] = entry.receivedAt
  draft.dueAt[at] = entry.dueAt
  draft.bits[at] = entry.bits
  draft.rtt[at] = entry.rtt
  draft.way[at] = way
  draft.rowBytes[at] = to - from
  while (draft.rowsUsed + to - from > draft.rows.length) {
    const larger = Buffer.alloc(draft.rows.length * 2)
    draft.rows.copy(larger, 0, 0, draft.rowsUsed)
    draft.rows = larger
  }
  draft.rowsUsed += sample.copy(draft.rows, draft.rowsUsed, from, to)
}

/** The segment's bytes, of their own. */
export function encodeSegment(draft: Draft): Buffer {
  const { count } = draft
  const ways = Buffer.from(JSON.stringify(draft.ways.map(({ operator, sim, network, offset_ms }) => [operator, sim, network, offset_ms])))
  const flat = new ArrayBuffer(count * (word_columns * 4 + short_columns * 2))
  const words = new Uint32Array(flat, 0, count * word_columns)
  words.set(draft.device.subarray(0, count))
  words.set(draft.sequence.subarray(0, count), count)
  split(draft.station, words, 2, count)
  split(draft.eventAt, words, 4, count)
  split(draft.receivedAt, words, 6, count)
  for (let i = 0; i < count; i++) words[8 * count + i] = draft.dueAt[i] === 0 ? no_promise : Math.max(0, Math.min(longest_promise_ms, (draft.dueAt[i] as number) - (draft.eventAt[i] as number)))
  const shorts = new Uint16Array(flat, count * word_columns * 4)
  shorts.set(draft.way.subarray(0, count))
  shorts.set(draft.bits.subarray(0, count), count)
  shorts.set(draft.rtt.subarray(0, count), 2 * count)
  shorts.set(draft.rowBytes.subarray(0, count), 3 * count)
  const columns = zstdCompressSync(Buffer.concat([Buffer.from(flat), ways]), fast)
  const rows = zstdCompressSync(draft.rows.subarray(0, draft.rowsUsed), fast)
  const head = Buffer.alloc(head_bytes)
  for (const [at, value] of [magic, count, columns.length, rows.length].entries()) head.writeUInt32LE(value, at * 4)
  return Buffer.concat([head, columns, rows])
}

function split(values: Float64Array, words: Uint32Array, column: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    words[column * count + i] = Math.floor(value / high_word)
    words[(column + 1) * count + i] = value
  }
}

function join(words: Uint32Array, column: number, count: number): Float64Array {
  const values = new Float64Array(count)
  for (let i = 0; i < count; i++) values[i] = ((words[column * count + i] as number) | 0) * high_word + (words[(column + 1) * count + i] as number)
  return values
}

/** A stored segment. */
export interface Segment extends Columns {
  readonly id: number
  /** Each sample's bytes, in the order of the reports; read when they are asked for. */
  samples(): Uint8Array[]
}

/** @throws RangeError for bytes that are no whole segment, with its id */
export function decodeSegment(id: number, bytes: Buffer): Segment {
  if (bytes.length < head_bytes || bytes.readUInt32LE(0) !== magic) throw new RangeError(`segment ${id}: expected a segment of form KWJ1, got ${bytes.length} bytes that begin with ${bytes.toString('hex', 0, 4)}`)
  const [count, columnBytes, rowBytes] = [bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)]
  if (bytes.length !== head_bytes + columnBytes + rowBytes) throw new RangeError(`segment ${id}: expected ${head_bytes + columnBytes + rowBytes} bytes, got ${bytes.length}`)
  const inflated = zstdDecompressSync(bytes.subarray(head_bytes, head_bytes + columnBytes))
  const fixed = count * (word_columns * 4 + short_columns * 2)
  if (inflated.length < fixed) throw new RangeError(`segment ${id}: expected ${fixed} bytes of columns, got ${inflated.length}`)
  // Columns want their place in memory at a multiple of four.
  const flat = inflated.byteOffset % 4 === 0 ? inflated : Buffer.from(new Uint8Array(inflated).buffer)
  const words = new Uint32Array(flat.buffer, flat.byteOffset, count * word_columns)
  const shorts = new Uint16Array(flat.buffer, flat.byteOffset + count * word_columns * 4, count * short_columns)
  const eventAt = join(words, 4, count)
  const dueAt = new Float64Array(count)
  for (let i = 0; i < count; i++) dueAt[i] = words[8 * count + i] === no_promise ? 0 : (eventAt[i] as number) + (words[8 * count + i] as number)
  const ways = (JSON.parse(flat.toString('utf8', fixed)) as [string | null, string | null, string | null, number][]).map(([operator, sim, network, offset_ms]): Way => ({ operator, sim, network, offset_ms }))
  return {
    id, count, device: words.subarray(0, count), sequence: words.subarray(count, 2 * count), station: join(words, 2, count), eventAt, receivedAt: join(words, 6, count), dueAt,
    way: shorts.subarray(0, count), bits: shorts.subarray(count, 2 * count), rtt: shorts.subarray(2 * count, 3 * count), ways,
    samples() {
      const rows = zstdDecompressSync(bytes.subarray(head_bytes + columnBytes))
      let from = 0
      return Array.from(shorts.subarray(3 * count), (length) => rows.subarray(from, (from += length)))
    },
  }
}
