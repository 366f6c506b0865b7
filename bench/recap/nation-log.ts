import { createHash } from 'node:crypto'
import { keyIdNow } from '@kawal/core/recap/cose.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { writeRecap, type Recap } from '@kawal/core/recap/record.ts'
import { signEnvelope } from '@kawal/core/recap/cose.ts'
import { presidential } from '@kawal/testkit/recaps.ts'

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Where a made envelope has what differs from record to record. */
interface Mould { readonly entry: Buffer; readonly envelope: number; readonly kid: number; readonly station: number; readonly photos: number; readonly previous: number }

/** A national log in the order in which it would come: an enrolment for each phone, its records, the receiver's answers. Signatures are none: nobody who counts looks at them. */
export async function nationLog(stations: readonly string[], records: number) {
  const moulds = await Promise.all([1, 2].map(mouldOf))
  const kids = new Map<string, Uint8Array>()
  const keyOf = (station: string): Buffer => sha256(Buffer.from(`key ${station}`))
  const kidOf = (station: string): Uint8Array => {
    const known = kids.get(station) ?? keyIdNow(keyOf(station), sha256)
    kids.set(station, known)
    return known
  }
  /** The record of a station that comes at this place of its phone's chain, from 0. */
  function recordOf(station: string, nth: number): { readonly entry: Buffer; readonly hash: Buffer } {
    const mould = moulds[nth] as Mould
    const entry = Buffer.from(mould.entry)
    entry.set(kidOf(station), mould.kid)
    entry.writeBigUInt64BE(BigInt(station), mould.station)
    if (nth > 0) entry.set(recordOf(station, nth - 1).hash, mould.previous)
    return { entry, hash: sha256(entry.subarray(mould.envelope)) }
  }
  const enrolmentOf = (station: string): Uint8Array => writeEntry({ kind: 'enrolment', device: sha256(Buffer.from(station)).subarray(0, 16), station, publicKey: keyOf(station), at: 1_800_000_000_000 })
  const placeOf = (nth: number): { readonly station: string; readonly of: number } => ({ station: stations[nth % stations.length] ?? '', of: Math.floor(nth / stations.length) })
  return {
    enrolmentOf,
    record: (nth: number) => recordOf(placeOf(nth).station, placeOf(nth).of),
    answerOf: (hash: Uint8Array): Uint8Array => writeEntry({ kind: 'delivery', recap: hash, status: 201, answer: hash, at: 1_800_000_000_000 }),
    records,
  }
}

/** The record of a chain's first or second place, in another contest each: found in it is whatever is written over. */
async function mouldOf(sequence: number): Promise<Mould> {
  const [station, kid, photos, previous] = ['7571011001003', sha256(Buffer.of(1)).subarray(0, 8), sha256(Buffer.of(2)), sha256(Buffer.of(3))]
  const recap: Recap = { ...presidential, contest: sequence === 1 ? 'ppwp' : 'dpd', station, photos, sequence, previous: sequence === 1 ? null : previous }
  const envelope = await signEnvelope(writeRecap(recap), { algorithm: 'EdDSA', kid, sign: () => Promise.resolve(new Uint8Array(64)) })
  const entry = Buffer.from(writeEntry({ kind: 'recap', envelope }))
  const code = Buffer.alloc(8)
  code.writeBigUInt64BE(BigInt(station))
  return { entry, envelope: entry.length - envelope.length, kid: entry.indexOf(kid), station: entry.indexOf(code), photos: entry.indexOf(photos), previous: entry.indexOf(previous) }
}
