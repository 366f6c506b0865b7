import { createHash } from 'node:crypto'
import { createWriteStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { recognise, type Kind } from '@kawal/core/register/kind.ts'
import { reasons, reject, warn, type Reason } from '@kawal/core/register/issue.ts'
import { checkStaged } from './check.ts'
import { ImportRefused, mergeAll } from './merge.ts'
import { quiet, type Progress } from './progress.ts'
import { fileHash, isRegisterFile, openRows } from './read-file.ts'
import { saveIssues, stageFile, type FileIssue } from './stage.ts'

interface ImportOptions {
  /** Folder with the files. */
  readonly directory: string
  /** Day YYYY-MM-DD from which the content holds; a run that was cut off is taken up again on the same day only. */
  readonly date: string
  /** Where the list of warnings and rejected rows is written (CSV). */
  readonly issuesFile: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly progress?: Progress
  /** Reads and checks everything, then leaves the register as it was. */
  readonly dryRun?: boolean
  /** Called when a phase is on disk: a test ends the import there. */
  readonly reached?: (phase: string) => void
}

export interface ImportOutcome {
  readonly stations: number
  readonly villages: number
  readonly districts: number
  readonly regencies: number
  readonly provinces: number
  readonly venues: number
  readonly access_points: number
  readonly organisations: number
  readonly operator_codes: number
  readonly files: number
  readonly rows: number
  readonly warnings_listed: number
  readonly rejects: number
  /** Rows added, changed or ended. */
  readonly changes: number
  readonly changes_by_set: Readonly<Record<string, number>>
  readonly issues_by_reason: Readonly<Record<string, number>>
  readonly issues_file: string
  readonly valid_from: string
  readonly resumed: boolean
  readonly seconds: number
}

interface Source {
  readonly name: string
  readonly path: string
  readonly sha256: string
}

interface Run {
  readonly id: number
  readonly date: string
  readonly phase: string
  readonly resumed: boolean
}

const lock_key = 5106
const stageTables = ['stage_region', 'stage_village', 'stage_station', 'stage_venue', 'stage_operator', 'stage_isp', 'stage_access']

/**
 * Imports every register file of a folder. Files are staged one by one, each in a transaction with its
 * issues; then checked together; then merged in one transaction: readers see the old register or the new
 * one. A run that was cut off goes on behind its last finished step when the same content comes again.
 *
 * @param pool connected as the owner of the schema
 * @throws ImportRefused when there is nothing to import, or it cannot be merged as asked
 */
export async function importRegister(pool: pg.Pool, options: ImportOptions): Promise<ImportOutcome> {
  const started = options.now()
  const progress = options.progress ?? quiet
  const sources = await findSources(options.directory)
  const client = await pool.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lock_key])
    const run = await openRun(client, sources, options)
    progress.at(0, 'reading')
    if (run.phase === 'staging') {
      await stageAll(client, run, sources, options, progress)
      await inTransaction(client, async () => {
        progress.at(0.4, 'checking')
        await checkStaged(client, run.id, await acceptedRows(client, run.id))
        await client.query("UPDATE import_run SET phase = 'checked' WHERE id = $1", [run.id])
      })
      options.reached?.('checked')
    }
    progress.at(0.5, 'merging')
    const changes = await merge(client, run, options, progress)
    const outcome = await describe(client, run, sources.length, changes, options)
    progress.at(1, 'done')
    return { ...outcome, seconds: (options.now() - started) / 1000 }
  } finally {
    progress.done()
    await client.query('SELECT pg_advisory_unlock($1)', [lock_key]).then(() => client.release(), () => client.release(true))
  }
}

async function findSources(directory: string): Promise<Source[]> {
  let names: string[]
  try {
    names = readdirSync(directory).filter(isRegisterFile).sort()
  } catch {
    throw new ImportRefused(`${directory} is not a folder that can be read. Give the folder that holds the register's files.`)
  }
  if (names.length === 0) throw new ImportRefused(`${directory} holds no CSV or GeoJSON file.`)
  return await Promise.all(names.map(async (name) => ({ name, path: join(directory, name), sha256: await fileHash(join(directory, name)) })))
}

