import type { Enrolment } from '../enrol.ts'
import type { Environment } from '../environment.ts'
import { exclusively } from '../exclusive.ts'
import { askForSync } from '../lifecycle.ts'
import { publicKeyOf, type Identities } from '../identities.ts'
import { createSender } from '../queue/send.ts'
import { request } from '../request.ts'
import type { Store } from '../store.ts'
import { sha256With } from '../trust.ts'
import { createBook } from './book.ts'
import { createCarrier } from './carry.ts'
import type { KeptRecap, Recaps } from './kept.ts'
import { linkOf } from './link.ts'
import { proves, provesEntry, seenBy } from './receipt.ts'

export interface RecapNeeds {
  readonly env: Environment
  readonly store: Store
  readonly identities: Identities
  readonly enrolment: Pick<Enrolment, 'confirm'>
  readonly ledgerKey: () => string | null
  /** Of the ledger and its witnesses; null where none are asked. */
  readonly ledgerPolicy: () => string | null
  /** Of the box that an access point may have; null for none. */
  readonly box: () => string | null
  /** When the access plan gives the line to this station's photos; null: they go at once. */
  readonly photosFrom: (leftAt: number) => number | null
  readonly spread_ms: () => number
  readonly changed: () => void
}

export function createRecaps({ env, store, identities, enrolment, ledgerKey, ledgerPolicy, box, photosFrom, spread_ms, changed }: RecapNeeds): Recaps {
  const book = createBook({ env, store, build: buildOf(env) })
  const publicKey = (): Promise<string | null> => publicKeyOf(env.crypto, store)
  const turn = createTurn(env, photosFrom, () => void sender.trigger('timer'))
  let looking: unknown
  const soon = (wait_ms: number): void => {
    env.clearTimer(looking)
    looking = env.setTimer(() => void sender.trigger('timer'), wait_ms)
  }
  const carrier = createCarrier({ env, book, identities, enrolment, proves, provesEntry, ledgerKey, box, publicKey, arePhotosDue: turn.isDue, changed, witnesses: { policy: ledgerPolicy, seenBy, soon } })
  const sender = createSender({ env, store, name: 'recaps', delivery: carrier, spread_ms, changed })
  return {
    anythingWaits: carrier.anythingWaits, all: book.all, draft: book.draft, keepDraft: book.keepDraft, photo: book.photo, photosFrom: turn.from, hasWitnesses: () => ledgerPolicy() !== null,
    sender: {
      ...sender,
      async trigger(why) {
        // The platform is met by everybody at once, and is waited for; a box is met by those who stand beside it.
        if (why === 'online') await exclusively(env, store, 'recaps', (renew) => carrier.toBox(renew)).catch(() => false)
        await sender.trigger(why)
      },
      stop() {
        turn.stop()
        env.clearTimer(looking)
        sender.stop()
      },
    },
    async sign(filled) {
      const signed = await book.sign(filled)
      if (typeof signed !== 'string') void sender.trigger('kept')
      if (!env.online()) void askForSync(env)
      return signed
    },
    async adopt(carried) {
      const kept = await book.adopt(carried)
      if (kept !== null) void sender.trigger('kept')
      return kept
    },
    linkOf: async ({ bytes, carriedFor }) => linkOf(new URL('./', location.href).href, { bytes, key: carriedFor === undefined ? await publicKey() : carriedFor }),
    fileOf: ({ bytes }) => new Blob([bytes], { type: 'application/cose; cose-type="cose-sign1"' }),
  }
}

/** This station's turn at its access point: photos before it would take the line from others. Records and lists go at once. */
function createTurn(env: Pick<Environment, 'clock' | 'setTimer' | 'clearTimer'>, photosFrom: RecapNeeds['photosFrom'], due: () => void) {
  let timer: unknown
  let from: number | null = null
  return {
    /** The officer leaves the station when the last form is signed. */
    isDue(all: readonly KeptRecap[]): boolean {
      env.clearTimer(timer)
      from = all.length === 0 ? null : photosFrom(Math.max(...all.map(({ madeAt }) => madeAt)))
      const wait_ms = from === null ? 0 : from - env.clock()
      // A clock that was set back makes nobody wait for longer than a plan lasts.
      if (wait_ms <= 0 || wait_ms > plan_ms_max) return true
      timer = env.setTimer(due, wait_ms)
      return false
    },
    from: () => from,
    stop: () => env.clearTimer(timer),
  }
}

/** Twice the window of an access plan (core/access/slots.ts). */
const plan_ms_max = 8 * 3_600_000

/** The page comes from the phone's own files; where it does not, nobody waits for it. */
const page_ms_max = 3_000

/** Of the program that signs: SHA-256 of its page, which names each of its parts by their hashes; all of it zero where the page cannot be had. */
async function buildOf(env: Environment): Promise<Uint8Array> {
  const page = await request(env, './', {}, page_ms_max)
  return page?.status === 200 ? sha256With(env.crypto)(new Uint8Array(await page.arrayBuffer())) : new Uint8Array(32)
}
