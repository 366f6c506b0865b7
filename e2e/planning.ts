import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const program = join(import.meta.dirname, '../server/src/cli/kawal.ts')

/** What operators say of their 4G in Gorontalo, as boxes of west, south, east, north: two along the coast, one in the city alone. */
const claims = { telkomsel: [122.2, 0.4, 123.3, 0.75], indosat: [122.7, 0.45, 123.2, 0.7], xlsmart: [122.95, 0.48, 123.12, 0.62] } as const

/** Runs `kawal` on a data folder, as a person would do it. @returns what it wrote */
export function kawal(data: string, ...args: string[]): string {
  const done = spawnSync(process.execPath, [program, ...args, '--data', data], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`kawal ${args.join(' ')} ended with ${done.status}:\n${done.stderr}`)
  return done.stdout
}

/** Operators hand in their claims, an edition is made of them, a plan of the edition. @returns the edition's id */
export function publish(data: string): string {
  for (const [operator, [west, south, east, north]] of Object.entries(claims)) {
    const file = join(data, `${operator}.geojson`)
    const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    writeFileSync(file, JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } }] }))
    kawal(data, 'import', 'coverage', file, '--operator', operator, '--technology', 'lte', '--rejects', data)
  }
  const { id } = JSON.parse(kawal(data, 'atlas', 'publish', '--json')) as { id: string }
  kawal(data, 'plan')
  return id
}
