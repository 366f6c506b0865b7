import { setTimeout as after } from 'node:timers/promises'
import { grow, type Edge, type TileFile } from '@kawal/core/ledger/growth.ts'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { consistencySpans, frontierOf, hashesOf, inclusionSpans, rootOf, type HashAt, type Span } from '@kawal/core/ledger/merkle.ts'
import { formatProof } from '@kawal/core/ledger/proof.ts'
import { hashFromTiles, tilePath, tilesOf, tile_width, type Tile } from '@kawal/core/ledger/tiles.ts'
import { FsyncFailed } from '../durable.ts'
import { sha256 } from './cryptography.ts'
import { SignerRefused, type LogSigner, type SignedTree } from './signer.ts'

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

/** What one transaction does with the log. */
export interface Writing {
  /** Which of these are there, and where. */
  names(names: readonly string[]): Promise<Map<string, number>>
  /** Adds entries and the tiles that became full. Each index and each name is there once: the transaction fails where one is there before. */
  add(first: number, entries: readonly NewEntry[], files: readonly TileFile[], at: Date): Promise<void>
}

/**
 * Where the log is kept. What resolved is on disk and outlives any stop; nothing is ever changed or taken out. A rejection says nothing of what is on disk: a
 * commit whose answer was lost may be there. Whoever asks reads what was committed when he asked.
 */
export interface LedgerStore<W extends Writing = Writing> {
  /** The right edge of all entries that are there. */
  edge(): Promise<Edge>
  /** One transaction: all of what `work` writes, or nothing where it rejects. */
  write<T>(work: (writing: W) => Promise<T>): Promise<T>
  /** Keeps a checkpoint; one of its size that is there stays. */
  show(shown: Shown): Promise<void>
  /** The first checkpoint that holds an entry. @returns null where none does yet */
  shownFor(index: number): Promise<Shown | null>
  /** A full tile of hashes, null where it is not there; or as many entries as asked for, as a bundle. */
  tile(tile: Tile): Promise<Uint8Array | null>
}

/** What is to go into the log because something else was written: it is told within the same transaction where each entry went. */
export interface Source<W extends Writing = Writing> {
  take(writing: W, max: number): Promise<NewEntry[]>
  /** @param first where the first of those that were taken went; the others follow */
  placed(writing: W, first: number): Promise<void>
}

/** Time as groups are paced by it, ms from anywhere. */
export interface Pace { now(): number; pause(ms: number): Promise<unknown> }
const realPace: Pace = { now: () => performance.now(), pause: (ms) => after(ms) }

interface LedgerNeeds<W extends Writing> {
  readonly store: LedgerStore<W>
  readonly signer: LogSigner
  readonly clock: () => number
  readonly sources?: readonly Source<W>[]
  readonly failed: (error: unknown) => void
  /** What is on disk cannot be told any more: the process is to end. */
  readonly fatal: (error: unknown) => void
  /** Groups begin this far apart while entries keep coming, ms; 40 without it. */
  readonly pace_ms?: number
  readonly pace?: Pace
}

interface Appended {
  readonly index: number
  /** False where an entry of this name was there before. */
  readonly isNew: boolean
}
interface Waiting { readonly entry: NewEntry; readonly done: (appended: Appended) => void; readonly failed: (error: unknown) => void }

const group_max = 1_024
const source_max = 512
const pace_ms = 40
/** Hashes of complete subtrees never change; 200,000 are some 30 MB. */
const nodes_max = 200_000
/** 8 KB each. */
const tiles_max = 1_024
/** What was shown lately is what receipts are asked of. */
const shown_max = 256

export type Ledger = Awaited<ReturnType<typeof openLedger>>

/**
 * The log as it grows: what comes while one group is being written goes into the next. An entry is answered for only when it
 * and its tiles are on disk, the tree that holds it is the signer's newest, and its checkpoint is on disk too.
 *
 * A stop between any two of these leaves nothing in doubt: entries on disk that no checkpoint covers yet are covered by the
 * next, and a tree that was swapped and not shown is signed again, to the same bytes.
 * @throws SignerRefused where the database is an older copy, or another, than what was signed
 */
