import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Link, Quantile } from '@kawal/core/atlas/itm/inputs.ts'
import { area, pointToPoint } from '@kawal/core/atlas/itm/itm.ts'
import { makePath } from '@kawal/core/atlas/itm/path.ts'
import { Missing } from './missing.ts'

const suite = join(import.meta.dirname, '../../shared/suites/itm')
const timed_ms = 3000

type Row = Readonly<Record<string, string>>

interface Case {
  readonly link: Link
  readonly quantile: Quantile
  readonly elevations_m: Float64Array
  readonly offset: number
  readonly intervals: number
  readonly spacing_m: number
}

function read(file: string): string[] {
  const path = join(suite, file)
  if (!existsSync(path)) throw new Missing(`The ITM's reference values are missing: ${path} is not there.`)
  const bytes = readFileSync(path)
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trim().split(/\r?\n/)
}

function rowsOf(lines: readonly string[]): Row[] {
  const names = (lines[0] ?? '').split(',')
  return lines.slice(1).map((line) => {
    const values = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))
  })
}

/** The official rows name their units, the vectors do not. */
function number(row: Row, ...names: readonly string[]): number {
  const name = names.find((one) => row[one] !== undefined)
  if (name === undefined) throw new Error(`no column ${names.join(' or ')}`)
  return Number(row[name])
}

function linkOf(row: Row): Link {
  return {
    tx_m: number(row, 'h_tx', 'h_tx__meter'), rx_m: number(row, 'h_rx', 'h_rx__meter'), frequency_mhz: number(row, 'f_mhz', 'f__mhz'),
    polarisation: number(row, 'pol'), permittivity: number(row, 'epsilon'), conductivity: number(row, 'sigma'),
    climate: number(row, 'climate'), refractivity: number(row, 'N_0'), variability: number(row, 'mdvar'),
  }
}

function quantileOf(row: Row): Quantile {
  return { kind: 'tls', time: number(row, 'time'), location: number(row, 'location'), situation: number(row, 'situation') }
}

/** Official values are printed with one or two decimals: so are ours before they are compared. */
function officialError_db(loss_db: number | null, printed: string): number {
  if (loss_db === null) return Infinity
  const decimals = printed.split('.')[1]?.length ?? 0
  return Math.abs(Number(loss_db.toFixed(decimals)) - Number(printed))
}

function officialErrorMax_db(): number {
  const path = makePath()
  const profiles = read('pfls.csv')
  let worst = 0
  for (const [i, row] of rowsOf(read('p2p.csv')).entries()) {
    const profile = Float64Array.from((profiles[i] ?? '').split(',').map(Number))
    const loss = pointToPoint(path, linkOf(row), quantileOf(row), profile, 2, profile[0] ?? 0, profile[1] ?? 0)
    worst = Math.max(worst, officialError_db(loss.ok ? loss.value.loss_db : null, row['A__db'] ?? ''))
  }
  for (const row of rowsOf(read('area.csv'))) {
    const siting = { tx: number(row, 'tx_siting_criteria'), rx: number(row, 'rx_siting_criteria') }
    const loss = area(path, linkOf(row), quantileOf(row), siting, number(row, 'd__km'), number(row, 'delta_h__meter'))
    worst = Math.max(worst, officialError_db(loss.ok ? loss.value.loss_db : null, row['A__db'] ?? ''))
  }
  return worst
}

function caseOf(row: Row): Case {
  const elevations_m = Float64Array.from((row['profile_m'] ?? '').trim().split(' ').map(Number))
  return { link: linkOf(row), quantile: quantileOf(row), elevations_m, offset: 0, intervals: number(row, 'n_intervals'), spacing_m: number(row, 'step_m') }
}

function compare(rows: readonly Row[], cases: readonly Case[]): { error_db_max: number; mode_mismatches: number; warning_mismatches: number } {
  const path = makePath()
  const found = { error_db_max: 0, mode_mismatches: 0, warning_mismatches: 0 }
  for (const [i, { link, quantile, elevations_m, offset, intervals, spacing_m }] of cases.entries()) {
    const row = rows[i] ?? {}
    const loss = pointToPoint(path, link, quantile, elevations_m, offset, intervals, spacing_m)
    // the reference's return code: 0, or 1 when there are warnings; all vectors have a loss
    const warnings = loss.ok ? loss.value.warnings : -1
    if (warnings !== number(row, 'warnings') || (warnings === 0 ? 0 : 1) !== number(row, 'return_code')) found.warning_mismatches++
    if (!loss.ok || loss.value.mode !== number(row, 'mode')) found.mode_mismatches++
    found.error_db_max = Math.max(found.error_db_max, loss.ok ? Math.abs(loss.value.loss_db - number(row, 'A_db')) : Infinity)
  }
  return found
}

/** One thread, all vectors round and round. */
function paths_per_s(cases: readonly Case[]): number {
  const path = makePath()
  const round = (): void => {
    for (const one of cases) pointToPoint(path, one.link, one.quantile, one.elevations_m, one.offset, one.intervals, one.spacing_m)
  }
  round()
  const started = performance.now()
  let rounds = 0
  while (performance.now() - started < timed_ms) {
    round()
    rounds++
  }
  return Math.round((rounds * cases.length * 1000) / (performance.now() - started))
}

/** The Irregular Terrain Model against NTIA's own values: its official rows, and 2,000 paths computed with its own source. */
export function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  const rows = rowsOf(read('p2p_vectors_2000.csv.gz'))
  const cases = rows.map(caseOf)
  const { error_db_max, mode_mismatches, warning_mismatches } = compare(rows, cases)
  const figures = {
    vectors: rows.length, error_db_max, official_error_db_max: officialErrorMax_db(), mode_mismatches, warning_mismatches, paths_per_s: paths_per_s(cases),
  }
  const ok = figures.vectors === 2000 && error_db_max <= 1e-6 && figures.official_error_db_max <= 0.01 && mode_mismatches === 0 &&
    warning_mismatches === 0 && figures.paths_per_s >= 30_000
  return Promise.resolve({ ok, figures, seed: 0 })
}
