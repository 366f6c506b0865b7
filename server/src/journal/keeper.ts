import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Database } from '../adapters/postgres/database.ts'
import { createChunks } from './chunks.ts'
import { createCounts } from './counts.ts'
import { openJournal, type Commit, type PlanningRow, type QuarantinedRow } from './journal.ts'
import { createPace } from './pace.ts'
import { createPlanningQueue } from './planning-queue.ts'
import type { Drained } from './rollup.ts'
import { clearDraft, createDraft, draft_reports_max, encodeSegment, type Columns, type Draft, type Segment } from './segment.ts'
import { createSequences, type Sequences } from './sequences.ts'

export interface KeeperNeeds {
  readonly database: Database
  /** ms since 1970. */
  readonly clock: () => number
  /** ms of a clock that nobody sets; this process's own without it. */
  readonly now?: () => number
  /** Called after the commit, in commit order, with what is new and the segment that holds it; the arrays are used again afterwards. */
  readonly kept: (reports: Columns, segment: number) => void
  readonly failed: (error: unknown) => void
  readonly limits?: Partial<typeof limits>
}

/** What is gathered for one commit. */
export interface Group {
  /** Of the segment that it becomes. */
  readonly id: number
  readonly draft: Draft
  readonly quarantined: QuarantinedRow[]
  /** Called with null when all of it is on disk, or with why it is not. */
  readonly settled: ((error: unknown) => void)[]
}
interface Sealed { readonly group: Group; readonly commit: Commit; readonly drained: Drained | null }

export const limits = {
  /** See pace.ts. */
  pace_ms: 25,
  paced_from_per_s: 2_000,
  paced_reports_max: 4_096,
  /** One of some 88 chunks of a nation is written each time so many reports came: 9 million are read again at a start. */
  chunk_reports: 100_000,
  /** What has changed is written within this time and a little, however few came: partitions can only go when nobody would still read them. */
  chunk_ms: 3_600_000,
  /** Rows for planning, and in how long. */
  planning_rows_max: 200,
  planning_ms: 1_000,
  cells_max: 1_048_576,
  /** Rows of quarantine in one commit, and those of one batch more. */
  quarantined_max: 4_000,
}
const turn_ms = 1_000

/**
 * Keeps reports by group commit: what arrives while one is being written to disk goes into the next. What is known of
 * the reports on disk stands in memory, ahead of the disk by what waits; when a commit fails, all that waits fails
 * with it, and memory is made anew from the disk.
 */
