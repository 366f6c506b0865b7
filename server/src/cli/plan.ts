import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { readinessClasses } from '@kawal/core/readiness/readiness.ts'
import { calendarDate } from '@kawal/core/register/rows.ts'
import { migrate, ownerPool } from '../adapters/postgres/database.ts'
import { makePlan, planConfigOn, PlanRefused, type PlanConfig, type PlanResult } from '../readiness/plan.ts'
import { provinceNames } from '../readiness/store.ts'
import { showProgress } from '../register/progress.ts'
import { settingFacts } from '../act/started.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

/** `kawal plan`: progress on stderr, the summary on stdout. */
export async function planAction(options: Options): Promise<void> {
  const day = options['date']
  if (day !== undefined && calendarDate(day) === null) throw new CommandFailure(exits.usage, `--date ${day} is no calendar date. Write it YYYY-MM-DD.`)
  const province = options['province']
  if (province !== undefined && !/^\d{2}$/.test(province)) throw new CommandFailure(exits.usage, `--province takes the two digits of a province's code, not ${province}.`)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const pool = ownerPool(server.ownerUrl)
    try {
      const on = day ?? (await pool.query<{ today: string }>('SELECT current_date::text AS today')).rows[0]?.today ?? ''
      const config = configFrom(options['config'], planConfigOn(on))
      const started = performance.now()
      const result = await audited(server, `plan --date ${on}${typed(options, ['edition', 'operators', 'province', 'config'])}`, () => makePlan(pool, {
        day: on, now: Date.now(), edition: options['edition'] ?? 'latest', config, progress: showProgress(process.stderr),
        ...(options['operators'] === undefined ? {} : { operators: options['operators'].split(',').map((each) => each.trim()).filter((each) => each !== '') }),
        ...(province === undefined ? {} : { province }),
      }), settingFacts({ ...config }))
      const seconds = Math.round((performance.now() - started) / 100) / 10
      if (options['json'] !== undefined) process.stdout.write(JSON.stringify({ ...result, seconds }) + '\n')
      else process.stdout.write(table(result, on, seconds, await namesOf(pool)))
    } finally {
      await pool.end()
    }
  } catch (error) {
    throw error instanceof PlanRefused ? new CommandFailure(exits.rejected, error.message) : error
  } finally {
    await server.stop()
  }
}

async function namesOf(pool: pg.Pool): Promise<Map<string, string>> {
  const client = await pool.connect()
  try {
    return await provinceNames(client)
  } finally {
    client.release()
  }
}

/** A JSON file whose fields replace those of the day's configuration, section by section. */
function configFrom(path: string | undefined, config: PlanConfig): PlanConfig {
  if (path === undefined) return config
  let given: unknown
  try {
    given = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CommandFailure(exits.usage, `--config ${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return merged(config, given, path, '') as PlanConfig
}

/** Only what the configuration has already, of the same kind: a slip in a name must not pass for a setting. */
function merged(base: unknown, given: unknown, path: string, at: string): unknown {
  if (typeof base !== 'object' || base === null || Array.isArray(base)) {
    if (typeof given !== typeof base || Array.isArray(given) !== Array.isArray(base)) throw new CommandFailure(exits.usage, `${path}: ${at} takes what ${JSON.stringify(base)} is, not ${JSON.stringify(given)}.`)
    if (typeof given === 'number' && given < 0) throw new CommandFailure(exits.usage, `${path}: ${at} takes a number from 0 on, not ${given}.`)
    return given
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new CommandFailure(exits.usage, `${path}: ${at === '' ? 'the file' : at} takes an object.`)
  const result: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(result, name) && at !== 'siting.stations_per_venue_max') throw new CommandFailure(exits.usage, `${path}: there is no setting ${at === '' ? '' : `${at}.`}${name}. There are: ${Object.keys(result).join(', ')}.`)
    result[name] = Object.hasOwn(result, name) ? merged(result[name], value, path, at === '' ? name : `${at}.${name}`) : value
  }
  return result
}

function table({ plan, edition, operators, summary }: PlanResult, day: string, seconds: number, names: ReadonlyMap<string, string>): string {
  const provinces = new Map<string, number[]>()
  for (const [code, counts] of Object.entries(summary.regencies)) {
    const row = provinces.get(code.slice(0, 2)) ?? readinessClasses.map(() => 0)
    readinessClasses.forEach((name, at) => (row[at] = (row[at] ?? 0) + counts[name]))
    provinces.set(code.slice(0, 2), row)
  }
  const line = (name: string, counts: readonly number[]): string => name.padEnd(28) + counts.map((count) => String(count).padStart(9)).join('') + String(counts.reduce((sum, count) => sum + count, 0)).padStart(10) + '\n'
  const reasons = Object.entries(summary.unknown).map(([reason, count]) => `${reason} ${count}`).join(', ')
  return `plan ${plan} for ${day} from edition ${edition}: ${operators.join(', ')}; ${seconds} s\n\n` +
    'province'.padEnd(28) + readinessClasses.map((name) => name.padStart(9)).join('') + 'stations'.padStart(10) + '\n' +
    [...provinces].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, counts]) => line(`${code} ${names.get(code) ?? ''}`, counts)).join('') +
    line('all', readinessClasses.map((name) => summary.classes[name])) +
    `\nunknown because: ${reasons === '' ? 'none' : reasons}\njudged over: ${Object.entries(summary.basis).map(([basis, count]) => `${basis} ${count}`).join(', ')}\n` +
    `blank ${summary.blank}, of which ${summary.assigned} have an access point; better venues for ${summary.moves}\n`
}
