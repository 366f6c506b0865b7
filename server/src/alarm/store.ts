import type pg from 'pg'
import type { AlarmTurnKind } from '@kawal/contract/alarm.ts'
import type { Technology } from '@kawal/core/atlas/edition.ts'
import type { Cause } from '@kawal/core/detection/disturbance.ts'
import type { PerceivedSeverity } from '@kawal/core/detection/x733.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { cellNames, nodeName, type Known, type KnownCell, type KnownPoint } from './place.ts'
import type { Extent } from './footprint.ts'
import type { AlarmSource, Attributes, Mention } from './said.ts'
import type { AlarmState } from './turn.ts'

/** An alarm as it is kept. */
export interface AlarmRecord extends AlarmState {
  readonly id: number
  readonly organisation: string
}

interface AlarmTurn { readonly id: number; readonly number: number; readonly kind: AlarmTurnKind; readonly message: string }

/** A storm of cells of one number: more of them place nothing anyway. */
const cells_max = 50_000

interface Row {
  id: number; organisation_id: string; source: AlarmSource; external_id: string; severity: PerceivedSeverity; probable_cause: string; suggests: Cause | null; title: string; object: string | null
  raised_at: Date; changed_at: Date; cleared_at: Date | null; received_at: Date; heard_at: Date; raised_count: number; turns: number
  placed_by: AlarmState['placedBy']; unplaced_reason: AlarmState['unplacedReason']; areas: string[]; points: Extent['points']; stations: number; attributes: Attributes
}

export function recordOf(row: Row): AlarmRecord {
  return {
    id: row.id, organisation: row.organisation_id, source: row.source, externalId: row.external_id, severity: row.severity, probableCause: row.probable_cause, suggests: row.suggests, title: row.title, object: row.object,
    raisedAt: row.raised_at.getTime(), changedAt: row.changed_at.getTime(), clearedAt: row.cleared_at?.getTime() ?? null, receivedAt: row.received_at.getTime(), heardAt: row.heard_at.getTime(),
    raisedCount: row.raised_count, turns: row.turns, placedBy: row.placed_by, unplacedReason: row.unplaced_reason, areas: row.areas, points: row.points, stations: row.stations, attributes: row.attributes,
  }
}

const rowOf = (state: AlarmState): Omit<Row, 'id' | 'organisation_id' | 'raised_at' | 'changed_at' | 'cleared_at' | 'received_at' | 'heard_at'> & Record<'raised_at' | 'changed_at' | 'received_at' | 'heard_at', string> & { cleared_at: string | null } => ({
  source: state.source, external_id: state.externalId, severity: state.severity, probable_cause: state.probableCause, suggests: state.suggests, title: state.title, object: state.object,
  raised_at: new Date(state.raisedAt).toISOString(), changed_at: new Date(state.changedAt).toISOString(), cleared_at: state.clearedAt === null ? null : new Date(state.clearedAt).toISOString(),
  received_at: new Date(state.receivedAt).toISOString(), heard_at: new Date(state.heardAt).toISOString(),
  raised_count: state.raisedCount, turns: state.turns, placed_by: state.placedBy, unplaced_reason: state.unplacedReason, areas: [...state.areas], points: state.points, stations: state.stations, attributes: state.attributes,
})

const columns = `source text, external_id text, severity text, probable_cause text, suggests text, title text, object text, raised_at timestamptz, changed_at timestamptz, cleared_at timestamptz,
  received_at timestamptz, heard_at timestamptz, raised_count integer, turns integer, placed_by text, unplaced_reason text, areas text[], points jsonb, stations integer, attributes jsonb`
const names = columns.split(',').map((column) => column.trim().split(' ')[0] ?? '')

/** Holds all others who write alarms of this organisation until the transaction ends: what is read before a change is what is changed. */
export async function lockAlarms(client: pg.PoolClient, organisation: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('alarm ' || $1, 0))", [organisation])
}

