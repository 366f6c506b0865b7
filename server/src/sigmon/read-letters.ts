import type { Side } from '@kawal/core/recap/slot.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { deploymentSecret, stationCode } from '../measurement/enrolment.ts'
import { inArea, placeColumns } from '../readiness/read.ts'
import { letterLink, type Letter } from './letters.ts'
import { readSigner } from './signing.ts'

/** Letters of one role, village by village: the codes of a nation are never in memory together. */
export async function* readLetters(database: Database, area: string, url: string, role: Side): AsyncGenerator<Letter[]> {
  const [secret, { kid }] = await Promise.all([deploymentSecret(database), readSigner(database)])
  const { rows: villages } = await database.pool.query<{ code: string }>(`SELECT DISTINCT village_code AS code FROM station_now WHERE ${inArea('code', '$1')} ORDER BY 1`, [area])
  for (const { code: village } of villages) {
    const { rows } = await database.pool.query<Record<'station' | 'village' | 'district' | 'regency' | 'province', string | null>>(
      `SELECT s.code AS station, ${placeColumns('s.code')} FROM station_now s WHERE s.village_code = $2 AND ${inArea('s.code', '$1')} ORDER BY s.code`, [area, village])
    yield rows.map((row) => {
      const station = row.station ?? ''
      const code = stationCode(secret, station, role)
      const names = { village: row.village ?? village, district: row.district ?? '', regency: row.regency ?? '', province: row.province ?? '' }
      return { station, ...names, code, link: letterLink(url, station, code, kid) }
    })
  }
}
