import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import type { Random } from '@kawal/core/kernel/random.ts'
import { publicKeyOf } from '@kawal/server/src/ledger/cryptography.ts'
import type { Store } from '@kawal/sigmon/src/store.ts'
import { verifyEd25519 } from './signing.ts'
import { between, type Life, type World } from './world.ts'

/** What a page stands on: the phone's own database, and WebCrypto with a key that its seed gives. */

type Rows = Map<unknown, unknown>
/** What outlives a page, and the phone's battery where it was flushed. */
interface PhoneDisk {
  readonly tables: Readonly<Record<string, Rows>>
  /** What takes back changes that no flush has reached, the last one first; empty with strict durability. */
  unflushed: (() => void)[]
}

export const createPhoneDisk = (): PhoneDisk => ({ tables: Object.fromEntries(['about', 'samples', 'packs', 'outbox', 'recaps', 'photos'].map((name) => [name, new Map()])), unflushed: [] })

/** The battery is empty: what was not flushed is gone. */
export function loseBattery(disk: PhoneDisk): void {
  for (const undo of disk.unflushed.splice(0)) undo()
}

export function wipeDisk(disk: PhoneDisk): void {
  for (const rows of Object.values(disk.tables)) rows.clear()
}

/** What is on it now. @returns how to put that back in its place */
export function copyDisk(disk: PhoneDisk): () => void {
  const copied = Object.entries(disk.tables).map(([name, rows]) => [name, new Map(rows)] as const)
  return () => {
    wipeDisk(disk)
    for (const [name, rows] of copied) for (const [key, row] of rows) disk.tables[name]?.set(key, row)
  }
}

interface Asked { onsuccess: ((event: Event) => void) | null; readonly result: unknown }

/** IndexedDB as sigmon/src/store.ts has it: a transaction is done at one instant. @param isRelaxed what was completed reaches the disk some time later */
export function storeOn(disk: PhoneDisk, world: World, life: Life, random: Random, isRelaxed: boolean): Store {
  function transaction<T>(mode: 'readonly' | 'readwrite', work: Parameters<Store['run']>[2]): T {
    const waiting: (() => void)[] = []
    const undos: (() => void)[] = []
    let value: unknown
    const ask = (act: () => unknown): Asked => {
      const asked: { onsuccess: Asked['onsuccess']; result: unknown } = { onsuccess: null, result: undefined }
      waiting.push(() => {
        asked.result = act()
        asked.onsuccess?.({ target: asked } as unknown as Event)
      })
      return asked
    }
    const put = (rows: Rows, key: unknown, row: unknown): void => {
      if (mode === 'readonly') throw new DOMException('read only', 'ReadOnlyError')
      const [had, before] = [rows.has(key), rows.get(key)]
      undos.unshift(() => void (had ? rows.set(key, before) : rows.delete(key)))
      rows.set(key, row)
    }
    const at = (name: string): object => {
      const rows = disk.tables[name] as Rows
      const keyOf = (row: unknown, key: unknown): unknown => key ?? (row as { hash: string }).hash
      return {
        get: (key: unknown) => ask(() => rows.get(key)), getAll: () => ask(() => [...rows.values()]), count: () => ask(() => rows.size),
        put: (row: unknown, key?: unknown) => ask(() => put(rows, keyOf(row, key), row)),
        add: (row: unknown, key?: unknown) => ask(() => {
          if (rows.has(keyOf(row, key))) throw new DOMException('there already', 'ConstraintError')
          put(rows, keyOf(row, key), row)
        }),
      }
    }
    try {
      work(at as never, (given) => (value = given))
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next()
    } catch (error) {
      for (const undo of undos) undo()
      throw error
    }
    if (isRelaxed) disk.unflushed.unshift(...undos)
    return value as T
  }

  const store: Store = {
    run: (_, mode, work) => new Promise((resolve, reject) => void world.later(between(random, 0.2, 4), life, () => {
      try {
        const value = transaction(mode, work as never)
        if (mode === 'readonly') resolve(value as never)
        else world.later(between(random, 0.2, 8), life, () => resolve(value as never))
      } catch (error) {
        reject(error as Error)
      }
    })),
    read: (key) => store.run(['about'], 'readonly', (at, done) => {
      at('about').get(key).onsuccess = (event) => done((event.target as IDBRequest).result as never)
    }),
    write: (entries) => store.run(['about'], 'readwrite', (at) => {
      for (const [key, value] of Object.entries(entries)) at('about').put(value, key)
    }),
    close: () => undefined,
  }
  return store
}

/** `kawal-self-test`; nothing else that a phone signs is so short. */
const self_test_bytes = 15
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The public key of the phone of this name: 32 bytes. */
export const publicKeyFor = (name: string): Buffer => Buffer.from(publicKeyOf(seedOf(name)))

const seedOf = (name: string): Buffer => createHash('sha256').update(`key of ${name}`).digest()

/** The part of WebCrypto that a phone's records need, done at once. Ed25519 alone: what P-256 draws by chance no seed gives again. */
export function cryptoOf(name: string): Crypto {
  const seed = seedOf(name)
  const privateKey: KeyObject = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const raw = Uint8Array.from(publicKeyFor(name))
  const algorithm = { name: 'Ed25519' }
  const pair = { privateKey: { algorithm, extractable: false, of: privateKey }, publicKey: { algorithm, extractable: true } }
  const bytes = (given: BufferSource): Uint8Array<ArrayBuffer> => Uint8Array.from(new Uint8Array(given instanceof ArrayBuffer ? given : given.buffer, given instanceof ArrayBuffer ? 0 : given.byteOffset, given.byteLength))
  // The key's test of itself comes before each use: it is made once.
  let tested: Uint8Array<ArrayBuffer> | null = null
  const isTest = (message: Uint8Array): boolean => message.length === self_test_bytes
  const make = (message: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(sign(null, message, privateKey))
  const signed = (message: Uint8Array): Uint8Array<ArrayBuffer> => (isTest(message) ? (tested ??= make(message)) : make(message))
  const subtle = {
    generateKey: () => Promise.resolve(pair),
    exportKey: () => Promise.resolve(createPublicKey(privateKey).export({ format: 'jwk' })),
    sign: (_: unknown, __: unknown, message: BufferSource) => Promise.resolve(signed(bytes(message)).buffer),
    verify: (_: unknown, __: unknown, signature: BufferSource, message: BufferSource) => Promise.resolve(isTest(bytes(message)) ? Buffer.from(signed(bytes(message))).equals(bytes(signature)) : verifyEd25519(raw, bytes(message), bytes(signature))),
    digest: (_: unknown, message: BufferSource) => Promise.resolve(Uint8Array.from(createHash('sha256').update(bytes(message)).digest()).buffer),
  }
  return { subtle, getRandomValues: (array: Uint8Array) => array.fill(1) } as unknown as Crypto
}
