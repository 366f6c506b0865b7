import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readBundle } from '@kawal/core/ledger/bundle.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { readCheckpoint, type Checkpoint } from '@kawal/core/ledger/checkpoint.ts'
import { readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { logAlone, type Policy } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { verifyNote } from '@kawal/core/ledger/signature.ts'
import { tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { readEntry, writeEntry } from '@kawal/core/recap/entry.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'
import { verifyDraw } from './verify-draw.ts'
import { policyFile } from './policy-file.ts'

/**
 * `kawal verify ledger URL`, `kawal verify receipt RECEIPT RECORD`: whether a log is what its key signed, and whether a record is in it. Nothing is
 * asked of the log but its bytes.
 */
export async function verifyAction(what: string, args: readonly string[], options: Options): Promise<void> {
  if (what === 'ledger' && args.length === 1) return verifyLedger((args[0] as string).replace(/\/+$/, ''), options)
  if (what === 'act' && args.length > 0) return (await import('./verify-act.ts')).verifyAct(args, options, { keyOf, file })
  if (what === 'acts' && args.length <= 2) return (await import('./verify-acts.ts')).verifyActs(args[0] as string, args[1], options, { keyOf, file })
  if (what === 'receipt' && args.length === 2) return verifyOne(args[0] as string, args[1] as string, options)
  if (what === 'draw' && args.length === 1) return verifyDraw(args[0] as string, options, keyOf)
  throw new CommandFailure(exits.usage, 'kawal verify ledger ADDRESS, as https://kawal.example/ledger, kawal verify receipt RECEIPT RECORD, two files, or kawal verify draw WHERE --roster FILE; kawal verify act PROOF, or kawal verify acts ADDRESS [ROWS], as https://kawal.example/acts.')
}

/** What was wrong with the log or the receipt: it is told on its own line, with exit code 4. */
const broken = (sentence: string): CommandFailure => new CommandFailure(exits.found, sentence)

async function verifyLedger(address: string, options: Options): Promise<void> {
  const given = options['key']
  const key = keyOf(given ?? (await text(`${address}/key`)).trim())
  const note = await text(`${address}/checkpoint`)
  const signed = await checkpointOf(note, key)
  const older = await olderOf(options['state'], key)
  if (older !== null && older.size > signed.size) throw broken(`The log went back: ${older.size} entries were seen, and it shows ${signed.size}.`)
  const counts = await replay(address, signed, older)
  if (options['state'] !== undefined) writeFileSync(options['state'], note)
  const root = Buffer.from(signed.root).toString('base64')
  if (options['json'] !== undefined) return void process.stdout.write(`${JSON.stringify({ origin: key.name, size: signed.size, root, counts, consistentWith: older?.size ?? null, keyGiven: given !== undefined })}\n`)
  process.stdout.write(`${key.name}: ${signed.size} entries are those that its key signed.\n${Object.entries(counts).map(([kind, count]) => `  ${kind.padEnd(12)}${count}\n`).join('')}  root        ${root}\n`)
  if (older !== null) process.stdout.write(`It begins with the ${older.size} entries that were seen before.\n`)
  if (given === undefined) process.stdout.write('The key came from the log itself. Hold it against the one that you were given, or name that one with --key.\n')
}

/** Reads every entry, and makes the root anew. */
async function replay(address: string, { size, root }: Checkpoint, older: Checkpoint | null): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = { recap: 0, enrolment: 0, revocation: 0, delivery: 0, unknown: 0 }
  let frontier = emptyFrontier
  while (frontier.size < size) {
    const width = Math.min(tile_width, size - frontier.size)
    const tile = tilePath({ level: 'entries', index: frontier.size / tile_width, width })
    const entries = readBundle(await bytes(`${address}/${tile}`))
    if (!entries.ok || entries.value.length < width) throw broken(`${tile} does not hold the ${width} entries from ${frontier.size} on.`)
    for (const entry of entries.value.slice(0, width)) {
      if (older?.size === frontier.size && !sameBytes(rootOf(frontier, sha256), older.root)) throw broken(`The log was changed: its first ${older.size} entries are not those that were seen before.`)
      frontier = appendLeaf(frontier, leafHash(entry, sha256), sha256)
      const read = readEntry(entry)
      const kind = read.ok ? read.value.kind : 'unknown'
      counts[kind] = (counts[kind] ?? 0) + 1
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${frontier.size} of ${size} entries`)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  if (older?.size === size && !sameBytes(older.root, root)) throw broken(`The log was forked: two trees of ${size} entries were signed.`)
  if (!sameBytes(rootOf(frontier, sha256), root)) throw broken(`The ${size} entries are not those of the checkpoint: their root is another.`)
  return counts
}

async function verifyOne(receiptPath: string, recordPath: string, options: Options): Promise<void> {
  const policy = trustOf(options)
  const record = file(recordPath)
  const read = await verifyReceipt(writeEntry({ kind: 'recap', envelope: record }), file(receiptPath).toString('utf8'), policy, { sha256, verify: verifyEd25519 })
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
  return logAlone(keyOf(key))
}

function keyOf(text: string): VerifierKey {
  const key = readVerifierKey(text, sha256)
  if (!key.ok || key.value.algorithm !== 'ed25519') throw new CommandFailure(exits.rejected, `${text.slice(0, 100)} is no key of a log (${key.ok ? 'of a witness' : key.error}). It is written as NAME+ID+KEY.`)
  return key.value
}

async function checkpointOf(note: string, key: VerifierKey): Promise<Checkpoint> {
  const read = readNote(note)
  const checkpoint = read.ok ? readCheckpoint(read.value.text) : read
  if (!read.ok || !checkpoint.ok) throw broken(`The checkpoint cannot be read (${checkpoint.ok ? 'note' : checkpoint.error}).`)
  const signed = await verifyNote(read.value, [key], verifyEd25519)
  if (!signed.ok || checkpoint.value.origin !== key.name) throw broken(`The checkpoint of ${checkpoint.value.origin} is not signed by ${key.name}.`)
  return checkpoint.value
}

const olderOf = (state: string | undefined, key: VerifierKey): Promise<Checkpoint | null> =>
  state === undefined || !existsSync(state) ? Promise.resolve(null) : checkpointOf(readFileSync(state, 'utf8'), key)

function file(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${path} cannot be read: ${(error as Error).message}`)
  }
}

const text = async (address: string): Promise<string> => Buffer.from(await bytes(address)).toString('utf8')

async function bytes(address: string): Promise<Uint8Array> {
  let answer: Response
  try {
    answer = await fetch(address)
  } catch (error) {
    throw new CommandFailure(exits.missing, `${address} does not answer: ${(error as Error).message}.`)
  }
  if (!answer.ok) throw new CommandFailure(exits.missing, `${address} answered ${answer.status}.`)
  return new Uint8Array(await answer.arrayBuffer())
}
