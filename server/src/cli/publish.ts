import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import pg from 'pg'
import { calendarDate } from '@kawal/core/register/rows.ts'
import { migrate } from '../adapters/postgres/database.ts'
import { publishEdition, PublishRefused, type Published } from '../atlas/publish.ts'
import { readTerrain, terrainPlus } from '../atlas/terrain-files.ts'
import { showProgress } from '../register/progress.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

/** `kawal atlas publish`: progress on stderr, what was published on stdout. */
export async function publishAction(options: Options): Promise<void> {
  const day = options['date']
  if (day !== undefined && calendarDate(day) === null) throw new CommandFailure(exits.usage, `--date ${day} is no calendar date. Write it YYYY-MM-DD.`)
  const terrain = await terrainOf(options['terrain'])
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const client = new pg.Client({ connectionString: server.ownerUrl })
    await client.connect()
    try {
      const on = day ?? (await client.query<{ today: string }>('SELECT current_date::text AS today')).rows[0]?.today ?? ''
      const started = performance.now()
      const published = await audited(server, `atlas publish --date ${on}${typed(options, ['name', 'terrain', 'operators'])}`, () => publishEdition(client, {
        name: options['name'] ?? `Peta jangkauan ${on}`, licences: (options['licences'] ?? '').split(';').map((each) => each.trim()).filter((each) => each !== ''), day: on, now: Date.now(), terrain, threads: availableParallelism(), progress: showProgress(process.stderr),
        ...(options['operators'] === undefined ? {} : { operators: options['operators'].split(',').map((each) => each.trim()).filter((each) => each !== '') }),
      }))
      const seconds = Math.round((performance.now() - started) / 100) / 10
      process.stdout.write(options['json'] === undefined ? told(published, seconds) : JSON.stringify({ ...published, seconds }) + '\n')
    } finally {
      await client.end()
    }
  } catch (error) {
    throw error instanceof PublishRefused ? new CommandFailure(exits.rejected, error.message) : error
  } finally {
    await server.stop()
  }
}

async function terrainOf(folder: string | undefined): Promise<{ rasters: Awaited<ReturnType<typeof readTerrain>>['terrain']; facts: unknown }> {
  if (folder === undefined) {
    process.stderr.write('Without --terrain the ground is taken to be flat: lists of sites are predicted to reach behind every hill.\n')
    return { rasters: [], facts: null }
  }
  if (!existsSync(folder)) throw new CommandFailure(exits.rejected, `There is no folder ${folder}: --terrain takes one of PNG tiles ({x}/{y}.png), SRTM squares (.hgt) or GeoTIFF.`)
  const { terrain, files, issues } = await readTerrain(folder, { grey: terrainPlus })
  for (const { file, problem } of issues) process.stderr.write(`${file}: ${problem}\n`)
  if (terrain.length === 0) throw new CommandFailure(exits.rejected, `No terrain could be read from ${folder}.`)
  return { rasters: terrain, facts: { folder: basename(folder), files, left_out: issues.length } }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

function told({ id, sha256, stored, bytes, national_cells, fine_cells, villages_by_disc, layers }: Published, seconds: number): string {
  const lines = layers.map(({ operator, technology, sites, samples, record, cells }) =>
    `${operator.padEnd(12)}${technology.padEnd(7)}${String(cells.known).padStart(9)} cells known, ${String(cells.usable).padStart(8)} usable at 0.9; ${sites} sites, ${samples} samples` +
    (record === null ? '' : record.over_claim_rate === null ? '; claim untested' : `; over-claims ${percent(record.over_claim_rate)} (${percent(record.over_claim_low ?? 0)} to ${percent(record.over_claim_high ?? 0)}) of ${record.tested_cells} tested cells`))
  return `edition ${id}${stored ? '' : ', which was there already'}; ${seconds} s\nsha256 ${sha256}\n${national_cells} national cells, ${fine_cells} fine ones; ${(bytes / 1e6).toFixed(1)} MB` +
    `${villages_by_disc === 0 ? '' : `; ${villages_by_disc} villages without a polygon stand in as discs`}\n${lines.join('\n')}\n`
}
