import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type pg from 'pg'
import type { ClaimIssue } from '@kawal/core/atlas/claim.ts'
import { countCells } from '@kawal/core/atlas/cover.ts'
import type { Technology } from '@kawal/core/atlas/edition.ts'
import type { Runs } from '@kawal/core/geo/cells.ts'
import { copyRows, type Field } from '../register/copy.ts'
import { ImportRefused } from '../register/merge.ts'
import { quiet, type Progress } from '../register/progress.ts'
import { fileHash } from '../register/read-file.ts'
import { loadGround } from './ground.ts'
import { countOf, countReasons, writeIssueFile, type PlacedIssue } from './issue-file.ts'
import { openAreas } from './open-features.ts'
import { readAreas, readRaster, type Covered } from './read-areas.ts'
import { AskedWrong, readPoints, readSiteList, type PlacedSite, type SiteList } from './read-sites.ts'
import { encodeRuns } from './runs-codec.ts'
import { DryRun, inTransaction } from './transaction.ts'

interface CoverageOptions {
  /** A file, a zip, or a folder that holds one dataset. */
  readonly path: string
  /** Organisation whose coverage it is; null for a list of sites with operator codes. */
  readonly operator: string | null
  readonly technology: Technology | null
  /** Day YYYY-MM-DD from which the claim holds. */
  readonly date: string
  readonly layer?: string | undefined
  readonly crs?: string | undefined
  /** Least value of a covered pixel; without it, every value above 0. */
  readonly threshold?: number | undefined
  /** Of fixed access that is given by points without a radius of their own. */
  readonly radius_m?: number | undefined
  readonly swap_axes?: boolean
  /** The list of sites is the operator's whole network. */
  readonly complete?: boolean
  readonly dryRun?: boolean
  readonly issuesFile: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly progress?: Progress
}

export interface CoverageOutcome {
  readonly format: string
  readonly features: number
  readonly accepted: number
  readonly claims: readonly { operator: string | null; technology: string; kind: string; complete: boolean; features: number; cells: number | null; km2: number | null }[]
  readonly warnings_listed: number
  readonly rejects: number
  /** Claims that are new or took another's place; 0 when the same file stands already. */
  readonly changes: number
  readonly issues_by_reason: Readonly<Record<string, number>>
  readonly issues_file: string
  readonly valid_from: string
  readonly seconds: number
}

interface NewClaim {
  readonly operator: string | null
  readonly technology: Technology
  readonly kind: 'polygon' | 'raster' | 'sites' | 'points'
  readonly complete: boolean
  readonly features: number
  readonly accepted: number
  readonly runs: Runs | null
  readonly sites: readonly PlacedSite[]
  readonly issues: readonly PlacedIssue[]
}

interface Reading {
  readonly format: string
  readonly features: number
  readonly accepted: number
  readonly claims: readonly NewClaim[]
  readonly issues: readonly PlacedIssue[]
}

const lock_key = 5108
/**
 * How far a fixed line reaches from its distribution point: a drop cable is rarely longer. An engineering
 * default of ours, for points that come without a radius.
 */
const drop_m_default = 300
/** Mean area of a cell of resolution 9 (https://h3geo.org/docs/core-library/restable). */
const cell_km2 = 0.105332513

/**
 * Takes in what an operator says of its coverage: areas, a raster, or sites. The file is read and checked
 * whole, then its claims are saved in one transaction. A claim of the same operator, technology, day and
 * kind is replaced; the same file read the same way changes nothing.
 * @param pool connected as the owner of the schema
 * @throws ImportRefused when nothing of it can be taken, or the operator or technology is missing or unknown
 */
