import type { Logger } from 'pino'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { endNow } from '../end-now.ts'
import { ProblemError } from '../problem.ts'
import { openLedger, type Ledger, type Source } from './ledger.ts'
import { openSigner, SignerRefused, signerFolder } from './signer.ts'
import { createLedgerStore, isLedgerEmpty, type DatabaseWriting, type LogTables } from './store.ts'

export interface LogSettings {
  /** Folder of the log's key and of what it signed last: not in the database, and not put back with it. */
  readonly folder: string
  /** Of a new log: where people find it, without a scheme. */
  readonly origin: string
}

interface LogNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly tables: LogTables
  readonly sources?: readonly Source<DatabaseWriting>[]
  readonly failed: (error: unknown) => void
  readonly fatal: (error: unknown) => void
  /** What whoever asks for a log that is stopped, or is none, is told. */
  readonly stopped: string
  readonly none: string
}

interface OpenedLog {
  /** Null where it is stopped, or none was asked for. */
  readonly ledger: Ledger | null
  /** @throws ProblemError not_ready */
  need(): Ledger
}

/** Opens a log of this server. Where it cannot go on everything else does: what is broken in the network is found all the same. */
export async function openLog(settings: LogSettings | undefined, { tables, failed, stopped, none, ...needs }: LogNeeds): Promise<OpenedLog> {
  let ledger: Ledger | null = null
  try {
    if (settings !== undefined) {
      const signer = await openSigner(signerFolder(settings.folder), settings.origin, await isLedgerEmpty(needs.database, tables))
      ledger = await openLedger({ store: createLedgerStore(needs.database, tables), signer, failed, ...needs })
    }
  } catch (error) {
    if (!(error instanceof SignerRefused)) throw error
    failed(error)
  }
  const why = settings === undefined ? none : stopped
  return {
    ledger,
    need() {
      if (ledger === null) throw new ProblemError('not_ready', why)
      return ledger
    },
  }
}

/** After an error of fsync nothing may be acknowledged any more. */
export const endWith = (log: Logger) => (error: unknown): void => {
  log.fatal(error)
  endNow()
}
