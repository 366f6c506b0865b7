import { readEdge } from '@kawal/core/ledger/growth.ts'
import { bundleOf } from '@kawal/core/ledger/bundle.ts'
import { joinBytes } from '@kawal/core/ledger/bytes.ts'
import { leafHash } from '@kawal/core/ledger/merkle.ts'
import { subtreeHash, tilePath, tile_width, type Tile } from '@kawal/core/ledger/tiles.ts'
import type { Photo } from '@kawal/core/recap/photo.ts'
import { entryKind, writeEntry, type Entry } from '@kawal/core/recap/entry.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import type { LedgerStore, NewEntry, Shown, Source, Writing } from '@kawal/server/src/ledger/ledger.ts'
import type { Io } from './world.ts'

export interface EntryRow extends NewEntry { readonly index: number; readonly at: number }
interface RecapRow { readonly hash: Buffer; readonly entry: number; readonly photos: Buffer | null; readonly reason: string | null; readonly detail: string | null; readonly judgedAt: number; readonly delivered: boolean; readonly nextTryAt: number | null }
export interface DeviceRow { readonly key: number; readonly id: string; readonly station: string; readonly publicKey: Buffer; readonly kid: string; readonly enrolledAt: number; readonly entry: number | null }
interface DeliveryRow { readonly hash: Buffer; readonly status: number; readonly answer: Buffer; readonly at: number; readonly entry: number | null }
export interface CarriedRow { readonly hash: string; readonly list: string; readonly receipt: string | null; readonly refused: string | null; readonly listed: boolean }

/**
 * What PostgreSQL holds of recaps, in memory: rows are never changed, and another is put in their place. What was committed outlives every stop. Transactions read
 * what was committed when they ask and write all at their end (READ COMMITTED); locks of rows and their waiting are left out.
 */
export interface Tables {
  readonly stations: Set<string>
  readonly entries: EntryRow[]
  readonly byName: Map<string, EntryRow>
  readonly tiles: Map<string, Uint8Array>
  /** In the order of their sizes. */
  readonly checkpoints: Shown[]
  /** By the hash of the record. */
  readonly recaps: Map<string, RecapRow>
  readonly deliveries: Map<string, DeliveryRow>
  readonly devices: DeviceRow[]
  readonly lists: Map<string, { readonly bytes: Buffer; readonly photos: readonly Photo[] }>
  /** By hash and size: when the whole of it was here. */
  readonly photos: Map<string, number | null>
  readonly carried: Map<string, CarriedRow>
  readonly sent: Map<string, number>
  /** The last entry that was judged. */
  judged: number
}

export const createTables = (stations: Iterable<string> = []): Tables => ({
  stations: new Set(stations), entries: [], byName: new Map(), tiles: new Map(), checkpoints: [], recaps: new Map(), deliveries: new Map(), devices: [], lists: new Map(), photos: new Map(), carried: new Map(), sent: new Map(), judged: -1,
})

/** As they are now: what an older copy is put back from. */
export const copyOf = (tables: Tables): Tables => ({
  stations: new Set(tables.stations), entries: [...tables.entries], byName: new Map(tables.byName), tiles: new Map(tables.tiles), checkpoints: [...tables.checkpoints], recaps: new Map(tables.recaps),
  deliveries: new Map(tables.deliveries), devices: [...tables.devices], lists: new Map(tables.lists), photos: new Map(tables.photos), carried: new Map(tables.carried), sent: new Map(tables.sent), judged: tables.judged,
})

/** A constraint does not hold: nothing of the transaction is written. */
const violated = (what: string): Error => Object.assign(new Error(`duplicate key value violates unique constraint "${what}"`), { code: '23505' })

/** A transaction: what it is to write, done at its end. */
interface TableWriting extends Writing { readonly atCommit: (work: () => void) => void }

/** A transaction over the tables. @param checks throw where a constraint does not hold, before anything is written */
export async function transact<W, T>(io: Io, begin: (write: (work: () => void) => void, check: (work: () => void) => void) => W, work: (writing: W) => Promise<T>): Promise<T> {
  const [checks, writes]: [(() => void)[], (() => void)[]] = [[], []]
  const value = await work(begin((each) => void writes.push(each), (each) => void checks.push(each)))
  if (writes.length > 0) await io.change(() => {
    for (const check of checks) check()
    for (const write of writes) write()
  })
  return value
}

const hashTile = (tables: Tables, { level, index }: Tile): Uint8Array | null => tables.tiles.get(tilePath({ level, index, width: tile_width })) ?? null

