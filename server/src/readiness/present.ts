import type { Evidence } from '@kawal/contract/readiness.ts'
import { nothing, rowOf, shareOf, flag, type Atlas, type Columns } from '@kawal/core/atlas/edition.ts'
import { ancestorOf, eachNationalCell, keyAt, resolution_fine, type Runs } from '@kawal/core/geo/cells.ts'
import type { Position } from '@kawal/core/geo/distance.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { readEdition } from '../atlas/editions.ts'
import { lookInto, type Looker } from './places.ts'

/** The newest edition with its columns, as the server holds it. */
export interface PresentEdition {
  readonly id: string
  readonly name: string
  /** YYYY-MM-DD */
  readonly validOn: string
  readonly atlas: Atlas
  /** Of these operators the best of their technologies; kept for those asked for last. */
  looker(operators: readonly string[]): Looker
}

export interface Present {
  /** Null when no edition was published yet. */
  edition(): Promise<PresentEdition | null>
}

/** Whether a newer edition is there is looked up this often at most. */
const looked_up_ms = 5_000

/**
 * Holds the columns of one edition, the newest: some 200 MB for the nation. They are read when they are
 * first asked for, and given up before those of a newer edition are read.
 */
export function createPresent(database: Database, clock: () => number): Present {
  let held: PresentEdition | null = null
  let reading: Promise<PresentEdition | null> | null = null
  let looked_up_at = -Infinity
  const read = (): Promise<PresentEdition | null> => database.transaction(system, async (client) => {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM edition ORDER BY valid_on DESC, published_at DESC, id LIMIT 1')
    const newest = rows[0]?.id ?? null
    if (newest !== (held?.id ?? null)) {
      held = null
      const found = newest === null ? null : await readEdition(client, newest)
      held = found === null ? null : presentOf(found.id, found.header.name, found.header.validOn, found.atlas)
    }
    looked_up_at = clock()
    return held
  })
  return {
    edition() {
      const age_ms = clock() - looked_up_at
      if (reading === null && held !== null && age_ms >= 0 && age_ms < looked_up_ms) return Promise.resolve(held)
      reading ??= read().finally(() => (reading = null))
      return reading
    },
  }
}

function presentOf(id: string, name: string, validOn: string, atlas: Atlas): PresentEdition {
  let last: Looker | null = null
  return {
    id, name, validOn, atlas,
    looker(operators) {
      if (last?.operators.join() !== operators.join()) last = lookInto(atlas, operators)
      return last as Looker
    },
  }
}

/** The row of a place that is known closely: of its fine cell, or of the national one around it. */
function rowAt(atlas: Atlas, at: Position): { readonly grid: 'national' | 'fine'; readonly row: number } | null {
  const key = keyAt(at.latitude, at.longitude, resolution_fine)
  const fine = rowOf(atlas.fine.cells, key)
  if (fine >= 0) return { grid: 'fine', row: fine }
  const national = rowOf(atlas.national.cells, ancestorOf(key, 1))
  return national < 0 ? null : { grid: 'national', row: national }
}

/** What an edition says at a station's place: of its cell, or on the whole of its village's area. */
export function evidenceAt(atlas: Atlas, place: Position | null, area: Runs | null): Evidence[] {
  const grid: ('national' | 'fine')[] = []
  const rows: number[] = []
  const weights: number[] = []
  if (place !== null) {
    const found = rowAt(atlas, place)
    if (found !== null) {
      grid.push(found.grid)
      rows.push(found.row)
      weights.push(1)
    }
  } else if (area !== null)
    eachNationalCell(area, (key, children) => {
      const row = rowOf(atlas.national.cells, key)
      if (row < 0) return
      grid.push('national')
      rows.push(row)
      weights.push(children)
    })
  if (rows.length === 0) return []
  return atlas.layers.map((layer) => ({ operator: layer.operator, technology: layer.technology, ...over(layer[grid[0] ?? 'national'], rows, weights) }))
}

const day_ms = 86_400_000

/** Means of what is known, each cell by how much of the area lies in it; samples added up, flags of any. */
function over(columns: Columns, rows: readonly number[], weights: readonly number[]): Omit<Evidence, 'operator' | 'technology'> {
  const mean = (name: 'usable' | 'claimed' | 'predicted' | 'measured'): number | null => {
    let sum = 0
    let weight = 0
    rows.forEach((row, at) => {
      const step = columns[name][row] ?? nothing
      if (step === nothing) return
      sum += (shareOf(step) ?? 0) * (weights[at] ?? 0)
      weight += weights[at] ?? 0
    })
    return weight === 0 ? null : Math.round((sum / weight) * 1e4) / 1e4
  }
  const day = rows.reduce((newest, row) => Math.max(newest, columns.day[row] ?? 0), 0)
  const any = (bit: number): boolean => rows.some((row) => ((columns.flags[row] ?? 0) & bit) !== 0)
  return {
    usable: mean('usable'), claimed: mean('claimed'), predicted: mean('predicted'), measured: mean('measured'),
    samples: rows.reduce((sum, row) => sum + (columns.samples[row] ?? 0), 0), newestOn: day === 0 ? null : new Date(day * day_ms).toISOString().slice(0, 10),
    contradicted: any(flag.contradicted), challenged: any(flag.challenged),
  }
}
