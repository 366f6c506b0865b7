import type pg from 'pg'
import type { PlannedWorkMeasured } from '@kawal/contract/planned-work.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import type { Announced } from './work.ts'

/** Work begins and ends a little beside its time, as detection allows it. */
const before_ms = 5 * minute_ms
const after_ms = 15 * minute_ms
/** Disturbances that are looked at, the newest; and told of one work. */
const rows_max = 1_000
const outside_max = 20
/** Loss outside an announced area is told within the same district. */
const district_digits = 6

interface Work extends Pick<Announced, 'from' | 'to' | 'areas'> {
  readonly id: number
  readonly operator: string
  readonly withdrawnAt: Instant | null
}

interface Loss {
  readonly id: string
  readonly operator: string | null
  readonly isEverybody: boolean
  readonly stations: readonly string[]
  readonly startedAt: Instant
  readonly endedAt: Instant | null
  /** What held it back at any time. */
  readonly held: readonly string[]
  readonly overran: string | null
}

/**
 * What was measured of each work that has begun, by its number: of disturbances that the caller may see.
 * @param client in a transaction of the caller
 */
export async function readMeasured(client: pg.PoolClient, works: readonly Work[], now: Instant): Promise<Map<number, PlannedWorkMeasured>> {
  const begun = works.filter(({ from, withdrawnAt }) => from <= now && (withdrawnAt === null || withdrawnAt > from))
  if (begun.length === 0) return new Map()
  const losses = await readLosses(client, Math.min(...begun.map(({ from }) => from)) - before_ms, Math.max(...begun.map(({ to }) => to)) + after_ms)
  return new Map(begun.map((work) => [work.id, measuredOf(work, losses, now)]))
}

async function readLosses(client: pg.PoolClient, from: Instant, to: Instant): Promise<Loss[]> {
  const { rows } = await client.query<{ id: string; operator: string | null; everybody: boolean; stations: string[]; started: string; ended_at: Date | null; held: string[]; overran: string | null }>(
    `SELECT id, state->>'operator' AS operator, coalesce((state->>'isEverybody')::boolean, false) AS everybody, state->'stations' AS stations, state->>'startedAt' AS started, ended_at, state->>'overran' AS overran,
       ARRAY(SELECT DISTINCT turn.state->>'other' FROM disturbance_turn AS turn WHERE turn.disturbance_id = disturbance.id AND turn.turn = 'held') AS held
     FROM disturbance
     WHERE found_at < $2 AND (ended_at IS NULL OR ended_at > $1) AND state->>'foundAt' IS NOT NULL AND state->>'stage' <> 'retracted' AND state->>'cause' NOT IN ('ingest', 'election_server')
     ORDER BY found_at DESC, id LIMIT $3`, [new Date(from), new Date(to), rows_max])
  return rows.map(({ everybody, started, ended_at, ...row }) => ({ ...row, isEverybody: everybody, startedAt: Date.parse(started), endedAt: ended_at?.getTime() ?? null }))
}

function measuredOf(work: Work, losses: readonly Loss[], now: Instant): PlannedWorkMeasured {
  const name = String(work.id)
  const until = Math.min(work.to, work.withdrawnAt ?? work.to)
  const isIn = (code: string): boolean => work.areas.some((area) => code.startsWith(area))
  const isNear = (code: string): boolean => work.areas.some((area) => code.startsWith(area.slice(0, district_digits)))
  const own = losses.filter(({ held }) => held.includes(name))
  const begunMeanwhile = losses.filter((loss) => !own.includes(loss) && loss.startedAt >= work.from - before_ms && loss.startedAt <= until + after_ms)
  const isOthers = ({ operator, isEverybody }: Loss): boolean => isEverybody || operator !== work.operator
  const outside = [
    ...own.map((loss) => ({ loss, kind: 'area' as const, stations: loss.stations.filter((code) => !isIn(code)).length })),
    ...begunMeanwhile.filter((loss) => !isOthers(loss)).map((loss) => ({ loss, kind: 'area' as const, stations: loss.stations.filter((code) => !isIn(code) && isNear(code)).length })),
    ...begunMeanwhile.filter(isOthers).map((loss) => ({ loss, kind: 'operator' as const, stations: loss.stations.filter(isIn).length })),
  ].filter(({ stations }) => stations > 0).sort((a, b) => b.stations - a.stations || (a.loss.id < b.loss.id ? -1 : 1))
  const late = own.filter(({ overran }) => overran === name)
  return {
    stations: new Set(own.flatMap(({ stations }) => stations.filter(isIn))).size,
    disturbances: own.map(({ id }) => id).sort(),
    outside: outside.slice(0, outside_max).map(({ loss: { id, operator }, kind, stations }) => ({ disturbance: id, kind, operator, stations })),
    overrun: late.length === 0 ? null : { disturbances: late.map(({ id }) => id).sort(), minutes: Math.round(Math.max(...late.map(({ endedAt }) => (endedAt ?? now) - work.to)) / minute_ms) },
  }
}
