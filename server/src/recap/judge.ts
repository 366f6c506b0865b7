import type pg from 'pg'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { judgeRecap, judgeUnreadable, type Contests, type Judgement } from '@kawal/core/recap/judge.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { recap_kind } from './intake.ts'
import { readHolders, type KeyHolder, type Signatures } from './keys.ts'
import { envelopeOf, signedOf } from './stored.ts'

interface JudgeNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly contests: Contests
  readonly signatures: Signatures
  readonly failed: (error: unknown) => void
}

const turn_max = 200
/** What is in quarantine is judged again this long after it was last: somebody may have mended what it was judged by. */
const again_ms = 60_000

/** What became of one record. */
interface Judged {
  readonly index: number
  readonly hash: Uint8Array
  readonly recap: Recap | null
  readonly judgement: Judgement
}

interface Kept { readonly index: number; readonly bytes: Buffer }

/**
 * Judges what the ledger holds, in its order and beside the intake: whatever goes wrong here, nothing that comes is refused for it, and
 * one that cannot be judged holds up no other.
 */
export function createJudge({ database, clock, contests, signatures, failed }: JudgeNeeds) {
  async function judge(client: pg.ClientBase, entries: readonly Kept[]): Promise<Judged[]> {
    const all = entries.map(({ index, bytes }) => ({ index, ...parts(bytes) }))
    const signed = all.flatMap(({ read }) => (read.ok ? [read.value] : []))
    const holders = await readHolders(client, [...new Set(signed.map(({ envelope }) => kidOf(envelope)))])
    const stations = await knownStations(client, [...new Set(signed.map(({ recap }) => recap.station))])
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
      await database.transaction(system, async (client) => write(client, await judge(client, entries), clock()))
    } catch (error) {
      const [only] = entries
      if (only === undefined) return
      if (entries.length > 1) {
        for (const entry of entries) await settle([entry])
        return
      }
      failed(error)
      const judgement = { ok: false, reason: 'record_unreadable', detail: `It could not be judged: ${String(error).slice(0, 200)}` } as const
      await database.transaction(system, (client) => write(client, [{ index: only.index, hash: parts(only.bytes).hash, recap: null, judgement }], clock()))
    }
  }

  /** @returns how many were judged */
  async function next(query: string, from: unknown): Promise<number> {
    const { rows } = await database.transaction(system, (client) => client.query<Kept>(query, [from, turn_max]))
    await settle(rows)
    return rows.length
  }
  const fresh = (): Promise<number> => next('SELECT index, bytes FROM ledger_entry WHERE kind = $1 AND index > (SELECT coalesce(max(entry), -1) FROM recap) ORDER BY index LIMIT $2', recap_kind)
  const again = (): Promise<number> =>
    next('SELECT index, bytes FROM recap JOIN ledger_entry ON index = entry WHERE reason IS NOT NULL AND judged_at <= $1 ORDER BY judged_at, entry LIMIT $2', new Date(clock() - again_ms))

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

async function knownStations(client: pg.ClientBase, codes: readonly string[]): Promise<Set<string>> {
  const { rows } = await client.query<{ code: string }>('SELECT code FROM station_now WHERE code = ANY($1)', [codes])
  return new Set(rows.map(({ code }) => code))
}

/** What was judged before gets its new judgement; what counts stays so. */
async function write(client: pg.ClientBase, judged: readonly Judged[], now: Instant): Promise<void> {
  const column = <T>(pick: (each: Judged) => T): T[] => judged.map(pick)
  await client.query(
    `INSERT INTO recap (hash, entry, station_code, contest, device, sequence, made_at, replaces, photos, reason, detail, judged_at)
     SELECT *, $12::timestamptz FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::timestamptz[], $8::bytea[], $9::bytea[], $10::text[], $11::text[])
     ON CONFLICT (hash) DO UPDATE SET station_code = excluded.station_code, contest = excluded.contest, device = excluded.device, sequence = excluded.sequence, made_at = excluded.made_at, replaces = excluded.replaces,
       photos = excluded.photos, reason = excluded.reason, detail = excluded.detail, judged_at = excluded.judged_at WHERE recap.reason IS NOT NULL`,
    [
      column(({ hash }) => hash), column(({ index }) => index), column(({ recap }) => recap?.station ?? null), column(({ recap }) => recap?.contest ?? null), column(({ judgement }) => (judgement.ok ? judgement.device : null)),
      column(({ recap }) => recap?.sequence ?? null), column(({ recap }) => (recap === null ? null : new Date(recap.madeAt))), column(({ recap }) => recap?.replaces ?? null), column(({ recap }) => recap?.photos ?? null),
      column(({ judgement }) => (judgement.ok ? null : judgement.reason)), column(({ judgement }) => (judgement.ok ? null : judgement.detail)), new Date(now),
    ])
}
