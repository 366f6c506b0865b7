import { basename } from 'node:path'
import type pg from 'pg'
import { rejectOf, readArea, warnOf, type ClaimIssue } from '@kawal/core/atlas/claim.ts'
import { countCells, coverPolygon, makeCover, unite, type Cover } from '@kawal/core/atlas/cover.ts'
import { keyAt, resolution_fine, type Runs } from '@kawal/core/geo/cells.ts'
import { centroidOf, inside, makePolygon, type Polygon } from '@kawal/core/geo/polygon.ts'
import { levelOf, plainCode } from '@kawal/core/register/codes.ts'
import { copyRows, type Field } from '../register/copy.ts'
import { ImportRefused } from '../register/merge.ts'
import { quiet, type Progress } from '../register/progress.ts'
import { countOf, countReasons, writeIssueFile, type PlacedIssue } from './issue-file.ts'
import { openFeatures } from './open-features.ts'
import { encodeRuns } from './runs-codec.ts'
import { inTransaction, DryRun } from './transaction.ts'

interface BoundaryOptions {
  readonly path: string
  /** Day YYYY-MM-DD from which the boundaries hold. */
  readonly date: string
  readonly issuesFile: string
  readonly layer?: string | undefined
  readonly crs?: string | undefined
  readonly swap_axes?: boolean
  readonly dryRun?: boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly progress?: Progress
}

export interface BoundaryOutcome {
  readonly format: string
  readonly features: number
  /** Villages of the register that have an area now by this file. */
  readonly villages: number
  /** Villages of the register without one, in this file or before. */
  readonly villages_without: number
  readonly cells: number
  readonly warnings_listed: number
  readonly rejects: number
  /** Areas added, changed or ended. */
  readonly changes: number
  readonly issues_by_reason: Readonly<Record<string, number>>
  readonly issues_file: string
  readonly valid_from: string
  readonly seconds: number
}

interface Village {
  readonly code: string
  readonly name: string
  readonly latitude: number | null
  readonly longitude: number | null
}

/** One village's area, put together from its features. */
interface Area {
  readonly place: number
  readonly polygons: Polygon[]
  readonly sets: Runs[]
  readonly centroids: { latitude: number; longitude: number; weight: number }[]
}

/** A feature whose code the register does not know: looked at again when all others are in. */
interface Stray {
  readonly place: number
  readonly code: string
  readonly name: string
  readonly area: Area
}

const lock_key = 5107
const codeColumns = ['code', 'kode', 'kode_desa', 'kode desa', 'kode_kel', 'village_code', 'kelurahan_code', 'kode_kd', 'kdepum', 'kode_wilayah', 'kd_desa']
const nameColumns = ['name', 'nama', 'nama_desa', 'desa', 'kelurahan', 'wadmkd', 'namobj', 'nama_kel', 'village']

/**
 * Villages' areas from one file of polygons. A village's features are put together; an unknown code is
 * taken for the one village of its name and district, or whose position it holds, that has no area in the
 * file. All in one transaction: readers see the old areas or the new ones.
 * @param pool connected as the owner of the schema
 * @throws ImportRefused when nothing can be read, or a later version stands
 */
export async function importBoundaries(pool: pg.Pool, options: BoundaryOptions): Promise<BoundaryOutcome> {
  const started = options.now()
  const progress = options.progress ?? quiet
  const client = await pool.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lock_key])
    const villages = await loadVillages(client)
    if (villages.size === 0) throw new ImportRefused('The register has no villages. Import it first: kawal import register FOLDER.')
    const issues: PlacedIssue[] = []
    progress.at(0, 'reading')
    const read = await readAll(options, villages, issues, progress)
    progress.at(0.8, 'saving')
    const saved = await save(client, read.areas, villages, issues, options)
    await writeIssueFile(options.issuesFile, basename(options.path), issues)
    progress.at(1, 'done')
    return {
      format: read.format, features: read.features, villages: read.areas.size, ...saved,
      warnings_listed: countOf(issues, 'warning'), rejects: countOf(issues, 'reject'), issues_by_reason: countReasons(issues),
      issues_file: options.issuesFile, valid_from: options.date, seconds: (options.now() - started) / 1000,
    }
  } finally {
    progress.done()
    await client.query('SELECT pg_advisory_unlock($1)', [lock_key]).then(() => client.release(), () => client.release(true))
  }
}

