import type { ReportReceipt } from '@kawal/contract/report.ts'
import { judge } from '@kawal/core/measurement/judge.ts'
import { thin } from '@kawal/core/measurement/thin.ts'
import type { SessionState } from '../session.ts'
import { isFull, resultOf, type Draft, type Row, type Store } from '../store.ts'

export interface QueueLimits {
  /** Samples that may wait. */
  readonly waiting_max: number
  /** All that may wait. Routine reports are thinned to `waiting_max`, so what is past that is never thinned, and the newest is refused. */
  readonly kept_max: number
  /** Sent samples that stay to be looked at, and for how long. */
  readonly sent_max: number
  readonly sent_ms_max: number
  /** Samples in memory while the phone has no room. */
  readonly held_max: number
}
export const queueLimits: QueueLimits = { waiting_max: 2_000, kept_max: 5_000, sent_max: 500, sent_ms_max: 7 * 86_400_000, held_max: 200 }
/** Of `waiting_max`, while the phone is short of room: early enough for what is never thinned to find some. */
const low_share = 0.25

interface Asked {
  readonly identity: string
  readonly kind: Row['kind']
  /** Keeps the next number for a goodbye, which has no time to ask for one. */
  readonly reserve: boolean
}

/** Both numbers are of it. */
export interface Block { readonly from: number; readonly to: number }

export interface QueueView { readonly newest: readonly Row[]; readonly counts: SessionState['counts'] }

/** The samples on the phone: what waits, what was sent, what was refused. */
export interface Queue {
  /** Gives the sample its number and writes it, in one transaction. @returns its number; null when there is no room: it is held in memory and written later; `full`: too much waits, and it is not kept */
  keep(draft: Draft, asked: Asked): Promise<number | null | 'full'>
  /** The number kept back for a goodbye; it is spent by this. */
  takeReserved(): number | null
  /** Sets so many numbers aside for the shell around the page, for good: those of the page go on behind them. */
  setAside(count: number): Promise<Block>
  /** Writes a sample that has its number already and is on its way: a goodbye. */
  keepSent(row: Omit<Row, 'state' | 'sentAt' | 'reason'>): Promise<void>
  /** What to send next for an identity: the newest, since it says how it is now; then what is never thinned; then the rest, oldest first. */
  batch(identity: string, max: number): Promise<Row[]>
  waitsFor(identity: string): Promise<number>
  /** What the receipt says of each: nothing is sent before this. */
  mark(rows: readonly Row[], receipt: Pick<ReportReceipt, 'quarantined'>, at: string): Promise<void>
  refuse(rows: readonly Row[], reason: string): Promise<void>
  /** Writes what is held, after making room. @returns whether nothing is held any more */
  settle(): Promise<boolean>
  view(count: number): Promise<QueueView>
  all(): Promise<Row[]>
  isFull(): boolean
  /** The last that was given was refused for too much that waits. */
  isCrowded(): boolean
  /** Whether the phone is short of room: routine reports are thinned sooner. */
  spare(low: boolean): void
}

interface Held { readonly draft: Draft; readonly asked: Asked }

