import type pg from 'pg'
import { columnNames, type Columns } from '@kawal/core/atlas/edition.ts'
import { eachNationalCell, inRuns, makeRuns, type Key, type Runs } from '@kawal/core/geo/cells.ts'
import { ProblemError } from '../problem.ts'
import { makeLevels, type Levels } from './pyramid.ts'
import { decodeRuns } from './runs-codec.ts'
import type { Drawing } from './tile.ts'

/**
 * The fine cells of a region: of all its villages as they were on a day.
 * @param region 2, 4, 6 or 10 digits
 * @param on YYYY-MM-DD
 * @throws ProblemError body_invalid, not_found
 */
export async function areaOf(client: pg.ClientBase, region: string, on: string): Promise<Runs> {
  if (!/^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{10})$/.test(region)) throw new ProblemError('body_invalid', `A region is the code of a province, regency, district or village (2, 4, 6 or 10 digits), not ${region}.`)
  const { rows } = await client.query<{ runs: Buffer }>(
    "SELECT runs FROM village_area WHERE code LIKE $1 || '%' AND valid_from <= $2::date AND (valid_to IS NULL OR valid_to > $2::date)", [region, on])
  if (rows.length === 0) throw new ProblemError('not_found', `No area of a village in ${region} is known on ${on}. Import boundaries first.`)
  const pairs: [Key, Key][] = []
  for (const row of rows) {
    const runs = decodeRuns(row.runs)
    for (let i = 0; i < runs.length; i += 2) pairs.push([runs[i] as number, runs[i + 1] as number])
  }
  return makeRuns(pairs)
}

/** A layer with the cells alone that touch an area; a cell on a border is in both areas. */
export function clip(drawing: Drawing, area: Runs): Drawing {
  const touched: number[] = []
  eachNationalCell(area, (key) => touched.push(key))
  const national = rowsWhere(drawing.national, among(touched))
  const fine = rowsWhere(drawing.fine, (key) => inRuns(area, key))
  return {
    national: part(drawing.national, national), fine: part(drawing.fine, fine),
    nationalColumns: columnsPart(drawing.nationalColumns, national), fineColumns: columnsPart(drawing.fineColumns, fine), coarser: new Map(),
  }
}

/** Whether a key is among ascending ones; asked for ascending keys. */
function among(keys: readonly number[]): (key: Key) => boolean {
  let at = 0
  return (key) => {
    while (at < keys.length && (keys[at] as number) < key) at++
    return keys[at] === key
  }
}

const cellsOf = (levels: Levels): Float64Array => levels.keys[levels.resolution] as Float64Array

function rowsWhere(levels: Levels, wanted: (key: Key) => boolean): Uint32Array {
  const cells = cellsOf(levels)
  const rows = new Uint32Array(cells.length)
  let count = 0
  for (let row = 0; row < cells.length; row++) if (wanted(cells[row] as number)) rows[count++] = row
  return rows.slice(0, count)
}

function part(levels: Levels, rows: Uint32Array): Levels {
  const cells = cellsOf(levels)
  return makeLevels(Float64Array.from(rows, (row) => cells[row] as number), levels.resolution)
}

function columnsPart(columns: Columns, rows: Uint32Array): Columns {
  const taken = (column: Uint8Array | Uint16Array): Uint8Array | Uint16Array => {
    const values = column instanceof Uint16Array ? new Uint16Array(rows.length) : new Uint8Array(rows.length)
    for (let i = 0; i < rows.length; i++) values[i] = column[rows[i] as number] as number
    return values
  }
  return Object.fromEntries(columnNames.map((name) => [name, taken(columns[name])])) as unknown as Columns
}
