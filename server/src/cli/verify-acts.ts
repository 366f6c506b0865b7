import { readActEntry, type ActEntry } from '@kawal/core/act/entry.ts'
import { compareActs, type AuditCopy } from '@kawal/core/act/compare.ts'
import type { AuditRow, AuditRows } from '@kawal/contract/audit.ts'
import { parse } from 'csv-parse/sync'
import { sha256 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenFile } from './given.ts'
import { instantOption, type Options } from './options.ts'
import { readLog } from './read-log.ts'

/**
 * `kawal verify acts ADDRESS [ROWS]`: holds the audit against the log of acts, row by row: what was rewritten, taken out or put in behind it. ROWS is a copy as
 * `GET /v1/audit` or `kawal export audit` gives it, as CSV or JSON; without one the audit is asked beside the log, with the key in KAWAL_API_KEY.
 */
export async function verifyActs(address: string, rowsPath: string | undefined, options: Options): Promise<void> {
  const log = address.replace(/\/+$/, '')
  // The log first: what it holds by now was in the audit before.
  const { origin, entries } = await entriesOf(log, options['key'])
  const rows = rowsPath === undefined ? await askedRows(log, options) : rowsIn(givenFile(rowsPath).toString('utf8'), rowsPath)
  // A copy says nothing of what was done after its newest row; how much that is, is told.
  const [from, to] = [instantOption(options, 'from') ?? -Infinity, instantOption(options, 'to') ?? (rowsPath === undefined || rows.length === 0 ? Infinity : newestOf(rows) + 1)]
  const newer = options['to'] === undefined ? entries.filter((each) => each.kind === 'act' && each.at >= to).length : 0
  const { differences, same, waiting } = compareActs(entries, rows.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to).map(copyOf), { from, to, organisation: options['organisation'] ?? null, sha256 })
  if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ origin, entries: entries.length, rows: rows.length, same, waiting, newer, differences })}\n`)
  else {
    for (const each of differences) process.stdout.write(`${each}\n`)
    process.stdout.write(`${origin}: ${same} acts are as the log has them${waiting === 0 ? '' : `, ${waiting} of the last seconds are not in it yet`}; ${differences.length} differ.${newer === 0 ? '' : ` ${newer} acts of the log are newer than the copy.`}\n`)
  }
  if (differences.length > 0) throw new CommandFailure(exits.found, `The audit and the log of acts differ in ${differences.length} places.`)
}

/** Every entry, once they are those that the log's key signed. */
async function entriesOf(log: string, key: string | undefined): Promise<{ readonly origin: string; readonly entries: readonly ActEntry[] }> {
  const entries: ActEntry[] = []
  const { origin } = await readLog(log, key, (index, bytes) => {
    const entry = readActEntry(bytes)
    if (!entry.ok) throw new CommandFailure(exits.found, `Entry ${index} of ${log} is none of acts (${entry.error}). The log of acts is at /acts, as https://kawal.example/acts.`)
    entries.push(entry.value)
  })
  return { origin, entries }
}

async function askedRows(log: string, options: Options): Promise<readonly AuditRow[]> {
  const token = process.env['KAWAL_API_KEY']
  if (token === undefined) throw new CommandFailure(exits.usage, 'Name a copy of the audit behind the address, or put an API key that may read it into KAWAL_API_KEY.')
  const rows: AuditRow[] = []
  const query = Object.entries({ from: options['from'], to: options['to'], organisation: options['organisation'] }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  let before: number | null = null
  do {
    const asked = new URLSearchParams([...query, ['limit', '1000'], ...(before === null ? [] : [['before', String(before)] as [string, string]])])
    const page = JSON.parse((await fetched(`${log.replace(/\/[^/]*$/, '')}/v1/audit?${asked}`, { authorization: `Bearer ${token}` })).toString('utf8')) as AuditRows
    rows.push(...page.rows)
    before = page.next
  } while (before !== null)
  return rows
}

/** CSV, a page of the API, or an object a line. The mark before what could be a formula stays: rows are compared without it, and in base64 it is passed over. */
function rowsIn(text: string, path: string): readonly AuditRow[] {
  try {
    if (!text.startsWith('{')) return parse(text, { columns: true }).map(rowOfCsv)
    const objects = text.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditRow | AuditRows)
    return objects.flatMap((each) => ('rows' in each ? each.rows : [each]))
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${path} is no copy of the audit: ${(error as Error).message}. Take what GET /v1/audit or kawal export audit gives, as CSV or JSON.`)
  }
}

function rowOfCsv(cells: unknown): AuditRow {
  const row = cells as Readonly<Record<string, string>>
  const number = (name: string): number | null => (row[name] === undefined || row[name] === '' ? null : Number(row[name]))
  const text = (name: string): string | null => (row[name] === undefined || row[name] === '' ? null : row[name])
  if (row['id'] === undefined || row['salt'] === undefined) throw new Error('it lacks the columns id and salt')
  return {
    id: Number(row['id']), at: row['at'] ?? '', organisation: row['organisation'] ?? '', role: text('role'), staff: text('staff'), name: text('name'), key: text('key'), contact: text('contact'), address: text('address'), method: row['method'] ?? '', path: row['path'] ?? '', subject: text('subject'), reason: text('reason'),
    status: number('status'), endedAt: text('endedAt'), made: text('made'), request: text('request'), facts: text('facts') === null ? null : JSON.parse(row['facts'] as string) as AuditRow['facts'], entry: number('entry'), salt: row['salt'], outcomeEntry: number('outcomeEntry'), outcomeSalt: text('outcomeSalt'),
  }
}

const copyOf = ({ at, status, endedAt, made, salt, outcomeSalt, outcomeEntry, entry, ...row }: AuditRow): AuditCopy => ({
  row: { ...row, at: Date.parse(at) }, salt: Buffer.from(salt, 'base64'), isPlaced: entry !== null,
  outcome: status === null || endedAt === null || outcomeSalt === null ? null : { row: { id: row.id, at: Date.parse(endedAt), status, made }, salt: Buffer.from(outcomeSalt, 'base64'), isPlaced: outcomeEntry !== null },
})

const newestOf = (rows: readonly AuditRow[]): number => rows.reduce((newest, { at }) => Math.max(newest, Date.parse(at)), -Infinity)

async function fetched(address: string, headers: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const answer = await fetch(address, { headers }).catch((error: unknown) => {
    throw new CommandFailure(exits.missing, `${address} does not answer: ${(error as Error).message}.`)
  })
  if (!answer.ok) throw new CommandFailure(exits.missing, `${address} answered ${answer.status}.`)
  return Buffer.from(await answer.arrayBuffer())
}
