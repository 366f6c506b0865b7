import { setImmediate } from 'node:timers/promises'
import type { Steps } from '@kawal/core/kernel/steps.ts'

/** Nobody waits longer for one slice, ms. */
const slice_ms_max = 50
/** Of the time, so much is the work's, whatever comes in meanwhile: the country's reports need two thirds of a thread. */
const work_share = 0.4

/**
 * Long work on what others change too: in slices, between which those who wait are answered, and their changes after
 * its end. One work at a time. A slice lasts as long as it may beside the answers before it.
 * @param slice_ms it is at least so long. @param failed told of a change that waited and could not be made; those behind it are
 */
export function createSlices(slice_ms: number, failed: (error: unknown) => void, now: () => number = () => performance.now()) {
  let waiting: (() => void)[] | null = null

  async function run<T>(steps: Steps<T>): Promise<T> {
    for (let others_ms = 0; ; ) {
      const until = now() + Math.min(slice_ms_max, Math.max(slice_ms, (others_ms * work_share) / (1 - work_share)))
      let at: number
      do {
        const step = steps.next()
        if (step.done === true) return step.value
      } while ((at = now()) < until)
      await setImmediate()
      others_ms = now() - at
    }
  }
  /** In the order in which they came, those that come meanwhile too. */
  function* catchUp(deeds: readonly (() => void)[]): Steps<void> {
    for (const deed of deeds) {
      try {
        deed()
      } catch (error) {
        failed(error)
      }
      yield
    }
    // In the same turn as the last: what comes next is made at once.
    waiting = null
  }

  return {
    isBusy: (): boolean => waiting !== null,
    /** A change: at once, or when the work that goes on has ended. */
    change: (deed: () => void): void => (waiting === null ? deed() : void waiting.push(deed)),
    async work(does: (inSlices: typeof run) => Promise<void>): Promise<void> {
      waiting = []
      try {
        await does(run)
      } finally {
        await run(catchUp(waiting))
      }
    },
  }
}

/** Does something with all, so many at a time; between them others have their turn. */
export async function inParts<T>(all: readonly T[], size: number, deed: (part: readonly T[]) => void): Promise<void> {
  for (let from = 0; from < all.length; from += size) {
    if (from > 0) await setImmediate()
    deed(all.slice(from, from + size))
  }
}
