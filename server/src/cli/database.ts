import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { attachEmbedded, startEmbedded, type EmbeddedPostgres } from '../adapters/postgres/embedded.ts'
import { endNow } from '../end-now.ts'

export interface OpenDatabase {
  readonly ownerUrl: string
  readonly appPassword: string
  /** Another process of ours runs it: a server that shows what it read when it started. */
  readonly joined: boolean
  stop(): Promise<void>
}

/** The database a server works on: DATABASE_URL where it is set, else an embedded one of its own. */
export function openDatabase(folder: string | undefined): Promise<OpenDatabase> {
  return open(async () => ({ server: await startEmbedded(resolve(folder ?? '.kawal')), joined: false }))
}

/** The database a short command works on: the same, and beside a running server that one's. */
export function joinDatabase(folder: string | undefined): Promise<OpenDatabase> {
  const data = resolve(folder ?? '.kawal')
  return open(async () => {
    const running = attachEmbedded(data)
    return running === null ? { server: await startEmbedded(data), joined: false } : { server: running, joined: true }
  })
}

async function open(embedded: () => Promise<{ server: EmbeddedPostgres; joined: boolean }>): Promise<OpenDatabase> {
  const given = process.env['DATABASE_URL']
  const own = given === undefined ? await embedded() : null
  void own?.server.died.then(endWithDatabase)
  const ownerUrl = own?.server.ownerUrl ?? (given as string)
  // The application's password follows from the owner's: no second secret to keep.
  const appPassword = createHash('sha256').update(`kawal_app ${new URL(ownerUrl).password}`).digest('hex')
  return { ownerUrl, appPassword, joined: own?.joined ?? false, stop: async () => own?.server.stop() }
}

/** Without its database a server can keep nothing: it ends, and says so, rather than refuse one report after the other. */
function endWithDatabase(): void {
  process.stderr.write('The database ended under this program. Nothing that was acknowledged is lost. See why in the log of the system (disk, memory), then start again.\n')
  endNow()
}
