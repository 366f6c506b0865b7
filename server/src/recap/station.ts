import type pg from 'pg'
import type { RecapRecord, StationRecaps } from '@kawal/contract/recap.ts'
import { hexOf } from '@kawal/core/recap/bytes.ts'
import { formOf, type Form } from '@kawal/core/recap/form.ts'
import type { Contests } from '@kawal/core/recap/judge.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { sides, slotsOf, type Side, type Slot } from '@kawal/core/recap/slot.ts'
import { checkTotals, slipsOf, type Warning } from '@kawal/core/recap/totals.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { readPhotosOf } from './photos.ts'
import { recapOf } from './stored.ts'

interface Row { readonly hash: Buffer; readonly entry: number; readonly at: Date; readonly bytes: Buffer; readonly photos: Buffer | null; readonly side: Side | null; readonly reason: string | null; readonly detail: string | null; readonly delivered_at: Date | null }

/** Everything that was handed in of a station: what counts, by slot and side, and what is in quarantine. */
export function readStation(database: Database, caller: Caller, station: string, contests: Contests): Promise<StationRecaps> {
  return database.transaction(caller, async (client) => {
    const { slots, records } = await readRecords(client, station, null, contests)
    return { station, slots: slots.flatMap(saySides), records }
  })
}

/** Records of a station or of one of its slots, in the ledger's order, and the slots that those which count make. */
export async function readRecords(client: pg.ClientBase, station: string, contest: string | null, contests: Contests): Promise<{ readonly slots: readonly Slot[]; readonly records: RecapRecord[] }> {
  const { rows } = await client.query<Row>(
    `SELECT recap.hash, recap.entry, ledger_entry.at, bytes, photos, side, reason, detail, delivery.at AS delivered_at FROM recap JOIN ledger_entry ON index = recap.entry LEFT JOIN delivery ON delivery.hash = recap.hash
     WHERE station_code = $1 AND ($2::text IS NULL OR contest = $2) ORDER BY recap.entry`, [station, contest])
  const read = rows.map((row) => ({ row, recap: recapOf(row.bytes) }))
  const counting = read.flatMap(({ row, recap }) => (row.reason === null && recap !== null && row.side !== null ? [{ hash: row.hash.toString('hex'), recap, side: row.side }] : []))
  const records: RecapRecord[] = []
  for (const { row, recap } of read) records.push({ ...shown(row, recap, contests), photos: row.photos === null ? null : await readPhotosOf(client, row.photos) })
  return { slots: slotsOf(counting), records }
}

/** Each side that has something. */
export function saySides({ contest, sides: of }: Slot): StationRecaps['slots'] {
  return sides.flatMap((side) => {
    const its = of[side]
    return its === null ? [] : [{ contest, side, state: its.state, sameTotals: its.sameTotals, chains: its.chains.map((chain) => chain.map(({ hash }) => hash)), loose: its.loose.map((each) => ({ ...each })) }]
  })
}

function shown({ hash, entry, at, side, reason, detail, delivered_at }: Row, recap: Recap | null, contests: Contests): Omit<RecapRecord, 'photos'> {
  const form = recap === null ? null : formOf(recap.contest, recap.ballot, recap.form)
  // The officer's own ceiling where the contest is not configured here.
  const judged = recap === null || form?.ok !== true ? { totals: null, warnings: [], slips: [] } : judgedBy(form.value, recap, contests[recap.contest]?.ceiling ?? recap.ceiling)
  return {
    hash: hash.toString('hex'), code: receiptCode(hash), entry, receivedAt: at.toISOString(), contest: recap?.contest ?? null, madeAt: recap === null ? null : new Date(recap.madeAt).toISOString(),
    replaces: recap === null || recap.replaces === null ? null : hexOf(recap.replaces), ...judged, side, reason, detail, deliveredAt: delivered_at?.toISOString() ?? null,
  }
}

function judgedBy(form: Form, { totals }: Recap, ceiling: number): Pick<RecapRecord, 'totals' | 'warnings' | 'slips'> {
  return {
    totals: Object.fromEntries(form.fields.map((field, at) => [field, totals[at] ?? null])),
    warnings: checkTotals(form, totals, ceiling).map(sayWarning),
    slips: slipsOf(form, totals, ceiling).map((slip) => ({ ...slip })),
  }
}

function sayWarning(warning: Warning): RecapRecord['warnings'][number] {
  const { kind } = warning
  switch (kind) {
    case 'fields': return { kind, field: null, value: warning.found, expected: warning.expected }
    case 'missing': return { kind, field: warning.field, value: null, expected: null }
    case 'sum': return { kind, field: warning.field, value: warning.value, expected: warning.sum }
    case 'same': return { kind, field: warning.field, value: warning.value, expected: warning.otherValue }
    case 'above':
    case 'ceiling': return { kind, field: warning.field, value: warning.value, expected: warning.limit }
  }
}
