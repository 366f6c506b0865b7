import { checkGround, readArea, rejectOf, warnOf, type ClaimIssue } from '@kawal/core/atlas/claim.ts'
import { coverPolygon, makeCover, unite } from '@kawal/core/atlas/cover.ts'
import { keyAt, resolution_fine, type Runs } from '@kawal/core/geo/cells.ts'
import { makePolygon } from '@kawal/core/geo/polygon.ts'
import type { Technology } from '@kawal/core/atlas/edition.ts'
import { openCellId, parseSite, readPosition, siteColumns, technologyOf, type Site } from '@kawal/core/atlas/site.ts'
import { decimal, type Read } from '@kawal/core/register/rows.ts'
import { ImportRefused } from '../register/merge.ts'
import { openRows, type Rows } from '../register/read-file.ts'
import type { PlacedIssue } from './issue-file.ts'
import { circle, type AreaReading, type Covered } from './read-areas.ts'

/** The command asked for what cannot be: the sentence says what it should name. */
export class AskedWrong extends ImportRefused {}

export interface PlacedSite extends Site {
  readonly line: number
  /** null: nobody is known for its code. */
  readonly organisation: string | null
}

export interface SiteList {
  readonly sites: readonly PlacedSite[]
  readonly rows: number
  /** By whose claim they are about; of rows that belong to none, under the operator asked for, else under none. */
  readonly issues: readonly (PlacedIssue & { readonly organisation: string | null; readonly technology: Technology | null })[]
}

interface SiteReading extends Omit<AreaReading, 'radius_m'> {
  readonly operator: string | null
  readonly technology: Technology | null
  /** Operator codes that hold on the day, to their organisations. */
  readonly operators: ReadonlyMap<string, string>
}

interface Table {
  readonly rows: Rows
  /** The first row itself when the file has no header. */
  readonly first: readonly string[] | null
  readonly columns: ReadonlyMap<string, number>
  readonly unused: readonly string[]
}

/** Opens a CSV of sites; OpenCelliD's own without a header too. */
async function openTable(path: string): Promise<Table> {
  const rows = await openRows(path)
  const bare = rows.header.length === openCellId.length && technologyOf(rows.header[0] ?? '') !== null && /^\d{3}$/.test(rows.header[1] ?? '')
  const header = (bare ? openCellId : rows.header).map((name) => name.trim().toLowerCase())
  const columns = new Map<string, number>()
  for (const [name, headings] of Object.entries(siteColumns)) {
    const at = headings.map((heading) => header.indexOf(heading)).find((index) => index >= 0)
    if (at !== undefined) columns.set(name, at)
  }
  if (!columns.has('lat') || !columns.has('lon')) throw new ImportRefused(`The file has no columns of positions: ${rows.header.join(', ').slice(0, 200)}. Name them lat and lon.`)
  const used = new Set(columns.values())
  return { rows, first: bare ? rows.header : null, columns, unused: bare ? [] : rows.header.filter((_, index) => !used.has(index)) }
}

async function* recordsOf(table: Table): AsyncGenerator<{ line: number; fields: readonly string[] | null; problem: string }> {
  if (table.first !== null) yield { line: 1, fields: table.first, problem: '' }
  yield* table.rows.records()
}

