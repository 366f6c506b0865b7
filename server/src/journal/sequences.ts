/**
 * Which reports of which device are there already: exact, for millions of devices, in 32 bytes each. A device numbers
 * its samples, in order and with gaps (spec/report.md). Kept are its highest sequence, one bit for each of the 64 up
 * to it, and below those the ranges that never came: whatever lies there and in no range is there.
 */

/** What adding a sequence comes to. `reused`: it is there, and this sample is younger than all of its device: the phone lost its counter. `forgotten`: below what is remembered. */
export const outcome = { fresh: 0, duplicate: 1, reused: 2, forgotten: 3 } as const
export type Outcome = (typeof outcome)[keyof typeof outcome]

/** Devices of one chunk: what is saved at once. */
const chunk_devices = 65_536
const record_words = 8
/** Words of a device's record. `latest` is a float64, the latest event time by the phone's clock; `mark` is the caller's. */
const word = { highest: 0, mark: 1, low: 2, high: 3, latest: 4, gaps: 6, floor: 7 } as const
const window_bits = 64
/** Ranges of one device. Beyond it the lowest half is forgotten: `floor` rises above it. */
const device_ranges_max = 255
const form_version = 1

interface Chunk {
  readonly words: Uint32Array
  readonly floats: Float64Array
  /** The first segment whose reports are not on disk with the chunk; Infinity when all are. */
  dirtySince: number
}

/** Missing ranges as linked lists, the highest range of a device first; place 0 is no range. */
interface Ranges { from: Uint32Array; to: Uint32Array; next: Uint32Array; free: number; used: number }

/** @param ranges_max missing ranges of all devices, 12 bytes each. Where there is no more room a device forgets its own lowest */
export function createSequences({ ranges_max = 16_000_000 } = {}) {
  const chunks: (Chunk | undefined)[] = []
  const size = Math.min(1_024, ranges_max + 1)
  const ranges: Ranges = { from: new Uint32Array(size), to: new Uint32Array(size), next: new Uint32Array(size), free: 0, used: 1 }
  const chunkOf = (device: number): Chunk => (chunks[device >>> 16] ??= makeChunk(new ArrayBuffer(chunk_devices * record_words * 4)))

  return {
    /**
     * @param device its key; memory is taken for the 65,536 around it
     * @param eventAt ms since 1970, by the phone's clock as it came
     * @param segment the number of the segment that it will be in
     */
    add(device: number, sequence: number, eventAt: number, segment: number): Outcome {
      const chunk = chunkOf(device)
      const { words, floats } = chunk
      const at = (device & 0xffff) * record_words
      const highest = words[at] as number
      if (sequence > highest) advance(ranges, ranges_max, words, at, sequence)
      else {
        const found = fill(ranges, ranges_max, words, at, sequence)
        if (found !== outcome.fresh) return found === outcome.duplicate && eventAt > (floats[(at + word.latest) >> 1] as number) ? outcome.reused : found
      }
      if (eventAt > (floats[(at + word.latest) >> 1] as number)) floats[(at + word.latest) >> 1] = eventAt
      if (segment < chunk.dirtySince) chunk.dirtySince = segment
      return outcome.fresh
    },
    /** A number that the caller keeps beside a device; 0 at first. */
    markOf: (device: number): number => chunkOf(device).words[(device & 0xffff) * record_words + word.mark] as number,
    setMark(device: number, mark: number): void {
      chunkOf(device).words[(device & 0xffff) * record_words + word.mark] = mark
    },
    /** The chunk that has waited longest to be written; -1 when all are on disk. */
    oldestDirty(): number {
      let oldest = -1
      chunks.forEach((chunk, index) => {
        if (chunk !== undefined && chunk.dirtySince < (chunks[oldest]?.dirtySince ?? Infinity)) oldest = index
      })
      return oldest
    },
    /** Every segment up to this one is in what was written of all chunks. @param last the last segment there is */
    writtenUntil: (last: number): number => chunks.reduce((least, chunk) => Math.min(least, (chunk?.dirtySince ?? Infinity) - 1), last),
    /** The bytes of a chunk as it is now; then it counts as written. */
    write(index: number): Buffer {
      const chunk = chunks[index]
      if (chunk === undefined) throw new RangeError(`there is no chunk ${index}`)
      chunk.dirtySince = Infinity
      return writeChunk(ranges, chunk.words)
    },
    /** Takes a written chunk in, in place of what is known of its devices. @throws RangeError for bytes of another form */
    read: (index: number, bytes: Uint8Array): void => void (chunks[index] = readChunk(ranges, ranges_max, bytes)),
    /** Missing ranges that are remembered. */
    ranges: (): number => ranges.used - 1 - freeCount(ranges),
  }
}

