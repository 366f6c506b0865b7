import type { Random } from '@kawal/core/kernel/random.ts'
import { keyId } from '@kawal/core/recap/cose.ts'
import { writeEntry, type Entry } from '@kawal/core/recap/entry.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import { presidential, sha256 } from '@kawal/testkit/recaps.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'

const phones = 32
const began_at = Date.UTC(2029, 1, 14, 7)
const hash_bytes = 32

export const randomBytes = (length: number, random: Random): Uint8Array<ArrayBuffer> => Uint8Array.from({ length }, () => Math.floor(random() * 256))

/** Entries as a ledger has them: phones are enrolled, hand in, are revoked, and KPU takes their records. Of one seed always the same. */
export async function drawnEntries(count: number, random: Random): Promise<{ readonly entries: readonly Uint8Array[]; /** By their places among the entries. */ readonly records: ReadonlyMap<number, Uint8Array> }> {
  const keys = Array.from({ length: phones }, (_, nth) => noteKey(`phone-${nth}-${Math.floor(random() * 1e9)}`))
  const entries: Uint8Array[] = []
  const records = new Map<number, Uint8Array>()
  while (entries.length < count) {
    const at = began_at + entries.length * 500
    const device = randomBytes(16, random)
    const phone = keys[entries.length % phones]
    if (phone === undefined) throw new Error('no phone')
    const entry: Entry = entries.length < phones ? { kind: 'enrolment', device, station: '1101012001001', publicKey: phone.key.publicKey, at }
      : random() < 0.1 ? { kind: 'revocation', device, at, reason: 'Hilang' }
      : random() < 0.5 ? { kind: 'delivery', recap: randomBytes(hash_bytes, random), status: 201, answer: randomBytes(hash_bytes, random), at }
      : { kind: 'recap', envelope: await signRecap({ ...presidential, photos: randomBytes(hash_bytes, random), madeAt: at, sequence: 1, previous: null }, await signerOf(phone)) }
    if (entry.kind === 'recap') records.set(entries.length, entry.envelope)
    entries.push(writeEntry(entry))
  }
  return { entries, records }
}

async function signerOf({ key, signBy }: ReturnType<typeof noteKey>) {
  return { algorithm: 'EdDSA' as const, kid: await keyId('EdDSA', key.publicKey, sha256), sign: (message: Uint8Array<ArrayBuffer>) => Promise.resolve(signBy(message)) }
}