export async function openLedger<W extends Writing>({ store, signer, clock, sources = [], failed, fatal, pace_ms: apart_ms = pace_ms, pace = realPace }: LedgerNeeds<W>) {
  let edge: Edge = await store.edge()
  const trees = createTrees(store, () => edge)
  /** After a refusal nothing more is signed: that needs people. */
  let refused: SignerRefused | null = null
  let newest: Shown = await takeUp()

  /** What was signed must be the beginning of what is here; what is here and not signed yet is signed now. */
  async function takeUp(): Promise<Shown> {
    const { size, root } = signer.newest()
    if (edge.size < size) throw new SignerRefused(`The database holds ${edge.size} entries of the ledger ${signer.key.name}, and ${size} were signed: it is an older copy. Put the newer one back, or its entries from a mirror; nothing is taken in before.`)
    if (!sameBytes(await trees.rootAt(size), root)) throw new SignerRefused(`The database holds other entries than the ${size} of the ledger ${signer.key.name} that were signed. Put the right one back.`)
    return show(await treeNow())
  }
  async function treeNow(): Promise<SignedTree> {
    return { size: edge.size, root: await trees.rootAt(edge.size) }
  }

  async function show(tree: SignedTree): Promise<Shown> {
    const shown = { size: tree.size, note: await signer.sign(signer.newest(), tree) }
    await store.show(shown).catch((error: unknown) => {
      // It may be kept all the same: then the receipts of what it holds are to be from it.
      trees.doubt()
      throw error
    })
    trees.shown(shown)
    return shown
  }

  /** One transaction: entries, the tiles that they fill, and what `work` does beside. */
  async function write(work: (writing: W, first: number) => Promise<{ readonly entries: readonly NewEntry[]; readonly placed?: () => Promise<void> }>): Promise<void> {
    const before = edge
    const grown = await store.write(async (writing) => {
      const { entries, placed } = await work(writing, before.size)
      if (entries.length === 0) return null
      const growth = grow(before, entries.map(({ bytes }) => bytes), sha256)
      if (!growth.ok) throw new Error(growth.error)
      await writing.add(before.size, entries, growth.value.files, new Date(clock()))
      await placed?.()
      return growth.value
    }).catch(async (error: unknown) => {
      // A commit whose answer was lost may be on disk all the same.
      edge = await store.edge()
      throw error
    })
    if (grown !== null) {
      trees.grown(grown.files)
      ;({ edge } = grown)
    }
    if (edge.size > newest.size) newest = await show(await treeNow())
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    const placed = new Map<string, Appended>()
    await write(async (writing, first) => {
      for (const [name, index] of await writing.names(group.map(({ entry }) => entry.name))) placed.set(name, { index, isNew: false })
      const entries: NewEntry[] = []
      for (const { entry } of group) {
        if (placed.has(entry.name)) continue
        placed.set(entry.name, { index: first + entries.length, isNew: true })
        entries.push(entry)
      }
      return { entries }
    })
    for (const { entry, done } of group) done(placed.get(entry.name) as Appended)
  }

  /** By themselves: what is wrong with one of them holds up no record. */
  async function commitSources(): Promise<void> {
    for (const source of sources) await tried(() => write(async (writing, first) => {
      const entries = await source.take(writing, source_max)
      return { entries, placed: () => source.placed(writing, first) }
    }))
  }

  /** @returns why it failed; null when it did not */
  async function tried(work: () => Promise<void>): Promise<unknown> {
    try {
      if (refused !== null) throw refused
      await work()
      return null
    } catch (error) {
      if (error instanceof FsyncFailed) fatal(error)
      if (error instanceof SignerRefused) refused = error
      failed(error)
      return error
    }
  }

  const queue = createQueue(pace, apart_ms, async (group) => {
    const error = await tried(() => commit(group))
    if (error !== null) for (const each of group) each.failed(error)
  }, commitSources)
  return {
    key: signer.key,
    /** Of the newest checkpoint. */
    size: (): number => newest.size,
    /** The newest checkpoint, signed. */
    checkpoint: (): string => newest.note,
    /** Resolves when a signed checkpoint holds the entry. */
    append: queue.append,
    /** An entry's receipt, as a tlog-proof: of one entry always the same. @returns null where no checkpoint holds it */
    receipt: (index: number): Promise<string | null> => trees.receipt(index),
    /** An entry's proof in this checkpoint, which holds it, as a tlog-proof. */
    proofIn: trees.proofIn,
    /** That a checkpoint that was shown begins with the first `older` entries, which are 1 or more (RFC 6962, section 2.1.2). */
    consistency: (older: number, size: number): Promise<readonly Uint8Array[]> => trees.hashesOver(consistencySpans(older, size), size),
    /** @returns null for what the newest checkpoint does not cover */
    async tile(tile: Tile): Promise<Uint8Array | null> {
      const first = tile.index * tile_width + tile.width
      if (first * (tile.level === 'entries' ? 1 : tile_width ** tile.level) > newest.size) return null
      return tile.level === 'entries' ? store.tile(tile) : trees.bytesOf(tile)
    },
    /** Takes in what waits in the sources. */
    turn: queue.turn,
    idle: queue.idle,
  }
}

