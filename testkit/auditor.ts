import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { keyId, type Signer } from '@kawal/core/recap/cose.ts'
import { addStaff, loginToken } from '@kawal/server/src/organisation/sessions.ts'
import { createCookieClient, type CookieClient } from './cookie-client.ts'
import { sha256 } from './recaps.ts'
import type { TestServer } from './server.ts'

/** Somebody of an organisation, logged in to the console. */
export async function personOf({ app }: TestServer, organisation: string, name: string, now: number): Promise<CookieClient> {
  const client = createCookieClient(app.url)
  const token = await loginToken(app.database, await addStaff(app.database, organisation, name), now)
  assert.ok((await client.call('POST', '/v1/session', { token })).status < 300)
  return client
}

/** A key as a browser makes it for an auditor. */
export async function auditorKey(): Promise<{ readonly publicKey: string; readonly kid: string; readonly signer: Signer }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const raw = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const kid = await keyId('ES256', raw, sha256)
  return { publicKey: raw.toString('base64url'), kid: Buffer.from(kid).toString('hex'), signer: { algorithm: 'ES256', kid, sign: (message) => Promise.resolve(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })) } }
}
