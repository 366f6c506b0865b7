import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { system, type Database } from '../adapters/postgres/database.ts'
import { csvHead, csvLine } from './csv.ts'
import { readReports } from './read.ts'

/** An hour of the journal: what goes, goes by it. Instants in ms since 1970. */
interface Hour { readonly from: number; readonly firstSegment: number; readonly segments: number; readonly reports: number; readonly bytes: number }

export interface Gone extends Pick<Hour, 'from' | 'reports'> {
  /** Null where it was dropped and not archived. */
  readonly file: string | null
}

/** A start would still read this hour, or one before it: it stays. */
export class StillNeeded extends Error {
  readonly from: number
  constructor(from: number) {
    super(`the hour from ${new Date(from).toISOString()} would still be read at a start`)
    this.from = from
  }
}

const hour_ms = 3_600_000
const chunk_chars = 64 * 1024

/** The hours that the journal holds, the oldest first; only whole ones that ended by `before`. */
export async function listHours(database: Database, before = Infinity): Promise<Hour[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ from: Date; first: number; segments: number; reports: number; bytes: number }>(
    `SELECT date_trunc('hour', sealed_at, 'UTC') AS from, min(id) AS first, count(*) AS segments, sum(reports) AS reports, sum(octet_length(bytes)) AS bytes FROM segment GROUP BY 1 ORDER BY 1`))
  return rows.map((row) => ({ from: row.from.getTime(), firstSegment: row.first, segments: row.segments, reports: row.reports, bytes: row.bytes })).filter(({ from }) => from + hour_ms <= before)
}

/**
 * Lets hours go that ended before an instant, each as a whole and the oldest first, and writes down that they went.
 * @param folder where each hour goes as CSV, compressed, before it leaves the journal; null drops it
 * @throws StillNeeded at the first hour that a start would read
 */
export async function* letGo(database: Database, { before, folder, now }: { before: number; folder: string | null; now: number }): AsyncGenerator<Gone> {
  for (const hour of await listHours(database, before)) {
    const { from, reports } = hour
    const archive = folder === null ? null : await writeArchive(database, hour, folder)
    await drop(database, from, { now, archive })
    yield { from, reports, file: archive?.file ?? null }
  }
}

interface Archive { readonly file: string; readonly sha256: string }

async function drop(database: Database, from: number, { now, archive }: { now: number; archive: Archive | null }): Promise<void> {
  await database.transaction(system, (client) => client.query('SELECT kawal_drop_segments($1, $2, $3, $4)', [new Date(from), new Date(now), archive?.file ?? null, archive?.sha256 ?? null])).catch((error: unknown) => {
    throw error instanceof Error && 'code' in error && error.code === '55006' ? new StillNeeded(from) : error
  })
}

/** Writes the reports of one hour beside their place, and moves the file there when it is whole and on disk. */
async function writeArchive(database: Database, { from, firstSegment, reports }: Hour, folder: string): Promise<Archive> {
  // By its first segment too: a clock that was set back fills an hour again that went before.
  const name = `reports-${new Date(from).toISOString().slice(0, 13).replaceAll(/[-:]/g, '')}Z-${firstSegment}.csv.gz`
  const [path, making] = [join(folder, name), join(folder, `${name}.making`)]
  const hash = createHash('sha256')
  const gzip = createGzip({ level: 6 })
  const file = createWriteStream(making, { flush: true })
  gzip.on('data', (chunk: Buffer) => hash.update(chunk))
  gzip.pipe(file)
  try {
    let written = 0
    let text = `${csvHead}\n`
    for await (const report of readReports(database, { sealedFrom: from, sealedTo: from + hour_ms })) {
      text += `${csvLine(report)}\n`
      written++
      if (text.length < chunk_chars) continue
      if (!gzip.write(text)) await once(gzip, 'drain')
      text = ''
    }
    if (written !== reports) throw new Error(`the hour from ${new Date(from).toISOString()} holds ${reports} reports, and ${written} were read: it is not let go`)
    gzip.end(text)
    await finished(file)
    await rename(making, path)
    await syncFolder(folder)
    return { file: name, sha256: hash.digest('hex') }
  } catch (error) {
    gzip.destroy()
    file.destroy()
    await rm(making, { force: true })
    throw error
  }
}

/** A name is on disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  await handle.sync()
  await handle.close()
}
