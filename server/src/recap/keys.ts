import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type pg from 'pg'
import { signedBytes, type Algorithm, type Envelope } from '@kawal/core/recap/cose.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { system, type Database } from '../adapters/postgres/database.ts'

/** A device whose key may have signed. */
export interface KeyHolder {
  readonly device: number
  readonly station: string
  /** 32 bytes of Ed25519, or 65 of P-256. */
  readonly publicKey: Buffer
  /** By whose letter it was enrolled there. */
  readonly role: Side
  readonly isRevoked: boolean
}

export const algorithmOf = (publicKey: Uint8Array): Algorithm => (publicKey.length === 32 ? 'EdDSA' : 'ES256')

const remembered_max = 20_000

/** Whether this key signed, by the algorithm that is its own; false for what is no key. */
export type IsSigned = (envelope: Envelope, publicKey: Uint8Array) => Promise<boolean>

/**
 * Who signed what. It is asked when a record comes in, and once more when it is judged, a moment later: the second time what was found is remembered. Looked at beside the
 * main thread, since a signature of P-256 takes 0.1 ms.
 */
export function createSignatures(isSigned: IsSigned = isSignedBeside) {
  /** Of records by their hash: a key that signed. */
  const signers = new Map<string, string>()

  return {
    /** Whether this key signed, by the algorithm that is its own. @param hash of the envelope, hex */
    async isSignedBy(envelope: Envelope, hash: string, publicKey: Uint8Array): Promise<boolean> {
      const signer = Buffer.from(publicKey).toString('base64')
      if (signers.get(hash) === signer) return true
      if (!(await isSigned(envelope, publicKey))) return false
      if (signers.size >= remembered_max) signers.delete(signers.keys().next().value as string)
      signers.set(hash, signer)
      return true
    },
  }
}

export type Signatures = ReturnType<typeof createSignatures>

function isSignedBeside(envelope: Envelope, publicKey: Uint8Array): Promise<boolean> {
  const key = envelope.algorithm === algorithmOf(publicKey) ? keyOf(publicKey) : null
  if (key === null) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    verify(envelope.algorithm === 'EdDSA' ? null : 'sha256', signedBytes(envelope), { key, dsaEncoding: 'ieee-p1363' }, envelope.signature, (error, isRight) => (error === null ? resolve(isRight) : reject(error)))
  })
}

export const isPublicKey = (publicKey: Uint8Array): boolean => keyOf(publicKey) !== null

/** @returns null for what is no point of its curve */
export function keyOf(publicKey: Uint8Array): KeyObject | null {
  const part = (from: number, to: number): string => Buffer.from(publicKey.subarray(from, to)).toString('base64url')
  try {
    return createPublicKey({ key: publicKey.length === 32 ? { kty: 'OKP', crv: 'Ed25519', x: part(0, 32) } : { kty: 'EC', crv: 'P-256', x: part(1, 33), y: part(33, 65) }, format: 'jwk' })
  } catch {
    return null
  }
}

/** Who holds the keys of these ids (hex). An id is eight bytes of a hash: two keys may share one. */
export async function readHolders(client: pg.ClientBase, kids: readonly string[]): Promise<Map<string, KeyHolder[]>> {
  const { rows } = await client.query<{ kid: Buffer; key: number; station_code: string; public_key: Buffer; role: Side; revoked: boolean }>(
    'SELECT kid, key, station_code, public_key, role, revoked_at IS NOT NULL AS revoked FROM device WHERE kid = ANY($1) ORDER BY key', [kids.map((kid) => Buffer.from(kid, 'hex'))])
  const found = new Map<string, KeyHolder[]>()
  for (const { kid, key, station_code, public_key, role, revoked } of rows) {
    const id = kid.toString('hex')
    found.set(id, [...(found.get(id) ?? []), { device: key, station: station_code, publicKey: public_key, role, isRevoked: revoked }])
  }
  return found
}

/** Who holds the keys of these ids (hex), as of now; an id that nobody's key has is left out. */
export type Holders = (kids: readonly string[]) => Promise<ReadonlyMap<string, readonly KeyHolder[]>>

export const holdersIn = (database: Database): Holders => (kids) => database.transaction(system, (client) => readHolders(client, kids))

/** Asks for the holders of many ids at once: what is asked while one query is under way goes into the next. */
export function holderReader(read: Holders): (kid: string) => Promise<readonly KeyHolder[]> {
  let asked = new Map<string, { readonly found: ((holders: readonly KeyHolder[]) => void)[]; readonly failed: ((error: unknown) => void)[] }>()
  let running = false
  async function run(): Promise<void> {
    running = true
    while (asked.size > 0) {
      const now = asked
      asked = new Map()
      try {
        const holders = await read([...now.keys()])
        for (const [kid, { found }] of now) for (const each of found) each(holders.get(kid) ?? [])
      } catch (error) {
        for (const { failed } of now.values()) for (const each of failed) each(error)
      }
    }
    running = false
  }
  return (kid) => new Promise((found, failed) => {
    const each = asked.get(kid) ?? { found: [], failed: [] }
    each.found.push(found)
    each.failed.push(failed)
    asked.set(kid, each)
    if (!running) void run()
  })
}
