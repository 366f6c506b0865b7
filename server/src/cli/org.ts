import pg from 'pg'
import { roleOfKind } from '@kawal/core/organisation/rules.ts'
import { connect, migrate } from '../adapters/postgres/database.ts'
import { addApiKey, addStaff, loginToken, revokeAll } from '../organisation/sessions.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'

/** list, add ORGANISATION, link ORGANISATION, key ORGANISATION, revoke ORGANISATION */
export async function orgAction(action: string, organisation: string | undefined, options: Record<string, string | undefined>): Promise<void> {
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      const out = (value: Record<string, unknown>, text: string): void => void process.stdout.write((options['json'] === undefined ? text : JSON.stringify(value)) + '\n')
      if (action === 'list') {
        const { rows } = await database.pool.query<{ id: string; kind: string; name: string }>("SELECT id, kind, name FROM organisation WHERE kind <> 'system' ORDER BY kind, id")
        out({ organisations: rows }, rows.map((row) => `${row.id.padEnd(14)}${row.kind.padEnd(12)}${row.name}`).join('\n'))
      } else if (organisation === undefined) throw new CommandFailure(exits.usage, `Which organisation? "kawal org list" names them.`)
      else if (action === 'add') {
        const added = await addOrganisation(server.ownerUrl, organisation, options['kind'] ?? 'isp', options['name'] ?? organisation, options['area'] ?? null)
        out({ organisation, added }, added ? `${organisation} added.` : `${organisation} is there already: nothing was changed.`)
      } else if (action === 'link') {
        const token = await loginToken(database, await addStaff(database, organisation, options['name'] ?? 'Petugas'), Date.now())
        const link = `${options['url']}/console/?masuk=${token}`
        out({ organisation, link }, `${link}\nWorks once, within 24 hours.`)
      } else if (action === 'key') {
        const key = await addApiKey(database, organisation, Date.now())
        out({ organisation, key }, `${key}\nShown once: it is kept as a hash only.`)
      } else if (action === 'revoke') {
        const revoked = await revokeAll(database, organisation, Date.now())
        out({ organisation, ...revoked }, `${organisation}: ${revoked.keys} keys, ${revoked.links} links and ${revoked.sessions} sessions ended.`)
      } else throw new CommandFailure(exits.usage, `kawal org knows list, add, link, key and revoke, not ${action}.`)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** Written as the owner: the application may read organisations and never change them. */
async function addOrganisation(ownerUrl: string, id: string, kind: string, name: string, area: string | null): Promise<boolean> {
  const kinds = Object.keys(roleOfKind).filter((each) => each !== 'system')
  if (!kinds.includes(kind)) throw new CommandFailure(exits.usage, `--kind is one of ${kinds.join(', ')}, not ${kind}.`)
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) throw new CommandFailure(exits.usage, `An organisation's id is lower-case letters, digits and hyphens, not ${id}.`)
  if (area !== null && kind !== 'helpdesk') throw new CommandFailure(exits.usage, `--area is of a helpdesk: what officers report there goes to it. A ${kind} has none.`)
  if (area !== null && !/^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$/.test(area)) throw new CommandFailure(exits.usage, `--area is the code of a province, regency, district or village (2, 4, 6 or 10 digits), not ${area}.`)
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    return (await client.query('INSERT INTO organisation (id, kind, name, area_code) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING', [id, kind, name, area])).rowCount === 1
  } finally {
    await client.end()
  }
}
