import type { PlanningRow } from './journal.ts'

/** Rows for planning that wait for a commit to take them along: a bound in a second, however many reports come. */
export function createPlanningQueue({ clock, rows_max, ms }: { readonly clock: () => number; readonly rows_max: number; readonly ms: number }) {
  let rows: PlanningRow[] = []
  let counted = { rows: 0, since: -Infinity }
  let takenAt = -Infinity
  // a clock that is set back must not hold rows up
  const isOver = (since: number, now: number): boolean => Math.abs(now - since) >= ms
  return {
    hasRoom(): boolean {
      const now = clock()
      if (isOver(counted.since, now)) counted = { rows: 0, since: now }
      return counted.rows < rows_max
    },
    add(row: PlanningRow): void {
      counted.rows++
      rows.push(row)
    },
    /** What waits; under load once in a while only. */
    take(always: boolean): readonly PlanningRow[] {
      const now = clock()
      if (!always && !isOver(takenAt, now)) return []
      const taken = rows
      rows = []
      takenAt = now
      return taken
    },
    isEmpty: (): boolean => rows.length === 0,
    clear: (): void => void (rows = []),
  }
}
