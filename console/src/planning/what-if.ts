import type { MoveRow } from '@kawal/contract/readiness.ts'

interface MoveChanges {
  /** Proposed now and not in the plan; the other way round; to another venue; as before. */
  readonly added: readonly MoveRow[]
  readonly dropped: readonly MoveRow[]
  readonly changed: readonly { readonly before: MoveRow; readonly after: MoveRow }[]
  readonly same: number
}

/** What other limits make of a plan's proposals, station by station. */
export function compareMoves(stored: readonly MoveRow[], asked: readonly MoveRow[]): MoveChanges {
  const before = new Map(stored.map((row) => [row.station, row]))
  const after = new Set(asked.map((row) => row.station))
  const added: MoveRow[] = []
  const changed: { before: MoveRow; after: MoveRow }[] = []
  let same = 0
  for (const row of asked) {
    const old = before.get(row.station)
    if (old === undefined) added.push(row)
    else if (old.venue !== row.venue) changed.push({ before: old, after: row })
    else same++
  }
  return { added, changed, same, dropped: stored.filter((row) => !after.has(row.station)) }
}

export const limits = ['walkKmMax', 'gainMin', 'secondOperator', 'walkCostPerKm', 'openingCost', 'stationsPerVenueMax', 'votersPerStationMax'] as const
export type Limit = (typeof limits)[number]
/** As the server takes them (contract/readiness.ts); gain is asked for in percentage points. */
export const limitRange: Readonly<Record<Limit, { readonly min: number; readonly max: number; readonly step: number; readonly whole: boolean }>> = {
  walkKmMax: { min: 0, max: 50, step: 0.1, whole: false }, gainMin: { min: 0, max: 1, step: 0.01, whole: false }, secondOperator: { min: 0, max: 10, step: 0.05, whole: false },
  walkCostPerKm: { min: 0, max: 10, step: 0.01, whole: false }, openingCost: { min: 0, max: 100, step: 0.01, whole: false },
  stationsPerVenueMax: { min: 1, max: 100, step: 1, whole: true }, votersPerStationMax: { min: 1, max: 10_000, step: 1, whole: true },
}

/** The numbers of the form that are given and within their range; the server's own limits hold for the rest. */
export function limitsOf(form: Readonly<Partial<Record<Limit, string>>>): { given: Partial<Record<Limit, number>>; wrong: Limit[] } {
  const given: Partial<Record<Limit, number>> = {}
  const wrong: Limit[] = []
  for (const name of limits) {
    const text = (form[name] ?? '').trim().replace(',', '.')
    if (text === '') continue
    const value = Number(text)
    const { min, max, whole } = limitRange[name]
    if (Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value))) given[name] = value
    else wrong.push(name)
  }
  return { given, wrong }
}
