import { Server, type IncomingMessage, type ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { body_bytes_max, createDoor, type Door, type DoorNeeds, type Reply } from './door.ts'
import { addressReader } from './networks.ts'
import { createWire } from './wire.ts'

interface MeasurementDependencies extends Pick<DoorNeeds, 'secret' | 'clock' | 'ingest' | 'networkOperator'> {
  /** Addresses of the proxies in front. */
  readonly trustProxy?: readonly string[]
}

const path = '/v1/reports'
type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** Reports come in JSON or in the compact form, and are answered in the same. */
export function measurementRoutes(app: FastifyInstance, needs: MeasurementDependencies): void {
  const door = createDoor({ ...needs, addressOf: addressReader(needs.trustProxy ?? []), failed: (error, reference) => app.log.error({ err: error, reference }) })
  const listener = listenerOf(door)
  // The same address by the framework's way, for requests that are put in without a socket. In a scope of its own: no other takes every type.
  void app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (__, ___, parsed) => parsed(null))
    scope.post(path, (request, reply) => {
      reply.hijack()
      listener(request.raw, reply.raw)
    })
    done()
  })
  let close = (): void => undefined
  app.addHook('onReady', (done) => {
    inFront(app, listener)
    // With TLS, HTTP/2 comes too: that is Node's to read.
    if (app.server instanceof Server) ({ close } = createWire(app.server, { door, clock: needs.clock, now: () => performance.now() }))
    done()
  })
  app.addHook('preClose', (done) => {
    close()
    done()
  })
}

/** Puts a listener in front of the framework, for its one address: the framework's way to a route takes as long as all that is done there. */
function inFront({ server }: FastifyInstance, listener: Listener): void {
  const others = server.listeners('request') as Listener[]
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'POST' && request.url === path) return listener(request, response)
    for (const other of others) other(request, response)
  })
}

function listenerOf(door: Door): Listener {
  return (request, response) => {
    const reply: Reply = (status, type, body, pause_s, closing) => {
      if (response.headersSent || response.destroyed) return
      const head: Readonly<Record<string, string | number>> = {
        'content-type': type, 'content-length': body.length, 'x-content-type-options': 'nosniff', ...(pause_s === undefined ? {} : { 'retry-after': pause_s }),
        // HTTP/2 has no such header, and needs none (RFC 9113, section 8.2.2).
        ...(closing && request.httpVersionMajor === 1 ? { connection: 'close' } : {}),
      }
      response.writeHead(status, head)
      response.end(body, 'latin1')
    }
    const { authorization, 'content-type': type, 'content-length': length, 'x-forwarded-for': forwarded } = request.headers
    const admitted = door.admit({ authorization, type, length: Number(length), remote: request.socket.remoteAddress ?? '', forwarded: forwarded === undefined ? undefined : String(forwarded) }, reply)
    if (admitted === null) return
    collect(request, (body) => (body === null ? door.tooLarge(reply) : door.take(admitted, body, reply)))
  }
}

/** @param found null when there are more bytes than may be; not called when the line breaks first */
function collect(request: IncomingMessage, found: (body: Buffer | null) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
    chunks.push(chunk)
    if (length <= body_bytes_max) return
    request.removeAllListeners('data')
    request.removeAllListeners('end')
    // what comes still is let go by
    request.resume()
    found(null)
  })
  request.on('end', () => found(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
  request.on('error', () => undefined)
}
