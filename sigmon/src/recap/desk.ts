import { envelope_type, key_header, list_type } from '@kawal/contract/handing-in.ts'
import { chunk_bytes, nextPiece, nextStep, piece_bytes_first, type SendStep, type Unsent } from '@kawal/core/recap/sending.ts'
import { done, type Outcome } from '../queue/deliver.ts'
import { problemOf, request, retryAfter_ms, type Reaching } from '../request.ts'
import type { Book } from './book.ts'
import type { Custody, KeptRecap } from './kept.ts'

/** A piece of 64 KB, which is the first, takes 8 s at 64 kbit/s, and twenty phones may share the line. */
const piece_ms_max = 180_000
/** A piece that was cut off is tried again at once so often; what did arrive of it is asked for and not sent again. */
const cuts_max = 3
/** More than the pieces of any day's photos: a pass that would not end is a bug. */
const rounds_max = 5_000
/** So long a box is given to carry a photo on before the phone sends it too: a night, and the morning after. */
const carried_ms = 12 * 3_600_000

/** Where records are handed in, by the same requests (spec/recap.md, *Handing in*): the platform, or a box at an access point. */
export interface Desk {
  /** Before each path; empty for the platform, whose page this is. */
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  /** What it has not of a record, or null for nothing. */
  unsent(kept: KeptRecap): Unsent | null
  /** Keeps its receipt. @returns false where it is none */
  took(kept: KeptRecap, receipt: string): Promise<boolean>
  /** It takes these bytes for no record. */
  refused(kept: KeptRecap, why: string): Promise<'aside' | null>
  listed(kept: KeptRecap): Promise<void>
  sent(kept: KeptRecap, id: string, offset: number): Promise<void>
}

/** `enrol`: the token is not taken; `aside`: nothing more of this in this pass; null: on to the next. */
type Taken = Outcome | 'enrol' | 'aside' | null
const silence: Outcome = { ok: false, status: 0, wait_ms: 0 }

export interface HandingNeeds {
  readonly env: Reaching & { readonly clock: () => number }
  readonly book: Pick<Book, 'all' | 'get' | 'photo' | 'change' | 'inCustody' | 'sent'>
  /** Raw, in base64url: a record may come before its phone's enrolment. */
  readonly publicKey: () => Promise<string | null>
  readonly changed: () => void
  /** What one request brings of a photo at most; 256 KB without it. */
  readonly piece_bytes?: number
}

/**
 * Hands in what a desk has not, one request after the other, until nothing is left or it does not answer. After each the order is asked for anew.
 * @param renew says whether this tab may go on
 */
export async function handAll(needs: HandingNeeds, desk: Desk, renew: () => Promise<boolean>, arePhotosDue: (all: readonly KeptRecap[]) => boolean): Promise<Outcome | 'enrol'> {
  const aside = new Set<string>()
  const piece_bytes_max = needs.piece_bytes ?? chunk_bytes
  let piece_bytes = Math.min(piece_bytes_first, piece_bytes_max)
  let cuts = 0
  for (let round = 0; round < rounds_max; round++) {
    const all = await needs.book.all()
    const unsent = all.flatMap((kept) => (kept.refusal === null && !aside.has(kept.hash) ? (desk.unsent(kept) ?? []) : []))
    const step = nextStep(unsent.map((each) => ({ ...each, photos: each.photos.filter(({ id }) => !aside.has(id)) })), arePhotosDue(all), piece_bytes)
    if (step === null || !(await renew())) return aside.size === 0 ? done : { ok: false, status: 409, wait_ms: 0 }
    const began = needs.env.clock()
    const taken = await handIn(needs, desk, step)
    needs.changed()
    if (step.kind === 'photo' && (taken === null || taken === silence)) piece_bytes = Math.min(piece_bytes_max, taken === null ? nextPiece(piece_bytes, step.to - step.from, needs.env.clock() - began) : nextPiece(piece_bytes, 0, Infinity))
    if (taken === silence && step.kind === 'photo' && ++cuts < cuts_max) continue
    if (taken === 'aside') aside.add(step.kind === 'photo' ? step.id : step.hash)
    else if (taken !== null) return taken
    else cuts = 0
  }
  return done
}

async function handIn(needs: HandingNeeds, desk: Desk, step: SendStep): Promise<Taken> {
  const kept = await needs.book.get(step.hash)
  if (kept === undefined) return 'aside'
  switch (step.kind) {
    case 'record': return handRecord(needs, desk, kept)
    case 'list': return handList(needs, desk, kept)
    case 'photo': return handPiece(needs, desk, kept, step)
  }
}

