import { entryKind, readEntry, writeEntry, type Entry } from '@kawal/core/recap/entry.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { sha256 } from '../ledger/cryptography.ts'
import type { NewEntry, Source } from '../ledger/ledger.ts'
import type { DatabaseWriting } from '../ledger/store.ts'

interface DeviceRow { readonly row: string; readonly key: number; readonly id: string; readonly station_code: string; readonly public_key: Buffer; readonly role: Side; readonly enrolled_at: Date; readonly revoked_at: Date; readonly revoked_reason: string }
interface DrawRow { readonly row: string; readonly bytes: Buffer }
interface AuditorRow { readonly row: string; readonly public_key: Buffer; readonly organisation_id: string; readonly name: string; readonly enrolled_at: Date; readonly withdrawn_at: Date }
interface DeliveryRow { readonly row: string; readonly hash: Buffer; readonly status: number; readonly answer: Buffer; readonly at: Date }

const deviceOf = ({ id }: DeviceRow): Uint8Array => Buffer.from(id.replaceAll('-', ''), 'hex')

/**
 * What else goes into the ledger: keys that were enrolled, each as whose it is, keys that were revoked (nobody can make a phone count, or not count, unseen), what the
 * receiver answered, and draws with the keys of those who compare them.
 */
export const createSources = (): readonly Source<DatabaseWriting>[] => [
  source<DeviceRow>('device', 'entry', 'key', 'public_key IS NOT NULL AND entry IS NULL', (row) => ({ kind: row.role === 'officer' ? 'enrolment' : 'supervision', device: deviceOf(row), station: row.station_code, publicKey: row.public_key, at: row.enrolled_at.getTime() })),
  // One that the log does not know is not revoked in it either.
  source<DeviceRow>('device', 'revocation_entry', 'key', 'revoked_at IS NOT NULL AND revocation_entry IS NULL AND entry IS NOT NULL', (row) => ({ kind: 'revocation', device: deviceOf(row), at: row.revoked_at.getTime(), reason: row.revoked_reason })),
  source<DeliveryRow>('delivery', 'entry', 'at', 'entry IS NULL', (row) => ({ kind: 'delivery', recap: row.hash, status: row.status, answer: sha256(row.answer), at: row.at.getTime() })),
  source<DrawRow>('draw', 'entry', 'at', 'entry IS NULL', ({ bytes }) => drawOf(bytes)),
  source<AuditorRow>('auditor_key', 'entry', 'enrolled_at', 'entry IS NULL', (row) => auditorOf(row, true)),
  source<AuditorRow>('auditor_key', 'withdrawal_entry', 'withdrawn_at', 'withdrawn_at IS NOT NULL AND withdrawal_entry IS NULL AND entry IS NOT NULL', (row) => auditorOf(row, false)),
]

function drawOf(bytes: Uint8Array): Entry {
  const read = readEntry(bytes)
  if (!read.ok) throw new Error(`a draw that was kept is no entry: ${read.error}`)
  return read.value
}

const auditorOf = ({ public_key, organisation_id, name, enrolled_at, withdrawn_at }: AuditorRow, isEnrolled: boolean): Entry =>
  ({ kind: 'auditor', publicKey: public_key, isEnrolled, organisation: organisation_id, by: name, at: (isEnrolled ? enrolled_at : withdrawn_at).getTime() })

/** Rows that are not in the ledger yet, in an order of theirs; each is told where it went. */
function source<Row extends { readonly row: string; readonly key?: number }>(table: string, column: string, order: string, where: string, entryOf: (row: Row) => Entry): Source<DatabaseWriting> {
  /** What was taken, in its order: places in the table do not change within a transaction. */
  let taken: string[] = []
  return {
    async take({ client }, max) {
      const { rows } = await client.query<Row>(`SELECT *, ctid::text AS row FROM ${table} WHERE ${where} ORDER BY ${order} LIMIT $1 FOR UPDATE`, [max])
      taken = rows.map(({ row }) => row)
      return rows.map((row): NewEntry => {
        const entry = entryOf(row)
        const bytes = writeEntry(entry)
        return { name: Buffer.from(sha256(bytes)).toString('hex'), kind: entryKind(entry), bytes, carrier: row.key ?? null, key: null }
      })
    },
    placed: async ({ client }, first) => void (await client.query(`UPDATE ${table} SET ${column} = $1 + nth - 1 FROM unnest($2::text[]) WITH ORDINALITY AS taken (row, nth) WHERE ${table}.ctid = taken.row::tid`, [first, taken])),
  }
}
