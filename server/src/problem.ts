import type { FastifyInstance } from 'fastify'
import { problem, type ProblemCode } from '@kawal/contract/problem.ts'

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

/** Every error leaves as application/problem+json with a code of the catalogue. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: unknown }, request, reply) => {
    const isFull = error.code === '53100' || error.code === 'ENOSPC'
    const found =
      error instanceof ProblemError
        ? problem(error.code, error.message)
        : isFull
          ? problem('storage_full', 'The disk is full. Keep what you sent and send it again after the pause given in Retry-After.')
        : error.statusCode === 413
          ? problem('too_large', 'Send fewer or smaller items in one request.')
          : error.statusCode !== undefined && error.statusCode < 500
            ? problem('body_invalid', error.message)
            : problem('fault', `Nothing was lost that had been acknowledged. Reference: ${request.id}`)
    if (found.status >= 500) request.log.error(error)
    const pause_s = isFull ? full_pause_s : error instanceof ProblemError ? error.retryAfterS : undefined
    if (pause_s !== undefined) void reply.header('retry-after', pause_s)
    return reply.code(found.status).type('application/problem+json').send(found)
  })
  app.setNotFoundHandler((request, reply) => {
    const found = problem('not_found', `Nothing answers ${request.method} ${request.url.split('?')[0]}. The addresses are listed at /docs.`)
    return reply.code(404).type('application/problem+json').send(found)
  })
}
