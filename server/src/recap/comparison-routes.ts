import type { FastifyInstance } from 'fastify'
import { comparedSlotsQuery, comparisonQuery, type ComparedSlots, type RecapSlot } from '@kawal/contract/comparison.ts'
import { contests as known } from '@kawal/core/recap/form.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, everyRow, limit_default, sendCsv, takes, wantsCsv, type FlatRow } from '../readiness/ask.ts'
import { createComparison, readCompared } from './comparison.ts'
import { readSlot } from './slot.ts'

type ComparisonNeeds = Parameters<typeof createComparison>[0]
interface Asked { area?: string; contest?: string; kind?: ComparedSlots['kind']; page?: string; limit?: number }

/** What the two senders say of the same forms, over an area: for whoever may read the comparison. Nothing here settles anything. */
export function comparisonRoutes(app: FastifyInstance, needs: ComparisonNeeds): void {
  const readComparison = createComparison(needs)
  const held = Object.keys(needs.contests)
  const asked = ({ area = '', contest = null }: { area?: string; contest?: string | null }): { readonly area: string; readonly contest: string | null } => {
    if (area !== '' && !needs.names.has(area)) throw new ProblemError('not_found', `There is no area ${area} in the register.`)
    if (contest !== null && !held.includes(contest)) throw new ProblemError('body_invalid', `No contest ${contest} is configured. There are ${held.join(', ')}.`)
    return { area, contest }
  }

  app.get<{ Querystring: Asked }>('/v1/recaps/comparison', takes(comparisonQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'comparison')
    const { area, contest } = asked(request.query)
    const comparison = await readComparison(caller, area, contest)
    return wantsCsv(request) ? sendCsv(reply, 'banding', countColumns, comparison.rows) : comparison
  })

  app.get<{ Querystring: Asked }>('/v1/recaps/comparison/slots', takes(comparedSlotsQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'comparison')
    const { area, contest } = asked(request.query)
    const { kind = 'differ', page: first, limit: most = limit_default } = request.query
    const read = (page: string | undefined, limit: number): Promise<ComparedSlots> => readCompared(needs, caller, kind, contest, { area, page, limit })
    return wantsCsv(request) ? sendCsv(reply, `banding-${kind}`, slotColumns, flat(everyRow(read))) : read(first, most)
  })
}

/** @param needs where receipts come from */
export function slotRoute(app: FastifyInstance, needs: Parameters<typeof readSlot>[0]): void {
  app.get<{ Params: { station: string; contest: string } }>('/v1/recaps/slots/:station/:contest', (request): Promise<RecapSlot> => {
    const caller = callerWho(request, 'read', 'comparison')
    const { station, contest } = request.params
    if (!/^[0-9]{13}$/.test(station) || !known.some((each) => each === contest)) throw new ProblemError('not_found', `A station has a code of 13 digits, and a contest is one of ${known.join(', ')}.`)
    return readSlot(needs, caller, station, contest)
  })
}

const countColumns = ['code', 'name', 'stations', 'expected', 'agree', 'differ', 'officer_only', 'supervisor_only', 'conflict', 'quarantine', 'neither']
const slotColumns = ['kind', 'station', 'place', 'contest', 'field', 'officer', 'supervisor', 'misreading', 'fits', 'officerRecords', 'supervisorRecords', 'otherRecords']

/** A line a field that differs; one where there is none. */
async function* flat(rows: AsyncGenerator<ComparedSlots['rows'][number]>): AsyncGenerator<FlatRow> {
  for await (const { differences, records, kind, station, place, contest } of rows) {
    const of = (side: string | null): string => records.filter((record) => record.side === side).map(({ hash }) => hash).join(' ')
    const whole = { kind, station, place, contest, officerRecords: of('officer'), supervisorRecords: of('supervisor'), otherRecords: of(null) }
    if (differences.length === 0) yield whole
    else for (const each of differences) yield { ...whole, ...each }
  }
}
