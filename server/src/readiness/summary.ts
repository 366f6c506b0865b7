import type pg from 'pg'
import type { ReadinessArea, ReadinessSummary } from '@kawal/contract/readiness.ts'
import { readinessClasses } from '@kawal/core/readiness/readiness.ts'
import { check_days, day_ms, type Checks } from './checks.ts'
import { planOf, refOf, type Plan } from './plans.ts'
import { inArea } from './read.ts'

const digits = { province: 2, regency: 4, district: 6, village: 10 } as const
export type Level = keyof typeof digits
export const digitsOf = (level: Level): number => digits[level]

type Counts = Omit<ReadinessArea, 'code' | 'name'>
const noCounts = (): Counts => ({ stations: 0, classes: { a: 0, b: 0, c: 0, d: 0, e: 0, unknown: 0 }, voters: null, checked: 0, fixes: 0 })

function add(into: Counts, more: Counts): void {
  into.stations += more.stations
  for (const name of readinessClasses) into.classes[name] += more.classes[name]
  if (more.voters !== null) into.voters = (into.voters ?? 0) + more.voters
  into.checked += more.checked
  into.fixes += more.fixes
}

/**
 * Stations by class: of provinces and regencies as the plan counted them when it was made, so that a
 * nation is a few kilobytes; of districts by looking.
 */
export async function readSummary(client: pg.ClientBase, checks: Checks, asked: { level?: ReadinessSummary['level']; area?: string; plan?: number }): Promise<ReadinessSummary> {
  const plan = await planOf(client, asked.plan)
  const level = asked.level ?? 'province'
  const { at, regencies } = await checks.counts()
  const byCode = level === 'district' || (asked.area ?? '').length > 4 ? await districts(client, plan, asked.area, at) : planned(plan, asked.area, regencies)
  const areas = new Map<string, Counts>()
  const total = noCounts()
  for (const [code, counts] of byCode) {
    const above = code.slice(0, digits[level])
    const here = areas.get(above) ?? noCounts()
    areas.set(above, here)
    add(here, counts)
    add(total, counts)
  }
  const names = await namesOf(client, [...areas.keys()])
  return {
    plan: refOf(plan), level, countedAt: new Date(at).toISOString(),
    total: { ...total, unknownReasons: asked.area === undefined ? { ...plan.summary.unknown } : await reasons(client, plan, asked.area) },
    areas: [...areas].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, counts]) => ({ code, name: names.get(code) ?? code, ...counts })),
  }
}

function* planned(plan: Plan, area: string | undefined, regencies: Awaited<ReturnType<Checks['counts']>>['regencies']): Generator<[string, Counts]> {
  for (const [code, counted] of Object.entries(plan.summary.regencies)) {
    if (area !== undefined && !code.startsWith(area)) continue
    const counts = noCounts()
    for (const name of readinessClasses) {
      counts.classes[name] = counted[name] ?? 0
      counts.stations += counts.classes[name]
    }
    const { voters } = counted
    yield [code, { ...counts, voters: voters === undefined || voters === 0 ? null : voters, checked: regencies.get(code)?.checked ?? 0, fixes: regencies.get(code)?.fixes ?? 0 }]
  }
}

async function districts(client: pg.ClientBase, plan: Plan, area: string | undefined, at: number): Promise<Map<string, Counts>> {
  const { rows } = await client.query<Counts['classes'] & Omit<Counts, 'classes'> & { code: string }>(
    `SELECT left(r.station_code, 6) AS code, count(*)::int AS stations, ${readinessClasses.map((name) => `count(*) FILTER (WHERE r.class = '${name}')::int AS ${name}`).join(', ')},
            sum(s.voters)::int AS voters, count(*) FILTER (WHERE s.position_grade = 'fix')::int AS fixes, count(c.station_code)::int AS checked
     FROM readiness r LEFT JOIN station_now s ON s.code = r.station_code AND ${inArea('s.code', '$2')}
     LEFT JOIN (SELECT DISTINCT station_code FROM station_check WHERE last_at >= $3 AND ${inArea('station_code', '$2')}) c ON c.station_code = r.station_code
     WHERE r.plan_id = $1 AND ${inArea('r.station_code', '$2')} GROUP BY 1`,
    [plan.id, area ?? null, new Date(at - check_days * day_ms)])
  return new Map(rows.map(({ code, stations, voters, fixes, checked, ...classes }) => [code, { stations, voters, fixes, checked, classes: { a: classes.a, b: classes.b, c: classes.c, d: classes.d, e: classes.e, unknown: classes.unknown } }]))
}

async function reasons(client: pg.ClientBase, plan: Plan, area: string): Promise<Record<string, number>> {
  const { rows } = await client.query<{ reason: string; count: number }>(
    `SELECT reason, count(*)::int AS count FROM readiness r WHERE plan_id = $1 AND class = 'unknown' AND ${inArea('r.station_code', '$2')} GROUP BY reason ORDER BY reason`, [plan.id, area])
  return Object.fromEntries(rows.map(({ reason, count }) => [reason, count]))
}

export async function namesOf(client: pg.ClientBase, codes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ code: string; name: string }>('SELECT code, name FROM region_now WHERE code = ANY ($1)', [codes])
  return new Map(rows.map(({ code, name }) => [code, name]))
}
