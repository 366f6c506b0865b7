import { envelope_type, key_header, list_type } from '@kawal/contract/handing-in.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { backOff_ms } from '@kawal/core/recap/back-off.ts'
import { chunk_bytes, nextStep, type SendStep, type Unsent } from '@kawal/core/recap/sending.ts'
import { reach, type Reach } from '../reach.ts'
import { pauseOf } from '../recap/forwarder.ts'
import type { PhotoId, PhotoStore } from '../recap/photo-store.ts'
import { envelopeOf } from '../recap/stored.ts'
import type { Bearer } from './bearer.ts'

/** What became known of how much the platform has. */
export type Carried =
  | { readonly kind: 'receipt'; readonly hash: string; readonly entry: Uint8Array; readonly receipt: string }
  | { readonly kind: 'refused'; readonly hash: string; readonly entry: Uint8Array; readonly why: string }
  | { readonly kind: 'listed'; readonly hash: string }
  /** So much of a photo has the platform on disk. */
  | { readonly kind: 'sent'; readonly photo: PhotoId; readonly offset: number }

/** What the platform has of what is here. */
export interface CarriedStore {
  /** The beginning of what the platform has not, in each kind. A list or a photo that no phone has brought yet is not waited for. */
  unsent(): Promise<Unsent[]>
  /** The entry of a record, and the public key that came beside it. */
  kept(hash: string): Promise<{ readonly bytes: Uint8Array; readonly key: Buffer | null }>
  /** The list of a record's photos, as it came. */
  list(hash: string): Promise<Uint8Array>
  /** The platform's receipt; null: it has not gone there yet, as far as is known here. */
  receipt(hash: string): Promise<string | null>
  /** On disk when it resolves; said again it changes nothing. */
  note(carried: Carried): Promise<void>
}

interface CourierNeeds {
  readonly carried: CarriedStore
  readonly clock: () => Instant
  readonly store: PhotoStore
  /** The platform, without a slash at the end. */
  readonly up: string
  readonly bearer: Bearer
  /** Whether this is a receipt of this record, by the platform's ledger. */
  readonly proves: (envelope: Uint8Array, receipt: string) => Promise<boolean>
  /** Tells the platform what is left, where it is time to. */
  readonly tell?: () => Promise<void>
  readonly failed: (error: unknown) => void
  readonly reach?: Reach
  /** What one request brings of a photo; 256 KB without it. */
  readonly piece_bytes?: number
}

/** 256 KB at 64 kbit/s are 33 s, and a satellite line is shared. */
const answer_ms_max = 180_000
/** What sending again cannot mend, in the platform's own words. */
const final = new Set(['recap_unreadable', 'signature_wrong', 'too_large'])
/** More than a day's pieces: a turn that would not end is a bug. */
const steps_max = 100_000

/** `aside`: nothing more of it in this turn. `enrol`: the token was not taken. */
type Became = 'sent' | 'aside' | 'enrol' | { readonly pause_ms: number | null }

/**
 * Carries what phones left here over the line that there is: records, then lists, then previews, then originals, in pieces of 256 KB, so
 * that a record that comes in meanwhile goes next (core/recap/sending.ts). A line that is down is left alone for longer each time, up to ten minutes.
 */
export function createCourier(needs: CourierNeeds) {
  const { carried, clock, failed, piece_bytes = chunk_bytes } = needs
  let silentUntil: Instant = -Infinity
  let silences = 0
  let running: Promise<void> | null = null

  async function run(): Promise<void> {
    const aside = new Set<string>()
    let enrolled = false
    for (let steps = 0; steps < steps_max && clock() >= silentUntil; steps++) {
      const unsent = (await carried.unsent()).filter(({ hash }) => !aside.has(hash))
      const step = nextStep(unsent.map((each) => ({ ...each, photos: each.photos.filter(({ id }) => !aside.has(id)) })), true, piece_bytes)
      if (step?.kind !== 'record') await needs.tell?.().catch(failed)
      if (step === null) return
      const became = await carry(needs, step).catch((error: unknown): Became => {
        if (!isOfTheLine(error)) failed(error)
        return { pause_ms: null }
      })
      if (became === 'enrol') {
        if (enrolled) return
        enrolled = true
        needs.bearer.refused()
      } else if (became === 'aside') aside.add(step.kind === 'photo' ? step.id : step.hash)
      else if (became === 'sent') silences = 0
      else silentUntil = clock() + (became.pause_ms ?? backOff_ms(silences++))
    }
  }

  return {
    /** Carries until nothing is left or the line does not answer; one at a time. */
    turn: (): Promise<void> => (running ??= run().catch(failed).finally(() => (running = null))),
    idle: async (): Promise<void> => void (await running),
  }
}