export function createQueue(store: Store, limits: QueueLimits, clock: () => number): Queue {
  let reserved: number | null = null
  let held: Held[] = []
  let uncounted = 0
  let crowded = false
  let isLow = false
  let settling: Promise<boolean> | null = null

  async function write(draft: Draft, asked: Asked): Promise<number | 'full'> {
    const own = reserved
    reserved = null
    const written = await place(store, { own, max: limits.kept_max }, draft, asked).catch((error: unknown) => {
      reserved ??= own
      throw error
    })
    crowded = written === 'full'
    if (written === 'full') {
      reserved ??= own
      return written
    }
    // Two at once may each have kept a number back: one is enough, the other is a gap.
    reserved ??= written.next
    return written.sequence
  }

  async function bound(): Promise<void> {
    const waiting = await store.run<number>(['samples'], 'readonly', (at, done) => {
      at('samples').index('state').count('waiting').onsuccess = (event) => done(resultOf(event))
    })
    const most = limits.waiting_max * (isLow ? low_share : 1)
    if (waiting > most) await count(await thinTo(store, Math.floor(most * 0.95)))
  }

  /** @returns whether anything went. Where there is no room for the figure it waits in memory. */
  async function count(gone: Gone): Promise<boolean> {
    uncounted += gone.thinned
    const adding = uncounted
    if (adding > 0)
      await store.run(['about'], 'readwrite', (at) => {
        at('about').get('thinned').onsuccess = (event) => void at('about').put((resultOf<number | undefined>(event) ?? 0) + adding, 'thinned')
      }).then(() => (uncounted -= adding), () => undefined)
    return gone.rows > 0
  }

  async function settleNow(): Promise<boolean> {
    for (let turn = 0; turn <= limits.held_max && held.length > 0; turn++) {
      const [first] = held
      if (first === undefined) break
      try {
        if ((await write(first.draft, first.asked)) === 'full') return false
        held = held.slice(1)
      } catch (error) {
        if (!isFull(error)) throw error
        // Taking away writes a little too: where not even that goes, only sending makes room.
        if (!(await makeRoom(store).then(count, () => false))) return false
      }
    }
    return held.length === 0
  }

  function settle(): Promise<boolean> {
    settling ??= settleNow().finally(() => (settling = null))
    return settling
  }

  return {
    settle,
    async keep(draft, asked) {
      const kind = asked.kind === 'kept' || (await turns(store, draft)) ? 'kept' : 'routine'
      const wanted = { ...asked, kind } as const
      if (held.length === 0)
        try {
          const sequence = await write(draft, wanted)
          if (sequence === 'full') return sequence
          // It is written: a failure to thin must not make it written twice.
          await bound().catch(() => undefined)
          return sequence
        } catch (error) {
          if (!isFull(error)) throw error
        }
      held = holdOf([...held, { draft, asked: wanted }], limits.held_max)
      await settle()
      return null
    },
    takeReserved() {
      const number = reserved
      reserved = null
      return number
    },
    setAside: (count) => setAside(store, count),
    keepSent: (row) => store.run(['about', 'samples'], 'readwrite', (at) => addOf(at('about'), at('samples'), { ...row, state: 'waiting', sentAt: null, reason: null })),
    batch: (identity, max) => batchOf(store, identity, max),
    waitsFor: (identity) => store.run(['samples'], 'readonly', (at, done) => {
      at('samples').index('turn').count(waitingOf(identity)).onsuccess = (event) => done(resultOf(event))
    }),
    async mark(rows, receipt, at) {
      const bad = new Map(receipt.quarantined.map((each) => [each.index, `${each.code}: ${each.detail}`]))
      await change(store, rows.map((row, index) => ({ ...row, state: bad.has(index) ? 'refused' : 'sent', sentAt: at, reason: bad.get(index) ?? null }))).catch((error: unknown) => {
        if (!isFull(error)) throw error
        // No room to note that they are sent: the server has them, so they may go.
        return forget(store, rows.filter((_, index) => !bad.has(index)))
      })
      crowded = false
      await prune(store, limits, clock()).catch(() => undefined)
    },
    refuse: (rows, reason) => change(store, rows.map((row) => ({ ...row, state: 'refused', reason }))),
    async view(count) {
      const seen = await viewOf(store, count)
      return { ...seen, counts: { ...seen.counts, waiting: seen.counts.waiting + held.length } }
    },
    all: () => store.run(['samples'], 'readonly', (at, done) => {
      at('samples').getAll().onsuccess = (event) => done(resultOf(event))
    }),
    isFull: () => held.length > 0,
    isCrowded: () => crowded,
    spare: (low) => void (isLow = low),
  }
}

/** The number that is kept back for a goodbye lies at or below the last one given, and never in the block. */
const setAside = (store: Store, count: number): Promise<Block> => store.run(['about'], 'readwrite', (at, done) => {
  at('about').get('sequence').onsuccess = (event) => {
    const last = resultOf<number | undefined>(event) ?? 0
    at('about').put(last + count, 'sequence')
    done({ from: last + 1, to: last + count })
  }
})

/** @param own the number kept back for it; null takes the next. @returns its number, and the one kept back for a goodbye */
function place(store: Store, { own, max }: { readonly own: number | null; readonly max: number }, draft: Draft, asked: Asked): Promise<{ readonly sequence: number; readonly next: number | null } | 'full'> {
  return store.run(['about', 'samples'], 'readwrite', (at, done) => {
    const give = (event: Event): void => {
      const last = resultOf<number | undefined>(event) ?? 0
      const sequence = own ?? last + 1
      const next = asked.reserve ? Math.max(last, sequence) + 1 : null
      at('about').put(next ?? Math.max(last, sequence), 'sequence')
      addOf(at('about'), at('samples'), { sequence, sample: { ...draft, sequence }, identity: asked.identity, kind: asked.kind, state: 'waiting', sentAt: null, reason: null })
      done({ sequence, next })
    }
    at('samples').index('state').count('waiting').onsuccess = (event) => {
      if (resultOf<number>(event) >= max) done('full')
      else at('about').get('sequence').onsuccess = give
    }
  })
}

/** `add`, not `put`: a number that was used before fails the transaction and overwrites nothing. */
function addOf(about: IDBObjectStore, samples: IDBObjectStore, row: Row): void {
  samples.add(row)
  const { quality } = judge(row.sample)
  if (quality !== 'unknown') about.put(quality, 'quality')
}

/** Whether it is the first bad one after good ones, or the first good one after bad ones: where an outage begins and ends. */
async function turns(store: Store, draft: Draft): Promise<boolean> {
  const { quality } = judge(draft)
  return quality !== 'unknown' && (await store.read<string>('quality')) !== quality
}

/** While there is no room the newest stay in memory, and of these what is never thinned before the rest. */
function holdOf(held: readonly Held[], max: number): Held[] {
  const { drop } = thin(held.map(({ asked }, index) => ({ sequence: index, kind: asked.kind })), max)
  const gone = new Set(drop)
  return held.filter((_, index) => !gone.has(index)).slice(-max)
}

