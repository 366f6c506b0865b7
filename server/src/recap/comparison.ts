import type pg from 'pg'
import type { ComparedSlots, ComparisonCounts, RecapComparison } from '@kawal/contract/comparison.ts'
import { compareSlot, type ComparisonKind } from '@kawal/core/recap/comparison.ts'
import type { Contests } from '@kawal/core/recap/judge.ts'
import { receiptCode } from '@kawal/core/recap/receipt-code.ts'
import { sides, slotsOf, type Held, type Side } from '@kawal/core/recap/slot.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { cursorOf, cursorText } from '../readiness/ask.ts'
import type { Due } from './due.ts'
import { figuresHash } from './figures.ts'
import { below, within } from './overview.ts'
import { recapOf } from './stored.ts'
import type { Page } from './stuck.ts'

/** What is counted: a slot of which nothing is here is in no row of the database. */
type CountedKind = Exclude<ComparisonKind, 'neither'>

/** What each slot comes to; core/recap/comparison.ts says the same of records, and a test holds the two together. */
const compared = (where: string): string => `
  WITH held AS (
    SELECT station_code, contest, side, reason, figures,
      NOT EXISTS (SELECT FROM recap later WHERE later.replaces = recap.hash AND later.reason IS NULL AND later.station_code = recap.station_code AND later.contest = recap.contest AND later.side = recap.side) AS newest
    FROM recap WHERE ${where} AND contest IS NOT NULL),
  said AS (
    SELECT station_code, contest,
      array_agg(DISTINCT figures) FILTER (WHERE reason IS NULL AND newest AND side = 'officer') AS officer, array_agg(DISTINCT figures) FILTER (WHERE reason IS NULL AND newest AND side = 'supervisor') AS supervisor,
      bool_or(reason IS NOT NULL AND side IS DISTINCT FROM 'supervisor') AS officer_apart, bool_or(reason IS NOT NULL AND side IS DISTINCT FROM 'officer') AS supervisor_apart
    FROM held GROUP BY station_code, contest),
  compared AS (
    SELECT station_code, contest, CASE
      WHEN cardinality(officer) > 1 OR cardinality(supervisor) > 1 THEN 'conflict'
      WHEN officer = supervisor THEN 'agree'
      WHEN officer IS NOT NULL AND supervisor IS NOT NULL THEN 'differ'
      WHEN (officer IS NULL AND officer_apart) OR (supervisor IS NULL AND supervisor_apart) THEN 'quarantine'
      WHEN officer IS NOT NULL THEN 'officer_only' ELSE 'supervisor_only' END AS kind
    FROM said)`

/** So many are read at once. */
const unfigured_max = 1_000

/** Counts the slots of these villages anew (counts.ts). */
export async function compareVillages(client: pg.ClientBase, villages: readonly string[]): Promise<void> {
  while ((await workOut(client, villages)) === unfigured_max);
  await client.query('DELETE FROM comparison_count WHERE village = ANY($1)', [villages])
  await client.query(`${compared('left(station_code, 10) = ANY($1)')} INSERT INTO comparison_count (village, contest, kind, slots) SELECT left(station_code, 10), contest, kind, count(*) FROM compared GROUP BY 1, 2, 3`, [villages])
}

/** Records of an older program have no figures: they are worked out when there is something to hold them against. */
async function workOut(client: pg.ClientBase, villages: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ hash: Buffer; bytes: Buffer }>(
    `SELECT recap.hash, bytes FROM recap JOIN ledger_entry ON index = recap.entry WHERE left(station_code, 10) = ANY($1) AND reason IS NULL AND figures IS NULL
       AND EXISTS (SELECT FROM recap other WHERE other.station_code = recap.station_code AND other.contest = recap.contest AND other.reason IS NULL AND other.hash <> recap.hash) LIMIT $2`, [villages, unfigured_max])
  const worked = rows.map(({ hash, bytes }) => {
    const recap = recapOf(bytes)
    // what counts was read when it was judged
    if (recap === null) throw new Error(`the record ${hash.toString('hex')} counts and cannot be read`)
    return { hash, figures: figuresHash(recap) }
  })
  if (worked.length > 0) await client.query('UPDATE recap SET figures = worked.figures FROM unnest($1::bytea[], $2::bytea[]) AS worked (hash, figures) WHERE recap.hash = worked.hash', [worked.map(({ hash }) => hash), worked.map(({ figures }) => figures)])
  return rows.length
}

