import type pg from 'pg'
import { checkPositions, type PlacedVillage } from '@kawal/core/register/plausible.ts'
import { naturalEarth, registeredIslands } from './land.ts'
import { saveIssues, type FileIssue } from './stage.ts'

/** Takes rows out of a stage table, each with an issue in their place. */
async function rejectWhere(client: pg.ClientBase, run: number, table: string, key: string, reason: string, detail: string, condition: string): Promise<number> {
  const result = await client.query(
    `WITH gone AS (DELETE FROM ${table} t WHERE ${condition} RETURNING t.file, t.line, t.${key} AS code, ${detail} AS detail)
     INSERT INTO import_issue (run_id, file, line, code, severity, reason, detail) SELECT $1, file, line, code, 'reject', $2, detail FROM gone`,
    [run, reason],
  )
  return result.rowCount ?? 0
}

async function warnWhere(client: pg.ClientBase, run: number, from: string, key: string, reason: string, detail: string, condition: string): Promise<void> {
  await client.query(
    `INSERT INTO import_issue (run_id, file, line, code, severity, reason, detail) SELECT $1, t.file, t.line, t.${key}, 'warning', $2, ${detail} FROM ${from} t WHERE ${condition}`,
    [run, reason],
  )
}

/**
 * What only shows when all files are read: rows whose region above is missing go out, level by level, so
 * that what hangs below them is listed too; positions are compared with each other and with the map.
 * @param staged accepted rows per kind
 */
export async function checkStaged(client: pg.ClientBase, run: number, staged: ReadonlyMap<string, number>): Promise<void> {
  const has = (kind: string): boolean => (staged.get(kind) ?? 0) > 0
  for (const kind of staged.keys()) await client.query(`ANALYZE stage_${kind}`)
  const known = has('region') ? 'stage_region' : '(SELECT code FROM region WHERE valid_to IS NULL AND NOT synthetic)'
  if (has('region'))
    for (const level of ['regency', 'district', 'village'])
      await rejectWhere(client, run, 'stage_region', 'code', 'unknown_parent', 't.parent', `t.level = '${level}' AND NOT EXISTS (SELECT FROM stage_region p WHERE p.code = t.parent)`)
  if (has('village')) {
    await rejectWhere(client, run, 'stage_village', 'code', 'unknown_village', "''", `NOT EXISTS (SELECT FROM ${known} r WHERE r.code = t.code)`)
    if (has('region')) await warnWhere(client, run, 'stage_region', 'code', 'no_station_numbers', 't.name', `t.level = 'village' AND NOT EXISTS (SELECT FROM stage_village v WHERE v.code = t.code)`)
  }
  if (has('station')) {
    await rejectWhere(client, run, 'stage_station', 'code', 'unknown_village', 'left(t.code, 10)', `NOT EXISTS (SELECT FROM ${known} r WHERE r.code = left(t.code, 10))`)
    const listed = has('village')
      ? 'EXISTS (SELECT FROM stage_village v WHERE v.code = left(t.code, 10) AND (right(t.code, 3)::int <= v.regular OR right(t.code, 3)::int BETWEEN v.special_from AND v.special_to))'
      : 'EXISTS (SELECT FROM station s WHERE s.code = t.code AND s.valid_to IS NULL)'
    await warnWhere(client, run, 'stage_station', 'code', 'station_unlisted', "''", `NOT ${listed}`)
  }
  for (const kind of ['venue', 'access'])
    if (has(kind)) await warnWhere(client, run, `stage_${kind}`, 'id', 'unknown_village', 't.village_code', `t.village_code IS NOT NULL AND NOT EXISTS (SELECT FROM ${known} r WHERE r.code = t.village_code) AND EXISTS (SELECT FROM ${known} r)`)
  if (has('isp')) {
    const block = 'coalesce(t.organisation_id, t.prefix)'
    await warnWhere(client, run, `(SELECT *, ${block} AS key FROM stage_isp t)`, 'key', 'network_unowned', "'AS ' || t.asn", `t.prefix IS NOT NULL AND t.organisation_id IS NULL
      AND NOT EXISTS (SELECT FROM stage_isp o WHERE o.asn = t.asn AND o.organisation_id IS NOT NULL) AND NOT EXISTS (SELECT FROM network n WHERE n.asn = t.asn AND n.valid_to IS NULL)`)
    await warnWhere(client, run, `(SELECT *, ${block} AS key FROM stage_isp t)`, 'key', 'network_without_block', "'AS ' || t.asn", `t.prefix IS NULL AND t.asn IS NOT NULL
      AND NOT EXISTS (SELECT FROM stage_isp b WHERE b.asn = t.asn AND b.prefix IS NOT NULL) AND NOT EXISTS (SELECT FROM network n WHERE n.asn = t.asn AND n.valid_to IS NULL)`)
  }
  if (has('village')) await checkVillagePositions(client, run)
  await noteChanges(client, run)
}

async function checkVillagePositions(client: pg.ClientBase, run: number): Promise<void> {
  const staged = await client.query<PlacedVillage & { file: string; line: number }>('SELECT file, line, code, latitude, longitude FROM stage_village WHERE latitude IS NOT NULL ORDER BY code')
  const { home, abroad } = naturalEarth()
  const where = new Map(staged.rows.map((row) => [row.code, row]))
  const issues: FileIssue[] = []
  for (const { village, issue } of checkPositions(staged.rows, home, abroad, registeredIslands())) {
    const row = where.get(village.code)
    if (row !== undefined) issues.push({ file: row.file, line: row.line, code: row.code, ...issue })
  }
  await saveIssues(client, run, issues)
}

/** Villages of this import that moved, or look like an old village under a new code. */
async function noteChanges(client: pg.ClientBase, run: number): Promise<void> {
  const far = `2 * 6371.0088 * asin(least(1, sqrt(power(sin(radians(o.latitude - v.latitude) / 2), 2)
    + cos(radians(o.latitude)) * cos(radians(v.latitude)) * power(sin(radians(o.longitude - v.longitude) / 2), 2))))`
  await client.query(
    `INSERT INTO import_issue (run_id, file, line, code, severity, reason, detail)
     SELECT $1, v.file, v.line, v.code, 'warning', 'village_moved', o.latitude || ' ' || o.longitude || ' to ' || v.latitude || ' ' || v.longitude
     FROM stage_village v JOIN region o ON o.code = v.code AND o.valid_to IS NULL AND NOT o.synthetic
     WHERE v.latitude IS NOT NULL AND o.latitude IS NOT NULL AND (v.latitude, v.longitude) IS DISTINCT FROM (o.latitude, o.longitude) AND ${far} > 5`,
    [run],
  )
  await client.query(
    `INSERT INTO import_issue (run_id, file, line, code, severity, reason, detail)
     SELECT $1, r.file, r.line, r.code, 'warning', 'code_changed', 'before: ' || string_agg(o.code, ' ' ORDER BY o.code)
     FROM stage_region r JOIN stage_village v ON v.code = r.code
     JOIN region o ON o.level = 'village' AND o.valid_to IS NULL AND NOT o.synthetic AND o.name = r.name AND o.code <> r.code
     WHERE r.level = 'village' AND ${far} < 2
       AND NOT EXISTS (SELECT FROM region same WHERE same.code = r.code AND same.valid_to IS NULL)
       AND NOT EXISTS (SELECT FROM stage_region still WHERE still.code = o.code)
     GROUP BY r.file, r.line, r.code`,
    [run],
  )
}