async function inTransaction<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    // an owner who is no superuser stands behind the same wall as everybody
    await client.query("SELECT set_config('kawal.organisation', 'kawal', true), set_config('kawal.role', 'system', true)")
    const value = await work()
    await client.query('COMMIT')
    return value
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** Takes up an unfinished run of the same content, or begins one and sets an unfinished other aside. */
async function openRun(client: pg.ClientBase, sources: readonly Source[], options: ImportOptions): Promise<Run> {
  const fingerprint = createHash('sha256').update(sources.map((source) => `${source.name} ${source.sha256}\n`).join('')).digest('hex')
  return await inTransaction(client, async () => {
    const open = await client.query<{ id: number; fingerprint: string; date: string; phase: string }>(
      "SELECT id, fingerprint, valid_from::text AS date, phase FROM import_run WHERE phase IN ('staging', 'checked')",
    )
    const before = open.rows[0]
    if (before !== undefined && before.fingerprint === fingerprint && before.date === options.date && (await stageIsWhole(client, before.id, before.phase))) return { ...before, resumed: true }
    await client.query("UPDATE import_run SET phase = 'abandoned', finished_at = $1 WHERE phase IN ('staging', 'checked')", [new Date(options.now())])
    await client.query(`TRUNCATE ${stageTables.join(', ')}`)
    const begun = await client.query<{ id: number }>("INSERT INTO import_run (fingerprint, valid_from, phase, started_at) VALUES ($1, $2, 'staging', $3) RETURNING id", [
      fingerprint, options.date, new Date(options.now()),
    ])
    const id = begun.rows[0]?.id
    if (id === undefined) throw new Error('an inserted run has an id')
    return { id, date: options.date, phase: 'staging', resumed: false }
  })
}

/** Whether the stage still holds the run's rows: a crash of the database empties unlogged tables. */
async function stageIsWhole(client: pg.ClientBase, run: number, phase: string): Promise<boolean> {
  const files = await client.query<{ name: string; kind: string; accepted: number }>('SELECT name, kind, accepted FROM import_file WHERE run_id = $1 AND accepted > 0', [run])
  for (const { name, kind, accepted } of files.rows) {
    const staged = await client.query<{ rows: number }>(`SELECT count(*) AS rows FROM stage_${kind} WHERE file = $1`, [name])
    const rows = staged.rows[0]?.rows ?? 0
    if (phase === 'staging' ? rows !== accepted : rows === 0) return false
  }
  return true
}

async function stageAll(client: pg.ClientBase, run: Run, sources: readonly Source[], options: ImportOptions, progress: Progress): Promise<void> {
  const done = new Set((await client.query<{ name: string }>('SELECT name FROM import_file WHERE run_id = $1', [run.id])).rows.map((row) => row.name))
  const seen = done.size === 0 ? new Map<string, string>() : await seenBefore(client)
  for (const [index, source] of sources.entries()) {
    if (done.has(source.name)) continue
    await inTransaction(client, async () => {
      const issues: FileIssue[] = []
      const rows = await openRows(source.path).catch((error: unknown) => refuseDamaged(source.name, error))
      const recognised = recognise(source.name, rows.header)
      const tick = (): void => progress.at((0.4 * (index + Math.min(1, rows.progress.read / Math.max(1, rows.progress.total)))) / sources.length, `reading ${source.name}`)
      let staged = { rows: 0, accepted: 0 }
      if (recognised === null) issues.push({ file: source.name, line: 1, code: '', ...reject('unknown_file', rows.header.join(',').slice(0, 200)) })
      else {
        if (recognised.unused.length > 0) issues.push({ file: source.name, line: 1, code: '', ...warn('unused_columns', recognised.unused.join(', ').slice(0, 500)) })
        staged = await stageFile(client, source.name, recognised, rows, seen, issues, tick).catch((error: unknown) => refuseDamaged(source.name, error))
      }
      await saveIssues(client, run.id, issues)
      await client.query('INSERT INTO import_file (run_id, name, kind, sha256, rows, accepted) VALUES ($1, $2, $3, $4, $5, $6)', [
        run.id, source.name, recognised?.kind ?? 'unknown', source.sha256, staged.rows, staged.accepted,
      ])
    })
    options.reached?.(`staged ${source.name}`)
  }
}

/** A file that cannot be read as a whole (cut off, no gzip, no JSON) stops the import before anything changes. */
function refuseDamaged(name: string, error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof SyntaxError || error instanceof RangeError || /^(Z_|E(ACCES|ISDIR|IO|NOENT))/.test(code))
    throw new ImportRefused(`${name} is damaged or no register: ${(error as Error).message}. Nothing was imported; mend or remove it and import again.`)
  throw error
}

/** What the files staged before a cut had, so that a code in two files is still seen twice. */
async function seenBefore(client: pg.ClientBase): Promise<Map<string, string>> {
  const seen = new Map<string, string>()
  const keys: readonly (readonly [Kind, string])[] = [['region', 'code'], ['village', 'code'], ['station', 'code'], ['venue', 'id']]
  for (const [kind, key] of keys)
    for (const row of (await client.query<{ id: string; at: string }>(`SELECT ${key} AS id, file || ':' || line AS at FROM stage_${kind}`)).rows) seen.set(`${kind} ${row.id}`, row.at)
  const points = await client.query<{ id: string; latitude: number | null; longitude: number | null; village_code: string | null }>('SELECT id, latitude, longitude, village_code FROM stage_access')
  for (const row of points.rows) seen.set(`access ${row.id}`, [row.latitude, row.longitude, row.village_code].join(' '))
  return seen
}

