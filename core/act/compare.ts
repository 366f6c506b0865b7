import { rfc3339, type Instant } from '../kernel/clock.ts'
import { sameBytes } from '../ledger/bytes.ts'
import type { Sha256Sync } from '../ledger/merkle.ts'
import { actRowBytes, commitmentOf, isOf, outcomeEntry, writeActEntry, type ActEntry, type ActRow, type OutcomeRow } from './entry.ts'

/** A row of a copy of the audit, with the salt that opens its entry. `isPlaced`: it says itself that it is in the log. */
export interface AuditCopy {
  readonly row: ActRow
  readonly salt: Uint8Array
  readonly isPlaced: boolean
  readonly outcome: { readonly row: OutcomeRow; readonly salt: Uint8Array; readonly isPlaced: boolean } | null
}

interface Within {
  /** Of what was done from then on, and before; ms since 1970. */
  readonly from: Instant
  readonly to: Instant
  /** Of one organisation alone; null for all. */
  readonly organisation: string | null
  readonly sha256: Sha256Sync
}

interface Compared {
  /** A sentence each. */
  readonly differences: readonly string[]
  /** Acts that are as the log has them, with what came of them. */
  readonly same: number
  /** Of the end of the copy, and not in the log yet. */
  readonly waiting: number
}

type LoggedAct = Extract<ActEntry, { kind: 'act' }> & { readonly index: number }
type LoggedOutcome = Extract<ActEntry, { kind: 'outcome' }> & { readonly index: number }

/** An act is in the log within seconds. */
const settling_ms = 60_000

/** Holds a copy of the audit against the log: what was rewritten, taken out of the audit, or put into it behind the log. */
export function compareActs(entries: readonly ActEntry[], copies: readonly AuditCopy[], within: Within): Compared {
  const acts = new Map<number, LoggedAct>()
  const outcomes = new Map<number, LoggedOutcome>()
  const differences: string[] = []
  let newest = -Infinity
  entries.forEach((entry, index) => {
    if (entry.kind === 'outcome') return void outcomes.set(entry.act, { ...entry, index })
    const before = acts.get(entry.id)
    if (before !== undefined) differences.push(`Act ${entry.id} is in the log twice: entries ${before.index} and ${index}.`)
    else acts.set(entry.id, { ...entry, index })
    if (entry.at < newest - settling_ms && entry.at >= within.from && entry.at < within.to) differences.push(`Entry ${index}, act ${entry.id} (${titleOf(entry)}), stands behind acts of ${rfc3339(newest)}: it was dated back, or a clock was.`)
    newest = Math.max(newest, entry.at)
  })
  let [same, waiting] = [0, 0]
  const seen = new Set<number>()
  for (const copy of copies) {
    const { id, at } = copy.row
    seen.add(id)
    const act = acts.get(id)
    if (act === undefined) {
      if (!copy.isPlaced && at > newest - settling_ms) waiting++
      else differences.push(`Act ${id} (${titleOf(copy.row)}) is in the audit, and the log has no entry of it: it was put in behind the log.`)
      continue
    }
    const wrong = [...actFaults(copy, act, within.sha256), ...outcomeFaults(copy, outcomes.get(act.index), newest, within)]
    if (wrong.length === 0) same++
    differences.push(...wrong)
  }
  for (const act of acts.values()) {
    if (seen.has(act.id) || act.at < within.from || act.at >= within.to || (within.organisation !== null && act.organisation !== within.organisation)) continue
    differences.push(`Entry ${act.index}, act ${act.id} (${titleOf(act)}), is in the log, and the audit has no row of it: it was taken out.`)
  }
  return { differences, same, waiting }
}

const titleOf = ({ at, organisation, method, path }: Pick<ActRow, 'at' | 'organisation' | 'method'> & { readonly path: string | null }): string => `${rfc3339(at)} ${organisation} ${method}${path === null ? '' : ` ${path}`}`

function actFaults({ row, salt }: AuditCopy, act: LoggedAct, sha256: Sha256Sync): string[] {
  if (!sameBytes(commitmentOf(salt, actRowBytes(row), sha256), act.commitment)) return [`Act ${row.id} (${titleOf(row)}) is not the one of entry ${act.index} (${titleOf(act)}): the row was rewritten.`]
  return isOf(act, row) ? [] : [`Entry ${act.index} (${titleOf(act)}) tells everybody something else than act ${row.id} (${titleOf(row)}), which it commits to.`]
}

function outcomeFaults({ row, outcome }: AuditCopy, logged: LoggedOutcome | undefined, newest: Instant, { to, sha256 }: Within): string[] {
  if (outcome === null) return logged === undefined || logged.at >= to ? [] : [`What came of act ${row.id} is entry ${logged.index} (status ${logged.status}), and the audit has no outcome of it: it was taken out.`]
  if (logged === undefined) return !outcome.isPlaced && outcome.row.at > newest - settling_ms ? [] : [`What came of act ${row.id} is in the audit (status ${outcome.row.status}), and the log has no entry of it: it was put in behind the log.`]
  const isSame = sameBytes(writeActEntry(logged), writeActEntry(outcomeEntry(outcome.row, { ...row, entry: logged.act }, outcome.salt, sha256)))
  return isSame ? [] : [`What came of act ${row.id} (status ${outcome.row.status}) is not that of entry ${logged.index} (status ${logged.status}): it was rewritten.`]
}
