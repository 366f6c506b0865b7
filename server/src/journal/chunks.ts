import type { Commit } from './journal.ts'
import type { Sequences } from './sequences.ts'

/** Says when a chunk of what is known of sequences goes to disk: one each time so many reports came, and all that changed within some time. */
export function createChunks({ clock, reports_max, ms }: { readonly clock: () => number; readonly reports_max: number; readonly ms: number }) {
  let reports = 0
  let dueAt = clock() + ms
  /** Everything up to this segment is to be on disk by now. */
  let target = 0
  return {
    reset(): void {
      reports = 0
      dueAt = clock() + ms
      target = 0
    },
    /** @param count reports since the last question; `last` the last segment there is */
    isDue(sequences: Sequences, count: number, last: number): boolean {
      const now = clock()
      reports += count
      if (now >= dueAt) {
        target = last
        dueAt = now + ms
      }
      return reports >= reports_max || sequences.writtenUntil(last) < target
    },
    /** The chunk that has waited longest, with what is on disk of all when it is: from here on it counts as written. */
    next(sequences: Sequences, last: number): Commit['chunk'] {
      const index = sequences.oldestDirty()
      if (index < 0) return null
      reports = 0
      const bytes = sequences.write(index)
      return { index, bytes, until: sequences.writtenUntil(last) }
    },
  }
}
