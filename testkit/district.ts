import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { splitPackFile } from '@kawal/contract/pack.ts'
import type { Pack } from '@kawal/contract/sigmon.ts'
import { deploymentSecret } from '@kawal/server/src/measurement/enrolment.ts'
import { planConfigOn } from '@kawal/server/src/readiness/plan.ts'
import { importRegister } from '@kawal/server/src/register/import.ts'
import { createPacks } from '@kawal/server/src/sigmon/packs.ts'
import { settingsDefaults } from '@kawal/server/src/sigmon/settings.ts'
import { readSigner } from '@kawal/server/src/sigmon/signing.ts'
import { withDatabase } from './postgres.ts'

const register = join(import.meta.dirname, '../../shared/data/register')
const day = '2024-02-14'

/** A district as the files of a register. */
export interface District { readonly district: string; readonly stations: number; readonly regions: string; readonly villages: string }

/** Of the real register the district with the most stations; null where the register is not there. */
export function largestDistrict(): District | null {
  if (!existsSync(register)) return null
  const lines = (name: string): string[] => gunzipSync(readFileSync(join(register, name))).toString().trimEnd().split('\n')
  const [regionHead = '', ...regions] = lines('regions.csv.gz')
  const [villageHead = '', ...villages] = lines('villages.csv.gz')
  const counts = new Map<string, number>()
  for (const line of villages) {
    const [code = '', , , , , , regular = '0', from = '', to = ''] = line.split(',')
    counts.set(code.slice(0, 6), (counts.get(code.slice(0, 6)) ?? 0) + Number(regular) + (from === '' ? 0 : Number(to) - Number(from) + 1))
  }
  const [district, stations] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['', 0]
  const own = (line: string): boolean => line.startsWith(district) || new RegExp(`^(${district.slice(0, 2)}|${district.slice(0, 4)}),`).test(line)
  return { district, stations, regions: [regionHead, ...regions.filter(own)].join('\n'), villages: [villageHead, ...villages.filter(own)].join('\n') }
}

interface FullPack {
  /** Of the file, with a better place for each station: three numbers, 8 bytes at most, which the plan here has no edition for. */
  readonly bytes: number
  readonly json_bytes: number
  readonly pack: Pack
  readonly took_ms: number
}

/**
 * The district's pack as it is at its largest: everything that a row can hold, and as many access points as a
 * pack takes, with long notes; more than any district has.
 */
export async function fullPack(files: District): Promise<FullPack> {
  const kit = await withDatabase()
  const owner = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  const folder = mkdtempSync(join(tmpdir(), 'kawal-pack-'))
  try {
    writeFileSync(join(folder, 'regions.csv'), files.regions)
    writeFileSync(join(folder, 'villages.csv'), files.villages)
    await importRegister(owner, { directory: folder, date: day, issuesFile: join(folder, 'issues.csv'), now: () => 0 })
    const operators = ['telkomsel', 'indosat', 'xlsmart']
    await owner.query("UPDATE station SET latitude = latitude + (random() - 0.5) / 50, longitude = longitude + (random() - 0.5) / 50, position_grade = 'fix' WHERE latitude IS NOT NULL")
    await owner.query(
      `INSERT INTO access_point (id, kind, name, latitude, longitude, source, valid_from)
       SELECT 'AI-' || md5(i::text), 'ai', 'Balai Desa ' || md5('name' || i), s.latitude, s.longitude, 'test', '2024-01-01' FROM generate_series(1, 600) i, LATERAL (SELECT latitude, longitude FROM station WHERE latitude IS NOT NULL ORDER BY md5(code || i) LIMIT 1) s`)
    await owner.query("INSERT INTO access_point_state (access_point_id, organisation_id, working, uplink_mbps, note, said_at) SELECT id, 'bakti', random() < 0.9, 1 + 20 * random(), repeat(md5(id), 5), now() FROM access_point")
    const { rows: [plan] } = await owner.query<{ id: number }>("INSERT INTO plan (made_at, valid_on, operators, config, summary, finished) VALUES (now(), $1, $2, $3, '{}', true) RETURNING id", [day, operators, JSON.stringify(planConfigOn(day))])
    await owner.query(`CREATE TABLE readiness_${plan?.id} PARTITION OF readiness (PRIMARY KEY (station_code)) FOR VALUES IN (${plan?.id})`)
    await owner.query(
      `INSERT INTO readiness (plan_id, station_code, class, reason, basis, usable, weak, best, second, access_point_id, slot_start_min, slot_min)
       SELECT $1, code, (ARRAY['a', 'b', 'c', 'd', 'e', 'unknown'])[1 + floor(6 * random())], 'perhaps', 'fix', ARRAY[200 * random(), 200 * random(), 200 * random()]::smallint[], '{NULL,NULL,NULL}',
              ($2::text[])[1 + floor(3 * random())], ($2::text[])[1 + floor(3 * random())], 'AI-' || md5((1 + floor(350 * random()))::text), 600 * random(), 5 + 10 * random() FROM station`, [plan?.id, operators])
    const packs = createPacks({ database: kit.database, signer: await readSigner(kit.database), clock: Date.now, secret: await deploymentSecret(kit.database), settings: settingsDefaults, edition: () => Promise.resolve(null) })
    const started = performance.now()
    const { file } = (await packs.pack({ district: files.district, open: false }, null)) ?? { file: Buffer.alloc(0) }
    const took_ms = Math.round(performance.now() - started)
    const json = gunzipSync(splitPackFile(new Uint8Array(file))?.body ?? Buffer.alloc(0))
    const pack = JSON.parse(json.toString()) as Pack
    return { bytes: file.length + 8 * Object.keys(pack.stations).length, json_bytes: json.length, pack, took_ms }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await owner.end()
    await kit.close()
  }
}