export async function openKeeper(needs: KeeperNeeds) {
  const { clock } = needs
  const max: typeof limits = { ...limits, ...needs.limits }
  const journal = await openJournal(needs.database, clock)
  const counts = createCounts({ database: needs.database, clock, cells_max: max.cells_max, turn: nextTurn, failed: (error) => fail(error) })
  const planning = createPlanningQueue({ clock, rows_max: max.planning_rows_max, ms: max.planning_ms })
  const chunks = createChunks({ clock, reports_max: max.chunk_reports, ms: max.chunk_ms })
  const pace = createPace({ ...max, now: needs.now ?? (() => performance.now()) })
  const drafts: Draft[] = []
  let sequences = createSequences()
  let nextSegment = 1
  const begin = (): Group => ({ id: nextSegment, draft: drafts.pop() ?? createDraft(), quarantined: [], settled: [] })
  let group = begin()
  let sealed: Sealed[] = []
  let trouble: unknown = null
  let running: Promise<void> | null = null
  /** The last segment that was handed on; what is there at a start was handed on before. */
  let told = Infinity

  async function load(): Promise<void> {
    counts.reset()
    const missed: Segment[] = []
    const known = await journal.load(counts.rollup(), counts.put, (segment) => void (segment.id > told && missed.push(segment)))
    ;({ sequences, nextSegment } = known)
    // On disk though its commit broke before it was answered: whoever sent it will hear that it is there.
    for (const segment of missed) handOn(segment, segment.id, needs)
    told = nextSegment - 1
    planning.clear()
    chunks.reset()
    ;[sealed, group, trouble] = [[], begin(), null]
  }
  /** All that waits fails with one: what is in memory can no longer be told from what is on disk. */
  function lose(error: unknown, first: readonly Sealed[]): void {
    trouble = error ?? new Error('nothing could be kept')
    const lost = [...first, ...sealed].map((each) => each.group).concat(group)
    ;[sealed, group] = [[], begin()]
    for (const { settled } of lost) for (const each of settled) each(trouble)
  }
  const fail = (error: unknown): void => (needs.failed(error), lose(error, []))
  /** From here on the group takes nothing more: memory holds exactly what is on disk when this one is. */
  function seal(): void {
    const { draft, draft: { count }, quarantined } = group
    counts.rollup().addAll(draft)
    if (count > 0) nextSegment++
    const chunk = chunks.isDue(sequences, count, nextSegment - 1) ? chunks.next(sequences, nextSegment - 1) : null
    const segment = count === 0 ? null : { bytes: encodeSegment(draft), reports: count, ...span(draft) }
    // A chunk says which rows for planning were kept: they go with it.
    sealed.push({ group, drained: count > 0 && counts.rollup().lost() === 0 ? counts.takeDue(clock()) : null, commit: { segment, quarantined, planning: planning.take(chunk !== null || !pace.isPaced()), chunk } })
    group = begin()
  }
  const isWaiting = (): boolean => sealed.length > 0 || group.settled.length > 0
  async function drain(): Promise<void> {
    while (trouble === null && isWaiting()) {
      if (counts.rollup().lost() > 0) fail(new Error('more was counted than there is room for: the counts are made again from the journal'))
      if (trouble !== null) break
      // Counts come faster than they are written: who sends waits. Where writing failed memory is ahead of the disk, and nothing may be sealed.
      if (sealed.length === 0 && counts.rollup().isCrowded() && (await counts.makeRoom(() => (sealed.length === 0 ? nextSegment - 1 : null)), trouble !== null)) break
      if (sealed.length === 0) seal()
      const next = sealed.shift() as Sealed
      try {
        await journal.commit(next.group.id, next.commit)
      } catch (error) {
        lose(error, [next])
        break
      }
      tell(next.group, needs)
      if (next.commit.segment !== null) told = next.group.id
      drafts.push(next.group.draft)
      if (next.drained !== null) counts.write(next.drained, next.group.id)
      if (sealed.length === 0) await pace.gather(() => (sealed.length > 0 ? Infinity : group.draft.count))
    }
    running = null
    if (trouble !== null) void turn()
  }
  /** What nobody asks for: a start anew after trouble, and what is due though nothing comes. */
  async function turn(): Promise<void> {
    if (running !== null || counts.isWriting()) return
    if (trouble !== null) return void (await (running = load().catch(needs.failed).finally(() => (running = null))))
    if (isWaiting()) return
    const drained = counts.takeDue(clock())
    if (drained !== null) counts.write(drained, nextSegment - 1)
    if (!chunks.isDue(sequences, 0, nextSegment - 1)) return
    running = keepChunk().finally(() => (running = isWaiting() ? drain() : null))
    await running
  }
  /** A chunk and rows for planning by themselves. Nothing may wait: memory holds what is on disk. */
  const keepChunk = (): Promise<void> =>
    journal.commit(nextSegment, { segment: null, quarantined: [], planning: planning.take(true), chunk: chunks.next(sequences, nextSegment - 1) }).catch(fail)

  await load().catch((error: unknown) => (journal.close(), Promise.reject(error as Error)))
  const turning = setInterval(() => void turn(), turn_ms).unref()
  const idle = (): Promise<void> => (pace.cut(), Promise.resolve(running).then(() => counts.idle()))
  return {
    /** Where `reports` more go. Everything that is taken in goes in at once, and then `added` is called. @throws what went wrong with the last commit, while that lasts */
    open(reports: number): Group {
      if (trouble !== null) throw trouble
      if (group.draft.count + reports > draft_reports_max || group.quarantined.length >= max.quarantined_max) seal()
      return group
    },
    added(reports: number): void {
      running ??= drain()
      pace.came(reports, group.draft.count)
    },
    sequences: (): Sequences => sequences,
    hasPlanningRoom: planning.hasRoom,
    plan: (row: PlanningRow): void => planning.add(row),
    idle,
    /** Writes what is only in memory; a start without it takes longer, and knows the same. */
    async stop(): Promise<void> {
      clearInterval(turning)
      await idle()
      while (trouble === null && !(planning.isEmpty() && sequences.oldestDirty() < 0)) await keepChunk()
      const drained = trouble === null ? counts.takeAll(clock()) : null
      if (drained !== null) counts.write(drained, nextSegment - 1)
      await counts.idle()
      journal.close()
    },
  }
}

/** Tells of a group that is on disk; its draft is free then. */
function tell({ id, draft, settled }: Group, needs: KeeperNeeds): void {
  if (draft.count > 0) handOn(draft, id, needs)
  for (const each of settled) each(null)
  clearDraft(draft)
}

function handOn(reports: Columns, segment: number, needs: KeeperNeeds): void {
  try {
    needs.kept(reports, segment)
  } catch (error) {
    needs.failed(error) // it is on disk: whoever sent it must hear so
  }
}

function span({ receivedAt, count }: Columns): { from: number; to: number } {
  let [from, to] = [Infinity, -Infinity]
  for (let i = 0; i < count; i++) {
    from = Math.min(from, receivedAt[i] as number)
    to = Math.max(to, receivedAt[i] as number)
  }
  return { from, to }
}
