import type { DeviceKey, Enrolled } from '@kawal/contract/report.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { resultOf, type Store } from './store.ts'

/** Who this phone is at a station. The last of the list is the present one; earlier ones send what they measured. */
export interface Identity {
  readonly id: string
  readonly station: Enrolled['station']
  /** 17 symbols; null for a phone that enrolled before codes were kept. Needed to enrol again by itself. */
  readonly code: string | null
  readonly device: string | null
  /** Null until the server has confirmed the enrolment. */
  readonly token: string | null
  /** By whose letter: its records are of that side. Not there: nobody has said it yet, or an earlier version, which knew officers alone, enrolled it. */
  readonly role?: Side | null
  /** Why the server refused it: the officer has to look at the letter again. */
  readonly refusal: string | null
}

const identities_max = 8

export interface Identities {
  all(): readonly Identity[]
  current(): Identity | null
  /** Adds it as the present one, or puts it in the place of the one with its id. */
  put(identity: Identity): Promise<void>
  /** What another tab wrote. */
  reload(): Promise<void>
}

export async function createIdentities(store: Store): Promise<Identities> {
  const read = async (): Promise<Identity[]> => (await store.read<Identity[]>('identities')) ?? []
  let list = await read()
  return {
    all: () => list,
    current: () => list[list.length - 1] ?? null,
    async put(identity) {
      list = await store.run<Identity[]>(['about', 'samples'], 'readwrite', (at, done) => {
        at('about').get('identities').onsuccess = (event) => {
          const held = resultOf<Identity[] | undefined>(event) ?? []
          const place = held.findIndex((each) => each.id === identity.id)
          const next = place < 0 ? [...held, identity] : held.map((each) => (each.id === identity.id ? identity : each))
          const kept = next.slice(-identities_max)
          at('about').put(kept, 'identities')
          done(kept)
        }
      })
    },
    async reload() {
      list = await read()
    },
  }
}

/** The phone's key, made on the phone: its private half never leaves the browser. */
interface PhoneKey { readonly pair: CryptoKeyPair; readonly jwk: DeviceKey }

const kinds = [
  { make: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
  { make: { name: 'ECDSA', namedCurve: 'P-256' }, sign: { name: 'ECDSA', hash: 'SHA-256' } },
] as const

const signWith = (pair: CryptoKeyPair): (typeof kinds)[number]['sign'] => (pair.privateKey.algorithm.name === 'Ed25519' ? kinds[0].sign : kinds[1].sign)

/**
 * The key that is kept, else a new one: Ed25519 where it passes its self-test, else ECDSA P-256. Some browsers
 * make keys that do not survive being stored, so the test signs, stores, reads back, and signs again.
 * @returns null when no kind of key works here; rejects when there is no room
 */
export async function phoneKey(crypto: Crypto, store: Store): Promise<PhoneKey | null> {
  const held = await store.read<PhoneKey>('key')
  if (held !== undefined && (await works(crypto, held.pair))) return held
  for (const { make } of kinds) {
    try {
      const pair = (await crypto.subtle.generateKey(make, false, ['sign', 'verify'])) as CryptoKeyPair
      if (!(await works(crypto, pair))) continue
      const { kty, crv, x, y } = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as DeviceKey
      const made: PhoneKey = { pair, jwk: y === undefined ? { kty, crv, x } : { kty, crv, x, y } }
      await store.write({ key: made })
      const back = await store.read<PhoneKey>('key')
      if (back !== undefined && (await works(crypto, back.pair))) return back
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') throw error
    }
  }
  return null
}

async function works(crypto: Crypto, pair: CryptoKeyPair): Promise<boolean> {
  const text = new TextEncoder().encode('kawal-self-test')
  try {
    const signature = await crypto.subtle.sign(signWith(pair), pair.privateKey, text)
    return (await crypto.subtle.verify(signWith(pair), pair.publicKey, signature, text)) && !pair.privateKey.extractable
  } catch {
    return false
  }
}

export async function signBytes(crypto: Crypto, pair: CryptoKeyPair, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(signWith(pair), pair.privateKey, bytes))
}

export const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** A public key as WebCrypto exports it raw: 32 bytes of Ed25519, or 4, x and y of P-256. */
export function rawKey({ x, y }: DeviceKey): Uint8Array<ArrayBuffer> {
  const part = (text: string): number[] => Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
  return Uint8Array.from(y === undefined ? part(x) : [4, ...part(x), ...part(y)])
}

/** The phone's public key, raw, in base64url; null where the browser has no kind of key. */
export async function publicKeyOf(crypto: Crypto, store: Store): Promise<string | null> {
  const key = await phoneKey(crypto, store)
  return key === null ? null : base64url(rawKey(key.jwk))
}
