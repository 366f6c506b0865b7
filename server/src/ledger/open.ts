import type { Logger } from 'pino'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Policy } from '@kawal/core/ledger/policy.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { endNow } from '../end-now.ts'
import { ProblemError } from '../problem.ts'
import { openLedger, type Ledger, type Source } from './ledger.ts'
import { openSigner, SignerRefused, signerFolder } from './signer.ts'
import { createLedgerStore, isLedgerEmpty, witnessedIn, type DatabaseWriting, type LogTables } from './store.ts'
import { createWitnessing, type Witnessing } from './witnessing.ts'

export interface LogSettings {
  /** Folder of the log's key and of what it signed last: not in the database, and not put back with it. */
  readonly folder: string
  /** Of a new log: where people find it, without a scheme. */
  readonly origin: string
  /** Witnesses of the log, each with an address, and how many of them must have seen a checkpoint; none are asked without it. */
  readonly witnesses?: Policy
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
  /** Null where no witnesses are asked. */
  readonly witnessing: Witnessing | null
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
  const witnessing = ledger === null || settings?.witnesses === undefined ? null : await createWitnessing({ ledger, policy: settings.witnesses, store: witnessedIn(needs.database), clock: needs.clock, failed })
  const why = settings === undefined ? none : stopped
  return {
    ledger,
    witnessing,
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
