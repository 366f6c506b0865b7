import { technologies, type Technology } from '@kawal/core/atlas/edition.ts'
import type { DifferenceKind } from '@kawal/core/atlas/difference.ts'
import type { EditionEntry } from '@kawal/contract/atlas.ts'

/** How a layer differs between two editions. */
export interface Difference {
  readonly counts: Readonly<Record<DifferenceKind | 'same', number>>
  readonly cells: readonly { readonly cell: string; readonly kind: DifferenceKind; readonly before: number | null; readonly after: number | null }[]
  /** More cells differ than are listed. */
  readonly truncated: boolean
}

/** Of every operator the best, of every technology: the server makes these for who may read all. */
const any = 'any'

/** What may be chosen to be seen of an edition: operators that it has layers of, and the technologies of one. */
export function choicesOf(edition: Pick<EditionEntry, 'layers'>, operator: string | null, all: boolean): { operators: string[]; technologies: string[] } {
  const operators = [...new Set(edition.layers.map((layer) => layer.operator))]
  const own = new Set(edition.layers.filter((layer) => operator === null || operator === any || layer.operator === operator).map((layer) => layer.technology as string))
  return { operators: all && operators.length > 1 ? [any, ...operators] : operators, technologies: [...(own.size > 1 ? [any] : []), ...technologies.filter((each: Technology) => own.has(each))] }
}

interface FactTable { readonly name: string; readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What people look for first in the facts of a layer: how true its claim was found to be, then the rest. */
const first = [
  'name', 'operator', 'technology', 'over_claim_rate', 'over_claim_low', 'over_claim_high', 'tested_cells', 'contradicted_cells', 'claimed_cells', 'reliability', 'rmse_db', 'interval_90_share', 'brier', 'levels', 'tries', 'block_km',
  'known', 'usable', 'contradicted', 'measured', 'sites', 'samples', 'claim', 'kind', 'file', 'validFrom', 'complete', 'sha256',
] as const
const tableOrder = ['layers', 'sources', 'weights', 'terrain', 'counts'] as const

/**
 * The facts of an edition as tables, whatever they hold: an auditor must see all of them, so nothing is
 * picked out. Lists of objects are tables, lists within them tables of their own, anything else is a row
 * of name and value.
 * @param operators whose facts are shown; null is everybody's
 */
export function factTables(facts: unknown, operators: readonly string[] | null = null): FactTable[] {
  if (!isObject(facts)) return []
  const plain: [string, unknown][] = []
  const tables: FactTable[] = []
  for (const [name, value] of Object.entries(facts)) {
    if (Array.isArray(value) && value.length > 0 && value.every(isObject)) tables.push(...tablesOf(name, value.filter((row) => operators === null || typeof row['operator'] !== 'string' || operators.includes(row['operator']))))
    else if (isObject(value) && Object.keys(value).length > 0) tables.push({ name, columns: ['name', 'value'], rows: Object.entries(value) })
    else plain.push([name, value])
  }
  const all = plain.length === 0 ? tables : [...tables, { name: 'counts', columns: ['name', 'value'], rows: plain }]
  const place = (name: string): number => (tableOrder.findIndex((each) => each === name) + tableOrder.length) % tableOrder.length
  return all.sort((a, b) => place(a.name) - place(b.name))
}

function tablesOf(name: string, rows: readonly Record<string, unknown>[]): FactTable[] {
  const inner = new Map<string, Record<string, unknown>[]>()
  const flat = rows.map((row) => {
    const cells: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(row)) {
      if (isObject(value)) Object.assign(cells, value)
      else if (Array.isArray(value) && value.every(isObject)) inner.set(key, [...(inner.get(key) ?? []), ...value.map((each) => ({ operator: row['operator'], technology: row['technology'], ...each }))])
      else if (value !== null || !rows.some((other) => isObject(other[key]))) cells[key] = value
    }
    return cells
  })
  return [tableOf(name, flat), ...[...inner].filter(([, list]) => list.length > 0).map(([key, list]) => tableOf(key, list))]
}

function tableOf(name: string, rows: readonly Record<string, unknown>[]): FactTable {
  const found = new Set(rows.flatMap((row) => Object.keys(row)))
  const columns = [...first.filter((column) => found.has(column)), ...[...found].filter((column) => !first.some((each) => each === column))]
  return { name, columns, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) }
}
