import type { LiveDisturbance } from '@kawal/contract/live.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { DetectionInput, KeptDisturbance } from './store.ts'

/** What is ongoing, as a start takes it up: its last turn's number, and when it was first kept (RFC 3339). */
export interface Open extends KeptDisturbance { readonly turns: number; readonly since: string }

/** What detection was given, with the mark of the run that was given it. */
export type RecordedInput = DetectionInput & { readonly run: string }

interface Beginning {
  /** The first input that is replayed. */
  readonly input: number
  /** Of the start; ms since 1970. */
  readonly at: number
  /** Ongoing then, as far as that is known today. */
  readonly open: readonly Open[]
  /** The first hour, ms since 1970, of reports that are needed and gone. */
  readonly gone: { readonly from: number; readonly file: string | null } | null
}

const page_inputs = 2_000
const iso = (at: number): string => new Date(at).toISOString()

/**
 * The last start of the server at or before an instant at which nothing was ongoing; the first start of all where
 * there is none such.
 * @param again_ms reports of so long before a start are read again at it
 * @returns null where nothing is recorded before `to`
 */
export async function readBeginning(database: Database, from: number, to: number, again_ms: number): Promise<Beginning | null> {
  const { rows: runs } = await database.transaction(system, (client) => client.query<{ input: number; at: Date; resumed: boolean }>(
    "SELECT min(id) AS input, min(at) AS at, bool_or(kind = 'start') AS resumed FROM detection_input WHERE at < $1 GROUP BY run ORDER BY 1", [iso(to)]))
  let index = Math.max(0, runs.findLastIndex(({ at }) => at.getTime() <= from))
  for (; ; index--) {
    const run = runs[index]
    if (run === undefined) return null
    const at = run.at.getTime()
    const open = run.resumed ? await readOpen(database, at) : []
    if (index === 0 || open.length === 0) return { input: run.input, at, open, gone: await readGone(database, run.resumed ? at - again_ms : at, to) }
  }
}

/** What was ongoing at an instant, by its last turn before; without turns it is of a time when none were kept. */
async function readOpen(database: Database, at: number): Promise<Open[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ state: LiveDisturbance; devices: [number | string, string, string][]; turns: number; stage: LiveDisturbance['stage'] | null; since: Date }>(
    `SELECT d.state, d.devices, d.found_at AS since, last.stage, coalesce(last.number, 0) AS turns
     FROM disturbance d LEFT JOIN LATERAL (SELECT number, state->>'stage' AS stage FROM disturbance_turn WHERE disturbance_id = d.id AND at < $1 ORDER BY number DESC LIMIT 1) AS last ON true
     WHERE d.found_at < $1 AND CASE WHEN last.stage IS NULL THEN d.ended_at IS NULL OR d.ended_at >= $1 ELSE last.stage NOT IN ('ended', 'retracted') END
     ORDER BY d.found_at, d.id`, [iso(at)]))
  return rows.map(({ state, devices, turns, stage, since }) => ({
    row: { ...state, stage: stage ?? 'confirmed', endedAt: null }, turns, since: since.toISOString(),
    devices: devices.filter(([device]) => Number.isSafeInteger(Number(device))).map(([device, station, operator]) => ({ device: Number(device), station, operator })),
  }))
}

async function readGone(database: Database, from: number, to: number): Promise<Beginning['gone']> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ from: Date; file: string | null }>(
    "SELECT sealed_from AS from, file FROM segment_gone WHERE sealed_from + interval '1 hour' > $1 AND sealed_from < $2 ORDER BY 1 LIMIT 1", [iso(from), iso(to)]))
  return row === undefined ? null : { from: row.from.getTime(), file: row.file }
}

/** Inputs in the order in which detection took them, from one on and of instants before `to`. */
export async function* readRecord(database: Database, first: number, to: number): AsyncGenerator<RecordedInput> {
  for (let next = first; ; ) {
    const { rows } = await database.transaction(system, (client) => client.query<{ id: number; run: string; at: Date; kind: string; segment: number | null; body: unknown }>(
      `SELECT id, run, at, kind, segment, body FROM detection_input WHERE id >= $1 AND at < $2 ORDER BY id LIMIT ${page_inputs}`, [next, iso(to)]))
    for (const { id, at, ...row } of rows) {
      yield { ...row, at: at.getTime() } as RecordedInput
      next = id + 1
    }
    if (rows.length < page_inputs) return
  }
}
