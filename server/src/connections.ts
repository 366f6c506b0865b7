import type { Server } from 'node:http'
import { constants, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { FastifyInstance, RouteOptions } from 'fastify'

/**
 * A phone reports every 5 minutes, give or take 20 %. A connection that is kept until the next report saves it a
 * TLS handshake (3 to 5 KB with the certificate, two round trips), and headers that were sent before cost a byte
 * each (HPACK, RFC 7541). So idle connections live for longer than two such intervals.
 */
const idle_ms = 15 * 60_000
/** An idle TLS connection takes about 40 KB of memory. Beyond this many, the one that was idle longest makes room. */
const idle_sessions_max = 20_000
/** HTTP/2's own 64 KB (RFC 9113, section 6.9.2) would hold an upload test of 75 KB up for a round trip, and time the window in place of the line. */
const window_bytes = 262_144
/** HTTP/1 and HTTP/2 together: above it, new connections are refused by closing them. */
const connections_max = 40_000
/** Above it, idle connections of HTTP/1 make room: phones use HTTP/2. */
const crowded_from = 30_000
/** A request has come as a whole within this, or is over: 75 KB take 60 s at 10 kbit/s. Who sends a byte now and then would hold a place for good. */
const request_ms_max = 120_000

/** HTTP/2 where there is TLS, with HTTP/1.1 beside it: WebSockets and old clients use that. Without TLS, on loopback or behind a proxy, HTTP/1.1. */
export function protocol(tls: { readonly cert: Buffer; readonly key: Buffer } | undefined): object {
  if (tls === undefined) return { keepAliveTimeout: idle_ms, requestTimeout: request_ms_max }
  return { http2: true, http2SessionTimeout: idle_ms, https: { ...tls, allowHTTP1: true, keepAliveTimeout: idle_ms, requestTimeout: request_ms_max, settings: { initialWindowSize: window_bytes, maxConcurrentStreams: 128 } } }
}

/** Bounds what idle phones may hold open, and who never ends a request. */
export function boundConnections(app: FastifyInstance, { sessions_max = idle_sessions_max, request_ms = request_ms_max, crowded = crowded_from } = {}): void {
  const server = app.server as Server | Http2SecureServer
  // Fastify closes a connection whose body it could not read; HTTP/2 has no such header, and needs none (RFC 9113, section 8.2.2).
  app.addHook('onError', (request, reply, _, done) => {
    if (request.raw.httpVersionMajor === 2) reply.removeHeader('connection')
    done()
  })
  server.maxConnections = connections_max
  let open = 0
  server.on('connection', (socket: Socket) => {
    open++
    socket.once('close', () => open--)
    if (open > crowded) (server as Server).closeIdleConnections()
  })
  // In the order of their last request.
  const sessions = new Map<ServerHttp2Session, { streams: number }>()
  server.on('session', (session: ServerHttp2Session) => {
    session.setLocalWindowSize(window_bytes)
    const use = { streams: 0 }
    sessions.set(session, use)
    session.on('stream', (stream, _, flags) => {
      use.streams++
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) endInTime(stream, request_ms)
      sessions.delete(session)
      sessions.set(session, use)
      stream.once('close', () => use.streams--)
    })
    session.once('close', () => sessions.delete(session))
    if (sessions.size <= sessions_max) return
    for (const [idle, { streams }] of sessions) {
      if (streams > 0 || idle === session) continue
      sessions.delete(idle)
      return idle.close()
    }
  })
}

/** Node bounds the time of a request over HTTP/1 alone. */
function endInTime(stream: ServerHttp2Stream, request_ms: number): void {
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), request_ms)
  for (const event of ['end', 'close']) stream.once(event, () => clearTimeout(timer))
}

/** Addresses that officers' phones ask, each with what its route is called. */
export const ofPhones = /^\/v1\/(ping|probe|reports|devices|position|problems|sigmon|packs)\b|^\/(v2\/nearest|ndt\/v7)\//

/**
 * Answers to phones carry no page headers: policies for content, frames and origins mean nothing for JSON that no
 * page shows. They would cost 1.1 KB an answer over HTTP/1.1, and as much on each new connection of HTTP/2.
 * `nosniff` stays: it keeps a browser from taking an answer for a page.
 */
export function leanAnswers(app: FastifyInstance): void {
  app.addHook('onRoute', (route: RouteOptions & { helmet?: unknown }) => {
    if (!ofPhones.test(route.url)) return
    route.helmet = false
    route.onRequest = [
      (_, reply, done) => {
        void reply.header('x-content-type-options', 'nosniff')
        done()
      },
      ...[route.onRequest ?? []].flat(),
    ]
  })
}