async function loadVillages(client: pg.ClientBase): Promise<Map<string, Village>> {
  const { rows } = await client.query<Village>("SELECT code, name, latitude, longitude FROM region WHERE level = 'village' AND valid_to IS NULL")
  return new Map(rows.map((row) => [row.code, row]))
}

/** The first column of a feature that has one of these names, whatever their case. */
function column(properties: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  for (const wanted of names)
    for (const [name, value] of Object.entries(properties))
      if (name.toLowerCase() === wanted && (typeof value === 'string' || typeof value === 'number')) return String(value).trim()
  return ''
}

async function readAll(options: BoundaryOptions, villages: ReadonlyMap<string, Village>, issues: PlacedIssue[], progress: Progress): Promise<{ areas: Map<string, Area>; features: number; format: string }> {
  const source = await openFeatures(options.path, { layer: options.layer, crs: options.crs })
  const cover = makeCover()
  const areas = new Map<string, Area>()
  const strays: Stray[] = []
  let features = 0
  try {
    for (const issue of source.notes) issues.push({ place: 0, code: '', ...issue })
    for await (const feature of source.features()) {
      if (++features % 256 === 0) progress.at((0.8 * source.progress.read) / Math.max(1, source.progress.total), 'reading areas')
      const written = column(feature.properties, codeColumns)
      const note = (issue: ClaimIssue): number => issues.push({ place: feature.place, code: written, ...issue })
      if (feature.problem !== '') {
        note(rejectOf('unreadable_feature', feature.problem))
        continue
      }
      const code = plainCode(written)
      const level = code === null ? null : levelOf(code)
      if (code !== null && level !== null && level !== 'village') {
        note(rejectOf('other_level', level))
        continue
      }
      const { polygons, issues: odd } = readArea(feature.geometry, options.swap_axes === true)
      for (const issue of odd) note(issue)
      if (polygons === null) continue
      const area: Area = { place: feature.place, polygons: [], sets: [], centroids: [] }
      for (const rings of polygons) addPart(cover, area, rings)
      if (code === null || !villages.has(code)) strays.push({ place: feature.place, code: written, name: column(feature.properties, nameColumns), area })
      else addArea(areas, code, area, note)
    }
  } finally {
    await source.close()
  }
  settleStrays(strays, areas, villages, issues)
  return { areas, features, format: source.format }
}

function addPart(cover: Cover, area: Area, rings: Parameters<typeof makePolygon>[0]): void {
  const polygon = makePolygon(rings)
  area.polygons.push(polygon)
  area.sets.push(coverPolygon(cover, polygon))
  area.centroids.push(centroidOf(rings))
}

function addArea(areas: Map<string, Area>, code: string, area: Area, note: (issue: ClaimIssue) => void): void {
  const before = areas.get(code)
  if (before === undefined) {
    areas.set(code, area)
    return
  }
  before.polygons.push(...area.polygons)
  before.sets.push(...area.sets)
  before.centroids.push(...area.centroids)
  note(warnOf('more_parts', `first at ${before.place}`))
}

/** Letters and digits only, so that `Lhok Bengkuang Timur` and `LHOK BENGKUANG-TIMUR` are one name. */
const plainName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/**
 * Finds the village of a feature whose code is unknown among those that have no area yet: by name in the
 * district of the code, else by position. What would fit two villages is given to none.
 */
