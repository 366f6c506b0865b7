import { once } from 'node:events'
import type pg from 'pg'
import { from } from 'pg-copy-streams'
import { nothing } from '@kawal/core/atlas/edition.ts'
import type { ReadinessClass, ReadinessReason } from '@kawal/core/readiness/readiness.ts'
import type { Points, Stations } from './nation.ts'
import { bases, type StationShares } from './places.ts'

/** What a plan found of each station, row by row. */
export interface Outcome {
  readonly classes: readonly ReadinessClass[]
  /** Row by row, indices in `classes` and `reasons`. */
  readonly class: Uint8Array
  readonly reasons: readonly ReadinessReason[]
  readonly reason: Uint8Array
  /** Indices of operators, or -1. */
  readonly best: Int8Array
  readonly second: Int8Array
  /** Rows of access points, or -1; minutes and km are NaN where there is none. */
  readonly point: Int32Array
  readonly point_reason: readonly (string | null)[]
  readonly distance_km: Float32Array
  readonly travel_min: Float32Array
  readonly slot_start_min: Float32Array
  readonly slot_min: Float32Array
}

export interface PlanSummary {
  readonly stations: number
  readonly classes: Readonly<Record<ReadinessClass, number>>
  readonly unknown: Readonly<Record<string, number>>
  readonly basis: Readonly<Record<string, number>>
  readonly blank: number
  readonly assigned: number
  readonly moves: number
  /** By regency's code; voters of those stations whose voters are known. */
  readonly regencies: Readonly<Record<string, Readonly<Record<ReadinessClass, number>> & { voters: number }>>
}

const noCounts = (): Record<ReadinessClass, number> => ({ a: 0, b: 0, c: 0, d: 0, e: 0, unknown: 0 })

export function summarise(stations: Stations, shares: StationShares, outcome: Outcome, moves: number): PlanSummary {
  const classes = noCounts()
  const unknown: Record<string, number> = {}
  const basis: Record<string, number> = {}
  const regencies: Record<string, Record<ReadinessClass, number> & { voters: number }> = {}
  let assigned = 0
  for (let row = 0; row < stations.codes.length; row++) {
    const of = outcome.classes[outcome.class[row] as number] as ReadinessClass
    const regency = (regencies[(stations.codes[row] as string).slice(0, 4)] ??= { ...noCounts(), voters: 0 })
    classes[of]++
    regency[of]++
    regency.voters += Math.max(0, stations.voters[row] as number)
    if (of === 'd') assigned++
    const reason = outcome.reasons[outcome.reason[row] as number] as string
    if (of === 'unknown') unknown[reason] = (unknown[reason] ?? 0) + 1
    const judged = bases[shares.basis[row] as number] as string
    basis[judged] = (basis[judged] ?? 0) + 1
  }
  return { stations: stations.codes.length, classes, unknown, basis, blank: classes.d + classes.e, assigned, moves, regencies }
}

const chunk_bytes = 256 * 1024
/** More than a row takes: its texts are codes and words, and its arrays have an operator an element. */
const row_bytes_max = 4096
const int2_oid = 21
const columns = ['plan_id', 'station_code', 'class', 'reason', 'basis', 'usable', 'weak', 'cells', 'best', 'second', 'access_point_id', 'access_reason', 'distance_km', 'travel_min', 'slot_start_min', 'slot_min']

