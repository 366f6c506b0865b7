import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { OfficerProblemGiven, OfficerProblemWord, type OfficerProblem } from '@kawal/contract/sigmon.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { deviceOf } from '../measurement/device.ts'
import { bodyOf } from '../body.ts'
import { readProblems, reportProblem, wordOnProblem } from './problems.ts'

interface ProblemNeeds {
  readonly database: Database
  readonly secret: Buffer
  readonly clock: () => number
  /** Told of a ticket that changed, after the commit, so that live views can follow. */
  readonly changed: (ticket: string) => void
}

const checkGiven = Compile(OfficerProblemGiven)
const checkWord = Compile(OfficerProblemWord)

/** Problems that officers report, and what became of them. A phone sees its own and nobody else's. */
export function problemRoutes(app: FastifyInstance, { database, secret, clock, changed }: ProblemNeeds): void {
  app.post('/v1/problems', async (request, reply): Promise<OfficerProblem> => {
    const device = deviceOf(request, secret)
    const { problem, created } = await reportProblem(database, device, bodyOf(checkGiven, request.body), clock())
    if (created) changed(problem.ticket)
    return reply.code(created ? 201 : 200).send(problem)
  })

  app.get('/v1/problems', (request): Promise<OfficerProblem[]> => readProblems(database, deviceOf(request, secret)))

  app.post<{ Params: { id: string } }>('/v1/problems/:id/word', async (request): Promise<OfficerProblem> => {
    const device = deviceOf(request, secret)
    const { word } = bodyOf(checkWord, request.body)
    const { problem, ticket } = await wordOnProblem(database, device, request.params.id, word, clock())
    if (ticket !== null) changed(ticket)
    return problem
  })
}
