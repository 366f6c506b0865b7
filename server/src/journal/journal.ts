import { setTimeout as pause } from 'node:timers/promises'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type pg from 'pg'
import { system, type Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { readSegments } from './read.ts'
import type { Drained, Rollup } from './rollup.ts'
import type { Segment } from './segment.ts'
import { createSequences, type Sequences } from './sequences.ts'

/** A row that goes to disk in the same transaction as a segment. */
export interface QuarantinedRow { readonly device: number; readonly receivedAt: number; readonly code: string; readonly detail: string; readonly sha256: Buffer; readonly text: string }
/** A report that planning reads long after, as a row of `report`. Instants in ms since 1970; `eventAt` by the phone's clock. */
export interface PlanningRow {
  readonly device: number
  readonly sequence: number
  readonly station: string
  readonly eventAt: number
  readonly receivedAt: number
  readonly operator: string | null
  readonly sim: string | null
  readonly network: string | null
  readonly offset_ms: number
  readonly sample: string
}

/** What one group commit writes. */
export interface Commit {
  /** Null where every sample was a duplicate or went to quarantine. */
  readonly segment: { readonly bytes: Buffer; readonly reports: number; readonly from: number; readonly to: number } | null
  readonly quarantined: readonly QuarantinedRow[]
  readonly planning: readonly PlanningRow[]
  /** A chunk of `sequences` as it was when the segment was sealed, with what is on disk of all chunks then. */
  readonly chunk: { readonly index: number; readonly bytes: Buffer; readonly until: number } | null
}

type WriteRollup = (drained: Drained, until: number) => Promise<void>

/** What a start knows: the reports that are there, and the number of the next segment. */
interface Known { readonly sequences: Sequences; readonly nextSegment: number }

const lock = 5120
const lock_tries = 10
const lock_pause_ms = 100
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
const hour_ms = 3_600_000

/**
 * The one writer of a database's segments. `commit` resolves when everything of it is on disk, and rejects when nothing
 * is, or when that cannot be known; then `load` must be called before the next: what is on disk decides.
 */
export async function openJournal(database: Database, clock: () => number) {
  let client: pg.PoolClient | null = null
  let broken = false
  const made = new Set<number>()

  async function connect(): Promise<pg.PoolClient> {
    if (client !== null && !broken) return client
    client?.release(true)
    broken = false
    const fresh = await database.pool.connect()
    client = fresh
    fresh.on('error', () => (broken = true))
    await fresh.query("SELECT set_config('kawal.organisation', $1, false), set_config('kawal.role', $2, false)", [system.organisation, system.role])
    // A server that was killed a moment ago holds it until the database has noticed.
    for (let tries = 0; tries < lock_tries; tries++) {
      const { rows } = await fresh.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [lock])
      if (rows[0]?.taken === true) return fresh
      await pause(lock_pause_ms)
    }
    fresh.release(true)
    client = null
    throw new ProblemError('state_conflict', 'Another server takes reports into this database already, and only one may: two would keep reports twice. Stop it, or give this one a database of its own.')
  }

  /** The hour's partitions, and ahead of time the next hour's. */
  async function partitions(on: pg.PoolClient, at: number): Promise<void> {
    for (const hour of [Math.floor(at / hour_ms), Math.floor(at / hour_ms) + 1]) {
      if (made.has(hour)) continue
      await on.query('SELECT kawal_journal_partitions($1)', [new Date(hour * hour_ms).toISOString()])
      if (made.size > 100) made.clear()
      made.add(hour)
    }
  }

  await connect()
  return {
    async commit(id: number, commit: Commit): Promise<void> {
      const on = await connect()
      const sealedAt = clock()
      const alone = commit.quarantined.length + commit.planning.length === 0 && commit.chunk === null
      try {
        await partitions(on, sealedAt)
        if (!alone) await on.query('BEGIN')
        if (commit.segment !== null) await insertSegment(on, id, sealedAt, commit.segment)
        await insertQuarantined(on, commit.quarantined)
        await insertPlanning(on, commit.planning)
        if (commit.chunk !== null) await writeChunk(on, commit.chunk)
        if (!alone) await on.query('COMMIT')
      } catch (error) {
        made.clear()
        await on.query('ROLLBACK').catch(() => (broken = true))
        throw error
      }
    },
    /** Reads what is on disk. Reports that are not counted yet go to `rollup`, and from there by `write` where they are too many; each segment that is read goes to `found`. */
    async load(rollup: Rollup, write: WriteRollup, found: (segment: Segment) => void): Promise<Known> {
      await connect()
      return load(database, rollup, write, found)
    },
    close(): void {
      // The connection ends, and its lock with it.
      client?.release(true)
      client = null
    },
  }
}

const iso = (at: number): string => new Date(at).toISOString()