export async function importCoverage(pool: pg.Pool, options: CoverageOptions): Promise<CoverageOutcome> {
  const started = options.now()
  const progress = options.progress ?? quiet
  if (!existsSync(options.path)) throw new ImportRefused(`${options.path} is not there.`)
  const client = await pool.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lock_key])
    await checkOperator(client, options.operator)
    progress.at(0, 'reading')
    const reading = await readFile(client, options, progress)
    await writeIssueFile(options.issuesFile, basename(options.path), reading.issues)
    if (reading.accepted === 0) throw new ImportRefused(`Nothing of ${basename(options.path)} could be taken; the reasons are in ${options.issuesFile}.`)
    progress.at(0.92, 'saving')
    const changes = await save(client, reading.claims, await contentOf(options), options)
    progress.at(1, 'done')
    return {
      format: reading.format, features: reading.features, accepted: reading.accepted, changes,
      claims: reading.claims.map(({ operator, technology, kind, complete, accepted, runs }) => {
        const cells = runs === null ? null : countCells(runs)
        return { operator, technology, kind, complete, features: accepted, cells, km2: cells === null ? null : Math.round(cells * cell_km2) }
      }),
      warnings_listed: countOf(reading.issues, 'warning'), rejects: countOf(reading.issues, 'reject'), issues_by_reason: countReasons(reading.issues),
      issues_file: options.issuesFile, valid_from: options.date, seconds: (options.now() - started) / 1000,
    }
  } finally {
    progress.done()
    await client.query('SELECT pg_advisory_unlock($1)', [lock_key]).then(() => client.release(), () => client.release(true))
  }
}

async function checkOperator(client: pg.ClientBase, operator: string | null): Promise<void> {
  if (operator === null) return
  const { rows } = await client.query<{ id: string }>("SELECT id FROM organisation WHERE kind IN ('operator', 'isp', 'bakti') ORDER BY kind = 'isp', id")
  if (rows.some((row) => row.id === operator)) return
  const known = rows.map((row) => row.id)
  throw new AskedWrong(`${operator} is no operator here. Known are ${known.slice(0, 20).join(', ')}${known.length > 20 ? ` and ${known.length - 20} more` : ''}; add one with kawal org add.`)
}

async function readFile(client: pg.ClientBase, options: CoverageOptions, progress: Progress): Promise<Reading> {
  const swap_axes = options.swap_axes === true
  const isTable = /\.csv(\.gz)?$/i.test(options.path)
  const { operator, technology } = options
  if (isTable && technology !== 'fixed') {
    const { rows } = await client.query<{ plmn: string; organisation: string }>(
      'SELECT plmn, organisation_id AS organisation FROM operator_code WHERE valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)', [options.date],
    )
    const list = await readSiteList(options.path, { operator, technology, operators: new Map(rows.map((row) => [row.plmn, row.organisation])), swap_axes, ground: loadGround(), progress })
    return { format: 'CSV', features: list.rows, accepted: list.sites.length, claims: claimsOf(list, options), issues: list.issues }
  }
  if (operator === null) throw new AskedWrong('Whose coverage is it? Say so with --operator.')
  if (technology === null) throw new AskedWrong('Of which technology is the coverage? Say so with --technology: gsm, umts, lte, nr or fixed.')
  const claim = (format: string, { runs, kind, features, accepted, issues }: Covered): Reading => ({
    format, features, accepted, issues, claims: [{ operator, technology, kind, complete: true, features, accepted, runs, sites: [], issues }],
  })
  const reading = { swap_axes, radius_m: technology === 'fixed' ? (options.radius_m ?? drop_m_default) : null, ground: loadGround(), progress }
  if (isTable) return claim('CSV', await readPoints(options.path, reading))
  const opened = await openAreas(options.path, { layer: options.layer, crs: options.crs })
  const open = 'raster' in opened ? opened.raster : opened.features
  try {
    return claim(open.format, 'raster' in opened ? await readRaster(opened.raster, options.threshold ?? null, reading) : await readAreas(opened.features, reading))
  } finally {
    await open.close()
  }
}

/** A claim for each operator and technology of a list, in their order. */
function claimsOf(list: SiteList, options: CoverageOptions): NewClaim[] {
  const name = (of: { organisation: string | null; technology: string | null }): string => `${of.organisation ?? '~'} ${of.technology ?? ''}`
  const sites = Map.groupBy(list.sites, name)
  const issues = Map.groupBy(list.issues, name)
  return [...sites].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([key, mine]) => {
    const [first] = mine
    if (first === undefined) return []
    const about = issues.get(key) ?? []
    const rejects = about.filter((issue) => issue.severity === 'reject').length
    return [{
      operator: first.organisation, technology: first.technology, kind: 'sites', complete: options.complete === true && first.organisation !== null,
      features: mine.length + rejects, accepted: mine.length, runs: null, sites: mine, issues: about,
    } as const]
  })
}