export type Sequences = ReturnType<typeof createSequences>

function makeChunk(buffer: ArrayBuffer): Chunk {
  return { words: new Uint32Array(buffer), floats: new Float64Array(buffer), dirtySince: Infinity }
}

/** A sequence above all that came: the window moves up, and what falls out of it without having come is missing. */
function advance(ranges: Ranges, ranges_max: number, words: Uint32Array, at: number, sequence: number): void {
  const highest = words[at] as number
  const by = sequence - highest
  const [low, high] = [words[at + word.low] as number, words[at + word.high] as number]
  const floor = words[at + word.floor] as number
  // The places of the window from its end on, whose sequences fall out, lowest first.
  for (let place = window_bits - 1; place >= Math.max(0, window_bits - by); place--) {
    const old = highest - place
    if (old > floor && ((place < 32 ? low >>> place : high >>> (place - 32)) & 1) === 0) miss(ranges, ranges_max, words, at, old, old)
  }
  if (by > window_bits) miss(ranges, ranges_max, words, at, Math.max(highest, words[at + word.floor] as number) + 1, sequence - window_bits)
  words[at] = sequence
  if (by < 32) {
    words[at + word.high] = (high << by) | (low >>> (32 - by))
    words[at + word.low] = (low << by) | 1
  } else {
    words[at + word.high] = by < 64 ? low << (by - 32) : 0
    words[at + word.low] = 1
  }
}

/** A sequence at or below the highest. */
function fill(ranges: Ranges, ranges_max: number, words: Uint32Array, at: number, sequence: number): Outcome {
  const place = (words[at] as number) - sequence
  if (place < window_bits) {
    const half = at + (place < 32 ? word.low : word.high)
    const bit = 1 << (place & 31)
    if (((words[half] as number) & bit) !== 0) return outcome.duplicate
    words[half] = (words[half] as number) | bit
    return outcome.fresh
  }
  if (sequence <= (words[at + word.floor] as number)) return outcome.forgotten
  let before = 0
  for (let range = headOf(words, at); range !== 0; range = ranges.next[range] as number) {
    const [from, to] = [ranges.from[range] as number, ranges.to[range] as number]
    if (sequence > to) return outcome.duplicate
    if (sequence >= from) {
      take(ranges, ranges_max, words, at, { before, range }, sequence)
      return outcome.fresh
    }
    before = range
  }
  return outcome.duplicate
}

// The head of a device's ranges: 24 bits of its place, 8 of their count.
const headOf = (words: Uint32Array, at: number): number => (words[at + word.gaps] as number) & 0xffffff
const countOf = (words: Uint32Array, at: number): number => (words[at + word.gaps] as number) >>> 24
const setHead = (words: Uint32Array, at: number, head: number, count: number): void => void (words[at + word.gaps] = ((count << 24) | head) >>> 0)

/** Adds a range above all ranges of the device. */
function miss(ranges: Ranges, ranges_max: number, words: Uint32Array, at: number, from: number, to: number): void {
  if (from > to) return
  const head = headOf(words, at)
  if (head !== 0 && (ranges.to[head] as number) === from - 1) return void (ranges.to[head] = to)
  const range = makeRange(ranges, ranges_max, words, at)
  // No room at all: what would be remembered as missing is forgotten, and so is everything below it.
  if (range === 0) return forgetAll(ranges, words, at, to)
  ranges.from[range] = from
  ranges.to[range] = to
  ranges.next[range] = headOf(words, at)
  setHead(words, at, range, countOf(words, at) + 1)
}

/** Takes one sequence out of a missing range: it has come. */
function take(ranges: Ranges, ranges_max: number, words: Uint32Array, at: number, { before, range }: { before: number; range: number }, sequence: number): void {
  const [from, to] = [ranges.from[range] as number, ranges.to[range] as number]
  if (from === to) {
    const next = ranges.next[range] as number
    if (before === 0) setHead(words, at, next, countOf(words, at) - 1)
    else {
      ranges.next[before] = next
      setHead(words, at, headOf(words, at), countOf(words, at) - 1)
    }
    return release(ranges, range)
  }
  if (sequence === from) return void (ranges.from[range] = from + 1)
  if (sequence === to) return void (ranges.to[range] = to - 1)
  ranges.from[range] = sequence + 1
  const lower = makeRange(ranges, ranges_max, words, at)
  // Without room the part below is forgotten: the floor stands right under what is left.
  if (lower === 0) return forgetFrom(ranges, words, at, range, sequence - 1)
  // making room may have forgotten this range itself
  if (sequence <= (words[at + word.floor] as number)) return release(ranges, lower)
  ranges.from[lower] = from
  ranges.to[lower] = sequence - 1
  ranges.next[lower] = ranges.next[range] as number
  ranges.next[range] = lower
  setHead(words, at, headOf(words, at), countOf(words, at) + 1)
}

