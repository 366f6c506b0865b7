import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { movesQuery, SitingDecisions, SitingQuestion, type MovesPage, type SitingAnswer, type SitingResults } from '@kawal/contract/readiness.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { allowed, ProblemError } from '../problem.ts'
import { callerWho, everyRow, sendCsv, takes, wantsCsv, type FlatRow } from '../readiness/ask.ts'
import { planOf, type Plan } from '../readiness/plans.ts'
import type { Present } from '../readiness/present.ts'
import { decideMoves } from './decisions.ts'
import { flattenMove, moveColumns, readMoves, readMovesPage, type MoveFilter } from './moves.ts'
import { answerWhatIf } from './what-if.ts'
import { bodyOf } from '../body.ts'

interface SitingNeeds {
  readonly database: Database
  readonly present: Present
  readonly clock: () => number
}

const checkDecisions = Compile(SitingDecisions)
const checkQuestion = Compile(SitingQuestion)

export async function* moveRows(database: Database, caller: Caller, plan: Plan, filter: MoveFilter): AsyncGenerator<FlatRow> {
  const rows = everyRow((page, limit) => database.transaction(caller, (client) => readMoves(client, plan, { ...filter, limit, ...(page === undefined ? {} : { page }) })))
  for await (const row of rows) yield flattenMove(row)
}

/** Proposals of better venues, what KPU says of them, and what other limits would propose. */
export function sitingRoutes(app: FastifyInstance, { database, present, clock }: SitingNeeds): void {
  app.get<{ Querystring: MoveFilter }>('/v1/siting/moves', takes(movesQuery), async (request, reply): Promise<MovesPage> => {
    const caller = callerWho(request, 'read', 'plan')
    if (!wantsCsv(request)) return database.transaction(caller, (client) => readMovesPage(client, request.query))
    const plan = await database.transaction(caller, (client) => planOf(client))
    return sendCsv(reply, `moves-${plan.id}`, moveColumns, moveRows(database, caller, plan, request.query)) as never
  })

  app.post('/v1/siting/decisions', async (request): Promise<SitingResults> => {
    const caller = callerWho(request, 'write', 'decision')
    const items = bodyOf(checkDecisions, request.body)
    const twice = items.find((item, at) => items.findIndex((each) => each.station === item.station && each.venue === item.venue) !== at)
    if (twice !== undefined) throw new ProblemError('body_invalid', `${twice.station} and ${twice.venue} come twice in the list.`)
    return allowed(() => database.transaction(caller, (client) => decideMoves(client, caller, items, clock())))
  })

  app.post('/v1/siting/what-if', async (request): Promise<SitingAnswer> => {
    // it writes nothing, and shows what the decisions are
    const caller = callerWho(request, 'read', 'decision')
    const question = bodyOf(checkQuestion, request.body)
    const edition = await present.edition()
    return database.transaction(caller, (client) => answerWhatIf(client, question, edition))
  })
}
