import type { RecapState } from '@kawal/contract/recap.ts'
import { readProof } from '@kawal/core/ledger/proof.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { nextStep } from '@kawal/core/recap/sending.ts'
import type { Answered, Enrolment } from '../enrol.ts'
import type { Identities, Identity } from '../identities.ts'
import { done, type Delivery, type Outcome } from '../queue/deliver.ts'
import { read, request } from '../request.ts'
import { unload, type BoxNeeds } from './box.ts'
import { handAll, unsentOf, type Desk } from './desk.ts'
import type { KeptRecap } from './kept.ts'
import type { provesEntry, seenBy } from './receipt.ts'
import { createWitnessed } from './witnessed.ts'

/** What became of a record is asked for no oftener. */
const state_ms = 5 * 60_000

interface CarrierNeeds extends BoxNeeds {
  readonly identities: Identities
  readonly enrolment: Pick<Enrolment, 'confirm'>
  readonly provesEntry: typeof provesEntry
  /** How the proofs of witnesses are come by; nobody asks for them without it. */
  readonly witnesses?: { readonly policy: () => string | null; readonly seenBy: typeof seenBy; readonly soon: (wait_ms: number) => void }
  /** False while the access plan gives the line to others. */
  readonly arePhotosDue: (all: readonly KeptRecap[]) => boolean
}

interface Carrier extends Pick<Delivery, 'all' | 'anythingWaits'> {
  /** Unloads into the box that this phone stands beside, if it does; `all` begins with it. */
  toBox(renew: () => Promise<boolean>): Promise<void>
}

/** Carries records, their lists and their photos to the server, small before large. Any enrolled identity carries them. */
export function createCarrier(needs: CarrierNeeds): Carrier {
  const { env, book, changed, arePhotosDue } = needs
  let askedAt = -Infinity
  const { policy, seenBy: seen, soon } = needs.witnesses ?? noWitnesses
  const witnessed = createWitnessed({ env, book, ledgerPolicy: policy, seenBy: seen, soon })
  const pass = (bearer: Identity, renew: () => Promise<boolean>): Promise<Outcome | 'enrol'> => handAll(needs, platformOf(needs, bearer, witnessed.logged), renew, arePhotosDue)

  /** What the platform makes of those that it has, until there is nothing more to come. */
  async function ask(bearer: Identity): Promise<void> {
    if (env.clock() - askedAt < state_ms) return
    askedAt = env.clock()
    for (const kept of await book.all()) if (kept.receipt !== null && !(await askOf(needs, bearer, kept))) return
    changed()
  }

  return {
    async all(renew) {
      await needs.identities.reload()
      await unload(needs, renew)
      let bearer = await bearerOf(needs)
      if ('ok' in bearer) return bearer
      let outcome = await pass(bearer, renew)
      if (outcome === 'enrol') {
        bearer = await bearerOf(needs, bearer)
        if ('ok' in bearer) return bearer
        outcome = await pass(bearer, renew)
      }
      if (outcome === 'enrol') return { ok: false, status: 403, wait_ms: 60_000 }
      if (outcome.ok) await ask(bearer)
      if (outcome.ok && (await witnessed.ask(asOf(bearer)))) changed()
      return outcome
    },
    anythingWaits: async () => (await book.all()).some((kept) => kept.refusal === null && nextStep([unsentOf(kept, env.clock())], true) !== null),
    toBox: (renew) => unload(needs, renew),
  }
}

const noWitnesses: NonNullable<CarrierNeeds['witnesses']> = { policy: () => null, seenBy: () => Promise.resolve(null), soon: () => undefined }

const asOf = ({ token }: Identity): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** @param refused whose token was not taken */
async function bearerOf({ identities, enrolment, changed }: CarrierNeeds, refused: Identity | null = null): Promise<Identity | Outcome> {
  const known = [...identities.all()].reverse().find(({ id, token }) => token !== null && id !== refused?.id)
  if (known !== undefined) return known
  const current = refused ?? identities.current()
  // Nobody yet, or one that the officer has to look at the letter for.
  if (current === null || current.refusal !== null) return done
  const answered: Answered = await enrolment.confirm({ ...current, token: null })
  changed()
  return answered.is === 'confirmed' ? answered.identity : answered.is === 'unanswered' ? { ok: false, status: answered.status, wait_ms: answered.wait_ms } : done
}

function platformOf({ env, book, proves: prove, ledgerKey }: CarrierNeeds, bearer: Identity, logged: () => void): Desk {
  return {
    address: '', headers: asOf(bearer),
    unsent: (kept) => unsentOf(kept, env.clock()),
    async took({ hash, bytes }, receipt) {
      const proven = await prove(bytes, receipt, ledgerKey())
      if (proven === 'wrong') return false
      await book.change(hash, { receipt, isProven: proven === 'holds' })
      logged()
      return true
    },
    async refused({ hash }, why) {
      await book.change(hash, { refusal: why })
      return null
    },
    listed: ({ hash }) => book.change(hash, { isListKept: true }),
    sent: ({ hash }, id, offset) => book.sent(hash, id, offset),
  }
}

/** @returns whether there was an answer */
async function askOf(needs: CarrierNeeds, bearer: Identity, kept: KeptRecap): Promise<boolean> {
  const { env, book, ledgerKey } = needs
  const { hash, bytes, receipt, isProven, said } = kept
  if (receipt === null) return true
  if (!isProven && (await needs.proves(bytes, receipt, ledgerKey())) === 'holds') await book.change(hash, { isProven: true })
  const isAtEnd = said?.side === 'supervisor' ? said.state === 'counts' : said !== null && said.deliveredAt !== null && kept.delivery !== undefined
  if (isAtEnd && kept.photos.every(({ offset, size_bytes }) => offset >= size_bytes)) return true
  const answer = await request(env, `/v1/recaps/${hash}`, { headers: asOf(bearer) })
  if (answer === null) return false
  const state = answer.status === 200 ? await read<RecapState>(answer) : null
  if (state === null) return true
  await book.change(hash, { said: { state: state.state, reason: state.reason, detail: state.detail, side: state.side, deliveredAt: state.deliveredAt } })
  // A box brought them, or another phone.
  for (const { sha256, size, kept: isThere } of state.photos ?? []) if (isThere && kept.photos.some(({ id, offset }) => id === `${sha256}-${size}` && offset < size)) await book.sent(hash, `${sha256}-${size}`, size)
  return state.deliveredAt === null || kept.delivery !== undefined || askDelivery(needs, bearer, hash)
}

/** KPU's answer is in the ledger too: the proof is kept if it is of this record, and holds. */
async function askDelivery({ env, book, provesEntry: prove, ledgerKey }: CarrierNeeds, bearer: Identity, hash: string): Promise<boolean> {
  const answer = await request(env, `/v1/recaps/${hash}/delivery`, { headers: asOf(bearer) })
  if (answer === null) return false
  const text = answer.status === 200 ? await answer.text() : ''
  const proof = readProof(text)
  const entry = proof.ok && proof.value.extra !== null ? readEntry(proof.value.extra) : null
  if (!proof.ok || proof.value.extra === null || entry?.ok !== true || entry.value.kind !== 'delivery' || hexOf(entry.value.recap) !== hash) return true
  if ((await prove(proof.value.extra, text, ledgerKey())) === 'holds') await book.change(hash, { delivery: text })
  return true
}