async function acceptedRows(client: pg.ClientBase, run: number): Promise<Map<string, number>> {
  const files = await client.query<{ kind: string; accepted: number }>("SELECT kind, sum(accepted) AS accepted FROM import_file WHERE run_id = $1 AND kind <> 'unknown' GROUP BY kind", [run])
  return new Map(files.rows.map((row) => [row.kind, row.accepted]))
}

class DryRun extends Error {}

async function merge(client: pg.ClientBase, run: Run, options: ImportOptions, progress: Progress): Promise<Record<string, number>> {
  const staged = await acceptedRows(client, run.id)
  let changes: Record<string, number> = {}
  try {
    await inTransaction(client, async () => {
      await client.query("SET LOCAL work_mem = '128MB'")
      if (staged.size === 0 || [...staged.values()].every((rows) => rows === 0)) return
      changes = await mergeAll(client, run.id, run.date, staged)
      progress.at(0.9, 'finishing')
      if (options.dryRun === true) throw new DryRun()
      await client.query("UPDATE import_run SET phase = 'merged', changes = $2, finished_at = $3 WHERE id = $1", [run.id, JSON.stringify(changes), new Date(options.now())])
    })
  } catch (error) {
    if (!(error instanceof DryRun)) throw error
  }
  if (options.dryRun !== true) {
    options.reached?.('merged')
    await client.query(`TRUNCATE ${stageTables.join(', ')}`)
    await client.query('ANALYZE region, station, venue, access_point')
  }
  return changes
}

async function describe(client: pg.ClientBase, run: Run, files: number, changes: Record<string, number>, options: ImportOptions): Promise<Omit<ImportOutcome, 'seconds'>> {
  const issues = await client.query<{ severity: string; reason: string; rows: number }>('SELECT severity, reason, count(*) AS rows FROM import_issue WHERE run_id = $1 GROUP BY 1, 2 ORDER BY 1, 2', [run.id])
  const total = (severity: string): number => issues.rows.reduce((sum, row) => sum + (row.severity === severity ? row.rows : 0), 0)
  const counts = await inTransaction(client, async () =>
    await client.query<Record<'provinces' | 'regencies' | 'districts' | 'villages' | 'stations' | 'venues' | 'access_points' | 'organisations' | 'operator_codes' | 'rows', number>>(
      `SELECT count(*) FILTER (WHERE level = 'province') AS provinces, count(*) FILTER (WHERE level = 'regency') AS regencies,
              count(*) FILTER (WHERE level = 'district') AS districts, count(*) FILTER (WHERE level = 'village') AS villages,
              (SELECT count(*) FROM station WHERE valid_to IS NULL) AS stations, (SELECT count(*) FROM venue WHERE valid_to IS NULL) AS venues,
              (SELECT count(*) FROM access_point WHERE valid_to IS NULL) AS access_points, (SELECT count(*) FROM organisation) AS organisations,
              (SELECT count(*) FROM operator_code WHERE valid_to IS NULL) AS operator_codes,
              (SELECT coalesce(sum(rows), 0) FROM import_file WHERE run_id = $1) AS rows
       FROM region WHERE valid_to IS NULL`, [run.id],
    ),
  )
  await writeIssues(client, run.id, options.issuesFile)
  const row = counts.rows[0]
  if (row === undefined) throw new Error('an aggregate has a row')
  return {
    ...row, files, warnings_listed: total('warning'), rejects: total('reject'),
    changes: Object.values(changes).reduce((sum, value) => sum + value, 0), changes_by_set: changes,
    issues_by_reason: Object.fromEntries(issues.rows.map((issue) => [issue.reason, issue.rows])),
    issues_file: options.issuesFile, valid_from: run.date, resumed: run.resumed,
  }
}

/** file,line,code,severity,reason,detail,meaning: one row per oddity, in the order of the files. */
async function writeIssues(client: pg.ClientBase, run: number, path: string): Promise<void> {
  const quote = (value: string): string => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  async function* lines(): AsyncGenerator<string> {
    yield 'file,line,code,severity,reason,detail,meaning\n'
    const issues = await client.query<{ file: string; line: number; code: string; severity: string; reason: Reason; detail: string }>(
      'SELECT file, line, code, severity, reason, detail FROM import_issue WHERE run_id = $1 ORDER BY file, line, reason, detail', [run],
    )
    for (const issue of issues.rows)
      yield [issue.file, String(issue.line), issue.code, issue.severity, issue.reason, issue.detail, reasons[issue.reason]].map(quote).join(',') + '\n'
  }
  await pipeline(Readable.from(lines()), createWriteStream(path))
}
