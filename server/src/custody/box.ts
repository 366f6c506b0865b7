import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastify, { LogController, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { formatVerifierKey, readVerifierKey, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { claimUse } from '../claim-use.ts'
import { boundConnections, protocol } from '../connections.ts'
import { writeDurably } from '../durable.ts'
import { endNow } from '../end-now.ts'
import { sha256, verifyEd25519 } from '../ledger/cryptography.ts'
import { openLedger, type Ledger } from '../ledger/ledger.ts'
import { ledgerRoutes } from '../ledger/routes.ts'
import { openSigner, signerFolder } from '../ledger/signer.ts'
import { createLedgerStore, isLedgerEmpty } from '../ledger/store.ts'
import { answerNotFound, answerProblems } from '../problem.ts'
import { createIntake } from '../recap/intake.ts'
import { createSignatures, holdersIn } from '../recap/keys.ts'
import { photoFiles } from '../recap/photo-files.ts'
import { createPhotoStore } from '../recap/photo-store.ts'
import { photoRoutes } from '../recap/photo-routes.ts'
import { createPhotoLists } from '../recap/photos.ts'
import { recapRoutes } from '../recap/routes.ts'
import { readState } from '../recap/state.ts'
import { createBearer } from './bearer.ts'
import { createCarriedStore } from './carried.ts'
import { createCourier } from './courier.ts'
import { loggedRoute } from './logged.ts'
import { createTelling } from './telling.ts'

interface BoxOptions {
  /** Its own, migrated; whoever opened it closes it. */
  readonly database: Database
  readonly clock: () => Instant
  readonly log: Logger
  readonly host: string
  readonly port: number
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Keys: of the box's own log, of its enrolment, and the platform's. */
  readonly folder: string
  readonly photos: string
  /** Of a new log: its name for ever. */
  readonly origin: string
  /** The platform, without a slash at the end. */
  readonly up: string
  /** As whom the box is enrolled there. */
  readonly station: string
  readonly code: string
}

export interface Box {
  readonly url: string
  /** Enrols at the platform and takes its ledger's key, before there is anything to carry. @returns whether it answered. @throws EnrolmentRefused */
  meet(): Promise<boolean>
  /** Carries what there is to carry. */
  turn(): Promise<void>
  idle(): Promise<void>
  stop(): Promise<void>
}

/** Pages of the platform ask here, from another address: nothing here needs a log-in, and everything is signed. */
const anybody = {
  'access-control-allow-origin': '*', 'access-control-allow-private-network': 'true', 'access-control-max-age': '86400',
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, OPTIONS', 'access-control-allow-headers': 'content-type, recap-key, tus-resumable, upload-length, upload-metadata, upload-offset, authorization',
  'access-control-expose-headers': 'location, retry-after, tus-resumable, upload-length, upload-offset', 'cross-origin-resource-policy': 'cross-origin',
}

/**
 * The box at an access point: phones unload here in seconds over its own network, and it carries on over the line that it shares. It keeps records as
 * the platform does, in a log of its own whose proofs are receipts of custody, asks nobody who he is, and judges nothing: whether a key counts, only the
 * platform knows.
 */
export async function startBox(options: BoxOptions): Promise<Box> {
  const ends: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    return { ...await assemble(options, ends), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function assemble(options: BoxOptions, ends: (() => Promise<unknown>)[]): Promise<Omit<Box, 'stop'>> {
  const { database, clock, log, folder, up } = options
  await claimUse(database, 'custody')
  const failed = (error: unknown): void => log.error(error)
  const fatal = (error: unknown): void => {
    log.fatal(error)
    endNow()
  }
  const signer = await openSigner(signerFolder(folder), options.origin, await isLedgerEmpty(database))
  const ledger: Ledger = await openLedger({ store: createLedgerStore(database), signer, clock, failed, fatal })
  ends.push(() => ledger.idle())
  const store = createPhotoStore(photoFiles(options.photos))
  const bearer = await createBearer({ folder, up, station: options.station, code: options.code })
  const prover = createProver(folder, up)
  const carried = createCarriedStore(database)
  const tell = createTelling({ database, clock, up, bearer, origin: ledger.key.name, key: formatVerifierKey(ledger.key) })
  const courier = createCourier({ carried, clock, store, up, bearer, tell, proves: prover.proves, failed })
  ends.push(() => courier.idle())
  const app = buildHttp(options)
  ends.push(() => app.close())
  ledgerRoutes(app, () => ledger)
  const admit = (): null => null
  void app.register((scope, _, done) => {
    const lists = createPhotoLists(database)
    recapRoutes(scope, { lists, stateOf: (hash) => readState(database, hash), deliveryOf: () => Promise.resolve(null), admit, clock, ledger: () => ledger, intake: createIntake({ holders: holdersIn(database), ledger: () => ledger, signatures: createSignatures() }), taken: () => void courier.turn() })
    photoRoutes(scope, { lists, admit, clock, store, fatal })
    done()
  })
  loggedRoute(app, carried)
  const url = await app.listen({ host: options.host, port: options.port })
  return { url, meet: async () => (await bearer.token()) !== null && (await prover.meet()), turn: courier.turn, idle: courier.idle }
}

function buildHttp({ log, tls }: BoxOptions): FastifyInstance {
  const app = fastify({ loggerInstance: log as never, logController: new LogController({ disableRequestLogging: true }), forceCloseConnections: true, ...protocol(tls) }) as unknown as FastifyInstance
  boundConnections(app)
  answerProblems(app)
  answerNotFound(app)
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(anybody)
    // The browser asks before each request; tus asks in the same way what we can, and is told both.
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) return reply.code(204).send()
  })
  return app
}

interface Prover {
  /** Whether this is a receipt of this record, by the platform's ledger. */
  proves(envelope: Uint8Array, receipt: string): Promise<boolean>
  /** @returns whether the platform's key is known now */
  meet(): Promise<boolean>
}

/** Receipts are held against the platform's key as it was first seen: a box is set up on a line that is trusted. */
function createProver(folder: string, up: string): Prover {
  const path = join(folder, 'platform-key')
  let text: string | null = null
  const readKey = async (): Promise<string | null> => {
    if (existsSync(path)) return (await readFile(path, 'utf8')).trim()
    const answer = await fetch(`${up}/ledger/key`, { redirect: 'error', signal: AbortSignal.timeout(60_000) }).catch(() => null)
    const found = answer?.status === 200 ? (await answer.text()).trim() : null
    if (found === null || !readVerifierKey(found, sha256).ok) return null
    await writeDurably(folder, 'platform-key', `${found}\n`)
    return found
  }
  const keyNow = async (): Promise<VerifierKey | null> => {
    text ??= await readKey()
    const read = text === null ? null : readVerifierKey(text, sha256)
    return read?.ok === true ? read.value : null
  }
  return {
    async proves(envelope, receipt) {
      const log = await keyNow()
      if (log === null) return false
      return (await verifyReceipt(writeEntry({ kind: 'recap', envelope }), receipt, logAlone(log), { sha256, verify: verifyEd25519 })).ok
    },
    meet: async () => (await keyNow()) !== null,
  }
}