/** What comes while a group is being written goes into the next one. */
function createQueue(pace: Pace, apart_ms: number, commit: (group: readonly Waiting[]) => Promise<void>, commitSources: () => Promise<void>) {
  const waiting: Waiting[] = []
  let areSourcesDue = false
  let running: Promise<void> | null = null

  async function drain(): Promise<void> {
    while (waiting.length > 0 || areSourcesDue) {
      const began = pace.now()
      const group = waiting.splice(0, group_max)
      if (group.length > 0) await commit(group)
      if (areSourcesDue) {
        areSourcesDue = false
        await commitSources()
      }
      const rest = apart_ms - (pace.now() - began)
      if (rest > 0 && waiting.length > 0 && waiting.length < group_max) await pace.pause(rest)
    }
  }
  const run = (): Promise<void> => (running ??= drain().finally(() => {
    running = null
    // What came between the last look and here.
    if (waiting.length > 0 || areSourcesDue) void run()
  }))

  return {
    append: (entry: NewEntry): Promise<Appended> => new Promise((done, failed) => {
      waiting.push({ entry, done, failed })
      void run()
    }),
    turn(): Promise<void> {
      areSourcesDue = true
      return run()
    },
    idle: async (): Promise<void> => void (await running),
  }
}

/** Roots and proofs, from tiles that are kept in memory as far as they are asked for. */
function createTrees(store: LedgerStore, edgeNow: () => Edge) {
  const tiles = new Map<string, Uint8Array>()
  const nodes = new Map<number, Uint8Array>()
  const recent: Shown[] = []

  function keep(path: string, bytes: Uint8Array): void {
    if (tiles.size >= tiles_max) tiles.delete(tiles.keys().next().value as string)
    tiles.set(path, bytes)
  }
  const fullPath = (tile: Tile): string => tilePath({ ...tile, width: tile_width })

  /** A tile's bytes, or more of them. */
  async function bytesOf(tile: Tile): Promise<Uint8Array> {
    const edge = edgeNow()
    const level = tile.level as number
    if (Math.floor(edge.size / tile_width ** (level + 1)) === tile.index) return (edge.tiles[level] as Uint8Array).subarray(0, tile.width * 32)
    const path = fullPath(tile)
    let bytes = tiles.get(path)
    if (bytes === undefined) {
      const read = await store.tile({ ...tile, width: tile_width })
      if (read === null) throw new Error(`the ledger lacks ${path}`)
      keep(path, (bytes = read))
    }
    return tile.width === tile_width ? bytes : bytes.subarray(0, tile.width * 32)
  }

  /** Complete subtrees are remembered: of neighbours' proofs all but the lowest are the same. */
  async function hashesIn(size: number, wanted: readonly Tile[]): Promise<HashAt> {
    const held = new Map<string, Uint8Array>()
    for (const tile of wanted) held.set(fullPath(tile), await bytesOf(tile))
    const hashAt = hashFromTiles(size, (tile) => held.get(fullPath(tile)) as Uint8Array, sha256)
    return (level, index) => {
      const key = index * 64 + level
      const known = nodes.get(key)
      if (known !== undefined) return known
      const hash = hashAt(level, index)
      if (nodes.size >= nodes_max) nodes.clear()
      nodes.set(key, hash)
      return hash
    }
  }

  async function shownFor(index: number): Promise<Shown | null> {
    const [oldest] = recent
    if (oldest === undefined || oldest.size > index) return store.shownFor(index)
    return recent.find(({ size }) => size > index) ?? null
  }

  const hashesOver = async (spans: readonly Span[], size: number): Promise<Uint8Array[]> => hashesOf(spans, await hashesIn(size, tilesOf(spans, size)), sha256)
  const proofIn = async (index: number, { size, note }: Shown): Promise<string> => formatProof({ index, hashes: await hashesOver(inclusionSpans(index, size), size), extra: null, checkpoint: note })

  return {
    bytesOf,
    hashesOver,
    proofIn,
    grown(files: readonly { readonly tile: Tile; readonly bytes: Uint8Array }[]): void {
      for (const { tile, bytes } of files) if (tile.level !== 'entries' && tile.width === tile_width) keep(tilePath(tile), bytes)
    },
    shown(shown: Shown): void {
      recent.push(shown)
      if (recent.length > shown_max) recent.shift()
    },
    /** What was shown lately is not known for sure: it is read again. */
    doubt: (): void => void (recent.length = 0),
    async rootAt(size: number): Promise<Uint8Array> {
      const spans = size === 0 ? [] : [{ start: 0, end: size }]
      return rootOf(frontierOf(size, await hashesIn(size, tilesOf(spans, size))), sha256)
    },
    async receipt(index: number): Promise<string | null> {
      const shown = await shownFor(index)
      return shown === null ? null : proofIn(index, shown)
    },
  }
}
