import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import type { Budget, Spend } from './budget.ts'
import { costAtMost, costOf, fullTestAtMost, socketAtMost } from './cost.ts'
import { within, type Net } from './net.ts'
import { newest, plain } from './probe.ts'

/**
 * A client of ndt7 (M-Lab's ndt-server, protocol 0.11): a download, then an upload, each over a WebSocket of
 * its own, within bytes that the server holds it to by its admission token. Loaded when an officer asks for it.
 */
export interface FullTested {
  readonly downKbps: number | null
  /** As the server counts it: a phone knows only when it handed bytes to its own system. */
  readonly upKbps: number | null
  readonly minRttMs: number | null
  readonly bytes: number
  /** `busy`: the platform has no place for a test now, reports come first; told when asked, or by taking no WebSocket right after. `offline`: it does not answer. */
  readonly refused: Spend | 'busy' | 'offline' | null
}
type FullTestProgress = (phase: 'down' | 'up', kbps: number | null, bytes: number) => void

const protocol = 'net.measurementlab.ndt.v7'
const locate_ms_max = 8_000
/** Of each way; the spec gives a test ten seconds and lets it be ended after thirteen. */
const way_ms_max = 13_000
const told_every_ms = 250
const message_bytes_first = 8_192
const message_bytes_max = 131_072
/** The first second is the connection's opening of its window. */
const settled_ms = 1_000

export async function fullTest(net: Net, config: SigmonConfig, options: { readonly budget: Budget; readonly agreed?: boolean }, progress: FullTestProgress): Promise<FullTested> {
  const nothing = { downKbps: null, upKbps: null, minRttMs: null, bytes: 0 }
  const most = fullTestAtMost(net.origin, config.budget.fullTestBytes)
  const reserved = await options.budget.reserve(most, 'large', options.agreed)
  if (typeof reserved === 'string') return { ...nothing, refused: reserved }
  const way_bytes = Math.floor(config.budget.fullTestBytes / 2)
  const place = await locate(net, way_bytes)
  if (typeof place.urls === 'string') {
    await reserved.settle(place.bytes)
    return { ...nothing, bytes: place.bytes, refused: place.urls }
  }
  const down = await download(net, place.urls.download, way_bytes, (kbps, bytes) => progress('down', kbps, bytes))
  const up = await upload(net, place.urls.upload, way_bytes, (kbps, bytes) => progress('up', kbps, down.bytes + bytes))
  const bytes = Math.min(most, place.bytes + down.bytes + up.bytes)
  await reserved.settle(bytes)
  const trips = [down.minRttMs, up.minRttMs].filter((each) => each !== null)
  return { downKbps: down.kbps, upKbps: up.kbps, minRttMs: trips.length === 0 ? null : Math.min(...trips), bytes, refused: down.opened || up.opened ? null : 'busy' }
}

/** M-Lab's Locate API v2: where to test, with a token for each way; 204 and 429 mean that there is no place. */
async function locate(net: Net, bytes_max: number): Promise<{ readonly urls: { readonly download: string; readonly upload: string } | 'busy' | 'offline'; readonly bytes: number }> {
  const url = `${net.origin}/v2/nearest/ndt/ndt7?client_name=sigmon&bytes_max=${bytes_max}`
  const began = net.tick()
  const { value } = await within(net, locate_ms_max, async (signal) => {
    const answer = await net.fetch(url, { ...plain, redirect: 'error', signal })
    return { status: answer.status, text: await answer.text() }
  })
  if (value === null) return { urls: 'offline', bytes: costAtMost(url) }
  const bytes = costOf(url, newest(net, url, began), { down: value.text.length })
  if (value.status === 204 || value.status === 429 || value.status === 503) return { urls: 'busy', bytes }
  return { urls: (value.status === 200 ? urlsIn(value.text, net.origin.startsWith('https:') ? 'wss' : 'ws') : null) ?? 'offline', bytes }
}

function urlsIn(text: string, scheme: 'ws' | 'wss'): { download: string; upload: string } | null {
  try {
    const { results } = JSON.parse(text) as { results?: { urls?: Record<string, unknown> }[] }
    const urls = results?.[0]?.urls ?? {}
    const [download, upload] = [urls[`${scheme}:///ndt/v7/download`], urls[`${scheme}:///ndt/v7/upload`]]
    return typeof download === 'string' && typeof upload === 'string' ? { download, upload } : null
  } catch {
    return null
  }
}

interface Way { readonly kbps: number | null; readonly minRttMs: number | null; readonly bytes: number; readonly opened: boolean }
type Told = (kbps: number | null, bytes: number) => void

interface Socket { readonly opened: boolean; readonly ended: Promise<void>; end(): void; send(message: Uint8Array<ArrayBuffer>): void; waiting(): number }

