import type pg from 'pg'
import type { RecapSlot } from '@kawal/contract/comparison.ts'
import { compareSlot } from '@kawal/core/recap/comparison.ts'
import type { Contests } from '@kawal/core/recap/judge.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { placeColumns } from '../readiness/read.ts'
import { readRecords, saySides } from './station.ts'

interface SlotNeeds {
  readonly database: Database
  readonly clock: () => number
  readonly contests: Contests
  /** By the entry's place; null: no signed checkpoint holds it yet. */
  readonly receiptOf: (index: number) => Promise<string | null>
}

/** Everything that both sides say of one contest at one station: the records as they were signed, and their proofs. */
export async function readSlot({ database, clock, contests, receiptOf }: SlotNeeds, caller: Caller, station: string, contest: string): Promise<RecapSlot> {
  const { place, records, slots } = await database.transaction(caller, async (client) => ({ place: await placeOf(client, station), ...(await readRecords(client, station, contest, contests)) }))
  const keys = await keysOf(database, records.map(({ hash }) => hash))
  const { kind, isOtherForm, differences } = compareSlot(slots[0] ?? null, new Set(records.flatMap(({ reason, side }) => (reason === null ? [] : [side]))), contests)
  const proven: RecapSlot['records'] = []
  for (const record of records) {
    const key = keys.get(record.hash)
    proven.push({ ...record, publicKey: key?.public_key?.toString('base64url') ?? null, keyEntry: key?.entry ?? null, receipt: await receiptOf(record.entry) })
  }
  return {
    now: new Date(clock()).toISOString(), station, place, contest, kind, isOtherForm, differences: differences.map((each) => ({ ...each })), slots: slots.flatMap(saySides),
    fields: Object.keys(records.find(({ totals }) => totals !== null)?.totals ?? {}), records: proven,
  }
}

async function placeOf(client: pg.ClientBase, station: string): Promise<string> {
  const { rows: [row] } = await client.query<Record<'village' | 'district' | 'regency', string | null>>(`SELECT ${placeColumns('$1::text')}`, [station])
  return [row?.village, row?.district, row?.regency].filter((name) => name != null).join(', ')
}

interface KeyRow { readonly hash: Buffer; readonly public_key: Buffer | null; readonly entry: number | null }

/** Which key signed each: of devices the system alone reads. */
async function keysOf(database: Database, hashes: readonly string[]): Promise<Map<string, KeyRow>> {
  const { rows } = await database.transaction(system, (client) => client.query<KeyRow>(
    'SELECT recap.hash, coalesce(public_key, ledger_entry.key) AS public_key, device.entry FROM recap JOIN ledger_entry ON index = recap.entry LEFT JOIN device ON device.key = recap.device WHERE recap.hash = ANY($1)', [hashes.map((hash) => Buffer.from(hash, 'hex'))]))
  return new Map(rows.map((row) => [row.hash.toString('hex'), row]))
}
