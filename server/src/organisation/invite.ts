import type pg from 'pg'
import { personOf, type Contact } from '@kawal/core/organisation/contacts.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system } from '../adapters/postgres/database.ts'
import { contacts_max, insertContact, lockContacts } from './contacts.ts'
import { kind_default, type Invited, type RejectedRow } from './invite-file.ts'
import { insertApiKey, insertLink, insertStaff } from './sessions.ts'

/** What became of one organisation of the file. */
interface InviteOutcome {
  readonly organisation: string
  /** False when it was there before: it keeps its name and kind, and gets no link. */
  readonly added: boolean
  readonly contacts: {
    readonly added: number
    /** There already, word for word. */
    readonly known: number
    /** There already on the same level, with another e-mail or phone: kept as they are. */
    readonly kept: number
  }
  /** Secrets, shown once; null where none was made. */
  readonly token: string | null
  readonly key: string | null
  readonly rejected: readonly RejectedRow[]
}

interface InviteOptions {
  /** An API key too. */
  readonly keys: boolean
  /** Everything is tried, and undone. */
  readonly dryRun: boolean
  readonly now: Instant
}

/**
 * Adds an organisation with its contacts, one log-in link and, if wanted, one API key, in one transaction: after an
 * interruption it is there whole or not at all. An organisation that is there gets what contacts it lacks, and nothing else.
 * @param owner a connection of the schema's owner: the application may not add organisations
 */
export async function invite(owner: pg.ClientBase, invited: Invited, options: InviteOptions): Promise<InviteOutcome> {
  await owner.query('BEGIN')
  try {
    // an owner that is no superuser is held by the forced walls too
    await owner.query("SELECT set_config('kawal.organisation', $1, true), set_config('kawal.role', $2, true)", [system.organisation, system.role])
    const outcome = await write(owner, invited, options)
    await owner.query(options.dryRun ? 'ROLLBACK' : 'COMMIT')
    return options.dryRun ? { ...outcome, token: null, key: null } : outcome
  } catch (error) {
    await owner.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

async function write(owner: pg.ClientBase, { id, name, kind, contacts }: Invited, { keys, now }: InviteOptions): Promise<InviteOutcome> {
  const nothing = { organisation: id, added: false, contacts: { added: 0, known: 0, kept: 0 }, token: null, key: null }
  await lockContacts(owner, id)
  const { rowCount } = await owner.query('INSERT INTO organisation (id, kind, name) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING', [id, kind ?? kind_default, name])
  const added = rowCount === 1
  if (!added) {
    const { rows: [there] } = await owner.query<{ kind: string }>('SELECT kind FROM organisation WHERE id = $1', [id])
    const wrong = there?.kind === 'system' ? [`${id} is the platform itself`, 'choose another id'] as const
      : kind !== null && there?.kind !== kind ? [`${id} is there already as ${there?.kind}, not ${kind}`, 'mend the kind, or choose another id if it is another organisation'] as const : null
    if (wrong !== null) return { ...nothing, rejected: contacts.map(({ line, fields }) => ({ line, wrong: wrong[0], mend: wrong[1], fields })) }
  }
  const { counts, rejected } = await writeContacts(owner, id, contacts, now)
  if (!added) return { ...nothing, contacts: counts, rejected }
  // the link is for whoever is told first
  const first = contacts.reduce((best, each) => (each.contact.level < best.contact.level ? each : best))
  const token = await insertLink(owner, await insertStaff(owner, id, first.contact.name), now)
  return { organisation: id, added, contacts: counts, token, key: keys ? (await insertApiKey(owner, id, now)).key : null, rejected }
}

async function writeContacts(owner: pg.ClientBase, id: string, contacts: Invited['contacts'], now: Instant): Promise<{ counts: InviteOutcome['contacts']; rejected: RejectedRow[] }> {
  const { rows: there } = await owner.query<Contact>('SELECT name, level, email, phone, language FROM contact WHERE organisation_id = $1', [id])
  const [counts, rejected] = [{ added: 0, known: 0, kept: 0 }, [] as RejectedRow[]]
  for (const { line, contact, fields } of contacts) {
    const before = there.find((each) => each.level === contact.level && personOf(each.name) === personOf(contact.name))
    if (before !== undefined) counts[before.email === contact.email && before.phone === contact.phone ? 'known' : 'kept']++
    else if (there.length + counts.added >= contacts_max) rejected.push({ line, wrong: `${id} has ${contacts_max} contacts already`, mend: 'leave this one out, or have the organisation delete one', fields })
    else counts[(await insertContact(owner, id, contact, now)) === null ? 'kept' : 'added']++
  }
  return { counts, rejected }
}
