import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { encode } from 'cborg'
import type { PasskeyAssertion, PasskeyCreated } from '@kawal/contract/log-in.ts'

const flags = { present: 0x01, verified: 0x04, attested: 0x40 }
const sha256 = (bytes: string | Buffer): Buffer => createHash('sha256').update(bytes).digest()

/** What a page's browser sends for a passkey: a device of one key pair, with the words of WebAuthn level 3. */
export interface Authenticator {
  /** Makes its passkey. @param origin of the page that asks */
  create(options: { readonly challenge: string; readonly rp: { readonly id?: string }; readonly user: { readonly id: string } }, origin: string): PasskeyCreated
  /** @param change what a crooked device puts in place */
  assert(options: { readonly challenge: string; readonly rpId?: string }, origin: string, change?: { readonly counter?: number; readonly user?: string; readonly signature?: Buffer }): PasskeyAssertion
}

/** A device that finds its passkey by itself (resident), of ES256, and counts its uses unless it is told not to. */
export function createAuthenticator({ counts = true } = {}): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const credential = randomBytes(32)
  let [user, uses] = ['', 0]

  const clientData = (type: string, challenge: string, origin: string): Buffer => Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  const head = (rpId: string, flag: number, counter: number): Buffer => {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(counter)
    return Buffer.concat([sha256(rpId), Buffer.of(flag), count])
  }
  const named = { id: credential.toString('base64url'), rawId: credential.toString('base64url'), type: 'public-key' as const }
  return {
    create({ challenge, rp, user: { id } }, origin) {
      user = id
      const key = encode(new Map<number, number | Uint8Array>([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]]))
      const length = Buffer.alloc(2)
      length.writeUInt16BE(credential.length)
      const authData = Buffer.concat([head(rp.id ?? '', flags.present | flags.verified | flags.attested, uses), Buffer.alloc(16), length, credential, key])
      return { ...named, response: { clientDataJSON: clientData('webauthn.create', challenge, origin).toString('base64url'), attestationObject: Buffer.from(encode({ fmt: 'none', attStmt: {}, authData })).toString('base64url') } }
    },
    assert({ challenge, rpId = '' }, origin, { counter, user: other, signature } = {}) {
      if (counts) uses++
      const client = clientData('webauthn.get', challenge, origin)
      const authData = head(rpId, flags.present | flags.verified, counter ?? uses)
      return {
        ...named,
        response: {
          clientDataJSON: client.toString('base64url'), authenticatorData: authData.toString('base64url'),
          signature: (signature ?? sign('sha256', Buffer.concat([authData, sha256(client)]), privateKey)).toString('base64url'), userHandle: other ?? user,
        },
      }
    },
  }
}
