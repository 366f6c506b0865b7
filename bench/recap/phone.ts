import { randomBytes } from 'node:crypto'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import type { Signer } from '@kawal/core/recap/cose.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import type { Identities, Identity } from '@kawal/sigmon/src/identities.ts'
import { createSender, type Sender } from '@kawal/sigmon/src/queue/send.ts'
import { createCarrier } from '@kawal/sigmon/src/recap/carry.ts'
import type { KeptRecap } from '@kawal/sigmon/src/recap/kept.ts'
import { proves, provesEntry } from '@kawal/sigmon/src/recap/receipt.ts'
import { presidential } from '@kawal/testkit/recaps.ts'

type Book = Parameters<typeof createCarrier>[0]['book']

export interface PhoneNeeds {
  readonly station: string
  readonly token: string
  readonly publicKey: Buffer
  readonly signer: Signer
  /** `NAME+ID+KEY`; null: not known to the phone yet. */
  readonly ledgerKey: string | null
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
  /** ms; what back-off draws from is fixed, so that a run can be had again. */
  readonly clock: () => number
  readonly random: () => number
  /** A record was acknowledged, or bytes of a photo were. */
  readonly acknowledged?: (bytes: number) => void
}

/** Sigmon as it carries, over a book in memory in the place of the browser's store. */
export interface Phone {
  /** Signs, keeps, and begins to carry. @param sizes of the photos, the first a preview, bytes */
  sign(sizes: readonly number[], more?: Partial<Recap>): Promise<KeptRecap>
  /** Keeps bytes that somebody else made, behind what is kept already, as a phone whose store was damaged. */
  hold(bytes: Uint8Array<ArrayBuffer>): KeptRecap
  /** What the phone's store gives for a photo from now on; undefined: it is gone. */
  replace(id: string, file: ArrayBuffer | undefined): void
  all(): Promise<KeptRecap[]>
  readonly sender: Sender
}

export function createPhone(needs: PhoneNeeds): Phone {
  const { clock, random, signer } = needs
  const kept = new Map<string, KeptRecap>()
  const files = new Map<string, ArrayBuffer>()
  let [sequence, previous]: [number, Uint8Array<ArrayBuffer> | null] = [0, null]
  const alter = (hash: string, change: (recap: KeptRecap) => KeptRecap): Promise<void> => {
    const recap = kept.get(hash)
    if (recap !== undefined) kept.set(hash, change(recap))
    return Promise.resolve()
  }
  const all = (): Promise<KeptRecap[]> => Promise.resolve([...kept.values()].sort((one, other) => one.madeAt - other.madeAt || (one.hash < other.hash ? -1 : 1)))
  const book: Book = {
    all, get: (hash) => Promise.resolve(kept.get(hash)), photo: (id) => Promise.resolve(files.get(id)),
    inCustody: () => Promise.resolve(),
    change: (hash, part) => alter(hash, (recap) => {
      if (recap.receipt === null && part.receipt != null) needs.acknowledged?.(recap.bytes.length)
      if (!recap.isListKept && part.isListKept === true) needs.acknowledged?.(recap.list.length)
      return { ...recap, ...part }
    }),
    sent: (hash, id, offset) => alter(hash, (recap) => ({ ...recap, photos: recap.photos.map((photo) => {
      if (photo.id !== id) return photo
      needs.acknowledged?.(Math.max(0, offset - photo.offset))
      return { ...photo, offset }
    }) })),
  }
  const env = {
    fetch: needs.fetch, clock, random, crypto, document: Object.assign(new EventTarget(), { visibilityState: 'visible' as const }), locks: alone,
    setTimer: (work: () => void, ms: number): unknown => setTimeout(work, ms), clearTimer: (timer: unknown): void => clearTimeout(timer as NodeJS.Timeout),
  }
  const delivery = createCarrier({
    env, book, identities: identitiesOf(needs), enrolment: { confirm: () => Promise.resolve({ is: 'unanswered', status: 0, wait_ms: 0 }) }, proves, provesEntry, ledgerKey: () => needs.ledgerKey, box: () => null, arePhotosDue: () => true,
    publicKey: () => Promise.resolve(needs.publicKey.toString('base64url')), changed: () => undefined,
  })
  const keep = (bytes: Uint8Array<ArrayBuffer>, list: Uint8Array<ArrayBuffer>, photos: readonly ReturnType<typeof photoOf>[]): KeptRecap => {
    const recap: KeptRecap = {
      hash: hexOf(sha256(bytes)), bytes, madeAt: clock(), list, photos: photos.map(({ kind, size_bytes, id }) => ({ kind, size_bytes, id, offset: 0 })), isListKept: photos.length === 0, receipt: null, isProven: false, said: null, refusal: null,
    }
    for (const { id, file } of photos) files.set(id, file)
    kept.set(recap.hash, recap)
    return recap
  }
  const store = { run: () => Promise.reject(new Error('this phone has no store')), write: () => Promise.resolve() }
  const sender = createSender({ env, store, name: 'recaps', delivery, spread_ms: () => 0, changed: () => undefined })
  return {
    sender, all,
    hold: (bytes) => keep(bytes, new Uint8Array(), []),
    replace: (id, file) => void (file === undefined ? files.delete(id) : files.set(id, file)),
    async sign(sizes, more = {}) {
      const photos = sizes.map((size, at) => photoOf(size, at))
      const list = Uint8Array.from(writePhotos(photos))
      const bytes = Uint8Array.from(await signRecap({ ...presidential, station: needs.station, photos: sha256(list), madeAt: clock(), sequence: ++sequence, previous, ...more }, signer))
      previous = Uint8Array.from(sha256(bytes))
      const recap = keep(bytes, list, photos)
      void sender.trigger('kept')
      return recap
    },
  }
}

/** One page, one sender: nobody else holds the lock. */
const alone = { request: (_: string, __: unknown, work: (lock: unknown) => Promise<unknown>): Promise<unknown> => work({}) } as unknown as Pick<LockManager, 'request'>

function photoOf(size: number, at: number): Photo & { readonly id: string; readonly file: ArrayBuffer } {
  const file = Uint8Array.from(randomBytes(size))
  const hash = sha256(file)
  return { page: 1 + at, shot: 1, kind: at === 0 ? 'preview' : 'original', size_bytes: size, sha256: hash, id: `${hexOf(hash)}-${size}`, file: file.buffer }
}

function identitiesOf({ station, token }: PhoneNeeds): Identities {
  const only = { id: 'only', station: { code: station } as Identity['station'], code: null, device: null, token, refusal: null }
  return { all: () => [only], current: () => only, put: () => Promise.resolve(), reload: () => Promise.resolve() }
}
