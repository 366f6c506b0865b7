import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { ChallengeCreate, ChallengeDecision } from '@kawal/contract/atlas.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { callerOf } from '../organisation/routes.ts'
import { ProblemError } from '../problem.ts'
import { decideChallenge, listChallenges, openChallenge, readChallenge, type ChallengeFilter } from './challenge.ts'
import { bodyOf } from '../body.ts'

const checkCreate = Compile(ChallengeCreate)
const checkDecision = Compile(ChallengeDecision)
const path = '/v1/atlas/challenges'
const filters = ['status', 'edition', 'operator', 'technology', 'cell', 'station'] as const
const limit_default = 50
const limit_max = 500

/** Challenges of the atlas: made, listed, decided. */
export function challengeRoutes(app: FastifyInstance, { database, clock }: { database: Database; clock: () => number }): void {
  app.post(path, async (request, reply) => {
    const caller = callerOf(request)
    const challenge = await openChallenge(database, caller, bodyOf(checkCreate, request.body), clock())
    return reply.code(201).header('location', `${path}/${challenge.id}`).send(challenge)
  })
  app.get<{ Querystring: Record<string, unknown> }>(path, async (request, reply) => {
    const { total, challenges } = await listChallenges(database, callerOf(request), filterOf(request.query))
    return reply.header('x-total-count', total).header('x-result-count', challenges.length).send(challenges)
  })
  app.get<{ Params: { id: string } }>(`${path}/:id`, (request) => readChallenge(database, callerOf(request), request.params.id))
  app.post<{ Params: { id: string } }>(`${path}/:id/decision`, async (request) => {
    const caller = callerOf(request)
    return decideChallenge(database, caller, request.params.id, bodyOf(checkDecision, request.body), clock())
  })
}

function filterOf(query: Record<string, unknown>): ChallengeFilter {
  const known: readonly string[] = [...filters, 'offset', 'limit']
  const unknown = Object.keys(query).filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new ProblemError('body_invalid', `There is no filter ${unknown.join(', ')}. There are ${known.join(', ')}.`)
  const text = (name: string): string | null => (typeof query[name] === 'string' ? query[name] : null)
  const whole = (name: string, missing: number): number => {
    const value = text(name)
    if (value !== null && !/^[0-9]{1,9}$/.test(value)) throw new ProblemError('body_invalid', `${name} is a whole number from 0, not ${value}.`)
    return value === null ? missing : Number(value)
  }
  const wanted = Object.fromEntries(filters.map((name) => [name, text(name)])) as Record<(typeof filters)[number], string | null>
  return { ...wanted, offset: whole('offset', 0), limit: Math.min(limit_max, whole('limit', limit_default)) }
}
