import { createHash } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type pg from 'pg'
import { columnBytes, columnNames, columnsFrom, gridBytes, gridFrom, technologies, type Atlas, type Columns, type Grid, type Layer, type Technology } from '@kawal/core/atlas/edition.ts'

/**
 * Editions as they are kept: one row a column, and a header that binds them all. The form, and how to
 * recompute its hash with other tools, is in spec/edition.md.
 */

const format = 1
const gridNames = ['national', 'fine'] as const
type GridName = (typeof gridNames)[number]

/** One column that an edition holds; grids belong to no operator. */
interface HeaderColumn {
  readonly name: string
  readonly operator: string | null
  readonly technology: Technology | null
  readonly rows: number
  /** Of the bytes uncompressed, in hexadecimal. */
  readonly sha256: string
}

/** What is hashed. When it was published is not in it: the same content is the same edition. */
export interface EditionHeader {
  readonly format: typeof format
  readonly name: string
  /** YYYY-MM-DD */
  readonly validOn: string
  readonly facts: unknown
  readonly columns: readonly HeaderColumn[]
}

/** An edition without its facts and columns. */
interface EditionEntry {
  readonly id: string
  readonly sha256: string
  readonly name: string
  /** YYYY-MM-DD */
  readonly validOn: string
  readonly publishedAt: number
  readonly layers: readonly { readonly operator: string; readonly technology: Technology }[]
  readonly cells: { readonly national: number; readonly fine: number }
}

interface About {
  readonly name: string
  /** YYYY-MM-DD */
  readonly validOn: string
  readonly publishedAt: number
  /** JSON: sources with their hashes, configuration, rates, counts. */
  readonly facts: unknown
}

type LayerFilter = (operator: string, technology: Technology) => boolean

/** SHA-256 in hexadecimal. */
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
/** With a checksum, so that a byte that flipped on the disk is found by whoever reads. */
const compress = (bytes: Uint8Array): Buffer => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } })

const gridColumn = (grid: GridName): string => `${grid}.cells`
const layerColumn = (grid: GridName, operator: string, technology: Technology, column: string): string => `${grid}.${operator}.${technology}.${column}`
const byName = (a: Layer, b: Layer): number => (a.operator < b.operator ? -1 : a.operator > b.operator ? 1 : technologies.indexOf(a.technology) - technologies.indexOf(b.technology))

/** JSON with sorted keys and no spaces, as RFC 8785 has it. The value is JSON already. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  // the default order is by UTF-16 code units, which is RFC 8785's (3.2.3)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`
}

/** Every column of an atlas in the order of the header: the grids, then layers by operator and technology. */
function* columnsOf(atlas: Atlas): Generator<Omit<HeaderColumn, 'sha256'> & { bytes: Uint8Array }> {
  for (const grid of gridNames) yield { name: gridColumn(grid), operator: null, technology: null, rows: atlas[grid].cells.length, bytes: gridBytes(atlas[grid]) }
  for (const layer of [...atlas.layers].sort(byName)) {
    const { operator, technology } = layer
    for (const grid of gridNames) for (const column of columnNames)
      yield { name: layerColumn(grid, operator, technology, column), operator, technology, rows: atlas[grid].cells.length, bytes: columnBytes(layer[grid], column) }
  }
}

/**
 * Keeps an edition, in the caller's transaction. The same content is kept once, whenever it comes:
 * `stored` is false the second time.
 * @param client as somebody who may write the atlas; each operator of a layer is an organisation
 * @returns the id, 12 hexadecimal digits, the head of the SHA-256 of the header
 */
