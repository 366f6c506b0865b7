import pg from 'pg'
import { makeColumns, rowOf, stepOf, technologies, type Atlas, type Layer } from '@kawal/core/atlas/edition.ts'
import { centreOf, discRuns, keyAt } from '@kawal/core/geo/cells.ts'
import type { Position } from '@kawal/core/geo/distance.ts'
import { storeEdition } from '@kawal/server/src/atlas/editions.ts'
import { planConfigOn } from '@kawal/server/src/readiness/plan.ts'
import { encodeRuns } from '@kawal/server/src/atlas/runs-codec.ts'

/** Where the made-up villages stand; north is so many km from the first. */
const home: Position = { latitude: 0.6, longitude: 122.9 }
export const north = (km: number): Position => ({ latitude: home.latitude + km / 111.195, longitude: home.longitude })

const regions: readonly (readonly [code: string, level: string, name: string, at: Position | null])[] = [
  ['75', 'province', 'Gorontalo', null], ['7501', 'regency', 'Boalemo', null], ['7502', 'regency', 'Bone Bolango', null],
  ['750101', 'district', 'Paguyaman', null], ['750102', 'district', 'Tilamuta', null], ['750201', 'district', 'Suwawa', null],
  ['7501012001', 'village', 'Mustika', home], ['7501012002', 'village', 'Bongo', north(10)], ['7501022001', 'village', 'Piloliyanga', north(40)], ['7502012001', 'village', 'Bube', null],
]

/** Code, grade, place, voters, class, reason, basis, shares of telkomsel and indosat in 1/200, access point. */
const stations: readonly (readonly [code: string, grade: 'fix' | 'venue' | 'village' | null, at: Position | null, voters: number | null, className: string, reason: string, basis: string, usable: string, point: string | null])[] = [
  ['7501012001001', 'fix', north(0.2), 280, 'a', 'two_usable', 'fix', '{190,185}', null],
  ['7501012001002', 'village', home, 250, 'e', 'blank_no_point', 'village', '{10,20}', null],
  ['7501012001003', 'village', home, 260, 'c', 'perhaps', 'village', '{110,NULL}', null],
  ['7501012002001', 'village', north(10), 300, 'd', 'blank_with_point', 'village', '{5,8}', 'AI-1'],
  ['7501012002002', 'village', north(10), null, 'd', 'blank_with_point', 'village', '{5,8}', 'AI-1'],
  ['7501012002901', 'fix', north(10.3), 90, 'b', 'one_usable', 'fix', '{182,60}', null],
  ['7501022001001', 'village', north(40), 200, 'unknown', 'partly_known', 'village', '{20,NULL}', null],
  ['7502012001001', null, null, 210, 'unknown', 'no_position', 'none', '{NULL,NULL}', null],
]

export const planned = { stations: stations.map(([code]) => code), operators: ['telkomsel', 'indosat'], venues: { good: 'SD-1', second: 'SD-2', far: 'SD-3', nowhere: 'SD-4' }, point: 'AI-1', other: 'AI-2' } as const

/** Two operators: good at the venues and north of the first village, hardly anywhere else; fixed lines everywhere. */
function atlas(): Atlas {
  const cells = (resolution: number, places: readonly Position[]): Float64Array => Float64Array.from([...new Set(places.map((at) => keyAt(at.latitude, at.longitude, resolution)))].sort((a, b) => a - b))
  const around = Array.from({ length: 60 }, (_, i) => Array.from({ length: 20 }, (_unused, j) => ({ latitude: home.latitude - 0.05 + i * 0.003, longitude: home.longitude - 0.03 + j * 0.003 }))).flat()
  const national = { resolution: 8, cells: cells(8, around) }
  const fine = { resolution: 9, cells: cells(9, [north(0.2), north(0.8), north(1.1), north(10.3)]) }
  const layers = [['telkomsel', 'lte'], ['telkomsel', 'gsm'], ['indosat', 'lte'], ['indosat', 'fixed']].map(([operator = '', technology]): Layer => {
    const [all, some] = [makeColumns(national.cells.length), makeColumns(fine.cells.length)]
    const fixed = technology === 'fixed'
    for (let row = 0; row < national.cells.length; row++) {
      const { latitude } = centreOf(national.cells[row] ?? 0, 8)
      all.usable[row] = stepOf(fixed ? 0.7 : latitude > home.latitude + 0.015 ? 0.95 : 0.1)
      all.claimed[row] = stepOf(1)
      all.samples[row] = 3
      all.day[row] = 19_700
    }
    some.usable.fill(stepOf(fixed ? 0.7 : 0.95))
    some.measured.fill(stepOf(0.9))
    const contradicted = rowOf(fine.cells, keyAt(north(0.2).latitude, north(0.2).longitude, 9))
    if (operator === 'indosat') some.flags[contradicted] = 1
    return { operator, technology: technologies.find((each) => each === technology) ?? 'lte', national: all, fine: some }
  })
  return { national, fine, layers }
}

/**
 * A small register with an edition and a finished plan, as `kawal plan` would leave them.
 * @param ownerUrl of a migrated, empty database
 * @returns the ids of the plan and the edition
 */
