import { technologies, type Columns, type Technology } from '@kawal/core/atlas/edition.ts'
import { scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { layersOf, readGrid, readHeader, readLayer, type EditionHeader } from './editions.ts'
import { makeLevels, takeBetter, type Levels } from './pyramid.ts'
import type { Drawing } from './tile.ts'

/** An edition in memory: what it says of itself, and its grids with all their coarser levels. */
export interface OpenEdition {
  readonly id: string
  readonly sha256: string
  readonly publishedAt: number
  readonly header: EditionHeader
  readonly national: Levels
  readonly fine: Levels
}

/**
 * Editions and layers that were asked for lately. Of a nation (2.6 million cells) an edition's grids take
 * some 30 MB and a layer some 35 MB: at most 340 MB, however many are asked for.
 */
export interface Shelf {
  /** @param id of an edition, or `latest` @throws ProblemError not_found */
  edition(caller: Caller, id: string): Promise<OpenEdition>
  /**
   * One network, or with `any` the best of several. Whoever may read the layers of one operator alone is
   * told of no other.
   * @throws ProblemError not_found, not_allowed, body_invalid
   */
  layer(caller: Caller, edition: OpenEdition, operator: string, technology: string): Promise<Drawing>
  /** The layers that somebody may read. */
  layers(caller: Caller, edition: OpenEdition): { operator: string; technology: Technology }[]
}

const editions_max = 2
const layers_max = 8

/** Whose layers a caller may read: `all`, or its own alone. The wall in the database says the same of the rows. */
export function atlasScope(caller: Caller): 'all' | 'own' {
  const scope = scopeOf(caller.role, 'atlas', 'read')
  if (scope === null) throw new ProblemError('not_allowed', 'Your role does not read the coverage atlas.')
  return scope
}

export function createShelf(database: Database): Shelf {
  const editions = new Map<string, Promise<OpenEdition>>()
  const layers = new Map<string, Promise<Drawing>>()
  const visible = (caller: Caller, edition: OpenEdition): { operator: string; technology: Technology }[] => {
    const own = atlasScope(caller) === 'own'
    return layersOf(edition.header.columns).filter(({ operator }) => !own || operator === caller.organisation)
  }
  // a layer holds its edition's grids: neither outlives the other here
  const forgetLayers = (edition: string): void => [...layers.keys()].filter((key) => key.startsWith(`${edition} `)).forEach((key) => layers.delete(key))
  return {
    async edition(caller, id) {
      atlasScope(caller)
      const kept = editions.get(id)
      if (kept !== undefined) return keep(editions, id, editions_max, () => kept)
      const found = await database.transaction(caller, (client) => readHeader(client, id))
      if (found === null) throw new ProblemError('not_found', id === 'latest' ? 'No edition of the atlas has been published yet.' : `There is no edition ${id}. GET /v1/atlas/editions lists them.`)
      return keep(editions, found.id, editions_max, () => database.transaction(caller, async (client) => ({
        ...found,
        national: await readGrid(client, found.id, 'national').then((grid) => makeLevels(grid.cells, grid.resolution)),
        fine: await readGrid(client, found.id, 'fine').then((grid) => makeLevels(grid.cells, grid.resolution)),
      })), forgetLayers)
    },
    async layer(caller, edition, operator, technology) {
      const known: readonly string[] = technologies
      if (technology !== 'any' && !known.includes(technology)) throw new ProblemError('body_invalid', `A technology is one of ${known.join(', ')} or any, not ${technology}.`)
      if (operator === 'any' && atlasScope(caller) === 'own') throw new ProblemError('not_allowed', 'You may read the layers of your own organisation: name it as the operator.')
      const wanted = visible(caller, edition).filter((each) => (operator === 'any' || each.operator === operator) && (technology === 'any' || each.technology === technology))
      if (wanted.length === 0) throw new ProblemError('not_found', `The edition ${edition.id} has no layer ${operator} ${technology} that you may see.`)
      return keep(layers, `${edition.id} ${operator} ${technology}`, layers_max, () => drawing(database, caller, edition, wanted))
    },
    layers: visible,
  }
}

/** What is asked for twice at once is made once; what was asked for longest ago makes room. */
function keep<T>(kept: Map<string, Promise<T>>, key: string, max: number, make: () => Promise<T>, dropped: (key: string) => void = () => undefined): Promise<T> {
  const found = kept.get(key) ?? make()
  kept.delete(key)
  kept.set(key, found)
  found.catch(() => kept.get(key) === found && kept.delete(key))
  for (const oldest of kept.keys()) {
    if (kept.size <= max) break
    kept.delete(oldest)
    dropped(oldest)
  }
  return found
}

async function drawing(database: Database, caller: Caller, edition: OpenEdition, wanted: readonly { operator: string; technology: Technology }[]): Promise<Drawing> {
  const { national, fine } = edition
  const rows = { national: national.keys[national.resolution]?.length ?? 0, fine: fine.keys[fine.resolution]?.length ?? 0 }
  let best: { national: Columns; fine: Columns } | null = null
  for (const { operator, technology } of wanted) {
    const layer = await database.transaction(caller, (client) => readLayer(client, edition.id, operator, technology, rows))
    if (layer === null) throw new Error(`edition ${edition.id}: the wall hides the layer ${operator} ${technology}, which the rules allow to ${caller.role}`)
    if (best === null) best = layer
    else {
      takeBetter(best.national, layer.national)
      takeBetter(best.fine, layer.fine)
    }
  }
  if (best === null) throw new Error('a drawing of no layers')
  return { national, fine, nationalColumns: best.national, fineColumns: best.fine, coarser: new Map() }
}
