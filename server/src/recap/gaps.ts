import type pg from 'pg'
import type { GapCounts, platformGapKinds, RecapGap, RecapGaps } from '@kawal/contract/completeness.ts'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { quarantineMends } from '@kawal/core/recap/judge.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { cursorOf, cursorText } from '../readiness/ask.ts'
import type { Due } from './due.ts'
import type { Page } from './stuck.ts'

export type PlatformGapKind = (typeof platformGapKinds)[number]

interface GapsNeeds { readonly database: Database; readonly due: Due; readonly contests: readonly string[]; readonly hasReceiver: boolean }

interface Row {
  readonly entry: number; readonly station: string | null; readonly contest: string | null; readonly hash: Buffer | null; readonly kid: Buffer | null; readonly sequence: number | null; readonly until: number | null
  readonly detail: string | null; readonly records: number | null; readonly since: Date | null
}

/** Codes of one area: all digits. The second parameter is the area. */
const within = (column: string): string => `($2::text = '' OR ${column} BETWEEN rpad($2, 13, '0') AND rpad($2, 13, '9'))`
const nothing = 'NULL::bytea AS kid, NULL::integer AS sequence, NULL::integer AS until'
const newest = 'NOT EXISTS (SELECT FROM recap later WHERE later.replaces = recap.hash AND later.reason IS NULL AND later.station_code = recap.station_code AND later.contest = recap.contest)'
/** A record that is younger is on its way; what is in quarantine waits for people. */
const after_min: Readonly<Partial<Record<PlatformGapKind, number>>> = { undelivered: 10, photos: 60 }
const ofRecaps = (where: string): string => `
  SELECT recap.entry, station_code AS station, contest, hash, ${nothing}, reason AS detail, NULL::integer AS records, ledger_entry.at AS since
  FROM recap JOIN ledger_entry ON index = recap.entry WHERE ${where} AND recap.entry < $1 AND ${within('station_code')} AND ledger_entry.at <= $4 ORDER BY recap.entry DESC LIMIT $3`
const ofLinks = (columns: string, where: string): string => `
  SELECT link.entry, station_code AS station, NULL AS contest, kid, ${columns}, NULL::integer AS records, at AS since
  FROM recap_link link JOIN ledger_entry ON index = link.entry WHERE ${where} AND link.entry < $1 AND ${within('station_code')} AND $4::timestamptz IS NOT NULL ORDER BY link.entry DESC LIMIT $3`
const queries: Readonly<Record<Exclude<PlatformGapKind, 'empty'>, string>> = {
  custody: `SELECT device AS entry, station_code AS station, NULL AS contest, NULL::bytea AS hash, ${nothing}, origin AS detail, records, oldest_at AS since
    FROM custody_box WHERE records > 0 AND device < $1 AND ${within('station_code')} AND $4::timestamptz IS NOT NULL ORDER BY device DESC LIMIT $3`,
  // Of several that name the same the first is told; numbers before it, down to the last that is known, lack too.
  missing: ofLinks("previous AS hash, coalesce((SELECT max(sequence) FROM recap_link before WHERE before.kid = link.kid AND before.sequence < link.sequence - 1), 0) + 1 AS sequence, sequence - 1 AS until, encode(hash, 'hex') AS detail",
    'NOT follows AND NOT EXISTS (SELECT FROM recap_link other WHERE NOT other.follows AND other.previous = link.previous AND other.entry < link.entry)'),
  branch: ofLinks("hash, sequence, NULL::integer AS until, (SELECT encode(first.hash, 'hex') FROM recap_link first WHERE first.kid = link.kid AND first.sequence = link.sequence ORDER BY entry LIMIT 1) AS detail", 'again'),
  quarantine: ofRecaps('reason IS NOT NULL'),
  undelivered: ofRecaps('reason IS NULL AND NOT delivered'),
  photos: ofRecaps(`reason IS NULL AND NOT recap.whole AND ${newest}`),
}
const mends: Readonly<Record<Exclude<PlatformGapKind, 'quarantine'>, RecapGap['mend']>> = { custody: 'box', missing: 'officer', branch: 'paper', undelivered: 'receiver', photos: 'officer', empty: 'officer' }

/** Lines of one kind. The indices of what lacks hold nothing else, so a page is read at once however large the ledger is. */
export async function readGaps(needs: GapsNeeds, caller: Caller, kind: PlatformGapKind, page: Page, now: number): Promise<RecapGaps> {
  const read = kind === 'empty' ? await readEmpty(needs, caller, page, now) : kind === 'undelivered' && !needs.hasReceiver ? { next: null, rows: [] } : await readKind(needs, caller, kind, page, now)
  return { now: new Date(now).toISOString(), kind, ...read }
}

type Read = Pick<RecapGaps, 'next' | 'rows'>

