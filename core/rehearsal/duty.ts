import { minute_ms, rfc3339, type Instant } from '../kernel/clock.ts'
import { seeded, type Random } from '../kernel/random.ts'
import { backoff, firstDue, nextDue, resumeDelay, type Pace } from '../measurement/schedule.ts'
import { thin } from '../measurement/thin.ts'

/** A sample as contract/report.ts has it. */
export interface DutySample {
  readonly sequence: number
  readonly eventAt: string
  readonly sim: string
  readonly access: 'cellular' | 'none'
  readonly accessPoint: null
  readonly technology: 'lte'
  readonly radio: null
  readonly rttMs: readonly number[]
  readonly timeouts: number
  readonly downKbps: null
  readonly upKbps: null
  readonly reach: { readonly internet: string; readonly election: string; readonly platform: string }
  readonly charging: null
  readonly nextDueAt: string | null
}

/** What the phone keeps of a sample: `at` by the true clock, and what thinning may do to it. */
interface DutyEntry {
  readonly at: Instant
  readonly kind: 'routine' | 'kept'
  readonly promise: Instant | null
  readonly sample: DutySample
}

/** One request that reaches the platform; its answer need not reach the phone. */
export interface DutyBatch {
  readonly at: Instant
  /** By the phone's clock. */
  readonly sentAt: string
  readonly samples: readonly DutySample[]
}

export interface DutyDay {
  readonly made: readonly DutyEntry[]
  readonly batches: readonly DutyBatch[]
  /** Sequences that the platform holds when the day is over, ascending. */
  readonly held: readonly number[]
  /** Sequences that the phone gave up when its queue was full, ascending. */
  readonly thinned: readonly number[]
  /** When the app came to the front: at the start of duty, shown again, opened anew. */
  readonly openings: readonly Instant[]
  /** When it was killed, with no time for a word. */
  readonly kills: readonly Instant[]
}

interface DutyOptions {
  readonly seed: number
  readonly startAt: Instant
  readonly hours: number
  readonly sim: string
  readonly outages: readonly { readonly from: Instant; readonly to: Instant }[]
  readonly pace: Pace
  readonly spread_ms: number
  readonly queue_max: number
  /** What the phone's clock is ahead. */
  readonly clockAhead_ms: number
  /** The app stays in front, and away, for up to so long. */
  readonly front_ms_max: number
  readonly away_ms_max: number
  /** When it leaves the front besides: what calls everybody away at once, as the end of voting does. */
  readonly leavesAt: readonly Instant[]
  readonly goodbye_lost_share: number
  /** Of the times that the app leaves the front, those without a word: killed, or the battery empty. */
  readonly killed_share: number
  /** Of the requests that reach the platform, those whose answer does not reach the phone. */
  readonly answer_lost_share: number
}

export const dutyDefaults: Omit<DutyOptions, 'seed' | 'startAt'> = {
  hours: 12, sim: '51010', outages: [], pace: { interval_ms: 5 * minute_ms, jitter_share: 0.2 }, spread_ms: 10 * minute_ms, queue_max: 1_000, clockAhead_ms: 0,
  front_ms_max: 60 * minute_ms, away_ms_max: 20 * minute_ms, leavesAt: [], goodbye_lost_share: 0.3, killed_share: 0.1, answer_lost_share: 0.02,
}

/** More turns than a day can have: one that goes on is a bug. */
const turns_max = 100_000
const batch_max = 50
const retry = { base_ms: 2 * minute_ms, cap_ms: 10 * minute_ms }

interface Phone {
  readonly options: DutyOptions
  readonly random: Random
  readonly made: DutyEntry[]
  readonly batches: DutyBatch[]
  readonly held: Set<number>
  readonly thinned: Set<number>
  readonly openings: Instant[]
  readonly kills: Instant[]
  queue: DutyEntry[]
  front: boolean
  /** Whether the last sample found a network. */
  online: boolean
  dueAt: Instant
  /** When the app leaves the front, or comes back to it. */
  turnsAt: Instant
  sendAt: Instant
  attempt: number
}

/**
 * One officer's day with one phone: it begins duty, reports by its rhythm, leaves the front and comes back,
 * loses its network and finds it, thins what waits, and ends duty. What it sends is what the platform gets,
 * repetitions and lost goodbyes included. Nothing but the options decides.
 *
 * The day ends on paper when duty ends, and for the queue when the network is there: an officer who ends duty
 * without signal goes where there is some.
 */
export function dutyDay(options: DutyOptions): DutyDay {
  const random = seeded(options.seed)
  const phone: Phone = {
    options, random, made: [], batches: [], held: new Set(), thinned: new Set(), openings: [], kills: [],
    queue: [], front: false, online: true, dueAt: Infinity, turnsAt: Infinity, sendAt: Infinity, attempt: 0,
  }
  const endAt = options.startAt + options.hours * 60 * minute_ms
  open(phone, options.startAt)
  // The press of the button reports nothing yet: nearly everybody presses it in the same minute.
  phone.dueAt = firstDue(options.startAt, options.pace, random)
  for (let turn = 0; ; turn++) {
    if (turn >= turns_max) throw new RangeError(`the day of seed ${options.seed} does not end`)
    const backAt = phone.front ? nextEnd(phone) : Infinity
    const now = Math.min(phone.dueAt, phone.turnsAt, phone.sendAt, backAt, endAt)
    if (now >= endAt) break
    if (now === phone.turnsAt) turnOver(phone, now)
    else if (now === phone.dueAt) report(phone, now)
    else if (now === phone.sendAt) send(phone, now)
    else phone.sendAt = Math.min(phone.sendAt, now + resumeDelay(options.spread_ms, random) + 1)
  }
  finish(phone, endAt)
  const ascending = (set: ReadonlySet<number>): number[] => [...set].sort((a, b) => a - b)
  return { made: phone.made, batches: phone.batches, held: ascending(phone.held), thinned: ascending(phone.thinned), openings: phone.openings, kills: phone.kills }
}

