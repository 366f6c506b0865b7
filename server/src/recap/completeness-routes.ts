import type { FastifyInstance } from 'fastify'
import { completenessQuery, gapsQuery, type GapCounts, type RecapCompleteness, type RecapGaps } from '@kawal/contract/completeness.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, everyRow, limit_default, sendCsv, takes, wantsCsv } from '../readiness/ask.ts'
import type { Due } from './due.ts'
import { clampArea, countGaps, noGaps, readGaps, type PlatformGapKind } from './gaps.ts'
import { createSums } from './sums.ts'

interface CompletenessNeeds {
  readonly database: Database
  readonly clock: () => number
  readonly due: Due
  readonly names: ReadonlyMap<string, string>
  readonly contests: readonly string[]
  readonly hasReceiver: boolean
  readonly countedAt: () => number | null
  readonly linkedAt: () => number | null
}

interface Asked { area?: string; kind?: PlatformGapKind; page?: string; limit?: number }

const gapColumns = ['kind', 'mend', 'station', 'contest', 'hash', 'code', 'phone', 'sequence', 'until', 'detail', 'records', 'since']

/** What lacks, from what the platform has itself: for whoever may read recaps. Who holds the receiver's list and the boxes' logs sees more (`kawal verify recaps`). */
export function completenessRoutes(app: FastifyInstance, needs: CompletenessNeeds): void {
  const sums = createSums<readonly Sum[]>(needs.countedAt)
  app.get<{ Querystring: Asked }>('/v1/recaps/completeness', takes(completenessQuery), async (request): Promise<RecapCompleteness> => {
    const caller = callerWho(request, 'read', 'recap')
    const { area = '' } = request.query
    if (area !== '' && !needs.names.has(area)) throw new ProblemError('not_found', `There is no area ${area} in the register.`)
    const asked = await clampArea(needs.database, caller, area)
    if (asked === null) throw new ProblemError('not_found', `Area ${area} is not yours to see.`)
    return readCompleteness(needs, sums, caller, asked)
  })

  app.get<{ Querystring: Asked }>('/v1/recaps/completeness/gaps', takes(gapsQuery), async (request, reply) => {
    const caller = callerWho(request, 'read', 'recap')
    const { area = '', kind = 'quarantine', page, limit = limit_default } = request.query
    const read = (page: string | undefined, limit: number): Promise<RecapGaps> => readGaps(needs, caller, kind, { area, page, limit }, needs.clock())
    return wantsCsv(request) ? sendCsv(reply, `kurang-${kind}`, gapColumns, everyRow(read)) : read(page, limit)
  })
}

/** Digits of the areas in an area; a village's lines are its stations'. */
const below: Readonly<Record<number, number>> = { 0: 2, 2: 4, 4: 6, 6: 10 }

interface Sum { readonly area: string; readonly quarantine: number; readonly recorded: number; readonly delivered: number; readonly whole: number; readonly apart: number }

const sum_villages = `
  SELECT left(village, $2::integer) AS area, sum(CASE WHEN reason <> '' THEN records ELSE 0 END)::integer AS quarantine,
    coalesce(sum(recorded) FILTER (WHERE contest = ANY($3)), 0)::integer AS recorded, coalesce(sum(delivered) FILTER (WHERE contest = ANY($3)), 0)::integer AS delivered,
    coalesce(sum(whole) FILTER (WHERE contest = ANY($3)), 0)::integer AS whole, coalesce(sum(apart) FILTER (WHERE contest = ANY($3)), 0)::integer AS apart
  FROM recap_count WHERE $1::text = '' OR village BETWEEN rpad($1, 10, '0') AND rpad($1, 10, '9') GROUP BY 1`

async function readCompleteness({ database, clock, due, names, contests, hasReceiver, countedAt, linkedAt }: CompletenessNeeds, sumsOf: ReturnType<typeof createSums<readonly Sum[]>>, caller: Caller, area: string): Promise<RecapCompleteness> {
  const now = clock()
  const digits = below[area.length] ?? 10
  const sums = await sumsOf(caller, area, () => database.transaction(caller, async (client) => (await client.query<Sum>(sum_villages, [area, digits, contests])).rows))
  const { counted, entries, boxes } = await countGaps(database, caller, area, digits)
  const byArea = new Map<string, ReturnType<typeof noGaps>>()
  const of = (code: string): ReturnType<typeof noGaps> => {
    const known = byArea.get(code) ?? noGaps()
    byArea.set(code, known)
    return known
  }
  const filled = new Map<string, number>()
  for (const { area: code, quarantine, recorded, delivered, whole, apart } of sums) {
    Object.assign(of(code), { quarantine, undelivered: hasReceiver ? recorded - delivered : null, photos: recorded - whole })
    filled.set(code, recorded + apart)
  }
  for (const { area: code, kind, count } of counted) of(code)[kind] += count
  const { areas } = due.count(area, digits, now)
  let slots: number | null = null
  for (const [code, { ended }] of areas) {
    const its = ended === null ? null : ended * contests.length
    of(code).empty = its === null ? null : Math.max(0, its - (filled.get(code) ?? 0))
    if (its !== null) slots = (slots ?? 0) + its
  }
  const total = [...byArea.values()].reduce(plus, noGaps())
  const named = (code: string): { code: string; name: string } => ({ code, name: names.get(code) ?? code })
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
  const sum = (pick: (of: Sum) => number): number => sums.reduce((all, each) => all + pick(each), 0)
  return {
    now: new Date(now).toISOString(), countedAt: iso(countedAt()), linkedAt: iso(linkedAt()), area: area === '' ? { code: '', name: '' } : named(area), above: [2, 4, 6].filter((length) => length < area.length).map((length) => named(area.slice(0, length))),
    compared: { day: due.day(now), due: slots, recorded: sum(({ recorded }) => recorded), delivered: sum(({ delivered }) => delivered), entries, boxes, receiver: hasReceiver },
    total: { ...total, undelivered: hasReceiver ? total.undelivered : null, empty: slots === null ? null : total.empty },
    rows: area.length === 10 ? [] : [...byArea].filter(([code, gaps]) => areas.has(code) && Object.values(gaps).some((count) => (count ?? 0) > 0)).sort(([one], [other]) => (one < other ? -1 : 1)).map(([code, gaps]) => ({ ...named(code), ...gaps })),
  }
}

type Counts = ReturnType<typeof noGaps>
const plus = (one: Counts, other: GapCounts): Counts => ({
  custody: one.custody + other.custody, missing: one.missing + other.missing, branch: one.branch + other.branch, quarantine: one.quarantine + other.quarantine,
  undelivered: (one.undelivered ?? 0) + (other.undelivered ?? 0), photos: one.photos + other.photos, empty: (one.empty ?? 0) + (other.empty ?? 0),
})
