import type { Instant } from '@kawal/core/kernel/clock.ts'
import { judgeRecap, judgeUnreadable, type Contests, type Judgement } from '@kawal/core/recap/judge.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { sha256 } from '../ledger/cryptography.ts'
import type { Holders, KeyHolder, Signatures } from './keys.ts'
import { envelopeOf, signedOf } from './stored.ts'

/** What became of one record. */
export interface Judged {
  readonly index: number
  readonly hash: Uint8Array
  readonly recap: Recap | null
  readonly judgement: Judgement
}

/** A record's entry. */
interface Kept { readonly index: number; readonly bytes: Uint8Array }

/** What one transaction looks at and writes. */
export interface Judging {
  readonly holders: Holders
  /** Which of these stations there are. */
  stations(codes: readonly string[]): Promise<ReadonlySet<string>>
  /** What was judged before gets its new judgement; what counts stays so. */
  write(judged: readonly Judged[], now: Instant): Promise<void>
}

/** What each record of the ledger came to. */
export interface JudgeStore {
  /** Records behind the last one that was judged, in the ledger's order. */
  fresh(max: number): Promise<readonly Kept[]>
  /** Records in quarantine that were last judged at this time or before, those first that wait longest. */
  again(until: Instant, max: number): Promise<readonly Kept[]>
  /** One transaction: all that it writes is on disk when it resolves, or nothing where `work` rejects. */
  judging<T>(work: (judging: Judging) => Promise<T>): Promise<T>
}

interface JudgeNeeds {
  readonly store: JudgeStore
  readonly clock: () => Instant
  readonly contests: Contests
  readonly signatures: Signatures
  readonly failed: (error: unknown) => void
}

const turn_max = 200
/** What is in quarantine is judged again this long after it was last: somebody may have mended what it was judged by. */
const again_ms = 60_000

/**
 * Judges what the ledger holds, in its order and beside the intake: whatever goes wrong here, nothing that comes is refused for it, and
 * one that cannot be judged holds up no other.
 */
export function createJudge({ store, clock, contests, signatures, failed }: JudgeNeeds) {
  async function judge(judging: Judging, entries: readonly Kept[]): Promise<Judged[]> {
    const all = entries.map(({ index, bytes }) => ({ index, ...parts(bytes) }))
    const signed = all.flatMap(({ read }) => (read.ok ? [read.value] : []))
    const holders = await judging.holders([...new Set(signed.map(({ envelope }) => kidOf(envelope)))])
    const stations = await judging.stations([...new Set(signed.map(({ recap }) => recap.station))])
    return Promise.all(all.map(async ({ index, hash, read }) => {
      if (!read.ok) return { index, hash, recap: null, judgement: judgeUnreadable(read.error) }
      const { envelope, recap } = read.value
      const its: KeyHolder[] = []
      for (const holder of holders.get(kidOf(envelope)) ?? []) if (await signatures.isSignedBy(envelope, Buffer.from(hash).toString('hex'), holder.publicKey)) its.push(holder)
      return { index, hash, recap, judgement: judgeRecap(recap, { isStationKnown: stations.has(recap.station), holders: its, contests }) }
    }))
  }

  /** One that cannot be judged goes to quarantine, and the others are judged without it. */
  async function settle(entries: readonly Kept[]): Promise<void> {
    try {
      await store.judging(async (judging) => judging.write(await judge(judging, entries), clock()))
    } catch (error) {
      const [only] = entries
      if (only === undefined) return
      if (entries.length > 1) {
        for (const entry of entries) await settle([entry])
        return
      }
      failed(error)
      const judgement = { ok: false, reason: 'record_unreadable', detail: `It could not be judged: ${String(error).slice(0, 200)}`, side: null } as const
      await store.judging((judging) => judging.write([{ index: only.index, hash: parts(only.bytes).hash, recap: null, judgement }], clock()))
    }
  }

  /** @returns how many were judged */
  async function next(kept: readonly Kept[]): Promise<number> {
    await settle(kept)
    return kept.length
  }
  const fresh = async (): Promise<number> => next(await store.fresh(turn_max))
  const again = async (): Promise<number> => next(await store.again(clock() - again_ms, turn_max))

  let running: Promise<void> | null = null
  let wanted = false
  async function run(): Promise<void> {
    try {
      while (wanted) {
        wanted = false
        while ((await fresh()) === turn_max);
        while ((await again()) === turn_max);
      }
    } catch (error) {
      failed(error)
    }
  }
  return {
    /** Judges what is new and what waited; resolves when that is done. */
    turn(): Promise<void> {
      wanted = true
      return (running ??= run().finally(() => (running = null)))
    },
    idle: async (): Promise<void> => void (await running),
  }
}

const kidOf = ({ kid }: { readonly kid: Uint8Array }): string => Buffer.from(kid).toString('hex')

function parts(bytes: Uint8Array): { readonly hash: Uint8Array; readonly read: ReturnType<typeof signedOf> } {
  return { hash: sha256(envelopeOf(bytes)), read: signedOf(bytes) }
}
