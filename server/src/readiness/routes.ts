import type { FastifyInstance } from 'fastify'
import { readinessQuery, summaryQuery, type ReadinessPage, type ReadinessSummary, type StationReadiness } from '@kawal/contract/readiness.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { callerWho, everyRow, sendCsv, takes, wantsCsv, type FlatRow } from './ask.ts'
import type { Checks } from './checks.ts'
import { planOf, type Plan } from './plans.ts'
import type { Present } from './present.ts'
import { flatten, readinessColumns, readPage, readRows, type ReadinessFilter } from './read.ts'
import { readStation } from './station.ts'
import { readSummary } from './summary.ts'

interface ReadinessNeeds {
  readonly database: Database
  readonly present: Present
  readonly checks: Checks
}

/** Every row of a filter, read piece by piece from one plan: a plan that is finished does not change. */
export async function* readinessRows(database: Database, caller: Caller, plan: Plan, filter: ReadinessFilter): AsyncGenerator<FlatRow> {
  const rows = everyRow((page, limit) => database.transaction(caller, (client) => readRows(client, plan, { ...filter, limit, ...(page === undefined ? {} : { page }) })))
  for await (const row of rows) yield flatten(row)
}

export function readinessRoutes(app: FastifyInstance, { database, present, checks }: ReadinessNeeds): void {
  app.get<{ Querystring: ReadinessFilter }>('/v1/readiness', takes(readinessQuery), async (request, reply): Promise<ReadinessPage> => {
    const caller = callerWho(request, 'read', 'plan')
    if (!wantsCsv(request)) return database.transaction(caller, (client) => readPage(client, request.query))
    const plan = await database.transaction(caller, (client) => planOf(client, request.query.plan))
    return sendCsv(reply, `readiness-${plan.id}`, readinessColumns(plan.operators), readinessRows(database, caller, plan, request.query)) as never
  })

  app.get<{ Querystring: Parameters<typeof readSummary>[2] }>('/v1/readiness/summary', takes(summaryQuery), (request): Promise<ReadinessSummary> =>
    database.transaction(callerWho(request, 'read', 'plan'), (client) => readSummary(client, checks, request.query)))

  app.get<{ Params: { code: string } }>('/v1/stations/:code/readiness', async (request): Promise<StationReadiness> => {
    const caller = callerWho(request, 'read', 'plan')
    const edition = await present.edition()
    await checks.roll()
    return database.transaction(caller, (client) => readStation(client, request.params.code, edition))
  })
}