async function handRecord({ env, publicKey }: HandingNeeds, desk: Desk, kept: KeptRecap): Promise<Taken> {
  const key = kept.carriedFor === undefined ? await publicKey() : kept.carriedFor
  const answer = await request(env, `${desk.address}/v1/recaps`, { method: 'POST', headers: { ...desk.headers, 'content-type': envelope_type, ...(key === null ? {} : { [key_header]: key }) }, body: kept.bytes })
  if (answer === null) return silence
  if (answer.status !== 200 && answer.status !== 201) {
    const { code, detail } = await problemOf(answer)
    return final.has(code) ? desk.refused(kept, detail) : failed(answer, env.clock())
  }
  // A portal's page, or a ledger that is not the one: it is no receipt.
  return (await desk.took(kept, await answer.text())) ? null : { ok: false, status: answer.status, wait_ms: 0 }
}

async function handList({ env }: HandingNeeds, desk: Desk, kept: KeptRecap): Promise<Taken> {
  const answer = await request(env, `${desk.address}/v1/recaps/${kept.hash}/photos`, { method: 'PUT', headers: { ...desk.headers, 'content-type': list_type }, body: kept.list })
  if (answer === null) return silence
  if (answer.status !== 204) return failed(answer, env.clock())
  await desk.listed(kept)
  return null
}

async function handPiece({ env, book }: HandingNeeds, desk: Desk, kept: KeptRecap, { id, from, to }: SendStep & { readonly kind: 'photo' }): Promise<Taken> {
  const file = await book.photo(id)
  if (file === undefined) return 'aside'
  const headers = { ...desk.headers, 'content-type': 'application/offset+octet-stream', 'tus-resumable': '1.0.0', 'upload-offset': String(from) }
  const answer = await request(env, `${desk.address}/v1/photos/${id}`, { method: 'PATCH', headers, body: file.slice(from, to) }, piece_ms_max)
  if (answer === null) return silence
  const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN)
  const isOffset = Number.isSafeInteger(offset) && offset >= 0 && offset <= file.byteLength
  // A piece that was cut off may be there in part, or another phone may have brought it.
  if (isOffset && (answer.status === 204 || (answer.status === 409 && offset !== from))) {
    await desk.sent(kept, id, offset)
    return null
  }
  if (answer.status === 460) await desk.sent(kept, id, 0)
  return failed(answer, env.clock())
}

/** What sending again cannot mend, in the server's own words: a portal's page does not know them. */
const final: ReadonlySet<string> = new Set(['recap_unreadable', 'signature_wrong', 'too_large'])

function failed(answer: Response, now: number): Taken {
  if (answer.status === 401 || answer.status === 403) return 'enrol'
  if (answer.status < 500 && ![408, 423, 425, 429].includes(answer.status)) return 'aside'
  return { ok: false, status: answer.status, wait_ms: retryAfter_ms(answer, now) }
}

/** What the platform has not. Photos that a box has whole are its to carry for a night, so that nobody pays for them twice. */
export function unsentOf(kept: KeptRecap, now: number): Unsent {
  const { hash, madeAt, receipt, isListKept, custody = [] } = kept
  const isCarried = (id: string, size: number): boolean => custody.some(({ at, sent }) => sent[id] === size && Math.abs(now - at) < carried_ms)
  return { hash, madeAt, isLogged: receipt !== null, isListKept, photos: kept.photos.filter(({ id, offset, size_bytes }) => offset < size_bytes && !isCarried(id, size_bytes)) }
}

/** What a box has not of what the platform has not either; null where the platform has all of it. */
export function unsentAtBox({ hash, madeAt, receipt, isListKept, photos, custody, carriedFor }: KeptRecap, key: string): Unsent | null {
  const wanted = photos.filter(({ offset, size_bytes }) => offset < size_bytes)
  if (receipt !== null && isListKept && wanted.length === 0) return null
  const held = custodyOf(custody, key)
  const there = wanted.map((photo) => ({ ...photo, offset: held?.sent[photo.id] ?? 0 }))
  return { hash, madeAt, isLogged: held !== undefined, isListKept: carriedFor !== undefined || (held?.isListKept ?? false), photos: there.filter(({ offset, size_bytes }) => offset < size_bytes) }
}

export const custodyOf = (custody: KeptRecap['custody'], key: string): Custody | undefined => custody?.find((each) => each.key === key)
