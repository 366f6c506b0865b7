import type { RecapConflicts, StuckRecap, StuckRecaps } from '@kawal/contract/recap-overview.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { formOf } from '@kawal/core/recap/form.ts'
import { quarantineMends } from '@kawal/core/recap/judge.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import { slotsOf, type Held, type Side } from '@kawal/core/recap/slot.ts'
import { system, type Caller, type Database } from '../adapters/postgres/database.ts'
import { cursorOf, cursorText } from '../readiness/ask.ts'
import { recapOf } from './stored.ts'

export type StuckKind = StuckRecap['kind']
/** A record that is younger is on its way. */
const after_min: Readonly<Record<StuckKind, number>> = { quarantine: 0, delivery: 10, photos: 60 }

export interface Page { readonly area: string; readonly page: string | undefined; readonly limit: number }

interface StuckRow {
  readonly hash: Buffer; readonly entry: number; readonly station_code: string | null; readonly contest: string | null; readonly made_at: Date | null; readonly at: Date; readonly side: Side | null
  readonly reason: string | null; readonly detail: string | null; readonly tries: number; readonly next_try_at: Date | null; readonly kept: number | null; readonly listed: number | null
}

const where: Readonly<Record<StuckKind, string>> = {
  quarantine: 'reason IS NOT NULL', delivery: "reason IS NULL AND NOT delivered AND side = 'officer'",
  // of what was corrected nobody waits for the photos
  photos: 'reason IS NULL AND NOT recap.whole AND NOT EXISTS (SELECT FROM recap later WHERE later.replaces = recap.hash AND later.reason IS NULL AND later.station_code = recap.station_code AND later.contest = recap.contest AND later.side = recap.side)',
}

/** Records that do not get on, the oldest first. The indices of what is not done (0029 and 0031) hold nothing else. */
export async function readStuck(database: Database, caller: Caller, kind: StuckKind, { area, page, limit }: Page, hasReceiver: boolean, now: number): Promise<StuckRecaps> {
  const rows = await database.transaction(caller, async (client) => (await client.query<StuckRow>(
    `SELECT recap.hash, recap.entry, station_code, contest, made_at, at, side, reason, detail, tries, next_try_at, kept, listed
     FROM (SELECT * FROM recap JOIN ledger_entry ON index = recap.entry WHERE ${where[kind]} AND recap.entry > $1 AND at <= $2 AND ($3::text = '' OR station_code BETWEEN rpad($3, 13, '0') AND rpad($3, 13, '9')) ORDER BY recap.entry LIMIT $4) AS recap
     LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE kept_at IS NOT NULL)::integer AS kept, count(photo.size)::integer AS listed FROM photo_list LEFT JOIN photo_place ON list = photo_list.hash LEFT JOIN photo USING (sha256, size) WHERE photo_list.hash = photos HAVING count(photo_list.hash) > 0) AS its ON true
     ORDER BY recap.entry`, [cursorOf(page)?.[0] ?? -1, new Date(now - after_min[kind] * minute_ms), area, limit + 1])).rows)
  const shown = rows.slice(0, limit)
  return { now: new Date(now).toISOString(), kind, receiver: hasReceiver, after_min: after_min[kind], next: rows.length > limit ? cursorText([shown.at(-1)?.entry ?? 0, '']) : null, rows: shown.map((row) => stuckOf(kind, row)) }
}

function stuckOf(kind: StuckKind, row: StuckRow): StuckRecap {
  return {
    kind, hash: row.hash.toString('hex'), code: receiptCode(row.hash), station: row.station_code, contest: row.contest, madeAt: row.made_at?.toISOString() ?? null, since: row.at.toISOString(), side: row.side, reason: row.reason, detail: row.detail,
    mend: kind === 'delivery' ? 'receiver' : kind === 'photos' ? 'officer' : (quarantineMends as Readonly<Record<string, StuckRecap['mend']>>)[row.reason ?? ''] ?? 'update', tries: row.tries, nextTryAt: row.next_try_at?.toISOString() ?? null, photosKept: row.kept, photosListed: row.listed,
  }
}

