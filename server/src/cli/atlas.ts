import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect, migrate, system, type Database } from '../adapters/postgres/database.ts'
import { areaOf, clip } from '../atlas/area.ts'
import { compareLayers, differenceCsv } from '../atlas/difference.ts'
import { listEditions, readHeader, verifyEdition } from '../atlas/editions.ts'
import { csvOf, geojsonOf, provenanceOf, type NamedLayer, type Provenance } from '../atlas/export.ts'
import { geopackage_cells_max, writeGeopackage } from '../atlas/geopackage.ts'
import { exportPmtiles } from '../atlas/pmtiles.ts'
import { createShelf, type OpenEdition, type Shelf } from '../atlas/shelf.ts'
import { showProgress } from '../register/progress.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

/** `kawal atlas list | show [EDITION] | diff EDITION OTHER | verify [EDITION]`; `publish` is publish.ts. */
export async function atlasAction(action: string, editions: readonly string[], options: Options): Promise<void> {
  const todo = actions[action]
  if (todo === undefined) throw new CommandFailure(exits.usage, `kawal atlas knows list, show, diff, verify and publish, not ${action}.`)
  if (action === 'diff' && editions.length !== 2) throw new CommandFailure(exits.usage, 'kawal atlas diff takes two editions, the older one first.')
  await withDatabase(options, (database) => todo(database, editions, options))
}