/** Reads a list of cell sites; each belongs to the operator of its code, or the one asked for. */
export async function readSiteList(path: string, reading: SiteReading): Promise<SiteList> {
  const table = await openTable(path)
  if (!table.columns.has('radio') && reading.technology === null) throw new AskedWrong('The file has no column of technologies. Say which one with --technology.')
  const hasCode = table.columns.has('plmn') || (table.columns.has('mcc') && table.columns.has('net'))
  if (!hasCode && reading.operator === null) throw new AskedWrong('The file has no operator codes (plmn, or mcc and net). Say whose it is with --operator.')
  const sites: PlacedSite[] = []
  const issues: SiteList['issues'][number][] = []
  const seen = new Map<string, number>()
  let rows = 0
  let fields: readonly string[] = []
  const read: Read = (column) => fields[table.columns.get(column) ?? -1] ?? ''
  if (table.unused.length > 0) issues.push({ place: 1, code: '', organisation: reading.operator, technology: null, ...warnOf('unused_columns', table.unused.join(', ').slice(0, 500)) })
  for await (const record of recordsOf(table)) {
    if (++rows % 1024 === 0) reading.progress.at((0.9 * table.rows.progress.read) / Math.max(1, table.rows.progress.total), 'reading sites')
    const note = (issue: ClaimIssue, organisation: string | null, technology: Technology | null): number =>
      issues.push({ place: record.line, code: record.fields === null ? '' : read('cell'), organisation, technology, ...issue })
    if (record.fields === null) {
      note(rejectOf('unreadable_feature', record.problem), reading.operator, null)
      continue
    }
    fields = record.fields
    const { site, issues: odd } = parseSite(read, reading.technology, reading.swap_axes)
    if (site === null) {
      for (const issue of odd) note(issue, reading.operator, null)
      continue
    }
    const known = site.plmn === null ? reading.operator : (reading.operators.get(site.plmn) ?? null)
    const refusal = known !== null && reading.operator !== null && known !== reading.operator ? rejectOf('other_operator', known) : twice(seen, site, record.line)
    if (refusal !== null) {
      note(refusal, reading.operator, site.technology)
      continue
    }
    for (const issue of odd) note(issue, known, site.technology)
    if (known === null) note(warnOf('unknown_operator', site.plmn ?? ''), null, site.technology)
    const off = checkGround(reading.ground, [site])
    // a rig at sea may carry a cell: told, and taken
    if (off?.severity === 'reject') note(warnOf(off.reason, off.detail), known, site.technology)
    sites.push({ ...site, line: record.line, organisation: known })
  }
  return { sites, rows, issues }
}

/** The refusal of a cell that was seen before; one without an identity is known by its place and direction. */
function twice(seen: Map<string, number>, site: Site, line: number): ClaimIssue | null {
  const { area, cell, unit, azimuth_deg, frequency_mhz } = site.numbers
  const name = cell === null ? `${site.latitude} ${site.longitude} ${azimuth_deg} ${frequency_mhz} ${unit}` : `${area} ${cell}`
  const before = seen.get(`${site.technology} ${site.plmn} ${name}`)
  if (before !== undefined) return rejectOf('duplicate_row', `first at line ${before}`)
  seen.set(`${site.technology} ${site.plmn} ${name}`, line)
  return null
}

/** Covers circles around the points of a CSV: fixed access by its distribution points. */
export async function readPoints(path: string, reading: AreaReading): Promise<Covered> {
  const table = await openTable(path)
  const cover = makeCover()
  const sets: Runs[] = []
  const issues: PlacedIssue[] = []
  let rows = 0
  let fields: readonly string[] = []
  const read: Read = (column) => fields[table.columns.get(column) ?? -1] ?? ''
  if (table.unused.length > 0) issues.push({ place: 1, code: '', ...warnOf('unused_columns', table.unused.join(', ').slice(0, 500)) })
  for await (const record of recordsOf(table)) {
    if (++rows % 1024 === 0) reading.progress.at((0.9 * table.rows.progress.read) / Math.max(1, table.rows.progress.total), 'reading points')
    const note = (issue: ClaimIssue): number => issues.push({ place: record.line, code: '', ...issue })
    fields = record.fields ?? []
    const position = record.fields === null ? rejectOf('unreadable_feature', record.problem) : readPosition(read, reading.swap_axes)
    if ('reason' in position) {
      note(position)
      continue
    }
    const text = read('radius_m').trim()
    const given = text === '' ? reading.radius_m : decimal(text)
    const fits = given !== null && given > 0 && given <= 50_000
    if (!fits) note(warnOf('bad_number', `radius ${text}`))
    const off = checkGround(reading.ground, [position])
    if (off !== null) note(off)
    if (off?.severity === 'reject') continue
    const { polygons } = readArea({ type: 'Polygon', coordinates: [circle(position.longitude, position.latitude, fits ? given : (reading.radius_m ?? 0))] }, false)
    const [ring] = polygons?.[0] ?? []
    const runs = ring === undefined ? new Float64Array() : coverPolygon(cover, makePolygon([ring]))
    const key = keyAt(position.latitude, position.longitude, resolution_fine)
    sets.push(runs.length === 0 ? Float64Array.of(key, key + 1) : runs)
  }
  return { kind: 'points', runs: unite(sets), features: rows, accepted: sets.length, issues }
}
