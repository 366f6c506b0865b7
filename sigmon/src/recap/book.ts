import { hexOf } from '@kawal/core/recap/bytes.ts'
import { keyId, type Signer } from '@kawal/core/recap/cose.ts'
import { readSignedRecap, signRecap } from '@kawal/core/recap/envelope.ts'
import { formOf, formVersions, type Contest } from '@kawal/core/recap/form.ts'
import { photosHash, writePhotos } from '@kawal/core/recap/photo.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { checksOf, checkTotals, type Totals } from '@kawal/core/recap/totals.ts'
import type { Environment } from '../environment.ts'
import { phoneKey, rawKey, signBytes } from '../identities.ts'
import { isFull, resultOf, type Store } from '../store.ts'
import { sha256With } from '../trust.ts'
import type { Custody, Filled, KeptRecap, Recaps, Shot, SignFault } from './kept.ts'

type Changed = Partial<Pick<KeptRecap, 'isListKept' | 'receipt' | 'isProven' | 'said' | 'refusal' | 'delivery' | 'witnessed'>>

export interface Book extends Pick<Recaps, 'all' | 'adopt' | 'draft' | 'keepDraft'> {
  /** Signs once and keeps it on disk, with its photos, before it says so. */
  sign(filled: Filled): Promise<KeptRecap | SignFault>
  get(hash: string): Promise<KeptRecap | undefined>
  photo(id: string): Promise<ArrayBuffer | undefined>
  change(hash: string, part: Changed): Promise<void>
  /** A box has this of it now. */
  inCustody(hash: string, custody: Custody): Promise<void>
  /** So much of a photo has the server. */
  sent(hash: string, id: string, offset: number): Promise<void>
}

/** Of the key that signs: the count of its records, and the hash of the last. */
interface Chain { readonly kid: string; readonly sequence: number; readonly previous: Uint8Array<ArrayBuffer> | null }

const chain_key = 'recapChain'
/** Other tabs that sign at the same instant. */
const tries_max = 20

interface BookNeeds {
  readonly env: Pick<Environment, 'crypto' | 'clock'>
  readonly store: Store
  /** SHA-256 of the program. */
  readonly build: Promise<Uint8Array>
}

/** The phone's own book of records. */
export function createBook({ env, store, build }: BookNeeds): Book {
  const sha256 = sha256With(env.crypto)
  /** A photo goes in thirty pieces: it is read from disk for the first of them. */
  let open: { readonly id: string; readonly file: Promise<ArrayBuffer | undefined> } | null = null

  async function signNext(filled: Filled, signer: Signer): Promise<KeptRecap> {
    const kid = hexOf(signer.kid)
    const photos = await Promise.all(filled.shots.map(async ({ bytes, ...shot }) => ({ ...shot, size_bytes: bytes.byteLength, sha256: await sha256(new Uint8Array(bytes)), bytes })))
    const list = writePhotos(photos)
    const listed = await photosHash(photos, sha256)
    for (let tries = 0; tries < tries_max; tries++) {
      const last = await store.read<Chain>(chain_key)
      // A key that was lost is another device to whoever reads: its records are counted anew.
      const chain: Chain = last?.kid === kid ? last : { kid, sequence: 0, previous: null }
      const recap = recapOf(filled, { photos: listed, madeAt: env.clock(), sequence: chain.sequence + 1, previous: chain.previous, build: await build, clockOffset_ms: (await store.read<number>('clockOffset')) ?? null })
      const bytes = await signRecap(recap, signer)
      const hash = await sha256(bytes)
      const kept: KeptRecap = {
        hash: hexOf(hash), bytes, madeAt: recap.madeAt, list, photos: photos.map(({ kind, size_bytes, sha256: name }) => ({ kind, size_bytes, id: `${hexOf(name)}-${size_bytes}`, offset: 0 })),
        isListKept: false, receipt: null, isProven: false, said: null, refusal: null,
      }
      const files = new Map(photos.map(({ bytes: file }, at) => [kept.photos[at]?.id ?? '', file]))
      if (await place(store, last, { kid, sequence: recap.sequence, previous: Uint8Array.from(hash) }, kept, files)) return kept
    }
    throw new Error('other tabs sign without end')
  }

  return {
    async sign(filled) {
      if (!formOf(filled.contest, filled.ballot).ok) return 'form_unknown'
      try {
        const key = await phoneKey(env.crypto, store)
        if (key === null) return 'key_unusable'
        const algorithm = key.jwk.kty === 'OKP' ? 'EdDSA' : 'ES256'
        return await signNext(filled, { algorithm, kid: await keyId(algorithm, rawKey(key.jwk), sha256), sign: (message) => signBytes(env.crypto, key.pair, message) })
      } catch (error) {
        if (isFull(error)) return 'full'
        throw error
      }
    },
    async adopt({ bytes, key }) {
      const read = readSignedRecap(bytes)
      if (!read.ok) return null
      const hash = hexOf(await sha256(bytes))
      // Photos stay with the phone that took them, so there is no list to send.
      const kept: KeptRecap = { hash, bytes, madeAt: read.value.recap.madeAt, list: new Uint8Array(), photos: [], isListKept: true, receipt: null, isProven: false, said: null, refusal: null, carriedFor: key }
      return store.run(['recaps'], 'readwrite', (at, done) => {
        at('recaps').get(hash).onsuccess = (event) => {
          const before = resultOf<KeptRecap | undefined>(event)
          if (before === undefined) at('recaps').add(kept)
          done(before ?? kept)
        }
      })
    },
    async all() {
      const rows = await store.run<KeptRecap[]>(['recaps'], 'readonly', (at, done) => {
        at('recaps').getAll().onsuccess = (event) => done(resultOf(event))
      })
      return rows.sort((one, other) => one.madeAt - other.madeAt || (one.hash < other.hash ? -1 : 1))
    },
    get: (hash) => store.run(['recaps'], 'readonly', (at, done) => {
      at('recaps').get(hash).onsuccess = (event) => done(resultOf(event))
    }),
    photo(id) {
      if (open?.id !== id) open = { id, file: store.run(['photos'], 'readonly', (at, done) => {
        at('photos').get(id).onsuccess = (event) => done(resultOf(event))
      }) }
      open.file.catch(() => (open = null))
      return open.file
    },
    draft: async (contest) => {
      const [totals, shots] = await Promise.all([store.read<Totals | null>(`recapDraft-${contest}`), store.read<readonly Shot[]>(`recapShots-${contest}`)])
      return totals == null ? null : { totals, shots: shots ?? [] }
    },
    keepDraft: createDrafts(store),
    change: (hash, part) => alter(store, hash, (kept) => ({ ...kept, ...part })),
    inCustody: (hash, custody) => alter(store, hash, (kept) => ({ ...kept, custody: [...(kept.custody ?? []).filter(({ key }) => key !== custody.key), custody] })),
    sent: (hash, id, offset) => alter(store, hash, (kept) => ({ ...kept, photos: kept.photos.map((photo) => (photo.id === id ? { ...photo, offset } : photo)) })),
  }
}

