import { costAtMost, costOf } from './cost.ts'
import { within, type Net } from './net.ts'
import { newest, plain, type Over } from './probe.ts'

/** Each way begins with a piece that even a poor line carries in seconds, which also opens the connection's window. */
const first_down_bytes = 16_000
const first_up_bytes = 8_000
/** The second piece is sized to take this long at the first one's rate. */
const second_ms = 1_500
/** Shorter than this, a transfer says more of clocks and buffers than of the line. */
const transfer_ms_least = 20
/** Chunks that come without a pause were waiting in a buffer. */
const chunks_least = 3

interface Down { readonly kbps: number | null; readonly bytes: number; readonly cut: boolean }
interface Up extends Down { readonly atMostKbps: number | null }

const downUrl = (net: Net, bytes: number): string => `${net.origin}/v1/probe/down?bytes=${bytes}`
const upUrl = (net: Net): string => `${net.origin}/v1/probe/up`
/** Both ways are done in at most two requests. */
export const downAtMost = (net: Net, cap_bytes: number): number => 2 * costAtMost(downUrl(net, 0)) + costAtMost(downUrl(net, 0), { down: cap_bytes })
export const upAtMost = (net: Net, cap_bytes: number): number => costAtMost(upUrl(net)) + costAtMost(upUrl(net), { up: cap_bytes })

/**
 * Download rate: a streamed answer, timed from its first chunk to its last, over the bytes behind the first. Null where
 * that would be a guess: an answer in one piece, or in no time. A slow line gets the first piece only.
 */
export async function down(net: Net, cap_bytes: number, until: number, over: Over): Promise<Down> {
  const first = await read(net, Math.min(first_down_bytes, cap_bytes), until, over)
  const rest = Math.min(cap_bytes - first_down_bytes, sized(first.kbps, first.ms))
  if (first.cut || first.failed || rest < first_down_bytes || net.tick() >= until) return { kbps: first.kbps, bytes: first.bytes, cut: first.cut }
  const second = await read(net, rest, until, over)
  return { kbps: second.kbps ?? first.kbps, bytes: first.bytes + second.bytes, cut: second.cut }
}

/** Bytes for the second piece. A first one without a rate was too quick to tell, if it was quick: then all there is. */
const sized = (kbps: number | null, ms: number): number => (kbps !== null ? Math.round((kbps * second_ms) / 8) : ms < second_ms ? Infinity : 0)

async function read(net: Net, bytes: number, until: number, over: Over): Promise<{ kbps: number | null; ms: number; bytes: number; cut: boolean; failed: boolean }> {
  const url = downUrl(net, bytes)
  const began = net.tick()
  let [first_at, last_at, first, got, chunks] = [0, 0, 0, 0, 0]
  const { value, cut } = await within(net, until - began, async (signal) => {
    const response = await net.fetch(url, { ...plain, credentials: over, redirect: 'error', signal })
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`)
    const reader = response.body.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      last_at = net.tick()
      if (chunks++ === 0) [first_at, first] = [last_at, next.value.length]
      got += next.value.length
    }
    return true
  })
  const ms = last_at - first_at
  const kbps = chunks >= chunks_least && ms >= transfer_ms_least ? Math.round(((got - first) * 8) / ms) : null
  return { kbps, ms: net.tick() - began, bytes: value === null ? costAtMost(url, { down: bytes }) : costOf(url, newest(net, url, began), { down: got }), cut, failed: value === null && !cut }
}

/**
 * Upload rate as the server times it, but never above what the phone's own clock allows: the bytes over the
 * time from the request to the answer less one round trip (the shortest that was seen), which is never
 * less than the line needed. A phone alone knows only when it handed bytes to its own system.
 */
export async function up(net: Net, cap_bytes: number, minRttMs: number, until: number, over: Over): Promise<Up> {
  const first = await send(net, Math.min(first_up_bytes, cap_bytes), minRttMs, until, over)
  const rest = Math.min(cap_bytes - first_up_bytes, sized(first.kbps ?? first.atMostKbps, first.ms))
  if (first.cut || first.failed || rest < first_up_bytes || net.tick() >= until) return { kbps: first.kbps, atMostKbps: first.atMostKbps, bytes: first.bytes, cut: first.cut }
  const second = await send(net, rest, minRttMs, until, over)
  const better = second.kbps !== null || (second.atMostKbps !== null && first.kbps === null) ? second : first
  return { kbps: better.kbps, atMostKbps: better.atMostKbps, bytes: first.bytes + second.bytes, cut: second.cut }
}

async function send(net: Net, bytes: number, minRttMs: number, until: number, over: Over): Promise<Up & { readonly failed: boolean; readonly ms: number }> {
  const url = upUrl(net)
  const began = net.tick()
  const { value, cut } = await within(net, until - began, async (signal) => {
    const response = await net.fetch(url, { ...plain, credentials: over, redirect: 'error', method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: noise(bytes), signal })
    const elapsed_ms = net.tick() - began
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    const { kbps } = (await response.json()) as { kbps: unknown }
    return { elapsed_ms, kbps: typeof kbps === 'number' && kbps >= 0 ? kbps : null }
  })
  const entry = newest(net, url, began)
  const timed_ms = value !== null && entry !== undefined && entry.requestStart > 0 ? entry.responseStart - entry.requestStart : (value?.elapsed_ms ?? net.tick() - began)
  const own_ms = Math.max(timed_ms - minRttMs, 0)
  // What the time cut off has carried less than this; an error says nothing of the rate.
  const bound = (value !== null || cut) && own_ms >= transfer_ms_least ? Math.round((bytes * 8) / own_ms) : null
  const kbps = value?.kbps ?? null
  return {
    kbps: kbps === null ? null : Math.round(Math.min(kbps, (bytes * 8) / Math.max(own_ms, 1))), atMostKbps: bound, ms: net.tick() - began,
    bytes: value === null ? costAtMost(url, { up: bytes }) : costOf(url, entry, { up: bytes, down: 200 }), cut, failed: value === null && !cut,
  }
}

/** Bytes that nothing on the way can make smaller. Reproducible: there is no secret in them. */
function noise(bytes: number): Uint8Array<ArrayBuffer> {
  const filled = new Uint8Array(bytes)
  let state = 0x9e3779b9
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    filled[i] = state
  }
  return filled
}
