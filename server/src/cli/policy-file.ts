import { readFileSync } from 'node:fs'
import { policySentence, readPolicy, type Policy } from '@kawal/core/ledger/policy.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'

/** A policy in a file. @param option as it is typed @throws CommandFailure with the line that is wrong, and how to mend it */
export function policyFile(path: string, option: string): Policy {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${option} ${path} cannot be read: ${(error as Error).message}`)
  }
  const policy = readPolicy(text, sha256)
  if (!policy.ok) throw new CommandFailure(exits.rejected, `${option} ${path}: ${policySentence(policy.error)}`)
  return policy.value
}