function settleStrays(strays: readonly Stray[], areas: Map<string, Area>, villages: ReadonlyMap<string, Village>, issues: PlacedIssue[]): void {
  const byName = new Map<string, Village[]>()
  const byRow = new Map<number, Village[]>()
  const put = <Key>(bins: Map<Key, Village[]>, key: Key, village: Village): void => void (bins.get(key)?.push(village) ?? bins.set(key, [village]))
  for (const village of villages.values()) {
    if (areas.has(village.code)) continue
    put(byName, `${village.code.slice(0, 6)} ${plainName(village.name)}`, village)
    if (village.latitude !== null && village.longitude !== null) put(byRow, Math.floor(village.latitude * 20), village)
  }
  const wanted = new Map<string, { stray: Stray; issue: ClaimIssue }[]>()
  const refuse = (stray: Stray): number => issues.push({ place: stray.place, code: stray.code, ...rejectOf('unknown_village', stray.name) })
  for (const stray of strays) {
    const district = plainCode(stray.code)?.slice(0, 6) ?? ''
    const named = byName.get(`${district} ${plainName(stray.name)}`) ?? []
    const placed = named.length === 1 ? [] : villagesInside(stray.area, byRow)
    const village = named.length === 1 ? named[0] : placed.length === 1 ? placed[0] : undefined
    if (village === undefined) {
      refuse(stray)
      continue
    }
    const issue = warnOf(named.length === 1 ? 'matched_by_name' : 'matched_by_position', `${village.code} ${village.name}, in the file ${stray.name}`)
    wanted.set(village.code, [...(wanted.get(village.code) ?? []), { stray, issue }])
  }
  for (const [code, claims] of wanted)
    for (const { stray, issue } of claims) {
      if (claims.length > 1) refuse(stray)
      else {
        areas.set(code, stray.area)
        issues.push({ place: stray.place, code: stray.code, ...issue })
      }
    }
}

function villagesInside(area: Area, byRow: ReadonlyMap<number, Village[]>): Village[] {
  const found: Village[] = []
  const south = Math.min(...area.polygons.map((polygon) => polygon.south))
  const north = Math.max(...area.polygons.map((polygon) => polygon.north))
  for (let row = Math.floor(south * 20); row <= Math.floor(north * 20); row++)
    for (const village of byRow.get(row) ?? []) if (holds(area, village.latitude ?? 0, village.longitude ?? 0)) found.push(village)
  return found
}

function holds(area: Area, latitude: number, longitude: number): boolean {
  return area.polygons.some((polygon) => latitude >= polygon.south && latitude <= polygon.north && longitude >= polygon.west && longitude <= polygon.east && inside(polygon, latitude, longitude))
}

/** The stored row of an area, and what is odd beside the register. */
function describe(code: string, area: Area, village: Village, note: (issue: ClaimIssue) => void): readonly Field[] {
  const weight = area.centroids.reduce((sum, centroid) => sum + centroid.weight, 0)
  const mean = (of: 'latitude' | 'longitude'): number => area.centroids.reduce((sum, centroid) => sum + centroid[of] * (weight === 0 ? 1 / area.centroids.length : centroid.weight / weight), 0)
  const centre = { latitude: mean('latitude'), longitude: mean('longitude') }
  const { latitude, longitude } = village
  const known = latitude !== null && longitude !== null
  const within = known && holds(area, latitude, longitude)
  if (known && !within) note(warnOf('position_outside', `${latitude} ${longitude}`))
  const [only] = area.sets
  let runs = area.sets.length === 1 && only !== undefined ? only : unite(area.sets)
  if (runs.length === 0) {
    const key = within ? keyAt(latitude, longitude, resolution_fine) : keyAt(centre.latitude, centre.longitude, resolution_fine)
    runs = Float64Array.of(key, key + 1)
    note(warnOf('smaller_than_cell'))
  }
  const edge = (of: 'south' | 'west' | 'north' | 'east', pick: (...values: number[]) => number): number => area.polygons.reduce((best, polygon) => pick(best, polygon[of]), area.polygons[0]?.[of] ?? 0)
  const round = (degrees: number): number => Math.round(degrees * 1e7) / 1e7
  return [
    code, `\\x${encodeRuns(runs).toString('hex')}`, countCells(runs), round(centre.latitude), round(centre.longitude),
    edge('south', Math.min), edge('west', Math.min), edge('north', Math.max), edge('east', Math.max),
  ]
}

