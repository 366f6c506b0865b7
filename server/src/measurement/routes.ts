import type { FastifyInstance, FastifyRequest } from 'fastify'
import { compact_type, decodeBatch, encodeReceipt } from '@kawal/contract/compact.ts'
import { ReportBatch } from '@kawal/contract/report.ts'
import { ProblemError } from '../problem.ts'
import { deviceOf } from './device.ts'
import type { createIngest } from './ingest.ts'

interface MeasurementDependencies {
  readonly secret: Buffer
  readonly clock: () => number
  readonly ingest: ReturnType<typeof createIngest>
  readonly networkOperator: (address: string) => Promise<string | null>
}

/** Reports come in JSON or in the compact form, and are answered in the same. */
export function measurementRoutes(app: FastifyInstance, needs: MeasurementDependencies): void {
  // In a scope of its own: no other address takes the compact form.
  void app.register((scope, _, done) => {
    reportRoute(scope, needs)
    done()
  })
}

function reportRoute(app: FastifyInstance, needs: MeasurementDependencies): void {
  app.addContentTypeParser<Buffer>(compact_type, { parseAs: 'buffer' }, (_, bytes, done) => {
    const read = decodeBatch(bytes)
    if (read.ok) done(null, read.value)
    else done(new ProblemError('body_invalid', read.error))
  })
  // Who it is comes before the body: a megabyte of the compact form may take a fifth of a second to read.
  const onRequest = async (request: FastifyRequest): Promise<void> => void deviceOf(request, needs.secret)
  app.post<{ Body: ReportBatch }>('/v1/reports', { schema: { body: ReportBatch }, bodyLimit: 1_000_000, onRequest }, async (request, reply) => {
    const device = deviceOf(request, needs.secret)
    if (device.station !== request.body.station)
      throw new ProblemError('not_allowed', `This device belongs to station ${device.station}. Enrol it again to move it.`)
    const operator = await needs.networkOperator(request.ip)
    const receipt = await needs.ingest.submit(device, request.body.samples, { receivedAt: needs.clock(), sentAt: request.body.sentAt ?? null }, operator)
    void reply.code(202)
    return request.headers['content-type']?.startsWith(compact_type) === true ? reply.type(compact_type).send(Buffer.from(encodeReceipt(receipt))) : receipt
  })
}
