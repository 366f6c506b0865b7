import { onSphere, type ScanLocations } from '@kawal/core/detection/kulldorff.ts'

/** What one station's devices of one operator reported in the window that is asked about. */
export interface Rollup {
  readonly station: string
  /** Empty when nobody knows whose network it was. */
  readonly operator: string
  readonly reports: number
  readonly bad: number
}

interface Position { readonly latitude: number; readonly longitude: number }

/** `position`: each place where stations stand; else one location a village or a district, in the middle of its stations. */
type Grain = 'position' | 'village' | 'district'

export interface Place extends Position { readonly rows: readonly Rollup[] }

export interface Places {
  readonly grain: Grain
  readonly places: readonly Place[]
  readonly locations: ScanLocations
  /** Rows that are in no place: their stations have no position, or are not in the present register. */
  readonly unplaced: readonly Rollup[]
}

const keyOf: Readonly<Record<Grain, (code: string, at: Position) => string>> = {
  position: (_, { latitude, longitude }) => `${latitude} ${longitude}`,
  village: (code) => code.slice(0, 10),
  district: (code) => code.slice(0, 6),
}

/**
 * Rollups as locations to scan: at the finest grain that makes no more than `places_max` of them, districts up to `districts_max`. A place's
 * expectation is what its reports would have bad if each operator were everywhere as bad as it is in the whole area
 * (indirect standardisation): an operator that is poor all over makes no cluster where its phones are many.
 * @returns null when even districts are too many
 */
export function placesOf(rollups: readonly Rollup[], positions: ReadonlyMap<string, Position | null>, { places_max, districts_max }: { readonly places_max: number; readonly districts_max: number }): Places | null {
  const placed = rollups.flatMap((row) => {
    const at = positions.get(row.station)
    return at === undefined || at === null ? [] : [{ row, at }]
  })
  for (const grain of ['position', 'village', 'district'] as const) {
    const groups = new Map<string, typeof placed>()
    for (const each of placed) {
      const key = keyOf[grain](each.row.station, each.at)
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [each])
      else group.push(each)
    }
    if (groups.size > (grain === 'district' ? districts_max : places_max)) continue
    const places = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]): Place => ({
      latitude: mean(group.map(({ at }) => at.latitude)), longitude: mean(group.map(({ at }) => at.longitude)), rows: group.map(({ row }) => row),
    }))
    return { grain, places, locations: locationsOf(places), unplaced: rollups.filter(({ station }) => (positions.get(station) ?? null) === null) }
  }
  return null
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each / values.length, 0)

export const sumOf = (rows: readonly Rollup[], what: 'reports' | 'bad'): number => rows.reduce((sum, row) => sum + row[what], 0)

/** Reports and bad ones of each operator. */
export function byOperator(rows: readonly Rollup[]): Map<string, { reports: number; bad: number }> {
  const sums = new Map<string, { reports: number; bad: number }>()
  for (const { operator, reports, bad } of rows) {
    const sum = sums.get(operator) ?? { reports: 0, bad: 0 }
    sums.set(operator, { reports: sum.reports + reports, bad: sum.bad + bad })
  }
  return sums
}

function locationsOf(places: readonly Place[]): ScanLocations {
  const all = byOperator(places.flatMap(({ rows }) => rows))
  const share = (operator: string): number => {
    const { reports = 0, bad = 0 } = all.get(operator) ?? {}
    return reports === 0 ? 0 : bad / reports
  }
  const column = (of: (place: Place) => number): Float64Array => Float64Array.from(places, of)
  return {
    axes: onSphere(column(({ latitude }) => latitude), column(({ longitude }) => longitude)), population: column(({ rows }) => sumOf(rows, 'reports')),
    expected: column(({ rows }) => rows.reduce((sum, { operator, reports }) => sum + reports * share(operator), 0)), cases: Int32Array.from(places, ({ rows }) => sumOf(rows, 'bad')),
  }
}