/** One statement is one transaction and one way to the database: planned once, and the wall asked once. */
async function insertSegment(client: pg.PoolClient, id: number, sealedAt: number, { bytes, reports, from, to }: NonNullable<Commit['segment']>): Promise<void> {
  await client.query({ name: 'segment', text: 'INSERT INTO segment (id, sealed_at, received_from, received_to, reports, bytes) VALUES ($1, $2, $3, $4, $5, $6)', values: [id, iso(sealedAt), iso(from), iso(to), reports, bytes] })
}

async function insertQuarantined(client: pg.PoolClient, rows: readonly QuarantinedRow[]): Promise<void> {
  if (rows.length === 0) return
  await client.query(
    `INSERT INTO quarantine (device_key, received_at, code, detail, sample_sha256, sample)
     SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[])
     ON CONFLICT (device_key, sample_sha256) DO NOTHING`,
    [rows.map((row) => row.device), rows.map((row) => iso(row.receivedAt)), rows.map((row) => row.code), rows.map((row) => row.detail), rows.map((row) => row.sha256), rows.map((row) => row.text)])
}

async function insertPlanning(client: pg.PoolClient, rows: readonly PlanningRow[]): Promise<void> {
  if (rows.length === 0) return
  await client.query(
    `INSERT INTO report (device_key, sequence, station_code, event_at, received_at, operator_id, sim_operator_id, network_operator_id, sample, clock_offset_ms)
     SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::bigint[])
     ON CONFLICT (device_key, sequence) DO NOTHING`,
    [
      rows.map((row) => row.device), rows.map((row) => row.sequence), rows.map((row) => row.station), rows.map((row) => iso(row.eventAt)), rows.map((row) => iso(row.receivedAt)), rows.map((row) => row.operator),
      rows.map((row) => row.sim), rows.map((row) => row.network), rows.map((row) => row.sample), rows.map((row) => row.offset_ms),
    ])
}

async function writeChunk(client: pg.PoolClient, { index, bytes, until }: NonNullable<Commit['chunk']>): Promise<void> {
  await client.query('INSERT INTO sequence_chunk (chunk, bytes) VALUES ($1, $2) ON CONFLICT (chunk) DO UPDATE SET bytes = excluded.bytes', [index, zstdCompressSync(bytes, fast)])
  await client.query('UPDATE journal_mark SET sequences = $1', [until])
}

async function load(database: Database, rollup: Rollup, write: WriteRollup, found: (segment: Segment) => void): Promise<Known> {
  const sequences = createSequences()
  const marks = await database.transaction(system, async (client) => {
    const { rows: [mark] } = await client.query<{ sequences: number; rollup: number; last: number }>(
      'SELECT sequences, rollup, greatest(sequences, rollup, (SELECT max(id) FROM segment), (SELECT max(last_id) FROM segment_gone)) AS last FROM journal_mark')
    if (mark === undefined) throw new Error('a migrated database has its journal mark')
    const { rows: chunks } = await client.query<{ chunk: number }>('SELECT chunk FROM sequence_chunk ORDER BY chunk')
    for (const { chunk } of chunks) {
      const { rows: [row] } = await client.query<{ bytes: Buffer }>('SELECT bytes FROM sequence_chunk WHERE chunk = $1', [chunk])
      if (row !== undefined) sequences.read(chunk, zstdDecompressSync(row.bytes))
    }
    if (mark.sequences === 0) await readOlder(client, sequences)
    return mark
  })
  let { last } = marks
  for await (const segment of readSegments(database, { after: Math.min(marks.sequences, marks.rollup) })) {
    const fresh = segment.id > marks.sequences
    const uncounted = segment.id > marks.rollup
    for (let i = 0; i < segment.count; i++) {
      if (fresh) sequences.add(segment.device[i] as number, segment.sequence[i] as number, (segment.eventAt[i] as number) - (segment.ways[segment.way[i] as number]?.offset_ms ?? 0), segment.id)
    }
    if (uncounted) rollup.addAll(segment)
    if (rollup.isFull()) {
      const drained = rollup.drain()
      await write(drained, segment.id)
      drained.release()
    }
    last = Math.max(last, segment.id)
    found(segment)
  }
  return { sequences, nextSegment: last + 1 }
}

/** Reports that were kept as rows before there was a journal are there too. */
async function readOlder(client: pg.PoolClient, sequences: Sequences): Promise<void> {
  const page = 50_000
  for (let [device, sequence] = [0, 0]; ; ) {
    const { rows } = await client.query<{ device_key: number; sequence: number; event_at: Date }>(
      `SELECT device_key, sequence, event_at FROM report WHERE (device_key, sequence) > ($1, $2) ORDER BY device_key, sequence LIMIT ${page}`, [device, sequence])
    for (const row of rows) sequences.add(row.device_key, row.sequence, row.event_at.getTime(), 1)
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return
    ;[device, sequence] = [last.device_key, last.sequence]
  }
}