/** A socket that ends by itself: closed, failed, or when its time is up. */
function open(net: Net, url: string, on: { opened(): void; binary(bytes: number): void; text(text: string): void }): Socket | null {
  if (net.WebSocket === undefined) return null
  const socket = new net.WebSocket(url, protocol)
  socket.binaryType = 'arraybuffer'
  let opened = false
  let finish = (): void => {}
  const ended = new Promise<void>((done) => (finish = done))
  const stop = net.timer(way_ms_max, () => end())
  const end = (): void => {
    stop()
    socket.close()
    finish()
  }
  socket.onopen = () => {
    opened = true
    on.opened()
  }
  socket.onmessage = ({ data }) => (typeof data === 'string' ? on.text(data) : on.binary((data as ArrayBuffer).byteLength))
  socket.onclose = end
  socket.onerror = end
  return { get opened() { return opened }, ended, end, send: (message) => socket.send(message), waiting: () => socket.bufferedAmount }
}

async function download(net: Net, url: string, cap_bytes: number, told: Told): Promise<Way> {
  let [first_at, last_at, first, got, text_bytes, told_at] = [0, 0, 0, 0, 0, 0]
  let minRttMs: number | null = null
  const rate = (): number | null => (last_at > first_at && got > first ? Math.round(((got - first) * 8) / (last_at - first_at)) : null)
  const socket = open(net, url, {
    opened: () => {},
    binary(bytes) {
      last_at = net.tick()
      if (got === 0) [first_at, first] = [last_at, bytes]
      got += bytes
      // the server stops there by itself; a stranger's might not
      if (got > cap_bytes) socket?.end()
      if (last_at - told_at < told_every_ms) return
      told_at = last_at
      told(rate(), got)
    },
    text(text) {
      text_bytes += text.length
      minRttMs = readMeasurement(text).minRttMs ?? minRttMs
    },
  })
  if (socket === null) return { kbps: null, minRttMs: null, bytes: 0, opened: false }
  await socket.ended
  told(rate(), got)
  return { kbps: rate(), minRttMs, bytes: socketAtMost(url, Math.min(cap_bytes, got), text_bytes), opened: socket.opened }
}

async function upload(net: Net, url: string, cap_bytes: number, told: Told): Promise<Way> {
  const seen: { readonly bytes: number; readonly ms: number }[] = []
  let [sent, text_bytes] = [0, 0]
  let message = new Uint8Array(message_bytes_first)
  let minRttMs: number | null = null
  /** Keeps little in hand, so that a slow line is not filled for minutes, and sends no byte beyond the cap. */
  const pump = (): void => {
    while (sent < cap_bytes && socket !== null && socket.waiting() < 2 * message.length) {
      const piece = message.subarray(0, cap_bytes - sent)
      socket.send(piece)
      sent += piece.length
      if (message.length < message_bytes_max && sent > 16 * message.length) message = new Uint8Array(2 * message.length)
    }
  }
  let stop = (): void => {}
  const turn = (): void => {
    pump()
    stop = net.timer(10, turn)
  }
  const socket = open(net, url, {
    opened: turn,
    binary: () => {},
    text(text) {
      text_bytes += text.length
      const now = readMeasurement(text)
      minRttMs = now.minRttMs ?? minRttMs
      if (now.bytes === null || now.ms === null) return
      seen.push({ bytes: now.bytes, ms: now.ms })
      told(uploadRate(seen), sent)
      // a server may count without its frames, to a few bytes
      if (sent >= cap_bytes && now.bytes >= sent * 0.98) socket?.end()
    },
  })
  if (socket === null) return { kbps: null, minRttMs: null, bytes: 0, opened: false }
  await socket.ended
  stop()
  return { kbps: uploadRate(seen), minRttMs, bytes: socketAtMost(url, sent, text_bytes), opened: socket.opened }
}

/**
 * The server's count over the server's time. Once everything is there the count stands still while time goes on: the
 * newest in which it still moved is the one to take. Without its first second, where there is more.
 */
export function uploadRate(seen: readonly { readonly bytes: number; readonly ms: number }[]): number | null {
  const moving = seen.filter((each, at) => each.bytes > (seen[at - 1]?.bytes ?? 0))
  const end = moving[moving.length - 1]
  const last = moving.length > 1 && end?.bytes === seen[seen.length - 1]?.bytes ? moving[moving.length - 2] : end
  if (last === undefined || last.ms <= 0) return null
  const settled = moving.find((each) => each.ms >= settled_ms && each.ms + settled_ms <= last.ms)
  return Math.round(settled === undefined ? (last.bytes * 8) / last.ms : ((last.bytes - settled.bytes) * 8) / (last.ms - settled.ms))
}

/** AppInfo and TCPInfo are in bytes and microseconds. */
function readMeasurement(text: string): { bytes: number | null; ms: number | null; minRttMs: number | null } {
  const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null)
  try {
    const { AppInfo, TCPInfo } = JSON.parse(text) as { AppInfo?: { NumBytes?: unknown; ElapsedTime?: unknown } | null; TCPInfo?: { MinRTT?: unknown } | null }
    const [elapsed_us, rtt_us] = [number(AppInfo?.ElapsedTime), number(TCPInfo?.MinRTT)]
    return { bytes: number(AppInfo?.NumBytes), ms: elapsed_us === null ? null : elapsed_us / 1_000, minRttMs: rtt_us === null || rtt_us === 0 ? null : rtt_us / 1_000 }
  } catch {
    return { bytes: null, ms: null, minRttMs: null }
  }
}
