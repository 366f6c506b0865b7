import type { LiveDisturbance } from '@kawal/contract/live.ts'
import type { HitDevice } from '@kawal/core/detection/detector.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { KeptSample } from '../measurement/ingest.ts'

/** A disturbance as it is kept: what is shown of it, and the devices it hit. */
export interface KeptDisturbance { readonly row: LiveDisturbance; readonly devices: readonly HitDevice[] }

/** On disk when it resolves. Saving the same one again replaces it. */
export async function saveDisturbances(database: Database, kept: readonly KeptDisturbance[]): Promise<void> {
  if (kept.length === 0) return
  const rows = kept.map((each) => each.row)
  await database.transaction(system, (client) =>
    client.query(
      `INSERT INTO disturbance (id, organisation_id, state, found_at, ended_at, devices)
       SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[])
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, organisation_id = excluded.organisation_id, devices = excluded.devices`,
      [
        rows.map((row) => row.id), rows.map((row) => row.operator ?? 'kawal'), rows.map((row) => JSON.stringify(row)), rows.map((row) => row.foundAt), rows.map((row) => row.endedAt),
        kept.map((each) => JSON.stringify(each.devices.map(({ device, station, operator }) => [device, station, operator]))),
      ],
    ),
  )
}

/** What is open, and the reports that came in since an instant, in their order. */
export async function readOpen(database: Database, since: number): Promise<{ open: KeptDisturbance[]; reports: KeptSample[] }> {
  return database.transaction(system, async (client) => {
    const open = await client.query<{ state: LiveDisturbance; devices: [string, string, string][] }>('SELECT state, devices FROM disturbance WHERE ended_at IS NULL ORDER BY found_at, id')
    const reports = await client.query<{ id: string; key: number; station_code: string; operator_id: string | null; event_at: Date; received_at: Date; clock_offset_ms: number; sample: KeptSample['sample'] }>(
      `SELECT device.id, device_key AS key, report.station_code, operator_id, event_at, received_at, clock_offset_ms, sample
       FROM report JOIN device ON device.key = device_key WHERE received_at >= $1 ORDER BY received_at, device_key, sequence`,
      [new Date(since)],
    )
    return {
      open: open.rows.map(({ state, devices }) => ({ row: state, devices: devices.map(([device, station, operator]) => ({ device, station, operator })) })),
      reports: reports.rows.map((row) => ({
        device: { id: row.id, key: row.key, station: row.station_code }, operator: row.operator_id,
        eventAt: row.event_at.getTime() + row.clock_offset_ms, receivedAt: row.received_at.getTime(), sample: row.sample,
        dueAt: row.sample.nextDueAt === null ? null : Date.parse(row.sample.nextDueAt) + row.clock_offset_ms,
      })),
    }
  })
}
