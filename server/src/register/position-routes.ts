import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { PositionDecision, PositionGiven, PositionMeasured, positionsQuery, type PositionFix, type PositionFixes, type PositionReceipt } from '@kawal/contract/readiness.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { deviceOf } from '../measurement/device.ts'
import { allowed } from '../problem.ts'
import { callerWho, takes } from '../readiness/ask.ts'
import { decidePosition, givePosition, measurePosition, readFixes } from './positions.ts'
import { bodyOf } from '../body.ts'

interface PositionNeeds {
  readonly database: Database
  readonly secret: Buffer
  readonly clock: () => number
}

const checkGiven = Compile(PositionGiven)
const checkMeasured = Compile(PositionMeasured)
const checkDecision = Compile(PositionDecision)

/** Where stations really stand: by KPU, or by an officer's phone at the station. */
export function positionRoutes(app: FastifyInstance, { database, secret, clock }: PositionNeeds): void {
  app.post<{ Params: { code: string } }>('/v1/stations/:code/position', async (request, reply): Promise<PositionReceipt> => {
    const caller = callerWho(request, 'write', 'decision')
    const given = bodyOf(checkGiven, request.body)
    const receipt = await allowed(() => database.transaction(caller, (client) => givePosition(client, request.params.code, given, clock())))
    return reply.code(201).send(receipt)
  })

  app.post('/v1/position', async (request, reply): Promise<PositionReceipt> => {
    const device = deviceOf(request, secret)
    const measured = bodyOf(checkMeasured, request.body)
    const receipt = await database.transaction(system, (client) => measurePosition(client, device, measured, clock()))
    return reply.code(201).send(receipt)
  })

  app.get<{ Querystring: { status?: string; area?: string } }>('/v1/positions', takes(positionsQuery), (request): Promise<PositionFixes> =>
    database.transaction(callerWho(request, 'read', 'decision'), (client) => readFixes(client, request.query)))

  app.post<{ Params: { id: string } }>('/v1/positions/:id/decision', async (request): Promise<PositionFix> => {
    const caller = callerWho(request, 'write', 'decision')
    const decision = bodyOf(checkDecision, request.body)
    return allowed(() => database.transaction(caller, (client) => decidePosition(client, request.params.id, decision, clock())))
  })
}