interface Needs {
  readonly database: Database
  readonly clock: () => number
  readonly due: Due
  readonly names: ReadonlyMap<string, string>
  /** In the order of the form's own. */
  readonly contests: Contests
  readonly asOf: () => number | null
}

interface Counted { readonly area: string; readonly contest: string; readonly kind: CountedKind; readonly slots: number }
type Sum = Record<CountedKind, number>

/** Sums of areas that are kept. */
const sums_max = 2_000

/** The comparison by the areas in one. Sums are kept until the villages' counts are made anew; the stations of a village are compared each time. */
export function createComparison(needs: Needs) {
  const sums = new Map<string, Promise<readonly Counted[]>>()
  let of: number | null = null
  const ask = (caller: Caller, text: string, values: readonly unknown[]): Promise<readonly Counted[]> => needs.database.transaction(caller, async (client) => (await client.query<Counted>(text, [...values])).rows)
  function sumsOf(caller: Caller, area: string, digits: number): Promise<readonly Counted[]> {
    if (digits === 13) return ask(caller, count_stations, [area])
    if (of !== needs.asOf() || sums.size >= sums_max) sums.clear()
    of = needs.asOf()
    const known = sums.get(area) ?? ask(caller, sum_villages, [area, digits])
    sums.set(area, known)
    known.catch(() => sums.delete(area))
    return known
  }
  return async (caller: Caller, area: string, contest: string | null): Promise<RecapComparison> => {
    const digits = below[area.length] ?? 13
    return shown(needs, await sumsOf(caller, area, digits), area, digits, contest)
  }
}

const sum_villages = `SELECT left(village, $2::integer) AS area, contest, kind, sum(slots)::integer AS slots FROM comparison_count WHERE ($1::text = '' OR ${within('village', 10)}) GROUP BY 1, 2, 3`
const count_stations = `${compared(within('station_code', 13))} SELECT station_code AS area, contest, kind, 1 AS slots FROM compared`

function shown({ clock, due, names, contests, asOf }: Needs, counted: readonly Counted[], area: string, digits: number, contest: string | null): RecapComparison {
  const now = clock()
  const { areas } = due.count(area, digits, now)
  const held = Object.keys(contests)
  const asked = contest === null ? held : held.filter((each) => each === contest)
  const [byArea, byContest, total] = [new Map<string, Sum>(), new Map<string, Sum>(), noSum()]
  for (const { area: at, contest: of, kind, slots } of counted) {
    if (!areas.has(at) || !held.includes(of)) continue
    sumOf(byContest, of)[kind] += slots
    if (contest !== null && of !== contest) continue
    sumOf(byArea, at)[kind] += slots
    total[kind] += slots
  }
  const stations = [...areas.values()].reduce((sum, each) => sum + each.stations, 0)
  const named = (code: string): { code: string; name: string } => ({ code, name: code === '' ? '' : names.get(code) ?? code })
  return {
    now: new Date(now).toISOString(), asOf: digits === 13 ? new Date(now).toISOString() : iso(asOf()), area: named(area), above: [2, 4, 6].filter((length) => length < area.length).map((length) => named(area.slice(0, length))), contest, stations,
    total: whole(total, stations * asked.length),
    contests: held.map((each) => ({ contest: each, ...whole(byContest.get(each) ?? noSum(), stations) })),
    rows: [...areas].map(([code, each]) => ({ ...named(code), stations: each.stations, ...whole(byArea.get(code) ?? noSum(), each.stations * asked.length) })),
  }
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())
const noSum = (): Sum => ({ agree: 0, differ: 0, officer_only: 0, supervisor_only: 0, conflict: 0, quarantine: 0 })
function sumOf(sums: Map<string, Sum>, key: string): Sum {
  const held = sums.get(key) ?? noSum()
  sums.set(key, held)
  return held
}
const whole = (sum: Sum, expected: number): ComparisonCounts => ({ expected, ...sum, neither: Math.max(0, expected - Object.values(sum).reduce((all, each) => all + each, 0)) })