async function save(
  client: pg.ClientBase, areas: ReadonlyMap<string, Area>, villages: ReadonlyMap<string, Village>, issues: PlacedIssue[], options: BoundaryOptions,
): Promise<{ changes: number; cells: number; villages_without: number }> {
  function* rows(): Generator<readonly Field[]> {
    for (const [code, area] of areas) {
      const village = villages.get(code)
      if (village !== undefined) yield describe(code, area, village, (issue) => issues.push({ place: area.place, code, ...issue }))
    }
  }
  let saved = { changes: 0, cells: 0, villages_without: 0 }
  await inTransaction(client, async () => {
    await client.query('CREATE TEMP TABLE wanted (code text COLLATE "C", runs bytea, cells integer, latitude float8, longitude float8, south float8, west float8, north float8, east float8) ON COMMIT DROP')
    await copyRows(client, 'wanted', rows())
    await client.query('ANALYZE wanted')
    const changes = areas.size === 0 ? 0 : await merge(client, options.date, basename(options.path), issues.filter((issue) => issue.severity === 'reject').map((issue) => plainCode(issue.code) ?? ''))
    const counts = await client.query<{ cells: number; without: number }>(
      `SELECT (SELECT coalesce(sum(cells), 0) FROM wanted) AS cells,
              (SELECT count(*) FROM region r WHERE r.level = 'village' AND r.valid_to IS NULL AND NOT EXISTS (SELECT FROM village_area a WHERE a.code = r.code AND a.valid_to IS NULL)) AS without`,
    )
    saved = { changes, cells: counts.rows[0]?.cells ?? 0, villages_without: counts.rows[0]?.without ?? 0 }
    if (options.dryRun === true) throw new DryRun()
  })
  return saved
}

/**
 * Brings the areas to what is wanted from `date` on, as the register's rows are (mergeSet there). An area
 * that the file lacks ends when the file has others of its regency, and did not have it among its rejects.
 */
async function merge(client: pg.ClientBase, date: string, source: string, rejected: readonly string[]): Promise<number> {
  const values = ['runs', 'latitude', 'longitude', 'south', 'west', 'north', 'east']
  const differs = `(${values.map((value) => `t.${value}`).join(', ')}) IS DISTINCT FROM (${values.map((value) => `w.${value}`).join(', ')})`
  await client.query('CREATE TEMP TABLE spoken ON COMMIT DROP AS SELECT DISTINCT left(code, 4) AS regency FROM wanted')
  await client.query('CREATE TEMP TABLE refused ON COMMIT DROP AS SELECT unnest($1::text[]) AS code', [rejected])
  const gone = `t.valid_to IS NULL AND left(t.code, 4) IN (SELECT regency FROM spoken) AND NOT EXISTS (SELECT FROM wanted w WHERE w.code = t.code) AND t.code NOT IN (SELECT code FROM refused)`
  const later = await client.query<{ code: string }>(
    `SELECT t.code FROM village_area t LEFT JOIN wanted w ON w.code = t.code WHERE t.valid_to IS NULL AND t.valid_from > $1 AND ((w.code IS NOT NULL AND ${differs}) OR (${gone})) LIMIT 1`, [date],
  )
  if (later.rows[0] !== undefined) throw new ImportRefused(`The area of village ${later.rows[0].code} has a version from a later day than ${date}. Import with --date of that day or later.`)
  const run = async (sql: string, ...more: string[]): Promise<number> => (await client.query(sql, [date, ...more])).rowCount ?? 0
  const corrected = await run(
    `UPDATE village_area t SET cells = w.cells, source = $2, ${values.map((value) => `${value} = w.${value}`).join(', ')} FROM wanted w
     WHERE t.valid_to IS NULL AND t.code = w.code AND t.valid_from = $1 AND ${differs}`, source,
  )
  const ended = await run(`UPDATE village_area t SET valid_to = $1 FROM wanted w WHERE t.valid_to IS NULL AND t.code = w.code AND t.valid_from < $1 AND ${differs}`)
  const unborn = await run(`DELETE FROM village_area t WHERE t.valid_from = $1 AND ${gone}`)
  const goneSince = await run(`UPDATE village_area t SET valid_to = $1 WHERE ${gone}`)
  const begun = await run(
    `INSERT INTO village_area (code, cells, ${values.join(', ')}, valid_from, source)
     SELECT w.code, w.cells, ${values.map((value) => `w.${value}`).join(', ')}, $1::date, $2 FROM wanted w
     WHERE NOT EXISTS (SELECT FROM village_area t WHERE t.valid_to IS NULL AND t.code = w.code) ORDER BY w.code`, source,
  )
  return corrected + unborn + goneSince + Math.max(ended, begun)
}
