import { connect, migrate } from '../adapters/postgres/database.ts'
import { addApiKey, addStaff, loginToken } from '../organisation/sessions.ts'
import { openDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'

/** list, link ORGANISATION, key ORGANISATION */
export async function orgAction(action: string, organisation: string | undefined, options: Record<string, string | undefined>): Promise<void> {
  const server = await openDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      const out = (value: Record<string, unknown>, text: string): void => void process.stdout.write((options['json'] === undefined ? text : JSON.stringify(value)) + '\n')
      if (action === 'list') {
        const { rows } = await database.pool.query<{ id: string; kind: string; name: string }>("SELECT id, kind, name FROM organisation WHERE kind <> 'system' ORDER BY kind, id")
        out({ organisations: rows }, rows.map((row) => `${row.id.padEnd(14)}${row.kind.padEnd(12)}${row.name}`).join('\n'))
      } else if (organisation === undefined) throw new CommandFailure(exits.usage, `Which organisation? "kawal org list" names them.`)
      else if (action === 'link') {
        const token = await loginToken(database, await addStaff(database, organisation, options['name'] ?? 'Petugas'), Date.now())
        const link = `${options['url']}/console/?masuk=${token}`
        out({ organisation, link }, `${link}\nWorks once, within 24 hours.`)
      } else if (action === 'key') {
        const key = await addApiKey(database, organisation, Date.now())
        out({ organisation, key }, `${key}\nShown once: it is kept as a hash only.`)
      } else throw new CommandFailure(exits.usage, `kawal org knows list, link and key, not ${action}.`)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}
