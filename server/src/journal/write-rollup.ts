import type pg from 'pg'
import { system, type Database } from '../adapters/postgres/database.ts'
import { blankCell, type Cell, type Drained } from './rollup.ts'

/** Places looked at in one go: some milliseconds, then reports have their turn. */
const slice_places = 65_536
const int4 = 23
const int8 = 20
const no_rtt = -1

/**
 * Writes drained cells, a row for each window, regency and operator, and notes that every segment up to `until` is
 * counted: both or nothing. On disk when it resolves. Reports come in meanwhile.
 * @param until null where something was not counted, and segments must be read again
 * @param turn lets others go on
 */
export async function writeRollup(database: Database, drained: Drained, { until, now, turn }: { until: number | null; now: number; turn: () => Promise<void> }): Promise<void> {
  const groups = await groupsOf(drained, turn)
  const cell = blankCell()
  await database.transaction(system, async (client) => {
    await client.query('SELECT kawal_journal_partitions($1)', [new Date(now).toISOString()])
    for (const [since, byGroup] of groups) for (const places of byGroup.values()) await insert(client, rowOf(drained, places, cell), { since, now })
    if (until !== null) await client.query('UPDATE journal_mark SET rollup = $1', [until])
  })
}

async function groupsOf(drained: Drained, turn: () => Promise<void>): Promise<Map<number, Map<number, number[]>>> {
  const groups = new Map<number, Map<number, number[]>>()
  for (let place = 0; place < drained.places; place++) {
    if (place % slice_places === slice_places - 1) await turn()
    if (!drained.isUsed(place)) continue
    const since = drained.sinceOf(place)
    let byGroup = groups.get(since)
    if (byGroup === undefined) groups.set(since, (byGroup = new Map()))
    const group = drained.groupOf(place)
    const places = byGroup.get(group)
    if (places === undefined) byGroup.set(group, [place])
    else places.push(place)
  }
  return groups
}

interface Row { readonly operator: string | null; readonly regency: string; readonly station: Float64Array; readonly counts: readonly Int32Array[] }

function rowOf(drained: Drained, places: readonly number[], cell: Cell): Row {
  const station = new Float64Array(places.length)
  const counts = Array.from({ length: 7 }, () => new Int32Array(places.length))
  places.forEach((place, i) => {
    drained.read(place, cell)
    station[i] = cell.station
    const sorted = cell.rtt.subarray(0, cell.rtts).sort()
    const values = [cell.reports, cell.good, cell.bad, cell.charging, cell.onBattery, percentile(sorted, 0.5), percentile(sorted, 0.9)]
    values.forEach((value, column) => ((counts[column] as Int32Array)[i] = value))
  })
  return { operator: drained.operators[cell.operator] ?? null, regency: String(Math.floor(cell.station / 1_000_000_000)).padStart(4, '0'), station, counts }
}

/** The nearest rank from above; -1 of none. */
function percentile(sorted: Uint16Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? no_rtt
}

async function insert(client: pg.ClientBase, { operator, regency, station, counts }: Row, { since, now }: { since: number; now: number }): Promise<void> {
  await client.query({
    name: 'rollup', text: `INSERT INTO rollup (written_at, five_minutes, operator_id, regency, station, reports, good, bad, charging, on_battery, rtt_ms_median, rtt_ms_p90) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [new Date(now).toISOString(), new Date(since).toISOString(), operator, regency, binaryArray(int8, station), ...counts.map((column) => binaryArray(int4, column))],
  })
}

/** An array in PostgreSQL's binary form (array_recv): dimensions, whether there are nulls, type, length, lower bound, then each value behind its length. */
function binaryArray(type: number, values: Float64Array | Int32Array): Buffer {
  const width = type === int8 ? 8 : 4
  const bytes = Buffer.alloc(20 + values.length * (4 + width))
  for (const [at, value] of [1, 0, type, values.length, 1].entries()) bytes.writeInt32BE(value, at * 4)
  for (let i = 0, at = 20; i < values.length; i++, at += 4 + width) {
    const value = values[i] as number
    bytes.writeInt32BE(width, at)
    if (width === 4) bytes.writeInt32BE(value, at + 4)
    else {
      bytes.writeInt32BE(Math.floor(value / 4_294_967_296), at + 4)
      bytes.writeUInt32BE(value >>> 0, at + 8)
    }
  }
  return bytes
}
