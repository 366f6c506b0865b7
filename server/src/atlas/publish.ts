import type pg from 'pg'
import { makeColumns, type Atlas, type Columns, type Grid, type Layer } from '@kawal/core/atlas/edition.ts'
import { measure } from '@kawal/core/atlas/evidence.ts'
import { fuse, recordOf, weights, claimedColumn, type ClaimRecord, type Measured } from '@kawal/core/atlas/fuse.ts'
import { predictDefaults, type PredictConfig } from '@kawal/core/atlas/predict.ts'
import type { Terrain } from '@kawal/core/geo/terrain.ts'
import { discOf } from '../readiness/places.ts'
import { readVillages } from '../readiness/nation.ts'
import { quiet, type Progress } from '../register/progress.ts'
import { acceptedChallenges } from './challenge.ts'
import { storeEdition } from './editions.ts'
import { fineGrid, nationalGrid } from './grids.ts'
import { predictGrid } from './prediction.ts'
import { readVillageAreas } from './read-claim.ts'
import { readEvidence, type LayerSources } from './read-evidence.ts'
import { applyChallenges } from './apply-challenges.ts'

interface PublishOptions {
  readonly name: string
  /** YYYY-MM-DD: claims, register and areas of this day. */
  readonly day: string
  readonly now: number
  /** Elevations, and what their files were; without terrain the ground is taken as the sea. */
  readonly terrain: { readonly rasters: Terrain; readonly facts: unknown }
  readonly threads: number
  /** Licences of what it is made from, in words. */
  readonly licences: readonly string[]
  /** Only these operators; all that anything is known of when left out. */
  readonly operators?: readonly string[]
  readonly progress?: Progress
}

interface PublishedLayer {
  readonly operator: string
  readonly technology: string
  readonly sources: LayerSources['sources']
  readonly sites: number
  readonly samples: number
  readonly record: ClaimRecord | null
  readonly validation: unknown
  /** Cells of the national grid by what is known of them. */
  readonly cells: { readonly known: number; readonly usable: number; readonly contradicted: number; readonly measured: number }
}

export interface Published {
  readonly id: string
  readonly sha256: string
  readonly stored: boolean
  readonly bytes: number
  readonly national_cells: number
  readonly fine_cells: number
  readonly villages_by_disc: number
  readonly layers: readonly PublishedLayer[]
}

/** Why no edition can be made: a sentence with a way out. */
export class PublishRefused extends Error {}

/**
 * Makes an edition of everything that is known on a day: claims, lists of sites through physics, and
 * measurements, fused cell by cell; stored in one transaction.
 * @param client connected as the owner of the schema
 */
