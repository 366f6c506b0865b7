import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { contestDefaults, type Contests } from '@kawal/core/recap/judge.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { boxRoute } from '../custody/boxes.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { endWith, openLog, type LogSettings } from '../ledger/open.ts'
import { ledgerRoutes } from '../ledger/routes.ts'
import type { Watched } from '../ledger/witness-routes.ts'
import { deviceOf } from '../measurement/device.ts'
import { slotRoute } from './comparison-routes.ts'
import { createRecapCounts } from './counts.ts'
import { createDeliveryStore } from './deliveries.ts'
import { createForwarder, type ReceiverSettings } from './forwarder.ts'
import { createIntake } from './intake.ts'
import { createJudge } from './judge.ts'
import { createJudgeStore } from './judged.ts'
import { createSignatures, holdersIn } from './keys.ts'
import { createRecapLinks } from './links.ts'
import { photoFiles } from './photo-files.ts'
import { createPhotoStore } from './photo-store.ts'
import { photoRoutes } from './photo-routes.ts'
import { createPhotoLists } from './photos.ts'
import { recapRoutes, stationRecapRoute } from './routes.ts'
import { createSources } from './sources.ts'
import { readDelivery, readState } from './state.ts'

export interface RecapSettings extends LogSettings {
  /** Folder of photos. */
  readonly photos: string
  readonly contests?: Contests
  /** Records that count are handed to it; to nobody without it. */
  readonly receiver?: ReceiverSettings
}

export interface RecapOptions {
  readonly clock: () => Instant
  readonly log: Logger
  /** Recaps and their ledger; none are taken in without it. */
  readonly recaps?: RecapSettings
  /** What is on disk cannot be told any more; without it the process ends. */
  readonly fatal?: (error: unknown) => void
}

export interface Recaps {
  /** `NAME+ID+KEY` of the ledger; null where none is open. */
  readonly key: string | null
  /** Whom to believe, as phones take it: the ledger and a quorum of its witnesses; null where none are asked. */
  readonly policy: string | null
  /** @throws ProblemError where none is open */
  ledger(): Ledger
  /** The ledger, with whoever witnesses it; nothing where none is open. */
  readonly watched: readonly Watched[]
  routes(app: FastifyInstance): void
  /** Until when recaps are counted by village; null: not yet. */
  countedAt(): Instant | null
  /** Until when it is known how records of a phone follow each other; null: not yet. */
  linkedAt(): Instant | null
  /** What runs by the clock: enrolments into the ledger, and what waits to be judged. */
  turn(): Promise<void>
  /** Resolves when everything that came is in the ledger and judged. */
  idle(): Promise<void>
}

/** An enrolment is in the log within this. */
const turn_ms = 2_000

/** Recaps and their ledger. Where the ledger cannot go on everything else does: what is broken in the network is found all the same. */
export async function openRecaps({ clock, log, recaps: settings, fatal = endWith(log) }: RecapOptions, database: Database, secret: Buffer, ends: (() => Promise<void>)[]): Promise<Recaps> {
  const failed = (error: unknown): void => log.error(error)
  const { ledger, need: open, witnessing } = await openLog(settings, {
    database, clock, tables: 'ledger', sources: createSources(), failed, fatal, none: 'This server keeps no ledger, and takes no recaps.', stopped: 'The ledger is stopped until people have looked at it. Keep the record: it is sent again by itself.',
  })
  const contests = settings?.contests ?? contestDefaults
  const signatures = createSignatures()
  const judge = createJudge({ store: createJudgeStore(database), clock, contests, signatures, failed })
  const forwarder = settings?.receiver === undefined ? null : createForwarder({ store: createDeliveryStore(database), clock, receiver: settings.receiver, failed })
  const intake = createIntake({ holders: holdersIn(database), ledger: open, signatures })
  const counts = createRecapCounts({ database, clock })
  const links = createRecapLinks({ database, clock })
  let turned = -Infinity
  let turning: Promise<void> | null = null
  const turn = async (log: Ledger): Promise<void> => {
    await log.turn()
    await judge.turn()
    await counts.turn().catch(failed)
    await links.turn().catch(failed)
    await forwarder?.turn()
  }
  const idle = async (): Promise<void> => {
    await turning
    await ledger?.idle()
    await judge.idle()
    await witnessing?.idle()
  }
  ends.push(idle)
  return {
    idle,
    ledger: open,
    countedAt: counts.asOf,
    linkedAt: links.asOf,
    key: ledger === null ? null : formatVerifierKey(ledger.key),
    policy: witnessing?.policy ?? null,
    watched: ledger === null ? [] : [{ ledger, witnessing }],
    routes(app) {
      ledgerRoutes(app, open, { witnessing })
      boxRoute(app, { database, clock, device: (request) => deviceOf(request, secret) })
      // In a scope of their own: nobody else takes bodies of these types.
      void app.register((scope, _, done) => {
        const admit = (request: FastifyRequest): number => deviceOf(request, secret).key
        const lists = createPhotoLists(database)
        recapRoutes(scope, { lists, stateOf: (hash) => readState(database, hash), deliveryOf: (hash) => readDelivery(database, hash), admit, clock, ledger: open, witnessing, intake, taken: () => void judge.turn() })
        stationRecapRoute(scope, { database, contests })
        slotRoute(scope, { database, clock, contests, receiptOf: (index) => open().receipt(index) })
        photoRoutes(scope, { lists, admit, clock, store: createPhotoStore(photoFiles(settings?.photos ?? '')), fatal })
        done()
      })
    },
    turn(): Promise<void> {
      const now = clock()
      // By itself: nothing waits for a witness.
      void witnessing?.turn()
      if (turning !== null || ledger === null || now - turned < turn_ms) return turning ?? Promise.resolve()
      turned = now
      return (turning = turn(ledger).finally(() => (turning = null)))
    },
  }
}
