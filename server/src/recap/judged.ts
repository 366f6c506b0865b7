import type pg from 'pg'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { figuresHash } from './figures.ts'
import { recap_kind } from './intake.ts'
import type { Judged, JudgeStore } from './judge.ts'
import { readHolders } from './keys.ts'

/** What each record came to, in the database. */
export function createJudgeStore(database: Database): JudgeStore {
  const kept = async (query: string, values: readonly unknown[]): Promise<{ readonly index: number; readonly bytes: Buffer }[]> =>
    (await database.transaction(system, (client) => client.query<{ index: number; bytes: Buffer }>(query, [...values]))).rows
  return {
    fresh: (max) => kept('SELECT index, bytes FROM ledger_entry WHERE kind = $1 AND index > (SELECT coalesce(max(entry), -1) FROM recap) ORDER BY index LIMIT $2', [recap_kind, max]),
    again: (until, max) => kept('SELECT index, bytes FROM recap JOIN ledger_entry ON index = entry WHERE reason IS NOT NULL AND judged_at <= $1 ORDER BY judged_at, entry LIMIT $2', [new Date(until), max]),
    judging: (work) => database.transaction(system, (client) => work({ holders: (kids) => readHolders(client, kids), stations: (codes) => knownStations(client, codes), write: (judged, now) => write(client, judged, now) })),
  }
}

async function knownStations(client: pg.ClientBase, codes: readonly string[]): Promise<Set<string>> {
  const { rows } = await client.query<{ code: string }>('SELECT code FROM station_now WHERE code = ANY($1)', [codes])
  return new Set(rows.map(({ code }) => code))
}

async function write(client: pg.ClientBase, judged: readonly Judged[], now: Instant): Promise<void> {
  const column = <T>(pick: (each: Judged) => T): T[] => judged.map(pick)
  await client.query(
    `INSERT INTO recap (hash, entry, station_code, contest, device, sequence, made_at, replaces, photos, reason, detail, side, figures, judged_at)
     SELECT *, $14::timestamptz FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::timestamptz[], $8::bytea[], $9::bytea[], $10::text[], $11::text[], $12::text[], $13::bytea[])
     ON CONFLICT (hash) DO UPDATE SET station_code = excluded.station_code, contest = excluded.contest, device = excluded.device, sequence = excluded.sequence, made_at = excluded.made_at, replaces = excluded.replaces,
       photos = excluded.photos, reason = excluded.reason, detail = excluded.detail, side = excluded.side, figures = excluded.figures, judged_at = excluded.judged_at WHERE recap.reason IS NOT NULL`,
    [
      column(({ hash }) => hash), column(({ index }) => index), column(({ recap }) => recap?.station ?? null), column(({ recap }) => recap?.contest ?? null), column(({ judgement }) => (judgement.ok ? judgement.device : null)),
      column(({ recap }) => recap?.sequence ?? null), column(({ recap }) => (recap === null ? null : new Date(recap.madeAt))), column(({ recap }) => recap?.replaces ?? null), column(({ recap }) => recap?.photos ?? null),
      column(({ judgement }) => (judgement.ok ? null : judgement.reason)), column(({ judgement }) => (judgement.ok ? null : judgement.detail)),
      column(({ judgement }) => judgement.side), column(({ recap }) => (recap === null ? null : figuresHash(recap))), new Date(now),
    ])
}
