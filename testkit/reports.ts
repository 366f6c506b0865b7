import { readReports, type StoredReport } from '@kawal/server/src/journal/read.ts'
import type { Database } from '@kawal/server/src/adapters/postgres/database.ts'

/** Every report that the database's journal holds, in the order in which they were kept; of one device or station where that is given. */
export async function storedReports(database: Database, wanted: { readonly device?: number; readonly station?: string } = {}): Promise<StoredReport[]> {
  const found: StoredReport[] = []
  for await (const report of readReports(database, wanted)) found.push(report)
  return found
}
