import { randomUUID } from 'node:crypto'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { system, type Database } from '@kawal/server/src/adapters/postgres/database.ts'
import { insertContact } from '@kawal/server/src/organisation/contacts.ts'

/** A new duty contact of an organisation. @returns its id */
export async function contactOf(database: Database, organisation: string, now: Instant): Promise<string> {
  const made = await database.transaction(system, (client) => insertContact(client, organisation, { name: `Piket ${randomUUID().slice(0, 8)}`, level: 1, email: null, phone: '+628110000001', language: 'id' }, now))
  if (made === null) throw new Error('a contact of a new name is new')
  return made.id
}
