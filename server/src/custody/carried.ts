import type { Unsent, UnsentPhoto } from '@kawal/core/recap/sending.ts'
import { photo_kinds } from '@kawal/core/recap/photo.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { recapOf } from '../recap/stored.ts'
import type { Carried, CarriedStore } from './courier.ts'

/** So many of a kind are looked at for the next step. */
const look_max = 100
/** Of a record that this program cannot read: no list is its list. */
const no_list = Buffer.alloc(32)

interface PhotoRow { readonly hash: Buffer; readonly at: Date; readonly sha256: Buffer; readonly size: number; readonly kind: number; readonly sent: number }

function readUnsent(database: Database): Promise<Unsent[]> {
  return database.transaction(system, async (client) => {
    const records = await client.query<{ name: Buffer; at: Date }>(
      'SELECT name, at FROM ledger_entry LEFT JOIN carried ON hash = name WHERE kind = 1 AND receipt IS NULL AND refused IS NULL ORDER BY index LIMIT $1', [look_max])
    const lists = await client.query<{ hash: Buffer; at: Date }>(
      'SELECT carried.hash, at FROM carried JOIN photo_list ON photo_list.hash = list JOIN ledger_entry ON name = carried.hash WHERE receipt IS NOT NULL AND NOT listed ORDER BY index LIMIT $1', [look_max])
    const photos = await client.query<PhotoRow>(
      `SELECT carried.hash, at, photo.sha256, photo.size, photo_place.kind, coalesce(sent, 0) AS sent FROM carried
       JOIN ledger_entry ON name = carried.hash JOIN photo_place ON photo_place.list = carried.list JOIN photo USING (sha256, size) LEFT JOIN carried_photo USING (sha256, size)
       WHERE listed AND kept_at IS NOT NULL AND coalesce(sent, 0) < photo.size ORDER BY photo_place.kind, index LIMIT $1`, [look_max])
    return [
      ...records.rows.map(({ name, at }): Unsent => unsent(name, at, { isLogged: false })),
      ...lists.rows.map(({ hash, at }): Unsent => unsent(hash, at, { isListKept: false })),
      ...photos.rows.map((row): Unsent => unsent(row.hash, row.at, { photos: [photoOf(row)] })),
    ]
  })
}

const unsent = (hash: Buffer, at: Date, more: Partial<Unsent>): Unsent => ({ hash: hash.toString('hex'), madeAt: at.getTime(), isLogged: true, isListKept: true, photos: [], ...more })
const photoOf = ({ sha256, size, kind, sent }: PhotoRow): UnsentPhoto => ({ id: `${sha256.toString('hex')}-${size}`, kind: photo_kinds[kind] ?? 'original', size_bytes: size, offset: sent })

async function readKept(database: Database, hash: string): Promise<{ readonly bytes: Buffer; readonly key: Buffer | null }> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ bytes: Buffer; key: Buffer | null }>('SELECT bytes, key FROM ledger_entry WHERE name = $1', [Buffer.from(hash, 'hex')]))
  if (row === undefined) throw new Error(`record ${hash} is not here`)
  return row
}

async function readList(database: Database, hash: string): Promise<Buffer> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ bytes: Buffer }>('SELECT bytes FROM photo_list JOIN carried ON list = photo_list.hash WHERE carried.hash = $1', [Buffer.from(hash, 'hex')]))
  if (row === undefined) throw new Error(`the list of record ${hash} is not here`)
  return row.bytes
}

async function readCarried(database: Database, hash: string): Promise<string | null> {
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ receipt: string | null }>('SELECT receipt FROM carried WHERE hash = $1', [Buffer.from(hash, 'hex')]))
  return row?.receipt ?? null
}

const note = (database: Database, text: string, values: readonly unknown[]): Promise<void> => database.transaction(system, async (client) => void (await client.query(text, [...values])))
const listOf = (entry: Uint8Array): Uint8Array => recapOf(entry)?.photos ?? no_list

function noteCarried(database: Database, carried: Carried): Promise<void> {
  switch (carried.kind) {
    case 'receipt': return note(database, 'INSERT INTO carried (hash, list, receipt) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET receipt = $3', [Buffer.from(carried.hash, 'hex'), listOf(carried.entry), carried.receipt])
    case 'refused': return note(database, 'INSERT INTO carried (hash, list, refused) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET refused = $3', [Buffer.from(carried.hash, 'hex'), listOf(carried.entry), carried.why])
    case 'listed': return note(database, 'UPDATE carried SET listed = true WHERE hash = $1', [Buffer.from(carried.hash, 'hex')])
    case 'sent': return note(database, 'INSERT INTO carried_photo (sha256, size, sent) VALUES ($1, $2, $3) ON CONFLICT (sha256, size) DO UPDATE SET sent = $3', [Buffer.from(carried.photo.sha256, 'hex'), carried.photo.size, carried.offset])
  }
}

/** What the platform has of what is here, in the database. */
export const createCarriedStore = (database: Database): CarriedStore => ({
  unsent: () => readUnsent(database), kept: (hash) => readKept(database, hash), list: (hash) => readList(database, hash), receipt: (hash) => readCarried(database, hash), note: (carried) => noteCarried(database, carried),
})
