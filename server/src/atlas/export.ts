import { cellToBoundary } from 'h3-js'
import { cellView, sourceOf, type CellView, type Columns, type Source } from '@kawal/core/atlas/edition.ts'
import { cellOfKey, centreOf } from '@kawal/core/geo/cells.ts'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import type { OpenEdition } from './shelf.ts'
import type { Levels } from './pyramid.ts'
import type { Drawing } from './tile.ts'

/** Editions as files. Nothing is held but one layer: what is yielded goes straight to a stream. */

export interface NamedLayer {
  readonly operator: string
  readonly technology: string
  readonly drawing: Drawing
}

/** What a file says of where it comes from. */
export type Provenance = Readonly<Record<'edition' | 'sha256' | 'name' | 'valid_on' | 'licence', string>>

export function provenanceOf({ id, sha256, header }: OpenEdition): Provenance {
  return { edition: id, sha256, name: header.name, valid_on: header.validOn, licence: licenceOf(header.facts) }
}

/** An edition's facts may name the licences of what it was made from. */
function licenceOf(facts: unknown): string {
  const named = typeof facts === 'object' && facts !== null && 'licences' in facts ? facts.licences : null
  const texts = (Array.isArray(named) ? named : [named]).filter((each) => typeof each === 'string')
  return texts.length > 0 ? texts.join('; ') : 'As of its sources, which the facts of the edition name'
}

/** One cell of one layer as files have it; null is unknown. */
interface CellRow extends Omit<CellView, 'day' | 'contradicted' | 'challenged'> {
  readonly cell: string
  readonly resolution: number
  readonly operator: string
  readonly technology: string
  /** YYYY-MM-DD of the newest evidence */
  readonly date: string | null
  readonly source: Source
  readonly flags: string
}

/** YYYY-MM-DD of days since 1970-01-01. */
export const dateOfDay = (day: number): string => rfc3339(day * 86_400_000).slice(0, 10)

function cellRow(layer: NamedLayer, columns: Columns, row: number, cell: string, resolution: number): CellRow {
  const { day, contradicted, challenged, ...view } = cellView(columns, row)
  const flags = [contradicted ? 'contradicted' : '', challenged ? 'challenged' : ''].filter((flag) => flag !== '').join(' ')
  return { cell, resolution, operator: layer.operator, technology: layer.technology, ...view, date: day === null ? null : dateOfDay(day), source: sourceOf(columns, row), flags }
}

function* cellsOf({ drawing }: NamedLayer): Generator<{ levels: Levels; columns: Columns; row: number; key: number }> {
  for (const [levels, columns] of [[drawing.national, drawing.nationalColumns], [drawing.fine, drawing.fineColumns]] as const) {
    const cells = levels.keys[levels.resolution] as Float64Array
    for (let row = 0; row < cells.length; row++) yield { levels, columns, row, key: cells[row] as number }
  }
}

const csvColumns = ['cell', 'operator', 'technology', 'usable', 'claimed', 'predicted', 'measured', 'samples', 'date', 'source', 'flags', 'latitude', 'longitude'] as const
const chunk_chars = 65_536
const degrees = (value: number): number => Math.round(value * 1e6) / 1e6

/**
 * CSV (RFC 4180) with a header; lines that begin with # before it say where it comes from. One line a cell,
 * also of cells of which nothing is known: their fields are empty.
 */
export async function* csvOf(provenance: Provenance, layers: AsyncIterable<NamedLayer>): AsyncGenerator<string> {
  let text = `${Object.entries(provenance).map(([name, value]) => `# ${name}: ${value.replace(/\s+/g, ' ')}\n`).join('')}${csvColumns.join(',')}\n`
  for await (const layer of layers)
    for (const { levels, columns, row, key } of cellsOf(layer)) {
      const view = cellRow(layer, columns, row, cellOfKey(key, levels.resolution), levels.resolution)
      const { latitude, longitude } = centreOf(key, levels.resolution)
      const fields = { ...view, latitude: degrees(latitude), longitude: degrees(longitude) }
      text += `${csvColumns.map((name) => fields[name] ?? '').join(',')}\n`
      if (text.length < chunk_chars) continue
      yield text
      text = ''
    }
  yield text
}

/** GeoJSON (RFC 7946): a hexagon a cell, and where it comes from as the foreign member `edition` (6.1). */
export async function* geojsonOf(provenance: Provenance, layers: AsyncIterable<NamedLayer>): AsyncGenerator<string> {
  let text = `{"type":"FeatureCollection","edition":${JSON.stringify(provenance)},"features":[`
  let before = '\n'
  for await (const layer of layers)
    for (const { levels, columns, row, key } of cellsOf(layer)) {
      const cell = cellOfKey(key, levels.resolution)
      const corners = cellToBoundary(cell).map(([latitude, longitude]) => [degrees(longitude), degrees(latitude)])
      text += `${before}${JSON.stringify({ type: 'Feature', geometry: { type: 'Polygon', coordinates: [[...corners, corners[0]]] }, properties: cellRow(layer, columns, row, cell, levels.resolution) })}`
      before = ',\n'
      if (text.length < chunk_chars) continue
      yield text
      text = ''
    }
  yield `${text}\n]}\n`
}
