import type pg from 'pg'
import { readEdge, type Edge, type TileFile } from '@kawal/core/ledger/growth.ts'
import { bundleOf } from '@kawal/core/ledger/bundle.ts'
import { joinBytes } from '@kawal/core/ledger/bytes.ts'
import { leafHash } from '@kawal/core/ledger/merkle.ts'
import { edgeOf, subtreeHash, tilePath, tile_width, type Tile } from '@kawal/core/ledger/tiles.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from './cryptography.ts'
import type { LedgerStore, NewEntry, Shown, Writing } from './ledger.ts'
import type { Witnessed, WitnessedStore } from './witnessing.ts'

/** A transaction that also what has a table of its own may write in. */
export interface DatabaseWriting extends Writing { readonly client: pg.ClientBase }

/** Which log: its tables are `ledger_entry`, `ledger_tile` and `ledger_checkpoint`, or the same of acts. */
export type LogTables = 'ledger' | 'act_log'

/** A log in the database. */
export function createLedgerStore(database: Database, log: LogTables = 'ledger'): LedgerStore<DatabaseWriting> {
  const asSystem = <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> => database.transaction(system, work)
  return {
    edge: () => asSystem(async (client) => loadEdge(client, log, await readSize(client, log))),
    write: (work) => asSystem((client) => work({ client, names: (names) => readNames(client, log, names), add: (first, entries, files, at) => addEntries(client, log, first, entries, files, at) })),
    show: ({ size, note }) => asSystem(async (client) => void (await client.query(`INSERT INTO ${log}_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [size, note]))),
    shownFor: (index) => asSystem(async (client) => (await client.query<Shown>(`SELECT size, note FROM ${log}_checkpoint WHERE size > $1 ORDER BY size LIMIT 1`, [index])).rows[0] ?? null),
    tile: (tile) => asSystem(async (client) => (tile.level === 'entries' ? bundleBytes(await readEntries(client, log, tile.index * tile_width, tile.width)) : readTile(client, log, tile))),
  }
}

/** Whether the database holds no entry yet. */
export const isLedgerEmpty = (database: Database, log: LogTables = 'ledger'): Promise<boolean> => database.transaction(system, async (client) => (await readSize(client, log)) === 0)

const readSize = async (client: pg.ClientBase, log: LogTables): Promise<number> => (await client.query<{ size: number }>(`SELECT coalesce(max(index) + 1, 0) AS size FROM ${log}_entry`)).rows[0]?.size ?? 0

/** From the entries and the full tiles below the right edge. */
async function loadEdge(client: pg.ClientBase, log: LogTables, size: number): Promise<Edge> {
  const tiles = new Map<string, Uint8Array>()
  for (const tile of edgeOf(size)) tiles.set(tilePath(tile), await edgeTile(client, log, tile))
  return readEdge(size, (tile) => tiles.get(tilePath(tile)) as Uint8Array)
}

async function edgeTile(client: pg.ClientBase, log: LogTables, { level, index, width }: Tile): Promise<Uint8Array> {
  const first = index * tile_width
  if (level === 'entries' || level === 0) {
    const entries = await readEntries(client, log, first, width)
    return level === 0 ? joinBytes(entries.map((entry) => leafHash(entry, sha256))) : bundleBytes(entries)
  }
  const { rows } = await client.query<{ bytes: Buffer }>(`SELECT bytes FROM ${log}_tile WHERE level = $1 AND index >= $2 AND index < $2 + $3 ORDER BY index`, [level - 1, first, width])
  if (rows.length !== width) throw new Error(`the ledger has ${rows.length} of ${width} tiles of level ${level - 1} from ${first} on`)
  return joinBytes(rows.map(({ bytes }) => subtreeHash(bytes, sha256)))
}

async function readEntries(client: pg.ClientBase, log: LogTables, first: number, count: number): Promise<Uint8Array[]> {
  const { rows } = await client.query<{ bytes: Buffer }>(`SELECT bytes FROM ${log}_entry WHERE index >= $1 AND index < $1 + $2 ORDER BY index`, [first, count])
  if (rows.length !== count) throw new Error(`the ledger has ${rows.length} of ${count} entries from ${first} on`)
  return rows.map(({ bytes }) => bytes)
}

function bundleBytes(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = bundleOf(entries)
  if (!bundle.ok) throw new Error(bundle.error)
  return bundle.value
}

async function readTile(client: pg.ClientBase, log: LogTables, { level, index }: Tile): Promise<Uint8Array | null> {
  const { rows } = await client.query<{ bytes: Buffer }>(`SELECT bytes FROM ${log}_tile WHERE level = $1 AND index = $2`, [level, index])
  return rows[0]?.bytes ?? null
}

async function readNames(client: pg.ClientBase, log: LogTables, names: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: Buffer; index: number }>(`SELECT name, index FROM ${log}_entry WHERE name = ANY($1)`, [names.map((name) => Buffer.from(name, 'hex'))])
  return new Map(rows.map(({ name, index }) => [name.toString('hex'), index]))
}

/** Each index and each name once, by the table's constraints. */
async function addEntries(client: pg.ClientBase, log: LogTables, first: number, entries: readonly NewEntry[], files: readonly TileFile[], at: Date): Promise<void> {
  await client.query(
    `INSERT INTO ${log}_entry (index, name, kind, bytes, carrier, key, at)
     SELECT $1 + nth - 1, name, kind, bytes, carrier, key, $7 FROM unnest($2::bytea[], $3::smallint[], $4::bytea[], $5::integer[], $6::bytea[]) WITH ORDINALITY AS given (name, kind, bytes, carrier, key, nth)`,
    [first, entries.map(({ name }) => Buffer.from(name, 'hex')), entries.map(({ kind }) => kind), entries.map(({ bytes }) => bytes), entries.map(({ carrier }) => carrier), entries.map(({ key }) => key), at],
  )
  const full = files.filter(({ tile }) => tile.level !== 'entries' && tile.width === tile_width)
  if (full.length === 0) return
  await client.query(`INSERT INTO ${log}_tile (level, index, bytes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])`, [full.map(({ tile }) => tile.level), full.map(({ tile }) => tile.index), full.map(({ bytes }) => bytes)])
}

/** Checkpoints of one log that a quorum of one policy has seen, in the database. */
export const witnessedIn = (database: Database) => (log: string, policy: Uint8Array): WitnessedStore => {
  const read = async (which: string, values: readonly unknown[]): Promise<Witnessed | null> => {
    const { rows } = await database.transaction(system, (client) => client.query<Shown & { at: Date }>(`SELECT size, note, at FROM ledger_witnessed WHERE log = $1 AND policy = $2 ${which} LIMIT 1`, [log, policy, ...values]))
    const [row] = rows
    return row === undefined ? null : { ...row, at: row.at.getTime() }
  }
  return {
    keep: ({ size, note, at }) => database.transaction(system, async (client) => void (await client.query('INSERT INTO ledger_witnessed (log, policy, size, note, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING', [log, policy, size, note, new Date(at)]))),
    first: (index) => read('AND size > $3 ORDER BY size', [index]),
    newest: () => read('ORDER BY size DESC', []),
  }
}
