/**
 * What waits in the phones, as chains in one pool; and what reaches the server in one stretch of time: devices live
 * through it one after the other, and what they send is then sorted by the second of its arrival.
 */
export interface Mail {
  /** device, eventAt, receivedAt, dueAt, bits of each arrival, in the order of devices; then in order of arrival. */
  arrived: Int32Array
  sorted: Int32Array
  count: number
  /** The next of the sorted ones to hand out. */
  cursor: number
  /** The stretch's first second, less one, and how many arrive in each second after it. */
  from: number
  readonly perSecond: Int32Array
  /** next, eventAt, dueAt, bits of each report that waits. */
  waiting: Int32Array
  used: number
  free: number
}

const arrived_width = 5
const waiting_width = 4

/** @param stretch_s the longest stretch, s */
export const makeMail = (stretch_s: number): Mail => ({
  arrived: new Int32Array(arrived_width << 12), sorted: new Int32Array(0), count: 0, cursor: 0, from: 0, perSecond: new Int32Array(stretch_s + 1), waiting: new Int32Array(waiting_width << 10), used: 0, free: -1,
})

/** Puts one report among the arrivals. Seconds from the start of the day; `dueAt` -1 is goodbye. */
export function arrive(mail: Mail, device: number, eventAt: number, receivedAt: number, dueAt: number, bits: number): void {
  const at = mail.count++ * arrived_width
  if (at + arrived_width > mail.arrived.length) {
    const larger = new Int32Array(mail.arrived.length * 2)
    larger.set(mail.arrived)
    mail.arrived = larger
  }
  const { arrived, perSecond } = mail
  const second = receivedAt - mail.from
  perSecond[second] = (perSecond[second] ?? 0) + 1
  arrived[at] = device
  arrived[at + 1] = eventAt
  arrived[at + 2] = receivedAt
  arrived[at + 3] = dueAt
  arrived[at + 4] = bits
}

/** Lets a report wait. The pool holds at most what all phones may keep. @returns its slot */
export function wait(mail: Mail, eventAt: number, dueAt: number, bits: number): number {
  const slot = mail.free >= 0 ? mail.free : mail.used++
  if (mail.free >= 0) mail.free = mail.waiting[slot * waiting_width] ?? -1
  if ((slot + 1) * waiting_width > mail.waiting.length) {
    const larger = new Int32Array(mail.waiting.length * 2)
    larger.set(mail.waiting)
    mail.waiting = larger
  }
  mail.waiting.set([-1, eventAt, dueAt, bits], slot * waiting_width)
  return slot
}

export const chain = (mail: Mail, before: number, slot: number): void => void (mail.waiting[before * waiting_width] = slot)
const nextOf = (mail: Mail, slot: number): number => mail.waiting[slot * waiting_width] ?? -1

/** Gives a slot back. @returns the one behind it */
export function drop(mail: Mail, slot: number): number {
  const next = nextOf(mail, slot)
  mail.waiting[slot * waiting_width] = mail.free
  mail.free = slot
  return next
}

/** Sends what waits from this slot on, the oldest first, and gives the slots back. */
export function sendWaiting(mail: Mail, device: number, first: number, receivedAt: number): void {
  for (let slot = first; slot >= 0;) {
    const at = slot * waiting_width
    arrive(mail, device, mail.waiting[at + 1] ?? 0, receivedAt, mail.waiting[at + 2] ?? 0, mail.waiting[at + 3] ?? 0)
    slot = drop(mail, slot)
  }
}

/** Begins a stretch of arrivals after `from`. */
export function beginStretch(mail: Mail, from: number): void {
  mail.from = from
  mail.count = mail.cursor = 0
  mail.perSecond.fill(0)
}

/** Ends it: sorts what arrived by second, then by device. */
export function endStretch(mail: Mail): void {
  const { arrived, count, perSecond, from } = mail
  if (mail.sorted.length < count * arrived_width) mail.sorted = new Int32Array(mail.arrived.length)
  const { sorted } = mail
  let before = 0
  for (let second = 0; second < perSecond.length; second++) {
    const here = perSecond[second] ?? 0
    perSecond[second] = before
    before += here
  }
  for (let at = 0; at < count * arrived_width; at += arrived_width) {
    const second = (arrived[at + 2] ?? 0) - from
    const place = perSecond[second] ?? 0
    perSecond[second] = place + 1
    const to = place * arrived_width
    sorted[to] = arrived[at] ?? 0
    sorted[to + 1] = arrived[at + 1] ?? 0
    sorted[to + 2] = arrived[at + 2] ?? 0
    sorted[to + 3] = arrived[at + 3] ?? 0
    sorted[to + 4] = arrived[at + 4] ?? 0
  }
}

/** Hands out the arrivals up to the second `to`, in order. @param startAt_s added to all times */
export function handOut(mail: Mail, to: number, startAt_s: number, emit: (device: number, eventAt_s: number, receivedAt_s: number, dueAt_s: number, bits: number) => void): void {
  const { sorted, count } = mail
  let { cursor } = mail
  for (; cursor < count; cursor++) {
    const at = cursor * arrived_width
    const receivedAt = sorted[at + 2] ?? 0
    if (receivedAt > to) break
    const dueAt = sorted[at + 3] ?? -1
    emit(sorted[at] ?? 0, (sorted[at + 1] ?? 0) + startAt_s, receivedAt + startAt_s, dueAt < 0 ? 0 : dueAt + startAt_s, sorted[at + 4] ?? 0)
  }
  mail.cursor = cursor
}
