import type { SitingDecisions, SitingResults } from '@kawal/contract/readiness.ts'
import type { Answer } from '../server.ts'

export const undoMs = 10_000

interface PendingNeeds {
  readonly clock: () => number
  readonly send: (decisions: SitingDecisions) => Promise<Answer<SitingResults>>
  /** How many decisions wait, and for how long still. */
  readonly changed: (count: number, leftMs: number) => void
  readonly sent: (answer: Answer<SitingResults>) => void
}

/**
 * Decisions wait ten seconds before they are stored, so that one taken back leaves no trace: the register
 * keeps every version of a station, and a slip of the hand is none. Leaving the page stores them at once.
 */
export function createPending({ clock, send, changed, sent }: PendingNeeds) {
  let waiting: SitingDecisions = []
  let due = 0
  let answer: Answer<SitingResults> | null = null

  async function flush(): Promise<void> {
    if (waiting.length === 0) return
    const decisions = waiting
    waiting = []
    changed(0, 0)
    answer = await send(decisions)
    sent(answer)
  }
  return {
    /** Of one station the newest decision counts; the ten seconds begin again. */
    add(decisions: SitingDecisions): void {
      const stations = new Set(decisions.map((each) => each.station))
      waiting = [...waiting.filter((each) => !stations.has(each.station)), ...decisions]
      due = clock() + undoMs
      answer = null
      changed(waiting.length, undoMs)
    },
    undo(): void {
      waiting = []
      changed(0, 0)
    },
    flush,
    /** Some times a second. */
    tick(): void {
      if (waiting.length === 0) return
      if (clock() >= due) void flush()
      else changed(waiting.length, due - clock())
    },
    of: (station: string) => waiting.find((each) => each.station === station) ?? null,
    /** What the last ones that were sent came to. */
    answer: () => answer,
  }
}