export async function storeEdition(client: pg.ClientBase, atlas: Atlas, about: About): Promise<{ id: string; sha256: string; stored: boolean; bytes: number }> {
  const columns = [...columnsOf(atlas)].map(({ bytes, ...column }) => ({ ...column, sha256: sha256(bytes) }))
  // once through JSON: what is hashed is what is kept
  const header = JSON.parse(JSON.stringify({ format, name: about.name, validOn: about.validOn, facts: about.facts ?? null, columns } satisfies EditionHeader)) as EditionHeader
  const hash = sha256(canonical(header))
  const id = hash.slice(0, 12)
  const inserted = await client.query(
    'INSERT INTO edition (id, sha256, name, valid_on, published_at, header) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sha256) DO NOTHING',
    [id, hash, about.name, about.validOn, new Date(about.publishedAt), JSON.stringify(header)])
  if (inserted.rowCount === 0) return { id, sha256: hash, stored: false, bytes: 0 }
  let bytes_stored = 0
  let at = 0
  for (const { name, operator, bytes } of columnsOf(atlas)) {
    const packed = compress(bytes)
    bytes_stored += packed.length
    await client.query('INSERT INTO edition_column (edition_id, name, organisation_id, sha256, bytes) VALUES ($1, $2, $3, $4, $5)', [id, name, operator, columns[at++]?.sha256, packed])
  }
  return { id, sha256: hash, stored: true, bytes: bytes_stored }
}

/** Everybody may see which editions there are; newest first. */
export async function listEditions(client: pg.ClientBase): Promise<EditionEntry[]> {
  const { rows } = await client.query<Omit<EditionEntry, 'layers' | 'cells' | 'publishedAt'> & { published_at: Date; columns: HeaderColumn[] }>(
    `SELECT id, sha256, name, valid_on::text AS "validOn", published_at, header->'columns' AS columns FROM edition ORDER BY valid_on DESC, published_at DESC, id`)
  return rows.map(({ columns, published_at, ...row }) => ({ ...row, publishedAt: published_at.getTime(), layers: layersOf(columns), cells: { national: rowsOf(columns, 'national'), fine: rowsOf(columns, 'fine') } }))
}

const rowsOf = (columns: readonly HeaderColumn[], grid: GridName): number => columns.find((column) => column.name === gridColumn(grid))?.rows ?? 0

/** The layers that columns of a header make up, in its order. */
export function layersOf(columns: readonly HeaderColumn[]): { operator: string; technology: Technology }[] {
  const seen = new Map<string, { operator: string; technology: Technology }>()
  for (const { operator, technology } of columns) if (operator !== null && technology !== null) seen.set(`${operator} ${technology}`, { operator, technology })
  return [...seen.values()]
}

/**
 * What an edition says of itself.
 * @param id of an edition, or `latest`: the one of the newest day, then of the newest publication
 */
export async function readHeader(client: pg.ClientBase, id: string): Promise<{ id: string; sha256: string; publishedAt: number; header: EditionHeader } | null> {
  const { rows } = await client.query<{ id: string; sha256: string; published_at: Date; header: EditionHeader }>(
    "SELECT id, sha256, published_at, header FROM edition WHERE id = $1 OR $1 = 'latest' ORDER BY valid_on DESC, published_at DESC, id LIMIT 1", [id])
  const [row] = rows
  return row === undefined ? null : { id: row.id, sha256: row.sha256, publishedAt: row.published_at.getTime(), header: row.header }
}

/** Columns of an edition by name, uncompressed; what the reader may not see is not among them. */
async function readColumns(client: pg.ClientBase, id: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const { rows } = await client.query<{ name: string; bytes: Buffer }>('SELECT name, bytes FROM edition_column WHERE edition_id = $1 AND name = ANY ($2)', [id, names])
  return new Map(rows.map(({ name, bytes }) => {
    const { buffer, byteOffset, byteLength } = zstdDecompressSync(bytes)
    return [name, new Uint8Array(buffer, byteOffset, byteLength)]
  }))
}

/** @throws when the grid is damaged */
export async function readGrid(client: pg.ClientBase, id: string, grid: GridName): Promise<Grid> {
  const bytes = (await readColumns(client, id, [gridColumn(grid)])).get(gridColumn(grid))
  const found = bytes === undefined ? null : gridFrom(bytes)
  if (found === null) throw new Error(`edition ${id}: the grid ${grid} is damaged`)
  return found
}

/**
 * One layer, or null when the reader may not see it or there is none.
 * @throws when a part of it is damaged
 */
