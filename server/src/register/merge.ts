import type pg from 'pg'

/** The import cannot be merged as asked; the sentence says why and what to do. Nothing was changed. */
export class ImportRefused extends Error {}

interface Merge {
  readonly table: string
  readonly key: string
  /** Columns beside the key; their values make a version. */
  readonly values: readonly string[]
  /** SELECT of key and values: what the files say. */
  readonly want: string
  /** Condition on open rows `t`: only those may end because `want` lacks them. */
  readonly scope: string
}

/**
 * Brings an effective-dated table to what is wanted from `date` on. A row that differs ends and its
 * successor begins on `date`; a row born on `date` itself is corrected in place; a row that is wanted no
 * more ends. Equal rows are not touched.
 * @returns rows added, changed or ended
 */
async function mergeSet(client: pg.ClientBase, merge: Merge, date: string): Promise<number> {
  const { table, key, values, want, scope } = merge
  const columns = [key, ...values].join(', ')
  const differs = `(${values.map((v) => `t.${v}`).join(', ')}) IS DISTINCT FROM (${values.map((v) => `w.${v}`).join(', ')})`
  const gone = `t.valid_to IS NULL AND (${scope}) AND NOT EXISTS (SELECT FROM wanted w WHERE w.${key} = t.${key})`
  await client.query('DROP TABLE IF EXISTS wanted')
  await client.query(`CREATE TEMP TABLE wanted ON COMMIT DROP AS ${want}`)
  await client.query('ANALYZE wanted')
  const open = await client.query<{ any: boolean; latest: string | null }>(`SELECT count(*) > 0 AS any, max(valid_from)::text AS latest FROM ${table} WHERE valid_to IS NULL`)
  const fresh = `INSERT INTO ${table} (${columns}, valid_from) SELECT ${[key, ...values].map((c) => `w.${c}`).join(', ')}, $1::date FROM wanted w`
  if (open.rows[0]?.any !== true) return (await client.query(`${fresh} ORDER BY w.${key}`, [date])).rowCount ?? 0
  if ((open.rows[0].latest ?? '') > date) await refuseBefore(client, table, key, differs, gone, date)
  const run = async (sql: string): Promise<number> => (await client.query(sql, [date])).rowCount ?? 0
  const corrected = await run(
    `UPDATE ${table} t SET ${values.map((v) => `${v} = w.${v}`).join(', ')} FROM wanted w
     WHERE t.valid_to IS NULL AND t.${key} = w.${key} AND t.valid_from = $1 AND ${differs}`,
  )
  const ended = await run(`UPDATE ${table} t SET valid_to = $1 FROM wanted w WHERE t.valid_to IS NULL AND t.${key} = w.${key} AND t.valid_from < $1 AND ${differs}`)
  const unborn = await run(`DELETE FROM ${table} t WHERE t.valid_from = $1 AND ${gone}`)
  const gonesince = await run(`UPDATE ${table} t SET valid_to = $1 WHERE ${gone}`)
  const begun = await run(`${fresh} WHERE NOT EXISTS (SELECT FROM ${table} t WHERE t.valid_to IS NULL AND t.${key} = w.${key}) ORDER BY w.${key}`)
  return corrected + unborn + gonesince + Math.max(ended, begun)
}

async function refuseBefore(client: pg.ClientBase, table: string, key: string, differs: string, gone: string, date: string): Promise<void> {
  const later = await client.query<{ code: string }>(
    `SELECT t.${key} AS code FROM ${table} t LEFT JOIN wanted w ON w.${key} = t.${key}
     WHERE t.valid_to IS NULL AND t.valid_from > $1 AND ((w.${key} IS NOT NULL AND ${differs}) OR (${gone})) LIMIT 1`,
    [date],
  )
  const code = later.rows[0]?.code
  if (code !== undefined) throw new ImportRefused(`${table} ${code} has a version from a later day than ${date}. Import with --date of that day or later.`)
}

const rejected = (run: number, code: string): string => `NOT EXISTS (SELECT FROM import_issue i WHERE i.run_id = ${run} AND i.severity = 'reject' AND i.code = ${code})`

/**
 * A region's position is its file's, else what it was. Levels above the village stand where the mean of
 * their villages stands. Without a file of regions the known ones stay and only positions may change.
 */
