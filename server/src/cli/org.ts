import pg from 'pg'
import { roleOfKind } from '@kawal/core/organisation/rules.ts'
import { connect, migrate, system, type Database } from '../adapters/postgres/database.ts'
import { listContacts, readCompleteness } from '../organisation/contacts.ts'
import { isOrganisationId } from '../organisation/invite-file.ts'
import { listLevels, writeLevel } from '../ticket/levels.ts'
import { listKeys, revokeKey } from '../organisation/keys.ts'
import { endPerson, listPeople, mustHaveAccess } from '../organisation/people.ts'
import { addStaff, insertApiKey, loginToken, revokeAll } from '../organisation/sessions.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { inviteAction } from './invite.ts'
import type { Options } from './options.ts'
import { isPeerChange, peer, peerOptions } from './org-peer.ts'

interface Asked { readonly database: Database; readonly ownerUrl: string; readonly options: Options }
/** What an action gives: an object for programs, and a text for people. */
type Told = readonly [value: Readonly<Record<string, unknown>>, text: string]

/** Actions that need no organisation; `contacts`, `level` and `peer` take one. */
const overAll: Readonly<Record<string, (asked: Asked, organisation: string | undefined) => Promise<Told>>> = { list, contacts, completeness, level, peer }
const ofOne: Readonly<Record<string, (asked: Asked, organisation: string) => Promise<Told>>> = { add, link, person, key, keys, revoke }
/** Those that change something, each with its options. */
const changes: Readonly<Record<string, readonly string[]>> = { add: ['kind', 'name', 'area'], link: ['name', 'person'], person: ['end'], key: ['scope'], revoke: ['key'], level: ['severity', 'restore', 'repair'], peer: peerOptions }

