import type { BoxTold } from '@kawal/contract/recap-overview.ts'
import { minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { Bearer } from './bearer.ts'

interface TellingNeeds {
  readonly database: Database
  readonly clock: () => Instant
  /** The platform, without a slash at the end. */
  readonly up: string
  readonly bearer: Bearer
  /** Of the box's own log. */
  readonly origin: string
  readonly key: string
}

/** Under a kilobyte each time, on a line that is shared. */
const every_ms = 5 * minute_ms
const answer_ms_max = 60_000

/** A box tells the platform what it still carries, behind its records and before photos. What is not heard is told anew the next time: it holds nothing up. */
export function createTelling({ database, clock, up, bearer, origin, key }: TellingNeeds): () => Promise<void> {
  let tried: Instant = -Infinity
  return async () => {
    const now = clock()
    if (now - tried < every_ms) return
    tried = now
    const token = await bearer.token()
    if (token === null) return
    const body: BoxTold = { at: new Date(now).toISOString(), origin, key, ...await readLeft(database) }
    const answer = await fetch(`${up}/v1/boxes/self`, { method: 'PUT', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify(body), redirect: 'error', signal: AbortSignal.timeout(answer_ms_max) }).catch(() => null)
    await answer?.arrayBuffer().catch(() => null)
    if (answer?.status === 401) bearer.refused()
  }
}

/** What the platform has not; what it takes for no record is not waited for. */
async function readLeft(database: Database): Promise<Omit<BoxTold, 'at' | 'origin' | 'key'>> {
  return database.transaction(system, async (client) => {
    const { rows: [row] } = await client.query<{ entries: number; records: number; lists: number; photo_bytes: number; oldest_at: Date | null }>(
      `SELECT (SELECT count(*) FROM ledger_entry) AS entries, records, lists, photo_bytes, least(oldest_record, oldest_list, oldest_photo) AS oldest_at
       FROM (SELECT count(*) AS records, min(at) AS oldest_record FROM ledger_entry LEFT JOIN carried ON hash = name WHERE kind = 1 AND receipt IS NULL AND refused IS NULL) AS r,
         (SELECT count(*) AS lists, min(received_at) AS oldest_list FROM carried JOIN photo_list ON photo_list.hash = list WHERE receipt IS NOT NULL AND NOT listed) AS l,
         (SELECT coalesce(sum(photo.size - coalesce(sent, 0)), 0)::bigint AS photo_bytes, min(kept_at) AS oldest_photo FROM photo LEFT JOIN carried_photo USING (sha256, size) WHERE kept_at IS NOT NULL AND coalesce(sent, 0) < photo.size
            AND EXISTS (SELECT FROM photo_place WHERE photo_place.sha256 = photo.sha256 AND photo_place.size = photo.size AND NOT EXISTS (SELECT FROM carried WHERE carried.list = photo_place.list AND refused IS NOT NULL))) AS p`)
    const { entries = 0, records = 0, lists = 0, photo_bytes = 0, oldest_at = null } = row ?? {}
    return { entries, records, lists, photoBytes: photo_bytes, oldestAt: oldest_at?.toISOString() ?? null }
  })
}
