import { readSignedRecap, type SignedFault, type SignedRecap } from '@kawal/core/recap/envelope.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import type { Result } from '@kawal/core/kernel/result.ts'

/** The signed bytes that an entry of a recap holds. @throws Error for an entry of another kind: a bug */
export function envelopeOf(entry: Uint8Array): Uint8Array {
  const read = readEntry(entry)
  if (!read.ok || read.value.kind !== 'recap') throw new Error('this entry of the ledger holds no record')
  return read.value.envelope
}

export const signedOf = (entry: Uint8Array): Result<SignedRecap, SignedFault> => readSignedRecap(envelopeOf(entry))

/** @returns null for a record that this program cannot read */
export function recapOf(entry: Uint8Array): Recap | null {
  const read = signedOf(entry)
  return read.ok ? read.value.recap : null
}