export async function readLayer(client: pg.ClientBase, id: string, operator: string, technology: Technology, rows: Readonly<Record<GridName, number>>): Promise<Layer | null> {
  const found = await readColumns(client, id, gridNames.flatMap((grid) => columnNames.map((column) => layerColumn(grid, operator, technology, column))))
  if (found.size === 0) return null
  const columns = (grid: GridName): Columns => {
    const made = columnsFrom(rows[grid], (column) => found.get(layerColumn(grid, operator, technology, column)) ?? new Uint8Array(0))
    if (made === null || found.size !== gridNames.length * columnNames.length) throw new Error(`edition ${id}: the layer ${operator} ${technology} is damaged`)
    return made
  }
  return { operator, technology, national: columns('national'), fine: columns('fine') }
}

/**
 * An edition as its reader may see it: a layer that the wall hides is absent.
 * @param id of an edition, or `latest`
 * @param options.layers which layers to read; all without it
 * @returns null when there is no such edition
 */
export async function readEdition(client: pg.ClientBase, id: string, options: { readonly layers?: LayerFilter } = {}): Promise<{ id: string; sha256: string; header: EditionHeader; atlas: Atlas } | null> {
  const found = await readHeader(client, id)
  if (found === null) return null
  const national = await readGrid(client, found.id, 'national')
  const fine = await readGrid(client, found.id, 'fine')
  const layers: Layer[] = []
  for (const { operator, technology } of layersOf(found.header.columns)) {
    if (options.layers?.(operator, technology) === false) continue
    const layer = await readLayer(client, found.id, operator, technology, { national: national.cells.length, fine: fine.cells.length })
    if (layer !== null) layers.push(layer)
  }
  return { id: found.id, sha256: found.sha256, header: found.header, atlas: { national, fine, layers } }
}

/**
 * Recomputes every hash of an edition, as somebody who may read all of it.
 * @returns what does not fit, in words, each with the column's name; null when there is no such edition
 */
export async function verifyEdition(client: pg.ClientBase, id: string): Promise<{ id: string; sha256: string; columns: number; faults: string[] } | null> {
  const found = await readHeader(client, id)
  if (found === null) return null
  const faults: string[] = []
  const { header } = found
  const hash = sha256(canonical(header))
  if (hash !== found.sha256) faults.push(`header: its SHA-256 is ${hash}, not ${found.sha256}`)
  if (!found.sha256.startsWith(found.id)) faults.push(`header: the id ${found.id} is not the head of ${found.sha256}`)
  for (const column of header.columns) {
    const fault = await columnFault(client, found.id, column)
    if (fault !== null) faults.push(`${column.name}: ${fault}`)
  }
  const { rows } = await client.query<{ name: string }>('SELECT name FROM edition_column WHERE edition_id = $1 AND name <> ALL ($2) ORDER BY name', [found.id, header.columns.map(({ name }) => name)])
  faults.push(...rows.map(({ name }) => `${name}: the header does not know it`))
  return { id: found.id, sha256: found.sha256, columns: header.columns.length, faults }
}

async function columnFault(client: pg.ClientBase, id: string, { name, operator, rows: wanted, sha256: hash }: HeaderColumn): Promise<string | null> {
  const { rows } = await client.query<{ bytes: Buffer; sha256: string; organisation_id: string | null }>('SELECT bytes, sha256, organisation_id FROM edition_column WHERE edition_id = $1 AND name = $2', [id, name])
  const [row] = rows
  if (row === undefined) return 'it is missing'
  if (row.organisation_id !== operator) return `it belongs to ${row.organisation_id ?? 'nobody'}, not to ${operator ?? 'nobody'}`
  let bytes: Uint8Array
  try {
    bytes = zstdDecompressSync(row.bytes)
  } catch (error) {
    return `it cannot be unpacked (${error instanceof Error ? error.message : String(error)})`
  }
  const found = sha256(bytes)
  if (found !== hash || row.sha256 !== hash) return `its SHA-256 is ${found}, beside it stands ${row.sha256}, in the header ${hash}`
  const wide = name.endsWith('.samples') || name.endsWith('.day')
  const has = operator === null ? (gridFrom(bytes)?.cells.length ?? -1) : bytes.length / (wide ? 2 : 1)
  return has === wanted ? null : `it has ${has} rows, the header says ${wanted}`
}
