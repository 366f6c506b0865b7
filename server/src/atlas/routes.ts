import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isValidCell } from 'h3-js'
import type { CellViews, Edition, EditionEntry } from '@kawal/contract/atlas.ts'
import { cellView, rowOf, sourceOf } from '@kawal/core/atlas/edition.ts'
import { ancestorOf, cellOfKey, centreOf, keyOfCell, resolution_fine, resolution_national } from '@kawal/core/geo/cells.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { callerOf } from '../organisation/routes.ts'
import { ProblemError } from '../problem.ts'
import { areaOf, clip } from './area.ts'
import { compareLayers, differenceCsv } from './difference.ts'
import { listEditions } from './editions.ts'
import { csvOf, dateOfDay, geojsonOf, provenanceOf, type NamedLayer } from './export.ts'
import { atlasScope, createShelf, type OpenEdition, type Shelf } from './shelf.ts'
import { drawTile, zoom_max } from './tile.ts'

type Query = Record<string, string | string[] | undefined>
const cells_listed_max = 50_000

/** Editions of the coverage atlas: what there is, what one says, its tiles, its cells, its files, how two differ. */
export function atlasRoutes(app: FastifyInstance, { database }: { database: Database }): void {
  const shelf = createShelf(database)
  editionRoutes(app, database, shelf)
  tileRoute(app, shelf)
  cellRoute(app, shelf)
  differenceRoute(app, shelf)
  exportRoutes(app, database, shelf)
}

function editionRoutes(app: FastifyInstance, database: Database, shelf: Shelf): void {
  app.get('/v1/atlas/editions', async (request): Promise<EditionEntry[]> => {
    const caller = callerOf(request)
    const own = atlasScope(caller) === 'own'
    const entries = await database.transaction(caller, listEditions)
    return entries.map(({ publishedAt, layers, ...entry }) => ({ ...entry, publishedAt: new Date(publishedAt).toISOString(), layers: layers.filter(({ operator }) => !own || operator === caller.organisation) }))
  })
  app.get<{ Params: { id: string } }>('/v1/atlas/editions/:id', async (request, reply): Promise<Edition> => {
    const caller = callerOf(request)
    const edition = await shelf.edition(caller, request.params.id)
    const { id, sha256, publishedAt, header } = edition
    const whole = atlasScope(caller) === 'all'
    cacheable(reply, request.params.id, edition)
    const { facts, columns, ...rest } = header
    return {
      id, sha256, publishedAt: new Date(publishedAt).toISOString(), layers: shelf.layers(caller, edition), whole,
      header: { ...rest, facts: whole ? facts : ownFacts(facts, caller), columns: columns.filter(({ operator }) => whole || operator === null || operator === caller.organisation) },
    }
  })
}

/** What the facts say of each layer is told to those alone who may read it: over-claiming is between an operator and the ministry. */
function ownFacts(facts: unknown, caller: Caller): unknown {
  if (typeof facts !== 'object' || facts === null || !('layers' in facts) || !Array.isArray(facts.layers)) return facts
  return { ...facts, layers: facts.layers.filter((layer: unknown) => typeof layer === 'object' && layer !== null && 'operator' in layer && layer.operator === caller.organisation) }
}

/** An edition never changes, so what is asked of one by its id is asked once; `latest` moves on. */
function cacheable(reply: FastifyReply, asked: string, edition: OpenEdition): void {
  // private: what one organisation may see is not for another's proxy
  void reply.header('cache-control', asked === edition.id ? 'private, max-age=31536000, immutable' : 'private, no-cache').header('vary', 'cookie, authorization, accept, accept-encoding')
}