/** The alarms of these names in their systems, by `source external_id`. */
export async function alarmsNamed(client: pg.PoolClient, organisation: string, asked: readonly { readonly source: AlarmSource; readonly externalId: string }[]): Promise<Map<string, AlarmRecord>> {
  const { rows } = await client.query<Row>(
    `SELECT alarm.* FROM alarm JOIN unnest($2::text[], $3::text[]) AS asked (source, external_id) USING (source, external_id) WHERE organisation_id = $1`,
    [organisation, asked.map((each) => each.source), asked.map((each) => each.externalId)])
  return new Map(rows.map((row) => [`${row.source} ${row.external_id}`, recordOf(row)]))
}

/** Writes new alarms. @returns their numbers, by `source external_id` */
export async function addAlarms(client: pg.PoolClient, organisation: string, states: readonly AlarmState[]): Promise<Map<string, number>> {
  if (states.length === 0) return new Map()
  const { rows } = await client.query<{ id: number; source: string; external_id: string }>(
    `INSERT INTO alarm (organisation_id, ${names.join(', ')}) SELECT $1, ${names.join(', ')} FROM jsonb_to_recordset($2::jsonb) AS given (${columns}) RETURNING id, source, external_id`,
    [organisation, JSON.stringify(states.map(rowOf))])
  return new Map(rows.map((row) => [`${row.source} ${row.external_id}`, row.id]))
}

export async function changeAlarms(client: pg.PoolClient, records: readonly AlarmRecord[]): Promise<void> {
  if (records.length === 0) return
  await client.query(
    `UPDATE alarm SET ${names.map((name) => `${name} = given.${name}`).join(', ')} FROM jsonb_to_recordset($1::jsonb) AS given (id bigint, ${columns}) WHERE alarm.id = given.id`,
    [JSON.stringify(records.map((record) => ({ id: record.id, ...rowOf(record) })))])
}

export async function addTurns(client: pg.PoolClient, organisation: string, turns: readonly AlarmTurn[], now: Instant): Promise<void> {
  if (turns.length === 0) return
  await client.query(
    'INSERT INTO alarm_turn (alarm_id, number, organisation_id, at, kind, message) SELECT id, number, $1, $2, kind, message FROM unnest($3::bigint[], $4::int[], $5::text[], $6::text[]) AS given (id, number, kind, message)',
    [organisation, new Date(now), turns.map((each) => each.id), turns.map((each) => each.number), turns.map((each) => each.kind), turns.map((each) => each.message)])
}

/** What the registers know of the cells, sites and access points that these messages name: the organisation's own alone. */
export async function readKnown(client: pg.PoolClient, organisation: string, mentions: readonly Mention[], now: Instant): Promise<Known> {
  const cells = mentions.flatMap((mention) => (mention.cell === null ? [] : cellNames(mention.cell).map((name) => name.cell))).filter((cell) => Number.isSafeInteger(cell))
  const nodes = mentions.flatMap((mention) => (mention.site === null ? [] : [nodeName(mention.site)])).filter((node) => node !== null)
  const objects = mentions.flatMap((mention) => mention.object ?? [])
  const found: { rows: KnownCell[] } = cells.length + nodes.length === 0 ? { rows: [] } : await client.query<KnownCell>(
    `WITH held AS (
       SELECT DISTINCT ON (technology, complete) id, technology FROM claim
       WHERE kind = 'sites' AND organisation_id = $1 AND valid_from <= $2 ORDER BY technology, complete, valid_from DESC)
     SELECT technology, area, cell, latitude, longitude, range_m FROM cell_site JOIN held ON held.id = claim_id WHERE cell = ANY ($3::bigint[])
     UNION SELECT technology, area, cell, latitude, longitude, range_m FROM cell_site JOIN held ON held.id = claim_id WHERE technology = 'lte' AND cell >> 8 = ANY ($4::bigint[])
     LIMIT ${cells_max}`, [organisation, new Date(now), cells, nodes])
  const points = objects.length === 0 ? [] : (await client.query<KnownPoint>(
    'SELECT id, latitude, longitude, village_code AS village FROM access_point WHERE organisation_id = $1 AND valid_to IS NULL AND id = ANY ($2)', [organisation, objects])).rows
  return { cells: found.rows.map((row) => ({ ...row, technology: row.technology as Technology })), points: new Map(points.map((point) => [point.id, point])) }
}
