import type { Socket } from 'node:net'

/** One way of a line: how late, how fast, and whether anything comes through at all. All connections share it. */
export interface Link {
  set(line: Line): void
  readonly line: () => Line
  /** When the line will have sent this much, if it begins as soon as it can. Books the time. */
  book(bytes: number, now: number): number
  /** Called when the line changes. @returns how to stop */
  changed(told: () => void): () => void
}
interface Line { readonly delay_ms: number; readonly rate_kbps: number | null; readonly held: boolean }

export interface Pipe {
  push(chunk: Buffer): void
  /** The source has no more: said to the other side behind everything that is under way. */
  end(): void
  stop(): void
}

/** A line that was idle may send this much of its time at once: enough to hide the lateness of timers, too little to bend a rate. */
const slack_ms = 10
const piece_bytes_max = 2_048
/** What a line holds before it: the source waits when there is more. */
const waiting_bytes_max = 16_384
/** On a line without a rate, what may be under way. */
const under_way_bytes_max = 4_194_304

export function createLink(): Link {
  let line: Line = { delay_ms: 0, rate_kbps: null, held: false }
  let free = 0
  const listeners = new Set<() => void>()
  return {
    set(next) {
      if (next.rate_kbps !== line.rate_kbps) free = 0
      line = next
      for (const told of listeners) told()
    },
    line: () => line,
    book(bytes, now) {
      if (line.rate_kbps === null) return now
      free = Math.max(free, now - slack_ms) + (bytes * 8) / line.rate_kbps
      return free
    },
    changed(told) {
      listeners.add(told)
      return () => listeners.delete(told)
    },
  }
}

/** One way of one connection: first through the rate of the line, then through its delay. Order is kept, memory is bounded. */
export function createPipe(options: { readonly from: Socket; readonly to: Socket; readonly link: Link; readonly wrote?: (bytes: number) => void }): Pipe {
  const { from, to, link } = options
  const waiting: Buffer[] = []
  const late: { readonly bytes: Buffer; at: number }[] = []
  let waiting_bytes = 0
  let late_bytes = 0
  /** The piece at the head, and when the line will have sent it. */
  let booked: { readonly bytes: number; readonly at: number } | null = null
  let full = false
  let ended = false
  let stopped = false
  const wake = waker(() => run())

  function send(now: number): number {
    while (waiting_bytes > 0 && late_bytes < under_way_bytes_max && !full) {
      const first = waiting[0] as Buffer
      booked ??= book(first, now)
      if (booked.at > now) return booked.at
      const piece = first.subarray(0, booked.bytes)
      if (piece.length === first.length) waiting.shift()
      else waiting[0] = first.subarray(piece.length)
      waiting_bytes -= piece.length
      late_bytes += piece.length
      // What the slack lets go at once was sent now, not before: else the slack would be taken off the delay.
      late.push({ bytes: piece, at: Math.max(Math.max(booked.at, now) + link.line().delay_ms, late.at(-1)?.at ?? 0) })
      booked = null
    }
    return Infinity
  }
  function book(first: Buffer, now: number): { bytes: number; at: number } {
    const { rate_kbps } = link.line()
    const bytes = rate_kbps === null ? first.length : Math.min(first.length, piece_bytes_max, Math.max(64, Math.floor((rate_kbps * slack_ms) / 8)))
    return { bytes, at: link.book(bytes, now) }
  }
  function deliver(now: number): number {
    while (late[0] !== undefined && !full) {
      if (late[0].at > now) return late[0].at
      const { bytes } = late.shift() as { bytes: Buffer }
      late_bytes -= bytes.length
      options.wrote?.(bytes.length)
      if (to.destroyed) continue
      full = !to.write(bytes)
    }
    return Infinity
  }
  function run(): void {
    if (stopped || link.line().held) return
    const now = performance.now()
    const next = Math.min(send(now), deliver(now))
    if (waiting_bytes < waiting_bytes_max && from.isPaused()) from.resume()
    if (next < Infinity) return wake.at(next)
    if (ended && waiting_bytes === 0 && late.length === 0 && !to.writableEnded) to.end()
  }
  const unlink = link.changed(() => {
    booked = null
    run()
  })
  to.on('drain', () => {
    full = false
    run()
  })
  to.once('close', () => stop())
  function stop(): void {
    stopped = true
    unlink()
    wake.stop()
  }
  return {
    push(chunk) {
      if (stopped) return
      waiting.push(chunk)
      waiting_bytes += chunk.length
      if (waiting_bytes >= waiting_bytes_max) from.pause()
      run()
    },
    end() {
      ended = true
      run()
    },
    stop,
  }
}

/** A timer to a fraction of a millisecond: Node's own is late by one or two, which is much beside a delay of 25. */
function waker(run: () => void): { at(instant: number): void; stop(): void } {
  let timer: NodeJS.Timeout | null = null
  let soon: NodeJS.Immediate | null = null
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer)
    if (soon !== null) clearImmediate(soon)
    timer = soon = null
  }
  return {
    at(instant) {
      stop()
      const left = instant - performance.now()
      const woken = (): void => {
        stop()
        run()
      }
      if (left > 1.5) timer = setTimeout(woken, left - 1.2)
      else soon = setImmediate(woken)
    },
    stop,
  }
}
