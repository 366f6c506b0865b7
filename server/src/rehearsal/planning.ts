import type pg from 'pg'
import { countCells } from '@kawal/core/atlas/cover.ts'
import { centreOf, discRuns, makeRuns, type Runs } from '@kawal/core/geo/cells.ts'
import { distance_km, type Position } from '@kawal/core/geo/distance.ts'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'
import { publishEdition } from '../atlas/publish.ts'
import { encodeRuns } from '../atlas/runs-codec.ts'
import { makePlan, planConfigOn } from '../readiness/plan.ts'
import { copyRows, type Field } from '../register/copy.ts'

interface Village extends Position { readonly code: string }

/** Each operator claims the villages up to this remoteness (0 a town, 1 nobody's), and is there so often where it does. */
const networks: readonly (readonly [operator: string, reach: number, honest: number])[] = [['telkomsel', 0.84, 0.97], ['indosat', 0.72, 0.92], ['xlsmart', 0.6, 0.95]]
const claimed_radius_km = 2
const measured_share = 0.5
const phones = 4
/** Few, and in one corner: so that some blank places have none in reach. */
const points_max = 3
const day_ms = 86_400_000

/**
 * A plan to look at on a machine without data: made-up claims, measurements, schools and access points for a
 * made-up register, then an edition and a plan by the same code as real ones. Everything says synthetic.
 * Nothing happens where an edition was published already.
 * @param pool connected as the owner of the schema
 */
export async function loadSyntheticPlanning(pool: pg.Pool, province: string, seed: number, now: number): Promise<boolean> {
  const client = await pool.connect()
  try {
    const { rows: [there] } = await client.query<{ edition: boolean; made_up: boolean }>(
      "SELECT EXISTS (SELECT FROM edition) AS edition, EXISTS (SELECT FROM station_now WHERE synthetic AND code LIKE $1 || '%') AS made_up", [province])
    if (there?.edition !== false || !there.made_up) return false
    const { rows: villages } = await client.query<Village>("SELECT code, latitude, longitude FROM region_now WHERE level = 'village' AND code LIKE $1 || '%' AND latitude IS NOT NULL ORDER BY code", [province])
    const day = new Date(now).toISOString().slice(0, 10)
    await makeUp(client, villages, seed, now)
    await publishEdition(client, { name: `Gladi, data sintetis, ${day}`, day, now, licences: ['Synthetic data, free to use'], terrain: { rasters: [], facts: null }, threads: 1 })
  } finally {
    client.release()
  }
  const day = new Date(now).toISOString().slice(0, 10)
  await makePlan(pool, { day, now, edition: 'latest', config: planConfigOn(day) })
  return true
}

async function makeUp(client: pg.ClientBase, villages: readonly Village[], seed: number, now: number): Promise<void> {
  await client.query('BEGIN')
  try {
    const remote = remoteness(villages, seed)
    for (const [operator, reach, honest] of networks) {
      const random = seeded(hash32(`${seed} ${operator}`))
      const covered = villages.filter((_, at) => (remote[at] ?? 1) + 0.1 * (random() - 0.5) < reach)
      const pairs: [number, number][] = []
      const samples: Field[][] = []
      for (const village of covered) {
        const disc = discRuns(village, claimed_radius_km)
        for (let i = 0; i < disc.length; i += 2) pairs.push([disc[i] as number, disc[i + 1] as number])
        if (random() > measured_share) continue
        const works = random() < honest
        for (let phone = 0; phone < phones; phone++)
          samples.push([operator, 'lte', new Date(now - (1 + phone) * day_ms).toISOString(), village.latitude, village.longitude, `\\x${hash32(`${operator} ${village.code} ${phone}`).toString(16).padStart(8, '0')}`, works && random() < 0.95 ? 't' : 'f'])
      }
      await putClaim(client, operator, makeRuns(pairs), covered.length)
      await copyRows(client, 'radio_sample (organisation_id, technology, at, latitude, longitude, device, usable)', samples)
    }
    await putPlaces(client, villages, remote, seed)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** By rank: the farther from the villages' own middle the remoter, with chance. */
function remoteness(villages: readonly Village[], seed: number): readonly number[] {
  const mean = (of: (village: Village) => number): number => villages.reduce((sum, village) => sum + of(village), 0) / Math.max(1, villages.length)
  const middle: Position = { latitude: mean((village) => village.latitude), longitude: mean((village) => village.longitude) }
  const random = seeded(hash32(`${seed} remote`))
  const far = villages.map((village) => distance_km(middle, village) * (0.5 + random()))
  const order = far.map((_, at) => at).sort((a, b) => (far[a] ?? 0) - (far[b] ?? 0))
  const rank = new Array<number>(villages.length).fill(0)
  order.forEach((village, at) => (rank[village] = at / villages.length))
  return rank
}

async function putClaim(client: pg.ClientBase, operator: string, runs: Runs, features: number): Promise<void> {
  await client.query(
    `INSERT INTO claim (organisation_id, technology, valid_from, kind, complete, file, sha256, features, accepted, cells, runs, imported_at)
     VALUES ($1, 'lte', '2024-01-01', 'polygon', true, 'synthetic', '', $2, $2, $3, $4, now()) ON CONFLICT DO NOTHING`, [operator, features, countCells(runs), encodeRuns(runs)])
}

/** A school in each village, beside its middle, and an access point in the first remote ones. */
async function putPlaces(client: pg.ClientBase, villages: readonly Village[], remote: readonly number[], seed: number): Promise<void> {
  const random = seeded(hash32(`${seed} places`))
  const schools: Field[][] = []
  const points: Field[][] = []
  villages.forEach((village, at) => {
    // the middle of a neighbouring cell: not the very place that the stations stand around
    const cell = discRuns(village, 1.2)
    const { latitude, longitude } = centreOf(cell[0] as number, 9)
    schools.push([`S${village.code}`, 'SD', `SD sintetis ${village.code}`, latitude, longitude, village.code, '2024-01-01'])
    if ((remote[at] ?? 0) < 0.8 || points.length === points_max) return
    const kind = random() < 0.5 ? 'ai' : 'satellite'
    points.push([`SINTETIS-${village.code}`, kind, `Akses sintetis ${village.code}`, village.latitude + 0.01, village.longitude, village.code, 'synthetic', '2024-01-01'])
  })
  await copyRows(client, 'venue (id, kind, name, latitude, longitude, village_code, valid_from)', schools)
  await copyRows(client, 'access_point (id, kind, name, latitude, longitude, village_code, source, valid_from)', points)
}
