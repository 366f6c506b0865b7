import { createHash } from 'node:crypto'
import { hash32, seeded, type Random } from '@kawal/core/kernel/random.ts'

/** What somebody saw or did, as it happened. `at` is virtual, ms since the beginning. */
export interface Happening {
  readonly at: number
  readonly who: string
  readonly what: string
  readonly of: Readonly<Record<string, string | number | boolean | null>>
}

/** A running program: nothing of it goes on once it has ended, whatever it waited for. */
export interface Life { isOver: boolean }

/** Virtual time, and everything that makes one run differ from another. */
export interface World {
  /** ms since the beginning. */
  now(): number
  /** A stream of chance of its own for each name: one more draw in one place moves nothing elsewhere. */
  random(name: string): Random
  /** Done then, unless its life is over; null for what no program does. @returns how to take it back */
  later(ms: number, life: Life | null, work: () => void): () => void
  tell(who: string, what: string, of?: Happening['of']): void
  readonly history: readonly Happening[]
  /** Runs until there is nothing to do before this time. */
  runUntil(end: number): Promise<void>
}

interface Due { readonly at: number; readonly nth: number; readonly life: Life | null; work: (() => void) | null }

/** More than any run has: one that would not end is a bug. */
const steps_max = 2_000_000

export function createWorld(seed: number): World {
  const queue = createQueue()
  const history: Happening[] = []
  let now = 0
  let nth = 0
  let steps = 0
  return {
    now: () => now,
    random: (name) => seeded((seed ^ hash32(name)) | 0),
    later(ms, life, work) {
      const due: Due = { at: now + Math.max(0, ms), nth: nth++, life, work }
      queue.push(due)
      return () => void (due.work = null)
    },
    tell: (who, what, of = {}) => void history.push({ at: Math.round(now), who, what, of }),
    history,
    async runUntil(end) {
      for (let due = queue.first(); due !== undefined && due.at <= end; due = queue.first()) {
        queue.pop()
        if (due.work === null || due.life?.isOver === true) continue
        if (++steps > steps_max) throw new Error(`the run does not end: ${steps_max} steps`)
        now = due.at
        due.work()
        // Nothing real is waited for: after one turn of the loop all that can go on has gone on.
        await new Promise(setImmediate)
      }
      now = end
    },
  }
}

/** By time, and of one time in the order in which they were asked for. */
function createQueue() {
  const heap: Due[] = []
  const isBefore = (one: Due, other: Due): boolean => one.at < other.at || (one.at === other.at && one.nth < other.nth)
  return {
    first: (): Due | undefined => heap[0],
    push(due: Due): void {
      let at = heap.push(due) - 1
      for (let up = (at - 1) >> 1; at > 0 && isBefore(due, heap[up] as Due); up = (at - 1) >> 1) {
        heap[at] = heap[up] as Due
        at = up
      }
      heap[at] = due
    },
    pop(): void {
      const last = heap.pop() as Due
      if (heap.length === 0) return
      let at = 0
      for (let down = 1; down < heap.length; down = 2 * at + 1) {
        if (down + 1 < heap.length && isBefore(heap[down + 1] as Due, heap[down] as Due)) down++
        if (!isBefore(heap[down] as Due, last)) break
        heap[at] = heap[down] as Due
        at = down
      }
      heap[at] = last
    },
  }
}

/** A time between two, drawn. */
export const between = (random: Random, min: number, max: number): number => min + random() * (max - min)

/** Input and output of one program: each takes its time, and a stop may come before it, or between it and its answer. */
export interface Io {
  /** Looks at what there is when it is its turn. */
  look<T>(work: () => T): Promise<T>
  /** Changes what there is, then answers. */
  change<T>(work: () => T): Promise<T>
}

/** A stop at the worst instant: between what was done and its answer. */
export interface Strike { readonly share: () => number; readonly stop: (isPowerLost: boolean) => void }

/**
 * @param ms of one operation, at least and at most
 * @param losing the share of changes that are done and whose answer is an error
 */
export function createIo(world: World, life: Life, name: string, ms: readonly [number, number], strike: Strike, losing: () => number = () => 0): Io {
  const random = world.random(`io ${name}`)
  const draw = (): number => between(random, ms[0], ms[1])
  return {
    look: (work) => new Promise((resolve, reject) => void world.later(draw(), life, () => {
      try {
        resolve(work())
      } catch (error) {
        reject(error as Error)
      }
    })),
    change: (work) => new Promise((resolve, reject) => void world.later(draw(), life, () => {
      try {
        const value = work()
        if (random() < strike.share()) return strike.stop(random() < 0.7)
        const isLost = random() < losing()
        world.later(draw(), life, () => (isLost ? reject(new Error('the connection to the database broke')) : resolve(value)))
      } catch (error) {
        reject(error as Error)
      }
    })),
  }
}

/** Without time: for whoever wants the same at once. */
export const atOnce: Io = { look: async (work) => Promise.resolve(work()), change: async (work) => Promise.resolve(work()) }

export const hashOf = (history: readonly Happening[]): string => {
  const hash = createHash('sha256')
  for (const { at, who, what, of } of history) hash.update(`${at} ${who} ${what} ${JSON.stringify(of)}\n`)
  return hash.digest('hex')
}
