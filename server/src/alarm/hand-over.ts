import type { PlacedAlarm } from '@kawal/core/detection/disturbance.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { Footprint } from './footprint.ts'
import { recordOf, type AlarmRecord } from './store.ts'

/** What detection is told of alarms, after they are on disk. */
export interface AlarmTakers {
  /** An alarm that is active and placed: a new one, or one that changed. */
  readonly placed: (alarm: PlacedAlarm) => void
  /** It is over, or nobody knows any more where it is. Told of alarms too that were never placed. */
  readonly cleared: (id: string, at: Instant) => void
}

/** Active alarms that a restart gives to detection; the newest, where there are more. */
const active_max = 50_000

/** An alarm as detection takes it; null for one that is over or concerns no station. A clock that runs ahead raises it no later than now. */
function placedAlarm(alarm: AlarmRecord, footprint: Footprint, now: Instant): PlacedAlarm | null {
  if (alarm.clearedAt !== null || alarm.placedBy === null) return null
  const stations = footprint.stationsOf(alarm)
  return stations.length === 0 ? null : { id: String(alarm.id), operator: alarm.organisation, severity: alarm.severity, suggests: alarm.suggests, raisedAt: Math.min(alarm.raisedAt, now), stations }
}

/** Tells of one alarm that changed. */
export function handOver(takers: AlarmTakers, alarm: AlarmRecord, footprint: Footprint, now: Instant): void {
  const placed = placedAlarm(alarm, footprint, now)
  if (placed === null) takers.cleared(String(alarm.id), alarm.clearedAt ?? now)
  else takers.placed(placed)
}

/** For a restart: active alarms that concern a station, the oldest first; the newest 50,000. */
export async function readActiveAlarms(database: Database, footprint: Footprint, now: Instant): Promise<PlacedAlarm[]> {
  const { rows } = await database.transaction(system, (client) => client.query<Parameters<typeof recordOf>[0]>(
    'SELECT * FROM alarm WHERE cleared_at IS NULL AND stations > 0 ORDER BY raised_at DESC, id DESC LIMIT $1', [active_max]))
  return rows.reverse().map((row) => placedAlarm(recordOf(row), footprint, now)).filter((alarm) => alarm !== null)
}
