import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { startEmbedded } from '../adapters/postgres/embedded.ts'

export interface OpenDatabase {
  readonly ownerUrl: string
  readonly appPassword: string
  stop(): Promise<void>
}

/** The database a command works on: DATABASE_URL where it is set, else the embedded one. */
export async function openDatabase(folder: string | undefined): Promise<OpenDatabase> {
  const given = process.env['DATABASE_URL']
  const server = given === undefined ? await startEmbedded(resolve(folder ?? '.kawal')) : null
  const ownerUrl = server?.ownerUrl ?? (given as string)
  // The application's password follows from the owner's: no second secret to keep.
  const appPassword = createHash('sha256').update(`kawal_app ${new URL(ownerUrl).password}`).digest('hex')
  return { ownerUrl, appPassword, stop: async () => server?.stop() }
}
