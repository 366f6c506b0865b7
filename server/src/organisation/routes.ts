import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Session } from '@kawal/contract/live.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { noteUse } from './keys.ts'
import { ended, endSession, listSessions, logOut, readApiKey, readSession, type ApiKey, type MadeSession, type Self } from './sessions.ts'

const session_cookie = 'kawal_session'
/** Methods that change nothing (RFC 9110, section 9.2.1). */
export const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, by session cookie or API key; null when nobody has logged in. */
    caller: Caller | null
    session: Session | null
    /** The person whose session it is, with the session's id. */
    staff: { readonly id: string; readonly name: string; readonly session: string } | null
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
    noteUse(database, 'api_key', found.key, now, (error) => request.log.warn(error, 'the last use of a key could not be noted'))
    return { ...nobody, ...found }
  }
  const cookie = request.cookies[session_cookie]
  if (cookie === undefined) return nobody
  const known = await readSession(database, cookie, now)
  if (known === null) return nobody
  const { session, staff, id } = known
  noteUse(database, 'session', known, now, (error) => request.log.warn(error, 'the last use of a session could not be noted'))
  return { caller: { organisation: session.organisation, role: session.role }, session, staff: { id: staff, name: session.name, session: id }, key: null }
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

/** Somebody with a session, for what is his own. @throws ProblemError session_missing, not_allowed for an API key */
export function selfOf(request: FastifyRequest): Self {
  const caller = callerOf(request)
  if (request.staff === null) throw new ProblemError('not_allowed', 'That is of people: log in to the console. A key has none.')
  return { caller, staff: request.staff.id, session: request.staff.session }
}

/** Gives the browser its session. @returns who is logged in now */
export async function giveSession(database: Database, request: FastifyRequest, reply: FastifyReply, { session, expiresAt }: MadeSession, now: number): Promise<Session> {
  const known = await readSession(database, session, now)
  if (known === null) throw ended()
  void reply.setCookie(session_cookie, session, { path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https', expires: new Date(expiresAt) })
  return known.session
}

/** Who is logged in, logging out, and a person's own sessions. */
export function sessionRoutes(app: FastifyInstance, database: Database, clock: () => number): void {
  app.get('/v1/session', (request) => {
    if (request.session === null) throw new ProblemError('session_missing', 'Open your log-in link.')
    return request.session
  })
  app.delete('/v1/session', async (request, reply) => {
    const cookie = request.cookies[session_cookie]
    if (cookie !== undefined) await logOut(database, cookie)
    return reply.clearCookie(session_cookie, { path: '/' }).code(204).send()
  })
  app.get('/v1/sessions', (request) => listSessions(database, selfOf(request), clock()))
  app.delete<{ Params: { id: string } }>('/v1/sessions/:id', async (request, reply) => {
    await endSession(database, selfOf(request), textOf(request.params.id))
    return reply.code(204).send()
  })
}

/** PostgreSQL's text holds no U+0000; no id has one. */
export const textOf = (id: string): string => id.replaceAll('\0', '')