const waitingOf = (identity: string, kind?: Row['kind']): IDBKeyRange =>
  kind === undefined ? IDBKeyRange.bound([identity, 'waiting'], [identity, 'waiting', []]) : IDBKeyRange.bound([identity, 'waiting', kind], [identity, 'waiting', kind, []])

function batchOf(store: Store, identity: string, max: number): Promise<Row[]> {
  return store.run(['samples'], 'readonly', (at, done) => {
    const turn = at('samples').index('turn')
    const newest: Row[] = []
    for (const kind of ['kept', 'routine'] as const)
      turn.openCursor(waitingOf(identity, kind), 'prev').onsuccess = (event) => {
        const cursor = resultOf<IDBCursorWithValue | null>(event)
        if (cursor !== null) newest.push(cursor.value as Row)
      }
    // The range is in the order of the key: `kept` before `routine`, each by its number.
    turn.getAll(waitingOf(identity), max).onsuccess = (event) => {
      const rows = resultOf<Row[]>(event)
      const [first] = newest.sort((a, b) => b.sequence - a.sequence)
      done(first === undefined ? [] : [first, ...rows.filter((row) => row.sequence !== first.sequence)].slice(0, max))
    }
  })
}

/** A row that was thinned meanwhile does not come back. */
function change(store: Store, rows: readonly Row[]): Promise<void> {
  return store.run(['samples'], 'readwrite', (at) => {
    for (const row of rows)
      at('samples').getKey(row.sequence).onsuccess = (event) => {
        if (resultOf(event) !== undefined) at('samples').put(row)
      }
  })
}

function forget(store: Store, rows: readonly Row[]): Promise<void> {
  return store.run(['samples'], 'readwrite', (at) => {
    for (const { sequence } of rows) at('samples').delete(sequence)
  })
}

function prune(store: Store, limits: QueueLimits, now: number): Promise<void> {
  return store.run(['samples'], 'readwrite', (at) => {
    const samples = at('samples')
    samples.index('state').getAllKeys('sent').onsuccess = (event) => {
      const sent = resultOf<number[]>(event)
      const over = Math.max(0, sent.length - limits.sent_max)
      for (const sequence of sent.slice(0, over)) samples.delete(sequence)
      // The oldest tell whether there is anything past its time.
      for (const sequence of sent.slice(over, over + 20))
        samples.get(sequence).onsuccess = (found) => {
          const row = resultOf<Row | undefined>(found)
          if (row?.sentAt !== undefined && row.sentAt !== null && now - Date.parse(row.sentAt) > limits.sent_ms_max) samples.delete(sequence)
        }
    }
  })
}

interface Gone { readonly rows: number; readonly thinned: number }

function thinTo(store: Store, max: number): Promise<Gone> {
  return store.run(['samples'], 'readwrite', (at, done) => {
    const samples = at('samples')
    const waiting: { sequence: number; kind: Row['kind'] }[] = []
    samples.index('turn').openKeyCursor().onsuccess = (event) => {
      const cursor = resultOf<IDBCursor | null>(event)
      if (cursor !== null) {
        const [, state, kind, sequence] = cursor.key as [string, Row['state'], Row['kind'], number]
        if (state === 'waiting') waiting.push({ sequence, kind })
        return cursor.continue()
      }
      const { drop } = thin(waiting.sort((a, b) => a.sequence - b.sequence), max)
      for (const sequence of drop) samples.delete(sequence)
      done({ rows: drop.length, thinned: drop.length })
    }
  })
}

/** Sent samples go first, then every second routine one of the older half. */
async function makeRoom(store: Store): Promise<Gone> {
  const sent = await store.run<number>(['samples'], 'readwrite', (at, done) => {
    at('samples').index('state').getAllKeys('sent').onsuccess = (event) => {
      const keys = resultOf<number[]>(event)
      for (const key of keys) at('samples').delete(key)
      done(keys.length)
    }
  })
  if (sent > 0) return { rows: sent, thinned: 0 }
  const waiting = await store.run<number>(['samples'], 'readonly', (at, done) => {
    at('samples').index('state').count('waiting').onsuccess = (event) => done(resultOf(event))
  })
  return thinTo(store, waiting - Math.max(10, waiting >> 3))
}

function viewOf(store: Store, count: number): Promise<QueueView> {
  return store.run(['about', 'samples'], 'readonly', (at, done) => {
    const newest: Row[] = []
    const counts = { waiting: 0, sent: 0, refused: 0, thinned: 0 }
    const samples = at('samples')
    for (const state of ['waiting', 'sent', 'refused'] as const) samples.index('state').count(state).onsuccess = (event) => void (counts[state] = resultOf(event))
    at('about').get('thinned').onsuccess = (event) => void (counts.thinned = resultOf<number | undefined>(event) ?? 0)
    samples.openCursor(null, 'prev').onsuccess = (event) => {
      const cursor = resultOf<IDBCursorWithValue | null>(event)
      if (cursor === null || newest.length >= count) return
      newest.push(cursor.value as Row)
      cursor.continue()
    }
    done({ newest, counts })
  })
}
