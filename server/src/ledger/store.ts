import type pg from 'pg'
import { readEdge, type Edge, type TileFile } from '@kawal/core/ledger/growth.ts'
import { bundleOf } from '@kawal/core/ledger/bundle.ts'
import { joinBytes } from '@kawal/core/ledger/bytes.ts'
import { leafHash } from '@kawal/core/ledger/merkle.ts'
import { edgeOf, subtreeHash, tilePath, tile_width, type Tile } from '@kawal/core/ledger/tiles.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from './cryptography.ts'

/** What goes into the log. */
export interface NewEntry {
  /** 32 bytes, hex. The same name again is the same entry. */
  readonly name: string
  readonly kind: number
  readonly bytes: Uint8Array
  /** Key of the device that handed it in; null for our own. */
  readonly carrier: number | null
  /** Public key that came beside it; null for none. */
  readonly key: Uint8Array | null
}

/** A checkpoint that was shown. */
export interface Shown { readonly size: number; readonly note: string }

const asSystem = <T>(database: Database, work: (client: pg.ClientBase) => Promise<T>): Promise<T> => database.transaction(system, work)

/** How many entries the database holds. */
export const readSize = (database: Database): Promise<number> =>
  asSystem(database, async (client) => (await client.query<{ size: number }>('SELECT coalesce(max(index) + 1, 0) AS size FROM ledger_entry')).rows[0]?.size ?? 0)

/** The right edge, from the entries and the full tiles below it. */
export function loadEdge(database: Database, size: number): Promise<Edge> {
  return asSystem(database, async (client) => {
    const tiles = new Map<string, Uint8Array>()
    for (const tile of edgeOf(size)) tiles.set(tilePath(tile), await edgeTile(client, tile))
    return readEdge(size, (tile) => tiles.get(tilePath(tile)) as Uint8Array)
  })
}

async function edgeTile(client: pg.ClientBase, { level, index, width }: Tile): Promise<Uint8Array> {
  const first = index * tile_width
  if (level === 'entries' || level === 0) {
    const entries = await readEntries(client, first, width)
    return level === 0 ? joinBytes(entries.map((entry) => leafHash(entry, sha256))) : bundleBytes(entries)
  }
  const { rows } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM ledger_tile WHERE level = $1 AND index >= $2 AND index < $2 + $3 ORDER BY index', [level - 1, first, width])
  if (rows.length !== width) throw new Error(`the ledger has ${rows.length} of ${width} tiles of level ${level - 1} from ${first} on`)
  return joinBytes(rows.map(({ bytes }) => subtreeHash(bytes, sha256)))
}

async function readEntries(client: pg.ClientBase, first: number, count: number): Promise<Uint8Array[]> {
  const { rows } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM ledger_entry WHERE index >= $1 AND index < $1 + $2 ORDER BY index', [first, count])
  if (rows.length !== count) throw new Error(`the ledger has ${rows.length} of ${count} entries from ${first} on`)
  return rows.map(({ bytes }) => bytes)
}

function bundleBytes(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = bundleOf(entries)
  if (!bundle.ok) throw new Error(bundle.error)
  return bundle.value
}

/** A full tile. @returns null where it is not there */
export async function readTile(database: Database, { level, index }: Tile): Promise<Uint8Array | null> {
  return asSystem(database, async (client) => {
    const { rows } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM ledger_tile WHERE level = $1 AND index = $2', [level, index])
    return rows[0]?.bytes ?? null
  })
}

/** Entries as a bundle of tlog-tiles. */
export const readBundleOf = (database: Database, { index, width }: Tile): Promise<Uint8Array> =>
  asSystem(database, async (client) => bundleBytes(await readEntries(client, index * tile_width, width)))

/** Which of these are there, and where. */
export async function readNames(client: pg.ClientBase, names: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: Buffer; index: number }>('SELECT name, index FROM ledger_entry WHERE name = ANY($1)', [names.map((name) => Buffer.from(name, 'hex'))])
  return new Map(rows.map(({ name, index }) => [name.toString('hex'), index]))
}

/** Adds entries and the tiles that became full; each index and each name once, by the table's constraints. */
export async function addEntries(client: pg.ClientBase, first: number, entries: readonly NewEntry[], files: readonly TileFile[], at: Date): Promise<void> {
  await client.query(
    `INSERT INTO ledger_entry (index, name, kind, bytes, carrier, key, at)
     SELECT $1 + nth - 1, name, kind, bytes, carrier, key, $7 FROM unnest($2::bytea[], $3::smallint[], $4::bytea[], $5::integer[], $6::bytea[]) WITH ORDINALITY AS given (name, kind, bytes, carrier, key, nth)`,
    [first, entries.map(({ name }) => Buffer.from(name, 'hex')), entries.map(({ kind }) => kind), entries.map(({ bytes }) => bytes), entries.map(({ carrier }) => carrier), entries.map(({ key }) => key), at],
  )
  const full = files.filter(({ tile }) => tile.level !== 'entries' && tile.width === tile_width)
  if (full.length === 0) return
  await client.query('INSERT INTO ledger_tile (level, index, bytes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])', [full.map(({ tile }) => tile.level), full.map(({ tile }) => tile.index), full.map(({ bytes }) => bytes)])
}

export const addCheckpoint = (database: Database, { size, note }: Shown): Promise<unknown> =>
  asSystem(database, (client) => client.query('INSERT INTO ledger_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING', [size, note]))

/** The first checkpoint that holds an entry. @returns null where none does yet */
export const readShown = (database: Database, index: number): Promise<Shown | null> =>
  asSystem(database, async (client) => (await client.query<Shown>('SELECT size, note FROM ledger_checkpoint WHERE size > $1 ORDER BY size LIMIT 1', [index])).rows[0] ?? null)
