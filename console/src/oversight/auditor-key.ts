import { keyId, type Signer } from '@kawal/core/recap/cose.ts'
import { sampleServer } from './sample.svelte.ts'
import type { Problem } from '../server.ts'

/**
 * The key that an auditor's findings are signed with: made in this browser, which never gives its private half away, and kept for one person
 * of one organisation. Who changes the browser makes another.
 */
interface Kept { readonly publicKey: Uint8Array<ArrayBuffer>; readonly privateKey: CryptoKey }
const [database_name, store_name] = ['kawal-auditor', 'key']
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

/** Signs by this person's key, which is made and enrolled where there is none. @param person organisation and name */
export async function auditorSigner(person: string): Promise<{ readonly ok: true; readonly signer: Signer } | { readonly ok: false; readonly problem: Problem }> {
  const kept = (await load(person)) ?? (await make())
  const enrolled = await sampleServer.enrol(base64url(kept.publicKey))
  if (!enrolled.ok) {
    // A key that was withdrawn is of no use: the next try makes another.
    if (enrolled.problem.code === 'state_conflict') await save(person, null)
    return enrolled
  }
  await save(person, kept)
  const sign = async (message: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, kept.privateKey, message))
  return { ok: true, signer: { algorithm: 'ES256', kid: await keyId('ES256', kept.publicKey, sha256), sign } }
}

async function make(): Promise<Kept> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  return { publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)), privateKey }
}

const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

const settled = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error ?? new Error('IndexedDB'))
})

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(database_name, 1)
  request.onupgradeneeded = () => void request.result.createObjectStore(store_name)
  return settled(request)
}

async function load(person: string): Promise<Kept | null> {
  const database = await opened()
  try {
    return ((await settled(database.transaction(store_name).objectStore(store_name).get(person))) as Kept | undefined) ?? null
  } finally {
    database.close()
  }
}

/** @param kept null: it is forgotten */
async function save(person: string, kept: Kept | null): Promise<void> {
  const database = await opened()
  try {
    const store = database.transaction(store_name, 'readwrite', { durability: 'strict' }).objectStore(store_name)
    if (kept === null) await settled(store.delete(person))
    else await settled(store.put(kept, person))
  } finally {
    database.close()
  }
}
