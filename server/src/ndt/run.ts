import { randomBytes, randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Direction } from './admission.ts'

/** Times of a test, ms. The specification has 10,000 of measuring, at most 13,000 in all, a measurement each 250. */
export interface Times { readonly duration_ms: number; readonly linger_ms: number; readonly measure_ms: number }
export const spec_times: Times = { duration_ms: 10_000, linger_ms: 3_000, measure_ms: 250 }

/** What ended a test; `reports`: reports had to wait. */
export type End = 'time' | 'bytes' | 'client' | 'reports' | 'protocol'

interface Run {
  readonly ws: WebSocket
  /** The one beneath: its bytes are counted, since a message may be 16 MB and take seconds. */
  readonly socket: Socket
  readonly bytes_max: number
  readonly times: Times
  readonly now: () => number
  readonly reportsWait: () => boolean
}

/** ndt7 0.11, "Measurement message". Numbers of bytes are of the application: without frames, TLS and TCP. */
export interface Measurement {
  readonly AppInfo: { readonly ElapsedTime: number; readonly NumBytes: number }
  /** The caller's own address, told to the caller alone: it is not kept. */
  readonly ConnectionInfo: { readonly Client: string; readonly Server: string; readonly UUID: string; readonly StartTime: string }
  readonly Origin: 'server'
  readonly Test: Direction
}

const message_bytes_first = 1 << 13
/** No binary message may be smaller. */
const sent_bytes_min = 1 << 10
const message_bytes_max = 1 << 20
/** The last measurement and the closing frame, which belong to the bytes of a test as well. */
const end_bytes = 1_024
/**
 * An upload that has used its bytes is told so, nothing more is read, and this later it is cut: time for the closing
 * frame to arrive over a satellite. What the line brings meanwhile is reckoned in, up to a third of the bytes.
 */
const cut_ms = 400
const cut_share_max = 1 / 3
/** More than the longest header of a frame, with its mask (RFC 6455, section 5.2). */
const frame_bytes_max = 14
let filler: Buffer | null = null

/** Sends until time or bytes are over. @returns what ended it, when the connection is closed */
export function runDownload(run: Run): Promise<End> {
  const { ws, bytes_max } = run
  const block = (filler ??= randomBytes(message_bytes_max))
  let size = message_bytes_first
  let sent = 0
  let spent = 0
  const test = startTest(run, 'download', () => sent - ws.bufferedAmount, (text) => {
    spent += text.length + frame_bytes_max
    return spent <= bytes_max
  })
  ws.on('message', (_, binary) => binary && test.end('protocol'))
  const pump = (): void => {
    if (test.over() || ws.bufferedAmount > 2 * size) return
    const bytes = Math.min(size, bytes_max - spent - end_bytes - frame_bytes_max)
    if (bytes < sent_bytes_min) return test.end('bytes')
    sent += bytes
    spent += bytes + frame_bytes_max
    // The size doubles when it is under a sixteenth of what was sent: slow lines see small messages alone.
    if (size < message_bytes_max && size < sent / 16) size *= 2
    ws.send(block.subarray(0, bytes), { binary: true, compress: false }, (error) => error instanceof Error || pump())
  }
  pump()
  return test.ended
}

/** Counts what comes until time or bytes are over. */
export function runUpload(run: Run): Promise<End> {
  const { ws, socket, bytes_max } = run
  let received = 0
  let messages = 0
  const test = startTest(run, 'upload', () => Math.max(0, received - frame_bytes_max * (messages + 1)), () => true)
  ws.on('message', () => messages++)
  const started = run.now()
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
    const coming = Math.min((received / Math.max(1, run.now() - started)) * cut_ms, bytes_max * cut_share_max)
    if (received + coming < bytes_max || ws.isPaused) return
    test.end('bytes')
    ws.pause()
    setTimeout(() => ws.terminate(), cut_ms)
  })
  return test.ended
}

/** What both have: a clock, measurements, and an end. */
function startTest(run: Run, direction: Direction, bytes: () => number, mayTell: (text: string) => boolean) {
  const { ws, socket, times, now } = run
  const connection = { Client: endpoint(socket.remoteAddress, socket.remotePort), Server: endpoint(socket.localAddress, socket.localPort), UUID: randomUUID(), StartTime: new Date().toISOString() }
  const started = now()
  let found: End | null = null
  const tell = (): void => {
    const told: Measurement = { AppInfo: { ElapsedTime: Math.max(1, Math.round((now() - started) * 1000)), NumBytes: bytes() }, ConnectionInfo: connection, Origin: 'server', Test: direction }
    const text = JSON.stringify(told)
    if (mayTell(text)) ws.send(text, { compress: false }, () => {})
  }
  const measuring = setInterval(() => (run.reportsWait() ? end('reports') : tell()), times.measure_ms)
  const timer = setTimeout(() => end('time'), times.duration_ms)
  let lingering: NodeJS.Timeout | undefined
  function end(why: End): void {
    if (found !== null) return
    found = why
    clearInterval(measuring)
    clearTimeout(timer)
    if (why === 'protocol') return ws.terminate()
    tell()
    ws.close(1000)
    lingering = setTimeout(() => ws.terminate(), times.linger_ms)
  }
  const ended = new Promise<End>((done) => {
    ws.on('error', () => ws.terminate())
    ws.once('close', () => {
      found ??= 'client'
      clearInterval(measuring)
      clearTimeout(timer)
      clearTimeout(lingering)
      done(found)
    })
  })
  return { end, ended, over: () => found !== null || ws.readyState !== ws.OPEN }
}

function endpoint(address: string | undefined, port: number | undefined): string {
  const plain = (address ?? '').replace(/^::ffff:/, '')
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