function tileRoute(app: FastifyInstance, shelf: Shelf): void {
  app.get<{ Params: Record<'id' | 'operator' | 'technology' | 'z' | 'x' | 'y', string> }>('/v1/atlas/editions/:id/tiles/:operator/:technology/:z/:x/:y.mvt', async (request, reply) => {
    const caller = callerOf(request)
    const { id, operator, technology } = request.params
    const [z, x, y] = [request.params.z, request.params.x, request.params.y].map((text) => (/^[0-9]{1,5}$/.test(text) ? Number(text) : -1)) as [number, number, number]
    if (z < 0 || z > zoom_max || x < 0 || y < 0 || x >= 2 ** z || y >= 2 ** z) throw new ProblemError('body_invalid', `There is no tile ${request.params.z}/${request.params.x}/${request.params.y}: zooms go from 0 to ${zoom_max}.`)
    const edition = await shelf.edition(caller, id)
    const drawing = await shelf.layer(caller, edition, operator, technology)
    const tag = `"${edition.id} ${operator} ${technology}"`
    cacheable(reply, id, edition)
    void reply.header('etag', tag)
    if (request.headers['if-none-match'] === tag) return reply.code(304).send()
    const bytes = drawTile(drawing, z, x, y)
    void reply.type('application/vnd.mapbox-vector-tile')
    if (bytes.length === 0 || !/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(Buffer.from(bytes))
    return reply.header('content-encoding', 'gzip').send(gzipSync(bytes, { level: 1 }))
  })
}

function cellRoute(app: FastifyInstance, shelf: Shelf): void {
  app.get<{ Params: { id: string; cell: string } }>('/v1/atlas/editions/:id/cell/:cell', async (request, reply): Promise<CellViews> => {
    const caller = callerOf(request)
    const { id, cell } = request.params
    if (!/^8[89][0-9a-f]{13}$/.test(cell) || !isValidCell(cell)) throw new ProblemError('body_invalid', `${cell} is no H3 index of resolution 8 or 9.`)
    const edition = await shelf.edition(caller, id)
    const asked = Number(cell[1])
    const key = keyOfCell(cell, asked)
    const fine = asked === resolution_fine ? rowOf(edition.fine.keys[resolution_fine] as Float64Array, key) : -1
    const resolution = fine >= 0 ? resolution_fine : resolution_national
    const found = fine >= 0 ? key : ancestorOf(key, asked - resolution_national)
    const row = fine >= 0 ? fine : rowOf(edition.national.keys[resolution_national] as Float64Array, found)
    if (row < 0) throw new ProblemError('not_found', `The edition ${edition.id} has no cell ${cell}: it lies on no village's area.`)
    const layers: CellViews['layers'] = []
    for (const { operator, technology } of shelf.layers(caller, edition)) {
      const drawing = await shelf.layer(caller, edition, operator, technology)
      const columns = fine >= 0 ? drawing.fineColumns : drawing.nationalColumns
      const { day, ...view } = cellView(columns, row)
      layers.push({ operator, technology, ...view, date: day === null ? null : dateOfDay(day), source: sourceOf(columns, row) })
    }
    cacheable(reply, id, edition)
    return { edition: edition.id, cell: cellOfKey(found, resolution), resolution, ...centreOf(found, resolution), layers }
  })
}

/** A query that an address needs, given once. */
function needed(query: Query, name: string): string {
  const value = query[name]
  if (typeof value !== 'string' || value === '') throw new ProblemError('body_invalid', `Say which ${name} in the query.`)
  return value
}

function differenceRoute(app: FastifyInstance, shelf: Shelf): void {
  app.get<{ Params: { id: string; other: string }; Querystring: Query }>('/v1/atlas/editions/:id/difference/:other', async (request, reply) => {
    const caller = callerOf(request)
    const [operator, technology] = [needed(request.query, 'operator'), needed(request.query, 'technology')]
    const before = await shelf.edition(caller, request.params.id)
    const after = await shelf.edition(caller, request.params.other)
    const { counts, differing, cells } = compareLayers(await shelf.layer(caller, before, operator, technology), await shelf.layer(caller, after, operator, technology))
    void reply.header('vary', 'cookie, authorization, accept')
    if (wantsCsv(request)) return reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="difference-${before.id}-${after.id}-${operator}-${technology}.csv"`).send(Readable.from(differenceCsv(cells())))
    return { from: before.id, to: after.id, operator, technology, counts, cells: firstOf(cells(), cells_listed_max), truncated: differing > cells_listed_max }
  })
}

function firstOf<T>(rows: Iterable<T>, max: number): T[] {
  const found: T[] = []
  for (const row of rows) if (found.push(row) >= max) break
  return found
}

const wantsCsv = (request: FastifyRequest): boolean => /\btext\/csv\b/.test(request.headers.accept ?? '')

const files = { csv: ['text/csv; charset=utf-8', csvOf], geojson: ['application/geo+json', geojsonOf] } as const

function exportRoutes(app: FastifyInstance, database: Database, shelf: Shelf): void {
  for (const format of ['csv', 'geojson'] as const) {
    const [type, write] = files[format]
    app.get<{ Params: { id: string }; Querystring: Query }>(`/v1/atlas/editions/:id/export.${format}`, async (request, reply) => {
      const caller = callerOf(request)
      const [operator, technology, region] = [needed(request.query, 'operator'), needed(request.query, 'technology'), needed(request.query, 'region')]
      const edition = await shelf.edition(caller, request.params.id)
      const drawing = await shelf.layer(caller, edition, operator, technology)
      const area = await database.transaction(caller, (client) => areaOf(client, region, edition.header.validOn))
      const layer: NamedLayer = { operator, technology, drawing: clip(drawing, area) }
      void reply.type(type).header('content-disposition', `attachment; filename="atlas-${edition.id}-${operator}-${technology}-${region}.${format}"`)
      return reply.send(Readable.from(write(provenanceOf(edition), oneLayer(layer))))
    })
  }
}

async function* oneLayer(layer: NamedLayer): AsyncGenerator<NamedLayer> {
  yield layer
}
