import { keyId, readEnvelope, type EnvelopeFault } from '@kawal/core/recap/cose.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { sha256 } from '../ledger/cryptography.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { ProblemError } from '../problem.ts'
import { algorithmOf, holderReader, type Holders, type Signatures } from './keys.ts'

interface Handed {
  /** The envelope as it came. */
  readonly bytes: Buffer
  /** Key of the device that hands it in, which need not have made it; null at a box, which asks nobody. */
  readonly carrier: number | null
  /** The public key that signed, where whoever hands it in thinks that nobody enrolled it; null for none. */
  readonly key: Buffer | null
}

interface Taken {
  /** SHA-256 of the envelope, hex. */
  readonly hash: string
  /** False where the same bytes were here before. */
  readonly isNew: boolean
  /** A tlog-proof; for one record always the same. */
  readonly receipt: string
}

/** More than 10 s of a nation's first hour wait for nobody. */
const waiting_max = 20_000
const pause_s = 10
export const recap_kind = 1

/**
 * Takes signed records in. All that is looked at is whether somebody's key signed these bytes: what they say is judged when they
 * are safe, and may be wrong in whatever way (in 2023 a results server answered 500 for five hours, since one contest was
 * mapped to no state).
 */
export function createIntake({ holders: read, ledger, signatures }: { readonly holders: Holders; readonly ledger: () => Ledger; readonly signatures: Signatures }) {
  const holdersOf = holderReader(read)
  let waiting = 0

  async function take({ bytes, carrier, key }: Handed): Promise<Taken> {
    const open = ledger()
    const envelope = readEnvelope(bytes)
    if (!envelope.ok) throw new ProblemError('recap_unreadable', envelopeFaults(envelope.error, bytes.length))
    const hash = Buffer.from(sha256(bytes)).toString('hex')
    const holders = await holdersOf(Buffer.from(envelope.value.kid).toString('hex'))
    const isSignedBy = (publicKey: Uint8Array): Promise<boolean> => signatures.isSignedBy(envelope.value, hash, publicKey)
    const isEnrolled = (await Promise.all(holders.map(({ publicKey }) => isSignedBy(publicKey)))).includes(true)
    if (!isEnrolled && (key === null || !(await isKeyOf(key, envelope.value.kid)) || !(await isSignedBy(key))))
      throw holders.length > 0 || key !== null ? new ProblemError('signature_wrong', signature_wrong) : new ProblemError('key_missing', key_missing)
    const { index, isNew } = await open.append({ name: hash, kind: recap_kind, bytes: writeEntry({ kind: 'recap', envelope: bytes }), carrier, key: isEnrolled ? null : key })
    const receipt = await open.receipt(index)
    if (receipt === null) throw new Error(`entry ${index} is in no checkpoint though it was appended`)
    return { hash, isNew, receipt }
  }

  return {
    /** Resolves when the record is on disk and in a signed checkpoint. @throws ProblemError */
    async take(handed: Handed): Promise<Taken> {
      if (waiting >= waiting_max) throw new ProblemError('overloaded', 'Keep the record and send it again after the pause given in Retry-After.', pause_s)
      waiting++
      try {
        return await take(handed)
      } finally {
        waiting--
      }
    },
  }
}

export type Intake = ReturnType<typeof createIntake>

const isKeyOf = async (key: Buffer, kid: Uint8Array): Promise<boolean> => Buffer.from(await keyId(algorithmOf(key), key, sha256)).equals(kid)

const signature_wrong = 'No enrolled key signed these bytes: they were changed on the way, or the key is another. Keep the record, and read it again from the phone that made it.'
const key_missing = 'No phone with this key is enrolled. Send the public key beside the record, in the header recap-key (32 bytes of Ed25519 or 65 of P-256, base64url): it is kept, and counts once the phone is enrolled.'

/** A record that a newer program made is signed in the same way: what is refused here is damaged, or was never one. */
function envelopeFaults(fault: EnvelopeFault, length: number): string {
  return `These ${length} bytes are no signed record (${fault}): spec/recap.md says how one is written. Read it again from where it was made.`
}