/** What the file holds and how it was read: equal ones need no second import. */
async function contentOf(options: CoverageOptions): Promise<{ sha256: string; reading: string }> {
  const { layer, crs, threshold, radius_m, swap_axes, operator, technology } = options
  const reading = JSON.stringify({ layer, crs, threshold, radius_m, swap_axes: swap_axes === true ? true : undefined, operator, technology })
  if (!statSync(options.path).isDirectory()) return { sha256: await fileHash(options.path), reading }
  const hash = createHash('sha256')
  for (const name of readdirSync(options.path, { recursive: true }).map(String).sort()) if (statSync(join(options.path, name)).isFile()) hash.update(`${name} ${await fileHash(join(options.path, name))}\n`)
  return { sha256: hash.digest('hex'), reading }
}

async function save(client: pg.ClientBase, claims: readonly NewClaim[], content: { sha256: string; reading: string }, options: CoverageOptions): Promise<number> {
  let changes = 0
  await inTransaction(client, async () => {
    for (const claim of claims) {
      const key = [claim.operator, claim.technology, options.date, claim.kind, claim.complete]
      const where = 'organisation_id IS NOT DISTINCT FROM $1 AND technology = $2 AND valid_from = $3 AND kind = $4 AND complete = $5'
      const same = await client.query(`SELECT FROM claim WHERE ${where} AND sha256 = $6 AND reading = $7`, [...key, content.sha256, content.reading])
      if (same.rowCount !== 0) continue
      await client.query(`DELETE FROM claim WHERE ${where}`, key)
      await insert(client, claim, content, options)
      changes++
    }
    if (options.dryRun === true) throw new DryRun()
  })
  return changes
}

async function insert(client: pg.ClientBase, claim: NewClaim, content: { sha256: string; reading: string }, options: CoverageOptions): Promise<void> {
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO claim (organisation_id, technology, valid_from, kind, complete, file, sha256, reading, features, accepted, cells, runs, imported_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
    [
      claim.operator, claim.technology, options.date, claim.kind, claim.complete, basename(options.path), content.sha256, content.reading, claim.features, claim.accepted,
      claim.runs === null ? null : countCells(claim.runs), claim.runs === null ? null : encodeRuns(claim.runs), new Date(options.now()),
    ],
  )
  const id = rows[0]?.id
  if (id === undefined) throw new Error('an inserted claim has an id')
  await copyThrough(client, 'claim_issue', issueRows(id, claim.issues))
  if (claim.sites.length > 0) await copyThrough(client, 'cell_site', siteRows(id, claim.sites))
}

function* issueRows(id: number, issues: readonly (PlacedIssue & ClaimIssue)[]): Generator<readonly Field[]> {
  for (const issue of issues) yield [id, issue.place, issue.severity, issue.reason, issue.detail]
}

function* siteRows(id: number, sites: readonly PlacedSite[]): Generator<readonly Field[]> {
  for (const { line, plmn, latitude, longitude, numbers: n, updated_on } of sites)
    yield [id, line, plmn, n.area, n.cell, n.unit, latitude, longitude, n.height_m, n.azimuth_deg, n.beamwidth_deg, n.eirp_dbm, n.frequency_mhz, n.range, n.samples, updated_on]
}

/** COPY does not go through row-level security, which an owner who is no superuser stands behind: by a table of its own, then. */
async function copyThrough(client: pg.ClientBase, table: string, rows: Iterable<readonly Field[]>): Promise<void> {
  await client.query(`CREATE TEMP TABLE incoming (LIKE ${table}) ON COMMIT DROP`)
  await copyRows(client, 'incoming', rows)
  await client.query(`INSERT INTO ${table} SELECT * FROM incoming`)
  await client.query('DROP TABLE incoming')
}
