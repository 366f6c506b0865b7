import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { compareVillages } from './comparison.ts'

/** Villages are counted again so many changes at once, and so often. */
const touched_max = 20_000
const turn_ms = 5_000

/** What officers have handed in of these villages, by contest; then what is in quarantine of either side, also of no village. */
const count_villages = `
  WITH held AS (
    SELECT left(station_code, 10) AS village, contest, station_code, side, reason, delivered, whole,
      NOT EXISTS (SELECT FROM recap later WHERE later.replaces = recap.hash AND later.reason IS NULL AND later.station_code = recap.station_code AND later.contest = recap.contest AND later.side = recap.side) AS newest
    FROM recap WHERE left(station_code, 10) = ANY($1)),
  slots AS (
    SELECT village, contest, count(*) FILTER (WHERE reason IS NULL) AS records, bool_and(delivered) FILTER (WHERE reason IS NULL) AS delivered,
      bool_and(whole) FILTER (WHERE reason IS NULL AND newest) AS whole, count(*) FILTER (WHERE reason IS NULL AND newest) AS newest
    FROM held WHERE contest IS NOT NULL AND reason IS DISTINCT FROM 'station_unknown' AND side IS DISTINCT FROM 'supervisor' GROUP BY village, contest, station_code)
  INSERT INTO recap_count (village, contest, reason, records, recorded, delivered, whole, conflicts, apart)
  SELECT village, contest, '', sum(records), count(*) FILTER (WHERE records > 0), count(*) FILTER (WHERE delivered), count(*) FILTER (WHERE whole), count(*) FILTER (WHERE newest > 1), count(*) FILTER (WHERE records = 0) FROM slots GROUP BY village, contest
  UNION ALL SELECT village, coalesce(contest, ''), reason, count(*), 0, 0, 0, 0, 0 FROM held WHERE reason IS NOT NULL GROUP BY village, contest, reason
  UNION ALL SELECT '', coalesce(contest, ''), reason, count(*), 0, 0, 0, 0, 0 FROM recap WHERE station_code IS NULL AND '' = ANY($1) GROUP BY contest, reason`

/**
 * Keeps `recap_count` and `comparison_count`: villages that something changed in are counted again. A change is told in the transaction that makes it (the triggers of
 * 0031_recap_overview.sql), and a village is read after its lines were taken, so none is missed, however late its writer commits.
 */
export function createRecapCounts({ database, clock }: { readonly database: Database; readonly clock: () => Instant }) {
  let asOf: Instant | null = null
  let turned = -Infinity

  /** @returns how many changes there were */
  const next = (): Promise<number> => database.transaction(system, async (client) => {
    const { rows } = await client.query<{ village: string }>('DELETE FROM recap_touched WHERE id IN (SELECT id FROM recap_touched ORDER BY id LIMIT $1) RETURNING village', [touched_max])
    const villages = [...new Set(rows.map(({ village }) => village))]
    if (villages.length === 0) return 0
    // A few villages of a table that grows fast: its statistics are behind, and reading all of it takes half a minute.
    await client.query('SET LOCAL enable_seqscan = off')
    await client.query(
      'UPDATE recap SET whole = true FROM photo_list WHERE left(station_code, 10) = ANY($1) AND reason IS NULL AND NOT recap.whole AND photo_list.hash = photos AND photo_list.whole', [villages])
    await client.query('DELETE FROM recap_count WHERE village = ANY($1)', [villages])
    await client.query(count_villages, [villages])
    await compareVillages(client, villages)
    return rows.length
  })

  return {
    /** Until when everything is counted; null: not yet. */
    asOf: (): Instant | null => asOf,
    async turn(): Promise<void> {
      const now = clock()
      if (now - turned < turn_ms) return
      turned = now
      while ((await next()) === touched_max);
      asOf = now
    },
  }
}