/** Rows of COPY's binary format, which the database takes in half the time of its text. */
class BinaryRows {
  bytes = Buffer.allocUnsafe(chunk_bytes + row_bytes_max)
  at = 0
  begin(fields: number): void {
    this.at = this.bytes.writeInt16BE(fields, this.at)
  }
  int8(value: number): void {
    this.at = this.bytes.writeInt32BE(8, this.at)
    this.at = this.bytes.writeBigInt64BE(BigInt(value), this.at)
  }
  int4(value: number): void {
    this.at = this.bytes.writeInt32BE(4, this.at)
    this.at = this.bytes.writeInt32BE(value, this.at)
  }
  text(value: string | null | undefined): void {
    if (value === null || value === undefined) this.at = this.bytes.writeInt32BE(-1, this.at)
    else {
      const length = this.bytes.write(value, this.at + 4, 'utf8')
      this.bytes.writeInt32BE(length, this.at)
      this.at += 4 + length
    }
  }
  /** Of a share that is not known, NULL. */
  real(value: number): void {
    this.at = this.bytes.writeInt32BE(Number.isNaN(value) ? -1 : 4, this.at)
    if (!Number.isNaN(value)) this.at = this.bytes.writeFloatBE(Math.round(value * 100) / 100, this.at)
  }
  /** smallint[], NULL where nothing is known. */
  steps(column: Uint8Array, from: number, count: number): void {
    const start = this.at
    let at = start + 4
    for (const head of [1, 1, int2_oid, count, 1]) at = this.bytes.writeInt32BE(head, at)
    for (let i = from; i < from + count; i++) {
      const step = column[i] as number
      at = this.bytes.writeInt32BE(step === nothing ? -1 : 2, at)
      if (step !== nothing) at = this.bytes.writeInt16BE(step, at)
    }
    this.bytes.writeInt32BE(at - start - 4, start)
    this.at = at
  }
  /** What was written since the last time. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at)
    this.bytes = Buffer.allocUnsafe(chunk_bytes + row_bytes_max)
    this.at = 0
    return taken
  }
}

/**
 * Writes a plan's rows into a table of their own, which becomes the plan's partition: readers see all of
 * it or nothing, and dropping an old plan costs nothing.
 */
export async function writeReadiness(client: pg.ClientBase, plan: number, operators: readonly string[], stations: Stations, shares: StationShares, outcome: Outcome, points: Points, progress: (share: number) => void): Promise<void> {
  const table = `readiness_${plan}`
  await client.query(`CREATE TABLE ${table} (LIKE readiness INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
  const copy = client.query(from(`COPY ${table} (${columns.join(', ')}) FROM STDIN (FORMAT binary)`))
  // a failing COPY is told by the end of the stream, or by the write that waits for it
  const ended = new Promise<void>((resolve, reject) => copy.once('finish', resolve).once('error', reject))
  ended.catch(() => undefined)
  const rows = new BinaryRows()
  rows.at = rows.bytes.write('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
  for (let row = 0; row < stations.codes.length; row++) {
    rows.begin(columns.length)
    rows.int8(plan)
    rows.text(stations.codes[row])
    rows.text(outcome.classes[outcome.class[row] as number])
    rows.text(outcome.reasons[outcome.reason[row] as number])
    rows.text(bases[shares.basis[row] as number])
    rows.steps(shares.strong, row * shares.operators, shares.operators)
    rows.steps(shares.weak, row * shares.operators, shares.operators)
    rows.int4(shares.cells[row] as number)
    rows.text(operators[outcome.best[row] as number])
    rows.text(operators[outcome.second[row] as number])
    rows.text(points.ids[outcome.point[row] as number])
    rows.text(outcome.point_reason[row])
    for (const column of [outcome.distance_km, outcome.travel_min, outcome.slot_start_min, outcome.slot_min]) rows.real(column[row] as number)
    if (rows.at < chunk_bytes) continue
    if (!copy.write(rows.take())) await Promise.race([once(copy, 'drain'), ended])
    progress(row / stations.codes.length)
  }
  rows.begin(-1)
  copy.end(rows.take())
  await ended
  await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (station_code)`)
  await client.query(`ALTER TABLE ${table} ADD CHECK (plan_id = ${plan})`)
  // reached by its parent alone, which walls it; the wall is up here too, should anybody name it
  await client.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`)
  await client.query(`ALTER TABLE readiness ATTACH PARTITION ${table} FOR VALUES IN (${plan})`)
}

/** The newest plans are kept, older ones go. */
const plans_kept = 5

/** Marks a plan as finished, with its summary, and drops the partitions of plans too old. */
export async function finishPlan(client: pg.ClientBase, plan: number, summary: PlanSummary): Promise<void> {
  await client.query('UPDATE plan SET summary = $2, finished = true WHERE id = $1', [plan, JSON.stringify(summary)])
  const { rows } = await client.query<{ id: number }>('SELECT id FROM plan WHERE id <> $1 ORDER BY finished DESC, id DESC OFFSET $2', [plan, plans_kept - 1])
  for (const { id } of rows) {
    await client.query(`DROP TABLE IF EXISTS readiness_${id}`)
    await client.query('DELETE FROM plan WHERE id = $1', [id])
  }
}

/** Names of regions for a summary that people read. */
export async function provinceNames(client: pg.ClientBase): Promise<Map<string, string>> {
  const { rows } = await client.query<{ code: string; name: string }>("SELECT code, name FROM region_now WHERE level = 'province'")
  return new Map(rows.map((row) => [row.code, row.name]))
}

