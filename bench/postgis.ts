import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import pg from 'pg'
import { from } from 'pg-copy-streams'
import { Missing } from './missing.ts'

const binaries = '/usr/lib/postgresql/15/bin'
const extension = '/usr/share/postgresql/15/extension/postgis.control'

/** Degrees. */
interface Columns {
  readonly latitude: Float64Array
  readonly longitude: Float64Array
}

/**
 * The peer of the nearest-point step: PostgreSQL 15 with PostGIS 3.3 (Debian `postgresql-15-postgis-3`) joins
 * every query to its nearest point by its index's own order, on the sphere of the mean radius as ours does
 * (geography, use_spheroid false). The index's making is in the seconds, loading the rows is not.
 * @returns the quicker of its two indices: geography, and unit vectors in three dimensions (gist_geometry_ops_nd)
 */
export async function nearestByPostgis(points: Columns, queries: Columns): Promise<{ seconds: number; distance_km: Float64Array; index: string }> {
  if (!existsSync(join(binaries, 'postgres')) || !existsSync(extension)) throw new Missing('The peer is missing: PostgreSQL 15 with PostGIS 3.3 (apt-get install postgresql-15-postgis-3).')
  const folder = mkdtempSync(join(tmpdir(), 'kawal-peer-'))
  const asRoot = process.getuid?.() === 0
  const wrap = (program: string, args: string[]): [string, string[]] =>
    asRoot ? ['unshare', ['--user', '--map-user=65534', '--map-group=65534', join(binaries, program), ...args]] : [join(binaries, program), args]
  const made = spawnSync(...wrap('initdb', ['-D', join(folder, 'data'), '-U', 'peer', '-A', 'trust', '-E', 'UTF8', '--locale=C']), { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb of the peer: ${made.stderr}`)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'shared_buffers=1GB', 'work_mem=256MB', 'maintenance_work_mem=512MB', 'max_wal_size=4GB', 'jit=off']
  const server = spawn(...wrap('postgres', ['-D', join(folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])]), { stdio: 'ignore' })
  const gone = new Promise((resolve) => server.once('exit', resolve))
  try {
    const client = await connected(port)
    try {
      return await measure(client, points, queries)
    } finally {
      await client.end()
    }
  } finally {
    server.kill('SIGINT')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(client: pg.Client, points: Columns, queries: Columns): Promise<{ seconds: number; distance_km: Float64Array; index: string }> {
  await client.query('CREATE EXTENSION postgis')
  for (const [table, columns] of [['point', points], ['query', queries]] as const) {
    await client.query(`CREATE TABLE ${table}_raw (id integer, latitude float8, longitude float8)`)
    const rows = function* (): Generator<string> {
      for (let i = 0; i < columns.latitude.length; i++) yield `${i}\t${columns.latitude[i]}\t${columns.longitude[i]}\n`
    }
    await pipeline(Readable.from(rows()), client.query(from(`COPY ${table}_raw FROM STDIN`)))
    await client.query(`CREATE TABLE ${table} AS SELECT id, ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography AS place,
      ST_MakePoint(cos(radians(latitude)) * cos(radians(longitude)), cos(radians(latitude)) * sin(radians(longitude)), sin(radians(latitude))) AS vector FROM ${table}_raw`)
    await client.query(`ANALYZE ${table}`)
  }
  const ways = [
    { index: 'geography', make: 'CREATE INDEX ON point USING gist (place)', order: 'p.place <-> q.place' },
    { index: 'vectors', make: 'CREATE INDEX ON point USING gist (vector gist_geometry_ops_nd)', order: 'p.vector <<->> q.vector' },
  ]
  let best: { seconds: number; distance_km: Float64Array; index: string } | null = null
  for (const { index, make, order } of ways) {
    const started = performance.now()
    await client.query(make)
    await client.query(`CREATE TABLE joined_${index} AS SELECT q.id AS query, p.id AS point FROM query q CROSS JOIN LATERAL (SELECT id FROM point p ORDER BY ${order} LIMIT 1) p`)
    const seconds = (performance.now() - started) / 1000
    process.stderr.write(`PostGIS by ${index}: ${seconds.toFixed(1)} s\n`)
    if (best !== null && best.seconds <= seconds) continue
    const { rows } = await client.query<{ km: number }>(
      `SELECT ST_Distance(q.place, p.place, false) / 1000 AS km FROM joined_${index} j JOIN query q ON q.id = j.query JOIN point p ON p.id = j.point ORDER BY j.query`)
    best = { seconds, distance_km: Float64Array.from(rows, (row) => row.km), index }
  }
  return best as { seconds: number; distance_km: Float64Array; index: string }
}

async function connected(port: number): Promise<pg.Client> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'peer', database: 'postgres' })
    try {
      await client.connect()
      return client
    } catch (error) {
      if (tries >= 100) throw error
      await setTimeout(100)
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
