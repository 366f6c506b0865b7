import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { accessQuery, AccessState, type AccessPoints, type AccessStateAnswer } from '@kawal/contract/readiness.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { allowed, ProblemError } from '../problem.ts'
import { callerWho, everyRow, sendCsv, takes, wantsCsv, type FlatRow } from '../readiness/ask.ts'
import { findPlan, type Plan } from '../readiness/plans.ts'
import { dependantsOf, flattenPoint, pointColumns, readPoints, readPointsPage, type PointFilter } from './points.ts'
import { reassignAfter } from './reassign.ts'
import { bodyOf } from '../body.ts'

interface AccessNeeds {
  readonly database: Database
  readonly clock: () => number
}

const checkState = Compile(AccessState)

export async function* pointRows(database: Database, caller: Caller, plan: Plan | null, filter: PointFilter): AsyncGenerator<FlatRow> {
  const rows = everyRow((page, limit) => database.transaction(caller, (client) => readPoints(client, plan, { ...filter, limit, ...(page === undefined ? {} : { page }) })))
  for await (const row of rows) yield flattenPoint(row)
}

/** Access points, what BAKTI says of them, and who depends on them. */
export function accessRoutes(app: FastifyInstance, { database, clock }: AccessNeeds): void {
  app.get<{ Querystring: PointFilter }>('/v1/access-points', takes(accessQuery), async (request, reply): Promise<AccessPoints> => {
    const caller = callerWho(request, 'read', 'access_point')
    if (!wantsCsv(request)) return database.transaction(caller, (client) => readPointsPage(client, request.query))
    const plan = await database.transaction(caller, (client) => findPlan(client))
    return sendCsv(reply, 'access-points', pointColumns, pointRows(database, caller, plan, request.query)) as never
  })

  app.post<{ Params: { id: string } }>('/v1/access-points/:id/state', async (request, reply): Promise<AccessStateAnswer> => {
    const caller = callerWho(request, 'write', 'access_point')
    const said = bodyOf(checkState, request.body)
    const { id } = request.params
    const { plan, ...answer } = await allowed(() => database.transaction(caller, async (client) => {
      const { rowCount } = await client.query(
        `INSERT INTO access_point_state (access_point_id, organisation_id, working, uplink_mbps, note, said_at)
         SELECT id, organisation_id, $2, $3, $4, $5 FROM access_point WHERE id = $1 AND valid_to IS NULL`, [id, said.working, said.uplinkMbps ?? null, said.note ?? '', new Date(clock())])
      if (rowCount === 0) throw new ProblemError('not_found', `There is no access point ${id} of yours.`)
      const plan = await findPlan(client)
      const [point] = (await readPoints(client, plan, { id })).rows
      if (point === undefined) throw new Error('an access point that was just spoken of is there')
      return { plan, point, dependants: said.working || plan === null ? [] : await dependantsOf(client, plan, id) }
    }))
    // stations go where there is room, whoever's point it is
    const reassigned = said.working || plan === null ? null : await database.transaction(system, (client) => reassignAfter(client, plan, id))
    return reply.code(201).send({ ...answer, reassigned })
  })
}
