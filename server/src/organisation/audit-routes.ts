import type { FastifyInstance } from 'fastify'
import { auditQuery, type AuditRows } from '@kawal/contract/audit.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, sendCsv, takes, wantsCsv } from '../readiness/ask.ts'
import { auditColumns, everyAct, flatActs, listAudit } from './audit-store.ts'

const limit_default = 100

interface Query { readonly from?: string; readonly to?: string; readonly organisation?: string; readonly subject?: string; readonly limit?: number; readonly before?: number }

/** Who did what: a page, or all that was asked for as CSV. Bawaslu and the monitoring centre read everything, others what was done in their own name. */
export function auditRoutes(app: FastifyInstance, { database }: { readonly database: Database }): void {
  app.get<{ Querystring: Query }>('/v1/audit', takes(auditQuery), async (request, reply): Promise<AuditRows> => {
    const caller = callerWho(request, 'read', 'audit')
    const { from, to, limit = limit_default, subject, organisation, before } = request.query
    const filter = { organisation, before, from: instantOf('from', from), to: instantOf('to', to), subject: subject?.replaceAll('\0', '\ufffd') }
    if (wantsCsv(request)) return sendCsv(reply, 'audit', auditColumns, flatActs(everyAct(database, caller, filter))) as never
    return listAudit(database, caller, { ...filter, limit })
  })
}

/** A leap second has the form of a time and is no instant here. */
function instantOf(name: string, text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(text)
  if (!Number.isFinite(at)) throw new ProblemError('body_invalid', `${name} ${text} is no instant.`)
  return at
}
