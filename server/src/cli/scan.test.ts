import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { hash32, seeded } from '@kawal/core/kernel/random.ts'
import { withDatabase } from '@kawal/testkit/postgres.ts'
import { loadSynthetic } from '../register/synthetic.ts'

const program = join(import.meta.dirname, 'kawal.ts')
const start = Date.parse('2029-02-14T07:00:00Z')
const iso = (minutes: number): string => new Date(start + minutes * 60_000).toISOString()

interface Station { readonly code: string; readonly latitude: number; readonly longitude: number }
interface Found {
  readonly grain: string; readonly places: number; readonly stations: number; readonly reports: number; readonly bad: number; readonly clump: number; readonly unplacedStations: number
  readonly clusters: readonly { rank: number; p: number; bad: number; reports: number; name: string; area: string; latitude: number; longitude: number; radius_km: number; relativeRisk: number; stations: { code: string }[]; operators: { operator: string | null; bad: number; reports: number }[] }[]
}

/** Reports of both operators at every station, two rows each five minutes: 2 % bad by chance; of telkomsel's at `hit` half. */
async function fill(pool: pg.Pool, stations: readonly Station[], hit: ReadonlySet<string>): Promise<void> {
  await pool.query('SELECT kawal_make_partition($1, $2, $3, $4)', ['rollup', 'rollup_20290214', '2029-02-14T00:00:00Z', '2029-02-15T00:00:00Z'])
  const random = seeded(hash32('scan'))
  for (let minutes = -10; minutes < 70; minutes += 5)
    for (const operator of ['telkomsel', 'indosat', null]) {
      const regencies = Map.groupBy(stations, ({ code }) => code.slice(0, 4))
      for (const [regency, own] of regencies) {
        const bad = own.map(({ code }) => (operator === 'telkomsel' && hit.has(code) && minutes >= 0 && minutes < 60 ? 1 : Number(random() < 0.02)))
        const zero = own.map(() => 0)
        await pool.query('INSERT INTO rollup (written_at, five_minutes, operator_id, regency, station, reports, good, bad, charging, on_battery, rtt_ms_median, rtt_ms_p90) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $9)',
          [iso(minutes + 5), iso(minutes), operator, regency, own.map(({ code }) => code), own.map(() => 3), bad.map((each) => 2 - each), bad, zero])
      }
    }
}

test('kawal scan: the place and hour where one operator was worse than chance is found and named; what was asked wrongly is said', async (t) => {
  const kit = await withDatabase()
  const pool = new pg.Pool({ connectionString: kit.ownerUrl, max: 2 })
  t.after(async () => {
    await pool.end()
    await kit.close()
  })
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'scan', ...args], { encoding: 'utf8', env: { ...process.env, DATABASE_URL: kit.ownerUrl } })
    return { status, stdout, stderr }
  }
  const hour = ['--from', '2029-02-14T15:00:00+08:00', '--to', '2029-02-14T16:00+08:00', '--share', '0.1']
  await loadSynthetic(pool, '75', 1)
  const nothing = run(...hour)
  assert.deepEqual([nothing.status, /No reports are kept of 2029-02-14T07:00:00\.000Z to 2029-02-14T08:00:00\.000Z/.test(nothing.stderr)], [3, true], nothing.stderr)

  const { rows: stations } = await pool.query<Station>('SELECT code, latitude, longitude FROM station_now WHERE latitude IS NOT NULL ORDER BY code')
  const centre = stations[400] ?? assert.fail()
  const away = ({ latitude, longitude }: Station): number => Math.hypot(latitude - centre.latitude, longitude - centre.longitude)
  const hit = new Set([...stations].sort((a, b) => away(a) - away(b)).slice(0, 40).map(({ code }) => code))
  await fill(pool, stations, hit)

  const found = JSON.parse(run(...hour, '--json').stdout) as Found
  assert.deepEqual([found.stations, found.reports], [stations.length, stations.length * 3 * 12 * 2], 'the hour alone, and what was judged')
  assert.equal(found.clusters.length, 1, JSON.stringify(found.clusters.map(({ p, name }) => [p, name])))
  const [cluster] = found.clusters
  assert.ok(cluster !== undefined && cluster.p === 0.001 && cluster.relativeRisk > 5, JSON.stringify(cluster))
  const inside = cluster.stations.filter(({ code }) => hit.has(code)).length
  assert.ok(inside / (hit.size + cluster.stations.length - inside) > 0.8, `${inside} of ${hit.size}, and ${cluster.stations.length} in all`)
  assert.equal(cluster.operators[0]?.operator, 'telkomsel')
  const { rows: [{ name } = { name: '' }] } = await pool.query<{ name: string }>('SELECT name FROM region_now WHERE code = $1', [cluster.area])
  assert.equal(cluster.name, name)
  assert.equal(run(...hour, '--json').stdout, `${JSON.stringify(found)}\n`, 'the same question, the same answer')

  const text = run(...hour)
  assert.deepEqual([text.status, text.stdout.includes(`\n1. ${name}: ${cluster.bad} of ${cluster.reports} reports bad (`), /p 0\.001\n/.test(text.stdout), /telkomsel \d+ of \d+, /.test(text.stdout)], [0, true, true, true], text.stdout)
  assert.match(text.stdout, /sent nothing are not in these figures/)
  const lines = run(...hour, '--csv').stdout.trimEnd().split('\n')
  assert.equal(lines.length, 1 + cluster.stations.length)
  assert.match(lines[0] ?? '', /^cluster,p,llr,relative_risk,station,village,district,regency,province,reports,bad$/)
  assert.match(lines[1] ?? '', /^1,0\.001,[\d.]+,[\d.]+,75\d{11},[^,]+,[^,]+,[^,]+,GORONTALO,\d+,\d+$/i)

  const other = JSON.parse(run(...hour, '--json', '--operator', 'indosat').stdout) as Found
  assert.deepEqual([other.reports, other.clusters.length], [stations.length * 12 * 2, 0])
  // half past is cut by no five minutes: the same window but for its first half
  assert.equal((JSON.parse(run('--from', '2029-02-14T14:31:10+07:00', '--to', hour[3] ?? '', '--json', '--operator', 'telkomsel', '--province', '75').stdout) as Found).reports, stations.length * 6 * 2)

  for (const [args, status, said] of [
    [['--from', '2029-02-14T14:00', '--to', '2029-02-14T15:00Z'], 2, /--from takes an instant with its offset/], [['--from', '2029-02-30T14:00Z', '--to', '2029-03-14T15:00Z'], 2, /--from takes an instant/],
    [['--from', '2029-02-14T14:00Z'], 2, /--to takes an instant.*not nothing/], [['--from', '2029-02-14T14:00Z', '--to', '2029-02-14T14:00Z'], 2, /is not after --from/],
    [['--from', '2029-02-14T14:00Z', '--to', '2029-02-16T14:00Z'], 2, /24 hours at most/], [[...hour, '--province', 'Bali'], 2, /two digits/], [[...hour, '--province', '99'], 3, /no province 99/],
    [[...hour, '--operator', 'nobody'], 3, /no organisation nobody/], [[...hour, '--csv', '--json'], 2, /not both/], [[...hour, '--share', '2'], 2, /--share takes a number up to 1/],
  ] as const) {
    const refused = run(...args)
    assert.deepEqual([refused.status, said.test(refused.stderr), refused.stdout], [status, true, ''], `${args.join(' ')}: ${refused.stderr}`)
  }
})
