import { once } from 'node:events'
import { connect, migrate, system } from '../adapters/postgres/database.ts'
import { auditColumns, everyAct, flatActs } from '../organisation/audit-store.ts'
import { csvLines } from '../readiness/ask.ts'
import { joinDatabase } from './database.ts'
import { instantOption, type Options } from './options.ts'

/** `kawal export audit`: who did what, newest first, as CSV; with --json an object a line. */
export async function exportAudit(options: Options): Promise<void> {
  const filter = { from: instantOption(options, 'from'), to: instantOption(options, 'to') }
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword, 1)
    let count = 0
    const counted = async function* () {
      for await (const row of everyAct(database, system, filter)) {
        count++
        yield row
      }
    }
    const lines = async function* () {
      for await (const row of counted()) yield `${JSON.stringify(row)}\n`
    }
    try {
      for await (const text of options['json'] === undefined ? csvLines(auditColumns, flatActs(counted())) : lines()) if (!process.stdout.write(text)) await once(process.stdout, 'drain')
      process.stderr.write(`${count} rows\n`)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}