interface SlotRow { readonly hash: Buffer; readonly station_code: string; readonly contest: string; readonly bytes: Buffer; readonly at: Date; readonly side: Side | null; readonly reason: string | null }

/** A village at a time has them: `comparison_count` says which. So many are looked through a page. */
const villages_max = 200

/** Slots that come to one thing, by station, each with what both sides say; a page ends behind a village. */
export async function readCompared({ database, clock, names, contests, asOf }: Needs, caller: Caller, kind: CountedKind, contest: string | null, { area, page, limit }: Page): Promise<ComparedSlots> {
  const { villages, rows } = await database.transaction(caller, async (client) => {
    const counted = await client.query<{ village: string; slots: number }>(
      `SELECT village, sum(slots)::integer AS slots FROM comparison_count WHERE kind = $4 AND ($5::text IS NULL OR contest = $5) AND village > $1 AND ($2::text = '' OR village BETWEEN rpad($2, 10, '0') AND rpad($2, 10, '9')) GROUP BY village ORDER BY village LIMIT $3`,
      [cursorOf(page)?.[1] ?? '', area, villages_max + 1, kind, contest])
    const villages: string[] = []
    let sum = 0
    for (const { village, slots } of counted.rows) {
      if (villages.length >= villages_max || (villages.length > 0 && sum + slots > limit)) break
      villages.push(village)
      sum += slots
    }
    const found = await client.query<SlotRow>(
      `${compared('left(station_code, 10) = ANY($1)')} SELECT recap.hash, station_code, contest, bytes, at, side, reason FROM compared JOIN recap USING (station_code, contest) JOIN ledger_entry ON index = recap.entry
       WHERE compared.kind = $2 AND ($3::text IS NULL OR contest = $3) ORDER BY station_code, contest, recap.entry`, [villages, kind, contest])
    return { villages: { shown: villages, more: counted.rows.length > villages.length }, rows: found.rows }
  })
  const bySlot = new Map<string, SlotRow[]>()
  for (const row of rows) bySlot.set(`${row.station_code} ${row.contest}`, [...(bySlot.get(`${row.station_code} ${row.contest}`) ?? []), row])
  return {
    now: new Date(clock()).toISOString(), asOf: iso(asOf()), kind, next: villages.more ? cursorText([0, villages.shown.at(-1) ?? '']) : null,
    rows: [...bySlot.values()].flatMap((its) => {
      const [first] = its
      return first === undefined ? [] : [{ station: first.station_code, place: placeOf(names, first.station_code), contest: first.contest, ...sayCompared(its, contests) }]
    }),
  }
}

const placeOf = (names: ReadonlyMap<string, string>, station: string): string => [10, 6, 4].flatMap((digits) => names.get(station.slice(0, digits)) ?? []).join(', ')

function sayCompared(rows: readonly SlotRow[], contests: Contests): Pick<ComparedSlots['rows'][number], 'kind' | 'isOtherForm' | 'differences' | 'records'> {
  const held = rows.flatMap(({ hash, bytes, side, reason }): Held[] => {
    const recap = reason === null && side !== null ? recapOf(bytes) : null
    return recap === null || side === null ? [] : [{ hash: hash.toString('hex'), recap, side }]
  })
  const [slot] = slotsOf(held)
  const { kind, isOtherForm, differences } = compareSlot(slot ?? null, new Set(rows.flatMap(({ side, reason }) => (reason === null ? [] : [side]))), contests)
  const heads = new Set(sides.flatMap((side) => slot?.sides[side]?.chains.flatMap(([head]) => head?.hash ?? []) ?? []))
  return {
    kind, isOtherForm, differences: differences.map((each) => ({ ...each })),
    records: rows.filter(({ hash, reason }) => reason !== null || heads.has(hash.toString('hex'))).map(({ hash, at, side, reason }) => ({ side, hash: hash.toString('hex'), code: receiptCode(hash), receivedAt: at.toISOString(), reason })),
  }
}
