import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { seeded } from '@kawal/core/kernel/random.ts'
import { createLink, createPipe, type Link, type Pipe } from './fault-link.ts'

/** What may be wrong with a line. Whatever is left out is well. */
export interface Fault {
  /**
   * `refuse`: nothing listens (RST). `blackhole`: connections open, nothing comes through. `cut`: every connection
   * is destroyed, new ones as soon as they open. `portal`: a log-in page answers each request of HTTP/1.
   * `status`: HTTP/1 is answered with `status` by something in between.
   */
  readonly mode?: 'pass' | 'refuse' | 'blackhole' | 'cut' | 'portal' | 'status'
  /** Each way; the order is kept. The TCP handshake itself is the loopback's: only what is sent is delayed. */
  readonly delay_ms?: number
  readonly upRate_kbps?: number
  readonly downRate_kbps?: number
  /** Both rates at once. */
  readonly rate_kbps?: number
  /** Each connection is destroyed when this many bytes have passed, both ways together, and more were to come. On a line without rate and delay to the byte. */
  readonly dropAfter_bytes?: number
  /** This share of requests is lost (a request: the first bytes of the client, and those that follow an answer). */
  readonly lose_share?: number
  /** Every so many-th request is lost: as `lose_share`, and the same however many come. */
  readonly lose_every?: number
  /** How a request is lost: the connection is destroyed, or falls silent for good. */
  readonly lose?: 'cut' | 'stall'
  readonly seed?: number
  /** `portal`: 302 to this address, or 200 with the page itself where it is left out. */
  readonly portalLocation?: string
  readonly status?: number
  /** Further lines of the head for `portal` and `status`, such as `access-control-allow-origin: *`. */
  readonly headers?: readonly string[]
}

export interface FaultProxy {
  readonly port: number
  /** Replaces the whole fault, for open connections too. Resolves when it holds. */
  set(fault: Fault): Promise<void>
  /** As the client's socket has it: sent by the client, and handed to it. Without TCP's and IP's own headers. */
  bytes(): { readonly up: number; readonly down: number }
  resetBytes(): void
  /** Open now. */
  connections(): number
  /** Opened since the start. */
  accepted(): number
  close(): Promise<void>
}

interface Connection {
  readonly client: Socket
  readonly server: Socket
  readonly up: Pipe
  readonly down: Pipe
  passed_bytes: number
  /** The next bytes of the client begin a request. */
  fresh: boolean
  head: string
  answered: boolean
  stalled: boolean
}

const head_bytes_max = 16_384

/** A TCP proxy on loopback that can be told what to do wrong, below everything that a browser or Node does. */
export async function startFaultProxy(options: { readonly to: { readonly host: string; readonly port: number }; readonly port?: number; readonly fault?: Fault }): Promise<FaultProxy> {
  const connections = createConnections(options.to)
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => connections.accept(client))
  await listen(listener, options.port ?? 0)
  const { port } = listener.address() as AddressInfo
  const set = async (fault: Fault): Promise<void> => {
    connections.set(fault)
    if (fault.mode === 'refuse' && listener.listening) await new Promise<void>((done) => listener.close(() => done()))
    if (fault.mode !== 'refuse' && !listener.listening) await listen(listener, port)
  }
  await set(options.fault ?? {})
  return {
    port, set, bytes: connections.bytes, resetBytes: connections.resetBytes, connections: connections.open, accepted: connections.accepted,
    async close() {
      connections.destroyAll()
      if (listener.listening) await new Promise<void>((done) => listener.close(() => done()))
    },
  }
}

