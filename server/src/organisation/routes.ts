import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Session } from '@kawal/contract/live.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { logIn, logOut, readApiKey, readSession } from './sessions.ts'

const session_cookie = 'kawal_session'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, by session cookie or API key; null when nobody has logged in. */
    caller: Caller | null
    session: Session | null
  }
}

/** Finds out who asks, once a request, before any route runs. */
export function recogniseCallers(app: FastifyInstance, database: Database, clock: () => number): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('session', null)
  app.addHook('onRequest', async (request) => {
    const { caller, session } = await recogniseCaller(database, request, clock())
    request.caller = caller
    request.session = session
  })
}

/** By API key, else by session cookie; both null when the key is revoked or the session over. */
export async function recogniseCaller(database: Database, request: FastifyRequest, now: number): Promise<{ caller: Caller | null; session: Session | null }> {
  const key = keyOf(request.headers.authorization ?? '')
  const caller = key.startsWith('kawal-key-') ? await readApiKey(database, key) : null
  const cookie = request.cookies[session_cookie]
  if (caller !== null || cookie === undefined) return { caller, session: null }
  const session = await readSession(database, cookie, now)
  return { caller: session === null ? null : { organisation: session.organisation, role: session.role }, session }
}

/** A key as a bearer token, or as the password of HTTP's basic scheme (RFC 7617): what many systems can send alone. */
function keyOf(authorization: string): string {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization)?.[1]
  return basic === undefined ? authorization.replace(/^Bearer /, '') : Buffer.from(basic, 'base64').toString().replace(/^[^:]*:/, '')
}

export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new ProblemError('session_missing', 'Open your log-in link, or send an API key as a bearer token.')
  return request.caller
}

/**
 * Whose view a caller has of what is not a row of the database: null sees everybody's, an operator its
 * own alone. The wall in the database says the same of rows, from the same rules.
 */
export function viewOf(caller: Caller): string | null {
  const scope = scopeOf(caller.role, 'disturbance', 'read')
  if (scope === null) throw new ProblemError('not_allowed', 'Your role sees no disturbances.')
  return scope === 'all' ? null : caller.organisation
}

export function sessionRoutes(app: FastifyInstance, database: Database, clock: () => number): void {
  app.get('/v1/session', (request) => {
    if (request.session === null) throw new ProblemError('session_missing', 'Open your log-in link.')
    return request.session
  })
  app.post<{ Body: { token: string } }>(
    '/v1/session',
    { schema: { body: { type: 'object', required: ['token'], properties: { token: { type: 'string', maxLength: 200 } } } } },
    async (request, reply) => {
      const { session, expiresAt } = await logIn(database, request.body.token, clock())
      void reply.setCookie(session_cookie, session, { path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', expires: new Date(expiresAt) })
      return readSession(database, session, clock())
    },
  )
  app.delete('/v1/session', async (request, reply) => {
    const cookie = request.cookies[session_cookie]
    if (cookie !== undefined) await logOut(database, cookie)
    return reply.clearCookie(session_cookie, { path: '/' }).code(204).send()
  })
}
