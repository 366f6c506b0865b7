import type { FastifyInstance } from 'fastify'
import type { ImpactInForce } from '@kawal/contract/impact.ts'
import { callerOf } from '../organisation/routes.ts'
import type { ElectionImpact } from './impact.ts'

/** How priorities are worked out: no secret to anybody who is logged in. */
export function impactRoutes(app: FastifyInstance, { impact }: { readonly impact: ElectionImpact }): void {
  app.get('/v1/impact/settings', (request): ImpactInForce => {
    callerOf(request)
    return impact.inForce()
  })
}
