import { generateKeyPairSync } from 'node:crypto'

/** What push services know a deployment by: a pair of P-256, the public point uncompressed, both in base64url (RFC 8292). */
export interface PushKey { readonly publicKey: string; readonly privateKey: string }

export function makePushKey(): PushKey {
  const { x = '', y = '', d = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const [left, right] = [x, y].map((coordinate) => Buffer.from(coordinate, 'base64url')) as [Buffer, Buffer]
  return { publicKey: Buffer.concat([Buffer.of(4), left, right]).toString('base64url'), privateKey: d }
}
