import { readFileSync } from 'node:fs'
import { readVerifierKey, type KeyAlgorithm, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { CommandFailure, exits } from './exits.ts'

/** What was given to a command: keys and files. @throws CommandFailure that says what is wrong with it */
export function givenKey(text: string, algorithm: KeyAlgorithm = 'ed25519'): VerifierKey {
  const key = readVerifierKey(text, sha256)
  const [wanted, other] = algorithm === 'ed25519' ? ['log', 'witness'] : ['witness', 'log']
  if (!key.ok || key.value.algorithm !== algorithm) throw new CommandFailure(exits.rejected, `${text.slice(0, 100)} is no key of a ${wanted} (${key.ok ? `of a ${other}` : key.error}). It is written as NAME+ID+KEY.`)
  return key.value
}

export function givenFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandFailure(exits.rejected, `${path} cannot be read: ${(error as Error).message}`)
  }
}