/** A place for a range; 0 when there is no room. A device at its bound forgets the lower half of its own first. */
function makeRange(ranges: Ranges, ranges_max: number, words: Uint32Array, at: number): number {
  if (countOf(words, at) >= device_ranges_max) {
    let last = headOf(words, at)
    for (let kept = 1; kept < device_ranges_max >> 1; kept++) last = ranges.next[last] as number
    forgetFrom(ranges, words, at, last, ranges.to[ranges.next[last] as number] as number)
  }
  if (ranges.free !== 0) {
    const range = ranges.free
    ranges.free = ranges.next[range] as number
    return range
  }
  if (ranges.used > ranges_max) return 0
  if (ranges.used === ranges.from.length) grow(ranges, ranges_max)
  return ranges.used++
}

function grow(ranges: Ranges, ranges_max: number): void {
  for (const name of ['from', 'to', 'next'] as const) {
    const larger = new Uint32Array(Math.min(ranges_max + 1, ranges[name].length * 2))
    larger.set(ranges[name])
    ranges[name] = larger
  }
}

function release(ranges: Ranges, range: number): void {
  ranges.next[range] = ranges.free
  ranges.free = range
}

/** Forgets every range behind `last`; the floor is `floor` then. */
function forgetFrom(ranges: Ranges, words: Uint32Array, at: number, last: number, floor: number): void {
  let count = 0
  for (let range = headOf(words, at); range !== last; range = ranges.next[range] as number) count++
  for (let range = ranges.next[last] as number; range !== 0; ) {
    const next = ranges.next[range] as number
    release(ranges, range)
    range = next
  }
  ranges.next[last] = 0
  setHead(words, at, headOf(words, at), count + 1)
  words[at + word.floor] = floor
}

function forgetAll(ranges: Ranges, words: Uint32Array, at: number, floor: number): void {
  for (let range = headOf(words, at); range !== 0; ) {
    const next = ranges.next[range] as number
    release(ranges, range)
    range = next
  }
  setHead(words, at, 0, 0)
  words[at + word.floor] = floor
}

function freeCount(ranges: Ranges): number {
  let count = 0
  for (let range = ranges.free; range !== 0; range = ranges.next[range] as number) count++
  return count
}

/** Version, number of ranges, the records, then each range as device within the chunk, from and to: little-endian words. */
function writeChunk(ranges: Ranges, words: Uint32Array): Buffer {
  let count = 0
  for (let at = 0; at < words.length; at += record_words) count += countOf(words, at)
  const out = new Uint32Array(2 + words.length + 3 * count)
  out[0] = form_version
  out[1] = count
  out.set(words, 2)
  let next = 2 + words.length
  for (let at = 0; at < words.length; at += record_words)
    for (let range = headOf(words, at); range !== 0; range = ranges.next[range] as number) {
      out[next++] = at / record_words
      out[next++] = ranges.from[range] as number
      out[next++] = ranges.to[range] as number
    }
  return Buffer.from(out.buffer)
}

function readChunk(ranges: Ranges, ranges_max: number, bytes: Uint8Array): Chunk {
  const all = new Uint32Array(bytes.slice().buffer)
  const record_end = 2 + chunk_devices * record_words
  if (all[0] !== form_version || all.length !== record_end + 3 * (all[1] as number)) throw new RangeError(`expected a chunk of sequences of form ${form_version}, got form ${all[0]} of ${bytes.length} bytes`)
  const chunk = makeChunk(all.slice(2, record_end).buffer)
  for (let at = 0; at < chunk.words.length; at += record_words) setHead(chunk.words, at, 0, 0)
  // Written with the highest first, and taken in from below.
  for (let at = all.length - 3; at >= record_end; at -= 3) miss(ranges, ranges_max, chunk.words, (all[at] as number) * record_words, all[at + 1] as number, all[at + 2] as number)
  return chunk
}