/** No answer, or none in time. */
const isOfTheLine = (error: unknown): boolean => error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')

async function carry(needs: CourierNeeds, step: SendStep): Promise<Became> {
  const token = await needs.bearer.token()
  if (token === null) return { pause_ms: null }
  const ask = (path: string, init: { readonly method: string; readonly headers: Record<string, string>; readonly body: Uint8Array<ArrayBuffer> }): Promise<Response> =>
    (needs.reach ?? reach)(needs.up + path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }, answer_ms_max)
  switch (step.kind) {
    case 'record': return carryRecord(needs, ask, step.hash)
    case 'list': return carryList(needs, ask, step.hash)
    case 'photo': return carryPiece(needs, ask, step)
  }
}

type Ask = (path: string, init: { readonly method: string; readonly headers: Record<string, string>; readonly body: Uint8Array<ArrayBuffer> }) => Promise<Response>

async function carryRecord({ carried, clock, proves }: CourierNeeds, ask: Ask, hash: string): Promise<Became> {
  const { bytes, key } = await carried.kept(hash)
  const envelope = Uint8Array.from(envelopeOf(bytes))
  const answer = await ask('/v1/recaps', { method: 'POST', headers: { 'content-type': envelope_type, ...(key === null ? {} : { [key_header]: key.toString('base64url') }) }, body: envelope })
  const text = await answer.text()
  if (answer.status === 200 || answer.status === 201) {
    // A page of somebody in between is no receipt.
    if (!(await proves(envelope, text))) return { pause_ms: null }
    await carried.note({ kind: 'receipt', hash, entry: bytes, receipt: text })
    return 'sent'
  }
  const { code, detail } = problemIn(text)
  if (!final.has(code)) return failedBy(answer, clock())
  await carried.note({ kind: 'refused', hash, entry: bytes, why: detail })
  return 'sent'
}

async function carryList({ carried, clock }: CourierNeeds, ask: Ask, hash: string): Promise<Became> {
  const answer = await ask(`/v1/recaps/${hash}/photos`, { method: 'PUT', headers: { 'content-type': list_type }, body: Uint8Array.from(await carried.list(hash)) })
  await answer.arrayBuffer()
  if (answer.status !== 204) return failedBy(answer, clock())
  await carried.note({ kind: 'listed', hash })
  return 'sent'
}

async function carryPiece({ carried, clock, store }: CourierNeeds, ask: Ask, { id, from, to }: SendStep & { readonly kind: 'photo' }): Promise<Became> {
  const [sha256 = '', length = ''] = id.split('-')
  const photo = { sha256, size: Number(length) }
  const headers = { 'content-type': 'application/offset+octet-stream', 'tus-resumable': '1.0.0', 'upload-offset': String(from) }
  const answer = await ask(`/v1/photos/${id}`, { method: 'PATCH', headers, body: await store.read(photo, from, to) })
  await answer.arrayBuffer()
  const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN)
  const isOffset = Number.isSafeInteger(offset) && offset >= 0 && offset <= photo.size
  if (isOffset && (answer.status === 204 || (answer.status === 409 && offset !== from))) {
    await carried.note({ kind: 'sent', photo, offset })
    return 'sent'
  }
  if (answer.status === 460) await carried.note({ kind: 'sent', photo, offset: 0 })
  return failedBy(answer, clock())
}

function failedBy(answer: Response, now: Instant): Became {
  if (answer.status === 401 || answer.status === 403) return 'enrol'
  if (answer.status < 500 && ![408, 423, 425, 429].includes(answer.status)) return 'aside'
  return { pause_ms: pauseOf(answer.headers.get('retry-after'), now) }
}

function problemIn(text: string): { readonly code: string; readonly detail: string } {
  try {
    const { code = '', detail = '' } = JSON.parse(text) as { code?: string; detail?: string }
    return { code: String(code), detail: String(detail).slice(0, 500) }
  } catch {
    return { code: '', detail: '' }
  }
}
