import type { Enrolment } from '../enrol.ts'
import type { Environment } from '../environment.ts'
import { base64url, phoneKey, rawKey, type Identities } from '../identities.ts'
import { createSender } from '../queue/send.ts'
import { request } from '../request.ts'
import type { Store } from '../store.ts'
import { sha256With } from '../trust.ts'
import { createBook } from './book.ts'
import { createCarrier } from './carry.ts'
import type { Recaps } from './kept.ts'
import { proves } from './receipt.ts'

export interface RecapNeeds {
  readonly env: Environment
  readonly store: Store
  readonly identities: Identities
  readonly enrolment: Pick<Enrolment, 'confirm'>
  readonly ledgerKey: () => string | null
  readonly spread_ms: () => number
  readonly changed: () => void
}

export function createRecaps({ env, store, identities, enrolment, ledgerKey, spread_ms, changed }: RecapNeeds): Recaps {
  const book = createBook({ env, store, build: buildOf(env) })
  const publicKey = async (): Promise<string | null> => {
    const key = await phoneKey(env.crypto, store)
    return key === null ? null : base64url(rawKey(key.jwk))
  }
  const delivery = createCarrier({ env, book, identities, enrolment, proves, ledgerKey, publicKey, changed })
  const sender = createSender({ env, store, name: 'recaps', delivery, spread_ms, changed })
  return {
    sender, all: book.all, draft: book.draft, keepDraft: book.keepDraft,
    async sign(filled) {
      const signed = await book.sign(filled)
      if (typeof signed !== 'string') void sender.trigger('kept')
      return signed
    },
    fileOf: ({ bytes }) => new Blob([bytes], { type: 'application/cose; cose-type="cose-sign1"' }),
  }
}

/** The page comes from the phone's own files; where it does not, nobody waits for it. */
const page_ms_max = 3_000

/** Of the program that signs: SHA-256 of its page, which names each of its parts by their hashes; all of it zero where the page cannot be had. */
async function buildOf(env: Environment): Promise<Uint8Array> {
  const page = await request(env, './', {}, page_ms_max)
  return page?.status === 200 ? sha256With(env.crypto)(new Uint8Array(await page.arrayBuffer())) : new Uint8Array(32)
}
