import type { VerifyingKeys } from '@kawal/contract/sigmon.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { readSigningKey, signatureOf, verifyingKey } from './key.ts'

/** What signs for phones. Phones hold its public half; nothing else makes them take a configuration or a pack. */
export interface Signer {
  readonly kid: string
  /** All that are to be trusted: this one first. */
  readonly keys: VerifyingKeys['keys']
  sign(bytes: Uint8Array): Buffer
}

export async function readSigner(database: Database): Promise<Signer> {
  const { rows } = await database.pool.query<{ kid: string; private_key: Buffer }>('SELECT kid, private_key FROM sigmon_key ORDER BY signs DESC, made_at DESC LIMIT 8')
  const [row] = rows
  if (row === undefined) throw new Error('a migrated database has a key to sign with')
  const privateKey = readSigningKey(row.private_key)
  return {
    kid: row.kid,
    keys: await Promise.all(rows.map((each) => verifyingKey(readSigningKey(each.private_key)))),
    sign: (bytes) => signatureOf(privateKey, bytes),
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

/** A JWS in compact form (RFC 7515, section 3.1) with ES256. */
export function compactJws(signer: Signer, payload: unknown): string {
  const signed = `${base64url(JSON.stringify({ alg: 'ES256', kid: signer.kid }))}.${base64url(JSON.stringify(payload))}`
  return `${signed}.${signer.sign(Buffer.from(signed)).toString('base64url')}`
}
