import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import { KeyGiven, type KeyMade, type KeyRow } from '@kawal/contract/key.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { allowed, ProblemError } from '../problem.ts'
import { listKeys, makeKey, revokeKey } from './keys.ts'
import { callerOf, textOf } from './routes.ts'

interface KeyNeeds {
  readonly database: Database
  readonly clock: () => Instant
}

const path = '/v1/keys'
const checkGiven = Compile(KeyGiven)

/** An organisation's people rotate its API keys themselves. */
export function keyRoutes(app: FastifyInstance, { database, clock }: KeyNeeds): void {
  app.get(path, (request): Promise<KeyRow[]> => {
    const caller = staffOf(request)
    return listKeys(database, caller, caller.organisation)
  })
  app.post(path, async (request, reply): Promise<KeyMade> => {
    const caller = staffOf(request)
    const { scope = 'all' } = bodyOf(checkGiven, request.body ?? {})
    const made = await allowed(() => makeKey(database, caller, scope, clock()))
    void reply.code(201).header('cache-control', 'no-store')
    return made
  })
  app.delete<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    const caller = staffOf(request)
    await revokeKey(database, caller, caller.organisation, textOf(request.params.id), clock())
    return reply.code(204).send()
  })
}

/** Somebody with a session. A key that was stolen shall not make another, nor end those of its owner. */
function staffOf(request: FastifyRequest): Caller {
  const caller = callerOf(request)
  if (request.staff === null) throw new ProblemError('not_allowed', 'Keys are made and ended by people: log in to the console. A key cannot.')
  return caller
}
