import type { FastifyInstance } from 'fastify'
import { impactDefaults, type ImpactSettings } from '@kawal/core/impact/defaults.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { sampleRoutes } from '../sample/routes.ts'
import type { DueStation } from './due.ts'
import type { Recaps, RecapOptions } from './open.ts'
import { recapOverviewRoutes } from './overview-routes.ts'

interface Register { readonly stations: readonly DueStation[]; readonly names: ReadonlyMap<string, string> }

/** What people see of recaps, and how Bawaslu audits them. */
export function recapFaces(app: FastifyInstance, { clock, impact = impactDefaults, recaps: settings }: Pick<RecapOptions, 'clock' | 'recaps'> & { readonly impact?: ImpactSettings }, database: Database, register: Register, recaps: Recaps): void {
  recapOverviewRoutes(app, { database, clock, register, impact, contests: settings?.contests, hasReceiver: settings?.receiver !== undefined, asOf: recaps.countedAt, linkedAt: recaps.linkedAt })
  sampleRoutes(app, { database, clock, register, contests: settings?.contests, ledger: recaps.ledger, photos: settings?.photos ?? '' })
}
