import type pg from 'pg'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { readSignedFinding, weighFinding, type Finding, type FindingProblem } from '@kawal/core/recap/finding.ts'
import { formOf } from '@kawal/core/recap/form.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from '../ledger/cryptography.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { ProblemError } from '../problem.ts'
import type { Signatures } from '../recap/keys.ts'
import { recapOf } from '../recap/stored.ts'
import type { Auditors } from './auditors.ts'
import type { KeptDraw } from './draws.ts'
import { finding_kind } from './findings.ts'

interface TakeNeeds { readonly database: Database; readonly ledger: () => Ledger; readonly signatures: Signatures; readonly auditors: Auditors; readonly isDrawn: (station: string) => Promise<boolean> }
interface Handed { readonly draw: KeptDraw; readonly staff: string; readonly bytes: Buffer }

/**
 * Takes a signed finding in. Whoever sends it sits in front of a screen: what cannot count is refused at once, and says why. The same bytes
 * again are the same entry.
 * @returns its receipt, a tlog-proof. @throws ProblemError
 */
export async function takeFinding({ database, ledger, signatures, auditors, isDrawn }: TakeNeeds, { draw, staff, bytes }: Handed): Promise<{ readonly isNew: boolean; readonly receipt: string }> {
  const open = ledger()
  const read = readSignedFinding(bytes)
  if (!read.ok) throw new ProblemError('finding_unreadable', `These ${bytes.length} bytes are no signed finding (${read.error}): spec/sample.md says how one is written.`)
  const { envelope, finding } = read.value
  const hash = Buffer.from(sha256(bytes)).toString('hex')
  const holders = await auditors.holders(Buffer.from(envelope.kid).toString('hex'))
  if (holders.length === 0) throw new ProblemError('key_missing', 'No auditor has this key. Enrol it first: POST /v1/audits/keys.')
  const signed = await Promise.all(holders.map(async (holder) => ((await signatures.isSignedBy(envelope, hash, holder.publicKey)) ? [holder] : [])))
  const [holder] = signed.flat()
  if (holder === undefined) throw new ProblemError('signature_wrong', 'The key that is named did not sign these bytes. Compare and sign again.')
  if (holder.isWithdrawn) throw new ProblemError('signature_wrong', 'This key was withdrawn: what it signs counts no more. Make a new one, and sign again.')
  if (holder.staff !== staff) throw new ProblemError('not_allowed', `The key is of ${holder.name}: who signs a finding hands it in himself.`)
  if (Buffer.from(finding.draw).toString('hex') !== draw.id) throw new ProblemError('state_conflict', 'The finding was signed for another draw.')
  if (!(await isDrawn(finding.station))) throw new ProblemError('state_conflict', `The station ${finding.station} was not drawn.`)
  if (!draw.draw.contests.includes(finding.contest)) throw new ProblemError('state_conflict', `The draw is not over the contest ${finding.contest}.`)
  await database.transaction(system, (client) => compare(client, finding, draw.draw.size))
  const { index, isNew } = await open.append({ name: hash, kind: finding_kind, bytes: writeEntry({ kind: 'finding', envelope: bytes }), carrier: null, key: null })
  const receipt = await open.receipt(index)
  if (receipt === null) throw new Error(`entry ${index} is in no checkpoint though it was appended`)
  return { isNew, receipt }
}

const weighed: Readonly<Record<FindingProblem, string>> = {
  readings_beyond: 'A number was read that the form does not have.', readings_few: 'It is said to agree, and not all was read that must be: the votes of each, and valid, invalid and all votes.',
  result_other: 'The result is not what the numbers say: they are to be the same for *agrees*, and one is to differ for *differs*.',
}

/** Whether the finding is of this record. @throws ProblemError state_conflict, not_found, body_invalid */
async function compare(client: pg.ClientBase, { record, station, contest, result, readings }: Finding, size: number): Promise<void> {
  if (record === null) {
    const { rows } = await client.query<{ entry: number }>('SELECT entry FROM recap WHERE station_code = $1 AND contest = $2 AND entry < $3 LIMIT 1', [station, contest, size])
    if (rows[0] !== undefined) throw new ProblemError('state_conflict', `There is a record: entry ${rows[0].entry} of the ledger. Compare it.`)
    return
  }
  const { rows: [row] } = await client.query<{ index: number; bytes: Buffer }>('SELECT index, bytes FROM ledger_entry WHERE name = $1 AND kind = 1', [record])
  const recap = row === undefined ? null : recapOf(row.bytes)
  if (row === undefined || recap === null) throw new ProblemError('not_found', 'The record that is named is not in the ledger, or this program cannot read it.')
  if (row.index >= size) throw new ProblemError('state_conflict', `The record is entry ${row.index} of the ledger: it came after the ${size} that the draw is over.`)
  if (recap.station !== station || recap.contest !== contest) throw new ProblemError('state_conflict', 'The record that is named is of another station or contest.')
  const form = formOf(recap.contest, recap.ballot, recap.form)
  const problem = form.ok ? weighFinding({ result, readings }, form.value, recap.totals) : null
  if (problem !== null) throw new ProblemError('body_invalid', weighed[problem])
}
