import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { calendarDate } from '@kawal/core/register/rows.ts'
import { migrate, ownerPool } from '../adapters/postgres/database.ts'
import { importRegister, type ImportOutcome } from '../register/import.ts'
import { ImportRefused } from '../register/merge.ts'
import { showProgress } from '../register/progress.ts'
import { audited } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { atlasKinds, importAtlasAction, isAtlasKind } from './import-atlas.ts'

/** `kawal import register DIR`: progress on stderr, counts on stdout, oddities in a CSV file. The other kinds: import-atlas.ts. */
export async function importAction(kind: string, directory: string, options: Record<string, unknown>): Promise<void> {
  if (isAtlasKind(kind)) return await importAtlasAction(kind, directory, options)
  if (kind !== 'register') throw new CommandFailure(exits.usage, `kawal import knows register, ${atlasKinds.join(', ')}, not ${kind}.`)
  const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined)
  const asked = text('date')
  if (asked !== undefined && calendarDate(asked) === null) throw new CommandFailure(exits.usage, `--date ${asked} is no calendar date. Write it YYYY-MM-DD.`)
  const folder = text('rejects') ?? '.'
  mkdirSync(folder, { recursive: true })
  const server = await joinDatabase(text('data'))
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const pool = ownerPool(server.ownerUrl)
    try {
      // the database's own day: by it the views say what is present
      const date = asked ?? (await pool.query<{ today: string }>('SELECT current_date::text AS today')).rows[0]?.today ?? ''
      const dryRun = options['dryRun'] !== undefined && options['dryRun'] !== false
      const work = async (): Promise<ImportOutcome> => {
        const done = await importRegister(pool, { directory, date, issuesFile: join(folder, 'register-issues.csv'), now: Date.now, progress: showProgress(process.stderr), dryRun })
        tell(done, options['json'] !== undefined && options['json'] !== false)
        return done
      }
      const outcome = await (dryRun ? work() : audited(server, `import register ${directory} --date ${date}`, work))
      if (server.joined && outcome.changes > 0) process.stderr.write('The server that is running shows the new register when it is started again.\n')
    } finally {
      await pool.end()
    }
  } catch (error) {
    throw error instanceof ImportRefused ? new CommandFailure(exits.rejected, error.message) : error
  } finally {
    await server.stop()
  }
}

function tell(outcome: ImportOutcome, json: boolean): void {
  if (outcome.resumed) process.stderr.write('An interrupted import of the same files was taken up again.\n')
  process.stderr.write(`${outcome.warnings_listed} warnings and ${outcome.rejects} rejected rows of ${outcome.rows} are listed in ${outcome.issues_file}\n`)
  if (json) process.stdout.write(JSON.stringify(outcome) + '\n')
  else {
    const lines = ['provinces', 'regencies', 'districts', 'villages', 'stations', 'venues', 'access_points', 'changes', 'seconds'] as const
    for (const name of lines) process.stdout.write(`${name.padEnd(14)}${outcome[name]}\n`)
  }
  // Good rows are in and bad ones are listed; only when nothing could be taken is the whole input rejected.
  if (outcome.rows === 0 || outcome.rejects >= outcome.rows) process.exitCode = exits.rejected
}
