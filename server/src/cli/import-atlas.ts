import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { technologies, type Technology } from '@kawal/core/atlas/edition.ts'
import { calendarDate } from '@kawal/core/register/rows.ts'
import { migrate, ownerPool } from '../adapters/postgres/database.ts'
import { importBoundaries, type BoundaryOutcome } from '../atlas/import-boundaries.ts'
import { importCoverage, type CoverageOutcome } from '../atlas/import-coverage.ts'
import { importSamples, type SampleOutcome } from '../atlas/import-samples.ts'
import { AskedWrong } from '../atlas/read-sites.ts'
import { ImportRefused } from '../register/merge.ts'
import { showProgress } from '../register/progress.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { numberOption, type Options } from './options.ts'

export const atlasKinds = ['coverage', 'boundaries', 'samples'] as const
type AtlasKind = (typeof atlasKinds)[number]

export function isAtlasKind(kind: string): kind is AtlasKind {
  return atlasKinds.some((known) => known === kind)
}

/** `kawal import coverage|boundaries|samples FILE`: progress on stderr, counts on stdout, oddities in a CSV file. */
export async function importAtlasAction(kind: AtlasKind, path: string, given: Record<string, unknown>): Promise<void> {
  const options: Options = Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  const flag = (name: string): boolean => given[name] !== undefined && given[name] !== false
  const asked = options['date']
  if (asked !== undefined && calendarDate(asked) === null) throw new CommandFailure(exits.usage, `--date ${asked} is no calendar date. Write it YYYY-MM-DD.`)
  const technology = technologyOption(options)
  const numbers = { threshold: finiteOption(options, 'threshold'), radius_m: options['radius'] === undefined ? undefined : numberOption(options, 'radius', 50_000) }
  const folder = options['rejects'] ?? '.'
  mkdirSync(folder, { recursive: true })
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const pool = ownerPool(server.ownerUrl)
    try {
      // the database's own day, as for the register
      const date = asked ?? (await pool.query<{ today: string }>('SELECT current_date::text AS today')).rows[0]?.today ?? ''
      const issuesFile = join(folder, { coverage: 'coverage-issues.csv', boundaries: 'boundary-issues.csv', samples: 'sample-issues.csv' }[kind])
      const common = { path, date, issuesFile, layer: options['layer'], crs: options['crs'], swap_axes: flag('swapAxes'), dryRun: flag('dryRun'), now: Date.now, progress: showProgress(process.stderr) }
      const json = flag('json')
      const work = async (): Promise<void> => {
        if (kind === 'coverage') tellCoverage(await importCoverage(pool, { ...common, ...numbers, operator: options['operator'] ?? null, technology, complete: flag('complete') }), json)
        else if (kind === 'boundaries') tellBoundaries(await importBoundaries(pool, common), json)
        else tellSamples(await importSamples(pool, common), json)
      }
      await (common.dryRun ? work() : audited(server, `import ${kind} ${path} --date ${date}${typed(options, ['operator', 'technology'])}`, work))
    } finally {
      await pool.end()
    }
  } catch (error) {
    if (error instanceof AskedWrong) throw new CommandFailure(exits.usage, error.message)
    throw error instanceof ImportRefused ? new CommandFailure(exits.rejected, error.message) : error
  } finally {
    await server.stop()
  }
}

function technologyOption(options: Options): Technology | null {
  const asked = options['technology']
  const known = technologies.find((technology) => technology === asked)
  if (asked !== undefined && known === undefined) throw new CommandFailure(exits.usage, `--technology takes ${technologies.join(', ')}, not ${asked}.`)
  return known ?? null
}

/** A threshold may be negative: a map of levels in dBm. */
function finiteOption(options: Options, name: string): number | undefined {
  const text = options[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new CommandFailure(exits.usage, `--${name} takes a number, not ${text || 'nothing'}.`)
  return value
}

interface Told {
  readonly warnings_listed: number
  readonly rejects: number
  readonly issues_file: string
  readonly issues_by_reason: Readonly<Record<string, number>>
}

/** Issues on stderr, counts on stdout. */
function tell(outcome: Told, json: boolean, lines: readonly (readonly [string, unknown])[]): void {
  process.stderr.write(`${outcome.warnings_listed} warnings and ${outcome.rejects} rejects are listed in ${outcome.issues_file}\n`)
  if (json) process.stdout.write(JSON.stringify(outcome) + '\n')
  else for (const [name, value] of [...lines, ...Object.entries(outcome.issues_by_reason)]) process.stdout.write(`${name.padEnd(22)}${String(value)}\n`)
}

function tellCoverage(outcome: CoverageOutcome, json: boolean): void {
  if (outcome.changes === 0) process.stderr.write('The same file is in already, for this operator, technology and day: nothing was changed.\n')
  const claims = outcome.claims.map(({ operator, technology, kind, features, km2 }): [string, string] => [
    `${operator ?? 'no operator'} ${technology}`, kind === 'sites' ? `${features} sites` : `${km2 ?? 0} km2 of ${features} ${kind === 'raster' ? 'raster' : 'areas'}`,
  ])
  tell(outcome, json, [['format', outcome.format], ['features', outcome.features], ['accepted', outcome.accepted], ...claims, ['changes', outcome.changes], ['seconds', outcome.seconds]])
}

function tellBoundaries(outcome: BoundaryOutcome, json: boolean): void {
  if (outcome.changes === 0) process.stderr.write('The same areas are in already: nothing was changed.\n')
  tell(outcome, json, [
    ['format', outcome.format], ['features', outcome.features], ['villages', outcome.villages], ['villages_without', outcome.villages_without], ['cells', outcome.cells],
    ['changes', outcome.changes], ['seconds', outcome.seconds],
  ])
  if (outcome.villages === 0) process.exitCode = exits.rejected
}

function tellSamples(outcome: SampleOutcome, json: boolean): void {
  if (outcome.known) process.stderr.write('The same file is in already: nothing was changed.\n')
  tell(outcome, json, [['rows', outcome.rows], ['accepted', outcome.accepted], ['seconds', outcome.seconds]])
}
