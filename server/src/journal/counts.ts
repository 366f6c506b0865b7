import type { Database } from '../adapters/postgres/database.ts'
import { createRollup, window_ms, type Drained, type Rollup } from './rollup.ts'
import { writeRollup } from './write-rollup.ts'

interface CountsNeeds {
  readonly database: Database
  /** ms since 1970. */
  readonly clock: () => number
  readonly cells_max: number
  /** Lets others go on while much is looked at. */
  readonly turn: () => Promise<void>
  /** The counts that were taken out could not be written: they are on disk in the segments alone. */
  readonly failed: (error: unknown) => void
}

/** After the end of five minutes, for reports that are on their way. */
const straggle_ms = 30_000
const nextWindow = (now: number): number => (Math.floor((now - straggle_ms) / window_ms) + 1) * window_ms + straggle_ms

/** Takes counts out when their five minutes are over, and writes them beside the commits, one set after the other. */
export function createCounts({ database, clock, cells_max, turn, failed }: CountsNeeds) {
  let rollup = createRollup({ cells_max })
  let dueAt = nextWindow(clock())
  /** Some were taken out, and are not on disk yet: another set would be noted before them. */
  let taken = false
  let writing: Promise<void> | null = null

  const put = (drained: Drained, until: number): Promise<void> => writeRollup(database, drained, { until, now: clock(), turn })
  const takeDue = (now: number): Drained | null => (rollup.used() > 0 && (now >= dueAt || rollup.isFull()) ? take(now) : null)
  function write(drained: Drained, until: number): void {
    writing = put(drained, until).then(() => {
      taken = false
      drained.release()
    }, failed).finally(() => (writing = null))
  }
  function take(now: number): Drained | null {
    if (taken) return null
    taken = true
    dueAt = nextWindow(now)
    return rollup.drain()
  }
  return {
    rollup: (): Rollup => rollup,
    /** Counts nothing, from here on. */
    reset(): void {
      rollup = createRollup({ cells_max })
      dueAt = nextWindow(clock())
      taken = false
    },
    takeDue,
    takeAll: (now: number): Drained | null => (rollup.used() > 0 ? take(now) : null),
    /** On disk when it resolves, before anything is counted beyond `until`. */
    put,
    /** Writes what was taken, once every segment up to `until`, and none after it, is on disk and in what was taken. */
    write,
    /** Waits for the last set, and begins with the next. @param until as of `write`; null where not all that is counted is on disk */
    async makeRoom(until: () => number | null): Promise<void> {
      await writing
      const last = until()
      const drained = last === null ? null : takeDue(clock())
      if (drained !== null && last !== null) write(drained, last)
    },
    isWriting: (): boolean => writing !== null,
    idle: async (): Promise<void> => (await writing) ?? undefined,
  }
}
