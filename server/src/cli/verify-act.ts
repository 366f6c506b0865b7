import { openEntry } from '@kawal/core/act/entry.ts'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import type { VerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { readProof } from '@kawal/core/ledger/proof.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenFile, givenKey } from './given.ts'
import type { Options } from './options.ts'

/** `kawal verify act PROOF...`: whether each proof shows that the log of acts holds its act, and that it is this row. Without a network. */
export async function verifyAct(paths: readonly string[], options: Options): Promise<void> {
  const given = options['key']
  if (given === undefined) throw new CommandFailure(exits.usage, 'Name the key of the log of acts with --key: a proof shows something only to who knows whose it must be.')
  const log = givenKey(given)
  for (const path of paths) {
    const told = await openProof(givenFile(path).toString('utf8'), log)
    if (told.fault !== null) throw new CommandFailure(exits.found, `${path} does not prove its act (${told.fault}; spec/acts.md and spec/ledger.md say what that is).`)
    process.stdout.write(options['json'] === undefined ? `${told.text}\n` : `${JSON.stringify({ ...told.facts, index: told.index, size: told.size })}\n`)
  }
}

type Told = { readonly fault: string } | { readonly fault: null; readonly text: string; readonly facts: object; readonly index: number; readonly size: number }

async function openProof(text: string, log: VerifierKey): Promise<Told> {
  const proof = readProof(text)
  if (!proof.ok) return { fault: proof.error }
  if (proof.value.extra === null) return { fault: 'extra_form' }
  const opened = openEntry(proof.value.extra, sha256)
  if (!opened.ok) return { fault: opened.error }
  const read = await verifyReceipt(opened.value.bytes, text, logAlone(log), { sha256, verify: verifyEd25519 })
  if (!read.ok) return { fault: read.error }
  const { index, size } = read.value
  const where = `entry ${index} of the log, which had ${size} when it signed`
  if (opened.value.kind === 'outcome') {
    const { row, entry } = opened.value
    return { fault: null, index, size, facts: { kind: 'outcome', actEntry: entry.act, ...row, at: rfc3339(row.at) }, text: `What came of act ${row.id} (entry ${entry.act}) is ${where}: status ${row.status}, ${rfc3339(row.at)}${row.made === null ? '' : `, made ${row.made}`}.` }
  }
  const { row, entry } = opened.value
  const who = [row.name, row.staff, row.key, row.contact].filter((each) => each !== null).join(', ')
  return {
    fault: null, index, size, facts: { kind: 'act', deed: entry.deed, ...row, at: rfc3339(row.at) },
    text: `Act ${row.id} is ${where}: ${rfc3339(row.at)} ${row.organisation}${row.role === null ? '' : ` (${row.role})`}${who === '' ? '' : `, ${who}`}${row.address === null ? '' : `, from ${row.address}`}: ${entry.deed}, ${row.method} ${row.path}${row.reason === null ? '' : ` because "${row.reason}"`}.`,
  }
}
