import { system, type Database } from '../adapters/postgres/database.ts'
import type { DeliveryStore, Due } from './forwarder.ts'

/** What the receiver has, in the database. */
export const createDeliveryStore = (database: Database): DeliveryStore => ({
  due: async (now, max) => (await database.transaction(system, (client) => client.query<Due>(
    `SELECT recap.hash, bytes FROM recap JOIN ledger_entry ON index = entry WHERE reason IS NULL AND NOT delivered AND side = 'officer' AND (next_try_at IS NULL OR next_try_at <= $1) ORDER BY entry LIMIT $2`, [new Date(now), max]))).rows,
  delivered: (hash, status, answer, at) => database.transaction(system, async (client) => {
    await client.query('INSERT INTO delivery (hash, status, answer, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [hash, status, answer, new Date(at)])
    await client.query('UPDATE recap SET delivered = true, tries = tries + 1 WHERE hash = $1', [hash])
  }),
  refused: (hash, until) => database.transaction(system, async (client) => void (await client.query('UPDATE recap SET tries = tries + 1, next_try_at = $2 WHERE hash = $1', [hash, new Date(until)]))),
})
