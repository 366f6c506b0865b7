import { createHash } from 'node:crypto'
import type { Random } from '@kawal/core/kernel/random.ts'
import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeCbor, type Cbor } from '@kawal/core/recap/cbor.ts'
import { keyId, signEnvelope } from '@kawal/core/recap/cose.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { createEnrolment } from '@kawal/sigmon/src/enrol.ts'
import { exclusively } from '@kawal/sigmon/src/exclusive.ts'
import { base64url, createIdentities, phoneKey, rawKey, signBytes, type Identity } from '@kawal/sigmon/src/identities.ts'
import { createSender, type Sender } from '@kawal/sigmon/src/queue/send.ts'
import { createBook, type Book } from '@kawal/sigmon/src/recap/book.ts'
import { createCarrier } from '@kawal/sigmon/src/recap/carry.ts'
import type { Filled, KeptRecap } from '@kawal/sigmon/src/recap/kept.ts'
import type { Store } from '@kawal/sigmon/src/store.ts'
import { copyDisk, cryptoOf, createPhoneDisk, loseBattery, storeOn, wipeDisk } from './browser.ts'
import { photo_piece_bytes } from './keeper.ts'
import { bodyOf, responseOf, type Host, type Network } from './network.ts'
import { verifyEd25519 } from './signing.ts'
import { between, type Life, type World } from './world.ts'

/** What an officer signs and when; `damaged` and `later` lie among his records without his doing. */
export type Deed =
  | { readonly at: number; readonly is: 'record'; readonly filled: Filled; readonly corrects: boolean; readonly expects: string }
  | { readonly at: number; readonly is: 'damaged' | 'later' }

export interface PhonePlan {
  readonly name: string
  readonly station: string
  readonly deeds: readonly Deed[]
  /** Its clock, less the true time; ms. */
  readonly clock_off: number
  /** An earlier program, which sends records alone. */
  readonly isOld: boolean
  /** Its letter is another station's: nobody enrols it. */
  readonly isStranger: boolean
  /** It was enrolled days before; else it asks when it has a network. */
  readonly isEnrolled: boolean
  readonly box: Host | null
  /** From when on it knows the ledger's key. */
  readonly keyKnownAt: number
}

/** Faults that are planted on a phone. */
export interface PhonePlanted { readonly book?: (book: Book, plan: PhonePlan) => Book; readonly isRelaxed?: boolean }

interface Needs {
  readonly world: World
  readonly network: Network
  readonly plan: PhonePlan
  /** Of its enrolment days before; null: it has none yet. */
  readonly token: string | null
  readonly platform: Host
  readonly platformKey: string
  /** True time of the beginning, ms since 1970. */
  readonly epoch: number
  readonly planted: PhonePlanted
}

export interface Phone {
  readonly plan: PhonePlan
  open(): void
  /** The page is killed. @param isBatteryEmpty and the phone with it */
  close(isBatteryEmpty: boolean): void
  isOpen(): boolean
  /** It is wiped, and nobody opens it again. */
  lose(): void
  /** What is on its disk now. @returns how to put that back in its place: the phone was restored from a copy */
  copy(): () => void
  /** Tells what it has of its records. */
  audit(): Promise<void>
}

/** What a page is made of. */
interface Page { readonly life: Life; readonly store: Store; readonly book: Book; readonly sender: Sender; readonly toBox: (() => Promise<void>) | null }

const visible_ms = 25 * 60_000
/** Where phones look for the box beside them. */
const box_address = 'http://box.example'
const keysOf = async (crypto: Crypto, store: Store) => {
  const key = await phoneKey(crypto, store)
  if (key === null) throw new Error('no key')
  return { key, raw: rawKey(key.jwk) }
}

