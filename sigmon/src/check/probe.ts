import { costAtMost, costOf, costOfFailed, isAnew, stranger_bytes } from './cost.ts'
import { within, type Net } from './net.ts'

/** What one ping of the platform ended in. `cut`: no answer in the time given; `failed`: an error before it. */
export type Ping = { readonly bytes: number; readonly over: Over } & (
  | { readonly end: 'ok'; readonly rttMs: number; readonly offsetMs: number | null; readonly serverTime: number | null; readonly electionSeen: 'ok' | 'down' | null; readonly electionStatus: number | null; readonly anew: boolean }
  | { readonly end: 'portal' | 'http_error' | 'cut' | 'failed' }
)

/**
 * Browsers keep connections with and without credentials apart. `same-origin` shares the one that reports go over;
 * `omit` gets past one that has died in silence, which HTTP/2 would go on using.
 */
export type Over = 'same-origin' | 'omit'
export const plain = { cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' } as const
/** The contract's bounds of a round-trip time, ms. */
const rtt_ms_least = 0.1
const rtt_ms_most = 60_000
const answer_bytes_max = 1_000
/** A page that sends elsewhere hides its body, which is a line or two. */
const redirect_bytes = 4_000

const pingUrl = (net: Net): string => `${net.origin}/v1/ping`
export const pingAtMost = (net: Net): number => costAtMost(pingUrl(net), { down: answer_bytes_max })

/** One round trip to the platform: from the request's first byte to the answer's, without the connection's making. */
export async function ping(net: Net, ms: number, over: Over, end?: AbortSignal): Promise<Ping> {
  const url = pingUrl(net)
  const began = net.tick()
  const { value, cut } = await within(net, ms, async (signal) => {
    const response = await net.fetch(url, { ...plain, credentials: over, redirect: 'manual', signal })
    const around_ms = net.tick() - began
    const stranger = strangerIn(response)
    return { around_ms, stranger, text: stranger === null ? await response.text() : '' }
  }, end)
  if (value === null) return { end: cut ? 'cut' : 'failed', over, bytes: costOfFailed(url, net.tick() - began, { down: answer_bytes_max }) }
  const own = value.stranger === null ? readOwn(value.text) : null
  if (own === null) return { end: value.stranger?.end ?? 'portal', over, bytes: (value.stranger?.bytes ?? value.text.length) + pingAtMost(net) }
  const entry = newest(net, url, began)
  const timed_ms = entry !== undefined && entry.requestStart > 0 ? entry.responseStart - entry.requestStart : value.around_ms
  const rttMs = Math.min(rtt_ms_most, Math.max(rtt_ms_least, Math.round(timed_ms * 10) / 10))
  const offsetMs = own.now === null ? null : Math.round(own.now - (net.now() - rttMs / 2))
  return { end: 'ok', over, rttMs, offsetMs, serverTime: own.now, electionSeen: own.election, electionStatus: own.electionStatus, anew: entry !== undefined && isAnew(entry), bytes: costOf(url, entry, { down: value.text.length }) }
}

/** An entry that is older than the request is another's. */
export function newest(net: Net, url: string, began: number): PerformanceResourceTiming | undefined {
  const entry = net.entries?.(url)
  // browsers coarsen both clocks
  return entry !== undefined && entry.startTime >= began - 1 ? entry : undefined
}

/** Our ping answers 200 with a little JSON. Whatever else answers is not ours, or says itself that it is ill. */
function strangerIn(response: Response): { readonly end: 'portal' | 'http_error'; readonly bytes: number } | null {
  const length = Number(response.headers.get('content-length') ?? NaN)
  const bytes = response.type === 'opaqueredirect' ? redirect_bytes : Number.isFinite(length) ? Math.min(length, stranger_bytes) : stranger_bytes
  // RFC 6585, 6: 511 is a captive portal that says so. The platform never sends a ping elsewhere.
  if (response.type === 'opaqueredirect' || response.redirected || response.status === 511) return { end: 'portal', bytes }
  if (response.status >= 500) return { end: 'http_error', bytes }
  const json = (response.headers.get('content-type') ?? '').includes('json')
  if (!json || length > answer_bytes_max) return { end: 'portal', bytes }
  return response.ok ? null : { end: 'http_error', bytes }
}

function readOwn(text: string): { now: number | null; election: 'ok' | 'down' | null; electionStatus: number | null } | null {
  const body = parsed(text)
  if (typeof body !== 'object' || body === null || !('now' in body)) return null
  const { now, election, electionStatus } = body as { now: unknown; election?: unknown; electionStatus?: unknown }
  const time = typeof now === 'string' ? Date.parse(now) : NaN
  return { now: Number.isFinite(time) ? time : null, election: election === 'ok' || election === 'down' ? election : null, electionStatus: typeof electionStatus === 'number' ? electionStatus : null }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export interface Pings {
  readonly answered: readonly Extract<Ping, { end: 'ok' }>[]
  readonly timeouts: number
  readonly broken: number
  readonly reconnects: number
  readonly bytes: number
  /** Our own deadline left some out. */
  readonly cut: boolean
}

/**
 * Pings in a row over the connection that the first contact made. What ends by `until` (of `tick`) instead of by its own
 * time-out is no loss. A kept connection that had to be made anew although the last ping was answered was cut,
 * which the browser hides from the page by asking again; where every answer came so, something in between
 * merely keeps no connections.
 */
export async function pings(net: Net, options: { readonly count: number; readonly timeoutMs: number; readonly until: number; readonly over: Over }, told: () => void): Promise<Pings> {
  const answered: Extract<Ping, { end: 'ok' }>[] = []
  let [timeouts, broken, anew, bytes, made] = [0, 0, 0, 0, 0]
  let kept = true
  while (made < options.count) {
    const left = options.until - net.tick()
    if (left <= 0) break
    const one = await ping(net, Math.min(left, options.timeoutMs), options.over)
    bytes += one.bytes
    if (one.end === 'ok') {
      answered.push(one)
      if (one.anew && kept) anew++
    } else if (one.end !== 'cut' || left >= options.timeoutMs) {
      timeouts++
      if (one.end !== 'cut') broken++
      // somebody else answers now: the rest would not be round trips to us
      if (one.end === 'portal' || one.end === 'http_error') break
    } else break
    kept = one.end === 'ok'
    made++
    told()
  }
  return { answered, timeouts, broken, reconnects: anew === answered.length ? 0 : anew, bytes, cut: made < options.count }
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

/** 95th percentile by nearest rank: the smallest value that 95 % of them do not exceed. */
export function p95(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? null
}

/**
 * Jitter by RFC 3550, 6.4.1: J += (|D| - J) / 16 from J = 0. There D is the difference of two packets' transit
 * times; one phone alone cannot know those, so D is the difference of successive round-trip times, in their order.
 * @returns ms; null with fewer than two
 */
export function jitter(rttMs: readonly number[]): number | null {
  if (rttMs.length < 2) return null
  let jitter_ms = 0
  for (let i = 1; i < rttMs.length; i++) jitter_ms += (Math.abs((rttMs[i] as number) - (rttMs[i - 1] as number)) - jitter_ms) / 16
  return Math.round(jitter_ms * 100) / 100
}
