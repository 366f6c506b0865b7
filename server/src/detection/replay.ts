import { isDeepStrictEqual } from 'node:util'
import { announceWork, clearAlarm, raiseAlarm, sweep as sweepState, withdrawWork } from '@kawal/core/detection/detector.ts'
import { isOngoing, type Turn } from '@kawal/core/detection/disturbance.ts'
import { forgive } from '@kawal/core/detection/national.ts'
import type { Finding } from '@kawal/core/detection/ongoing.ts'
import { adopt, hitDevices } from '@kawal/core/detection/resume.ts'
import { seconds, startDetection } from '@kawal/core/detection/state.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { readSegments } from '../journal/read.ts'
import type { Segment } from '../journal/segment.ts'
import { describer, type MonitorStation } from './describe.ts'
import { readBeginning, readRecord, type Open, type RecordedInput } from './record.ts'
import { createTaker } from './take.ts'

interface ReplayNeeds {
  readonly stations: readonly MonitorStation[]
  /** Organisations that a disturbance can concern, as the server knew them. */
  readonly organisations: ReadonlySet<string>
  readonly areaName: (code: string) => string
  /** Turns from this instant on and before the other, ms since 1970. */
  readonly from: number
  readonly to: number
  /** Told, in a sentence, of what makes a replay less than exact. */
  readonly told: (remark: string) => void
}

/** A turn as `disturbance_turn` holds it; `at` in ms since 1970, `state` as JSON brings it back. */
export interface ReplayedTurn {
  readonly id: string
  readonly number: number
  readonly at: number
  readonly turn: Turn
  readonly state: Readonly<Record<string, unknown>>
}

/** What the record alone does not suffice for, in a sentence. */
export class RecordIncomplete extends Error {}

/** As much as a server reads again at its start (`app.ts`). */
const again_ms = 90 * 60_000
/** What ended longer ago does not come back under its name. */
const over_ms = 3_600_000

/**
 * What detection did, made again from the stored reports and the record of what it was given besides: event for event
 * what the server wrote at the time, with the same ids. It begins at the last start of the server before `from` at which
 * nothing was ongoing, so that nothing has to be taken from what is known of it today.
 * @throws RecordIncomplete when reports are gone that detection had
 */
export async function* replay(database: Database, needs: ReplayNeeds): AsyncGenerator<ReplayedTurn> {
  const beginning = await readBeginning(database, needs.from, needs.to, again_ms)
  if (beginning === null) return
  const { gone, open } = beginning
  if (gone !== null) throw new RecordIncomplete(`Reports that were taken in at ${iso(gone.from)} are gone from the journal (${gone.file === null ? 'dropped' : `archived in ${gone.file}`}). A replay of this time needs every report since ${iso(beginning.at)}, when the server was started: ask for a time after a later start.`)
  if (open.length > 0) needs.told(`${open.length} disturbances were ongoing when the record begins: they are taken as they are known today, and what became of them may differ.`)
  let run: Run | null = null
  let segments = segmentsOf(database, -Infinity, 0)
  for await (const input of readRecord(database, beginning.input, needs.to)) {
    if (run === null || run.name !== input.run) {
      const before: readonly Open[] = run?.ongoing() ?? open
      run = createRun(needs, input.run, before)
      // A run that did not take up reads no older report: those that came since the last.
      segments = segmentsOf(database, -Infinity, segments.last())
    }
    if (input.kind === 'start') segments = segmentsOf(database, input.at - again_ms, 0)
    if (input.kind === 'start') run.takeUp()
    if (input.segment !== null) await segments.upTo(input.segment, run.take)
    for (const turn of run.input(input)) if (turn.at >= needs.from) yield turn
  }
}

const iso = (at: number): string => new Date(at).toISOString()

/** Segments in the order of their commits, up to each mark. @param since of arrival, ms since 1970 */
function segmentsOf(database: Database, since: number, after: number) {
  const open = (from: number): AsyncGenerator<Segment> => readSegments(database, { after: from, ...(since === -Infinity ? {} : { from: since }) })
  let reader = open(after)
  let last = after
  let isFirst = true
  let ahead: Segment | null = null
  async function next(): Promise<Segment | null> {
    const { value } = await reader.next() as { value?: Segment }
    if (value !== undefined) return value
    // What was kept since the last page was read.
    reader = open(last)
    return ((await reader.next()) as { value?: Segment }).value ?? null
  }
  return {
    last: (): number => last,
    async upTo(mark: number, take: (segment: Segment) => void): Promise<void> {
      while (last < mark) {
        ahead ??= await next()
        // Segments are numbered without a gap, and those that are read again at a start begin anywhere.
        if (ahead === null || ahead.id > mark || (!isFirst && ahead.id !== last + 1)) throw new RecordIncomplete(`Segment ${isFirst ? mark : last + 1} of the journal is missing: detection had it, and what it did cannot be made again.`)
        take(ahead)
        last = ahead.id
        isFirst = false
        ahead = null
      }
    },
  }
}