type Made = Pick<Recap, 'photos' | 'madeAt' | 'sequence' | 'previous' | 'build' | 'clockOffset_ms'>

function recapOf({ station, contest, ballot, ceiling, totals, replaces, place }: Filled, made: Made): Recap {
  const form = formOf(contest, ballot)
  if (!form.ok) throw new RangeError(`no form of ${contest}: ${form.error}`)
  return {
    station, contest, ballot, ceiling, totals, place, form: formVersions[contest], warned: checksOf(checkTotals(form.value, totals, ceiling)),
    replaces: replaces === null ? null : Uint8Array.from(replaces.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)), later: new Map(), ...made,
  }
}

/**
 * Record, photos and the chain's new end in one transaction. @returns false where another tab has signed since `last` was
 * read: what was signed here is then nobody's, and is made anew behind it
 */
function place(store: Store, last: Chain | undefined, next: Chain, kept: KeptRecap, files: ReadonlyMap<string, ArrayBuffer>): Promise<boolean> {
  return store.run(['about', 'recaps', 'photos'], 'readwrite', (at, done) => {
    at('about').get(chain_key).onsuccess = (event) => {
      const now = resultOf<Chain | undefined>(event)
      if (now?.kid !== last?.kid || now?.sequence !== last?.sequence) return done(false)
      at('about').put(next, chain_key)
      // `add`, not `put`: no record is ever written over.
      at('recaps').add(kept)
      for (const [id, file] of files) at('photos').put(file, id)
      done(true)
    }
  })
}

function alter(store: Store, hash: string, change: (kept: KeptRecap) => KeptRecap): Promise<void> {
  return store.run(['recaps'], 'readwrite', (at) => {
    at('recaps').get(hash).onsuccess = (event) => {
      const kept = resultOf<KeptRecap | undefined>(event)
      if (kept !== undefined) at('recaps').put(change(kept))
    }
  })
}

/** Photos are written only when they are others than before: with each digit typed they would be megabytes. */
function createDrafts(store: Store): Book['keepDraft'] {
  const written = new Map<Contest, readonly Shot[]>()
  return async (contest, draft) => {
    const shots = draft?.shots ?? []
    const isSame = written.get(contest) === shots
    await store.write({ [`recapDraft-${contest}`]: draft?.totals ?? null, ...(isSame ? {} : { [`recapShots-${contest}`]: shots }) })
    written.set(contest, shots)
  }
}