/** @param action a name of `addOrgCommands`; `subject` the organisation, or the file of `invite` */
export async function orgAction(action: string, subject: string | undefined, options: Options): Promise<void> {
  if (action === 'invite') return inviteAction(subject ?? '', options)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      const asked = { database, ownerUrl: server.ownerUrl, options }
      const work = async (): Promise<Told> => {
        const told = await (overAll[action]?.(asked, subject) ?? ofOne[action]?.(asked, subject ?? ''))
        if (told === undefined) throw new RangeError(`kawal org has no ${action}`)
        return told
      }
      const isLook = (action === 'level' && options['severity'] === undefined) || (action === 'person' && options['end'] === undefined) || (action === 'peer' && !isPeerChange(options))
      const named = Object.hasOwn(changes, action) && !isLook ? changes[action] : undefined
      const [value, text] = named === undefined ? await work() : await audited(server, `org ${action} ${subject}${typed(options, named)}`, work)
      process.stdout.write((options['json'] === undefined ? text : JSON.stringify(value)) + '\n')
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** Of a server on this machine, as it starts without options. */
const url_default = 'http://127.0.0.1:5105'

async function list({ database }: Asked): Promise<Told> {
  const { rows } = await database.pool.query<{ id: string; kind: string; name: string }>("SELECT id, kind, name FROM organisation WHERE kind <> 'system' ORDER BY kind, id")
  return [{ organisations: rows }, rows.map((row) => `${row.id.padEnd(14)}${row.kind.padEnd(12)}${row.name}`).join('\n')]
}

async function add({ ownerUrl, options }: Asked, organisation: string): Promise<Told> {
  const added = await addOrganisation(ownerUrl, organisation, options['kind'] ?? 'isp', options['name'] ?? organisation, options['area'] ?? null)
  return [{ organisation, added }, added ? `${organisation} added.` : `${organisation} is there already: nothing was changed.`]
}

async function link({ database, options }: Asked, organisation: string): Promise<Told> {
  const { person: known } = options
  if (known !== undefined && options['name'] !== undefined) throw new CommandFailure(exits.usage, 'Give --name for somebody new, or --person for somebody who is there already.')
  if (known !== undefined) await mustHaveAccess(database, organisation, known)
  const token = await loginToken(database, known ?? await addStaff(database, organisation, options['name'] ?? 'Petugas'), Date.now())
  const address = `${options['url'] ?? url_default}/console/?masuk=${token}`
  return [{ organisation, link: address }, `${address}\nWorks once, within 24 hours.`]
}

/** Lists an organisation's people, or with --end ends all that one of them can come in with. */
async function person({ database, options }: Asked, organisation: string): Promise<Told> {
  await mustBeThere(database, organisation)
  const { end } = options
  if (end !== undefined) {
    const ended = await endPerson(database, organisation, end, Date.now())
    return [{ organisation, person: end, ...ended }, `${end} of ${organisation} has no access any more: ${ended.sessions} sessions, ${ended.links} links and ${ended.passkeys} passkeys ended.`]
  }
  const people = await listPeople(database, organisation, Date.now())
  const lines = people.map((each) => `${each.id}  ${each.name.padEnd(30)} ${each.endedAt === null ? `${each.passkeys} passkeys, ${each.sessions} sessions${each.lastUsedAt === null ? '' : `, last used ${minute(each.lastUsedAt)}`}${each.issuer === null ? '' : `, by ${each.issuer}`}` : `ended ${minute(each.endedAt)}`}`)
  return [{ organisation, people }, lines.length === 0 ? 'Nobody yet.' : lines.join('\n')]
}

const minute = (at: string): string => `${at.slice(0, 16)}Z`

async function key({ database, options }: Asked, organisation: string): Promise<Told> {
  const { scope = 'all' } = options
  if (scope !== 'all' && scope !== 'read') throw new CommandFailure(exits.usage, `--scope is all or read, not ${scope}.`)
  const made = await database.transaction(system, (client) => insertApiKey(client, organisation, Date.now(), scope))
  return [{ organisation, ...made, scope }, `${made.key}\nShown once: it is kept as a hash only. It is called ${made.id}${scope === 'read' ? ' and may only read' : ''}.`]
}

async function keys({ database }: Asked, organisation: string): Promise<Told> {
  await mustBeThere(database, organisation)
  const rows = await listKeys(database, system, organisation)
  const lines = rows.map((row) => `${row.id}  ${row.scope.padEnd(4)}  made ${minute(row.createdAt)}  ${row.lastUsedAt === null ? 'never used' : `last used ${minute(row.lastUsedAt)}`}`)
  return [{ organisation, keys: rows }, lines.length === 0 ? 'No valid key.' : lines.join('\n')]
}

async function revoke({ database, options }: Asked, organisation: string): Promise<Told> {
  const { key: id } = options
  if (id !== undefined) {
    await revokeKey(database, system, organisation, id, Date.now())
    return [{ organisation, key: id }, `${id} of ${organisation} ended.`]
  }
  const revoked = await revokeAll(database, organisation, Date.now())
  return [{ organisation, ...revoked }, `${organisation}: ${revoked.keys} keys, ${revoked.links} links, ${revoked.sessions} sessions and ${revoked.passkeys} passkeys ended.`]
}

async function mustBeThere(database: Database, organisation: string): Promise<void> {
  if ((await database.pool.query('SELECT FROM organisation WHERE id = $1', [organisation])).rowCount === 0)
    throw new CommandFailure(exits.rejected, `There is no organisation ${organisation}. "kawal org list" names them.`)
}

async function contacts({ database }: Asked, organisation: string | undefined): Promise<Told> {
  if (organisation !== undefined) await mustBeThere(database, organisation)
  const { rows } = await listContacts(database, system, { ...(organisation === undefined ? {} : { organisation }), limit: null })
  const lines = rows.map((row) => `${row.organisation.padEnd(20)} ${row.level}  ${(row.phone ?? '-').padEnd(17)} ${(row.email ?? '-').padEnd(32)} ${row.name}`)
  return [{ contacts: rows }, lines.length === 0 ? 'No duty contacts.' : lines.join('\n')]
}

async function completeness({ database }: Asked): Promise<Told> {
  const { counts, rows } = await readCompleteness(database, system)
  const lines = rows.map((row) => `${row.organisation.padEnd(20)} ${row.lacks.length === 0 ? 'complete' : row.lacks.join(' ')}`)
  const { organisations, complete, ...lacking } = counts
  return [{ counts, organisations: rows }, [...lines, `${organisations} organisations, ${complete} complete; ${Object.entries(lacking).map(([lack, count]) => `${lack} ${count}`).join(', ')}`].join('\n')]
}

/** Lists the service levels, or with --restore or --repair gives an organisation one; `kawal` stands for everybody who has none of his own. */
async function level({ database, ownerUrl, options }: Asked, organisation: string | undefined): Promise<Told> {
  const minutes = (name: 'restore' | 'repair', [min, max]: readonly [number, number]): number => {
    const given = Number(options[name] ?? NaN)
    if (!Number.isInteger(given) || given < min || given > max) throw new CommandFailure(exits.usage, `--${name} takes whole minutes from ${min} to ${max}, not ${options[name] ?? 'nothing'}.`)
    return given
  }
  if (options['restore'] !== undefined || options['repair'] !== undefined || options['severity'] !== undefined) {
    const { severity } = options
    if (organisation === undefined) throw new CommandFailure(exits.usage, 'Whose level? Name the organisation, or kawal for everybody who has none of his own.')
    if (severity !== 'down' && severity !== 'degraded') throw new CommandFailure(exits.usage, `--severity is down or degraded, not ${severity ?? 'nothing'}.`)
    const restoreMinutes = minutes('restore', [5, 10_080])
    const repairMinutes = minutes('repair', [restoreMinutes, 43_200])
    if ((await database.pool.query('SELECT FROM organisation WHERE id = $1', [organisation])).rowCount === 0) throw new CommandFailure(exits.rejected, `There is no organisation ${organisation}. "kawal org list" names them.`)
    await asOwner(ownerUrl, (client) => writeLevel(client, { organisation, severity, restoreMinutes, repairMinutes }))
  }
  const rows = (await listLevels(database)).filter((row) => organisation === undefined || row.organisation === organisation)
  const lines = rows.map((row) => `${row.organisation.padEnd(20)} ${row.severity.padEnd(10)}restore ${String(row.restoreMinutes).padStart(5)} min  repair ${String(row.repairMinutes).padStart(5)} min`)
  return [{ levels: rows }, lines.length === 0 ? `${organisation} has none of its own: those of kawal hold.` : lines.join('\n')]
}

async function asOwner<T>(ownerUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Written as the owner: the application may read organisations and never change them. */
async function addOrganisation(ownerUrl: string, id: string, kind: string, name: string, area: string | null): Promise<boolean> {
  const kinds = Object.keys(roleOfKind).filter((each) => each !== 'system')
  if (!kinds.includes(kind)) throw new CommandFailure(exits.usage, `--kind is one of ${kinds.join(', ')}, not ${kind}.`)
  if (!isOrganisationId(id)) throw new CommandFailure(exits.usage, `An organisation's id is up to 64 lower-case letters, digits and hyphens, not ${id}.`)
  if (area !== null && kind !== 'helpdesk' && kind !== 'kpu') throw new CommandFailure(exits.usage, `--area is of a helpdesk, to which goes what officers report there, and of KPU's office of a province or regency. A ${kind} has none.`)
  if (area !== null && kind === 'kpu' && !/^([0-9]{2}|[0-9]{4})$/.test(area)) throw new CommandFailure(exits.usage, `--area of an office of KPU is the code of a province or regency (2 or 4 digits), not ${area}. KPU itself has none.`)
  if (area !== null && !/^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$/.test(area)) throw new CommandFailure(exits.usage, `--area is the code of a province, regency, district or village (2, 4, 6 or 10 digits), not ${area}.`)
  return asOwner(ownerUrl, async (client) => (await client.query('INSERT INTO organisation (id, kind, name, area_code) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING', [id, kind, name, area])).rowCount === 1)
}
