import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { centreOf, resolution_national } from '@kawal/core/geo/cells.ts'
import { seeded, type Random } from '@kawal/core/kernel/random.ts'
import { connect, migrate, system, type Database } from '@kawal/server/src/adapters/postgres/database.ts'
import { startEmbedded } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { startApp } from '@kawal/server/src/app.ts'
import { readGrid } from '@kawal/server/src/atlas/editions.ts'
import { importBoundaries } from '@kawal/server/src/atlas/import-boundaries.ts'
import { importCoverage } from '@kawal/server/src/atlas/import-coverage.ts'
import { publishEdition, type Published } from '@kawal/server/src/atlas/publish.ts'
import { readTerrain, terrainPlus } from '@kawal/server/src/atlas/terrain-files.ts'
import { tileAt } from '@kawal/server/src/atlas/tile.ts'
import { addApiKey } from '@kawal/server/src/organisation/sessions.ts'
import { importRegister } from '@kawal/server/src/register/import.ts'
import { showProgress } from '@kawal/server/src/register/progress.ts'
import { Missing } from './missing.ts'

const shared = join(import.meta.dirname, '../../shared/data')
const sources = {
  register: join(shared, 'register'), boundaries: join(shared, 'boundaries/kel_boundary_simplified.ndjson.gz'),
  cells: join(shared, 'cells/opencellid-510.csv.gz'), terrain: join(shared, 'terrain/de15'),
}
const operator = 'telkomsel'
const day = '2025-07-01'
const seed = 1
const [zoom_from, zoom_to] = [5, 12]
const [tiles_warm, tiles] = [100, 400]
const now = Date.UTC(2025, 6, 1)

/** A national edition of one operator, kept, then its tiles over HTTP: warm, at random cells, zooms 5 to 12. */
export async function run(): Promise<{ ok: boolean; figures: Record<string, number>; seed: number }> {
  for (const path of Object.values(sources)) if (!existsSync(path)) throw new Missing(`The national data is missing: ${path} is not there.`)
  const folder = mkdtempSync(join(tmpdir(), 'kawal-bench-'))
  const server = await startEmbedded(folder)
  try {
    await migrate(server.ownerUrl, 'bench')
    await fill(server.ownerUrl, folder)
    const started = performance.now()
    const { id, bytes } = await publish(server.ownerUrl)
    const seconds = Math.round((performance.now() - started) / 100) / 10
    const database = connect(server.ownerUrl, 'bench')
    try {
      const { cells } = await database.transaction(system, (client) => readGrid(client, id, 'national'))
      process.stderr.write(`edition ${id}: ${cells.length} cells in ${seconds} s, ${bytes} bytes\n`)
      const tile_ms_p95 = await timeTiles(server.ownerUrl, database, id, cells)
      return { ok: tile_ms_p95 <= 50, figures: { cells: cells.length, seconds, mb: Math.round(bytes / 1e5) / 10, tile_ms_p95 }, seed }
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Everything an edition is made of: the register, villages' areas, and the sites that phones have heard. */
async function fill(ownerUrl: string, folder: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: ownerUrl, max: 2 })
  try {
    const common = { date: day, now: Date.now, progress: showProgress(process.stderr) }
    await importRegister(pool, { ...common, directory: sources.register, issuesFile: join(folder, 'register-issues.csv') })
    await importBoundaries(pool, { ...common, path: sources.boundaries, issuesFile: join(folder, 'boundary-issues.csv') })
    await importCoverage(pool, { ...common, path: sources.cells, operator: null, technology: null, issuesFile: join(folder, 'coverage-issues.csv') })
  } finally {
    await pool.end()
  }
}

/** The edition of one operator, through physics over the terrain. */
async function publish(ownerUrl: string): Promise<Published> {
  const { terrain } = await readTerrain(sources.terrain, { grey: terrainPlus })
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    return await publishEdition(client, { licences: ['OpenCelliD, CC BY-SA 4.0', 'viewfinderpanoramas.org'], name: 'bench', day, now, terrain: { rasters: terrain, facts: null }, threads: availableParallelism(), operators: [operator], progress: showProgress(process.stderr) })
  } finally {
    await client.end()
  }
}

async function timeTiles(ownerUrl: string, database: Database, id: string, cells: Float64Array): Promise<number> {
  const app = await startApp({ ownerUrl, appPassword: 'bench', clock: () => now, host: '127.0.0.1', port: 0, rehearsal: false, log: pino({ level: 'error' }, pino.destination(2)) })
  try {
    const headers = { authorization: `Bearer ${await addApiKey(database, 'komdigi', now)}` }
    const random = seeded(seed)
    const times_ms: number[] = []
    let bytes_max = 0
    for (let i = 0; i < tiles_warm + tiles; i++) {
      const path = `/v1/atlas/editions/${id}/tiles/${operator}/lte/${randomTile(random, cells)}.mvt`
      const started = performance.now()
      const answer = await fetch(app.url + path, { headers })
      const { byteLength } = await answer.arrayBuffer()
      const taken_ms = performance.now() - started
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
      if (i === 0) process.stderr.write(`the first tile, of a cold layer: ${Math.round(taken_ms)} ms\n`)
      if (i >= tiles_warm) times_ms.push(taken_ms)
      bytes_max = Math.max(bytes_max, byteLength)
    }
    times_ms.sort((a, b) => a - b)
    const at = (share: number): number => Math.round((times_ms[Math.ceil(share * times_ms.length) - 1] as number) * 10) / 10
    process.stderr.write(`tiles: half within ${at(0.5)} ms, the slowest ${at(1)} ms; the largest ${bytes_max} bytes\n`)
    return at(0.95)
  } finally {
    await app.stop()
  }
}

/** The tile of a random zoom around a random cell of the edition: where people look there is land. */
function randomTile(random: Random, cells: Float64Array): string {
  const { latitude, longitude } = centreOf(cells[Math.floor(random() * cells.length)] as number, resolution_national)
  const z = zoom_from + Math.floor(random() * (zoom_to - zoom_from + 1))
  const { x, y } = tileAt(z, latitude, longitude)
  return `${z}/${x}/${y}`
}