async function withDatabase(options: Options, work: (database: Database) => Promise<void>): Promise<void> {
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      await work(database)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

const actions: Readonly<Record<string, (database: Database, editions: readonly string[], options: Options) => Promise<void>>> = { list, show, diff, verify }

const out = (options: Options, value: object, lines: readonly string[]): void => void process.stdout.write(options['json'] === undefined ? `${lines.join('\n')}\n` : `${JSON.stringify(value)}\n`)
const unknown = (id: string): CommandFailure => new CommandFailure(exits.rejected, id === 'latest' ? 'No edition has been published yet.' : `There is no edition ${id}. "kawal atlas list" names them.`)

async function list(database: Database, _: readonly string[], options: Options): Promise<void> {
  const editions = await database.transaction(system, listEditions)
  out(options, { editions: editions.map((each) => ({ ...each, publishedAt: new Date(each.publishedAt).toISOString() })) },
    editions.length === 0 ? ['No edition has been published yet.'] : editions.map((each) => `${each.id}  ${each.validOn}  ${each.layers.length} layers, ${each.cells.national} + ${each.cells.fine} cells  ${each.name}`))
}

async function show(database: Database, [id = 'latest']: readonly string[], options: Options): Promise<void> {
  const found = await database.transaction(system, (client) => readHeader(client, id))
  if (found === null) throw unknown(id)
  const { header, publishedAt, ...rest } = found
  const columns = header.columns.map((column) => `${column.name.padEnd(40)}${String(column.rows).padStart(9)}  ${column.sha256}`)
  out(options, { ...rest, publishedAt: new Date(publishedAt).toISOString(), header },
    [`edition    ${found.id}`, `sha256     ${found.sha256}`, `name       ${header.name}`, `valid on   ${header.validOn}`, `published  ${new Date(publishedAt).toISOString()}`, `facts      ${JSON.stringify(header.facts)}`, ...columns])
}

async function verify(database: Database, [id = 'latest']: readonly string[], options: Options): Promise<void> {
  const found = await database.transaction(system, (client) => verifyEdition(client, id))
  if (found === null) throw unknown(id)
  out(options, found, found.faults.length === 0 ? [`${found.id}: ${found.columns} columns fit their hashes, and the header the hash ${found.sha256}.`] : found.faults)
  if (found.faults.length > 0) process.exitCode = exits.found
}

/** CSV on stdout, counts on stderr; or all as one JSON object. */
async function diff(database: Database, [from = '', to = '']: readonly string[], options: Options): Promise<void> {
  const shelf = createShelf(database)
  const before = await shelf.edition(system, from)
  const after = await shelf.edition(system, to)
  const had = shelf.layers(system, before)
  const wanted = shelf.layers(system, after).filter((layer) => asked(options, layer) && had.some((each) => each.operator === layer.operator && each.technology === layer.technology))
  if (wanted.length === 0) throw new CommandFailure(exits.rejected, 'The two editions have no such layer in common.')
  const all: object[] = []
  for (const [at, { operator, technology }] of wanted.entries()) {
    const { counts, cells } = compareLayers(await shelf.layer(system, before, operator, technology), await shelf.layer(system, after, operator, technology))
    process.stderr.write(`${operator} ${technology}: ${Object.entries(counts).map(([kind, count]) => `${kind} ${count}`).join(', ')}\n`)
    if (options['json'] !== undefined) all.push({ operator, technology, counts, cells: [...cells()] })
    else for (const chunk of differenceCsv(cells(), { operator, technology })) process.stdout.write(at === 0 ? chunk : chunk.replace(/^operator,.*\n/, ''))
  }
  if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ from: before.id, to: after.id, layers: all })}\n`)
}

const asked = (options: Options, layer: { operator: string; technology: string }): boolean =>
  (options['operator'] === undefined || layer.operator === options['operator']) && (options['technology'] === undefined || layer.technology === options['technology'])

const formats = ['csv', 'geojson', 'gpkg', 'pmtiles'] as const

/** `kawal export atlas --format F --out FILE`: an edition as a file; progress on stderr. */
export async function exportAtlas(options: Options): Promise<void> {
  const format = formats.find((each) => each === (options['format'] ?? 'csv'))
  const file = options['out']
  if (format === undefined) throw new CommandFailure(exits.usage, `--format is one of ${formats.join(', ')}, not ${options['format']}.`)
  if (file === undefined) throw new CommandFailure(exits.usage, '--out FILE says where the atlas goes: it is too large for a terminal.')
  if (format === 'gpkg' && options['province'] === undefined) throw new CommandFailure(exits.usage, 'A GeoPackage of the nation is more than it can hold: give --province, or the code of a regency to it.')
  await withDatabase(options, async (database) => {
    const shelf = createShelf(database)
    const edition = await shelf.edition(system, options['edition'] ?? 'latest')
    const wanted = shelf.layers(system, edition).filter((layer) => asked(options, layer))
    if (wanted.length === 0) throw new CommandFailure(exits.rejected, `The edition ${edition.id} has no such layer. "kawal atlas show ${edition.id}" lists its columns.`)
    if (format === 'pmtiles' && wanted.length !== 1) throw new CommandFailure(exits.usage, 'A PMTiles file holds one layer: give --operator and --technology.')
    const layers = eachLayer(database, shelf, edition, wanted, options['province'])
    const written = await write(format, file, provenanceOf(edition), layers, wanted.length)
    if (options['json'] !== undefined) process.stdout.write(`${JSON.stringify({ edition: edition.id, sha256: edition.sha256, format, file, layers: wanted.length, ...written })}\n`)
  })
}

async function write(format: (typeof formats)[number], file: string, provenance: Provenance, layers: AsyncGenerator<NamedLayer>, count: number): Promise<object> {
  if (format === 'csv' || format === 'geojson') await pipeline(Readable.from((format === 'csv' ? csvOf : geojsonOf)(provenance, layers)), createWriteStream(file))
  else if (format === 'gpkg') await writeGeopackage(file, provenance, bounded(layers, Math.floor(geopackage_cells_max / count)))
  else {
    const progress = showProgress(process.stderr)
    for await (const layer of layers) {
      const made = await exportPmtiles(file, provenance, layer, (done, of) => progress.at(done / Math.max(1, of), 'tiles'))
      progress.done()
      return made
    }
  }
  return {}
}

async function* bounded(layers: AsyncIterable<NamedLayer>, cells_max: number): AsyncGenerator<NamedLayer> {
  for await (const layer of layers) {
    const { national, fine } = layer.drawing
    const cells = (national.keys[national.resolution]?.length ?? 0) + (fine.keys[fine.resolution]?.length ?? 0)
    if (cells > cells_max) throw new CommandFailure(exits.rejected, `${cells} cells a layer are more than a GeoPackage can be made of here (${cells_max}): give fewer layers, or the code of a regency to --province.`)
    yield layer
  }
}

async function* eachLayer(database: Database, shelf: Shelf, edition: OpenEdition, wanted: readonly { operator: string; technology: string }[], region: string | undefined): AsyncGenerator<NamedLayer> {
  const area = region === undefined ? null : await database.transaction(system, (client) => areaOf(client, region, edition.header.validOn))
  for (const { operator, technology } of wanted) {
    process.stderr.write(`${operator} ${technology}\n`)
    const drawing = await shelf.layer(system, edition, operator, technology)
    yield { operator, technology, drawing: area === null ? drawing : clip(drawing, area) }
  }
}