export async function seedPlan(ownerUrl: string): Promise<{ plan: number; edition: string }> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query("SELECT set_config('kawal.role', 'system', false), set_config('kawal.organisation', 'kawal', false)")
    await seedRegister(client)
    const { id: edition } = await storeEdition(client, atlas(), { name: 'Seeded', validOn: '2024-02-01', publishedAt: Date.UTC(2024, 1, 1), facts: null })
    return { plan: await addPlan(client, edition), edition }
  } finally {
    await client.end()
  }
}

async function seedRegister(client: pg.Client): Promise<void> {
  for (const [code, level, name, at] of regions)
    await client.query(`INSERT INTO region (code, level, name, latitude, longitude, valid_from) VALUES ($1, $2, $3, $4, $5, '2024-01-01')`, [code, level, name, at?.latitude ?? null, at?.longitude ?? null])
  for (const [code, grade, at, voters] of stations)
    await client.query(
      `INSERT INTO station (code, village_code, number, special, latitude, longitude, position_grade, zone, voters, valid_from) VALUES ($1, left($1, 10), right($1, 3)::smallint, right($1, 3)::int > 900, $2, $3, $4, 'Asia/Makassar', $5, '2024-01-01')`,
      [code, at?.latitude ?? null, at?.longitude ?? null, grade, voters])
  const venues = [['SD-1', 'SD', '7501012001', north(0.8)], ['SD-2', 'SD', '7501012001', north(1.1)], ['SD-3', 'SD', '7501012002', north(10.3)], ['SD-4', 'SD', '7501012001', null]] as const
  for (const [id, kind, village, at] of venues)
    await client.query(`INSERT INTO venue (id, kind, name, latitude, longitude, village_code, valid_from) VALUES ($1, $2, $3, $4, $5, $6, '2024-01-01')`, [id, kind, `=${id} Negeri`, at?.latitude ?? null, at?.longitude ?? null, village])
  for (const [id, kind, village, at] of [['AI-1', 'ai', '7501012002', north(12)], ['AI-2', 'satellite', '7501022001', north(41)]] as const)
    await client.query(`INSERT INTO access_point (id, kind, name, latitude, longitude, village_code, source, valid_from) VALUES ($1, $2, $3, $4, $5, $6, 'test', '2024-01-01')`, [id, kind, `Point ${id}`, at.latitude, at.longitude, village])
  for (const [code, at] of [['7501012001', home], ['7501012002', north(10)]] as const) {
    const runs = discRuns(at, 3)
    await client.query(`INSERT INTO village_area (code, valid_from, runs, cells, latitude, longitude, south, west, north, east, source) VALUES ($1, '2024-01-01', $2, 7, $3, $4, $3, $4, $3, $4, 'test')`, [code, encodeRuns(runs), at.latitude, at.longitude])
  }
}

/** One more finished plan of the same content. */
export async function addPlan(client: pg.ClientBase, edition: string | null): Promise<number> {
  const counts = (prefix: string): Record<string, number> => Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'unknown'].map((name) => [name, stations.filter(([code, , , , className]) => code.startsWith(prefix) && className === name).length]))
  const voters = (prefix: string): number => stations.reduce((sum, [code, , , each]) => sum + (code.startsWith(prefix) ? (each ?? 0) : 0), 0)
  const summary = { classes: counts(''), unknown: { partly_known: 1, no_position: 1 }, regencies: { 7501: { ...counts('7501'), voters: voters('7501') }, 7502: { ...counts('7502'), voters: voters('7502') } } }
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO plan (edition_id, made_at, valid_on, operators, config, summary, finished) VALUES ($1, '2024-02-02T00:00:00Z', '2024-02-14', $2, $4, $3, true) RETURNING id`, [edition, planned.operators, JSON.stringify(summary), JSON.stringify(planConfigOn('2024-02-14'))])
  const plan = rows[0]?.id ?? 0
  await client.query(`CREATE TABLE readiness_${plan} PARTITION OF readiness (PRIMARY KEY (station_code)) FOR VALUES IN (${plan})`)
  for (const [code, , , , className, reason, basis, usable, point] of stations)
    await client.query(
      `INSERT INTO readiness (plan_id, station_code, class, reason, basis, usable, weak, best, access_point_id, distance_km, travel_min, slot_start_min, slot_min)
       VALUES ($1, $2, $3, $4, $5, $6, '{NULL,NULL}', $7, $8, $9, $10, $11, $12)`,
      [plan, code, className, reason, basis, usable, className < 'd' ? 'telkomsel' : null, point, point === null ? null : 2.4, point === null ? null : 31, point === null ? null : 15 * Number(code.slice(-1)), point === null ? null : 15])
  await client.query(
    `INSERT INTO siting_move (plan_id, station_code, venue_id, gain, class_before, class_after, walk_km, walk_grade, cost)
     VALUES ($1, '7501012001002', 'SD-1', 0.85, 'e', 'a', 1.1, 'village', 0.09), ($1, '7501012001003', 'SD-2', 0.4, 'c', 'a', 1.5, 'village', 0.13)`, [plan])
  return plan
}
