import { STATUS_CODES, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { body_bytes_max, type Admitted, type Door, type Reply } from './door.ts'
import { readHead } from './read-head.ts'

interface WireNeeds {
  readonly door: Door
  /** ms since 1970, for the answers' dates. */
  readonly clock: () => number
  /** ms of a clock that nobody sets. */
  readonly now: () => number
  readonly limits?: Partial<typeof limits>
}

/** One connection, and what has come of the request under way. */
interface Line {
  readonly socket: Socket
  readonly remote: string
  /** Bytes that are not used up, and how many they are. */
  chunks: Buffer[]
  held: number
  /** Of the request whose head is read: where its body stands in what is held; -1 while no head is read. */
  bodyFrom: number
  bodyTo: number
  /** Null where it was refused already: its body is let go by. */
  admitted: Admitted | null
  /** The last request has no answer yet: the next waits for it. */
  owed: boolean
  busy: boolean
  ended: boolean
  /** When it began to be idle, or this request began to come, by `now`. */
  since: number
  readonly reply: Reply
  /** What it listens to; the socket has listeners of others too. */
  listeners: Readonly<Record<string, (chunk: Buffer) => void>>
}

export const limits = {
  /** A connection that is kept for a phone's next report, as long as server/src/connections.ts keeps Node's. */
  idle_ms: 15 * 60_000,
  /** A request has come as a whole within this. */
  request_ms: 120_000,
  /** Above it, idle connections make room. */
  crowded: 30_000,
  sweep_ms: 10_000,
}
/** What may wait of requests that come before the last is answered, and of answers that nobody reads. */
const waiting_bytes_max = 65_536
const nothing: Buffer[] = []

/**
 * Reads reports off connections of plain HTTP/1.1 by itself, as a proxy in front that ended TLS sends them: Node's way
 * from a connection to a request and back takes half of what a report may cost (docs/decisions/0032-journal-of-segments.md).
 * At the first request that is anything else, or odd in any way, the connection goes to Node with all that has come of
 * it, and stays there.
 */
export function createWire(server: Server, needs: WireNeeds) {
  const max = { ...limits, ...needs.limits }
  const lines = new Set<Line>()
  const [toNode] = server.listeners('connection') as ((socket: Socket) => void)[]
  if (toNode === undefined) throw new Error('a server of Node listens to its own connections')
  const headOf = headWriter(needs.clock, Math.round(max.idle_ms / 1000))
  let clearedAt = -Infinity
  let closed = false

  function handOver(line: Line, rest: Buffer): void {
    const { socket } = line
    lines.delete(line)
    for (const [event, listener] of Object.entries(line.listeners)) socket.removeListener(event, listener)
    socket.pause()
    toNode?.call(server, socket)
    if (rest.length > 0) socket.unshift(rest)
    socket.resume()
  }
  /** As many requests as are whole, one after the answer of the other. */
  function advance(line: Line): void {
    if (line.busy) return
    line.busy = true
    while (!line.owed && line.held > 0 && line.socket.writableLength < waiting_bytes_max && line.held >= line.bodyTo) {
      const bytes = line.chunks.length === 1 ? (line.chunks[0] as Buffer) : Buffer.concat(line.chunks)
      line.chunks = [bytes]
      if (line.bodyFrom >= 0) takeBody(line, bytes)
      else if (!readOn(line, bytes)) break
    }
    line.busy = false
    if (line.ended && !line.owed && lines.has(line)) line.socket.end()
  }
  /** @returns whether there is more to do with what is held */
  function readOn(line: Line, bytes: Buffer): boolean {
    const head = readHead(bytes, line.remote)
    if (head === 'more') return false
    if (head === 'odd' || head.asked.length > body_bytes_max) {
      handOver(line, bytes)
      return false
    }
    line.bodyFrom = head.bodyFrom
    line.bodyTo = head.bodyFrom + head.asked.length
    line.admitted = needs.door.admit(head.asked, line.reply)
    return true
  }
  function takeBody(line: Line, bytes: Buffer): void {
    const { admitted, bodyFrom, bodyTo } = line
    line.held = bytes.length - bodyTo
    line.chunks = line.held === 0 ? nothing : [bytes.subarray(bodyTo)]
    line.bodyFrom = -1
    line.bodyTo = 0
    line.admitted = null
    line.since = needs.now()
    if (admitted === null) return
    line.owed = true
    needs.door.take(admitted, bytes.subarray(bodyFrom, bodyTo), line.reply)
  }
  function came(line: Line, chunk: Buffer): void {
    if (line.held === 0) line.since = needs.now()
    if (line.held === 0) line.chunks = [chunk]
    else line.chunks.push(chunk)
    line.held += chunk.length
    advance(line)
    if (line.owed && line.held > waiting_bytes_max) line.socket.pause()
  }
  function open(socket: Socket): void {
    const line: Line = {
      socket, remote: socket.remoteAddress ?? '', chunks: nothing, held: 0, bodyFrom: -1, bodyTo: 0, admitted: null, owed: false, busy: false, ended: false, since: needs.now(), listeners: {},
      reply(status, type, body, pause_s, closing) {
        line.owed = false
        if (socket.writable) socket.write(headOf(status, type, body.length, pause_s, closing) + body, 'latin1')
        if (closing) return void socket.end()
        if (socket.isPaused()) socket.resume()
        advance(line)
      },
    }
    lines.add(line)
    line.listeners = {
      data: (chunk) => came(line, chunk),
      drain: () => advance(line),
      end() {
        line.ended = true
        advance(line)
      },
      // A line that breaks ends itself; what it was owed is on disk, and will be sent again.
      error: () => undefined,
      close: () => lines.delete(line),
    }
    for (const [event, listener] of Object.entries(line.listeners)) socket.on(event, listener)
  }
  const isIdle = (line: Line): boolean => !line.owed && line.held === 0
  function sweep(): void {
    const now = needs.now()
    for (const line of lines) {
      if (now - line.since <= (isIdle(line) ? max.idle_ms : max.request_ms) || line.owed) continue
      if (!isIdle(line) && line.socket.writable) line.socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', 'latin1')
      line.socket.destroySoon()
    }
  }
  server.removeListener('connection', toNode)
  server.on('connection', (socket: Socket) => {
    if (closed) return void toNode.call(server, socket)
    open(socket)
    if (lines.size <= max.crowded || needs.now() - clearedAt < max.sweep_ms) return
    clearedAt = needs.now()
    for (const line of lines) if (isIdle(line) && line.socket !== socket) line.socket.destroy()
  })
  const sweeping = setInterval(sweep, max.sweep_ms)
  sweeping.unref()
  return {
    sweep,
    open: (): number => lines.size,
    close(): void {
      closed = true
      clearInterval(sweeping)
      for (const line of lines) line.socket.destroy()
    },
  }
}

/** Writes the head of an answer with the fields that Node gives one too. Most of it is made once a second. */
function headWriter(clock: () => number, idle_s: number): (status: number, type: string, length: number, pause_s: number | undefined, closing: boolean) => string {
  let second = -1
  let date = ''
  const starts = new Map<string, string>()
  const startOf = (status: number, type: string): string => {
    const name = `${status}${type}`
    let start = starts.get(name)
    if (start === undefined) starts.set(name, (start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${type}\r\nx-content-type-options: nosniff\r\n`))
    return start
  }
  return (status, type, length, pause_s, closing) => {
    const now = Math.floor(clock() / 1000)
    if (now !== second) {
      second = now
      date = new Date(now * 1000).toUTCString()
    }
    return `${startOf(status, type)}content-length: ${length}\r\n${pause_s === undefined ? '' : `retry-after: ${pause_s}\r\n`}Date: ${date}\r\n${closing ? 'Connection: close' : `Connection: keep-alive\r\nKeep-Alive: timeout=${idle_s}`}\r\n\r\n`
  }
}
