import { createHmac } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type pg from 'pg'
import { rejectOf, warnOf, type ClaimIssue } from '@kawal/core/atlas/claim.ts'
import { parseSample, sampleColumns, type Sample } from '@kawal/core/atlas/sample.ts'
import type { Read } from '@kawal/core/register/rows.ts'
import { copyRows, type Field } from '../register/copy.ts'
import { ImportRefused } from '../register/merge.ts'
import { quiet, type Progress } from '../register/progress.ts'
import { fileHash, openRows, type Rows } from '../register/read-file.ts'
import { countOf, countReasons, writeIssueFile, type PlacedIssue } from './issue-file.ts'
import { DryRun, inTransaction } from './transaction.ts'

interface SampleOptions {
  /** CSV, gzipped or not. */
  readonly path: string
  readonly issuesFile: string
  readonly dryRun?: boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly progress?: Progress
}

export interface SampleOutcome {
  readonly rows: number
  readonly accepted: number
  /** The file was taken in before: nothing was done. */
  readonly known: boolean
  readonly warnings_listed: number
  readonly rejects: number
  readonly issues_by_reason: Readonly<Record<string, number>>
  readonly issues_file: string
  readonly seconds: number
}

const lock_key = 5109
/** A device's hash: enough that a million of them hardly ever share one. */
const device_bytes = 16
/** So many devices and operators are remembered; more are worked out again. */
const remembered_max = 100_000
/** More issues than this are counted, and no longer listed. */
const listed_max = 500_000

/**
 * Takes in measured samples, each file once. Devices are kept as a hash under the deployment's secret.
 * @param pool connected as the owner of the schema
 * @throws ImportRefused when columns are missing or no row can be taken
 */
export async function importSamples(pool: pg.Pool, options: SampleOptions): Promise<SampleOutcome> {
  const started = options.now()
  const progress = options.progress ?? quiet
  const name = basename(options.path)
  if (!existsSync(options.path)) throw new ImportRefused(`${options.path} is not there.`)
  const client = await pool.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lock_key])
    const sha256 = await fileHash(options.path)
    const before = await client.query<{ rows: number; accepted: number }>('SELECT rows, accepted FROM sample_file WHERE sha256 = $1', [sha256])
    const issues: PlacedIssue[] = []
    let counts = { rows: before.rows[0]?.rows ?? 0, accepted: before.rows[0]?.accepted ?? 0 }
    const known = before.rowCount !== 0
    if (!known) {
      const rows = await openRows(options.path)
      const columns = columnsOf(rows, issues)
      const maker = await makerOf(client)
      await inTransaction(client, async () => {
        counts = await copyIn(client, rows, columns, maker, issues, progress)
        if (counts.accepted === 0) return
        progress.at(0.9, 'saving')
        const file = await client.query<{ id: number }>('INSERT INTO sample_file (name, sha256, rows, accepted, imported_at) VALUES ($1, $2, $3, $4, $5) RETURNING id', [name, sha256, counts.rows, counts.accepted, new Date(options.now())])
        // in the order of the index, which then grows at its ends only
        await client.query("SET LOCAL work_mem = '128MB'")
        await client.query(
          `INSERT INTO radio_sample (file_id, organisation_id, plmn, technology, at, latitude, longitude, device, rsrp_dbm, rssi_dbm, usable)
           SELECT $1, organisation_id, plmn, technology, at, latitude, longitude, device, rsrp_dbm, rssi_dbm, usable FROM incoming ORDER BY organisation_id, technology, at`, [file.rows[0]?.id],
        )
        if (options.dryRun === true) throw new DryRun()
      })
      await writeIssueFile(options.issuesFile, name, issues)
      if (counts.accepted === 0) throw new ImportRefused(`No row of ${name} could be taken; the reasons are in ${options.issuesFile}.`)
      if (options.dryRun !== true) await client.query('ANALYZE radio_sample')
    }
    progress.at(1, 'done')
    return {
      ...counts, known, warnings_listed: countOf(issues, 'warning'), rejects: counts.rows - counts.accepted, issues_by_reason: countReasons(issues),
      issues_file: options.issuesFile, seconds: (options.now() - started) / 1000,
    }
  } finally {
    progress.done()
    await client.query('SELECT pg_advisory_unlock($1)', [lock_key]).then(() => client.release(), () => client.release(true))
  }
}