function regionMerge(run: number, hasRegions: boolean, hasVillages: boolean): Merge {
  const base = hasRegions ? 'SELECT code, level, name, parent FROM stage_region' : "SELECT code, level, name, parent FROM region WHERE valid_to IS NULL AND NOT synthetic"
  const villages = hasVillages
    ? 'SELECT code, latitude, longitude, position_source, area_km2, landmass FROM stage_village'
    : "SELECT code, latitude, longitude, position_source, area_km2, landmass FROM region WHERE valid_to IS NULL AND level = 'village' AND NOT synthetic"
  return {
    table: 'region', key: 'code', values: ['level', 'name', 'parent', 'latitude', 'longitude', 'position_source', 'area_km2', 'landmass', 'synthetic'],
    want: `
      WITH base AS MATERIALIZED (${base}), placed AS MATERIALIZED (${villages}),
      above AS (
        SELECT left(code, n) AS code, round(avg(latitude)::numeric, 6)::float8 AS latitude, round(avg(longitude)::numeric, 6)::float8 AS longitude
        FROM placed, (VALUES (2), (4), (6)) AS l (n) WHERE latitude IS NOT NULL GROUP BY 1
      )
      SELECT b.code, b.level, b.name, b.parent, coalesce(v.latitude, a.latitude) AS latitude, coalesce(v.longitude, a.longitude) AS longitude,
             v.position_source, v.area_km2, v.landmass, false AS synthetic
      FROM base b LEFT JOIN placed v USING (code) LEFT JOIN above a USING (code)`,
    // a folder may hold one province only: what it does not speak of stays
    scope: `left(t.code, 2) IN (SELECT DISTINCT left(code, 2) FROM wanted) AND ${rejected(run, 't.code')}`,
  }
}

/** Stations from their villages' numbers, then what a file of stations knows better; else what was known. */
function stationMerge(run: number, hasVillages: boolean): Merge {
  const numbered = hasVillages
    ? `SELECT v.code || lpad(n::text, 3, '0') AS code, v.code AS village_code, n::smallint AS number, n >= 901 AS special,
              v.latitude, v.longitude, CASE WHEN v.latitude IS NULL THEN NULL ELSE 'village' END AS position_grade, v.zone, NULL::integer AS voters
       FROM stage_village v CROSS JOIN LATERAL (
         SELECT generate_series(1, v.regular) AS n UNION ALL SELECT generate_series(v.special_from, v.special_to)) AS numbers`
    : `SELECT code, village_code, number, special, latitude, longitude, position_grade, zone, voters FROM station WHERE valid_to IS NULL AND NOT synthetic`
  return {
    table: 'station', key: 'code',
    values: ['village_code', 'number', 'special', 'latitude', 'longitude', 'position_grade', 'zone', 'voters', 'synthetic'],
    want: `
      WITH numbered AS (${numbered}),
      known AS (SELECT code, latitude, longitude, position_grade, voters FROM station
                WHERE valid_to IS NULL AND NOT synthetic AND (position_grade IN ('fix', 'venue') OR voters IS NOT NULL)),
      better AS MATERIALIZED (
        SELECT coalesce(s.code, k.code) AS code, s.code IS NOT NULL AS listed, s.zone,
               CASE WHEN s.latitude IS NOT NULL THEN s.latitude WHEN k.position_grade <> 'village' THEN k.latitude END AS latitude,
               CASE WHEN s.latitude IS NOT NULL THEN s.longitude WHEN k.position_grade <> 'village' THEN k.longitude END AS longitude,
               CASE WHEN s.latitude IS NOT NULL THEN s.position_grade WHEN k.position_grade <> 'village' THEN k.position_grade END AS position_grade,
               coalesce(s.voters, k.voters) AS voters
        FROM stage_station s FULL JOIN known k ON k.code = s.code)
      SELECT n.code, n.village_code, n.number, n.special,
             CASE WHEN b.latitude IS NULL THEN n.latitude ELSE b.latitude END AS latitude,
             CASE WHEN b.latitude IS NULL THEN n.longitude ELSE b.longitude END AS longitude,
             CASE WHEN b.latitude IS NULL THEN n.position_grade ELSE b.position_grade END AS position_grade,
             n.zone, coalesce(b.voters, n.voters) AS voters, false AS synthetic
      FROM numbered n LEFT JOIN better b ON b.code = n.code
      UNION ALL
      SELECT b.code, left(b.code, 10), right(b.code, 3)::smallint, right(b.code, 3)::smallint >= 901, b.latitude, b.longitude, b.position_grade, b.zone, b.voters, false
      FROM better b WHERE b.listed AND NOT EXISTS (SELECT FROM numbered n WHERE n.code = b.code)`,
    scope: `left(t.code, 2) IN (SELECT DISTINCT left(code, 2) FROM wanted) AND ${rejected(run, 't.village_code')} AND ${rejected(run, 't.code')}`,
  }
}

function venueMerge(run: number): Merge {
  return {
    table: 'venue', key: 'id', values: ['kind', 'name', 'latitude', 'longitude', 'village_code'],
    want: 'SELECT id, kind, name, latitude, longitude, village_code FROM stage_venue',
    scope: `left(t.village_code, 2) IN (SELECT DISTINCT left(village_code, 2) FROM wanted) AND ${rejected(run, 't.id')}`,
  }
}

function accessMerge(run: number): Merge {
  return {
    table: 'access_point', key: 'id', values: ['kind', 'name', 'latitude', 'longitude', 'village_code', 'source', 'organisation_id'],
    want: "SELECT id, kind, name, latitude, longitude, village_code, source, 'bakti' AS organisation_id FROM stage_access",
    scope: `t.organisation_id = 'bakti' AND t.kind IN (SELECT DISTINCT kind FROM wanted) AND ${rejected(run, 't.id')}`,
  }
}

