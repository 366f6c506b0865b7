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

const chunk_chars = 256 * 1024
const float = (value: number): string => (Number.isNaN(value) ? '\\N' : String(Math.round(value * 100) / 100))

/**
 * Writes a plan's rows into a table of their own, which becomes the plan's partition: readers see all of
 * it or nothing, and dropping an old plan costs nothing.
 */
export async function writeReadiness(client: pg.ClientBase, plan: number, operators: readonly string[], stations: Stations, shares: StationShares, outcome: Outcome, points: Points, progress: (share: number) => void): Promise<void> {
  const table = `readiness_${plan}`
  await client.query(`CREATE TABLE ${table} (LIKE readiness INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
  const copy = client.query(from(`COPY ${table} (plan_id, station_code, class, reason, basis, usable, weak, best, second, access_point_id, access_reason, distance_km, travel_min, slot_start_min, slot_min) FROM STDIN`))
  // a failing COPY is told by the end of the stream, or by the write that waits for it
  const ended = new Promise<void>((resolve, reject) => copy.once('finish', resolve).once('error', reject))
  ended.catch(() => undefined)
  const list = arrayText(shares.operators)
  let chunk = ''
  for (let row = 0; row < stations.codes.length; row++) {
    const best = operators[outcome.best[row] as number] ?? '\\N'
    const second = operators[outcome.second[row] as number] ?? '\\N'
    const point = points.ids[outcome.point[row] as number] ?? '\\N'
    chunk += `${plan}\t${stations.codes[row]}\t${outcome.classes[outcome.class[row] as number]}\t${outcome.reasons[outcome.reason[row] as number]}\t${bases[shares.basis[row] as number]}\t` +
      `${list(shares.strong, row)}\t${list(shares.weak, row)}\t${best}\t${second}\t${escape(point)}\t${outcome.point_reason[row] ?? '\\N'}\t` +
      `${float(outcome.distance_km[row] as number)}\t${float(outcome.travel_min[row] as number)}\t${float(outcome.slot_start_min[row] as number)}\t${float(outcome.slot_min[row] as number)}\n`
    if (chunk.length < chunk_chars) continue
    if (!copy.write(chunk)) await Promise.race([once(copy, 'drain'), ended])
    progress(row / stations.codes.length)
    chunk = ''
  }
  copy.end(chunk)
  await ended
  await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (station_code)`)
  await client.query(`ALTER TABLE ${table} ADD CHECK (plan_id = ${plan})`)
  // reached by its parent alone, which walls it; the wall is up here too, should anybody name it
  await client.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`)
  await client.query(`ALTER TABLE readiness ATTACH PARTITION ${table} FOR VALUES IN (${plan})`)
}

const escape = (id: string): string => (id === '\\N' ? id : id.replace(/[\\\t\n\r]/g, (mark) => `\\${{ '\\': '\\', '\t': 't', '\n': 'n', '\r': 'r' }[mark] ?? ''}`))

/** An array of shares as COPY writes it; villages share theirs, so that the last text is mostly the next one's. */
function arrayText(operators: number): (column: Uint8Array, row: number) => string {
  const texts = new Map<string, string>()
  return (column, row) => {
    let key = ''
    for (let i = row * operators; i < (row + 1) * operators; i++) key += String.fromCharCode(column[i] as number)
    let text = texts.get(key)
    if (text !== undefined) return text
    text = `{${[...column.subarray(row * operators, (row + 1) * operators)].map((step) => (step === nothing ? 'NULL' : String(step))).join(',')}}`
    if (texts.size > 100_000) texts.clear()
    texts.set(key, text)
    return text
  }
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

