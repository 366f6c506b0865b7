import { envelope_type, key_header, list_type, type RecapState } from '@kawal/contract/recap.ts'
import { nextStep, type SendStep } from '@kawal/core/recap/sending.ts'
import type { Answered, Enrolment } from '../enrol.ts'
import type { Identities, Identity } from '../identities.ts'
import { done, type Delivery, type Outcome } from '../queue/deliver.ts'
import { problemOf, read, request, retryAfter_ms, type Reaching } from '../request.ts'
import { unsentOf, type Book } from './book.ts'
import type { KeptRecap } from './kept.ts'
import type { proves } from './receipt.ts'

/** A piece of 256 KB at 64 kbit/s takes 33 s, and twenty phones may share the line. */
const piece_ms_max = 180_000
/** A piece that was cut off is tried again at once so often; what did arrive of it is asked for and not sent again. */
const cuts_max = 3
/** More than the pieces of any day's photos: a pass that would not end is a bug. */
const rounds_max = 5_000
/** What became of a record is asked for no oftener. */
const state_ms = 5 * 60_000

interface CarrierNeeds {
  readonly env: Reaching & { readonly clock: () => number }
  readonly book: Book
  readonly identities: Identities
  readonly enrolment: Pick<Enrolment, 'confirm'>
  readonly proves: typeof proves
  readonly ledgerKey: () => string | null
  /** Raw, in base64url: a record may come before its phone's enrolment. */
  readonly publicKey: () => Promise<string | null>
  readonly changed: () => void
}

/** `enrol`: the token is not taken; `aside`: nothing more of this in this pass; null: on to the next. */
type Taken = Outcome | 'enrol' | 'aside' | null
const silence: Outcome = { ok: false, status: 0, wait_ms: 0 }

/** Carries records, their lists and their photos to the server, small before large. Any enrolled identity carries them. */
export function createCarrier(needs: CarrierNeeds): Pick<Delivery, 'all' | 'anythingWaits'> {
  const { env, book, changed } = needs
  let askedAt = -Infinity

  async function pass(bearer: Identity, renew: () => Promise<boolean>): Promise<Outcome | 'enrol'> {
    const aside = new Set<string>()
    let cuts = 0
    for (let round = 0; round < rounds_max; round++) {
      const unsent = (await book.all()).filter(({ refusal }) => refusal === null).map(unsentOf).filter(({ hash }) => !aside.has(hash))
      const step = nextStep(unsent.map((each) => ({ ...each, photos: each.photos.filter(({ id }) => !aside.has(id)) })), true)
      if (step === null || !(await renew())) return aside.size === 0 ? done : { ok: false, status: 409, wait_ms: 0 }
      const taken = await stepOf(needs, bearer, step)
      changed()
      if (taken === silence && step.kind === 'photo' && ++cuts < cuts_max) continue
      if (taken === 'aside') aside.add(step.kind === 'photo' ? step.id : step.hash)
      else if (taken !== null) return taken
      else cuts = 0
    }
    return done
  }

  /** What the server makes of those that it has, until there is nothing more to come. */
  async function ask(bearer: Identity): Promise<void> {
    if (env.clock() - askedAt < state_ms) return
    askedAt = env.clock()
    for (const { hash, bytes, receipt, isProven, said } of await book.all()) {
      if (receipt === null) continue
      if (!isProven && (await needs.proves(bytes, receipt, needs.ledgerKey())) === 'holds') await book.change(hash, { isProven: true })
      if (said !== null && said.deliveredAt !== null) continue
      const answer = await request(env, `/v1/recaps/${hash}`, { headers: asOf(bearer) })
      if (answer === null) return
      const state = answer.status === 200 ? await read<RecapState>(answer) : null
      if (state !== null) await book.change(hash, { said: { state: state.state, reason: state.reason, detail: state.detail, deliveredAt: state.deliveredAt } })
    }
    changed()
  }

  return {
    async all(renew) {
      await needs.identities.reload()
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
      return outcome
    },
    anythingWaits: async () => (await book.all()).some((kept) => kept.refusal === null && isWaiting(kept)),
  }
}

const isWaiting = (kept: KeptRecap): boolean => nextStep([unsentOf(kept)], true) !== null
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

async function stepOf(needs: CarrierNeeds, bearer: Identity, step: SendStep): Promise<Taken> {
  const kept = await needs.book.get(step.hash)
  if (kept === undefined) return 'aside'
  switch (step.kind) {
    case 'record': return sendRecord(needs, bearer, kept)
    case 'list': return sendList(needs, bearer, kept)
    case 'photo': return sendPiece(needs, bearer, step)
  }
}

async function sendRecord({ env, book, proves: prove, ledgerKey, publicKey }: CarrierNeeds, bearer: Identity, { hash, bytes }: KeptRecap): Promise<Taken> {
  const key = await publicKey()
  const answer = await request(env, '/v1/recaps', { method: 'POST', headers: { ...asOf(bearer), 'content-type': envelope_type, ...(key === null ? {} : { [key_header]: key }) }, body: bytes })
  if (answer === null) return silence
  if (answer.status !== 200 && answer.status !== 201) {
    const { code, detail } = await problemOf(answer)
    if (!final.has(code)) return failed(answer, env.clock())
    await book.change(hash, { refusal: detail })
    return null
  }
  const receipt = await answer.text()
  const proven = await prove(bytes, receipt, ledgerKey())
  // A portal's page, or a ledger that is not the one: it is no receipt.
  if (proven === 'wrong') return { ok: false, status: answer.status, wait_ms: 0 }
  await book.change(hash, { receipt, isProven: proven === 'holds' })
  return null
}

async function sendList({ env, book }: CarrierNeeds, bearer: Identity, { hash, list }: KeptRecap): Promise<Taken> {
  const answer = await request(env, `/v1/recaps/${hash}/photos`, { method: 'PUT', headers: { ...asOf(bearer), 'content-type': list_type }, body: list })
  if (answer === null) return silence
  if (answer.status !== 204) return failed(answer, env.clock())
  await book.change(hash, { isListKept: true })
  return null
}

async function sendPiece({ env, book }: CarrierNeeds, bearer: Identity, { hash, id, from, to }: SendStep & { readonly kind: 'photo' }): Promise<Taken> {
  const file = await book.photo(id)
  if (file === undefined) return 'aside'
  const headers = { ...asOf(bearer), 'content-type': 'application/offset+octet-stream', 'tus-resumable': '1.0.0', 'upload-offset': String(from) }
  const answer = await request(env, `/v1/photos/${id}`, { method: 'PATCH', headers, body: file.slice(from, to) }, piece_ms_max)
  if (answer === null) return silence
  const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN)
  const isOffset = Number.isSafeInteger(offset) && offset >= 0 && offset <= file.byteLength
  // A piece that was cut off may be there in part, or another phone may have brought it.
  if (isOffset && (answer.status === 204 || (answer.status === 409 && offset !== from))) {
    await book.sent(hash, id, offset)
    return null
  }
  if (answer.status === 460) await book.sent(hash, id, 0)
  return failed(answer, env.clock())
}

/** What sending again cannot mend, in the server's own words: a portal's page does not know them. */
const final: ReadonlySet<string> = new Set(['recap_unreadable', 'signature_wrong', 'too_large'])

function failed(answer: Response, now: number): Taken {
  if (answer.status === 401 || answer.status === 403) return 'enrol'
  if (answer.status < 500 && ![408, 423, 425, 429].includes(answer.status)) return 'aside'
  return { ok: false, status: answer.status, wait_ms: retryAfter_ms(answer, now) }
}
