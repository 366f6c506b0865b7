import { setImmediate } from 'node:timers/promises'
import type { Steps } from '@kawal/core/kernel/steps.ts'

/**
 * Long work on what others change too: in slices, between which those who wait are answered, and their changes after
 * its end. One work at a time. @param failed told of a change that waited and could not be made; those behind it are
 */
export function createSlices(slice_ms: number, failed: (error: unknown) => void) {
  let waiting: (() => void)[] | null = null

  async function run<T>(steps: Steps<T>): Promise<T> {
    for (;;) {
      const until = performance.now() + slice_ms
      do {
        const step = steps.next()
        if (step.done === true) return step.value
      } while (performance.now() < until)
      await setImmediate()
    }
  }
  function make(deed: () => void): void {
    try {
      deed()
    } catch (error) {
      failed(error)
    }
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
        const deeds = waiting
        waiting = null
        for (const deed of deeds) make(deed)
      }
    },
  }
}