function bytesOf(tables: Tables, first: number, count: number): Uint8Array[] {
  const rows = tables.entries.slice(first, first + count)
  if (rows.length !== count) throw new Error(`the ledger has ${rows.length} of ${count} entries from ${first} on`)
  return rows.map(({ bytes }) => bytes)
}

function bundleBytes(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = bundleOf(entries)
  if (!bundle.ok) throw new Error(bundle.error)
  return bundle.value
}

function edgeTile(tables: Tables, { level, index, width }: Tile): Uint8Array {
  if (level === 'entries') return bundleBytes(bytesOf(tables, index * tile_width, width))
  if (level === 0) return joinBytes(bytesOf(tables, index * tile_width, width).map((entry) => leafHash(entry, sha256)))
  return joinBytes(Array.from({ length: width }, (_, nth) => {
    const below = hashTile(tables, { level: level - 1, index: index * tile_width + nth, width: tile_width })
    if (below === null) throw new Error(`the ledger lacks a tile of level ${level - 1}`)
    return subtreeHash(below, sha256)
  }))
}

export function ledgerStoreOf(tables: Tables, io: Io): LedgerStore<TableWriting> {
  return {
    edge: () => io.look(() => readEdge(tables.entries.length, (tile) => edgeTile(tables, tile))),
    write: (work) => transact(io, (write, check): TableWriting => ({
      atCommit: write,
      names: (names) => io.look(() => new Map(names.flatMap((name) => {
        const row = tables.byName.get(name)
        return row === undefined ? [] : [[name, row.index] as const]
      }))),
      add(first, entries, files, at) {
        const rows = entries.map((entry, nth): EntryRow => ({ ...entry, index: first + nth, at: at.getTime() }))
        check(() => {
          if (tables.entries.length !== first) throw violated('ledger_entry_pkey')
          if (new Set(rows.map(({ name }) => name)).size < rows.length || rows.some(({ name }) => tables.byName.has(name))) throw violated('ledger_entry_name_key')
        })
        write(() => {
          for (const row of rows) {
            tables.entries.push(row)
            tables.byName.set(row.name, row)
          }
          for (const { tile, bytes } of files) if (tile.level !== 'entries' && tile.width === tile_width) tables.tiles.set(tilePath(tile), bytes)
        })
        return Promise.resolve()
      },
    }), work),
    show: (shown) => io.change(() => {
      if (tables.checkpoints.some(({ size }) => size === shown.size)) return
      tables.checkpoints.push(shown)
      tables.checkpoints.sort((one, other) => one.size - other.size)
    }),
    shownFor: (index) => io.look(() => tables.checkpoints.find(({ size }) => size > index) ?? null),
    tile: (tile) => io.look(() => (tile.level === 'entries' ? bundleBytes(bytesOf(tables, tile.index * tile_width, tile.width)) : hashTile(tables, tile))),
  }
}

/** Enrolments and what the receiver answered, as `createSources` has them. */
export const sourcesOf = (tables: Tables, io: Io): readonly Source<TableWriting>[] => [
  source(io, () => tables.devices.filter(({ entry }) => entry === null), ({ id, station, publicKey, enrolledAt }) => ({ kind: 'enrolment', device: Buffer.from(id.replaceAll('-', ''), 'hex'), station, publicKey, at: enrolledAt }),
    (row, entry) => void (tables.devices[tables.devices.findIndex(({ key }) => key === row.key)] = { ...row, entry })),
  source(io, () => [...tables.deliveries.values()].filter(({ entry }) => entry === null), ({ hash, status, answer, at }) => ({ kind: 'delivery', recap: hash, status, answer: sha256(answer), at }),
    (row, entry) => void tables.deliveries.set(row.hash.toString('hex'), { ...row, entry })),
]

function source<Row extends object>(io: Io, rows: () => Row[], entryOf: (row: Row) => Entry, place: (row: Row, entry: number) => void): Source<TableWriting> {
  let taken: Row[] = []
  return {
    take: (_, max) => io.look(() => {
      taken = rows().slice(0, max)
      return taken.map((row): NewEntry => {
        const entry = entryOf(row)
        const bytes = writeEntry(entry)
        return { name: Buffer.from(sha256(bytes)).toString('hex'), kind: entryKind(entry), bytes, carrier: 'key' in row ? row.key as number : null, key: null }
      })
    }),
    placed(writing, first) {
      for (const [nth, row] of taken.entries()) writing.atCommit(() => place(row, first + nth))
      return Promise.resolve()
    },
  }
}