function networkMerge(): Merge {
  return {
    table: 'network', key: 'prefix', values: ['asn', 'organisation_id'],
    // A block without an organisation is its AS number's, in these files or as known before.
    want: `
      WITH owner AS (
        SELECT DISTINCT ON (asn) asn, organisation_id FROM (
          SELECT asn, organisation_id, 0 AS age, line FROM stage_isp WHERE asn IS NOT NULL AND organisation_id IS NOT NULL
          UNION ALL SELECT asn, organisation_id, 1, 0 FROM network WHERE asn IS NOT NULL AND valid_to IS NULL) AS named ORDER BY asn, age, line)
      SELECT DISTINCT ON (s.prefix::cidr) s.prefix::cidr AS prefix, s.asn, coalesce(s.organisation_id, owner.organisation_id) AS organisation_id
      FROM stage_isp s LEFT JOIN owner ON owner.asn = s.asn
      WHERE s.prefix IS NOT NULL AND coalesce(s.organisation_id, owner.organisation_id) IS NOT NULL ORDER BY s.prefix::cidr, s.organisation_id NULLS LAST, s.line`,
    scope: 't.organisation_id IN (SELECT organisation_id FROM wanted)',
  }
}

/** Operators' and ISPs' names become organisations; a known organisation keeps its name and kind. */
async function mergeOrganisations(client: pg.ClientBase): Promise<number> {
  const added = await client.query(
    `INSERT INTO organisation (id, kind, name)
     SELECT DISTINCT ON (id) id, kind, name FROM (
       SELECT organisation_id AS id, 'operator' AS kind, name, line FROM stage_operator
       UNION ALL SELECT organisation_id, 'isp', name, line FROM stage_isp WHERE organisation_id IS NOT NULL) AS named
     ORDER BY id, kind DESC, line ON CONFLICT (id) DO NOTHING`,
  )
  return added.rowCount ?? 0
}

/** An operator's file carries its own dates; a row that names none begins on the import's. */
async function mergeOperators(client: pg.ClientBase, date: string): Promise<number> {
  await client.query('DROP TABLE IF EXISTS wanted')
  await client.query(
    `CREATE TEMP TABLE wanted ON COMMIT DROP AS
     SELECT DISTINCT ON (plmn, valid_from) * FROM (
       SELECT s.plmn, s.organisation_id, coalesce(s.valid_from, o.valid_from, $1::date) AS valid_from, s.valid_to, s.line
       FROM stage_operator s LEFT JOIN operator_code o ON s.valid_from IS NULL AND o.plmn = s.plmn AND o.valid_to IS NULL AND o.organisation_id = s.organisation_id
     ) AS dated ORDER BY plmn, valid_from, line`,
    [date],
  )
  const ended = await client.query(
    `UPDATE operator_code o SET valid_to = w.valid_from FROM wanted w
     WHERE o.plmn = w.plmn AND o.valid_from < w.valid_from AND (o.valid_to IS NULL OR o.valid_to > w.valid_from)
       AND NOT EXISTS (SELECT FROM wanted same WHERE same.plmn = o.plmn AND same.valid_from = o.valid_from)`,
  )
  const begun = await client.query(
    `INSERT INTO operator_code AS o (plmn, organisation_id, valid_from, valid_to) SELECT plmn, organisation_id, valid_from, valid_to FROM wanted
     ON CONFLICT (plmn, valid_from) DO UPDATE SET organisation_id = excluded.organisation_id, valid_to = excluded.valid_to
     WHERE (o.organisation_id, o.valid_to) IS DISTINCT FROM (excluded.organisation_id, excluded.valid_to)`,
  )
  return Math.max(ended.rowCount ?? 0, begun.rowCount ?? 0)
}

/**
 * Everything that was staged becomes the present, in the caller's transaction.
 * @param staged accepted rows per kind
 * @returns changed rows per set, and in all
 */
export async function mergeAll(client: pg.ClientBase, run: number, date: string, staged: ReadonlyMap<string, number>): Promise<Record<string, number>> {
  const has = (kind: string): boolean => (staged.get(kind) ?? 0) > 0
  const changes: Record<string, number> = {}
  if (has('region') || has('village')) {
    // a province's real register takes the place of its made-up one, which leaves no history
    const provinces = 'SELECT left(code, 2) FROM stage_region UNION SELECT left(code, 2) FROM stage_village'
    await client.query(`DELETE FROM station WHERE synthetic AND left(code, 2) IN (${provinces})`)
    await client.query(`DELETE FROM region WHERE synthetic AND left(code, 2) IN (${provinces})`)
    changes['regions'] = await mergeSet(client, regionMerge(run, has('region'), has('village')), date)
  }
  if (has('village') || has('station')) changes['stations'] = await mergeSet(client, stationMerge(run, has('village')), date)
  if (has('venue')) changes['venues'] = await mergeSet(client, venueMerge(run), date)
  if (has('operator') || has('isp')) changes['organisations'] = await mergeOrganisations(client)
  if (has('operator')) changes['operator_codes'] = await mergeOperators(client, date)
  if (has('isp')) changes['networks'] = await mergeSet(client, networkMerge(), date)
  if (has('access')) changes['access_points'] = await mergeSet(client, accessMerge(run), date)
  return changes
}