export function createPhone(needs: Needs): Phone {
  const { world, plan } = needs
  const disk = createPhoneDisk()
  const crypto = cryptoOf(plan.name)
  const random = world.random(plan.name)
  let life: Life = { isOver: true }
  let page: Page | null = null
  let done = 0
  let isLost = false
  /** The last that the officer saw as signed. */
  let last: string | null = null

  async function begin(life: Life): Promise<void> {
    const made = await openPage(needs, life, storeOn(disk, world, life, random, needs.planted.isRelaxed === true), crypto, random)
    page = made
    await told(made)
    void made.sender.trigger('visible')
    const again = (): void => {
      void made.sender.trigger('visible')
      world.later(visible_ms, life, again)
    }
    world.later(visible_ms, life, again)
    if (made.toBox !== null) {
      const unload = (): void => void made.toBox?.().finally(() => world.later(between(random, 200_000, 900_000), life, unload))
      world.later(between(random, 1_000, 60_000), life, unload)
    }
    next(made)
  }

  async function told({ book, life }: Page): Promise<void> {
    const all = await book.all()
    if (life.isOver) return
    world.tell(plan.name, 'book', { hashes: all.map(({ hash }) => hash).join(' '), photos: [...disk.tables['photos']?.keys() ?? []].join(' '), refused: all.filter(({ refusal }) => refusal !== null).map(({ hash }) => hash).join(' ') })
  }

  function next(made: Page): void {
    const deed = plan.deeds[done]
    if (deed === undefined) return
    world.later(deed.at - world.now(), made.life, () => void (async () => {
      await act(made, deed)
      done++
      void made.sender.trigger('kept')
      next(made)
    })())
  }

  async function act({ book, store }: Page, deed: Deed): Promise<void> {
    if (deed.is !== 'record') return put(store, await strange(deed.is, crypto, store, random), (hash) => world.tell(plan.name, deed.is, { hash }))
    const signed = await book.sign({ ...deed.filled, replaces: deed.corrects ? last : null })
    if (typeof signed === 'string') throw new Error(signed)
    world.tell(plan.name, 'signed', {
      hash: signed.hash, bytes: Buffer.from(signed.bytes).toString('base64'), expects: plan.isStranger && deed.expects !== 'station_unknown' ? 'key_unknown' : deed.expects, slot: `${deed.filled.station} ${deed.filled.contest}`, photos: plan.isOld ? '' : signed.photos.map(({ id }) => id).join(' '),
    })
    last = signed.hash
  }

  const close = (isBatteryEmpty: boolean): void => {
    life.isOver = true
    page = null
    if (isBatteryEmpty) loseBattery(disk)
    world.tell(plan.name, isBatteryEmpty ? 'battery' : 'closed')
  }
  return {
    plan,
    open() {
      if (isLost) return
      life = { isOver: false }
      void begin(life)
    },
    close,
    isOpen: () => !life.isOver,
    lose() {
      isLost = true
      if (!life.isOver) close(false)
      wipeDisk(disk)
    },
    copy: () => copyDisk(disk),
    audit: async () => void (page !== null && await told(page)),
  }
}

/** @param told before it is on the disk: whether it got there the phone's book says at the end */
async function put(store: Store, kept: KeptRecap, told: (hash: string) => void): Promise<void> {
  told(kept.hash)
  await store.run(['recaps'], 'readwrite', (at) => {
    at('recaps').put(kept)
  })
}

/** A record that was damaged on the phone's disk, or one that a later program signed. */
async function strange(is: 'damaged' | 'later', crypto: Crypto, store: Store, random: Random): Promise<KeptRecap> {
  const { key, raw } = await keysOf(crypto, store)
  const later = writeCbor(new Map<number, Cbor>([[-1, Math.floor(random() * 1e9)], [0, 9]]))
  const bytes = is === 'damaged' ? Uint8Array.from({ length: 300 }, () => Math.floor(random() * 256))
    : await signEnvelope(later, { algorithm: 'EdDSA', kid: await keyId('EdDSA', raw, sha256), sign: (message) => signBytes(crypto, key.pair, message) })
  return { hash: createHash('sha256').update(bytes).digest('hex'), bytes, madeAt: 0, list: new Uint8Array(), photos: [], isListKept: true, receipt: null, isProven: false, said: null, refusal: null }
}

