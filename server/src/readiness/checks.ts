import { system, type Database } from '../adapters/postgres/database.ts'

/** How a station's checks and fixes are counted: not for every reader anew. */
const counted_ms = 60_000
/** A check counts this long before the instant that is asked about. */
export const check_days = 30
export const day_ms = 86_400_000

/** Checks seen and positions fixed in one regency. */
interface RegencyCounts { readonly checked: number; readonly fixes: number }

export interface Checks {
  /** Rolls up the reports of before now, if that was not done a moment ago. */
  roll(): Promise<void>
  /** By regency, at most a minute old; the nation has some 500 of them. */
  counts(): Promise<{ readonly at: number; readonly regencies: ReadonlyMap<string, RegencyCounts> }>
}

/** @param clock milliseconds since 1970 */
export function createChecks(database: Database, clock: () => number): Checks {
  let rolled_at = -Infinity
  let rolling: Promise<void> | null = null
  let counted: { at: number; regencies: ReadonlyMap<string, RegencyCounts> } | null = null
  let counting: Promise<{ at: number; regencies: ReadonlyMap<string, RegencyCounts> }> | null = null

  const roll = async (): Promise<void> => {
    const now = clock()
    if (now - rolled_at < counted_ms && now >= rolled_at) return
    rolling ??= database.transaction(system, async (client) => {
      await client.query('SELECT kawal_roll_checks($1)', [new Date(now)])
      rolled_at = now
    }).finally(() => (rolling = null))
    await rolling
  }
  const count = async (): Promise<{ at: number; regencies: ReadonlyMap<string, RegencyCounts> }> => {
    await roll()
    const at = clock()
    counted = { at, regencies: await readCounts(database, at) }
    return counted
  }
  return {
    roll,
    async counts() {
      const now = clock()
      if (counted !== null && now - counted.at < counted_ms && now >= counted.at) return counted
      counting ??= count().finally(() => (counting = null))
      return counting
    },
  }
}

function readCounts(database: Database, at: number): Promise<ReadonlyMap<string, RegencyCounts>> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ code: string; checked: number; fixes: number }>(
      `SELECT code, sum(checked)::int AS checked, sum(fixes)::int AS fixes FROM (
         SELECT left(station_code, 4) AS code, count(DISTINCT station_code) AS checked, 0 AS fixes FROM station_check WHERE last_at >= $1 GROUP BY 1
         UNION ALL SELECT left(code, 4), 0, count(*) FROM station_now WHERE position_grade = 'fix' GROUP BY 1) AS both_kinds GROUP BY code`,
      [new Date(at - check_days * day_ms)])
    return new Map(rows.map(({ code, checked, fixes }) => [code, { checked, fixes }]))
  })
}