async function readKind({ database }: GapsNeeds, caller: Caller, kind: Exclude<PlatformGapKind, 'empty'>, { area, page, limit }: Page, now: number): Promise<Read> {
  const before = cursorOf(page)?.[0] ?? Number.MAX_SAFE_INTEGER
  const rows = await database.transaction(caller, async (client) => (await client.query<Row>(queries[kind], [kind === 'custody' ? Math.min(before, 2_147_483_647) : before, area, limit + 1, new Date(now - (after_min[kind] ?? 0) * minute_ms)])).rows)
  const shown = rows.slice(0, limit)
  return { next: rows.length > limit ? cursorText([shown.at(-1)?.entry ?? 0, '']) : null, rows: shown.map((row) => gapOf(kind, row)) }
}

const gapOf = (kind: Exclude<PlatformGapKind, 'empty'>, { station, contest, hash, kid, sequence, until, detail, records, since }: Row): RecapGap => ({
  kind, mend: kind === 'quarantine' ? (quarantineMends as Readonly<Record<string, RecapGap['mend']>>)[detail ?? ''] ?? 'update' : mends[kind], station, contest, hash: hash?.toString('hex') ?? null, code: hash === null ? null : receiptCode(hash),
  phone: kid?.toString('hex') ?? null, sequence, until, detail, records, since: since?.toISOString() ?? null,
})

/** Stations that are looked up at once, and so many times a page: of a country where all came nobody waits for its end. */
const chunk_stations = 2_000
const chunks_max = 20

/** Slots of stations where voting has ended, of which no record came; a page ends behind a station, and may be short or empty though there are more. */
async function readEmpty({ database, due, contests }: GapsNeeds, caller: Caller, { area, page, limit }: Page, now: number): Promise<Read> {
  let after = cursorOf(page)?.[1] ?? ''
  const asked = await clampArea(database, caller, area)
  const rows: RecapGap[] = []
  if (asked === null) return { next: null, rows }
  for (let nth = 0; nth < chunks_max; nth++) {
    const stations: string[] = []
    for (const { code } of due.ended(asked, after, now)) {
      stations.push(code)
      if (stations.length === chunk_stations) break
    }
    const there = await database.transaction(caller, (client) => recordedSlots(client, stations))
    for (const station of stations) {
      if (rows.length >= limit) return { next: cursorText([0, after]), rows }
      for (const contest of contests) if (!there.has(`${station} ${contest}`)) rows.push({ kind: 'empty', mend: 'officer', station, contest, hash: null, code: null, phone: null, sequence: null, until: null, detail: null, records: null, since: null })
      after = station
    }
    if (stations.length < chunk_stations) return { next: null, rows }
  }
  return { next: cursorText([0, after]), rows }
}

async function recordedSlots(client: pg.ClientBase, stations: readonly string[]): Promise<Set<string>> {
  const { rows } = await client.query<{ slot: string }>("SELECT DISTINCT station_code || ' ' || contest AS slot FROM recap WHERE station_code = ANY($1) AND contest IS NOT NULL", [stations])
  return new Set(rows.map(({ slot }) => slot))
}

/** What of an area somebody may see: a helpdesk its own, since all else would look empty to it. @returns null for nothing of it */
export async function clampArea(database: Database, caller: Caller, area: string): Promise<string | null> {
  if (caller.role !== 'helpdesk') return area
  const own = await database.transaction(caller, async (client) => (await client.query<{ area: string | null }>('SELECT kawal_helpdesk_area() AS area')).rows[0]?.area ?? '')
  return area.startsWith(own) ? area : own.startsWith(area) ? own : null
}

interface Counted { readonly area: string; readonly kind: 'custody' | 'missing' | 'branch'; readonly count: number }

/** Of an area, what is not among the counts by village: by the areas of so many digits in it. */
export async function countGaps(database: Database, caller: Caller, area: string, digits: number): Promise<{ readonly counted: readonly Counted[]; readonly entries: number; readonly boxes: number }> {
  const inArea = "($1::text = '' OR station_code BETWEEN rpad($1, 13, '0') AND rpad($1, 13, '9'))"
  return database.transaction(caller, async (client) => {
    const { rows } = await client.query<Counted>(
      `SELECT left(station_code, $2::integer) AS area, 'missing' AS kind, count(DISTINCT previous)::integer AS count FROM recap_link WHERE NOT follows AND ${inArea} GROUP BY 1
       UNION ALL SELECT left(station_code, $2::integer), 'branch', count(*)::integer FROM recap_link WHERE again AND ${inArea} GROUP BY 1
       UNION ALL SELECT left(station_code, $2::integer), 'custody', sum(records)::integer FROM custody_box WHERE records > 0 AND ${inArea} GROUP BY 1`, [area, digits])
    const { rows: [there] } = await client.query<{ entries: number; boxes: number }>(
      `SELECT (SELECT coalesce(max(entry), -1) FROM recap_link)::integer + 1 AS entries, (SELECT count(*)::integer FROM custody_box WHERE ${inArea}) AS boxes`, [area])
    return { counted: rows, entries: there?.entries ?? 0, boxes: there?.boxes ?? 0 }
  })
}

export const noGaps = (): { -readonly [Kind in keyof GapCounts]: GapCounts[Kind] } => ({ custody: 0, missing: 0, branch: 0, quarantine: 0, undelivered: 0, photos: 0, empty: 0 })