async function openPage(needs: Needs, life: Life, store: Store, crypto: Crypto, random: Random): Promise<Page> {
  const { world, network, plan, platform, platformKey, planted } = needs
  const clock = (): number => Math.floor(needs.epoch + world.now() + plan.clock_off)
  const held = new Set<string>()
  const locks = { request: async (name: string, _: unknown, work: (lock: object | null) => Promise<unknown>) => {
    if (held.has(name)) return work(null)
    held.add(name)
    return work({}).finally(() => held.delete(name))
  } }
  const env = {
    crypto, storage: null, locks: locks as never, clock, random, document: { visibilityState: 'visible' as const },
    setTimer: (work: () => void, ms: number) => world.later(ms, life, work), clearTimer: (timer: unknown) => (timer as (() => void) | undefined)?.(),
    fetch: (path: string, init: RequestInit = {}): Promise<Response> => new Promise((resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
      const isBox = plan.box !== null && path.startsWith(box_address)
      network.send(plan.name, life, isBox ? plan.box : platform, { method: init.method ?? 'GET', path: isBox ? path.slice(box_address.length) : path, headers: (init.headers ?? {}) as Record<string, string>, body: bodyOf(init.body) }).then((reply) => resolve(responseOf(reply)), reject)
    }),
  } as never
  await store.run(['about'], 'readwrite', (at) => {
    at('about').get('identities').onsuccess = (event) => {
      if ((event.target as IDBRequest).result === undefined) at('about').put([{ ...firstIdentity(plan), token: needs.token }], 'identities')
    }
  })
  const identities = await createIdentities(store)
  const nothing = (): void => undefined
  const enrolment = createEnrolment({ env, store, identities, packs: { stationOf: () => null, verifiersOf: () => null }, confirmed: nothing })
  const real = createBook({ env: { crypto, clock }, store, build: Promise.resolve(new Uint8Array(32)) })
  const book = planted.book?.(real, plan) ?? real
  let raw: string | null = null
  const publicKey = async (): Promise<string> => (raw ??= base64url((await keysOf(crypto, store)).raw))
  const seen = plan.isOld ? withoutPhotos(book) : book
  const carrier = createCarrier({ env, book: seen, identities, enrolment, proves, ledgerKey: () => (world.now() < plan.keyKnownAt ? null : platformKey), publicKey, changed: nothing, piece_bytes: photo_piece_bytes, provesEntry, box: () => (plan.box === null ? null : box_address), arePhotosDue: () => true })
  const sender = createSender({ env, store, name: 'recaps', delivery: carrier, spread_ms: () => 60_000, changed: nothing })
  const toBox = async (): Promise<void> => void (await exclusively(env, store, 'recaps', (renew) => carrier.toBox(renew)).catch(() => false))
  return { life, store, book, sender, toBox: plan.box === null ? null : toBox }
}

const firstIdentity = ({ station, isStranger }: PhonePlan): Identity =>
  ({ id: 'first', station: { code: station, village: '', district: '', regency: '', province: '', zone: 'Asia/Jakarta', latitude: null, longitude: null }, code: isStranger ? 'LAIN' : 'KODE', device: null, token: null, refusal: null })

const withoutPhotos = (book: Book): Book => ({ ...book, all: async () => (await book.all()).map((kept) => ({ ...kept, isListKept: true, photos: [] })) })

/** As sigmon/src/recap/receipt.ts, with Node's Ed25519: the library's takes milliseconds. */
async function provesEntry(entry: Uint8Array, receipt: string, ledgerKey: string | null): Promise<'holds' | 'wrong' | 'unknown'> {
  const log = ledgerKey === null ? null : readVerifierKey(ledgerKey, sha256)
  if (log?.ok !== true) return 'unknown'
  const read = await verifyReceipt(entry, receipt, logAlone(log.value), { sha256, verify: verifyEd25519 })
  return read.ok ? 'holds' : 'wrong'
}
const proves = (envelope: Uint8Array, receipt: string, ledgerKey: string | null): Promise<'holds' | 'wrong' | 'unknown'> => provesEntry(writeEntry({ kind: 'recap', envelope }), receipt, ledgerKey)
