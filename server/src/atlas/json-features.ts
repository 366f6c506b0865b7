import { createReadStream, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** One feature as it came; `problem` says why it could not be read. */
export interface SourceFeature {
  /** In the order of the file, from 1. */
  readonly place: number
  readonly properties: Readonly<Record<string, unknown>>
  /** A GeoJSON geometry, or whatever stood in its place. */
  readonly geometry: unknown
  readonly problem: string
}

/** Features of one file, read once from its begin to its end. */
export interface FeatureSource {
  features(): AsyncGenerator<SourceFeature>
  /** Bytes of the file read so far, and in all. */
  readonly progress: { read: number; readonly total: number }
}

/** A feature that is longer is none: a nation's outline has some 50 MB. */
const feature_bytes_max = 256 * 1024 * 1024

/** What stands outside the features of a collection is kept up to here: names and the coordinate system. */
const outside_bytes_max = 64 * 1024

const quote = 0x22
const backslash = 0x5c
const open_brace = 0x7b
const close_brace = 0x7d
const open_bracket = 0x5b
const close_bracket = 0x5d
const newline = 0x0a
const record_separator = 0x1e

export function bytesOf(path: string, progress: { read: number }): Readable {
  const counted = createReadStream(path, { highWaterMark: 1024 * 1024 }).on('data', (chunk) => (progress.read += chunk.length))
  if (!/\.gz$/i.test(path)) return counted
  const gunzip = createGunzip({ chunkSize: 1024 * 1024 })
  counted.on('error', (error) => gunzip.destroy(error))
  return counted.pipe(gunzip)
}

/**
 * A GeoJSON file (RFC 7946), features one a line or after record separators (RFC 8142), gzipped or not.
 * A record without a geometry may hold the coordinates of a MultiPolygon as `mp`. Features are cut out of
 * the text one by one: a file of any length takes the memory of its longest feature.
 * @param begin what beginOf gave for the file
 * @throws RangeError when a feature is longer than 256 MB
 */
export function openJson(path: string, begin: string): FeatureSource {
  const progress = { read: 0, total: statSync(path).size }
  const cut = isCollection(begin) ? members : isInLines(begin) ? lines : all
  return {
    progress,
    async *features() {
      let place = 0
      for await (const text of cut(bytesOf(path, progress))) yield readFeature(++place, text)
    },
  }
}

const isCollection = (begin: string): boolean => /"features"\s*:\s*\[/.test(begin)

/** Whether the second line begins a record like the first: of a text that goes on, it would be indented or none. */
function isInLines(begin: string): boolean {
  const [, second] = begin.split('\n').filter((line) => line.trim() !== '')
  return second === undefined || /^\x1e?\{/.test(second)
}

/** The begin of a file, unpacked: enough to see what it is and what coordinate system it names. */
export async function beginOf(path: string): Promise<string> {
  let begin = ''
  const input = bytesOf(path, { read: 0 })
  for await (const chunk of input) {
    begin += (chunk as Buffer).toString('utf8')
    if (begin.length >= outside_bytes_max) break
  }
  input.destroy()
  return begin.slice(0, outside_bytes_max)
}

function readFeature(place: number, text: string): SourceFeature {
  try {
    const { type, properties, geometry, ...rest } = JSON.parse(text) as Record<string, unknown>
    if (type === 'Feature') return { place, properties: (properties ?? {}) as Record<string, unknown>, geometry, problem: '' }
    if ('coordinates' in rest || 'geometries' in rest) return { place, properties: {}, geometry: { type, ...rest }, problem: '' }
    const { mp, ...others } = rest
    return { place, properties: { ...others, ...(properties as object | undefined) }, geometry: geometry ?? (mp === undefined ? null : { type: 'MultiPolygon', coordinates: mp }), problem: '' }
  } catch (error) {
    return { place, properties: {}, geometry: null, problem: `${(error as Error).message}: ${text.slice(0, 100)}` }
  }
}

function joined(held: Buffer, chunk: Buffer): Buffer {
  const both = held.length === 0 ? chunk : Buffer.concat([held, chunk])
  if (both.length > feature_bytes_max) throw new RangeError('a feature is longer than 256 MB: this is no file of areas, or it needs to be split')
  return both
}

/** One record a line: a broken one spoils no other. */
async function* lines(input: Readable): AsyncGenerator<string> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of input) {
    held = joined(held, chunk as Buffer)
    let from = 0
    for (let end = held.indexOf(newline, from); end >= 0; end = held.indexOf(newline, from)) {
      const line = held.toString('utf8', held[from] === record_separator ? from + 1 : from, end)
      from = end + 1
      if (line.trim() !== '') yield line
    }
    held = held.subarray(from)
  }
  const last = held.toString('utf8', held[0] === record_separator ? 1 : 0)
  if (last.trim() !== '') yield last
}

/** The whole text is one record. */
async function* all(input: Readable): AsyncGenerator<string> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of input) held = joined(held, chunk as Buffer)
  if (held.length > 0) yield held.toString('utf8')
}

/** The members of a collection's `features`; a text that ends inside one yields what there is of it. */
async function* members(input: Readable): AsyncGenerator<string> {
  let held: Buffer = Buffer.alloc(0)
  let scanned = 0
  let depth = 0
  let from = -1
  let inString = false
  let escaped = false
  let inArray = false
  for await (const chunk of input) {
    held = joined(held, chunk as Buffer)
    for (; scanned < held.length; scanned++) {
      const byte = held[scanned] as number
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) inString = false
      } else if (byte === quote) inString = true
      else if (byte === open_brace || byte === open_bracket) {
        if (inArray && depth === 2) from = scanned
        depth++
        if (!inArray && depth === 2 && byte === open_bracket) inArray = /"features"\s*:\s*\[$/.test(held.toString('utf8', Math.max(0, scanned - 100), scanned + 1))
      } else if (byte === close_brace || byte === close_bracket) {
        depth--
        if (depth === 2 && from >= 0) {
          yield held.toString('utf8', from, scanned + 1)
          from = -1
        }
        if (depth < 2) inArray = false
      }
    }
    const keep = from >= 0 ? from : Math.max(0, held.length - 100)
    held = held.subarray(keep)
    scanned -= keep
    if (from >= 0) from = 0
  }
  if (from >= 0) yield held.toString('utf8', from)
}
