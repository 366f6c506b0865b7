import type { FastifyInstance } from 'fastify'
import { problem, type Problem, type ProblemCode } from '@kawal/contract/problem.ts'

/** An expected failure on its way to the caller. Anything else thrown in a route is our fault. */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly retryAfterS: number | undefined
  constructor(code: ProblemCode, detail: string, retryAfterS?: number) {
    super(detail)
    this.code = code
    this.retryAfterS = retryAfterS
  }
}

/** The database's wall refuses with 42501 what a role may not write. */
export async function allowed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42501') throw new ProblemError('not_allowed', 'Your role may not do this here.')
    throw error
  }
}

const full_pause_s = 60

/**
 * Every error leaves as application/problem+json with a code of the catalogue.
 * @param dress adds what a standard of its own wants beside it
 */
export function answerProblems(app: Pick<FastifyInstance, 'setErrorHandler'>, dress: (found: Problem) => object = (found) => found): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: unknown }, request, reply) => {
    const found = problemOf(error, request.id)
    // What is expected is no error of ours, also where it is said with 503: phones ask until it is ready.
    if (found.status >= 500 && !(error instanceof ProblemError)) request.log.error(error)
    const pause_s = pauseOf(error, found)
    if (pause_s !== undefined) void reply.header('retry-after', pause_s)
    return reply.code(found.status).type('application/problem+json').send(dress(found))
  })
}

/** Seconds for Retry-After. */
export const pauseOf = (error: unknown, found: Problem): number | undefined => (found.code === 'storage_full' ? full_pause_s : error instanceof ProblemError ? error.retryAfterS : undefined)

/** What no route answers is a problem of the catalogue too. */
export function answerNotFound(app: Pick<FastifyInstance, 'setNotFoundHandler'>): void {
  app.setNotFoundHandler((request, reply) => {
    const found = problem('not_found', `Nothing answers ${request.method} ${request.url.split('?')[0]}. The addresses are listed at /docs.`)
    return reply.code(404).type('application/problem+json').send(found)
  })
}

/** What leaves for an error: a problem of the catalogue. @param reference by which the log tells it */
export function problemOf(error: Error & { statusCode?: number; code?: unknown }, reference: string): Problem {
  if (error instanceof ProblemError) return problem(error.code, error.message)
  if (error.code === '53100' || error.code === 'ENOSPC') return problem('storage_full', 'The disk is full. Keep what you sent and send it again after the pause given in Retry-After.')
  // PostgreSQL's character_not_in_repertoire and untranslatable_character: what a query or a body may hold and no text column can.
  if (error.code === '22021' || error.code === '22P05') return problem('body_invalid', 'A text in the request holds U+0000 or half a surrogate pair. Leave it out.')
  if (error.statusCode === 413) return problem('too_large', 'Send fewer or smaller items in one request.')
  if (error.statusCode !== undefined && error.statusCode < 500) return problem('body_invalid', error.message)
  return problem('fault', `Nothing was lost that had been acknowledged. Reference: ${reference}`)
}
