import { fail, ok, type Result } from '../kernel/result.ts'
import { readEnvelope, signEnvelope, type Envelope, type EnvelopeFault, type Signer } from './cose.ts'
import { readRecap, writeRecap, type Recap, type RecapProblem } from './record.ts'

export interface SignedRecap {
  readonly envelope: Envelope
  readonly recap: Recap
}

export type SignedFault = { readonly part: 'envelope'; readonly code: EnvelopeFault } | ({ readonly part: 'record' } & RecapProblem)

/**
 * The bytes of a signed record, made once: they are what is kept, sent, shown as a QR and hashed, and are never
 * made again, since ES256 signs each time otherwise.
 */
export async function signRecap(recap: Recap, signer: Signer): Promise<Uint8Array<ArrayBuffer>> {
  return signEnvelope(writeRecap(recap), signer)
}

/** Reads without verifying: whose key it is stands in `envelope.kid`, and `verifyEnvelope` says whether it signed. */
export function readSignedRecap(bytes: Uint8Array): Result<SignedRecap, SignedFault> {
  const envelope = readEnvelope(bytes)
  if (!envelope.ok) return fail({ part: 'envelope', code: envelope.error })
  const recap = readRecap(envelope.value.payload)
  return recap.ok ? ok({ envelope: envelope.value, recap: recap.value }) : fail({ part: 'record', ...recap.error })
}
