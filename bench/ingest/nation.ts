import { writeFileSync } from 'node:fs'
import pg from 'pg'
import { openDatabase } from '@kawal/server/src/cli/database.ts'
import { connect, migrate } from '@kawal/server/src/adapters/postgres/database.ts'
import { deploymentSecret } from '@kawal/server/src/measurement/enrolment.ts'
import { addApiKey } from '@kawal/server/src/organisation/sessions.ts'
import { loadSynthetic } from '@kawal/server/src/register/synthetic.ts'
import { idOf, station_phones } from './phones.ts'

export interface Nation {
  readonly stations: number
  /** Codes of the stations, 13 digits each, in the order of the phones. */
  readonly stationsFile: string
  readonly secret: string
  /** Of a ministry's console. */
  readonly apiKey: string
}

const provinces = [11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 31, 32, 33, 34, 35, 36, 51, 52, 53, 61, 62, 63, 64, 65, 71, 72, 73, 74, 75, 76, 81, 82, 91, 92, 93, 94, 95, 96]
/** The real register has 9.8 stations a village. */
const village_stations = 10
const from_date = '2024-01-01'

/**
 * Makes a nation in a data folder: real names, made-up places (`loadSynthetic`), about 837,000 stations, and
 * `phones` devices that are enrolled, seven a station.
 * @param seed of the places
 * @param told called once stations and secret are known, while the phones are still being written
 */
export async function makeNation(folder: string, { seed, phones, stationsFile, told }: { seed: number; phones: number; stationsFile: string; told: (nation: Nation) => void }): Promise<void> {
  const server = await openDatabase(folder)
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 })
    try {
      for (const province of provinces) await loadSynthetic(owner, String(province), seed)
      await fillVillages(owner)
      const { rows } = await owner.query<{ codes: string; count: string }>("SELECT string_agg(code, '' ORDER BY code) AS codes, count(*) FROM station_now")
      writeFileSync(stationsFile, rows[0]?.codes ?? '', 'latin1')
      const secret = (await deploymentSecret(database)).toString('hex')
      told({ stations: Number(rows[0]?.count), stationsFile, secret, apiKey: await addApiKey(database, 'komdigi', Date.now()) })
      await enrolAll(owner, phones)
      await owner.query('VACUUM ANALYZE')
      await owner.query('CHECKPOINT')
    } finally {
      await owner.end()
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** As many stations a village as the nation has, where its made-up ones are too few: at the village's first. */
async function fillVillages(owner: pg.Pool): Promise<void> {
  await owner.query(
    `INSERT INTO station (code, village_code, number, special, latitude, longitude, position_grade, zone, voters, synthetic, valid_from)
     SELECT village_code || lpad(number::text, 3, '0'), village_code, number, false, latitude, longitude, 'venue', zone, 250, true, $2
     FROM (SELECT village_code, max(number) AS last, min(latitude) AS latitude, min(longitude) AS longitude, min(zone) AS zone FROM station GROUP BY village_code) AS village, generate_series(last + 1, $1::int) AS number`,
    [village_stations, from_date])
  await owner.query('ANALYZE station')
}

/** Keys and ids as `createPhones` numbers them. */
async function enrolAll(owner: pg.Pool, phones: number): Promise<void> {
  await owner.query(
    `INSERT INTO device (id, key, station_code, number, enrolled_at) OVERRIDING SYSTEM VALUE
     SELECT (left($1, 24) || lpad(to_hex(key), 12, '0'))::uuid, key, code, number, $3
     FROM (SELECT code, row_number() OVER (ORDER BY code) AS place FROM station_now) AS station, generate_series(1, $4::int) AS number, LATERAL (SELECT ((place - 1) * $4 + number)::int AS key) AS numbered
     WHERE key <= $2::int ORDER BY key`,
    [idOf(0), phones, from_date, station_phones])
  await owner.query("SELECT setval(pg_get_serial_sequence('device', 'key'), $1)", [phones])
}
