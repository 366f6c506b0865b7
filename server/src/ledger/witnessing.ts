import { readNote, formatNote, type NoteSignature } from '@kawal/core/ledger/note.ts'
import { formatPolicy, isQuorum, type Policy } from '@kawal/core/ledger/policy.ts'
import { createAsking, type Asking, type WitnessState } from './asking.ts'
import { sha256 } from './cryptography.ts'
import type { Ledger, Shown } from './ledger.ts'

/** A checkpoint with the cosignatures of a quorum. */
export interface Witnessed extends Shown {
  /** When the quorum was whole, ms. */
  readonly at: number
}

/** Where checkpoints are kept that a quorum has seen, by log and policy. What resolved is on disk, and is never changed. */
export interface WitnessedStore {
  /** Keeps it; one of its size that is there stays. */
  keep(witnessed: Witnessed): Promise<void>
  /** The first that holds an entry. @returns null for none */
  first(index: number): Promise<Witnessed | null>
  newest(): Promise<Witnessed | null>
}

interface WitnessingNeeds {
  readonly ledger: Pick<Ledger, 'key' | 'size' | 'checkpoint' | 'consistency' | 'proofIn'>
  /** Asked are its witnesses that have an address. */
  readonly policy: Policy
  readonly store: (log: string, policy: Uint8Array) => WitnessedStore
  readonly clock: () => number
  readonly fetch?: typeof fetch
  readonly failed: (error: unknown) => void
}

/** The checkpoint that witnesses are being asked about. */
interface Target {
  readonly shown: Shown
  /** By the witness's name. */
  readonly cosignatures: Map<string, NoteSignature>
  keeping: Promise<void> | null
}

export type Witnessing = Awaited<ReturnType<typeof createWitnessing>>

/** A checkpoint is asked about this often. */
const round_ms = 1_000

/** What whoever verifies receipts of this log needs: the log, and no addresses. */
const policyOf = (key: Ledger['key'], { witnesses, groups, quorum }: Policy): Policy => ({ logs: [{ key, url: null }], witnesses: witnesses.map((each) => ({ ...each, url: null })), groups, quorum })

/**
 * Collects cosignatures of a log's checkpoints. All witnesses are asked about the same checkpoint at once, and about the next one
 * when a quorum is whole, or everybody has answered or was given up: so the slow ones sign the same too, and a dead one
 * holds up nobody.
 */
export async function createWitnessing({ ledger, policy: given, store: storeOf, clock, fetch: reach = fetch, failed }: WitnessingNeeds) {
  const policy = policyOf(ledger.key, given)
  const text = formatPolicy(policy)
  const store = storeOf(ledger.key.name, sha256(Buffer.from(text)))
  const askings = given.witnesses.flatMap(({ name, key, url }) => (url === null ? [] : [createAsking({ name, key, url, ledger, clock, fetch: reach })]))
  let newest = await store.newest()
  let target: Target | null = null
  let began = -Infinity
  let round: Promise<void> | null = null
  const running = new Set<Promise<void>>()

  /** @returns whether the quorum is whole and kept */
  async function settled(mine: Target): Promise<boolean> {
    if (!isQuorum(policy, new Set(mine.cosignatures.keys()))) return false
    try {
      await (mine.keeping ??= keep(mine.shown.size, cosigned(mine)))
      return true
    } catch (error) {
      mine.keeping = null
      failed(error)
      return false
    }
  }
  async function keep(size: number, note: string): Promise<void> {
    // One that was kept before a restart stays as it was.
    if (newest?.size === size) return
    const kept = { size, note, at: clock() }
    await store.keep(kept)
    newest = kept
  }
  /** In the policy's order. */
  const cosigned = ({ shown: { note }, cosignatures }: Target): string => {
    const read = readNote(note)
    return read.ok ? formatNote({ text: read.value.text, signatures: [...read.value.signatures, ...policy.witnesses.flatMap(({ name }) => cosignatures.get(name) ?? [])] }) : note
  }

  async function askAbout(mine: Target): Promise<void> {
    await settled(mine)
    const due = askings.filter((asking) => asking.isDue(mine.shown.size, mine.cosignatures.has(asking.name)))
    if (due.length > 0) await new Promise<void>((done) => {
      let open = due.length
      const one = async (asking: Asking): Promise<void> => {
        const cosignature = await asking.ask(mine.shown)
        if (cosignature !== null) mine.cosignatures.set(asking.name, cosignature)
        if (cosignature !== null && target === mine && (await settled(mine))) done()
      }
      for (const asking of due) {
        const asked: Promise<void> = one(asking).catch(failed).finally(() => {
          running.delete(asked)
          if (--open === 0) done()
        })
        running.add(asked)
      }
    })
  }

  return {
    /** As whoever verifies its receipts takes it. */
    policy: text,
    /** Begins a round where none runs and it is time. Resolves when it is over. */
    turn(): Promise<void> {
      if (round !== null || clock() - began < round_ms) return round ?? Promise.resolve()
      began = clock()
      const shown = { size: ledger.size(), note: ledger.checkpoint() }
      if (target === null || target.shown.size !== shown.size) target = { shown, cosignatures: new Map(), keeping: null }
      return (round = askAbout(target).catch(failed).finally(() => (round = null)))
    },
    /** Resolves when nobody is being asked. */
    idle: async (): Promise<void> => void (await Promise.all([round, ...running])),
    /** The log's newest checkpoint, with the cosignatures that it has by now. */
    checkpoint: (): string => (target !== null && target.shown.size === ledger.size() ? cosigned(target) : ledger.checkpoint()),
    /** The newest that a quorum has seen; null: none yet. */
    newest: (): Witnessed | null => newest,
    /** An entry's proof in the first checkpoint that holds it and that a quorum has seen: always the same. @returns null: none yet */
    async receipt(index: number): Promise<string | null> {
      const first = newest === null || newest.size <= index ? null : await store.first(index)
      return first === null ? null : ledger.proofIn(index, first)
    },
    states: (): readonly WitnessState[] => askings.map((asking) => asking.state()),
  }
}
