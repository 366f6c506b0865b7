import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { endWith, openLog, type LogSettings } from '../ledger/open.ts'
import { ledgerRoutes } from '../ledger/routes.ts'
import type { Watched } from '../ledger/witness-routes.ts'
import { knowledgeRoute } from './knowledge.ts'
import { programFacts } from './program.ts'
import { proofRoute } from './proof.ts'
import { actSources } from './sources.ts'
import { startFacts, writeStart, type StartSettings } from './started.ts'

interface ActSettings extends LogSettings {
  /** The user of the machine who starts the server. */
  readonly startedBy: string | null
}

export interface ActOptions extends StartSettings {
  readonly clock: () => Instant
  readonly log: Logger
  /** The log of acts; none is kept without it, and the audit waits for one. */
  readonly acts?: ActSettings
  /** What is on disk cannot be told any more; without it the process ends. */
  readonly fatal?: (error: unknown) => void
}

export interface Acts {
  /** The log, with whoever witnesses it; nothing where none is open. */
  readonly watched: readonly Watched[]
  routes(app: FastifyInstance): void
  /** Takes what was done since into the log. */
  turn(): Promise<void>
  /** Resolves when what was begun is done. */
  idle(): Promise<void>
}

/** An act is in the log within this. */
const turn_ms = 2_000

/**
 * The log of what staff, systems and commands do. It stands beside the ledger of recaps, with a key of its own, and goes on where that is stopped. Its
 * first act is that the server starts, and with what.
 */
export async function openActs({ clock, log, acts: settings, fatal = endWith(log), ...started }: ActOptions, database: Database, ends: (() => Promise<void>)[]): Promise<Acts> {
  if (settings !== undefined) await writeStart(database, clock(), { ...programFacts(), ...startFacts(started) }, settings.startedBy)
  const { ledger, need, witnessing } = await openLog(settings, {
    database, clock, tables: 'act_log', sources: actSources(), failed: (error) => log.error(error), fatal,
    none: 'This server keeps no log of acts.', stopped: 'The log of acts is stopped until people have looked at it. What is done meanwhile is in the audit, and waits.',
  })
  let turned = -Infinity
  let turning: Promise<void> | null = null
  // What was done last is in the log before the server ends.
  ends.push(async () => void (await ledger?.turn()))
  return {
    idle: async () => void (await Promise.all([turning, witnessing?.idle()])),
    watched: ledger === null ? [] : [{ ledger, witnessing }],
    routes(app) {
      ledgerRoutes(app, need, { prefix: '/acts', witnessing })
      proofRoute(app, { database, ledger: need })
      knowledgeRoute(app, { database })
    },
    turn(): Promise<void> {
      const now = clock()
      // By itself: nothing waits for a witness.
      void witnessing?.turn()
      if (turning !== null || ledger === null || now - turned < turn_ms) return turning ?? Promise.resolve()
      turned = now
      return (turning = ledger.turn().finally(() => (turning = null)))
    },
  }
}
