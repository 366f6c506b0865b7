import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from } from 'pg-copy-streams'

export type Field = string | number | null

const chunk_chars = 64 * 1024

function escape(field: Field): string {
  if (field === null) return '\\N'
  if (typeof field === 'number') return String(field)
  // NUL cannot be stored in text; the other four are COPY's own marks
  return /[\\\t\n\r\0]/.test(field)
    ? field.replaceAll('\0', '').replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
    : field
}

/** One line of COPY's text format. */
export function copyLine(fields: readonly Field[]): string {
  let line = ''
  for (let i = 0; i < fields.length; i++) line += (i === 0 ? '' : '\t') + escape(fields[i] ?? null)
  return line + '\n'
}

/** Streams rows into a table by COPY, in chunks of 64 kB and at the database's pace. */
export async function copyRows(client: pg.ClientBase, target: string, rows: AsyncIterable<readonly Field[]> | Iterable<readonly Field[]>): Promise<void> {
  async function* chunks(): AsyncGenerator<string> {
    let chunk = ''
    for await (const row of rows) {
      chunk += copyLine(row)
      if (chunk.length < chunk_chars) continue
      yield chunk
      chunk = ''
    }
    if (chunk !== '') yield chunk
  }
  await pipeline(Readable.from(chunks(), { objectMode: false }), client.query(from(`COPY ${target} FROM STDIN`)))
}
