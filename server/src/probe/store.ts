import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { thin, type Thinnable } from '@kawal/core/measurement/thin.ts'
import type { Sample } from '@kawal/contract/report.ts'
import { CommandFailure, exits } from '../cli/exits.ts'
import type { Spent } from './budget.ts'

/** A week of a report every five minutes. */
const waiting_max = 2_016

export interface Waiting extends Thinnable {
  readonly sample: Sample
}

/** What a probe knows of itself. Written whole, beside its place, and moved there: it is the old one or the new one. */
interface ProbeState {
  readonly version: 1
  readonly station: string
  readonly device: string | null
  readonly token: string | null
  /** Never given twice, also not to a sample that was lost: the platform tells reports apart by it. */
  readonly nextSequence: number
  readonly spent: Spent
  readonly lastThroughputAt: number | null
  /** Of the sample before: a change is kept when others are thinned out. */
  readonly lastWell: boolean | null
  readonly nextInterval_s: number | null
  readonly thinned: number
  /** The platform asked for a check at once, and there was none since. */
  readonly checkWanted: boolean
}

export interface Store {
  state(): ProbeState
  change(change: Partial<ProbeState>): void
  /** On disk when it returns. */
  keep(kind: 'routine' | 'kept', sample: Omit<Sample, 'sequence'>): Sample
  /** Oldest first. */
  waiting(): Waiting[]
  /** What a receipt says is kept, or known. */
  delivered(sequences: readonly number[]): void
  /** What the platform put into quarantine stays here too, beside the reason. */
  refused(sequence: number, reason: string): void
  close(): Promise<void>
}

/**
 * The probe's folder: `probe.json`, and in `waiting/` one file a sample. Every file is written beside its place,
 * synced and renamed, and the folder synced: a kill at any instant leaves it whole or not there. An error of the
 * disk ends the program.
 * @throws CommandFailure when the folder cannot be used, is another station's, or another probe runs on it
 */
export async function openStore(folder: string, station: string): Promise<Store> {
  const places = { waiting: join(folder, 'waiting'), refused: join(folder, 'refused') }
  try {
    for (const place of Object.values(places)) mkdirSync(place, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CommandFailure(exits.missing, `${folder} cannot be made or written: ${(error as Error).message}. Give another folder with --data.`)
  }
  const lock = await takeFolder(folder)
  try {
    return createStore(folder, places, readState(join(folder, 'probe.json'), station), lock)
  } catch (error) {
    lock.close()
    throw error
  }
}

function createStore(folder: string, places: { readonly waiting: string; readonly refused: string }, found: ProbeState, lock: Server): Store {
  let state = found
  // a name with a dot in front was never moved to its place: it was kept for nobody
  for (const place of [folder, ...Object.values(places)]) for (const name of readdirSync(place)) if (name.startsWith('.new-')) rmSync(join(place, name))
  const held = new Map<number, Waiting>()
  for (const name of readdirSync(places.waiting).sort()) {
    const read = readWaiting(join(places.waiting, name))
    if (read === null) renameSync(join(places.waiting, name), join(places.refused, `unreadable-${name}`))
    else held.set(read.sequence, read)
  }
  const change = (changed: Partial<ProbeState>): void => {
    state = { ...state, ...changed }
    writeWhole(folder, 'probe.json', JSON.stringify(state))
  }
  const nextSequence = Math.max(state.nextSequence, ...[...held.keys()].map((sequence) => sequence + 1))
  change({ nextSequence })
  const drop = (sequences: readonly number[]): void => {
    for (const sequence of sequences) if (held.delete(sequence)) rmSync(join(places.waiting, nameOf(sequence)), { force: true })
  }
  return {
    state: () => state,
    change,
    keep(kind, given) {
      const sample: Sample = { sequence: state.nextSequence, ...given }
      // the number is gone before the sample is there: killed in between, it is missing and not used twice
      change({ nextSequence: sample.sequence + 1 })
      const kept: Waiting = { sequence: sample.sequence, kind, sample }
      writeWhole(places.waiting, nameOf(sample.sequence), JSON.stringify(kept))
      held.set(sample.sequence, kept)
      const { drop: over } = thin([...held.values()], waiting_max)
      if (over.length > 0) {
        drop(over)
        change({ thinned: state.thinned + over.length })
      }
      return sample
    },
    waiting: () => [...held.values()],
    delivered: drop,
    refused(sequence, reason) {
      const sample = held.get(sequence)
      if (sample === undefined) return
      writeWhole(places.refused, nameOf(sequence), JSON.stringify({ ...sample, reason }))
      drop([sequence])
    },
    close: () => new Promise((resolve) => lock.close(() => resolve())),
  }
}

const nameOf = (sequence: number): string => `${String(sequence).padStart(10, '0')}.json`

/** An address of the system that ends with its process, however that ends: no lock is left over after a kill. */
async function takeFolder(folder: string): Promise<Server> {
  const lock = createServer()
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32)
  try {
    await new Promise<void>((resolve, reject) => lock.once('error', reject).listen(`\0kawal-probe-${name}`, resolve))
  } catch {
    throw new CommandFailure(exits.refused, `Another kawal probe runs on ${folder}. Stop it, or give another folder with --data.`)
  }
  lock.unref()
  return lock
}

function readState(file: string, station: string): ProbeState {
  const fresh: ProbeState = { version: 1, station, device: null, token: null, nextSequence: 1, spent: { day: '', bytes: 0 }, lastThroughputAt: null, lastWell: null, nextInterval_s: null, thinned: 0, checkWanted: false }
  if (!existsSync(file)) return fresh
  let read: Partial<ProbeState> | null = null
  try {
    read = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProbeState>
  } catch {
    read = null
  }
  if (read?.version !== 1 || typeof read.station !== 'string' || !Number.isSafeInteger(read.nextSequence)) throw new CommandFailure(exits.rejected, `${file} is not this program's, or is damaged. Move the folder away and start again: the probe enrols anew, and what waits in it is kept there.`)
  if (read.station !== station) throw new CommandFailure(exits.refused, `This folder is of station ${read.station}, not ${station}: ${file}. Give each station a folder of its own with --data.`)
  return { ...fresh, ...read }
}

function readWaiting(file: string): Waiting | null {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Waiting
    return Number.isSafeInteger(read.sequence) && read.sample.sequence === read.sequence ? read : null
  } catch {
    return null
  }
}

export function writeWhole(folder: string, name: string, text: string): void {
  const fresh = join(folder, `.new-${name}`)
  const file = openSync(fresh, 'w', 0o600)
  try {
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, join(folder, name))
  const place = openSync(folder, 'r')
  try {
    fsyncSync(place)
  } finally {
    closeSync(place)
  }
}
