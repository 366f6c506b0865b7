import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip, gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'

/** Fields by their place in the header; `line` counts the file's lines from 1 (GeoJSON: features from 2), the header included. */
export interface Rows {
  readonly header: readonly string[]
  /** Yields a record, or null in its place where one could not be read (`problem` says why). */
  records(): AsyncGenerator<{ line: number; fields: readonly string[] | null; problem: string }>
  /** Bytes of the file read so far, and in all. */
  readonly progress: { read: number; readonly total: number }
}

/** GeoJSON is held in memory whole; a file above this asks for CSV. */
const geojson_bytes_max = 128 * 1024 * 1024
/** A register's line is never this long. */
const line_chars_max = 64 * 1024
/** A quoted name may hold line breaks, a few. */
const record_lines_max = 5

export function isRegisterFile(name: string): boolean {
  return /\.(csv|geojson|json)(\.gz)?$/i.test(name) && !/(issues|rejects)\.csv$/i.test(name)
}

/** SHA-256 of the file as it lies there, in hexadecimal. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

export async function openRows(path: string): Promise<Rows> {
  return /\.(geojson|json)(\.gz)?$/i.test(basename(path)) ? openGeojson(path) : await openCsv(path)
}

function bytesOf(path: string, progress: { read: number }): Readable {
  const counted = createReadStream(path).on('data', (chunk) => (progress.read += chunk.length))
  if (!/\.gz$/i.test(path)) return counted
  const gunzip = createGunzip()
  counted.on('error', (error) => gunzip.destroy(error))
  return counted.pipe(gunzip)
}

/** Lines of the file without their ends, a carriage return included. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > line_chars_max) throw new RangeError('a line longer than 64 kB: this is no register')
    yield* lines
  }
  if (rest !== '') yield rest + decoder.decode()
}

/** The header's line decides between comma, semicolon and tab. */
function delimiterOf(line: string): string {
  const count = (mark: string): number => line.split(mark).length
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best))
}

/** The fields of one record, or what is wrong with it. */
function fieldsOf(record: string, delimiter: string): readonly string[] | string {
  if (!record.includes('"')) return record.split(delimiter)
  try {
    return (parse(record, { delimiter, relax_column_count: true }) as string[][])[0] ?? []
  } catch (error) {
    return (error as Error).message
  }
}

const oddQuotes = (text: string): boolean => text.split('"').length % 2 === 0

/**
 * Line by line, so that a quote left open cannot swallow the good rows behind it: a record may go on for
 * a few lines, but only when that makes a whole record; else its first line alone is unreadable.
 */
async function openCsv(path: string): Promise<Rows> {
  const progress = { read: 0, total: statSync(path).size }
  const lines = linesOf(bytesOf(path, progress))
  const ahead: string[] = []
  const next = async (): Promise<string | undefined> => {
    const line = ahead.shift() ?? (await lines.next()).value as string | undefined
    return line?.endsWith('\r') === true ? line.slice(0, -1) : line
  }
  const heading = ((await next()) ?? '').replace(/^\uFEFF/, '')
  const delimiter = delimiterOf(heading)
  const first = fieldsOf(heading, delimiter)
  const header = typeof first === 'string' ? [] : first
  const goOn = async (start: string): Promise<readonly string[] | null> => {
    let record = start
    for (let taken = 0; taken < record_lines_max - 1; taken++) {
      if (ahead.length <= taken) {
        const more = await lines.next()
        if (more.done === true) return null
        ahead.push(more.value)
      }
      record += '\n' + (ahead[taken] ?? '').replace(/\r$/, '')
      if (oddQuotes(record)) continue
      const fields = fieldsOf(record, delimiter)
      if (typeof fields === 'string' || fields.length !== header.length) return null
      ahead.splice(0, taken + 1)
      return fields
    }
    return null
  }
  return {
    header,
    progress,
    async *records() {
      let line = 1
      for (let text = await next(); text !== undefined; text = await next()) {
        line++
        if (text.trim() === '') continue
        const at = line
        const long = text.includes('"') && oddQuotes(text) ? await goOn(text) : null
        if (long !== null) line += (long.join('').match(/\n/g) ?? []).length
        const fields = long ?? (text.includes('"') && oddQuotes(text) ? 'a quote is left open' : fieldsOf(text, delimiter))
        if (typeof fields === 'string') yield { line: at, fields: null, problem: `${fields}: ${text.slice(0, 200)}` }
        else if (fields.length !== header.length) yield { line: at, fields: null, problem: `${fields.length} columns for ${header.length}: ${text.slice(0, 200)}` }
        else yield { line: at, fields, problem: '' }
      }
    },
  }
}

interface Feature {
  readonly properties?: Record<string, unknown> | null
  readonly geometry?: { type?: string; coordinates?: unknown } | null
}

/** Features become records: the properties in order of first appearance, then lat and lon of a point. */
function openGeojson(path: string): Rows {
  const progress = { read: 0, total: statSync(path).size }
  if (progress.total > geojson_bytes_max) throw new RangeError(`${basename(path)} is larger than 128 MB: give it as CSV`)
  const bytes = readFileSync(path)
  const root = JSON.parse((/\.gz$/i.test(path) ? gunzipSync(bytes, { maxOutputLength: 4 * geojson_bytes_max }) : bytes).toString('utf8')) as { features?: unknown }
  const features = Array.isArray(root.features) ? (root.features as (Feature | null)[]) : []
  const names = new Set<string>()
  for (const feature of features) for (const name of Object.keys(feature?.properties ?? {})) names.add(name)
  const header = [...[...names].filter((name) => !/^(lat|lon|lng|long|latitude|longitude)$/i.test(name)), 'lat', 'lon']
  return {
    header,
    progress,
    async *records() {
      for (const [index, feature] of features.entries()) {
        progress.read = Math.round((progress.total * (index + 1)) / features.length)
        const properties = feature?.properties
        if (properties === undefined || properties === null) {
          yield { line: index + 2, fields: null, problem: 'a feature without properties' }
          continue
        }
        const point = feature?.geometry?.type === 'Point' && Array.isArray(feature.geometry.coordinates) ? (feature.geometry.coordinates as unknown[]) : []
        const values: Record<string, unknown> = { ...properties, lat: point[1] ?? properties['lat'] ?? properties['latitude'], lon: point[0] ?? properties['lon'] ?? properties['lng'] ?? properties['longitude'] }
        yield { line: index + 2, fields: header.map((name) => text(values[name])), problem: '' }
      }
    },
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
