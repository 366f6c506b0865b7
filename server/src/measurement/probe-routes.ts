import type { FastifyInstance } from 'fastify'
import type { Ping, UploadTiming } from '@kawal/contract/report.ts'
import { ProblemError } from '../problem.ts'
import type { TargetWatch } from '../targets/watch.ts'
import { uploadTimer } from './upload.ts'

const down_bytes_max = 150_000
const up_bytes_max = 75_000

/** What phones measure themselves against. */
export function probeRoutes(app: FastifyInstance, needs: { readonly clock: () => number; readonly election: TargetWatch }): void {
  app.get('/v1/ping', (_, reply): Ping => {
    void reply.header('cache-control', 'no-store')
    const { state, status } = needs.election.seen()
    return { now: new Date(needs.clock()).toISOString(), election: state, ...(state === 'down' && status !== null ? { electionStatus: status } : {}) }
  })

  // Not compressible, so that nothing on the way makes it smaller: a fixed sequence of a small generator.
  const filler = Buffer.from(Uint32Array.from({ length: down_bytes_max / 4 + 1 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(i ^ 0x5bd1, 0x85ebca6b)).buffer)
  app.get<{ Querystring: { bytes: number } }>(
    '/v1/probe/down',
    { schema: { querystring: { type: 'object', required: ['bytes'], properties: { bytes: { type: 'integer', minimum: 1, maximum: down_bytes_max } } } } },
    (request, reply) => reply.header('cache-control', 'no-store, no-transform').type('application/octet-stream').send(filler.subarray(0, request.query.bytes)),
  )
  app.addContentTypeParser('application/octet-stream', (_, payload, done) => {
    const timer = uploadTimer(() => performance.now())
    payload.on('data', (chunk: Buffer) => {
      timer.came(chunk.length)
      if (timer.bytes() <= up_bytes_max) return
      payload.removeAllListeners('data').resume()
      done(new ProblemError('too_large', `An upload test has at most ${up_bytes_max} bytes.`))
    })
    payload.once('end', () => timer.bytes() <= up_bytes_max && done(null, timer.end()))
    payload.once('error', (error) => done(error))
  })
  app.post<{ Body: UploadTiming | undefined }>('/v1/probe/up', (request): UploadTiming => {
    if (typeof request.body?.ms !== 'number' || request.body.bytes === 0) throw new ProblemError('body_invalid', 'Send some bytes as application/octet-stream.')
    return request.body
  })
}
