import { logAlone, type Policy } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'
import { givenFile, givenKey } from './given.ts'
import type { Options } from './options.ts'
import { verifyDraw } from './verify-draw.ts'
import { policyFile } from './policy-file.ts'
import { verifyLog } from './verify-log.ts'

/** `kawal verify`: what each question asks is in `server/src/cli/verify-commands.ts`. Nothing is asked of a log but its bytes. */
export async function verifyAction(what: string, args: readonly string[], options: Options): Promise<void> {
  const [first = '', second] = args
  switch (what) {
    case 'log': return verifyLog(first, options)
    case 'receipt': return verifyOne(first, second ?? '', options)
    case 'recaps': return (await import('./verify-recaps.ts')).verifyRecaps(options)
    case 'draw': return verifyDraw(first, options)
    case 'android': return (await import('./verify-android.ts')).verifyAndroid(first, second ?? '', options)
    case 'act': return (await import('./verify-act.ts')).verifyAct(args, options)
    default: return (await import('./verify-acts.ts')).verifyActs(first, second, options)
  }
}

/** What was wrong with the receipt: it is told on its own line, with exit code 4. */
const broken = (sentence: string): CommandFailure => new CommandFailure(exits.found, sentence)

async function verifyOne(receiptPath: string, recordPath: string, options: Options): Promise<void> {
  const policy = trustOf(options)
  const record = givenFile(recordPath)
  const read = await verifyReceipt(writeEntry({ kind: 'recap', envelope: record }), givenFile(receiptPath).toString('utf8'), policy, { sha256, verify: verifyEd25519 })
  if (!read.ok) throw broken(`This receipt does not prove that the record is in the log (${read.error}; spec/ledger.md says what that is).`)
  const code = receiptCode(sha256(record))
  if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ ...read.value, code })}\n`)
  else process.stdout.write(`The record ${code} is entry ${read.value.index} of the log, which had ${read.value.size} when it signed.\n${read.value.witnesses.map(({ name, at_s }) => `${name} saw it at ${new Date(at_s * 1000).toISOString()}.\n`).join('')}`)
}

/** The log alone by its key, or a policy that names its witnesses too. */
function trustOf({ key, policy }: Options): Policy {
  if (policy !== undefined && key !== undefined) throw new CommandFailure(exits.usage, 'Give --key or --policy: a policy names the key of the log.')
  if (policy !== undefined) return policyFile(policy, '--policy')
  if (key === undefined) throw new CommandFailure(exits.usage, 'Name the key of the log with --key, or a policy with --policy: a receipt proves something only to who knows whose it must be.')
  return logAlone(givenKey(key))
}