const isOut = (phone: Phone, at: Instant): boolean => phone.options.outages.some(({ from, to }) => from <= at && at < to)

/** When the browser will say that the network is back; only what waits is of interest then. */
function nextEnd(phone: Phone): Instant {
  if (phone.queue.length === 0 || phone.sendAt < Infinity) return Infinity
  const last = phone.queue.at(-1)?.at ?? Infinity
  return phone.options.outages.reduce((first, { to }) => (to > last && to < first ? to : first), Infinity)
}

function open(phone: Phone, now: Instant): void {
  phone.front = true
  phone.openings.push(now)
  phone.turnsAt = phone.options.leavesAt.reduce((first, at) => (at > now && at < first ? at : first), now + Math.ceil((0.1 + 0.9 * phone.random()) * phone.options.front_ms_max))
  if (now > phone.options.startAt) report(phone, now)
}

/** The app comes to the front, or leaves it. */
function turnOver(phone: Phone, now: Instant): void {
  const { options, random } = phone
  if (!phone.front) return open(phone, now)
  Object.assign(phone, { front: false, dueAt: Infinity, sendAt: Infinity })
  phone.turnsAt = now + Math.ceil((0.05 + 0.95 * random()) * options.away_ms_max)
  const [killed, lost] = [random() < options.killed_share, random() < options.goodbye_lost_share]
  if (killed) {
    phone.kills.push(now)
    return
  }
  if (phone.made.at(-1)?.promise == null) return
  const goodbye = make(phone, now, null)
  // Sent with `keepalive`: the page is gone before an answer could be read, so it is sent again later.
  if (!lost && phone.online) deliver(phone, now, [goodbye])
}

function report(phone: Phone, now: Instant): void {
  phone.dueAt = Math.max(nextDue(now, phone.options.pace, phone.random), now + 30_000)
  make(phone, now, phone.dueAt)
  if (phone.online && phone.attempt === 0) send(phone, now)
}

/** Measures, and keeps: what begins or ends an outage or duty is never thinned, nor is a goodbye. */
function make(phone: Phone, now: Instant, promise: Instant | null): DutyEntry {
  const { options, random } = phone
  const out = isOut(phone, now)
  const kind = promise === null || out === phone.online || phone.made.length === 0 ? 'kept' : 'routine'
  phone.online = !out
  const stamp = (at: Instant): string => rfc3339(at + options.clockAhead_ms)
  const rttMs = out ? [] : [1, 2, 3].map(() => Math.round(400 + 1_600 * random() ** 3) / 10)
  const reached = out ? 'offline' : 'ok'
  const entry: DutyEntry = {
    at: now, kind, promise,
    sample: {
      sequence: phone.made.length + 1, eventAt: stamp(now), sim: options.sim, access: out ? 'none' : 'cellular', accessPoint: null, technology: 'lte', radio: null,
      rttMs, timeouts: 3 - rttMs.length, downKbps: null, upKbps: null, reach: { internet: reached, election: reached, platform: reached },
      charging: null, nextDueAt: promise === null ? null : stamp(promise),
    },
  }
  phone.made.push(entry)
  phone.queue.push(entry)
  const drop = new Set(thin(phone.queue.map((each) => ({ sequence: each.sample.sequence, kind: each.kind })), options.queue_max).drop)
  if (drop.size > 0) phone.queue = phone.queue.filter((each) => !drop.has(each.sample.sequence))
  for (const sequence of drop) phone.thinned.add(sequence)
  return entry
}

/** Sends what waits, batch by batch, oldest first, until an answer is missing. */
function send(phone: Phone, now: Instant): void {
  const { options, random } = phone
  phone.sendAt = Infinity
  while (phone.queue.length > 0) {
    const batch = phone.queue.slice(0, batch_max)
    const reached = !isOut(phone, now)
    if (reached) deliver(phone, now, batch)
    if (!reached || random() < options.answer_lost_share) {
      phone.attempt++
      phone.sendAt = now + 1 + backoff(phone.attempt, retry.base_ms, retry.cap_ms, random)
      return
    }
    phone.queue = phone.queue.slice(batch.length)
  }
  phone.attempt = 0
}

function deliver(phone: Phone, at: Instant, entries: readonly DutyEntry[]): void {
  phone.batches.push({ at, sentAt: rfc3339(at + phone.options.clockAhead_ms), samples: entries.map((entry) => entry.sample) })
  for (const { sample } of entries) phone.held.add(sample.sequence)
}

function finish(phone: Phone, endAt: Instant): void {
  if (!phone.front) phone.openings.push(endAt)
  make(phone, endAt, null)
  const signalAt = phone.options.outages.reduce((at, { from, to }) => (from <= at && at < to ? to : at), endAt)
  for (let now = signalAt; phone.queue.length > 0 && now < signalAt + turns_max; now++) send(phone, now)
}