export async function publishEdition(client: pg.ClientBase, options: PublishOptions): Promise<Published> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  try {
    await client.query("SELECT set_config('kawal.organisation', 'kawal', true), set_config('kawal.role', 'system', true)")
    const published = await publish(client, options)
    await client.query('COMMIT')
    return published
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

async function publish(client: pg.ClientBase, options: PublishOptions): Promise<Published> {
  const progress = options.progress ?? quiet
  progress.at(0, 'laying the grid')
  const { national, fine, discs } = await gridsOf(client, options.day)
  const found = (await readEvidence(client, options.day)).filter(({ operator }) => options.operators?.includes(operator) ?? true)
  if (found.length === 0) throw new PublishRefused('Nothing is known of any operator yet: import coverage or samples first (kawal import coverage, kawal import samples).')
  const challenges = await acceptedChallenges(client)
  const layers: Layer[] = []
  const facts: PublishedLayer[] = []
  for (const [at, sources] of found.entries()) {
    const share = (within: number): void => progress.at(0.05 + (0.9 * (at + within)) / found.length, `${sources.operator} ${sources.technology}`)
    share(0)
    const own = challenges.filter((each) => each.operator === sources.operator && each.technology === sources.technology)
    const { layer, fact } = await layerOf(sources, { national, fine }, options, own, share)
    layers.push(layer)
    facts.push(fact)
  }
  progress.at(0.95, 'storing the edition')
  const atlas: Atlas = { national, fine, layers }
  const about = { licences: options.licences, weights, terrain: options.terrain.facts, villages_by_disc: discs, layers: facts, accepted_challenges: challenges.length }
  const { id, sha256, stored, bytes } = await storeEdition(client, atlas, { name: options.name, validOn: options.day, publishedAt: options.now, facts: about })
  progress.done()
  return { id, sha256, stored, bytes, national_cells: national.cells.length, fine_cells: fine.cells.length, villages_by_disc: discs, layers: facts }
}

/** The nation as its villages' areas, and closely around the stations and venues whose place is known. */
async function gridsOf(client: pg.ClientBase, day: string): Promise<{ national: Grid; fine: Grid; discs: number }> {
  const villages = await readVillages(client, day)
  const areas = new Map((await readVillageAreas(client, day)).map(({ code, runs }) => [code, runs]))
  let discs = 0
  villages.codes.forEach((code, row) => {
    if (areas.has(code)) return
    const disc = discOf(villages, row)
    if (disc === null) return
    discs++
    areas.set(code, disc)
  })
  if (areas.size === 0) throw new PublishRefused(`No village has a place on ${day}: import the register (kawal import register) and, better, boundaries (kawal import boundaries).`)
  const { rows } = await client.query<{ latitude: number; longitude: number }>(
    `SELECT latitude, longitude FROM station WHERE position_grade IN ('fix', 'venue') AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
     UNION SELECT latitude, longitude FROM venue WHERE latitude IS NOT NULL AND longitude IS NOT NULL AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)`, [day])
  return { national: nationalGrid(areas.values()), fine: fineGrid(Float64Array.from(rows, (row) => row.latitude), Float64Array.from(rows, (row) => row.longitude)), discs }
}

/** Longley-Rice needs a technology that is on the air: 3G is shut, and fixed lines are not predicted. */
const predicted = { gsm: 'gsm', lte: 'lte', nr: 'nr' } as const

async function layerOf(
  sources: LayerSources, grids: { national: Grid; fine: Grid }, options: PublishOptions, challenges: Awaited<ReturnType<typeof acceptedChallenges>>, share: (within: number) => void,
): Promise<{ layer: Layer; fact: PublishedLayer }> {
  const { operator, technology, claim, sites, samples } = sources
  const kind = technology in predicted ? predicted[technology as keyof typeof predicted] : null
  const config: PredictConfig | null = kind === null ? null : predictDefaults(kind)
  const made: { columns: Columns; measured: Measured | null }[] = []
  let validation: unknown = null
  let record: ClaimRecord | null = null
  for (const grid of [grids.national, grids.fine]) {
    const first = grid === grids.national
    const physics = sites === null || config === null ? null : await predictGrid(grid, sites.columns, options.terrain.rasters, config, options.threads, (within) => share(first ? within * 0.8 : 0.8 + within * 0.15))
    const found = samples === null ? null : measure(grid, samples, physics?.level_dbm ?? null, config?.threshold_dbm ?? null)
    const columns = makeColumns(grid.cells.length)
    if (first) {
      validation = found?.validation ?? null
      if (claim !== null) record = recordOf(claimedColumn(grid, claim.runs), found?.measured ?? null)
    }
    fuse(grid, { claim, prediction: physics === null || sites === null ? null : { usable: physics.usable, complete: sites.complete, day: sites.day }, measured: found?.measured ?? null }, record?.reliability ?? weights.claimed, columns)
    applyChallenges(grid, columns, challenges)
    made.push({ columns, measured: found?.measured ?? null })
  }
  const [national, fine] = made
  if (national === undefined || fine === undefined) throw new Error('a layer has two grids')
  const layer: Layer = { operator, technology, national: national.columns, fine: fine.columns }
  return { layer, fact: { operator, technology, sources: sources.sources, sites: sites?.columns.latitude.length ?? 0, samples: samples?.latitude.length ?? 0, record, validation, cells: countsOf(national.columns) } }
}

function countsOf(columns: Columns): PublishedLayer['cells'] {
  let [known, usable, contradicted, measured] = [0, 0, 0, 0]
  for (let row = 0; row < columns.usable.length; row++) {
    if (columns.usable[row] !== 255) known++
    if (columns.usable[row] !== 255 && (columns.usable[row] as number) >= 180) usable++
    if (((columns.flags[row] as number) & 1) !== 0) contradicted++
    if (columns.measured[row] !== 255) measured++
  }
  return { known, usable, contradicted, measured }
}
