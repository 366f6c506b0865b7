import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { problem } from '@kawal/contract/problem.ts'
import type { Located } from '@kawal/contract/ndt.ts'
import { ProblemError } from '../problem.ts'
import type { Admission, Direction, Refused } from './admission.ts'
import { runDownload, runUpload, spec_times, type End, type Times } from './run.ts'

interface NdtNeeds {
  readonly admission: Admission
  readonly times?: Times | undefined
  readonly reportsWait: () => boolean
  readonly ended: (direction: Direction, end: End) => void
}

const subprotocol = 'net.measurementlab.ndt.v7'
/** The specification's own limit. */
const query_bytes_max = 4_096
const path_form = /^\/ndt\/v7\/(download|upload)$/
/** Pings are answered as long as less than this waits to be sent (RFC 6455, section 5.5.3, lets answers be left out): who sends them and reads nothing would fill the memory. */
const pong_bytes_max = 1 << 22
/** A test takes at most 13 s. */
const busy_pause_s = 15

/**
 * Full tests by ndt7 (M-Lab, specification 0.11), so that any of its clients can measure here: `GET /v2/nearest/ndt/ndt7`
 * in the form of M-Lab's Locate API v2, then a WebSocket for each direction.
 */
export function ndtRoutes(app: FastifyInstance, needs: NdtNeeds): { stop(): Promise<void> } {
  const { admission } = needs
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1 << 24, autoPong: false, clientTracking: true, handleProtocols: () => subprotocol })
  const running = new Set<Promise<unknown>>()

  app.get<{ Querystring: { bytes_max?: number } }>(
    '/v2/nearest/ndt/ndt7',
    { schema: { querystring: { type: 'object', properties: { bytes_max: { type: 'integer', minimum: 1 } } } } },
    (request, reply): Located | undefined => {
      void reply.header('cache-control', 'no-store').header('access-control-allow-origin', '*')
      const located = admission.locate(request.query.bytes_max)
      if (!located.ok) {
        // The specification's word for no capacity.
        void reply.code(204).header('retry-after', busy_pause_s).send()
        return
      }
      const scheme = request.protocol === 'https' ? 'wss' : 'ws'
      const url = (direction: Direction): string => `${scheme}://${request.host}/ndt/v7/${direction}?access_token=${located.value.tokens[direction]}&bytes_max=${located.value.bytes_max}`
      return { results: [{ machine: request.host, location: { country: 'ID' }, urls: { [`${scheme}:///ndt/v7/download`]: url('download'), [`${scheme}:///ndt/v7/upload`]: url('upload') } }] }
    },
  )

  for (const direction of ['download', 'upload'])
    app.get(`/ndt/v7/${direction}`, () => {
      throw new ProblemError('body_invalid', `Ask for an upgrade to a WebSocket with the subprotocol ${subprotocol}.`)
    })

  // Others are no upgrade here, and answered as if they had not asked (RFC 9110, section 7.8): Java and curl offer h2c with each request.
  Object.assign(app.server, { shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket' })
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const refused = (code: Parameters<typeof problem>[0], detail: string, more: readonly string[] = []) => refuse(socket, code, detail, more)
    const { path, query } = split(request.url ?? '')
    const direction = path_form.exec(path)?.[1] as Direction | undefined
    if (direction === undefined) return refused('not_found', `No WebSocket answers at ${path.slice(0, 200)}. There are /ndt/v7/download and /ndt/v7/upload.`)
    if (query === null) return refused('body_invalid', `The query takes at most ${query_bytes_max} bytes, in percent-encoded UTF-8.`)
    if (!protocols(request).includes(subprotocol)) return refused('body_invalid', `Ask for the subprotocol ${subprotocol} (Sec-WebSocket-Protocol).`)
    const slot = admission.admit(direction, query.get('access_token'))
    if (!slot.ok) return refused(...refusals[slot.error], slot.error === 'tests' || slot.error === 'reports' ? [`retry-after: ${busy_pause_s}`] : [])
    const { bytes_max, release } = slot.value
    // A handshake that fails takes no place.
    socket.once('close', release)
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('ping', (data) => ws.bufferedAmount < pong_bytes_max && ws.pong(data))
      const run = direction === 'download' ? runDownload : runUpload
      const ending = run({ ws, socket: socket as Socket, bytes_max, times: needs.times ?? spec_times, now: () => performance.now(), reportsWait: needs.reportsWait })
        .then((end) => needs.ended(direction, end)).finally(() => running.delete(ending))
      running.add(ending)
    })
  })
  return {
    async stop() {
      for (const ws of sockets.clients) ws.terminate()
      await Promise.all(running)
      sockets.close()
    },
  }
}

const refusals: Record<Refused, readonly [Parameters<typeof problem>[0], string]> = {
  token_missing: ['token_invalid', 'Ask GET /v2/nearest/ndt/ndt7 for an address with an access_token.'],
  token_wrong: ['token_invalid', 'This access_token is not of this server, or of the other direction.'],
  token_late: ['token_invalid', 'This access_token is over: it holds for 60 s. Ask for another.'],
  token_spent: ['token_invalid', 'This access_token was used: each is for one test. Ask for another.'],
  tests: ['no_slot', 'As many full tests run as may run at once.'],
  reports: ['no_slot', 'Reports wait, and go before tests.'],
}

const protocols = (request: IncomingMessage): string[] => (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())

function split(url: string): { path: string; query: URLSearchParams | null } {
  const at = url.indexOf('?')
  const [path, text] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
  if (text.length > query_bytes_max) return { path, query: null }
  try {
    decodeURIComponent(text)
    return { path, query: new URLSearchParams(text) }
  } catch {
    return { path, query: null }
  }
}

/** An upgrade that is refused is answered in HTTP, then closed: a client that hears nothing would wait. */
function refuse(socket: Duplex, code: Parameters<typeof problem>[0], detail: string, more: readonly string[]): void {
  const found = problem(code, detail)
  const body = JSON.stringify(found)
  // The server's sockets may stay half open: a client that never closes would hold this one.
  socket.resume().end([`HTTP/1.1 ${found.status} Refused`, 'content-type: application/problem+json', `content-length: ${Buffer.byteLength(body)}`, 'connection: close', ...more, '', body].join('\r\n'), () => socket.destroy())
}
