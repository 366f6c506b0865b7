import type { RecapState } from '@kawal/contract/recap.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { readPhotosOf } from './photos.ts'

/** What became of a record, from the database. @param hash 64 digits of hex. @returns null where it was never handed in */
export async function readState(database: Database, hash: string): Promise<RecapState | null> {
  const found = await database.transaction(system, async (client) => {
    const { rows } = await client.query<{ index: number; at: Date; judged: boolean; reason: string | null; detail: string | null; side: Side | null; photos: Buffer | null; delivered_at: Date | null }>(
      `SELECT index, ledger_entry.at, recap.hash IS NOT NULL AS judged, reason, detail, side, photos, delivery.at AS delivered_at FROM ledger_entry LEFT JOIN recap ON recap.entry = index LEFT JOIN delivery ON delivery.hash = recap.hash
       WHERE name = $1 AND kind = 1`, [Buffer.from(hash, 'hex')])
    const [row] = rows
    return row === undefined ? null : { ...row, photos: row.photos === null ? null : await readPhotosOf(client, row.photos) }
  })
  if (found === null) return null
  const { index, at, judged, reason, detail, side, photos, delivered_at } = found
  return { hash, entry: index, receivedAt: at.toISOString(), state: judged ? (reason === null ? 'counts' : 'quarantine') : 'waiting', reason, detail, side, deliveredAt: delivered_at?.toISOString() ?? null, photos }
}

/** The receiver's answer as an entry of the ledger; null: none is there yet. */
export function readDelivery(database: Database, hash: string): Promise<{ readonly index: number; readonly bytes: Uint8Array } | null> {
  return database.transaction(system, async (client) => {
    const { rows: [row] } = await client.query<{ index: number; bytes: Buffer }>('SELECT index, bytes FROM delivery JOIN ledger_entry ON index = entry WHERE hash = $1', [Buffer.from(hash, 'hex')])
    return row ?? null
  })
}
