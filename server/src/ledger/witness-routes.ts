import type { FastifyInstance } from 'fastify'
import type { WitnessedLog, WitnessedLogs } from '@kawal/contract/witness.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { callerWho } from '../readiness/ask.ts'
import type { Ledger } from './ledger.ts'
import type { Witnessing } from './witnessing.ts'

/** A log of this server. */
export interface Watched {
  readonly ledger: Pick<Ledger, 'key' | 'size'>
  /** null: no witnesses are asked. */
  readonly witnessing: Witnessing | null
}

/** How the witnesses of each log do, for those who watch over the service. */
export function witnessRoutes(app: FastifyInstance, { clock, logs }: { readonly clock: () => number; readonly logs: readonly Watched[] }): void {
  app.get('/v1/ledger/witnesses', (request): WitnessedLogs => {
    callerWho(request, 'read', 'witness')
    return { now: timeOf(clock()), logs: logs.map(logOf) }
  })
}

function logOf({ ledger, witnessing }: Watched): WitnessedLog {
  const size = ledger.size()
  const newest = witnessing?.newest() ?? null
  return {
    origin: ledger.key.name, key: formatVerifierKey(ledger.key), size, policy: witnessing?.policy ?? null,
    witnessed: newest === null ? null : { size: newest.size, at: timeOf(newest.at) },
    witnesses: (witnessing?.states() ?? []).map(({ cosignedAt, askedAt, error, ...state }) => ({
      ...state, behind: state.size === null ? null : Math.max(0, size - state.size), cosignedAt: cosignedAt === null ? null : timeOf(cosignedAt), askedAt: askedAt === null ? null : timeOf(askedAt),
      error: error === null ? null : { ...error, since: timeOf(error.since) },
    })),
  }
}

const timeOf = (at: number): string => new Date(at).toISOString()
