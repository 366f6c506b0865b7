import { generateKeyPairSync } from 'node:crypto'
import { system, type Database } from '../adapters/postgres/database.ts'

/** What push services know a deployment by: a pair of P-256, the public point uncompressed, both in base64url (RFC 8292). */
export interface PushKey { readonly publicKey: string; readonly privateKey: string }

export function makePushKey(): PushKey {
  const { x = '', y = '', d = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const [left, right] = [x, y].map((coordinate) => Buffer.from(coordinate, 'base64url')) as [Buffer, Buffer]
  return { publicKey: Buffer.concat([Buffer.of(4), left, right]).toString('base64url'), privateKey: d }
}

export async function readPushKey(database: Database): Promise<PushKey> {
  const { rows: [key] } = await database.transaction(system, (client) => client.query<PushKey>('SELECT public_key AS "publicKey", private_key AS "privateKey" FROM push_key'))
  if (key === undefined) throw new Error('push_key is empty: migrate makes the pair')
  return key
}
