import { writeFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import pg from 'pg'
import { migrate } from '../adapters/postgres/database.ts'
import { invite } from '../organisation/invite.ts'
import { inviteColumns, readInvitation, rejectColumns, type RejectedRow } from '../organisation/invite-file.ts'
import { csvLines } from '../readiness/ask.ts'
import { showProgress } from '../register/progress.ts'
import { openRows } from '../register/read-file.ts'
import { audited } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { onInterrupt } from './interrupt.ts'
import type { Options } from './options.ts'

const told_max = 20
const secrets = 'These are secrets: each link logs in once, within 24 hours, and is shown this once. Send each to its organisation alone.\n'

/** What the command gives: `added` are the organisations that are new, each with its link and key. */
interface Invitations {
  readonly added: { readonly organisation: string; readonly contacts: number; readonly link: string | null; readonly key?: string | null }[]
  /** Organisations that were there. */
  known: number
  readonly contacts: { added: number; known: number; kept: number }
  readonly rejected: RejectedRow[]
}

type File = Extract<Awaited<ReturnType<typeof readInvitation>>, { ok: true }>['value']

/** `kawal org invite FILE.csv`: links on stdout as they are made, progress and what is wrong on stderr, bad rows in FILE.rejected.csv. */
export async function inviteAction(path: string, options: Options): Promise<void> {
  const url = addressOf(options['url'] ?? 'http://127.0.0.1:5105')
  const file = await readFile(path)
  const [json, dryRun] = [options['json'] !== undefined, options['dryRun'] !== undefined]
  const done: Invitations = { added: [], known: 0, contacts: { added: 0, known: 0, kept: 0 }, rejected: [...file.rejected] }
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const owner = new pg.Client({ connectionString: server.ownerUrl })
    await owner.connect()
    let whole = false
    try {
      const work = (): Promise<void> => inviteAll(owner, file, { url, json, dryRun, keys: options['keys'] !== undefined }, done)
      await (dryRun ? work() : audited(server, `org invite ${path}${options['keys'] === undefined ? '' : ' --keys'}`, work))
      whole = true
    } finally {
      await owner.end()
      // links that were made are shown, whatever stopped the rest
      if (json && (whole || done.added.length > 0)) process.stdout.write(`${JSON.stringify({ dryRun, ...done, rejected: done.rejected.map(({ line, wrong, mend }) => ({ line, wrong, mend })) })}\n`)
    }
  } finally {
    await server.stop()
  }
  await tell(path, file, done, dryRun)
}

/** Where people find the console. */
function addressOf(text: string | undefined): string {
  const url = text === undefined || !URL.canParse(text) ? null : new URL(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') throw new CommandFailure(exits.usage, `--url takes the address of the server, such as https://kawal.example, not ${text ?? 'nothing'}.`)
  return url.href.replace(/\/+$/, '').replaceAll(',', '%2C')
}

/** Reads and checks the whole file before anything is written. */
async function readFile(path: string): Promise<File> {
  const refused = (why: string): CommandFailure => new CommandFailure(exits.rejected, `${path}: ${why}.`)
  if (/\.(geojson|json)(\.gz)?$/i.test(path)) throw refused('this is no CSV')
  try {
    const read = await readInvitation(await openRows(path))
    if (!read.ok) throw refused(read.error)
    if (read.value.rows === 0) throw refused('it has no rows')
    return read.value
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    if (error instanceof RangeError) throw refused('a line is longer than 64 kB: this is no list of contacts')
    if (error instanceof Error && 'code' in error) throw refused(`it cannot be read: ${error.message}`)
    throw error
  }
}

async function inviteAll(owner: pg.Client, { organisations }: File, { url, json, dryRun, keys }: { url: string; json: boolean; dryRun: boolean; keys: boolean }, done: Invitations): Promise<void> {
  const progress = showProgress(process.stderr)
  const left = (at: number): string => `${organisations.length - at} organisations were not invited. Run it again`
  let [interrupted, unread] = [false, false]
  onInterrupt(() => (interrupted = true))
  process.stdout.once('error', () => (unread = true))
  if (!dryRun) process.stderr.write(secrets)
  if (!json) process.stdout.write(`organisation,contacts,link${keys ? ',key' : ''}\n`)
  for (const [at, invited] of organisations.entries()) {
    if (interrupted) throw new CommandFailure(exits.interrupted, `Interrupted: ${left(at)} for the rest.`)
    // no link is made that nobody sees
    if (unread) throw new CommandFailure(exits.refused, `Nobody reads the links any more: ${left(at)} with the output in a file.`)
    const { organisation, added, contacts, token, key, rejected } = await invite(owner, invited, { keys, dryRun, now: Date.now() })
    for (const name of ['added', 'known', 'kept'] as const) done.contacts[name] += contacts[name]
    done.rejected.push(...rejected)
    if (!added) done.known++
    else {
      const row = { organisation, contacts: contacts.added, link: token === null ? null : `${url}/console/?masuk=${token}`, ...(keys ? { key } : {}) }
      done.added.push(row)
      if (!json) process.stdout.write(`${[row.organisation, row.contacts, row.link, ...(keys ? [key] : [])].join(',')}\n`)
    }
    progress.at((at + 1) / organisations.length, dryRun ? 'checking' : 'inviting')
  }
  progress.done()
}

/** Counts and bad rows on stderr. A dry run leaves no file: it tells all bad rows. */
async function tell(path: string, { organisations, rows }: File, { added, known, contacts, rejected }: Invitations, dryRun: boolean): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  say(`${rows} rows of ${organisations.length} organisations: ${added.length} ${dryRun ? 'would be added' : 'added'}, ${known} were there; ${contacts.added} contacts ${dryRun ? 'would be added' : 'added'}, ${contacts.known} were there.`)
  if (contacts.kept > 0) say(`${contacts.kept} contacts are there with another e-mail or phone: they are kept as they are.`)
  if (rejected.length === 0) return
  rejected.sort((a, b) => a.line - b.line)
  const shown = rejected.slice(0, dryRun ? rejected.length : told_max)
  for (const { line, wrong, mend } of shown) say(`line ${line}: ${wrong}. Mend it: ${mend}.`)
  if (rejected.length > shown.length) say(`and ${rejected.length - shown.length} more`)
  process.exitCode = exits.rejected
  if (dryRun) return say(`${rejected.length} rows would be rejected. Nothing was written.`)
  const { dir, name } = parse(path.replace(/\.gz$/i, ''))
  const list = join(dir, `${name}.rejected.csv`)
  let text = ''
  for await (const lines of csvLines([...rejectColumns, ...inviteColumns], rejected.map(({ fields, ...row }) => ({ ...row, ...fields })))) text += lines
  // numbers of people: for whoever ran the command alone
  writeFileSync(list, text, { mode: 0o600 })
  say(`${rejected.length} rows were rejected: mend them in ${list} and give that file.`)
}
