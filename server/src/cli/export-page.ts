import { readFileSync, writeFileSync } from 'node:fs'
import { formatPolicy, logAlone, policySentence, readPolicy, type Policy } from '@kawal/core/ledger/policy.ts'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { verifyPage } from '../ledger/page.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

/** `kawal export verify-page`: the page that verifies receipts as one file, with whom it trusts in it. Nothing of a database is asked. */
export function exportPage(options: Options): void {
  const { key, policy: path, out } = options
  if (out === undefined) throw new CommandFailure(exits.usage, '--out FILE says where the page goes, as periksa.html.')
  if ((key === undefined) === (path === undefined)) throw new CommandFailure(exits.usage, 'Name whom the page trusts: the log with --key NAME+ID+KEY, or a policy with --policy FILE.')
  const policy = key === undefined ? policyIn(path ?? '') : ofKey(key)
  const page = verifyPage(formatPolicy(policy))
  if (page === null) throw new CommandFailure(exits.missing, 'The page is not built: node tools/setup.mjs builds it.')
  try {
    writeFileSync(out, page.html)
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${out} cannot be written: ${(error as Error).message}. Name another file with --out.`)
  }
  const logs = policy.logs.map((log) => log.key.name)
  if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ file: out, bytes: page.html.length, sha256: page.sha256, logs, quorum: policy.quorum })}\n`)
  else process.stdout.write(`${out} trusts ${logs.join(', ')}${policy.quorum === null ? ', and asks for no witness' : ` and the quorum ${policy.quorum}`}.\nSHA-256 ${page.sha256}\nPublish this hash where people look who do not get the page from you.\n`)
}

function ofKey(text: string): Policy {
  const read = readVerifierKey(text.trim(), sha256)
  if (!read.ok || read.value.algorithm !== 'ed25519') throw new CommandFailure(exits.rejected, `${text.slice(0, 100)} is no key of a log (${read.ok ? 'of a witness' : read.error}). It is written as NAME+ID+KEY.`)
  return logAlone(read.value)
}

function policyIn(path: string): Policy {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${path} cannot be read: ${(error as Error).message}`)
  }
  const read = readPolicy(text, sha256)
  if (!read.ok) throw new CommandFailure(exits.rejected, `${path}: ${policySentence(read.error)}`)
  if (read.value.logs.length === 0) throw new CommandFailure(exits.rejected, `${path} names no log, so the page would trust nobody. Add a line: log KEY.`)
  return read.value
}
