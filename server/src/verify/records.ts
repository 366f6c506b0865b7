import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { readActEntry } from '@kawal/core/act/entry.ts'
import { keyId, type Algorithm } from '@kawal/core/recap/cose.ts'
import { readEntry } from '@kawal/core/recap/entry.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { algorithmOf } from '../recap/keys.ts'

/** What a thread is given: keys before the records that they may have signed. */
export interface RecordTask {
  readonly id: number
  readonly keys: readonly { readonly kid: string; readonly algorithm: Algorithm; readonly publicKey: Uint8Array }[]
  readonly records: readonly { readonly index: number; readonly envelope: Uint8Array }[]
}

/** Of all that a thread was given so far. */
export interface RecordCounts {
  /** Signed by a key that the log itself enrolled, before or after. */
  readonly signed: number
  /** By a key that the log has not enrolled. */
  readonly unknown: number
  /** Entries whose record is none, or whose signature is not that of the key that it names. */
  readonly wrong: readonly number[]
}

/** What entries are. */
export interface Tally {
  /** By their kinds; `unknown` are those of a later program. */
  readonly kinds: Readonly<Record<string, number>>
  /** Null where signatures were not looked at. */
  readonly records: RecordCounts | null
}

/** Bundles that a thread may be behind. */
const behind_max = 64
/** A record's key id: behind the tag, the list, and the header's first bytes (spec/recap.md, *The envelope*). */
const kid_at = 8
const kid_end = 16

export type EntryReader = ReturnType<typeof createEntryReader>

/**
 * Reads the entries of a log, in order. A record's signature is looked at in threads, each with the keys whose ids end alike.
 * @param threads 0: signatures are not looked at
 */
export function createEntryReader(threads = availableParallelism()) {
  const kinds: Record<string, number> = {}
  const workers = Array.from({ length: threads }, openThread)
  return {
    async take(first: number, entries: readonly Uint8Array[]): Promise<void> {
      const tasks = workers.map(() => ({ keys: [] as RecordTask['keys'][number][], records: [] as RecordTask['records'][number][] }))
      for (const [nth, bytes] of entries.entries()) {
        const read = readEntry(bytes)
        const kind = read.ok ? read.value.kind : actKind(bytes)
        kinds[kind] = (kinds[kind] ?? 0) + 1
        if (!read.ok || threads === 0) continue
        const entry = read.value
        if (entry.kind === 'recap') tasks[(entry.envelope[kid_end - 1] ?? 0) % threads]?.records.push({ index: first + nth, envelope: entry.envelope })
        if (entry.kind !== 'enrolment' && entry.kind !== 'supervision') continue
        const algorithm = algorithmOf(entry.publicKey)
        const kid = await keyId(algorithm, entry.publicKey, sha256)
        tasks[(kid.at(-1) ?? 0) % threads]?.keys.push({ kid: kidText(kid), algorithm, publicKey: entry.publicKey })
      }
      await Promise.all(workers.map((worker, at) => worker.give(tasks[at] ?? { keys: [], records: [] })))
    },
    /** When all that was taken is looked at. */
    async tally(): Promise<Tally> {
      const counts = await Promise.all(workers.map((worker) => worker.counts()))
      const records = threads === 0 ? null : { signed: sum(counts, ({ signed }) => signed), unknown: sum(counts, ({ unknown }) => unknown), wrong: counts.flatMap(({ wrong }) => wrong).sort((a, b) => a - b) }
      return { kinds: { ...kinds }, records }
    },
    close: async (): Promise<void> => void (await Promise.all(workers.map((worker) => worker.close()))),
  }
}

/** Of the log of acts (spec/acts.md). */
function actKind(bytes: Uint8Array): string {
  const read = readActEntry(bytes)
  return read.ok ? read.value.kind : 'unknown'
}

const sum = (counts: readonly RecordCounts[], of: (counts: RecordCounts) => number): number => counts.reduce((all, each) => all + of(each), 0)
/** An envelope that is none has some bytes there too, and no key of that id. */
export const kidIn = (envelope: Uint8Array): string => kidText(envelope.subarray(kid_at, kid_end))
const kidText = (kid: Uint8Array): string => Buffer.from(kid).toString('latin1')

function openThread() {
  const worker = new Worker(new URL('./record-thread.ts', import.meta.url))
  const waiting = new Map<number, { readonly done: (counts: RecordCounts) => void; readonly failed: (error: Error) => void }>()
  const given = new Set<Promise<RecordCounts>>()
  let [nth, broken]: [number, Error | null] = [0, null]
  worker.on('message', ({ id, counts }: { id: number; counts: RecordCounts }) => {
    waiting.get(id)?.done(counts)
    waiting.delete(id)
  })
  worker.on('error', (error: Error) => {
    broken = error
    for (const { failed } of waiting.values()) failed(error)
  })
  function ask(task: Omit<RecordTask, 'id'>): Promise<RecordCounts> {
    const id = nth++
    const one = new Promise<RecordCounts>((done, failed) => {
      if (broken !== null) return failed(broken)
      waiting.set(id, { done, failed })
      worker.postMessage({ id, ...task } satisfies RecordTask)
    })
    given.add(one)
    one.catch(() => undefined).finally(() => given.delete(one)).catch(() => undefined)
    return one
  }
  return {
    async give(task: Omit<RecordTask, 'id'>): Promise<void> {
      if (task.keys.length + task.records.length === 0) return
      if (given.size >= behind_max) await Promise.race(given)
      void ask(task)
    },
    counts: (): Promise<RecordCounts> => ask({ keys: [], records: [] }),
    close: (): Promise<number> => worker.terminate(),
  }
}