function createConnections(to: { readonly host: string; readonly port: number }) {
  const open = new Set<Connection>()
  const counted = { up: 0, down: 0 }
  let accepted = 0
  let fault: Fault = {}
  let random = seeded(1)
  let requests = 0
  const links: { up: Link; down: Link } = { up: createLink(), down: createLink() }

  const pass = (one: Connection, pipe: Pipe, chunk: Buffer): void => {
    const left_bytes = (fault.dropAfter_bytes ?? Infinity) - one.passed_bytes
    one.passed_bytes += chunk.length
    if (chunk.length <= left_bytes) return pipe.push(chunk)
    if (left_bytes > 0) pipe.push(chunk.subarray(0, left_bytes))
    destroy(one)
  }
  const isLost = (): boolean => (fault.lose_every === undefined ? random() < (fault.lose_share ?? 0) : ++requests % fault.lose_every === 0)
  const fromClient = (one: Connection, chunk: Buffer): void => {
    counted.up += chunk.length
    if (one.stalled) return
    if (fault.mode === 'portal' || fault.mode === 'status') return answer(one, chunk)
    if (one.fresh && isLost()) return fault.lose === 'stall' ? void (one.stalled = true) : destroy(one)
    one.fresh = false
    pass(one, one.up, chunk)
  }
  const answer = (one: Connection, chunk: Buffer): void => {
    if (one.answered) return
    one.head += chunk.toString('latin1').slice(0, head_bytes_max)
    if (!one.head.includes('\r\n\r\n')) return one.head.length > head_bytes_max ? destroy(one) : undefined
    one.answered = true
    one.server.destroy()
    const bytes = Buffer.from(inBetween(fault))
    counted.down += bytes.length
    one.client.end(bytes)
  }
  const accept = (client: Socket): void => {
    accepted++
    if (fault.mode === 'cut') return void client.on('error', () => {}).destroy()
    const server = connect({ ...to, allowHalfOpen: true, noDelay: true })
    client.setNoDelay(true)
    const up = createPipe({ from: client, to: server, link: links.up })
    const down = createPipe({ from: server, to: client, link: links.down, wrote: (bytes) => (counted.down += bytes) })
    const one: Connection = { client, server, up, down, passed_bytes: 0, fresh: true, head: '', answered: false, stalled: false }
    open.add(one)
    client.on('data', (chunk) => fromClient(one, chunk))
    server.on('data', (chunk) => {
      one.fresh = true
      if (!one.stalled) pass(one, down, chunk)
    })
    client.once('end', () => up.end())
    server.once('end', () => down.end())
    // A failure is a failure for both; an orderly end lets what is under way arrive first.
    for (const socket of [client, server]) socket.on('error', () => one.answered || destroy(one))
    client.once('close', () => (server.destroyed || one.answered ? destroy(one) : server.resume()))
    server.once('close', () => client.destroyed && destroy(one))
  }
  const destroy = (one: Connection): void => {
    open.delete(one)
    one.up.stop()
    one.down.stop()
    for (const socket of [one.client, one.server]) {
      // A reset waits for what was written, which a dead line never sends; and libuv resets no socket that is shutting down.
      if (socket.writableEnded || socket.writableLength > 0) socket.destroy()
      else if (!socket.destroyed) socket.resetAndDestroy()
    }
  }

  return {
    accept,
    set(next: Fault): void {
      if (next.seed !== fault.seed) random = seeded(next.seed ?? 1)
    requests = 0
      fault = next
      links.up.set({ delay_ms: next.delay_ms ?? 0, rate_kbps: next.upRate_kbps ?? next.rate_kbps ?? null, held: next.mode === 'blackhole' })
      links.down.set({ delay_ms: next.delay_ms ?? 0, rate_kbps: next.downRate_kbps ?? next.rate_kbps ?? null, held: next.mode === 'blackhole' })
      if (next.mode === 'cut' || next.mode === 'refuse') for (const one of open) destroy(one)
    },
    bytes: () => ({ ...counted }),
    resetBytes: () => void Object.assign(counted, { up: 0, down: 0 }),
    open: () => open.size,
    accepted: () => accepted,
    destroyAll(): void {
      for (const one of open) destroy(one)
    },
  }
}

function inBetween(fault: Fault): string {
  const page = '<!doctype html><html><head><title>Log in</title></head><body><form method="post"><h1>Welcome to this Wi-Fi</h1><input name="voucher"><button>Log in</button></form></body></html>'
  const [line, kind, body] =
    fault.mode === 'status' ? [`${fault.status ?? 503} In between`, 'text/plain', `status ${fault.status ?? 503}`]
    : fault.portalLocation === undefined ? ['200 OK', 'text/html', page]
    : ['302 Found', 'text/html', '']
  const location = fault.mode === 'portal' && fault.portalLocation !== undefined ? [`location: ${fault.portalLocation}`] : []
  return [`HTTP/1.1 ${line}`, `content-type: ${kind}`, `content-length: ${Buffer.byteLength(body)}`, 'connection: close', ...location, ...(fault.headers ?? []), '', body].join('\r\n')
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed)
      done()
    })
  })
