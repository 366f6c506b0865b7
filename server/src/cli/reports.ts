import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { connect, migrate, type Database } from '../adapters/postgres/database.ts'
import { csvHead, csvLine } from '../journal/csv.ts'
import { letGo, listHours, StillNeeded, type Gone } from '../journal/policy.ts'
import { readReports } from '../journal/read.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { instantOption, numberOption, type Options } from './options.ts'

const day_ms = 86_400_000

/** `kawal reports list | export | archive | drop`: what the journal holds of reports, and what goes out of it, hour by hour. */
export async function reportsAction(action: string, options: Options): Promise<void> {
  const todo = actions[action]
  if (todo === undefined) throw new CommandFailure(exits.usage, `kawal reports knows list, export, archive and drop, not ${action}.`)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      await (action === 'archive' || action === 'drop' ? audited(server, `reports ${action}${typed(options, ['days', 'out'])}`, () => todo(database, options)) : todo(database, options))
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

const actions: Readonly<Record<string, (database: Database, options: Options) => Promise<void>>> = {
  list,
  export: exportReports,
  archive: (database, options) => go(database, options, folderOption(options)),
  drop: (database, options) => go(database, options, null),
}

const hourOf = (at: number): string => new Date(at).toISOString().slice(0, 13)

async function list(database: Database, options: Options): Promise<void> {
  const hours = await listHours(database)
  if (options['json'] !== undefined) return void process.stdout.write(`${JSON.stringify({ hours: hours.map((hour) => ({ ...hour, from: new Date(hour.from).toISOString() })) })}\n`)
  const lines = hours.map((hour) => `${hourOf(hour.from)}Z  ${hour.reports.toLocaleString('en').padStart(12)} reports  ${(hour.bytes / 1e6).toFixed(1).padStart(8)} MB`)
  process.stdout.write(`${(lines.length === 0 ? ['The journal holds no reports.'] : lines).join('\n')}\n`)
}

/** CSV on stdout, as the archives have it; with --json an object a line. */
async function exportReports(database: Database, options: Options): Promise<void> {
  const { station } = options
  if (station !== undefined && !/^[0-9]{13}$/.test(station)) throw new CommandFailure(exits.usage, `--station takes the 13 digits of a station, not ${station}.`)
  const wanted = { ...(station === undefined ? {} : { station }), ...bound(options, 'from'), ...bound(options, 'to') }
  const asJson = options['json'] !== undefined
  if (!asJson) process.stdout.write(`${csvHead}\n`)
  let rows = 0
  for await (const report of readReports(database, wanted)) {
    const line = asJson ? JSON.stringify({ ...report, eventAt: new Date(report.eventAt).toISOString(), receivedAt: new Date(report.receivedAt).toISOString() }) : csvLine(report)
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
    rows++
  }
  process.stderr.write(`${rows} rows\n`)
}

function bound(options: Options, name: 'from' | 'to'): { readonly [name in 'from' | 'to']?: number } {
  const at = instantOption(options, name)
  return at === undefined ? {} : { [name]: at }
}

function folderOption(options: Options): string {
  if (options['out'] === undefined) throw new CommandFailure(exits.usage, 'kawal reports archive takes --out, the folder that the hours go to.')
  const folder = resolve(options['out'])
  mkdirSync(folder, { recursive: true })
  return folder
}

async function go(database: Database, options: Options, folder: string | null): Promise<void> {
  if (options['days'] === undefined) throw new CommandFailure(exits.usage, 'Give --days: hours that ended longer ago go.')
  const now = Date.now()
  const gone: Gone[] = []
  try {
    for await (const hour of letGo(database, { before: now - numberOption(options, 'days') * day_ms, folder, now })) {
      gone.push(hour)
      if (options['json'] === undefined) process.stdout.write(`${hourOf(hour.from)}Z  ${hour.reports.toLocaleString('en')} reports ${hour.file === null ? 'dropped' : `archived in ${hour.file}`}\n`)
    }
  } catch (error) {
    if (!(error instanceof StillNeeded)) throw error
    process.exitCode = exits.refused
    process.stderr.write(`The hours from ${hourOf(error.from)}Z on stay: a server would still read them at its start. It writes what it knows of them within an hour, and when it is stopped.\n`)
  }
  if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ gone: gone.map((hour) => ({ ...hour, from: new Date(hour.from).toISOString() })) })}\n`)
  else if (gone.length === 0 && process.exitCode === undefined) process.stdout.write('No hour ended that long ago.\n')
}
