import { costAtMost, costOfFailed, costOnce, second_connection_ms } from './cost.ts'
import { within, type Net } from './net.ts'
import { ping, pingAtMost, plain, type Ping } from './probe.ts'

/** What another origin's target ended in, before clock and connection state are weighed. */
export interface Touch {
  /** `silent`: no answer in time. `failed`: an error at once: no such name, refused, TLS; a page cannot tell which. */
  readonly end: 'answered' | 'http_error' | 'portal' | 'silent' | 'failed' | 'untested'
  /** Where the server lets a page read it. */
  readonly status: number | null
  readonly bytes: number
  readonly url: string
}

/** Heads of strangers are larger than ours. */
const head_bytes = 4_000
const untested: Touch = { end: 'untested', status: null, bytes: 0, url: '' }

export const touchAtMost = (url: string | null): number => (url === null ? 0 : 2 * costAtMost(url, { down: head_bytes }))

/**
 * Asks another origin for a head alone: its status where CORS lets us read it, else (`no-cors`) only that
 * something answered. 501 says that it knows no HEAD, so it is there.
 */
export async function touch(net: Net, url: string | null, ms: number): Promise<Touch> {
  if (url === null) return untested
  const began = net.tick()
  const until = began + ms
  const read = await within(net, ms, async (signal) => (await net.fetch(url, { ...plain, method: 'HEAD', mode: 'cors', signal })).status)
  if (read.value !== null) {
    const end = read.value === 511 ? 'portal' : read.value >= 500 && read.value !== 501 ? 'http_error' : 'answered'
    return { end, status: read.value, bytes: touchCost(url, 1, net.tick() - began), url }
  }
  const read_bytes = costOfFailed(url, net.tick() - began, { down: head_bytes })
  if (read.cut) return { end: 'silent', status: null, bytes: read_bytes, url }
  const again = net.tick()
  const { value, cut } = await within(net, until - net.tick(), async (signal) => (await net.fetch(url, { ...plain, method: 'HEAD', mode: 'no-cors', signal })).type)
  if (value !== null) return { end: 'answered', status: null, bytes: touchCost(url, 2, net.tick() - began), url }
  return { end: cut ? 'silent' : 'failed', status: null, bytes: read_bytes + costOfFailed(url, net.tick() - again, { down: head_bytes }), url }
}

/** Other origins hide their timing. TCP, TLS and the request take a round trip each: there was no second connection in three times its time. */
const touchCost = (url: string, requests: number, ms: number): number => (ms < 3 * second_connection_ms ? costOnce(url, { down: head_bytes }, requests) : touchAtMost(url))

export interface Contact {
  /** The first answer, or the last failure. */
  readonly first: Ping
  /** Attempts without an answer, where all were: one beside an answer may have met a kept connection that was long dead, and is no loss. */
  readonly timeouts: number
  readonly broken: number
  readonly bytes: number
}

export interface Patience {
  readonly attempts: number
  /** So many of them may be begun beside one that is late: its connection may be dead. */
  readonly hedges: number
  readonly hedge_ms: number
}
/** An officer waits for the answer. */
export const patient: Patience = { attempts: 5, hedges: 2, hedge_ms: 2_000 }
/** A report on duty comes again by itself, and in a blank spot all day: it tries once, and again after an error that came at once. */
export const brief: Patience = { attempts: 2, hedges: 0, hedge_ms: 0 }
/**
 * Where the platform answered a while ago, kept connections may be there that a translator on the way has forgotten. A
 * browser finds that out by itself in ten seconds or so, and the attempt after that makes a new one.
 */
export const keeping: Patience = { attempts: 4, hedges: 1, hedge_ms: 3_000 }
const at_once_ms = 1_000
/** After an error that came at once, wait this much, then twice. */
const again_ms = 100

export const contactAtMost = (net: Net, { attempts }: Patience): number => attempts * pingAtMost(net)

/**
 * The first contact with the platform; its round-trip time is not counted, since it wakes the phone's radio and makes
 * the connection. Errors that come at once are tried again a few times, silence is given a second
 * connection, until something answers or the time is up.
 */
export async function contact(net: Net, ms: number, { attempts, hedges, hedge_ms }: Patience): Promise<Contact> {
  const begun = net.tick()
  const until = begun + ms
  let [timeouts, broken, bytes, pause_ms] = [0, 0, 0, again_ms]
  let last: Ping = { end: 'cut', over: 'same-origin', bytes: 0 }
  const open = new Set<Promise<Ping>>()
  const end = new AbortController()
  let again = false
  for (let made = 0, hedged = 0; made < attempts || open.size > 0; ) {
    const left = until - net.tick()
    if (left <= 0 && open.size === 0) break
    if (made < attempts && left > 0 && (open.size === 0 || hedged < hedges || again)) {
      if (open.size > 0 && !again) hedged++
      again = false
      const one: Promise<Ping> = ping(net, left, made % 2 === 0 ? 'same-origin' : 'omit', end.signal)
      open.add(one)
      void one.then(() => open.delete(one))
      made++
    }
    const got = await firstOf(net, open, made < attempts && hedged < hedges ? hedge_ms : null)
    if (got === null) continue
    bytes += got.bytes
    if (got.end !== 'cut' && got.end !== 'failed') {
      end.abort()
      return { first: got, timeouts: 0, broken: 0, bytes: bytes + open.size * pingAtMost(net) }
    }
    last = got
    timeouts++
    if (got.end !== 'failed') continue
    broken++
    if ((!net.online() && broken > 1) || (hedges === 0 && net.tick() - begun > at_once_ms)) break
    if (made < attempts) await pause(net, Math.min(pause_ms, Math.max(0, until - net.tick())))
    pause_ms *= 2
    again = true
  }
  return { first: last, timeouts, broken, bytes }
}

const pause = (net: Net, ms: number): Promise<void> => new Promise((done) => void net.timer(ms, done))

/** The first of them to end; null when none has by then. */
async function firstOf(net: Net, open: ReadonlySet<Promise<Ping>>, ms: number | null): Promise<Ping | null> {
  if (ms === null) return Promise.race(open)
  let stop = (): void => {}
  const late = new Promise<null>((done) => (stop = net.timer(ms, () => done(null))))
  const got = await Promise.race([...open, late])
  stop()
  return got
}
