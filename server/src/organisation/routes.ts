import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Session } from '@kawal/contract/live.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { noteUse } from './keys.ts'
import { linkActor, logIn, logOut, readApiKey, readSession, type ApiKey } from './sessions.ts'

const session_cookie = 'kawal_session'
/** Methods that change nothing (RFC 9110, section 9.2.1). */
export const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, by session cookie or API key; null when nobody has logged in. */
    caller: Caller | null
    session: Session | null
    /** The person whose session it is. */
    staff: { readonly id: string; readonly name: string } | null
    /** The key that he came with. */
    key: ApiKey | null
  }
}

type Known = Pick<FastifyRequest, 'caller' | 'session' | 'staff' | 'key'>
const nobody: Known = { caller: null, session: null, staff: null, key: null }

/** Finds out who asks, once a request, before any route runs. */
export function recogniseCallers(app: FastifyInstance, database: Database, clock: () => number): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('session', null)
  app.decorateRequest('staff', null)
  app.decorateRequest('key', null)
  app.addHook('onRequest', async (request) => {
    Object.assign(request, await recogniseCaller(database, request, clock()))
    if (request.key?.scope === 'read' && !reads.has(request.method)) throw new ProblemError('not_allowed', `The key ${request.key.id} may only read: ask by GET, or use one that was made without a scope.`)
  })
}

/** By API key, else by session cookie; all null when the key is revoked or the session over. */
export async function recogniseCaller(database: Database, request: FastifyRequest, now: number): Promise<Known> {
  const given = keyOf(request.headers.authorization ?? '')
  const found = given.startsWith('kawal-key-') ? await readApiKey(database, given) : null
  if (found !== null) {
    noteUse(database, found.key, now, (error) => request.log.warn(error, 'the last use of a key could not be noted'))
    return { ...nobody, ...found }
  }
  const cookie = request.cookies[session_cookie]
  if (cookie === undefined) return nobody
  const known = await readSession(database, cookie, now)
  if (known === null) return nobody
  const { session, staff } = known
  return { caller: { organisation: session.organisation, role: session.role }, session, staff: { id: staff, name: session.name }, key: null }
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
      const actor = await linkActor(database, request.body.token)
      if (actor !== null) await app.beginAct(request, actor)
      const { session, expiresAt } = await logIn(database, request.body.token, clock())
      void reply.setCookie(session_cookie, session, { path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', expires: new Date(expiresAt) })
      return (await readSession(database, session, clock()))?.session
    },
  )
  app.delete('/v1/session', async (request, reply) => {
    const cookie = request.cookies[session_cookie]
    if (cookie !== undefined) await logOut(database, cookie)
    return reply.clearCookie(session_cookie, { path: '/' }).code(204).send()
  })
}
