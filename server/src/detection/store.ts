import type { DisturbanceTurns, LiveDisturbance } from '@kawal/contract/live.ts'
import type { PlacedAlarm, PlannedWork, Turn } from '@kawal/core/detection/disturbance.ts'
import type { HitDevice } from '@kawal/core/detection/resume.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'

/** A disturbance as it is kept: what is shown of it, and the devices it holds. */
export interface KeptDisturbance { readonly row: LiveDisturbance; readonly devices: readonly HitDevice[] }

/** A turn as it is kept, behind those before it. */
export interface KeptTurn { readonly row: LiveDisturbance; readonly number: number; readonly at: number; readonly turn: Turn; readonly other: string | null }

/** What detection was given besides reports; a sweep took in every segment up to `segment` first. */
export type DetectionInput =
  | { readonly kind: 'start'; readonly at: number; readonly segment: number; readonly body: null }
  | { readonly kind: 'sweep'; readonly at: number; readonly segment: number; readonly body: null }
  | { readonly kind: 'alarm'; readonly at: number; readonly segment: null; readonly body: PlacedAlarm }
  | { readonly kind: 'work'; readonly at: number; readonly segment: null; readonly body: PlannedWork }
  | { readonly kind: 'alarm_cleared' | 'work_withdrawn'; readonly at: number; readonly segment: null; readonly body: { readonly id: string } }

interface Kept { readonly disturbances: readonly KeptDisturbance[]; readonly turns: readonly KeptTurn[]; readonly inputs: readonly DetectionInput[] }

/** All of it is on disk when it resolves, or none. Saving a disturbance again replaces it; turns and inputs are only ever added. */
export async function keep(database: Database, run: string, { disturbances, turns, inputs }: Kept): Promise<void> {
  if (disturbances.length + turns.length + inputs.length === 0) return
  const rows = disturbances.map((each) => each.row)
  await database.transaction(system, async (client) => {
    if (rows.length > 0)
      await client.query(
        `INSERT INTO disturbance (id, organisation_id, state, found_at, ended_at, devices)
         SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[])
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, organisation_id = excluded.organisation_id, devices = excluded.devices`,
        [
          rows.map((row) => row.id), rows.map((row) => row.operator ?? 'kawal'), rows.map((row) => JSON.stringify(row)), rows.map((row) => row.foundAt ?? row.suspectedAt), rows.map((row) => row.endedAt),
          disturbances.map((each) => JSON.stringify(each.devices.map(({ device, station, operator }) => [device, station, operator]))),
        ])
    if (turns.length > 0)
      await client.query(
        `INSERT INTO disturbance_turn (disturbance_id, number, organisation_id, at, turn, state)
         SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::jsonb[])`,
        [
          turns.map(({ row }) => row.id), turns.map(({ number }) => number), turns.map(({ row }) => row.operator ?? 'kawal'), turns.map(({ at }) => new Date(at).toISOString()), turns.map(({ turn }) => turn),
          turns.map(({ row: { stations, impact: _, ...state }, other }) => JSON.stringify({ ...state, stations: stations.length, other })),
        ])
    if (inputs.length > 0)
      await client.query(
        `INSERT INTO detection_input (run, at, kind, segment, body)
         SELECT $1, at, kind, segment, body FROM unnest($2::timestamptz[], $3::text[], $4::bigint[], $5::jsonb[]) WITH ORDINALITY AS _ (at, kind, segment, body, place) ORDER BY place`,
        [run, inputs.map(({ at }) => new Date(at).toISOString()), inputs.map(({ kind }) => kind), inputs.map(({ segment }) => segment), inputs.map(({ body }) => (body === null ? null : JSON.stringify(body)))])
  })
}

/** What is ongoing, with the number of its last turn. */
export async function readOngoing(database: Database): Promise<(KeptDisturbance & { readonly turns: number })[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ state: LiveDisturbance; devices: [number | string, string, string][]; turns: number }>(
    `SELECT state, devices, (SELECT coalesce(max(number), 0) FROM disturbance_turn WHERE disturbance_id = id) AS turns FROM disturbance WHERE ended_at IS NULL ORDER BY found_at, id`))
  // Before devices had numbers here, they had names.
  return rows.map(({ state, devices, turns }) => ({ row: state, turns, devices: devices.filter(([device]) => Number.isSafeInteger(Number(device))).map(([device, station, operator]) => ({ device: Number(device), station, operator })) }))
}

export async function readTurns(database: Database, caller: Caller, id: string): Promise<DisturbanceTurns> {
  interface State { stage: DisturbanceTurns[number]['stage']; cause: DisturbanceTurns[number]['cause']; confidence: number; stations: number; evidence: LiveDisturbance['evidence']; other: string | null }
  const { rows } = await database.transaction(caller, (client) => client.query<{ number: number; at: Date; turn: DisturbanceTurns[number]['turn']; state: State }>(
    'SELECT number, at, turn, state FROM disturbance_turn WHERE disturbance_id = $1 ORDER BY number', [id]))
  return rows.map(({ number, at, turn, state: { stage, cause, confidence, stations, evidence, other } }) => ({
    number, at: at.toISOString(), turn, stage, cause, confidence, stations, silent: evidence.devicesSilent, bad: evidence.devicesBad, good: evidence.devicesGood, score: evidence.score, threshold: evidence.threshold, other,
  }))
}
