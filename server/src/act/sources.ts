import { actEntry, actEntryKind, outcomeEntry, writeActEntry, type ActEntry } from '@kawal/core/act/entry.ts'
import { sha256 } from '../ledger/cryptography.ts'
import type { NewEntry, Source } from '../ledger/ledger.ts'
import type { DatabaseWriting } from '../ledger/store.ts'
import { actColumns, outcomeColumns, readActRow, readOutcomeRow, type StoredAct, type StoredOutcome } from '../organisation/audit-store.ts'

/** What goes into the log of acts: each row of the audit, and what came of it once the act itself is there. */
export const actSources = (): readonly Source<DatabaseWriting>[] => [
  source<StoredAct>('audit', 'id', `SELECT ${actColumns} FROM audit WHERE entry IS NULL ORDER BY id LIMIT $1 FOR UPDATE`, (row) => actEntry(readActRow(row), row.salt, sha256)),
  source<StoredOutcome & { readonly method: string; readonly path: string; readonly entry: number }>(
    'audit_outcome', 'audit_id',
    `SELECT ${outcomeColumns}, audit.method, audit.path, audit.entry FROM audit_outcome JOIN audit ON audit.id = audit_id WHERE audit_outcome.entry IS NULL AND audit.entry IS NOT NULL ORDER BY audit_id LIMIT $1 FOR UPDATE OF audit_outcome`,
    (row) => outcomeEntry(readOutcomeRow(row), row, row.salt, sha256)),
]

/** Rows that are not in the log yet, in their order; each is told where it went. */
function source<Row extends { readonly id: number }>(table: string, key: string, query: string, entryOf: (row: Row) => ActEntry): Source<DatabaseWriting> {
  let taken: number[] = []
  return {
    async take({ client }, max) {
      const { rows } = await client.query<Row>(query, [max])
      taken = rows.map(({ id }) => id)
      return rows.map((row): NewEntry => {
        const entry = entryOf(row)
        const bytes = writeActEntry(entry)
        return { name: Buffer.from(sha256(bytes)).toString('hex'), kind: actEntryKind(entry), bytes, carrier: null, key: null }
      })
    },
    placed: async ({ client }, first) => void (await client.query(`UPDATE ${table} SET entry = $1 + nth - 1 FROM unnest($2::bigint[]) WITH ORDINALITY AS taken (id, nth) WHERE ${table}.${key} = taken.id`, [first, taken])),
  }
}