interface HeldRow { readonly hash: Buffer; readonly station_code: string; readonly bytes: Buffer; readonly at: Date; readonly device: number }

/** A village at a time has them: `recap_count` says which. So many are looked through a page. */
const villages_max = 200

/** Slots with several officers' records that nothing corrects, by station; a page ends behind a village. What supervisors say is compared, and no conflict of KPU's. */
export async function readConflicts(database: Database, caller: Caller, { area, page, limit }: Page, asOf: number | null, now: number): Promise<RecapConflicts> {
  const after = cursorOf(page)?.[1] ?? ''
  const { villages, rows } = await database.transaction(caller, async (client) => {
    const counted = await client.query<{ village: string; conflicts: number }>(
      `SELECT village, sum(conflicts)::integer AS conflicts FROM recap_count WHERE conflicts > 0 AND village > $1 AND ($2::text = '' OR village BETWEEN rpad($2, 10, '0') AND rpad($2, 10, '9')) GROUP BY village ORDER BY village LIMIT $3`, [after, area, villages_max + 1])
    const villages: string[] = []
    let sum = 0
    for (const { village, conflicts } of counted.rows) {
      if (villages.length >= villages_max || (villages.length > 0 && sum + conflicts > limit)) break
      villages.push(village)
      sum += conflicts
    }
    const held = await client.query<HeldRow>(
      `SELECT recap.hash, station_code, bytes, at, device FROM recap JOIN ledger_entry ON index = recap.entry
       WHERE left(station_code, 10) = ANY($1) AND reason IS NULL AND side = 'officer' AND EXISTS (SELECT FROM recap other WHERE other.station_code = recap.station_code AND other.contest = recap.contest AND other.reason IS NULL AND other.side = recap.side AND other.hash <> recap.hash)`, [villages])
    return { villages: { shown: villages, more: counted.rows.length > villages.length }, rows: held.rows }
  })
  const numbers = await deviceNumbers(database, [...new Set(rows.map(({ device }) => device))])
  const known = new Map(rows.map((row) => [row.hash.toString('hex'), row]))
  const held = rows.flatMap((row): Held[] => {
    const recap = recapOf(row.bytes)
    return recap === null ? [] : [{ hash: row.hash.toString('hex'), recap, side: 'officer' }]
  })
  const slots = slotsOf(held).flatMap(({ station, contest, sides: { officer } }) => (officer?.state === 'conflict' ? [{ station, contest, ...officer }] : []))
  return {
    now: new Date(now).toISOString(), asOf: asOf === null ? null : new Date(asOf).toISOString(), next: villages.more ? cursorText([0, villages.shown.at(-1) ?? '']) : null,
    rows: slots.map(({ station, contest, sameTotals, chains }) => ({ station, contest, sameTotals, records: chains.flatMap(([head]) => (head === undefined ? [] : [recordOf(head, known.get(head.hash), numbers)])) })),
  }
}

function recordOf({ hash, recap }: Held, row: HeldRow | undefined, numbers: ReadonlyMap<number, number>): RecapConflicts['rows'][number]['records'][number] {
  const form = formOf(recap.contest, recap.ballot, recap.form)
  return {
    hash, code: receiptCode(Buffer.from(hash, 'hex')), madeAt: new Date(recap.madeAt).toISOString(), receivedAt: (row?.at ?? new Date(recap.madeAt)).toISOString(), device: row === undefined ? null : numbers.get(row.device) ?? null,
    totals: form.ok ? Object.fromEntries(form.value.fields.map((field, at) => [field, recap.totals[at] ?? null])) : null,
  }
}

/** Which phone of its station each is: of devices the system alone reads. */
export async function deviceNumbers(database: Database, keys: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await database.transaction(system, (client) => client.query<{ key: number; number: number }>('SELECT key, number FROM device WHERE key = ANY($1)', [keys]))
  return new Map(rows.map(({ key, number }) => [key, number]))
}
