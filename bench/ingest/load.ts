import { decodeReceipt } from '@kawal/contract/compact.ts'
import { bodyStart } from './answer.ts'
import type { Source } from './fire.ts'
import { mix, type Phones } from './phones.ts'
import { createRequests, type Form, type Load } from './requests.ts'

export interface LoadPlan {
  readonly form: Form
  readonly samples: number
  /** In turn, each of so many phones, counted from 1. */
  readonly phones: number
  /** A phone's turn comes again after this long: what it promises; null where it does not come again before the end. */
  readonly round_ms: number | null
  /** The hand-over to the peer has no receipt. */
  readonly receipts: boolean
}

export interface Receipts {
  readonly accepted: number
  /** Of these, sent again after the answer was lost: any other duplicate is a report that was taken for one that it is not. */
  readonly duplicates: number
  readonly wronglyDuplicate: number
  readonly quarantined: number
  /** Answers by status that were no success. */
  readonly statuses: Readonly<Record<number, number>>
  readonly samples: readonly string[]
}

/** Coprime to the number of phones, so that turns go through all of them, and neighbours' turns lie far apart. */
const stride = 2_654_437
/** Where no further report comes: a promise for after the bench. */
const long_ms = 3 * 3_600_000
/** The compact form of a whole number of ms over 65,535 has four bytes: no shorter promise. */
const due_ms_min = 70_000
const again_ms = 1_000
const again_max = 2_000_000
const refusals_shown = 5
const nothing = () => ({ accepted: 0, duplicates: 0, wronglyDuplicate: 0, quarantined: 0, statuses: {} as Record<number, number>, samples: [] as string[] })

/**
 * What the phones send in their turns, and what became of it: what was not acknowledged is sent again, the same
 * bytes but for the time of sending, before anything new.
 */
export function createLoadSource(phones: Phones, slots: number, clock: () => number) {
  const writers = new Map<Form, ReturnType<typeof createRequests>>()
  const loads: Load[] = Array.from({ length: slots }, () => ({ key: 0, first: 0, samples: 0, eventAt: 0, due_ms: 0 }))
  const resent = new Uint8Array(slots)
  // Taken from its front, which moves on; what lies behind it is cut off now and then.
  let again: { load: Load; at: number }[] = []
  let front = 0
  let acks: number[] | null = null
  let plan: LoadPlan = { form: 'compact', samples: 1, phones: phones.count, round_ms: null, receipts: true }
  let turn = 0
  let onlyAgain = false
  let counted = nothing()

  function fresh(now: number): Load {
    const key = 1 + ((turn++ * stride) % plan.phones)
    const draw = mix(key * 31 + turn)
    const { round_ms, samples } = plan
    // Of a hundred promises six are broken: the phone comes a fifth of its round too late.
    const due_ms = round_ms === null ? long_ms : Math.max(due_ms_min, Math.round(round_ms * (draw % 100 < 6 ? 0.8 : 1 + ((draw >>> 8) % 200) / 1000)))
    return { key, first: phones.take(key, samples), samples, eventAt: now - (draw % 1500), due_ms }
  }

  function next(slot: number, into: Buffer): number {
    const now = Math.floor(clock())
    const old = again[front]
    const take = old !== undefined && old.at <= now
    if (!take && onlyAgain) return 0
    const load = take ? old.load : fresh(now)
    if (take && ++front > 10_000) {
      again.splice(0, front)
      front = 0
    }
    loads[slot] = load
    resent[slot] = take ? 1 : 0
    let write = writers.get(plan.form)
    if (write === undefined) writers.set(plan.form, (write = createRequests(phones, plan.form)))
    return write(load, into, now)
  }

  function keepForLater(slot: number, after_ms: number): void {
    if (again.length - front >= again_max) throw new Error(`${again.length - front} requests wait to be sent again: the server takes too little`)
    again.push({ load: loads[slot] as Load, at: clock() + after_ms })
  }

  function receipt(slot: number, bytes: Buffer): void {
    const { key, first, samples } = loads[slot] as Load
    const start = bodyStart(bytes)
    // [accepted, duplicates, [], interval]: as it nearly always is; anything else is read in full.
    const plain = plan.form === 'compact' && bytes[start] === 0x84 && (bytes[start + 1] as number) < 24 && (bytes[start + 2] as number) < 24 && bytes[start + 3] === 0x80
    const read = plain ? { accepted: bytes[start + 1] as number, duplicates: bytes[start + 2] as number, quarantined: [] } : full(bytes.subarray(start))
    counted.accepted += read.accepted
    counted.duplicates += read.duplicates
    counted.quarantined += read.quarantined.length
    if (resent[slot] === 0) counted.wronglyDuplicate += read.duplicates
    if (read.accepted + read.duplicates !== samples) show(`of ${samples} samples ${JSON.stringify(read)}`)
    else acks?.push(key, first, samples)
  }

  function full(body: Buffer) {
    if (plan.form === 'json') return JSON.parse(body.toString()) as { accepted: number; duplicates: number; quarantined: unknown[] }
    const read = decodeReceipt(body)
    if (!read.ok) throw new Error(read.error)
    return read.value
  }

  function show(text: string): void {
    if (counted.samples.length < refusals_shown) counted.samples.push(text)
  }

  const source: Source = {
    next,
    answered(slot, status, bytes) {
      if (status >= 200 && status < 300) {
        if (plan.receipts) receipt(slot, bytes)
        else counted.accepted += (loads[slot] as Load).samples
        return true
      }
      counted.statuses[status] = (counted.statuses[status] ?? 0) + 1
      show(bytes.toString('utf8', 0, 600))
      keepForLater(slot, again_ms)
      return false
    },
    broken: (slot) => keepForLater(slot, 0),
    left: () => !onlyAgain || again.length > front,
  }
  return {
    source,
    begin(wanted: LoadPlan, keepAcks: boolean): void {
      plan = wanted
      onlyAgain = false
      counted = nothing()
      if (keepAcks) acks ??= []
    },
    /** From here on only what is to be sent again. */
    finish(): void {
      onlyAgain = true
      counted = nothing()
      again = again.slice(front).map(({ load }) => ({ load, at: 0 }))
      front = 0
    },
    unanswered: (): number => again.length - front,
    receipts: (): Receipts => counted,
    /** Triples of phone, first number and samples of each acknowledged request since `begin` was first told to keep them. */
    acks: (): Uint32Array => Uint32Array.from(acks ?? []),
  }
}
