import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { keyId } from '@kawal/contract/pack.ts'
import type { VerifyingKeys } from '@kawal/contract/sigmon.ts'

type VerifyingKey = VerifyingKeys['keys'][number]

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** A new key pair to sign with: ECDSA P-256, which every browser of 2021 verifies. */
export async function makeSigningKey(): Promise<{ readonly kid: string; readonly private_key: Buffer }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid: (await verifyingKey(privateKey)).kid, private_key: privateKey.export({ type: 'pkcs8', format: 'der' }) }
}

export const readSigningKey = (stored: Buffer): KeyObject => createPrivateKey({ key: stored, format: 'der', type: 'pkcs8' })

export async function verifyingKey(privateKey: KeyObject): Promise<VerifyingKey> {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (x === undefined || y === undefined) throw new Error('a signing key is one of P-256')
  return { kid: await keyId({ x, y }, sha256), x, y }
}

/** r and s, 32 bytes each, as JWS has them (RFC 7518, section 3.4). */
export const signatureOf = (privateKey: KeyObject, bytes: Uint8Array): Buffer => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
