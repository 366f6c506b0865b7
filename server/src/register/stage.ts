import type pg from 'pg'
import { reject, type Issue } from '@kawal/core/register/issue.ts'
import type { Kind, Recognised } from '@kawal/core/register/kind.ts'
import { parseAccess, parseIsp, parseOperator, parseRegion, parseStation, parseVenue, parseVillage, type Parsed, type Read, type Values } from '@kawal/core/register/rows.ts'
import { copyRows, type Field } from './copy.ts'
import type { Rows } from './read-file.ts'

const parsers: Readonly<Record<Kind, (read: Read, fileName: string) => Parsed<Values>>> = {
  region: parseRegion, village: parseVillage, station: parseStation, venue: parseVenue, operator: parseOperator, isp: parseIsp, access: parseAccess,
}

/** What a file's rows are told apart by; rows of an operator or an ISP may repeat. */
const unique: ReadonlySet<Kind> = new Set(['region', 'village', 'station', 'venue', 'access'])

export interface FileIssue extends Issue {
  readonly file: string
  readonly line: number
  readonly code: string
}

interface Staged {
  readonly rows: number
  readonly accepted: number
}

/** Writes issues of a run; in the transaction of what they are about. */
export async function saveIssues(client: pg.ClientBase, run: number, issues: Iterable<FileIssue>): Promise<void> {
  function* rows(): Generator<readonly Field[]> {
    for (const issue of issues) yield [run, issue.file, issue.line, issue.code, issue.severity, issue.reason, issue.detail]
  }
  await copyRows(client, 'import_issue (run_id, file, line, code, severity, reason, detail)', rows())
}

/**
 * Reads one file into its stage table. Good rows go in, bad ones become issues, odd ones both.
 * @param seen what this run has already, per kind: a code in two files is a duplicate too
 * @returns the issues are complete when the promise resolves
 */
export async function stageFile(
  client: pg.ClientBase, file: string, recognised: Recognised, rows: Rows, seen: Map<string, string>, issues: FileIssue[], tick: () => void,
): Promise<Staged> {
  const { kind, columns } = recognised
  const parse = parsers[kind]
  let fields: readonly string[] = []
  const read: Read = (column) => fields[columns.get(column) ?? -1] ?? ''
  let count = 0
  let accepted = 0
  async function* good(): AsyncGenerator<readonly Field[]> {
    for await (const record of rows.records()) {
      if (++count % 1024 === 0) tick()
      const note = (code: string, issue: Issue): number => issues.push({ file, line: record.line, code, ...issue })
      if (record.fields === null) {
        note('', reject('unreadable_row', record.problem))
        continue
      }
      fields = record.fields
      const parsed = parse(read, file)
      const values = parsed.row === null || !unique.has(kind) ? parsed.row : notTwice(kind, parsed.row, `${file}:${record.line}`, seen, (issue) => note(parsed.code, issue))
      // what is odd about a row that is not taken needs no saying
      for (const issue of parsed.issues) if (values !== null || parsed.row === null) note(parsed.code, issue)
      if (values === null) continue
      accepted++
      yield [file, record.line, ...values]
    }
  }
  await copyRows(client, `stage_${kind}`, good())
  return { rows: count, accepted }
}

/** A second row of a code is rejected; a second access point of an id is another site, and kept as such. */
function notTwice(kind: Kind, values: Values, at: string, seen: Map<string, string>, note: (issue: Issue) => void): Values | null {
  const id = String(values[0])
  const before = seen.get(`${kind} ${id}`)
  if (before === undefined) {
    seen.set(`${kind} ${id}`, kind === 'access' ? placeOf(values) : at)
    return values
  }
  const longer = `${id}@${String(values[5] ?? '')}`
  if (kind === 'access' && before !== placeOf(values) && !seen.has(`access ${longer}`)) {
    seen.set(`access ${longer}`, placeOf(values))
    note({ severity: 'warning', reason: 'duplicate_id', detail: longer })
    return [longer, ...values.slice(1)]
  }
  note(reject('duplicate_code', kind === 'access' ? id : `first at ${before}`))
  return null
}

function placeOf(values: Values): string {
  return values.slice(3, 6).join(' ')
}
