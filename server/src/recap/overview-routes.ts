import type { FastifyInstance } from 'fastify'
import { conflictsQuery, recapOverviewQuery, stuckQuery, type RecapConflicts, type RecapOverview } from '@kawal/contract/recap-overview.ts'
import type { ImpactSettings } from '@kawal/core/impact/defaults.ts'
import { contestDefaults, type Contests } from '@kawal/core/recap/judge.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { boxesRoute } from '../custody/boxes.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, limit_default, sendCsv, takes, wantsCsv, type FlatRow } from '../readiness/ask.ts'
import { completenessRoutes } from './completeness-routes.ts'
import { comparisonRoutes } from './comparison-routes.ts'
import { createDue, type DueStation } from './due.ts'
import { createOverview } from './overview.ts'
import { readConflicts, readStuck, type Page, type StuckKind } from './stuck.ts'

interface OverviewRoutesNeeds {
  readonly database: Database
  readonly clock: () => number
  readonly register: { readonly stations: readonly DueStation[]; readonly names: ReadonlyMap<string, string> }
  readonly impact: ImpactSettings
  readonly contests?: Contests | undefined
  readonly hasReceiver: boolean
  readonly asOf: () => number | null
  readonly linkedAt: () => number | null
}

interface Asked { area?: string; contest?: string; kind?: StuckKind; page?: string; limit?: number }

/** Recaps over an area: for whoever may read them. */
export function recapOverviewRoutes(app: FastifyInstance, { database, clock, register, impact, contests = contestDefaults, hasReceiver, asOf, linkedAt }: OverviewRoutesNeeds): void {
  const due = createDue(register.stations, impact.contests)
  const needs = { database, clock, due, names: register.names, contests: Object.keys(contests), hasReceiver, asOf }
  const readOverview = createOverview(needs)
  const pageOf = ({ area = '', page, limit = limit_default }: Asked): Page => ({ area, page, limit })

  app.get<{ Querystring: Asked }>('/v1/recaps/overview', takes(recapOverviewQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'recap')
    const { area = '', contest = null } = request.query
    if (area !== '' && !register.names.has(area)) throw new ProblemError('not_found', `There is no area ${area} in the register.`)
    if (contest !== null && !needs.contests.includes(contest)) throw new ProblemError('body_invalid', `No contest ${contest} is configured. There are ${needs.contests.join(', ')}.`)
    const overview = await readOverview(caller, area, contest)
    return wantsCsv(request) ? sendCsv(reply, 'rekap', overviewColumns, overview.rows.map(flat)) : overview
  })

  app.get<{ Querystring: Asked }>('/v1/recaps/stuck', takes(stuckQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'recap')
    const { kind = 'quarantine' } = request.query
    const stuck = await readStuck(database, caller, kind, pageOf(request.query), hasReceiver, clock())
    return wantsCsv(request) ? sendCsv(reply, `rekap-${kind}`, stuckColumns, stuck.rows) : stuck
  })

  app.get<{ Querystring: Asked }>('/v1/recaps/conflicts', takes(conflictsQuery), (request): Promise<RecapConflicts> =>
    readConflicts(database, callerWho(request, 'read', 'recap'), pageOf(request.query), asOf(), clock()))

  completenessRoutes(app, { ...needs, countedAt: asOf, linkedAt })
  comparisonRoutes(app, { ...needs, contests })
  boxesRoute(app, { database, clock, names: register.names })
}

const overviewColumns = ['code', 'name', 'zone', 'stations', 'expected', 'due', 'overdue', 'recorded', 'delivered', 'photosWhole', 'conflicts', 'quarantine']
const stuckColumns = ['kind', 'code', 'hash', 'station', 'contest', 'madeAt', 'since', 'reason', 'detail', 'mend', 'tries', 'nextTryAt', 'photosKept', 'photosListed', 'side']

const flat = ({ quarantine, ...row }: RecapOverview['rows'][number]): FlatRow => ({ ...row, quarantine: Object.values(quarantine).reduce((sum, many) => sum + many, 0) })
