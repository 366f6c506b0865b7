import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { answerLength, statusOf } from './answer.ts'

/** Where requests come from and answers go to. A slot has one request under way at most. */
export interface Source {
  /** Writes the next request of this slot at the buffer's start. @returns its bytes; 0 when there is none left */
  next(slot: number, into: Buffer, now_ms: number): number
  /** @param bytes the whole answer, body included; true by `answered` counts it as done, false as refused */
  answered(slot: number, status: number, bytes: Buffer): boolean
  /** The connection broke with a request under way: it may have been taken in or not. */
  broken(slot: number): void
  /** Whether there is, or will be, anything to send. */
  left(): boolean
}

interface Plan {
  /** Requests a second by the schedule; null: as fast as they are answered. */
  readonly rate_per_s: number | null
  readonly seconds: number
}

export interface Shots {
  readonly sent: number
  readonly done: number
  readonly refused: number
  readonly broken: number
  /** Due by the schedule and not sent within `late_ms_max`: left out. */
  readonly shed: number
  readonly seconds: number
  /** Of each answer, counted from when its request was due: tenths of a millisecond. */
  readonly latency: Uint32Array
}

const request_bytes_max = 8_192
const answer_bytes_max = 16_384
/** A request that could not be sent for so long is left out: the schedule goes on, and the queue has a bound. */
const late_ms_max = 20_000
/** The schedule is as fine as this: at the national rate about six requests at once. */
const tick_ms = 0.2
/** After the last request, answers are waited for at most this long. */
const drain_ms_max = 30_000
export const latency_tenths_max = 600_000
const asleep = new Int32Array(new SharedArrayBuffer(4))

interface Slot { socket: Socket | null; readonly request: Buffer; view: Buffer; readonly answer: Buffer; held: number; dueAt: number; busy: boolean; queued: boolean; readonly index: number }

/**
 * Many kept connections of HTTP/1.1, each with one request under way at most, as a proxy in front holds them. By a
 * schedule (open loop: an answer that is late does not hold up what is due, and its lateness counts for what waited),
 * or as fast as the other side answers. Times are of `performance.now`.
 */
export function createFire(target: { readonly port: number; readonly connections: number; readonly source: Source }) {
  const slots: Slot[] = Array.from({ length: target.connections }, (_, index) => ({
    socket: null, request: Buffer.alloc(request_bytes_max), view: Buffer.alloc(0), answer: Buffer.alloc(answer_bytes_max), held: 0, dueAt: 0, busy: false, queued: false, index }))
  // What comes in is looked at before the next read: one buffer is enough for all connections.
  const inbox = Buffer.alloc(answer_bytes_max)
  const free = createRing(target.connections)
  let gone = false
  let [sent, done, refused, broken, shed, total, began, latest] = [0, 0, 0, 0, 0, 0, 0, 0]
  let plan: Plan | null = null
  let latency = new Uint32Array(latency_tenths_max + 1)
  const release = (slot: Slot): void => {
    slot.busy = false
    if (slot.queued) return
    slot.queued = true
    free.put(slot.index)
  }
  /** Sends what is due while connections are free. */
  function send(now: number): void {
    if (plan === null || gone) return
    const { rate_per_s } = plan
    const due = rate_per_s === null ? Infinity : now >= latest ? total : Math.floor(((now - began) * rate_per_s) / 1000)
    while (free.next() >= 0 && (rate_per_s === null ? now < latest : sent + shed < due)) {
      const dueAt = rate_per_s === null ? now : began + ((sent + shed) * 1000) / rate_per_s
      if (now - dueAt > late_ms_max) {
        shed++
        continue
      }
      const slot = slots[free.next()] as Slot
      const { socket } = slot
      const length = socket === null ? 0 : target.source.next(slot.index, slot.request, now)
      if (socket !== null && length === 0) return
      free.skip()
      slot.queued = false
      // a connection that is being opened anew comes back when it is
      if (socket === null) continue
      if (slot.view.length !== length) slot.view = slot.request.subarray(0, length)
      slot.busy = true
      slot.dueAt = dueAt
      slot.held = 0
      sent++
      socket.write(slot.view)
    }
  }

  function read(slot: Slot, bytes: Buffer): void {
    const whole = gone ? null : wholeAnswer(slot, bytes)
    if (whole === null) return
    if (!slot.busy) throw new Error(`an answer without a request: ${whole.toString('latin1', 0, 200)}`)
    const now = performance.now()
    const tenths = Math.min(latency_tenths_max, Math.round((now - slot.dueAt) * 10))
    if (target.source.answered(slot.index, statusOf(whole), whole)) {
      done++
      latency[tenths] = (latency[tenths] ?? 0) + 1
    } else refused++
    release(slot)
    send(now)
  }

  function lose(slot: Slot): void {
    if (!slot.busy) return
    slot.busy = false
    broken++
    target.source.broken(slot.index)
  }

  function open(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true, onread: {
        buffer: inbox,
        callback: (length, buffer) => {
          read(slot, (buffer as Buffer).subarray(0, length))
          return true
        },
      } })
      socket.once('connect', () => {
        slot.socket = socket
        release(slot)
        resolve()
      })
      socket.on('error', reject)
      socket.once('close', () => {
        if (slot.socket !== socket) return
        slot.socket = null
        lose(slot)
        if (!gone) open(slot).catch(() => (gone = true))
      })
    })
  }
  return {
    async open(): Promise<void> {
      for (const slot of slots) await open(slot)
    },
    async run(wanted: Plan): Promise<Shots> {
      ;[sent, done, refused, broken, shed] = [0, 0, 0, 0, 0]
      latency = new Uint32Array(latency_tenths_max + 1)
      plan = wanted
      began = performance.now()
      latest = began + wanted.seconds * 1000
      total = wanted.rate_per_s === null ? 0 : Math.floor(wanted.rate_per_s * wanted.seconds)
      for (let settled = false; !settled; ) {
        const now = performance.now()
        send(now)
        const over = now >= latest ? sent + shed >= total : !target.source.left()
        settled = gone || now >= latest + drain_ms_max || (over && slots.every((slot) => !slot.busy))
        // Asleep, not waiting: answers that come meanwhile are read together, which halves what each costs here.
        Atomics.wait(asleep, 0, 0, tick_ms)
        await nextTurn()
      }
      plan = null
      // The other side is gone: what was under way has no answer, whether its connection has closed yet or not.
      if (gone) slots.forEach(lose)
      return { sent, done, refused, broken, shed, seconds: (Math.min(performance.now(), latest) - began) / 1000, latency }
    },
    close(): void {
      gone = true
      for (const slot of slots) slot.socket?.destroy()
    },
  }
}

/** @returns the answer once all of it is there; null before */
function wholeAnswer(slot: Slot, bytes: Buffer): Buffer | null {
  if (slot.held === 0 && answerLength(bytes) === bytes.length) return bytes
  slot.held += bytes.copy(slot.answer, slot.held)
  const whole = slot.answer.subarray(0, slot.held)
  return answerLength(whole) === whole.length ? whole : null
}

/** Connections in their turns, since a proxy's are all in use. */
function createRing(places: number) {
  const ring = new Int32Array(places + 1)
  let [first, last] = [0, 0]
  return {
    /** -1 when there is none. */
    next: (): number => (first === last ? -1 : (ring[first] as number)),
    skip(): void {
      first = (first + 1) % ring.length
    },
    put(index: number): void {
      ring[last] = index
      last = (last + 1) % ring.length
    },
  }
}