function columnsOf(rows: Rows, issues: PlacedIssue[]): ReadonlyMap<string, number> {
  const header = rows.header.map((heading) => heading.trim().toLowerCase())
  const columns = new Map<string, number>()
  for (const [name, headings] of Object.entries(sampleColumns)) {
    const at = headings.map((heading) => header.indexOf(heading)).find((index) => index >= 0)
    if (at !== undefined) columns.set(name, at)
  }
  const missing = ['operator', 'technology', 'lat', 'lon', 'at'].filter((name) => !columns.has(name))
  if (missing.length > 0) throw new ImportRefused(`The file lacks the columns ${missing.join(', ')}; it has ${rows.header.join(', ').slice(0, 200)}.`)
  if (!columns.has('rsrp_dbm') && !columns.has('rssi_dbm') && !columns.has('usable')) throw new ImportRefused('The file has none of rsrp_dbm, rssi_dbm, usable: nothing was measured.')
  const used = new Set(columns.values())
  const unused = rows.header.filter((_, index) => !used.has(index))
  if (unused.length > 0) issues.push({ place: 1, code: '', ...warnOf('unused_columns', unused.join(', ').slice(0, 500)) })
  return columns
}

/** Makes stored rows of samples: whose they are on their day, and the device's hash. */
type Maker = (sample: Sample) => { row: readonly Field[]; issue: ClaimIssue | null }

async function makerOf(client: pg.ClientBase): Promise<Maker> {
  const organisations = new Set((await client.query<{ id: string }>('SELECT id FROM organisation')).rows.map((row) => row.id))
  const codes = (await client.query<{ plmn: string; organisation: string; from: string; to: string }>(
    "SELECT plmn, organisation_id AS organisation, valid_from::text AS from, coalesce(valid_to::text, '9999-12-31') AS to FROM operator_code",
  )).rows
  const secret = (await client.query<{ secret: Buffer }>('SELECT secret FROM deployment')).rows[0]?.secret
  if (secret === undefined) throw new Error('a deployment has a secret')
  const hashOf = remembering((device: string) => `\\x${createHmac('sha256', secret).update(`sample device ${device}`).digest('hex').slice(0, 2 * device_bytes)}`)
  const ownerOf = remembering((key: string): readonly [string | null, string | null] => {
    const [operator = '', day = ''] = key.split('\n')
    const plmn = operator.replace(/[-. ]/, '')
    if (!/^\d{5,6}$/.test(plmn)) return [organisations.has(operator.toLowerCase()) ? operator.toLowerCase() : null, null]
    return [codes.find((code) => code.plmn === plmn && code.from <= day && day < code.to)?.organisation ?? null, plmn]
  })
  return ({ operator, technology, at, latitude, longitude, device, rsrp_dbm, rssi_dbm, usable }) => {
    const [organisation, plmn] = ownerOf(`${operator}\n${at.slice(0, 10)}`)
    const row = [organisation, plmn, technology, at, latitude, longitude, device === '' ? null : hashOf(device), rsrp_dbm, rssi_dbm, usable === null ? null : usable ? 't' : 'f']
    return { row, issue: organisation === null ? (plmn === null ? rejectOf('unknown_operator', operator) : warnOf('unknown_operator', plmn)) : null }
  }
}

function remembering<T>(work: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    const before = known.get(key)
    if (before !== undefined) return before
    if (known.size >= remembered_max) known.clear()
    const value = work(key)
    known.set(key, value)
    return value
  }
}

async function copyIn(client: pg.ClientBase, rows: Rows, columns: ReadonlyMap<string, number>, make: Maker, issues: PlacedIssue[], progress: Progress): Promise<{ rows: number; accepted: number }> {
  const counts = { rows: 0, accepted: 0 }
  let fields: readonly string[] = []
  const read: Read = (column) => fields[columns.get(column) ?? -1] ?? ''
  async function* good(): AsyncGenerator<readonly Field[]> {
    for await (const record of rows.records()) {
      if (++counts.rows % 8192 === 0) progress.at((0.9 * rows.progress.read) / Math.max(1, rows.progress.total), 'reading samples')
      const note = (issue: ClaimIssue): void => {
        if (issues.length < listed_max) issues.push({ place: record.line, code: '', ...issue })
      }
      if (record.fields === null) {
        note(rejectOf('unreadable_feature', record.problem))
        continue
      }
      fields = record.fields
      const { sample, issues: odd } = parseSample(read)
      for (const issue of odd) note(issue)
      if (sample === null) continue
      const { row, issue } = make(sample)
      if (issue !== null) note(issue)
      if (issue?.severity === 'reject') continue
      counts.accepted++
      yield row
    }
  }
  await client.query('CREATE TEMP TABLE incoming (organisation_id text COLLATE "C", plmn text, technology text, at timestamptz, latitude float8, longitude float8, device bytea, rsrp_dbm real, rssi_dbm real, usable boolean) ON COMMIT DROP')
  await copyRows(client, 'incoming', good())
  return counts
}
