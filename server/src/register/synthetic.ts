import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parse } from 'csv-parse/sync'
import type pg from 'pg'
import { onLand } from '@kawal/core/geo/land.ts'
import { levelOf, plainCode } from '@kawal/core/register/codes.ts'
import { syntheticRegister, type NamedRegion, type SyntheticRegister } from '@kawal/core/register/synthetic.ts'
import { copyRows, type Field } from './copy.ts'
import { naturalEarth } from './land.ts'

/** Rough centre (latitude, longitude) and radius in km of each province: geography by eye, for made-up places only. */
const extents: Readonly<Record<string, readonly [number, number, number]>> = {
  11: [4.3, 96.9, 150], 12: [2.2, 99.1, 150], 13: [-0.8, 100.6, 110], 14: [0.5, 101.7, 150], 15: [-1.6, 102.6, 120], 16: [-3.2, 104.2, 160],
  17: [-3.6, 102.3, 90], 18: [-4.9, 105.0, 100], 19: [-2.3, 106.1, 80], 21: [0.95, 104.3, 60], 31: [-6.2, 106.83, 14], 32: [-6.9, 107.5, 110],
  33: [-7.2, 110.2, 130], 34: [-7.9, 110.4, 35], 35: [-7.7, 112.5, 150], 36: [-6.4, 106.1, 55], 51: [-8.4, 115.1, 45], 52: [-8.65, 117.3, 110],
  53: [-9.5, 124.1, 90], 61: [-0.1, 110.8, 220], 62: [-1.6, 113.4, 220], 63: [-3.0, 115.4, 110], 64: [0.4, 116.4, 180], 65: [3.2, 116.4, 130],
  71: [1.1, 124.6, 75], 72: [-1.2, 120.8, 150], 73: [-4.0, 120.0, 140], 74: [-4.1, 122.0, 110], 75: [0.7, 122.4, 80], 76: [-2.5, 119.3, 90],
  81: [-3.1, 129.3, 110], 82: [0.9, 127.8, 90], 91: [-2.6, 140.3, 100], 92: [-2.5, 133.4, 120], 93: [-7.3, 139.4, 180], 94: [-3.6, 136.2, 130],
  95: [-4.1, 139.3, 110], 96: [-1.2, 131.9, 90],
}

/** Names and codes of one province from npm idn-area-data (ODbL); codes there are dotted. */
function namesOf(province: string): NamedRegion[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve('idn-area-data/package.json')), 'data')
  return ['provinces', 'regencies', 'districts', 'villages'].flatMap((file) => {
    const text = readFileSync(join(folder, `${file}.csv`), 'utf8')
    // only the province's own lines are parsed: the whole file takes half a second
    const [header = '', ...lines] = text.split('\n')
    const own = [header, ...lines.filter((line) => line.startsWith(province))].join('\n')
    return (parse(own, { columns: true, skip_empty_lines: true }) as { code: string; name: string }[]).flatMap((row) => {
      const code = plainCode(row.code)
      const level = code === null ? null : levelOf(code)
      return code === null || level === null ? [] : [{ code, level, name: row.name }]
    })
  })
}

/**
 * A register for a machine without data: real names, everything else made up from the seed.
 * @throws RangeError for a code that is no province of the 38
 */
function makeSyntheticRegister(province: string, seed: number): SyntheticRegister {
  const extent = extents[province]
  if (extent === undefined) throw new RangeError(`${province} is no province's code (11 to 96)`)
  const { home } = naturalEarth()
  const [latitude, longitude, radius_km] = extent
  return syntheticRegister(namesOf(province), { latitude, longitude, radius_km }, (position) => onLand(home, position), seed)
}

/** The date from which a made-up register holds: before any rehearsed day. */
const synthetic_from = '2024-01-01'

/**
 * Puts the made-up register of a province into the database, marked synthetic; nothing happens where the
 * province has a register already.
 * @param pool connected as the owner of the schema
 * @returns regions and stations stored
 */
export async function loadSynthetic(pool: pg.Pool, province: string, seed: number): Promise<{ regions: number; stations: number }> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock(5106)')
    const there = await client.query("SELECT FROM station WHERE code LIKE $1 || '%' LIMIT 1", [province])
    if (there.rowCount !== 0) {
      await client.query('ROLLBACK')
      return { regions: 0, stations: 0 }
    }
    const { regions, stations } = makeSyntheticRegister(province, seed)
    const regionRows = regions.map((r): Field[] => [r.code, r.level, r.name, r.parent, r.latitude, r.longitude, 'synthetic', 't', synthetic_from])
    await copyRows(client, 'region (code, level, name, parent, latitude, longitude, position_source, synthetic, valid_from)', regionRows)
    const stationRows = stations.map((s): Field[] => [s.code, s.village, s.number, 'f', s.latitude, s.longitude, 'venue', s.zone, s.voters, 't', synthetic_from])
    await copyRows(client, 'station (code, village_code, number, special, latitude, longitude, position_grade, zone, voters, synthetic, valid_from)', stationRows)
    await client.query('COMMIT')
    await client.query('ANALYZE region, station')
    return { regions: regions.length, stations: stations.length }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}
