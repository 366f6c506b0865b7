import type pg from 'pg'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { defaultBudgets } from '@kawal/core/ticket/clock.ts'
import { budgetsBy, type ServiceLevel } from '@kawal/core/ticket/level.ts'
import type { TicketCause } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'

/** When results are due next at any of these stations; null when none are to come. */
export type ResultsDueAt = (stations: readonly string[], now: Instant) => Instant | null

interface LevelRow { readonly organisation: string; readonly severity: 'down' | 'degraded'; readonly restoreMinutes: number; readonly repairMinutes: number }
const columns = 'organisation_id AS organisation, severity, restore_minutes AS "restoreMinutes", repair_minutes AS "repairMinutes"'

/** The budgets of a ticket that an organisation gets now, in the caller's transaction: its own level, else everybody's, else the core's, and no longer than results allow. */
export async function budgetsOf(
  client: pg.ClientBase, organisation: string, { severity, stations }: Pick<TicketCause, 'severity' | 'stations'>, now: Instant, resultsDueAt: ResultsDueAt = () => null,
): Promise<ServiceLevel> {
  const { rows: [row] } = await client.query<LevelRow>(`SELECT ${columns} FROM service_level WHERE organisation_id IN ($1, $2) AND severity = $3 ORDER BY organisation_id = $2 LIMIT 1`, [organisation, system.organisation, severity])
  const level = row === undefined ? defaultBudgets[severity] : { restore: row.restoreMinutes * minute_ms, repair: row.repairMinutes * minute_ms }
  return budgetsBy(level, resultsDueAt(stations, now), now)
}

/** Every level that was given, and of everybody's (`kawal`) the core's where none was. */
export async function listLevels(database: Database): Promise<LevelRow[]> {
  const { rows } = await database.transaction(system, (client) => client.query<LevelRow>(`SELECT ${columns} FROM service_level ORDER BY organisation_id = $1 DESC, organisation_id, severity DESC`, [system.organisation]))
  const given = new Set(rows.filter(({ organisation }) => organisation === system.organisation).map(({ severity }) => severity))
  const own = (['down', 'degraded'] as const).filter((severity) => !given.has(severity))
    .map((severity): LevelRow => ({ organisation: system.organisation, severity, restoreMinutes: defaultBudgets[severity].restore / minute_ms, repairMinutes: defaultBudgets[severity].repair / minute_ms }))
  return [...own, ...rows]
}

/** Gives an organisation its level, or `kawal` everybody's; of tickets that open from now on. @param client as the owner of the schema */
export async function writeLevel(client: pg.ClientBase, { organisation, severity, restoreMinutes, repairMinutes }: LevelRow): Promise<void> {
  await client.query("SELECT set_config('kawal.role', 'system', false)")
  await client.query(
    `INSERT INTO service_level (organisation_id, severity, restore_minutes, repair_minutes) VALUES ($1, $2, $3, $4)
     ON CONFLICT (organisation_id, severity) DO UPDATE SET restore_minutes = excluded.restore_minutes, repair_minutes = excluded.repair_minutes`, [organisation, severity, restoreMinutes, repairMinutes])
}
