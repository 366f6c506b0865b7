import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../problem.ts'
import type { CarriedStore } from './courier.ts'

/** The platform's receipts that this box has fetched: to phones beside it they cost nothing of the line behind it. */
export function loggedRoute(app: FastifyInstance, carried: Pick<CarriedStore, 'receipt'>): void {
  app.get<{ Params: { hash: string } }>('/v1/recaps/:hash/logged', async (request, reply) => {
    const receipt = /^[0-9a-f]{64}$/.test(request.params.hash) ? await carried.receipt(request.params.hash) : null
    if (receipt === null) throw new ProblemError('not_ready', 'The record is in custody here, or was never handed in, and the platform has not answered for it yet. Ask again later.')
    return reply.header('content-type', 'text/plain; charset=utf-8').send(receipt)
  })
}
