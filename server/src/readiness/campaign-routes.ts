import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { campaignQuery, campaignStationsQuery, ReminderOrder, type Campaign, type CampaignStations, type Reminded } from '@kawal/contract/readiness.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { allowed, ProblemError } from '../problem.ts'
import { callerWho, everyRow, sendCsv, takes, wantsCsv, type FlatRow } from './ask.ts'
import { answered_max, campaignColumns, flattenCampaign, readCampaign, readCampaignPage, readCampaignRows, remind, type CampaignFilter } from './campaign.ts'
import { check_days, day_ms, type Checks } from './checks.ts'
import type { Level } from './summary.ts'
import { bodyOf } from '../body.ts'

interface CampaignNeeds {
  readonly database: Database
  readonly checks: Checks
  readonly clock: () => number
}
type Asked<Filter> = Omit<Filter, 'since' | 'now'> & { since?: string }

const checkOrder = Compile(ReminderOrder)

/** The campaign before the day: which stations were checked, and who is asked to. */
export function campaignRoutes(app: FastifyInstance, { database, checks, clock }: CampaignNeeds): void {
  const sinceOf = (text: string | undefined): Date => {
    const at = text === undefined ? clock() - check_days * day_ms : Date.parse(text)
    if (!Number.isFinite(at)) throw new ProblemError('body_invalid', `since ${text} is no instant.`)
    return new Date(at)
  }

  app.get<{ Querystring: Asked<{ level?: Level; area?: string }> }>('/v1/campaign', takes(campaignQuery), async (request): Promise<Campaign> => {
    const caller = callerWho(request, 'read', 'decision')
    await checks.roll()
    const { level = 'regency', ...asked } = request.query
    return database.transaction(caller, (client) => readCampaign(client, { ...asked, level, since: sinceOf(asked.since), now: clock() }))
  })

  app.get<{ Querystring: Asked<CampaignFilter> }>('/v1/campaign/stations', takes(campaignStationsQuery), async (request, reply): Promise<CampaignStations> => {
    const caller = callerWho(request, 'read', 'decision')
    await checks.roll()
    const filter = { ...request.query, since: sinceOf(request.query.since) }
    if (!wantsCsv(request)) return database.transaction(caller, (client) => readCampaignPage(client, filter))
    const rows = async function* (): AsyncGenerator<FlatRow> {
      for await (const row of everyRow((page, limit) => database.transaction(caller, (client) => readCampaignRows(client, { ...filter, limit, ...(page === undefined ? {} : { page }) })))) yield flattenCampaign(row)
    }
    return sendCsv(reply, 'campaign', campaignColumns, rows()) as never
  })

  app.post<{ Querystring: { format?: string } }>('/v1/campaign/reminders', { ...takes({ format: campaignStationsQuery.format }), bodyLimit: 1_000_000 }, async (request, reply): Promise<Reminded> => {
    const caller = callerWho(request, 'write', 'decision')
    const order = bodyOf(checkOrder, request.body)
    await checks.roll()
    const csv = wantsCsv(request)
    const reminded = await allowed(() => database.transaction(caller, (client) => remind(client, caller, order, { since: sinceOf(undefined), now: clock(), stations_max: csv ? Infinity : answered_max })))
    if (csv) return sendCsv(reply, 'reminders', ['station', 'province', 'regency', 'district', 'village'], reminded.stations) as never
    return reminded
  })
}
