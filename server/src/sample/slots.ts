import type { SampleSlot } from '@kawal/contract/sample.ts'
import { placesToRead } from '@kawal/core/recap/finding.ts'
import { formOf } from '@kawal/core/recap/form.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { readPhotosOf } from '../recap/photos.ts'
import { recapOf } from '../recap/stored.ts'
import { deviceNumbers } from '../recap/stuck.ts'

interface Row { readonly hash: Buffer; readonly entry: number; readonly at: Date; readonly bytes: Buffer; readonly photos: Buffer | null; readonly reason: string | null; readonly device: number | null }
type SlotRecord = SampleSlot['records'][number]

/**
 * Records of a slot as a draw has them: those below its checkpoint, the newest first, and how many came later.
 * @param withTotals whether their numbers are shown
 */
export async function readSlot(database: Database, caller: Caller, { station, contest, size }: { readonly station: string; readonly contest: string; readonly size: number }, withTotals: boolean): Promise<{ records: SlotRecord[]; later: number }> {
  const { held, later } = await database.transaction(caller, async (client) => {
    const { rows } = await client.query<Row>(
      `SELECT recap.hash, recap.entry, ledger_entry.at, bytes, photos, reason, device
       FROM recap JOIN ledger_entry ON index = recap.entry WHERE recap.station_code = $1 AND recap.contest = $2 ORDER BY recap.entry DESC`, [station, contest])
    const below = rows.filter(({ entry }) => entry < size)
    const held: { row: Row; recap: Recap | null; photos: SlotRecord['photos'] }[] = []
    for (const row of below) held.push({ row, recap: recapOf(row.bytes), photos: row.photos === null ? null : await readPhotosOf(client, row.photos) })
    return { held, later: rows.length - below.length }
  })
  const numbers = await deviceNumbers(database, held.flatMap(({ row }) => row.device ?? []))
  const replaced = new Set(held.flatMap(({ recap }) => (recap === null || recap.replaces === null ? [] : [hexOf(recap.replaces)])))
  const records = held.map(({ row, recap, photos }) => ({ ...shown(row, recap, withTotals), device: row.device === null ? null : numbers.get(row.device) ?? null, replaced: replaced.has(row.hash.toString('hex')), photos }))
  // What nothing corrects is what is compared.
  return { records: [...records.filter((record) => !record.replaced), ...records.filter((record) => record.replaced)], later }
}

function shown({ hash, entry, at, reason }: Row, recap: Recap | null, withTotals: boolean): Omit<SlotRecord, 'photos' | 'replaced' | 'device'> {
  const form = recap === null ? null : formOf(recap.contest, recap.ballot, recap.form)
  const fields = form?.ok === true ? form.value.fields : null
  return {
    hash: hash.toString('hex'), code: receiptCode(hash), entry, receivedAt: at.toISOString(), madeAt: recap === null ? null : new Date(recap.madeAt).toISOString(), reason,
    fields: fields === null ? null : [...fields], mustRead: fields === null ? [] : placesToRead({ fields }), totals: withTotals && recap !== null ? [...recap.totals] : null,
  }
}