/** One run of the server, from its start to its end. */
type Run = ReturnType<typeof createRun>

function createRun(needs: ReplayNeeds, name: string, before: readonly Open[]) {
  const state = startDetection(needs.stations)
  const take = createTaker(state, needs.organisations)
  const describe = describer({ ...needs, run: name }, state)
  const kept = new Map<string, Open>()

  /** As the monitor notes it, so that what is kept is the same. */
  function note(finding: Finding, now: number): ReplayedTurn[] {
    const { turn, disturbance } = finding
    const id = describe.nameOf(disturbance.id)
    const known = kept.get(id)
    const { row, about } = describe.after(finding, known?.row, now)
    const turns = (known?.turns ?? 0) + (turn === null ? 0 : 1)
    kept.set(id, { row, turns, devices: isOngoing(row.stage) ? hitDevices(state, disturbance.id) : [], since: known?.since ?? row.foundAt ?? row.suspectedAt })
    if (turn === null) return []
    const { stations, impact: _, ...rest } = row
    return [{ id, number: turns, at: now, turn, state: JSON.parse(JSON.stringify({ ...rest, stations: stations.length, other: about })) as ReplayedTurn['state'] }]
  }
  function sweep(now: number): ReplayedTurn[] {
    const turns = sweepState(state, now).flatMap((finding) => note(finding, now))
    for (const [id, { row }] of kept) if (row.endedAt !== null && now - Date.parse(row.endedAt) > over_ms) kept.delete(id)
    return turns
  }
  return {
    name, take,
    /** What was ongoing stays so, until reports say otherwise. */
    takeUp(): void {
      for (const each of before) {
        const { startedAt, suspectedAt, foundAt } = each.row
        kept.set(each.row.id, each)
        describe.keepName(each.row.id)
        adopt(state, { ...each.row, isEverybody: each.row.isEverybody ?? false, startedAt: Date.parse(startedAt), suspectedAt: Date.parse(suspectedAt), foundAt: foundAt === null ? null : Date.parse(foundAt), endedAt: null }, each.devices)
      }
    },
    /** @returns the turns that a sweep made */
    input(input: RecordedInput): ReplayedTurn[] {
      switch (input.kind) {
        case 'start':
          if (state.heardAt_s > 0) forgive(state, state.heardAt_s, seconds(input.at))
          return []
        case 'sweep': return sweep(input.at)
        case 'alarm': raiseAlarm(state, input.body); return []
        case 'alarm_cleared': clearAlarm(state, input.body.id); return []
        case 'work': announceWork(state, input.body); return []
        case 'work_withdrawn': withdrawWork(state, input.body.id); return []
      }
    },
    /** In the order in which a start reads them. */
    ongoing: (): Open[] => [...kept.values()].filter(({ row }) => row.endedAt === null).sort((a, b) => Date.parse(a.since) - Date.parse(b.since) || (a.row.id < b.row.id ? -1 : 1)),
  }
}

/** The first turn that the replay and the record do not share. */
export interface ReplayDifference {
  readonly replayed: ReplayedTurn | null
  readonly recorded: ReplayedTurn | null
  /** Where both have the turn: what differs in it. */
  readonly fields: readonly string[]
}

/** Words and positions of the register: they may have changed since, and are no finding. */
const of_register = new Set(['areaName', 'latitude', 'longitude', 'voters'])

/** @returns null where they are the same, turn for turn */
export function firstDifference(replayed: readonly ReplayedTurn[], recorded: readonly ReplayedTurn[]): ReplayDifference | null {
  const [ours, theirs] = [replayed.toSorted(compareTurns), recorded.toSorted(compareTurns)]
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    const [our, their] = [ours[index] ?? null, theirs[index] ?? null]
    const order = our === null ? 1 : their === null ? -1 : compareTurns(our, their)
    if (order < 0) return { replayed: our, recorded: null, fields: [] }
    if (order > 0) return { replayed: null, recorded: their, fields: [] }
    const fields = our === null || their === null ? [] : fieldsApart(our, their)
    if (fields.length > 0) return { replayed: our, recorded: their, fields }
  }
  return null
}

const compareTurns = (a: ReplayedTurn, b: ReplayedTurn): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.number - b.number)

function fieldsApart(a: ReplayedTurn, b: ReplayedTurn): string[] {
  const names = new Set([...Object.keys(a.state), ...Object.keys(b.state)])
  return [...(a.turn === b.turn ? [] : ['turn']), ...[...names].filter((name) => !of_register.has(name) && !isDeepStrictEqual(a.state[name], b.state[name])).sort()]
}

/** What the server wrote at the time, of turns from an instant on and before another. */
export async function readRecordedTurns(database: Database, from: number, to: number): Promise<ReplayedTurn[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ id: string; number: number; at: Date; turn: Turn; state: ReplayedTurn['state'] }>(
    'SELECT disturbance_id AS id, number, at, turn, state FROM disturbance_turn WHERE at >= $1 AND at < $2', [iso(from), iso(to)]))
  return rows.map((row) => ({ ...row, at: row.at.getTime() }))
}
